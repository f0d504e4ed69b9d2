//! A collector's side: which service it trusts, by which certificate it is known, and what is the matter in plain words.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::SingleCertAndKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};
use rustls_platform_verifier::Verifier;

use super::dates::{Dates, vouches};
use super::pair::{Pair, PairError, certificates_of};
use super::provider;

/// How a collector connects over TLS.
#[derive(Clone)]
pub struct Outgoing {
    config: ClientConfig,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").finish_non_exhaustive()
    }
}

/// Why a collector can't connect over TLS.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// A file is not what it should be.
    #[error(transparent)]
    File(#[from] PairError),
    /// What is in the files can't be used.
    #[error("TLS can't be used")]
    Tls(#[from] Error),
}

impl Outgoing {
    /// Trusts what the certificates in `ca_file` vouch for, and those themselves; what this machine trusts without one.
    /// Known by the certificate of `own`, if it has one.
    ///
    /// # Errors
    /// When there is no certificate in the file, or this machine trusts none.
    pub fn new(ca_file: Option<&Path>, own: Option<&Pair>) -> Result<Self, OutgoingError> {
        let verifier: Arc<dyn ServerCertVerifier> = match ca_file {
            Some(path) => Arc::new(Listed::new(path)?),
            None => Arc::new(Verifier::new(provider())?),
        };
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        // What is dangerous about it is to trust too much: see `Listed`.
        let config = config.dangerous().with_custom_certificate_verifier(verifier);
        let config = match own {
            Some(pair) => {
                config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair.certified.clone())))
            }
            None => config.with_no_client_auth(),
        };
        Ok(Self { config })
    }

    /// What a handshake goes by.
    #[must_use]
    pub fn config(&self) -> ClientConfig {
        self.config.clone()
    }
}

/// Trusts the certificates that are listed, and what those that may vouch for others vouch for.
#[derive(Debug)]
struct Listed {
    themselves: Vec<CertificateDer<'static>>,
    /// `None` where none of them may vouch for others.
    vouched: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Listed {
    fn new(path: &Path) -> Result<Self, OutgoingError> {
        let themselves = certificates_of(path)?;
        let mut roots = RootCertStore::empty();
        for certificate in themselves.iter().filter(|certificate| vouches(certificate)) {
            roots.add(certificate.clone())?;
        }
        let vouched = match roots.is_empty() {
            true => None,
            false => {
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
                Some(verifier.map_err(|error| Error::General(error.to_string()))?)
            }
        };
        Ok(Self { themselves, vouched, algorithms: provider().signature_verification_algorithms })
    }
}

impl ServerCertVerifier for Listed {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.themselves.contains(end_entity) {
            // Nobody else need vouch for it. Its dates and names count all the same.
            let dates = Dates::of(end_entity).ok_or(CertificateError::BadEncoding)?;
            let now_ms = i64::try_from(now.as_secs().saturating_mul(1_000)).unwrap_or(i64::MAX);
            if now_ms > dates.until.0 {
                return Err(CertificateError::Expired.into());
            }
            if now_ms < dates.from.0 {
                return Err(CertificateError::NotValidYet.into());
            }
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        match &self.vouched {
            Some(vouched) => {
                vouched.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What is the matter with TLS, if that is why something failed.
#[must_use]
pub fn plain_words(error: &(dyn StdError + 'static)) -> Option<String> {
    Some(match of_tls(error)? {
        Error::InvalidCertificate(wrong) => match wrong {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the service's certificate has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the service's certificate does not count yet; is this machine's clock right?".to_owned()
            }
            CertificateError::UnknownIssuer => {
                "nobody who is trusted here vouches for the service's certificate; name it, or its CA's, as \
                 ship.ca_file"
                    .to_owned()
            }
            CertificateError::NotValidForName => "the service's certificate is for another name".to_owned(),
            CertificateError::NotValidForNameContext { expected, presented } => {
                let presented = if presented.is_empty() { "none".to_owned() } else { presented.join(", ") };
                format!("the service's certificate is not for {}, but for {presented}", expected.to_str())
            }
            CertificateError::Revoked => "the service's certificate was revoked".to_owned(),
            other => format!("the service's certificate can't be trusted: {other}"),
        },
        Error::InvalidMessage(_) => "the other side does not speak HTTPS at this port".to_owned(),
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the other side wants a certificate: ship.certificate and ship.key".to_owned()
        }
        Error::AlertReceived(alert) => format!("the other side broke off the TLS handshake: {alert:?}"),
        other => format!("TLS failed: {other}"),
    })
}

/// The error of TLS behind another.
fn of_tls<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found);
        }
        // Its source would be the source of what it wraps.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}
