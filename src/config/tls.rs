//! The certificates of the service and of a collector.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Ship};
use crate::tls::pair::Places;

/// What the API and the dashboard show that they are who they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// A file with the certificate, and behind it those that vouch for it (PEM).
    pub certificate: PathBuf,
    /// A file with its key (PEM), without a password.
    pub key: PathBuf,
    /// Whether clients are asked for certificates of theirs. A browser that has any asks its user which.
    #[serde(default = "asked")]
    pub client_certificates: bool,
}

fn asked() -> bool {
    true
}

impl Tls {
    /// Where the pair is.
    #[must_use]
    pub fn places(&self) -> Places {
        Places { certificate: self.certificate.clone(), key: self.key.clone() }
    }
}

impl Ship {
    /// Where the collector's own pair is, if it has one.
    #[must_use]
    pub fn places(&self) -> Option<Places> {
        let (certificate, key) = (self.certificate.clone()?, self.key.clone()?);
        Some(Places { certificate, key })
    }

    /// Refuses half a pair.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |field: &str, path: &PathBuf, other: &str| {
            let (field, value) = (field.to_owned(), path.display().to_string());
            Err(ConfigError::Value { field, value, says: format!("it goes together with {other}") })
        };
        match (&self.certificate, &self.key) {
            (Some(path), None) => wrong("ship.certificate", path, "ship.key"),
            (None, Some(path)) => wrong("ship.key", path, "ship.certificate"),
            (Some(_), Some(_)) | (None, None) => Ok(()),
        }
    }
}
