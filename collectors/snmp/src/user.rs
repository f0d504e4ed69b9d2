//! A user of SNMPv3 by the User-based Security Model (RFC 3414): a name, two protocols, and the keys that are made
//! of two passwords.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::Secret;
use crate::transport::udp::usm::Keys;

/// The longest user name, in octets (RFC 3414, usmUserName).
const NAME_OCTETS_MAX: usize = 32;

/// The shortest password, in octets (RFC 3414, 11.2).
const PASSWORD_OCTETS_MIN: usize = 8;

/// How a message proves who sent it, and that nobody changed it. MD5 is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthProtocol {
    /// HMAC-SHA-96 (RFC 3414, 7).
    Sha1,
    /// HMAC-128-SHA-224 (RFC 7860).
    Sha224,
    /// HMAC-192-SHA-256 (RFC 7860).
    Sha256,
    /// HMAC-256-SHA-384 (RFC 7860).
    Sha384,
    /// HMAC-384-SHA-512 (RFC 7860).
    Sha512,
}

/// How a message is hidden from others: AES in CFB mode with a key of so many bits. DES is not offered.
///
/// There is no RFC about AES with more than 128 bits, and two drafts differ in how a key is made longer than the
/// digest of the authentication protocol. They agree wherever that digest is long enough by itself: SHA-224 for 192
/// bits, SHA-256 for 256 bits, and all above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrivacyProtocol {
    /// 128 bits (RFC 3826).
    Aes128,
    /// 192 bits, the key made longer as in draft-blumenthal-aes-usm-04; what net-snmp calls AES-192.
    Aes192,
    /// 256 bits, the key made longer as in draft-blumenthal-aes-usm-04; what net-snmp calls AES-256.
    Aes256,
    /// 192 bits, the key made longer as in draft-reeder-snmpv3-usm-3desede-00, as Cisco's devices do; what net-snmp
    /// calls AES-192-C.
    Aes192Cisco,
    /// 256 bits, the key made longer as in draft-reeder-snmpv3-usm-3desede-00, as Cisco's devices do; what net-snmp
    /// calls AES-256-C.
    Aes256Cisco,
}

impl AuthProtocol {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

impl PrivacyProtocol {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Aes128, Self::Aes192, Self::Aes256, Self::Aes192Cisco, Self::Aes256Cisco];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aes128 => "aes128",
            Self::Aes192 => "aes192",
            Self::Aes256 => "aes256",
            Self::Aes192Cisco => "aes192c",
            Self::Aes256Cisco => "aes256c",
        }
    }
}

impl FromStr for AuthProtocol {
    type Err = UserError;

    fn from_str(text: &str) -> Result<Self, UserError> {
        let found = Self::ALL.into_iter().find(|protocol| protocol.as_str() == text);
        found.ok_or_else(|| UserError::Auth(text.to_owned()))
    }
}

impl FromStr for PrivacyProtocol {
    type Err = UserError;

    fn from_str(text: &str) -> Result<Self, UserError> {
        let found = Self::ALL.into_iter().find(|protocol| protocol.as_str() == text);
        found.ok_or_else(|| UserError::Privacy(text.to_owned()))
    }
}

impl fmt::Display for AuthProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for PrivacyProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A user of SNMPv3. Cheap to clone: all devices that know the user share the keys.
///
/// The passwords are not kept, only what is made of them (RFC 3414, A.2); for each device that becomes a key of its
/// own, so that whoever takes one from a device cannot use it at another.
#[derive(Clone)]
pub struct User(Arc<Parts>);

struct Parts {
    name: String,
    auth: AuthProtocol,
    privacy: Option<PrivacyProtocol>,
    keys: Keys,
}

impl User {
    /// A user whose messages are authenticated and encrypted (authPriv). Takes 3 ms to 25 ms, since a megabyte is
    /// digested for each password: make a user once, not once a device.
    ///
    /// # Errors
    /// When the name has not 1 to 32 octets or has a control character, or a password is shorter than 8 octets.
    pub fn new(
        name: &str,
        (auth, auth_password): (AuthProtocol, &Secret),
        (privacy, privacy_password): (PrivacyProtocol, &Secret),
    ) -> Result<Self, UserError> {
        Self::with(name, auth, auth_password, Some((privacy, privacy_password)))
    }

    /// A user whose messages are authenticated but can be read by everybody on the way (authNoPriv).
    ///
    /// # Errors
    /// As [`User::new`].
    pub fn without_privacy(
        name: &str,
        (auth, auth_password): (AuthProtocol, &Secret),
    ) -> Result<Self, UserError> {
        Self::with(name, auth, auth_password, None)
    }

    fn with(
        name: &str,
        auth: AuthProtocol,
        auth_password: &Secret,
        privacy: Option<(PrivacyProtocol, &Secret)>,
    ) -> Result<Self, UserError> {
        if !(1..=NAME_OCTETS_MAX).contains(&name.len()) {
            return Err(UserError::NameLength(name.len()));
        }
        if let Some(c) = name.chars().find(|c| c.is_control()) {
            return Err(UserError::NameControl(c));
        }
        for (what, password) in
            [Some(("authentication", auth_password)), privacy.map(|(_, password)| ("privacy", password))]
                .into_iter()
                .flatten()
        {
            let octets = password.expose().len();
            if octets < PASSWORD_OCTETS_MIN {
                return Err(UserError::PasswordShort { what, octets });
            }
        }
        let secrets = privacy.map(|(protocol, password)| (protocol, password.expose()));
        let keys = Keys::new(auth, auth_password.expose(), secrets).ok_or(UserError::Keys)?;
        let privacy = privacy.map(|(protocol, _)| protocol);
        Ok(Self(Arc::new(Parts { name: name.to_owned(), auth, privacy, keys })))
    }

    /// The name by which devices know the user.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How messages are authenticated.
    #[must_use]
    pub fn auth(&self) -> AuthProtocol {
        self.0.auth
    }

    /// How messages are encrypted; `None` when they are not.
    #[must_use]
    pub fn privacy(&self) -> Option<PrivacyProtocol> {
        self.0.privacy
    }

    /// What was made of the passwords, for the wire alone.
    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("name", &self.0.name)
            .field("auth", &self.0.auth)
            .field("privacy", &self.0.privacy)
            .finish_non_exhaustive()
    }
}

/// Why there is no such user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// The name is empty or too long.
    #[error("a user name of {0} octets is not within 1 and {NAME_OCTETS_MAX}")]
    NameLength(usize),
    /// The name contains this control character.
    #[error("the user name contains the control character {0:?}")]
    NameControl(char),
    /// A password is too short; which one, and its length.
    #[error("the {what} password has {octets} octets, under {PASSWORD_OCTETS_MIN}")]
    PasswordShort {
        /// Of which protocol: `authentication` or `privacy`.
        what: &'static str,
        /// How long it is, in octets.
        octets: usize,
    },
    /// No such authentication protocol.
    #[error("{0:?} is none of sha1, sha224, sha256, sha384 and sha512")]
    Auth(String),
    /// No such privacy protocol.
    #[error("{0:?} is none of aes128, aes192, aes256, aes192c and aes256c")]
    Privacy(String),
    /// The library makes no keys of them.
    #[error("no keys can be made of the passwords")]
    Keys,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text).unwrap()
    }

    #[test]
    fn protocols_are_known_by_their_words() {
        for protocol in AuthProtocol::ALL {
            assert_eq!(protocol.as_str().parse(), Ok(protocol));
            assert!(UserError::Auth(String::new()).to_string().contains(protocol.as_str()));
        }
        for protocol in PrivacyProtocol::ALL {
            assert_eq!(protocol.as_str().parse(), Ok(protocol));
            assert!(UserError::Privacy(String::new()).to_string().contains(protocol.as_str()));
        }
        for text in ["md5", "SHA256", "des", ""] {
            assert!(text.parse::<AuthProtocol>().is_err() && text.parse::<PrivacyProtocol>().is_err());
        }
    }

    #[test]
    fn bad_users_are_refused() {
        let long = "x".repeat(33);
        for (name, auth, privacy, says) in [
            ("", "authentic", "encrypted", "a user name of 0 octets is not within 1 and 32"),
            (long.as_str(), "authentic", "encrypted", "a user name of 33 octets"),
            ("a\n", "authentic", "encrypted", "control character '\\n'"),
            ("a", "sevenoc", "encrypted", "the authentication password has 7 octets, under 8"),
            ("a", "authentic", "sevenoc", "the privacy password has 7 octets, under 8"),
        ] {
            let (auth, privacy) = (secret(auth), secret(privacy));
            let user = User::new(name, (AuthProtocol::Sha1, &auth), (PrivacyProtocol::Aes128, &privacy));
            let error = user.unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn passwords_and_keys_are_not_printed() {
        let user = User::new(
            "meter95",
            (AuthProtocol::Sha256, &secret("authentic")),
            (PrivacyProtocol::Aes256, &secret("encrypted")),
        );
        let printed = format!("{:?}", user.unwrap());
        assert_eq!(printed, r#"User { name: "meter95", auth: Sha256, privacy: Some(Aes256), .. }"#);
    }
}
