//! The configuration: one tree of types, read once, strict.

pub mod alerts;
pub mod dump;
pub mod snmp;
pub mod throttle;
pub mod tls;

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::aggregator::state::{GRACE_MS_DEFAULT, Times};
use crate::collectors::CollectorName;
use crate::metering::delta::MAX_GAP_MS_DEFAULT;
use crate::store::engine::{self, Endpoint, Secret};
use snmp::Snmp;
use throttle::Throttle;

/// Where data is kept unless configured: visible, beside whoever tries it out.
const DATA_DIR_DEFAULT: &str = "meter95-data";

/// Where the API and the dashboard listen unless configured: on this machine only.
const LISTEN_DEFAULT: &str = "127.0.0.1:9595";

/// Requests a second that each token may make unless configured: ten dashboards and a script that hurries.
const REQUESTS_PER_S_DEFAULT: u32 = 200;

/// The most requests a second that may be configured: far more than one process answers.
const REQUESTS_PER_S_MAX: u32 = 1_000_000;

/// How often a port is read unless configured, in s: five readings a slot.
const INTERVAL_S_DEFAULT: u64 = 60;

/// The longest waiting time that may be configured, in s: a day.
const SECONDS_MAX: u64 = 86_400;

/// How long after a month's end plus grace it is closed by itself unless configured, in h: collectors that were cut
/// off have a day to send what they hold.
const AFTER_H_DEFAULT: u64 = 24;

/// The longest such time that may be configured, in h: 25 days. With a day of grace it is over before the shortest
/// month that follows; after that it would be another month's turn.
const AFTER_H_MAX: u64 = 600;

/// The configuration file, `meter95.toml`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the embedded ClickHouse keeps its data.
    pub data_dir: Option<PathBuf>,
    /// A ClickHouse of one's own, instead of the embedded one.
    pub clickhouse: ClickHouse,
    /// The API and the dashboard.
    pub http: Http,
    /// Waiting times of the metering rules.
    pub metering: Metering,
    /// Closing months.
    pub closing: Closing,
    /// Who is told what happens.
    pub alerts: alerts::Alerts,
    /// Cases of servers that use far too much.
    pub throttle: Throttle,
    /// Switches and how to read them.
    pub snmp: Snmp,
    /// This host's own interfaces.
    pub nic: Nic,
    /// Where `meter95 collect` sends what it reads.
    pub ship: Ship,
}

/// A ClickHouse that runs by itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClickHouse {
    /// Its HTTP interface, such as `http://db:8123`; the embedded one is started without it.
    pub url: Option<String>,
    /// The user to log in as; `default` unless given.
    pub user: Option<String>,
    /// A file with that user's password in its first line.
    pub password_file: Option<PathBuf>,
    /// The database; `meter95` unless given.
    pub database: Option<String>,
    /// The library or binary of the embedded one, before any that is found.
    pub engine: Option<PathBuf>,
    /// The port of this machine on which the embedded one answers; any that is free unless given.
    pub port: Option<NonZeroU16>,
    /// A file whose first line is the password of the embedded one's user `meter95_reader`, who may only read what
    /// dashboards show; there is no such user without it.
    pub reader_password_file: Option<PathBuf>,
}

/// The API and the dashboard.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Requests a second that each token may make; twice as many at once.
    pub requests_per_s: NonZeroU32,
    /// The certificate; in the clear without one.
    pub tls: Option<tls::Tls>,
}

impl Default for Http {
    fn default() -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 9595));
        let listen = LISTEN_DEFAULT.parse().unwrap_or(loopback);
        let requests_per_s = NonZeroU32::new(REQUESTS_PER_S_DEFAULT).unwrap_or(NonZeroU32::MIN);
        Self { listen, requests_per_s, tls: None }
    }
}

/// Waiting times of the metering rules (SPEC.md sections 2 and 4).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metering {
    /// The longest stretch between two readings that is spread, in s; 900 unless given.
    pub max_gap_s: Option<u64>,
    /// How long after its end a slot waits for silent ports, in s; 600 unless given.
    pub grace_s: Option<u64>,
}

/// Closing months (SPEC.md section 8).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Closing {
    /// Whether the month before the running one is closed by itself when it is due; otherwise only people close.
    pub automatic: bool,
    /// How long after its end plus grace, in h; 24 unless given.
    pub after_h: Option<u64>,
}

impl Closing {
    /// How long after its end plus grace a month would be closed by itself, in h.
    fn after_h(&self) -> u64 {
        self.after_h.unwrap_or(AFTER_H_DEFAULT).min(AFTER_H_MAX)
    }

    /// How long after its end plus grace a month is closed by itself, in ms; `None`: it is not.
    #[must_use]
    pub fn after_ms(&self) -> Option<i64> {
        let hours = self.after_h();
        self.automatic.then(|| i64::try_from(hours * 3_600_000).unwrap_or(i64::MAX))
    }
}

/// This host's own interfaces.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Nic {
    /// Whether they are read.
    pub enabled: bool,
    /// The device name under which they are known; the host's unless given.
    pub device: Option<String>,
    /// Which ones; all physical ones unless given.
    pub interfaces: Vec<String>,
    /// How often, in s; 60 unless given.
    pub interval_s: Option<u64>,
}

/// Where a lone collector sends what it reads.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ship {
    /// The service, such as `http://meter95.example:9595`.
    pub to: Option<String>,
    /// The name by which the service knows this collector; the host's unless given. Each collector has its own.
    pub name: Option<CollectorName>,
    /// A file with the token in its first line, by which the service knows this collector.
    pub token_file: Option<PathBuf>,
    /// An environment variable with the token.
    pub token_env: Option<String>,
    /// A file with the certificates by which the service is trusted, or with the service's own (PEM); this machine's
    /// unless given.
    pub ca_file: Option<PathBuf>,
    /// A file with the certificate by which the service knows this collector (PEM).
    pub certificate: Option<PathBuf>,
    /// A file with its key (PEM), without a password.
    pub key: Option<PathBuf>,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file can't be read.
    #[error("can't read {0}")]
    Read(PathBuf, #[source] std::io::Error),
    /// The file has another shape. The line itself is not shown: there may be a password in it.
    #[error("{path}, line {line}: {says}", path = path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        says: String,
    },
    /// An environment variable that is named as the place of a secret is not set, or no text.
    #[error("the environment variable {0} is not set")]
    Variable(String),
    /// A value that can't be.
    #[error("{field} is {value}: {says}")]
    Value {
        /// The field, as in `metering.grace_s`.
        field: String,
        /// What stands there.
        value: String,
        /// What is wrong with it.
        says: String,
    },
}

impl Config {
    /// Reads the file, or takes everything as default without one.
    ///
    /// # Errors
    /// When it can't be read, has an unknown field, or a value that can't be.
    pub fn read(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError::Read(path.to_owned(), e))?;
        let config: Self = toml::from_str(&text).map_err(|error| {
            let (line, says) = misshapen(&text, &error);
            ConfigError::Shape { path: path.to_owned(), line, says }
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let seconds = [
            ("metering.max_gap_s", self.metering.max_gap_s),
            ("metering.grace_s", self.metering.grace_s),
            ("nic.interval_s", self.nic.interval_s),
        ];
        for (field, value) in seconds {
            within(field, value)?;
        }
        if let Some(value) = self.closing.after_h.filter(|h| *h > AFTER_H_MAX) {
            let (field, value) = ("closing.after_h".to_owned(), value.to_string());
            return Err(ConfigError::Value {
                field,
                value,
                says: format!("it must be 0 to {AFTER_H_MAX} h"),
            });
        }
        if let Some(value) = Some(self.http.requests_per_s.get()).filter(|n| *n > REQUESTS_PER_S_MAX) {
            let (field, value) = ("http.requests_per_s".to_owned(), value.to_string());
            let says = format!("it must be 1 to {REQUESTS_PER_S_MAX}");
            return Err(ConfigError::Value { field, value, says });
        }
        self.clickhouse.check()?;
        self.alerts.check()?;
        self.throttle.check()?;
        self.ship.check()?;
        self.snmp.check()
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| PathBuf::from(DATA_DIR_DEFAULT))
    }

    /// The waiting times of the metering rules.
    #[must_use]
    pub fn times(&self) -> Times {
        let ms = |s: Option<u64>, default| {
            s.and_then(|s| i64::try_from(s).ok()).and_then(|s| s.checked_mul(1_000)).unwrap_or(default)
        };
        Times {
            max_gap_ms: ms(self.metering.max_gap_s, MAX_GAP_MS_DEFAULT),
            grace_ms: ms(self.metering.grace_s, GRACE_MS_DEFAULT),
        }
    }

    /// How often a device is read, in s.
    #[must_use]
    pub fn interval_s(&self, own: Option<u64>, of_kind: Option<u64>) -> u64 {
        own.or(of_kind).unwrap_or(INTERVAL_S_DEFAULT)
    }

    /// The ClickHouse that was configured, if any.
    ///
    /// # Errors
    /// When the password's file can't be read.
    pub fn endpoint(&self) -> Result<Option<Endpoint>, ConfigError> {
        let Some(url) = self.clickhouse.url.clone() else {
            return Ok(None);
        };
        let password = match &self.clickhouse.password_file {
            Some(path) => first_line(path)?,
            None => String::new(),
        };
        let user = self.clickhouse.user.clone().unwrap_or_else(|| "default".to_owned());
        Ok(Some(Endpoint { url, user, password: Secret::new(password) }))
    }
}

impl ClickHouse {
    /// Refuses what is said of the embedded one where there is none.
    fn check(&self) -> Result<(), ConfigError> {
        let reader = self.reader_password_file.as_ref().map(|path| path.display().to_string());
        let of_embedded = [
            ("clickhouse.port", self.port.map(|port| port.to_string())),
            ("clickhouse.reader_password_file", reader),
        ];
        let said = of_embedded.into_iter().find_map(|(field, value)| Some((field, value?)));
        match said.filter(|_| self.url.is_some()) {
            Some((field, value)) => {
                let says = "it is for the embedded ClickHouse, and clickhouse.url names another".to_owned();
                Err(ConfigError::Value { field: field.to_owned(), value, says })
            }
            None => Ok(()),
        }
    }

    /// How the embedded one is started.
    ///
    /// # Errors
    /// When the reader's password can't be read, or is none.
    pub fn engine_options(&self) -> Result<engine::Options, ConfigError> {
        let read = |path: &PathBuf| match first_line(path)? {
            password if password.is_empty() => Err(ConfigError::Value {
                field: "clickhouse.reader_password_file".to_owned(),
                value: path.display().to_string(),
                says: "its first line is empty".to_owned(),
            }),
            password => Ok(Secret::new(password)),
        };
        Ok(engine::Options {
            program: self.engine.clone(),
            port: self.port.map(NonZeroU16::get),
            reader_password: self.reader_password_file.as_ref().map(read).transpose()?,
            ..engine::Options::default()
        })
    }
}

impl Ship {
    /// The token, if one is configured.
    ///
    /// # Errors
    /// When it can't be read, there is nothing in it, or it is configured twice.
    pub fn token(&self) -> Result<Option<Secret>, ConfigError> {
        let wrong = |field: &str, value: &str, says: &str| ConfigError::Value {
            field: field.to_owned(),
            value: format!("{value:?}"),
            says: says.to_owned(),
        };
        let token = match (&self.token_file, &self.token_env) {
            (None, None) => return Ok(None),
            (Some(_), Some(name)) => {
                return Err(wrong(
                    "ship.token_env",
                    name,
                    "there is a token_file as well; write one of them",
                ));
            }
            (Some(path), None) => first_line(path)?,
            (None, Some(name)) => std::env::var(name)
                .map_err(|_| wrong("ship.token_env", name, "there is no such environment variable"))?,
        };
        let token = token.trim();
        // It goes into a header.
        if token.is_empty() || !token.bytes().all(|octet| octet.is_ascii_graphic()) {
            let field = if self.token_file.is_some() { "ship.token_file" } else { "ship.token_env" };
            return Err(wrong(field, "...", "there is no token in it"));
        }
        Ok(Some(Secret::new(token.to_owned())))
    }
}

/// The line of an error, counted from 1, and what is wrong there: the field and the reason, but not what stands there.
fn misshapen(text: &str, error: &toml::de::Error) -> (usize, String) {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count();
    let field = text.lines().nth(line).and_then(|line| line.split_once('=')).map(|(field, _)| field.trim());
    let is_field = |text: &&str| text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    match field.filter(is_field) {
        Some(field) => (line + 1, format!("{field}: {}", error.message())),
        None => (line + 1, error.message().to_owned()),
    }
}

/// Refuses a waiting time that is 0 or over a day, in s.
fn within(field: &str, value: Option<u64>) -> Result<(), ConfigError> {
    match value.filter(|s| !(1..=SECONDS_MAX).contains(s)) {
        Some(value) => Err(ConfigError::Value {
            field: field.to_owned(),
            value: value.to_string(),
            says: format!("it must be 1 to {SECONDS_MAX} s"),
        }),
        None => Ok(()),
    }
}

/// The first line of a file with a secret.
///
/// # Errors
/// When it can't be read.
pub fn first_line(path: &Path) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|e| ConfigError::Read(path.to_owned(), e))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(toml: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(toml).map_err(|e| e.to_string())?;
        config.check().map_err(|e| e.to_string())?;
        Ok(config)
    }

    #[test]
    fn nothing_need_be_configured() {
        let config = check("").unwrap();
        assert_eq!(config.http.listen.to_string(), LISTEN_DEFAULT);
        assert_eq!(config.times().grace_ms, 600_000);
    }

    #[test]
    fn months_are_closed_by_themselves_only_where_that_is_configured() {
        for (toml, after_h) in [
            ("", None),
            ("[closing]\nafter_h = 5", None),
            ("[closing]\nautomatic = true", Some(24)),
            ("[closing]\nautomatic = true\nafter_h = 0", Some(0)),
            ("[closing]\nautomatic = true\nafter_h = 600", Some(600)),
        ] {
            let after_ms = check(toml).unwrap().closing.after_ms();
            assert_eq!(after_ms, after_h.map(|h: i64| h * 3_600_000), "{toml}");
        }
    }

    #[test]
    fn what_stands_in_the_file_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meter95.toml");
        for (text, says) in [
            ("\n[http]\nlisten = 'here'", "line 3: listen: "),
            (
                "[clickhouse]\npassword = 'hush'",
                "line 2: password: unknown field `password`, expected one of",
            ),
            ("[clickhouse]\npassword_file = 'hush' 'hush'", "line 2: password_file: "),
            ("[clickhouse]\n'hush' = 'hush'", "line 2: unknown field"),
            ("[[snmp.devices]]\nname = 'a'\naddress = 'b'\ncommunity = 1729", "a secret must be a text"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Config::read(Some(&path)).unwrap_err().to_string();
            assert!(error.contains(says), "{text}\n{error}");
            let error = error.replace("`hush`", "the field's own name");
            assert!(!error.contains("hush") && !error.contains("1729"), "{text}\n{error}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (toml, says) in [
            ("datadir = 'x'", "unknown field `datadir`"),
            ("[metering]\ngrace_s = 0", "metering.grace_s is 0: it must be 1 to 86400 s"),
            ("[closing]\nafter_h = 601", "closing.after_h is 601: it must be 0 to 600 h"),
            ("[closing]\nafter_h = -1", "after_h"),
            ("[closing]\nautomatic = 'yes'", "automatic"),
            ("[http]\nlisten = 'here'", "listen"),
            ("[http]\nrequests_per_s = 0", "requests_per_s"),
            ("[http]\nrequests_per_s = 2000000", "http.requests_per_s is 2000000: it must be 1 to 1000000"),
            ("[ship]\nname = ''", "a name can't be empty"),
            ("[ship]\ncertificate = 'a'", "ship.certificate is a: it goes together with ship.key"),
            ("[ship]\nkey = 'a'", "ship.key is a: it goes together with ship.certificate"),
            ("[http.tls]\ncertificate = 'a'", "missing field `key`"),
            ("[http.tls]\ncertificate = 'a'\nkey = 'b'\ncert = 'c'", "unknown field `cert`"),
            ("[clickhouse]\nport = 0", "port"),
            (
                "[clickhouse]\nurl = 'http://db:8123'\nport = 8123",
                "clickhouse.port is 8123: it is for the embedded",
            ),
            (
                "[clickhouse]\nurl = 'http://db:8123'\nreader_password_file = 'a'",
                "clickhouse.reader_password_file is a: it is for the embedded ClickHouse",
            ),
            ("[throttle]\nrounds = 0", "throttle.rounds is 0: it must be 1 to 10"),
            (
                "[[snmp.devices]]\nname = 'a'\naddress = 'b'",
                "none of user, community_file, community_env and community",
            ),
            (
                "[[snmp.devices]]\nname = 'a'\naddress = 'b'\ncommunity = 'c'\n[[snmp.devices]]\nname = 'a'\naddress = 'b'\ncommunity = 'c'",
                "snmp.devices.name is \"a\": another device has this name",
            ),
        ] {
            let error = check(toml).unwrap_err();
            assert!(error.contains(says), "{toml}\n{error}");
        }
    }
}
