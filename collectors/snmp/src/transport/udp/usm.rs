//! Keys for SNMPv3, and what devices report when they do not take a message (RFC 3414).

use async_snmp::message::{SecurityLevel, V3Message};
use async_snmp::v3::{ReportStatus, classify_report};
use async_snmp::{Auth, DecodeConfig, MasterKeys, PrivProtocol, UsmConfig};
use bytes::Bytes;

use crate::{AuthProtocol, Failure, PrivacyProtocol, User};

/// What two passwords become before a device is known, wiped when dropped.
pub(crate) struct Keys(MasterKeys);

impl Keys {
    /// Digests the passwords. `None` where the library refuses them, which it does when they are shorter than 8
    /// octets.
    pub(crate) fn new(
        auth: AuthProtocol,
        auth_password: &[u8],
        privacy: Option<(PrivacyProtocol, &[u8])>,
    ) -> Option<Self> {
        let keys = MasterKeys::new(wire_auth(auth), auth_password).ok()?;
        let keys = match privacy {
            None => keys,
            Some((protocol, password)) if password == auth_password => {
                keys.with_privacy_same_password(wire_privacy(protocol)).ok()?
            }
            Some((protocol, password)) => keys.with_privacy(wire_privacy(protocol), password).ok()?,
        };
        Some(Self(keys))
    }

    /// The keys for one engine.
    #[cfg(any(test, feature = "fuzz"))]
    pub(super) fn localize(
        &self,
        engine: &[u8],
    ) -> Option<(async_snmp::LocalizedKey, Option<async_snmp::v3::PrivKey>)> {
        self.0.localize(engine).ok()
    }
}

/// A user as the library wants it. `None` where it refuses the user.
pub(super) fn auth(user: &User) -> Option<Auth> {
    let config = UsmConfig::new(user.name().to_owned());
    Some(config.with_master_keys(user.keys().0.clone()).ok()?.into())
}

fn wire_auth(protocol: AuthProtocol) -> async_snmp::AuthProtocol {
    match protocol {
        AuthProtocol::Sha1 => async_snmp::AuthProtocol::Sha1,
        AuthProtocol::Sha224 => async_snmp::AuthProtocol::Sha224,
        AuthProtocol::Sha256 => async_snmp::AuthProtocol::Sha256,
        AuthProtocol::Sha384 => async_snmp::AuthProtocol::Sha384,
        AuthProtocol::Sha512 => async_snmp::AuthProtocol::Sha512,
    }
}

fn wire_privacy(protocol: PrivacyProtocol) -> PrivProtocol {
    match protocol {
        PrivacyProtocol::Aes128 => PrivProtocol::Aes128,
        PrivacyProtocol::Aes192 => PrivProtocol::Aes192Blumenthal,
        PrivacyProtocol::Aes256 => PrivProtocol::Aes256Blumenthal,
        PrivacyProtocol::Aes192Cisco => PrivProtocol::Aes192Reeder,
        PrivacyProtocol::Aes256Cisco => PrivProtocol::Aes256Reeder,
    }
}

/// A Report-PDU: why a device did not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Report {
    /// What it says.
    pub(crate) failure: Failure,
    /// Whether it is signed. That the signature is right is for the library to say.
    pub(crate) signed: bool,
}

impl Report {
    /// The report that a datagram holds, unless it is encrypted; `None` for everything else.
    pub(crate) fn read(octets: Bytes) -> Option<Self> {
        let message = V3Message::decode(octets, DecodeConfig::STRICT).ok()?.value;
        let signed = message.security_level() != SecurityLevel::NoAuthNoPriv;
        let status = classify_report(message.pdu()?).ok()?;
        Some(Self { failure: failure(&status), signed })
    }
}

/// What a report means for whoever asked.
pub(super) fn failure(status: &ReportStatus) -> Failure {
    match status {
        ReportStatus::UnknownUserName { .. } => Failure::UnknownUser,
        ReportStatus::WrongDigest { .. } => Failure::WrongAuth,
        ReportStatus::DecryptionError { .. } => Failure::WrongPrivacy,
        ReportStatus::UnsupportedSecurityLevel { .. } => Failure::SecurityLevel,
        ReportStatus::NotInTimeWindow { .. } => Failure::NotInTime,
        ReportStatus::UnknownEngineId { .. } => Failure::UnknownEngine,
        // Of an unknown context, or of a model that is not ours.
        _ => Failure::Denied,
    }
}
