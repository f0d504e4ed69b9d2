//! A text that is never printed.

use serde::{Deserialize, Serialize};

/// A password. `Debug` shows that there is one and nothing else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

/// Octets of chance in a generated password: beyond guessing, and short enough for a header.
const RANDOM_OCTETS: usize = 24;

impl Secret {
    /// Wraps a password that came from elsewhere.
    #[must_use]
    pub fn new(text: String) -> Secret {
        Secret(text)
    }

    /// A new password from the system's randomness, in hexadecimal digits.
    #[must_use]
    pub fn random() -> Secret {
        Secret(super::hash::hex(&rand::random::<[u8; RANDOM_OCTETS]>()))
    }

    /// The password itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "[secret]");
        assert_ne!(Secret::random(), Secret::random());
        assert_eq!(Secret::random().expose().len(), 2 * RANDOM_OCTETS);
    }
}
