//! A device whose answers are written down beforehand, for the fuzzer: the way from a datagram to a value, all of it but
//! the socket. Every request has the id 1, so that what was written down can answer it.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use async_snmp::v3::{SaltCounter, UsmSecurityParams, auth::authenticate_message};
use async_snmp::{Candidate, Error, RequestRegistration, ResponseIdentity, Transport};
use bytes::Bytes;
use tokio::time::Instant;

use super::link::Call;
use super::{UdpSession, is_damaged};
use crate::transport::socket::Datagram;
use crate::{Credentials, Device, Options, User};

/// The engine that a canned device says it is, and the clock that it signs with.
const ENGINE: &[u8] = &[0x80, 0, 0x1f, 0x88, 4, b'f', b'u', b'z', b'z'];
const BOOTS: u32 = 3;
const TIME_S: u32 = 1_000;

/// The id of all requests.
const ID: u8 = 1;

/// How answers are wrapped before they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrap {
    /// Not at all: each is a whole message.
    Bare,
    /// Each is a scoped PDU of SNMPv3, which is put into a message and signed.
    Signed,
    /// Each is a scoped PDU of SNMPv3, which is encrypted, put into a message and signed.
    Encrypted,
}

/// A transport that answers with what it was given, one after the other, and then with silence.
pub(crate) struct Canned {
    answers: Mutex<VecDeque<Bytes>>,
    reports: bool,
}

impl Canned {
    /// A session with `device`, which gives these `answers`.
    pub(crate) fn session(
        device: &Device,
        options: &Options,
        wrap: Wrap,
        answers: &[&[u8]],
    ) -> UdpSession<Self> {
        let (user, reports) = match device.credentials() {
            Credentials::V2c { .. } => (None, false),
            Credentials::V3 { user } => (Some(user), true),
        };
        let wrapped = answers.iter().filter_map(|answer| match (wrap, user) {
            (Wrap::Signed, Some(user)) => sealed(user, answer, false),
            (Wrap::Encrypted, Some(user)) => sealed(user, answer, true),
            (Wrap::Bare, _) | (_, None) => Some(Bytes::copy_from_slice(answer)),
        });
        let identity = (wrap != Wrap::Bare && reports).then(identity);
        let answers = Mutex::new(identity.into_iter().chain(wrapped).collect());
        UdpSession::over(Self { answers, reports }, device, options)
    }
}

impl Transport for Canned {
    async fn send(&self, _: &[u8]) -> async_snmp::Result<()> {
        Ok(())
    }

    async fn request_with<T, F>(
        &self,
        _: &[u8],
        registration: RequestRegistration,
        mut validate: F,
    ) -> async_snmp::Result<T>
    where
        T: Send,
        F: FnMut(Bytes, SocketAddr) -> async_snmp::Result<Candidate<T>> + Send,
    {
        let (sent, address) = (Instant::now(), self.peer_addr());
        let mut call = Call::default();
        let octets = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let result = octets.and_then(|octets| {
            if registration.evaluate_response_identity(&octets, true) == ResponseIdentity::Match {
                let datagram = Datagram { octets, arrived: sent };
                return call.consider(&datagram, sent, self.reports, &mut validate, address);
            }
            call.rejected += u32::from(is_damaged(&octets));
            None
        });
        call.tell();
        let timeout = || Error::Timeout { target: address, elapsed: sent.elapsed(), retries: 0 }.boxed();
        result.unwrap_or_else(|| Err(timeout()))
    }

    fn peer_addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 161).into()
    }

    fn local_addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 9).into()
    }

    fn alloc_request_id(&self) -> i32 {
        ID.into()
    }

    fn is_reliable(&self) -> bool {
        false
    }
}

/// A tag, a length in two octets and content.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[tag, 0x82][..], &length, &content].concat()
}

/// A message of SNMPv3.
fn message(flags: u8, security: &[u8], scoped: &[u8]) -> Vec<u8> {
    let global = [&[2, 1, ID, 2, 3, 0, 0xff, 0xe3, 4, 1, flags, 2, 1, 3][..]].concat();
    let global = [&[0x30, 14][..], &global].concat();
    tlv(0x30, &[&[2, 1, 3], &global, &tlv(4, &[security]), scoped])
}

/// What an engine answers to whoever asks who it is.
fn identity() -> Bytes {
    let security = UsmSecurityParams::new(ENGINE, BOOTS, TIME_S, Bytes::new()).and_then(|usm| usm.encode());
    // usmStatsUnknownEngineIDs.0, as a Counter32 of 1.
    let bind = [0x30, 15, 6, 10, 0x2b, 6, 1, 6, 3, 15, 1, 1, 4, 0, 0x41, 1, 1];
    let pdu = [&[0xa8, 28, 2, 1, ID, 2, 1, 0, 2, 1, 0, 0x30, 17][..], &bind].concat();
    let scoped = tlv(0x30, &[&[4, 9], ENGINE, &[4, 0], &pdu]);
    message(0, &security.unwrap_or_default(), &scoped).into()
}

/// A scoped PDU as a message that is signed with the user's keys, and encrypted unless it goes in the clear.
fn sealed(user: &User, scoped: &[u8], encrypted: bool) -> Option<Bytes> {
    let (auth, privacy) = user.keys().localize(ENGINE)?;
    let usm = UsmSecurityParams::new(ENGINE, BOOTS, TIME_S, user.name().to_owned()).ok()?;
    let usm = usm.with_auth_placeholder(auth.mac_len()).ok()?;
    let (flags, usm, data) = if encrypted {
        let (data, salt) = privacy?.encrypt_aes(scoped, BOOTS, TIME_S, &SaltCounter::new().ok()?).ok()?;
        (3, usm.with_priv_params(salt).ok()?, tlv(4, &[&data]))
    } else {
        (1, usm, scoped.to_vec())
    };
    let mut message = message(flags, &usm.encode().ok()?, &data);
    let (offset, length) = UsmSecurityParams::find_auth_params_offset(&message)?;
    authenticate_message(&auth, &mut message, offset, length).ok()?;
    Some(message.into())
}
