//! The tokens in force, in memory: read at the start and looked at again every two seconds, so that what is revoked by
//! whichever process is worth nothing within seconds. While the store can't be read, what is known goes on to hold.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use meter95_reading::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Caller;
use super::token::{Proof, Token, id_of};
use crate::store::connection::{Store, StoreError};

/// How often the store is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Tokens that may be in force at once: every look reads all of them.
pub const TOKENS_MAX: usize = 1_000;

/// The tokens in force. Cheap to clone; clones know the same.
#[derive(Clone)]
pub struct Registry {
    store: Store,
    known: Arc<RwLock<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// Whether a token was ever made.
    ever: bool,
    by_id: HashMap<String, Arc<Token>>,
    by_certificate: HashMap<[u8; 32], Arc<Token>>,
}

impl Registry {
    /// Begins with what is stored.
    ///
    /// # Errors
    /// When the store can't be read: nobody knows then whether the site is open.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        let registry = Self { store, known: Arc::default() };
        registry.refresh().await?;
        Ok(registry)
    }

    /// Reads the tokens in force again.
    ///
    /// # Errors
    /// When the store can't be read; what was known holds on.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let (tokens, ever) = self.store.tokens_left().await?;
        let mut new = Known { ever, ..Known::default() };
        for token in tokens.into_iter().map(Arc::new) {
            if let Proof::Certificate(sha256) = token.proof {
                new.by_certificate.insert(sha256, token.clone());
            }
            new.by_id.insert(token.id.clone(), token);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // Never open again, whatever happened to the store.
        new.ever |= known.ever;
        *known = new;
        Ok(())
    }

    /// Reads them again and again until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut failing = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => return,
            }
            let looked = tokio::select! {
                looked = self.refresh() => looked,
                () = stop.cancelled() => return,
            };
            match looked {
                Ok(()) if failing => {
                    failing = false;
                    tracing::info!("tokens are read again");
                }
                Ok(()) => {}
                Err(error) if !failing => {
                    failing = true;
                    tracing::error!(error = %error, "tokens can't be read, those known go on to hold");
                }
                Err(_) => {}
            }
        }
    }

    /// Whether no token was ever made, and so everybody on this machine may do everything.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.known.read().unwrap_or_else(PoisonError::into_inner).ever
    }

    /// Whoever holds the token `presented`, if that is one in force at `now`.
    #[must_use]
    pub fn by_secret(&self, presented: &str, now: Timestamp) -> Option<Arc<Token>> {
        let token = self.in_force(id_of(presented)?, now)?;
        token.is_proved_by(presented).then_some(token)
    }

    /// Whoever shows the client certificate with this SHA-256, if a token in force at `now` is proved by it.
    #[must_use]
    pub fn by_certificate(&self, sha256: &[u8; 32], now: Timestamp) -> Option<Caller> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let token = known.by_certificate.get(sha256)?;
        token.is_in_force(now).then(|| token.caller())
    }

    /// The token of an id, if it is in force at `now`.
    #[must_use]
    pub fn in_force(&self, id: &str, now: Timestamp) -> Option<Arc<Token>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.by_id.get(id).filter(|token| token.is_in_force(now)).cloned()
    }
}
