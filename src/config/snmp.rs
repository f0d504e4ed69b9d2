//! `[snmp]`: switches, and who reads them.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use meter95_snmp::{AuthProtocol, PrivacyProtocol, Secret, User, UserError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ConfigError, first_line, within};

/// What stands for a secret wherever it is shown.
pub const HIDDEN: &str = "***";

/// Switches and how to read them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Snmp {
    /// How often each device is read, in s; 60 unless given.
    pub interval_s: Option<u64>,
    /// Users of SNMPv3.
    pub users: Vec<SnmpUser>,
    /// The devices.
    pub devices: Vec<SnmpDevice>,
}

/// A user of SNMPv3, as devices know it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnmpUser {
    /// The name by which devices of this file name it.
    pub name: String,
    /// The name by which the devices themselves know it; the same unless given. Two users of one name there, with other
    /// passwords, are told apart so.
    pub user: Option<String>,
    /// How messages are protected: `authPriv` (signed and encrypted, which they are unless given) or `authNoPriv`
    /// (signed only).
    pub level: Option<String>,
    /// How messages are signed: sha1, sha224, sha256, sha384 or sha512.
    pub auth: String,
    /// A file with the password for that in its first line.
    pub auth_password_file: Option<PathBuf>,
    /// An environment variable with that password.
    pub auth_password_env: Option<String>,
    /// How messages are encrypted: aes128, aes192, aes256, or aes192c and aes256c as Cisco's devices do.
    pub privacy: Option<String>,
    /// A file with the password for that in its first line.
    pub privacy_password_file: Option<PathBuf>,
    /// An environment variable with that password.
    pub privacy_password_env: Option<String>,
}

/// A switch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnmpDevice {
    /// Its name, as in the inventory.
    pub name: String,
    /// Its address, with a port unless that is 161.
    pub address: String,
    /// The user that reads it, for SNMPv3: the name of one of `snmp.users`.
    pub user: Option<String>,
    /// The community, for SNMP v2c. Better kept elsewhere.
    pub community: Option<Hidden>,
    /// A file with the community in its first line.
    pub community_file: Option<PathBuf>,
    /// An environment variable with the community.
    pub community_env: Option<String>,
    /// Interfaces to read, `*` standing for any text; all unless given.
    #[serde(default)]
    pub interfaces: Vec<String>,
    /// How often this one is read, in s.
    pub interval_s: Option<u64>,
}

/// A text that is read but never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self(text)),
            // Serde's own words would show what stands there.
            _ => Err(serde::de::Error::custom("a secret must be a text in quotation marks")),
        }
    }
}

/// How messages are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// Signed and encrypted.
    AuthPriv,
    /// Signed.
    AuthNoPriv,
}

/// Where a secret is kept.
type Place<'a> = (&'a Option<PathBuf>, &'a Option<String>);

impl Snmp {
    /// Checks what the shapes alone do not.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        within("snmp.interval_s", self.interval_s)?;
        let mut users = BTreeSet::new();
        for user in &self.users {
            if !users.insert(&user.name) {
                return Err(wrong("snmp.users.name", &user.name, "another user has this name"));
            }
            user.check()?;
        }
        let mut names = BTreeSet::new();
        for device in &self.devices {
            within("snmp.devices.interval_s", device.interval_s)?;
            if !names.insert(&device.name) {
                return Err(wrong("snmp.devices.name", &device.name, "another device has this name"));
            }
            device.check()?;
            if let Some(user) = device.user.as_ref().filter(|user| !users.contains(user)) {
                return Err(wrong("snmp.devices.user", user, "none of snmp.users has this name"));
            }
        }
        Ok(())
    }
}

impl SnmpUser {
    fn check(&self) -> Result<(), ConfigError> {
        if self.name.is_empty() {
            return Err(wrong("snmp.users.name", &self.name, "a name can't be empty"));
        }
        self.auth()?;
        let name = |says: &str| Err(wrong("snmp.users.name", &self.name, says));
        match self.auth_place() {
            (Some(_), Some(_)) => {
                return name("it has both auth_password_file and auth_password_env; write one of them");
            }
            (None, None) => return name("it has neither auth_password_file nor auth_password_env"),
            (Some(_), None) | (None, Some(_)) => {}
        }
        let level = self.level()?;
        match (level, self.privacy()?, self.privacy_place()) {
            (Level::AuthNoPriv, None, (None, None)) => Ok(()),
            (Level::AuthNoPriv, _, _) => {
                name("its level is authNoPriv, so it has no use for privacy and a password for it")
            }
            (Level::AuthPriv, None, _) => {
                name("it has no privacy; write level = \"authNoPriv\" if others may read what devices answer")
            }
            (Level::AuthPriv, Some(_), (Some(_), Some(_))) => {
                name("it has both privacy_password_file and privacy_password_env; write one of them")
            }
            (Level::AuthPriv, Some(_), (None, None)) => {
                name("it has neither privacy_password_file nor privacy_password_env")
            }
            (Level::AuthPriv, Some(_), (Some(_), None) | (None, Some(_))) => Ok(()),
        }
    }

    /// The user with its keys, which takes some milliseconds.
    ///
    /// # Errors
    /// When a password can't be read or is shorter than 8 octets (RFC 3414, 11.2), or the name devices know is longer than
    /// 32.
    pub fn user(&self) -> Result<User, ConfigError> {
        let auth_password = secret("snmp.users.auth_password", self.auth_place())?;
        let auth = (self.auth()?, &auth_password);
        let name = self.user.as_ref().unwrap_or(&self.name);
        let user = match self.privacy()? {
            None => User::without_privacy(name, auth),
            Some(protocol) => {
                let password = secret("snmp.users.privacy_password", self.privacy_place())?;
                User::new(name, auth, (protocol, &password))
            }
        };
        user.map_err(|error| {
            let field = if self.user.is_some() { "snmp.users.user" } else { "snmp.users.name" };
            match &error {
                UserError::PasswordShort { what: "privacy", .. } => {
                    misplaced("snmp.users.privacy_password", self.privacy_place(), &error)
                }
                UserError::PasswordShort { .. } => {
                    misplaced("snmp.users.auth_password", self.auth_place(), &error)
                }
                _ => wrong(field, name, &error.to_string()),
            }
        })
    }

    fn auth(&self) -> Result<AuthProtocol, ConfigError> {
        self.auth.parse().map_err(|_| {
            wrong("snmp.users.auth", &self.auth, &one_of(&AuthProtocol::ALL.map(AuthProtocol::as_str)))
        })
    }

    fn privacy(&self) -> Result<Option<PrivacyProtocol>, ConfigError> {
        let Some(text) = &self.privacy else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            wrong("snmp.users.privacy", text, &one_of(&PrivacyProtocol::ALL.map(PrivacyProtocol::as_str)))
        })
    }

    fn level(&self) -> Result<Level, ConfigError> {
        match self.level.as_deref() {
            None | Some("authPriv") => Ok(Level::AuthPriv),
            Some("authNoPriv") => Ok(Level::AuthNoPriv),
            Some("noAuthNoPriv") => Err(wrong(
                "snmp.users.level",
                "noAuthNoPriv",
                "without signatures anybody could forge a bill; it must be authPriv or authNoPriv",
            )),
            Some(text) => Err(wrong("snmp.users.level", text, "it must be authPriv or authNoPriv")),
        }
    }

    fn auth_place(&self) -> Place<'_> {
        (&self.auth_password_file, &self.auth_password_env)
    }

    fn privacy_place(&self) -> Place<'_> {
        (&self.privacy_password_file, &self.privacy_password_env)
    }
}

impl SnmpDevice {
    fn check(&self) -> Result<(), ConfigError> {
        let Self { user, community, community_file, community_env, .. } = self;
        let given: Vec<&str> = [
            ("user", user.is_some()),
            ("community_file", community_file.is_some()),
            ("community_env", community_env.is_some()),
            ("community", community.is_some()),
        ]
        .into_iter()
        .filter_map(|(field, given)| given.then_some(field))
        .collect();
        let says = match given.as_slice() {
            [_] => return Ok(()),
            [] => "it has none of user, community_file, community_env and community".to_owned(),
            [first, second, ..] => format!("it has both {first} and {second}; write one of them"),
        };
        Err(wrong("snmp.devices.name", &self.name, &says))
    }

    /// The community; `None` where a user of SNMPv3 reads the device.
    ///
    /// # Errors
    /// When it can't be read, or is no community.
    pub fn community(&self) -> Result<Option<Secret>, ConfigError> {
        match (&self.user, &self.community) {
            (Some(_), _) => Ok(None),
            (None, Some(Hidden(community))) => {
                let secret = Secret::new(community.as_str());
                secret.map(Some).map_err(|error| wrong("snmp.devices.community", HIDDEN, &error.to_string()))
            }
            (None, None) => {
                secret("snmp.devices.community", (&self.community_file, &self.community_env)).map(Some)
            }
        }
    }
}

/// A secret from where it is kept. `field` is that of both places, without `_file` and `_env`.
fn secret(field: &str, place: Place<'_>) -> Result<Secret, ConfigError> {
    let text = match place {
        (Some(path), _) => first_line(path)?,
        (None, Some(variable)) => {
            std::env::var(variable).map_err(|_| ConfigError::Variable(variable.clone()))?
        }
        (None, None) => String::new(),
    };
    Secret::new(text).map_err(|error| misplaced(field, place, &error))
}

/// What is wrong with a secret, told by where it is kept.
fn misplaced(field: &str, (file, variable): Place<'_>, error: &dyn fmt::Display) -> ConfigError {
    let (field, value) = match (file, variable) {
        (Some(path), _) => (format!("{field}_file"), shown(path)),
        (None, Some(variable)) => (format!("{field}_env"), variable.clone()),
        (None, None) => (field.to_owned(), String::new()),
    };
    wrong(&field, &value, &error.to_string())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn one_of(words: &[&str]) -> String {
    format!("it must be one of {}", words.join(", "))
}

fn wrong(field: &str, value: &str, says: &str) -> ConfigError {
    ConfigError::Value { field: field.to_owned(), value: format!("{value:?}"), says: says.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(toml: &str) -> Result<Snmp, String> {
        let snmp: Snmp = toml::from_str(toml).map_err(|e| e.to_string())?;
        snmp.check().map_err(|e| e.to_string())?;
        Ok(snmp)
    }

    fn user(lines: &str) -> String {
        format!("[[users]]\nname = 'core'\n{lines}")
    }

    fn device(lines: &str) -> String {
        format!("[[devices]]\nname = 'sw1'\naddress = '192.0.2.1'\n{lines}")
    }

    #[test]
    fn everything_can_be_said() {
        let snmp = check(
            r#"
            [[users]]
            name = "core"
            user = "meter95"
            auth = "sha256"
            auth_password_file = "/etc/meter95/auth"
            privacy = "aes128"
            privacy_password_env = "PRIVACY"
            [[users]]
            name = "old"
            level = "authNoPriv"
            auth = "sha1"
            auth_password_env = "AUTH"
            [[devices]]
            name = "sw1"
            address = "192.0.2.1"
            user = "core"
            [[devices]]
            name = "sw2"
            address = "192.0.2.2"
            community_env = "COMMUNITY"
            "#,
        );
        let snmp = snmp.unwrap();
        assert_eq!(snmp.users[0].level().unwrap(), Level::AuthPriv);
        assert_eq!(snmp.users[1].level().unwrap(), Level::AuthNoPriv);
        assert!(snmp.devices[0].community().unwrap().is_none());
    }

    #[test]
    fn mistakes_are_named() {
        let auth = "auth = 'sha256'\nauth_password_env = 'A'\n";
        let both = format!("{auth}privacy = 'aes128'\nprivacy_password_env = 'B'\n");
        for (toml, says) in [
            (user("auth_password_env = 'A'"), "missing field `auth`"),
            (
                user("auth = 'md5'\nauth_password_env = 'A'"),
                "snmp.users.auth is \"md5\": it must be one of sha1, sha224",
            ),
            (user("auth = 'sha1'"), "neither auth_password_file nor auth_password_env"),
            (
                user(&format!("{auth}auth_password_file = 'a'")),
                "both auth_password_file and auth_password_env",
            ),
            (user(auth), "it has no privacy; write level = \"authNoPriv\""),
            (
                user(&format!("{auth}privacy = 'des'")),
                "snmp.users.privacy is \"des\": it must be one of aes128",
            ),
            (
                user(&format!("{auth}privacy = 'aes128'")),
                "neither privacy_password_file nor privacy_password_env",
            ),
            (
                user(&format!("{both}privacy_password_file = 'b'")),
                "both privacy_password_file and privacy_password_env",
            ),
            (user(&format!("{both}level = 'authNoPriv'")), "it has no use for privacy"),
            (user(&format!("{both}level = 'noAuthNoPriv'")), "anybody could forge a bill"),
            (
                user(&format!("{both}level = 'auth'")),
                "snmp.users.level is \"auth\": it must be authPriv or authNoPriv",
            ),
            (user(&format!("{both}auth_password = 'hush-hush'")), "unknown field `auth_password`"),
            (user(&both) + &user(&both), "snmp.users.name is \"core\": another user has this name"),
            (device("user = 'core'"), "snmp.devices.user is \"core\": none of snmp.users has this name"),
            (device("user = 'core'\ncommunity = 'c'"), "it has both user and community"),
            (device("community_env = 'C'\ncommunity_file = 'c'"), "both community_file and community_env"),
            (device(""), "it has none of user, community_file"),
            (
                device("community = 'c'\ninterval_s = 0"),
                "snmp.devices.interval_s is 0: it must be 1 to 86400 s",
            ),
            ("interval_s = 0".to_owned(), "snmp.interval_s is 0"),
            (device("community = 12345"), "a secret must be a text in quotation marks"),
        ] {
            let error = check(&toml).unwrap_err();
            assert!(error.contains(says), "{toml}\n{error}");
        }
    }

    #[test]
    fn bad_secrets_are_named_by_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let [good, short, empty] =
            [file("good", "authentic-95\nmore"), file("short", "sevenoc\n"), file("empty", "")];
        let with = |auth: &str, privacy: &str, name: &str| {
            user(&format!(
                "user = '{name}'\nauth = 'sha256'\nauth_password_file = '{auth}'\nprivacy = 'aes128'\nprivacy_password_file = '{privacy}'"
            ))
        };
        for (toml, says) in [
            (with(&good, &good, "meter95"), ""),
            (with(&short, &good, "meter95"), "snmp.users.auth_password_file is"),
            (with(&short, &good, "meter95"), "the authentication password has 7 octets, under 8"),
            (with(&good, &short, "meter95"), "snmp.users.privacy_password_file is"),
            (with(&good, &empty, "meter95"), "a secret of 0 octets"),
            (with(&good, "no-such-file", "meter95"), "can't read no-such-file"),
            (with(&good, &good, &"x".repeat(33)), "snmp.users.user is"),
            (
                user("auth = 'sha1'\nauth_password_env = 'METER95_NO_SUCH_VARIABLE'\nlevel = 'authNoPriv'"),
                "METER95_NO_SUCH_VARIABLE is not set",
            ),
        ] {
            let made = check(&toml).unwrap().users[0].user();
            match made {
                Ok(user) => assert_eq!((user.name(), says), ("meter95", "")),
                Err(error) => {
                    let error = error.to_string();
                    assert!(!says.is_empty() && error.contains(says), "{toml}\n{error}");
                    assert!(!error.contains("sevenoc"), "{error}");
                }
            }
        }
    }
}
