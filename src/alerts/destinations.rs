//! The destinations that the configuration names, ready to be used; nothing is sent before somebody does.

use std::path::PathBuf;
use std::time::Duration;

use meter95_reading::Timestamp;

use super::alert::Notice;
use super::alertmanager::{Alertmanager, Login};
use super::mail::{Heads, Mail, MailError, Server};
use super::parcel::{Parcel, Verdict};
use super::route::{ALERTMANAGER, Filter, MAIL, Pattern, Route};
use super::webhook::{Key, KeyError, Webhook};
use crate::config::alerts as written;
use crate::config::{ConfigError, first_line};
use crate::store::engine::Secret;

/// For how long a message is tried unless configured, in h.
pub const GIVE_UP_H_DEFAULT: u64 = 72;

/// The longest pause between two tries unless configured, in s.
pub const LONGEST_PAUSE_S_DEFAULT: u64 = 600;

/// How long an answer may take over HTTP unless configured, in s; the specification of webhooks says 15 to 30.
pub const HTTP_TIMEOUT_S_DEFAULT: u64 = 20;

/// How often Alertmanager is told what is still true unless configured, in s.
pub const REFRESH_S_DEFAULT: u64 = 60;

/// How long a mail may take unless configured, in s: servers look long at what they take.
pub const MAIL_TIMEOUT_S_DEFAULT: u64 = 60;

/// How long an event waits for others that go into the same mail unless configured, in s.
pub const MAIL_WAIT_S_DEFAULT: u64 = 30;

/// Events in one mail, or one request to Alertmanager.
pub const TOGETHER_MAX: usize = 500;

/// Why a destination can't be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// A file can't be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An environment variable is not there.
    #[error("the environment has no variable {0:?}, in which the secret of webhook {1:?} is to stand")]
    Variable(String, String),
    /// A secret is none.
    #[error("the secret of webhook {0:?} can't be used: {1}")]
    Key(String, #[source] KeyError),
    /// Mail can't be sent.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// There is no TLS on this system.
    #[error("no HTTP client")]
    Http(#[from] reqwest::Error),
}

/// How a destination is reached.
#[derive(Clone)]
pub enum Way {
    /// A program that is told over HTTP.
    Webhook(Webhook),
    /// Prometheus' Alertmanager.
    Alertmanager(Alertmanager),
    /// People.
    Mail(Mail),
}

/// How what is due goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bundle {
    /// Each alone.
    One,
    /// Up to so many in a request, each of which may come again in another.
    Some(usize),
    /// Up to so many in a message that is the same each time; letters alone.
    Message(usize),
}

/// A destination.
#[derive(Clone)]
pub struct Destination {
    /// Its name, and what it gets.
    pub route: Route,
    /// How it is reached.
    pub way: Way,
}

/// All of them.
#[derive(Clone, Default)]
pub struct Destinations {
    /// In the order of the configuration: webhooks, Alertmanager, mail.
    pub all: Vec<Destination>,
    /// For how long a message is tried, in ms.
    pub give_up_ms: i64,
    /// The longest pause between two tries.
    pub longest_pause: Duration,
}

impl Destinations {
    /// Those of a configuration. Secrets are read here, once.
    ///
    /// # Errors
    /// With what can't be used as configured.
    pub fn new(config: &written::Alerts) -> Result<Self, DestinationError> {
        let mut all = Vec::new();
        for entry in &config.webhooks {
            all.push(webhook(entry)?);
        }
        if let Some(entry) = &config.alertmanager {
            all.push(alertmanager(entry, config.public_url.clone())?);
        }
        if let Some(entry) = &config.mail {
            all.push(mail(entry, config.public_url.clone())?);
        }
        let hours = config.give_up_h.unwrap_or(GIVE_UP_H_DEFAULT);
        let give_up_ms = i64::try_from(hours * 3_600_000).unwrap_or(i64::MAX);
        Ok(Self { all, give_up_ms, longest_pause: seconds(config.longest_pause_s, LONGEST_PAUSE_S_DEFAULT) })
    }

    /// What each gets.
    #[must_use]
    pub fn routes(&self) -> Vec<Route> {
        self.all.iter().map(|destination| destination.route.clone()).collect()
    }
}

impl Way {
    /// Sends a message, at `now`, when these alerts are raised.
    pub async fn send(&self, parcel: &Parcel, raised: &[Notice], now: Timestamp) -> Verdict {
        match self {
            Self::Webhook(webhook) => webhook.send(parcel, now).await,
            Self::Alertmanager(alertmanager) => alertmanager.send(parcel, raised, now).await,
            Self::Mail(mail) => mail.send(parcel).await,
        }
    }

    /// Whether it can be reached, without sending anything.
    ///
    /// # Errors
    /// With what is in the way.
    pub async fn reach(&self) -> Result<String, String> {
        match self {
            Self::Webhook(webhook) => webhook.reach().await,
            Self::Alertmanager(alertmanager) => alertmanager.reach().await,
            Self::Mail(mail) => mail.reach().await,
        }
    }

    /// How what is due goes out.
    #[must_use]
    pub fn bundle(&self) -> Bundle {
        match self {
            Self::Webhook(_) => Bundle::One,
            Self::Alertmanager(_) => Bundle::Some(TOGETHER_MAX),
            Self::Mail(_) => Bundle::Message(TOGETHER_MAX),
        }
    }
}

fn webhook(entry: &written::Webhook) -> Result<Destination, DestinationError> {
    let secret = |file: &Option<PathBuf>, variable: &Option<String>| {
        let text = match (file, variable) {
            (Some(path), _) => first_line(path)?,
            (None, Some(variable)) => std::env::var(variable)
                .map_err(|_| DestinationError::Variable(variable.clone(), entry.name.clone()))?,
            (None, None) => return Ok(None),
        };
        Key::parse(&text).map(Some).map_err(|e| DestinationError::Key(entry.name.clone(), e))
    };
    let new = secret(&entry.secret_file, &entry.secret_env)?;
    let old = secret(&entry.old_secret_file, &entry.old_secret_env)?;
    let keys = new.into_iter().chain(old).collect();
    let webhook = Webhook::new(entry.url.clone(), keys, seconds(entry.timeout_s, HTTP_TIMEOUT_S_DEFAULT))?;
    let filter = Filter {
        events: entry.events.clone().unwrap_or_else(|| vec![Pattern::All]),
        severity_min: entry.severity,
        regions: entry.regions.clone(),
    };
    let route = Route { name: entry.name.clone(), filter, wait_ms: 0 };
    Ok(Destination { route, way: Way::Webhook(webhook) })
}

fn alertmanager(
    entry: &written::Alertmanager,
    public_url: Option<String>,
) -> Result<Destination, DestinationError> {
    let login = match (&entry.user, &entry.password_file, &entry.token_file) {
        (Some(user), Some(file), _) => Login::Basic(user.clone(), Secret::new(first_line(file)?)),
        (_, _, Some(file)) => Login::Bearer(Secret::new(first_line(file)?)),
        (_, _, None) => Login::Nobody,
    };
    let filter = Filter {
        events: vec![Pattern::Under("alert.".to_owned())],
        severity_min: entry.severity,
        regions: entry.regions.clone(),
    };
    let (refresh, timeout) =
        (seconds(entry.refresh_s, REFRESH_S_DEFAULT), seconds(entry.timeout_s, HTTP_TIMEOUT_S_DEFAULT));
    let way = Alertmanager::new(&entry.url, login, filter.clone(), public_url, refresh, timeout)?;
    let route = Route { name: ALERTMANAGER.to_owned(), filter, wait_ms: 0 };
    Ok(Destination { route, way: Way::Alertmanager(way) })
}

fn mail(entry: &written::Mail, public_url: Option<String>) -> Result<Destination, DestinationError> {
    let read = |path: &PathBuf| std::fs::read(path).map_err(|e| ConfigError::Read(path.clone(), e));
    let login = match (&entry.user, &entry.password_file) {
        (Some(user), Some(file)) => Some((user.clone(), Secret::new(first_line(file)?))),
        (_, _) => None,
    };
    let server = Server {
        name: entry.server.clone(),
        tls: entry.tls,
        authorities: entry.ca_file.as_ref().map(read).transpose()?,
        login,
        timeout: seconds(entry.timeout_s, MAIL_TIMEOUT_S_DEFAULT),
    };
    let heads = Heads {
        from: entry.from.clone(),
        to: entry.to.clone(),
        reply_to: entry.reply_to.clone(),
        language: entry.language,
        public_url,
    };
    let mail = Mail::new(&server, heads)?;
    let of_house = || ["alert.", "case."].map(|family| Pattern::Under(family.to_owned())).to_vec();
    let events = if entry.to.is_empty() { Vec::new() } else { entry.events.clone().unwrap_or_else(of_house) };
    let filter = Filter { events, severity_min: entry.severity, regions: entry.regions.clone() };
    let wait = seconds(entry.wait_s, MAIL_WAIT_S_DEFAULT);
    let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    Ok(Destination { route: Route { name: MAIL.to_owned(), filter, wait_ms }, way: Way::Mail(mail) })
}

fn seconds(configured: Option<u64>, default: u64) -> Duration {
    Duration::from_secs(configured.unwrap_or(default))
}
