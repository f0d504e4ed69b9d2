//! The service's certificate, and how a new one takes its place: the files are looked at every few seconds, and
//! connections from then on get what is new in them. What can't be used is told once, and the old one stays.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use meter95_reading::Timestamp;
use rustls::ServerConfig;
use rustls::server::{ClientHello, NoClientAuth, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::holder::Holder;
use super::pair::{Pair, PairError, Places};
use super::provider;
use crate::inventory::instant::rfc3339;

/// How often the files are looked at: they are small, and a new certificate is in no hurry.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often it is told that the certificate expires, in ms: once a day.
const TELL_EVERY_MS: i64 = 86_400_000;

/// The only protocol that is spoken over TLS.
const HTTP_1: &[u8] = b"http/1.1";

/// The service's certificate in force. Cheap to clone; clones have the same.
#[derive(Debug, Clone)]
pub struct Server {
    places: Places,
    config: Arc<ServerConfig>,
    current: Arc<Current>,
}

/// What a look at the files has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// What was there before.
    Same,
    /// Another certificate, which counts from now on.
    Renewed,
    /// Something else that can't be used; the old certificate stays.
    Unusable(PairError),
}

/// What was seen when the files were looked at last.
#[derive(Debug)]
pub struct Seen(Result<[u8; 32], PairError>);

/// The pair in force.
struct Current(RwLock<Pair>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pair().fmt(f)
    }
}

impl Current {
    fn pair(&self) -> Pair {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.pair().certified)
    }
}

impl Server {
    /// Begins with what the files hold; with `holders`, clients may show certificates of theirs.
    ///
    /// # Errors
    /// When that is no pair.
    pub fn open(places: Places, holders: bool) -> Result<(Self, Seen), PairError> {
        let texts = places.texts()?;
        let current = Arc::new(Current(RwLock::new(places.pair(&texts)?)));
        let unusable = |error: rustls::Error| PairError::File {
            path: places.certificate.clone(),
            says: error.to_string(),
        };
        let config = ServerConfig::builder_with_provider(provider());
        let config = config.with_safe_default_protocol_versions().map_err(unusable)?;
        let config = match holders {
            true => config.with_client_cert_verifier(Arc::new(Holder::new())),
            false => config.with_client_cert_verifier(Arc::new(NoClientAuth)),
        };
        let mut config = config.with_cert_resolver(current.clone());
        config.alpn_protocols = vec![HTTP_1.to_vec()];
        Ok((Self { places, config: Arc::new(config), current }, Seen(Ok(texts.fingerprint()))))
    }

    /// What a handshake goes by.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    /// The pair in force.
    #[must_use]
    pub fn pair(&self) -> Pair {
        self.current.pair()
    }

    /// Looks at the files, and takes what is new in them.
    pub fn look(&self, seen: &mut Seen) -> Look {
        let found = self.places.texts();
        let now = found.as_ref().map(|texts| texts.fingerprint()).map_err(PairError::clone);
        if seen.0 == now {
            return Look::Same;
        }
        *seen = Seen(now);
        match found.and_then(|texts| self.places.pair(&texts)) {
            // As when a file was away for a moment.
            Ok(pair) if pair.sha256 == self.pair().sha256 => Look::Same,
            Ok(pair) => {
                *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = pair;
                Look::Renewed
            }
            Err(error) => Look::Unusable(error),
        }
    }

    /// Looks every so often until `stop`, and tells in the log what is new and when the certificate is about to expire.
    pub async fn run(
        self,
        mut seen: Seen,
        every: Duration,
        now: impl Fn() -> Timestamp,
        stop: CancellationToken,
    ) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut told: Option<Timestamp> = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            match self.look(&mut seen) {
                Look::Same => {}
                Look::Renewed => {
                    told = None;
                    let until = rfc3339(self.pair().dates.until);
                    tracing::info!(until, "certificate renewed");
                }
                Look::Unusable(error) => {
                    tracing::error!(error = %error, "new certificate can't be used, the old one stays");
                }
            }
            let now = now();
            let is_due = told.is_none_or(|at| now.ms_since(at).abs() >= TELL_EVERY_MS);
            if is_due && let Some(says) = self.pair().dates.warning(now) {
                told = Some(now);
                tracing::warn!(says, "certificate needs to be renewed");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::pair::tests::write;

    #[test]
    fn new_certificates_take_the_place_of_old_ones_and_broken_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let places = write(folder.path(), "a.example");
        let (server, mut seen) = Server::open(places.clone(), true).unwrap();
        let first = server.pair().sha256;
        assert_eq!(server.look(&mut seen), Look::Same);

        let old = std::fs::read(&places.key).unwrap();
        write(folder.path(), "a.example");
        let new = std::fs::read(&places.key).unwrap();
        std::fs::write(&places.key, &old).unwrap();
        assert!(matches!(server.look(&mut seen), Look::Unusable(PairError::Apart { .. })));
        assert_eq!((server.look(&mut seen), server.pair().sha256), (Look::Same, first), "it is told once");
        std::fs::write(&places.key, &new).unwrap();
        assert_eq!(server.look(&mut seen), Look::Renewed);
        let second = server.pair().sha256;
        assert_ne!(second, first);

        std::fs::remove_file(&places.key).unwrap();
        assert!(matches!(server.look(&mut seen), Look::Unusable(PairError::Read { .. })));
        assert_eq!((server.look(&mut seen), server.pair().sha256), (Look::Same, second));
        std::fs::write(&places.key, &new).unwrap();
        assert_eq!(server.look(&mut seen), Look::Same);
        let printed = format!("{server:?}");
        assert!(!printed.contains("PRIVATE"), "{printed}");
    }
}
