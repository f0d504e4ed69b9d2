//! Who is told what: `[alerts]`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::alerts::alert::Severity;
use crate::alerts::destinations::{
    GIVE_UP_H_DEFAULT, HTTP_TIMEOUT_S_DEFAULT, LONGEST_PAUSE_S_DEFAULT, MAIL_TIMEOUT_S_DEFAULT,
    MAIL_WAIT_S_DEFAULT, REFRESH_S_DEFAULT,
};
use crate::alerts::route::{ALERTMANAGER, MAIL, Pattern};
use crate::collectors::check_name;
use crate::inventory::Language;

/// The longest time for which a message may be tried, in h: 30 days.
const GIVE_UP_H_MAX: u64 = 720;

/// The longest pause between two tries that may be configured, in s.
const LONGEST_PAUSE_S_MAX: u64 = 3_600;

/// The longest answer time that may be configured, in s.
const TIMEOUT_S_MAX: u64 = 300;

/// How often Alertmanager may be told that alerts are still true, in s; it forgets them five minutes after the last.
const REFRESH_S_MAX: u64 = 240;

/// The longest time for which a mail may wait for more that goes with it, in s.
const WAIT_S_MAX: u64 = 3_600;

/// Who is told what happens.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// Where people reach this service, such as `https://meter95.example`, for links to it.
    pub public_url: Option<String>,
    /// For how long a message is tried, in h; 72 unless given.
    pub give_up_h: Option<u64>,
    /// The longest pause between two tries, in s; 600 unless given.
    pub longest_pause_s: Option<u64>,
    /// Programs that are told over HTTP.
    pub webhooks: Vec<Webhook>,
    /// Prometheus' Alertmanager.
    pub alertmanager: Option<Alertmanager>,
    /// The server that takes mail, and to whom it goes.
    pub mail: Option<Mail>,
}

/// A program that is told over HTTP, by the Standard Webhooks specification.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its name; customers' contacts name it too.
    pub name: String,
    /// Where it listens.
    pub url: String,
    /// A file with the secret in its first line: `whsec_` and base64.
    pub secret_file: Option<PathBuf>,
    /// An environment variable with the secret.
    pub secret_env: Option<String>,
    /// A file with the secret that was in use before: while it is given, messages are signed with both.
    pub old_secret_file: Option<PathBuf>,
    /// An environment variable with that.
    pub old_secret_env: Option<String>,
    /// Kinds of events that it gets, such as `alert.raised` and `case.*`; all unless given, none for one that gets letters
    /// only.
    pub events: Option<Vec<Pattern>>,
    /// What matters less is left out.
    #[serde(default)]
    pub severity: Severity,
    /// What is of another region is left out; all unless given.
    #[serde(default)]
    pub regions: Vec<String>,
    /// How long it may take to answer, in s; 20 unless given.
    pub timeout_s: Option<u64>,
}

/// Prometheus' Alertmanager.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alertmanager {
    /// Where it is, such as `http://alertmanager.example:9093`.
    pub url: String,
    /// A user, for basic authentication.
    pub user: Option<String>,
    /// A file with that user's password in its first line.
    pub password_file: Option<PathBuf>,
    /// A file with a bearer token in its first line.
    pub token_file: Option<PathBuf>,
    /// What matters less is left out.
    #[serde(default)]
    pub severity: Severity,
    /// What is of another region is left out; all unless given.
    #[serde(default)]
    pub regions: Vec<String>,
    /// How often it is told that alerts are still true, in s; 60 unless given.
    pub refresh_s: Option<u64>,
    /// How long it may take to answer, in s; 20 unless given.
    pub timeout_s: Option<u64>,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// It begins in the clear and goes on under TLS, or not at all.
    #[default]
    Starttls,
    /// It is under TLS from its beginning.
    Implicit,
    /// It is in the clear.
    None,
}

/// The server that takes mail, and to whom it goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The server, with a port unless that is 587 (465 with implicit TLS, 25 without any).
    pub server: String,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: MailTls,
    /// A file with the authorities by which the server is known, in PEM; the system's unless given.
    pub ca_file: Option<PathBuf>,
    /// The user to log in as.
    pub user: Option<String>,
    /// A file with that user's password in its first line.
    pub password_file: Option<PathBuf>,
    /// From whom, as in `meter95 <meter95@example.jp>`.
    pub from: String,
    /// To whom events go; nobody unless given: then mail takes letters to customers' contacts only.
    #[serde(default)]
    pub to: Vec<String>,
    /// Who gets answers; `from` unless given.
    pub reply_to: Option<String>,
    /// In which language events are told.
    #[serde(default = "english")]
    pub language: Language,
    /// Kinds of events that are told, such as `alert.raised` and `case.*`; alerts and cases unless given.
    pub events: Option<Vec<Pattern>>,
    /// What matters less is left out.
    #[serde(default)]
    pub severity: Severity,
    /// What is of another region is left out; all unless given.
    #[serde(default)]
    pub regions: Vec<String>,
    /// How long an event waits for others that go into the same mail, in s; 30 unless given.
    pub wait_s: Option<u64>,
    /// How long the server may take for a message, in s; 60 unless given.
    pub timeout_s: Option<u64>,
}

fn english() -> Language {
    Language::En
}

impl Alerts {
    /// Checks what the shapes alone do not.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        within("alerts.give_up_h", self.give_up_h, 1, GIVE_UP_H_MAX, "h")?;
        within("alerts.longest_pause_s", self.longest_pause_s, 1, LONGEST_PAUSE_S_MAX, "s")?;
        if let Some(url) = &self.public_url {
            http("alerts.public_url", url)?;
        }
        let mut names = BTreeSet::new();
        for webhook in &self.webhooks {
            webhook.check()?;
            if !names.insert(&webhook.name) {
                return Err(wrong("alerts.webhooks.name", &webhook.name, "another webhook has this name"));
            }
        }
        if let Some(alertmanager) = &self.alertmanager {
            alertmanager.check()?;
        }
        self.mail.as_ref().map_or(Ok(()), Mail::check)
    }

    /// Fills in what is taken where nothing is said.
    pub(super) fn fill(&mut self) {
        self.give_up_h.get_or_insert(GIVE_UP_H_DEFAULT);
        self.longest_pause_s.get_or_insert(LONGEST_PAUSE_S_DEFAULT);
        for webhook in &mut self.webhooks {
            webhook.timeout_s.get_or_insert(HTTP_TIMEOUT_S_DEFAULT);
        }
        if let Some(alertmanager) = &mut self.alertmanager {
            alertmanager.refresh_s.get_or_insert(REFRESH_S_DEFAULT);
            alertmanager.timeout_s.get_or_insert(HTTP_TIMEOUT_S_DEFAULT);
        }
        if let Some(mail) = &mut self.mail {
            mail.wait_s.get_or_insert(MAIL_WAIT_S_DEFAULT);
            mail.timeout_s.get_or_insert(MAIL_TIMEOUT_S_DEFAULT);
        }
    }
}

impl Webhook {
    fn check(&self) -> Result<(), ConfigError> {
        let Self { name, secret_file, secret_env, old_secret_file, old_secret_env, .. } = self;
        let field = "alerts.webhooks.name";
        check_name(name).map_err(|e| wrong(field, name, &e.to_string()))?;
        if [ALERTMANAGER, MAIL].contains(&name.as_str()) {
            return Err(wrong(field, name, "another destination has this name already"));
        }
        match (secret_file, secret_env) {
            (Some(_), Some(_)) => {
                return Err(wrong(field, name, "it has both secret_file and secret_env; write one of them"));
            }
            (None, None) => return Err(wrong(field, name, "it has neither secret_file nor secret_env")),
            (Some(_), None) | (None, Some(_)) => {}
        }
        if old_secret_file.is_some() && old_secret_env.is_some() {
            return Err(wrong(
                field,
                name,
                "it has both old_secret_file and old_secret_env; write one of them",
            ));
        }
        within("alerts.webhooks.timeout_s", self.timeout_s, 1, TIMEOUT_S_MAX, "s")?;
        http("alerts.webhooks.url", &self.url)
    }
}

impl Alertmanager {
    fn check(&self) -> Result<(), ConfigError> {
        let Self { url, user, password_file, token_file, .. } = self;
        let field = "alerts.alertmanager.url";
        if user.is_some() != password_file.is_some() {
            return Err(wrong(field, url, "user and password_file go together"));
        }
        if user.is_some() && token_file.is_some() {
            return Err(wrong(field, url, "it has both user and token_file; write one of them"));
        }
        within("alerts.alertmanager.refresh_s", self.refresh_s, 1, REFRESH_S_MAX, "s")?;
        within("alerts.alertmanager.timeout_s", self.timeout_s, 1, TIMEOUT_S_MAX, "s")?;
        http(field, url)
    }
}

impl Mail {
    fn check(&self) -> Result<(), ConfigError> {
        let field = "alerts.mail.server";
        if self.user.is_some() != self.password_file.is_some() {
            return Err(wrong(field, &self.server, "user and password_file go together"));
        }
        if self.user.is_some() && self.tls == MailTls::None {
            return Err(wrong(field, &self.server, "a password does not go in the clear; use TLS"));
        }
        if self.ca_file.is_some() && self.tls == MailTls::None {
            return Err(wrong(field, &self.server, "ca_file has no use without TLS"));
        }
        within("alerts.mail.wait_s", self.wait_s, 0, WAIT_S_MAX, "s")?;
        within("alerts.mail.timeout_s", self.timeout_s, 1, TIMEOUT_S_MAX, "s")
    }
}

fn wrong(field: &str, value: &str, says: &str) -> ConfigError {
    ConfigError::Value { field: field.to_owned(), value: format!("{value:?}"), says: says.to_owned() }
}

fn within(field: &str, value: Option<u64>, min: u64, max: u64, unit: &str) -> Result<(), ConfigError> {
    match value.filter(|value| !(min..=max).contains(value)) {
        Some(value) => Err(ConfigError::Value {
            field: field.to_owned(),
            value: value.to_string(),
            says: format!("it must be {min} to {max} {unit}"),
        }),
        None => Ok(()),
    }
}

/// Refuses what is no address of HTTP, or has a password in it: that would be shown wherever the address is.
fn http(field: &str, url: &str) -> Result<(), ConfigError> {
    let parsed: reqwest::Url = url.parse().map_err(|e| wrong(field, url, &format!("this is no URL: {e}")))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host().is_none() {
        return Err(wrong(field, url, "it must begin with http:// or https:// and name a host"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        let (shown, _) = url.split_once('@').map_or((url, ""), |(_, host)| (host, ""));
        return Err(wrong(field, shown, "a user and a password have no place in it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(toml: &str) -> Result<Alerts, String> {
        let alerts: Alerts = toml::from_str(toml).map_err(|e| e.to_string())?;
        alerts.check().map_err(|e| e.to_string())?;
        Ok(alerts)
    }

    #[test]
    fn everything_can_be_said() {
        let alerts = check(
            r#"
            public_url = "https://meter95.example/"
            give_up_h = 72
            [[webhooks]]
            name = "automation"
            url = "https://automation.example/hook"
            secret_file = "/etc/meter95/secret"
            old_secret_env = "OLD"
            events = ["case.*", "alert.raised"]
            severity = "warning"
            regions = ["tokyo"]
            timeout_s = 5
            [alertmanager]
            url = "http://alertmanager:9093"
            token_file = "/etc/meter95/token"
            [mail]
            server = "mail.example.jp:587"
            user = "meter95"
            password_file = "/etc/meter95/password"
            from = "meter95 <meter95@example.jp>"
            to = ["noc@example.jp"]
            language = "ja"
            wait_s = 0
            "#,
        )
        .unwrap();
        let webhook = &alerts.webhooks[0];
        assert_eq!(webhook.events.as_ref().unwrap().len(), 2);
        assert_eq!(
            (webhook.severity, webhook.regions.as_slice()),
            (Severity::Warning, &["tokyo".to_owned()][..])
        );
        let mail = alerts.mail.unwrap();
        assert_eq!((mail.tls, mail.language), (MailTls::Starttls, Language::Ja));
        assert!(check("").unwrap().webhooks.is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        let hook = |rest: &str| format!("[[webhooks]]\nname = 'a'\nurl = 'http://b'\n{rest}");
        let mail = |rest: &str| format!("[mail]\nserver = 'a'\nfrom = 'b@c'\n{rest}");
        for (toml, says) in [
            ("give_up_h = 0".to_owned(), "alerts.give_up_h is 0: it must be 1 to 720 h"),
            ("longest_pause_s = 3601".to_owned(), "alerts.longest_pause_s is 3601: it must be 1 to 3600 s"),
            ("public_url = 'meter95'".to_owned(), "alerts.public_url is \"meter95\": this is no URL"),
            (hook(""), "neither secret_file nor secret_env"),
            (hook("secret_file = 'c'\nsecret_env = 'd'"), "both secret_file and secret_env"),
            (hook("secret_env = 'd'\nold_secret_env = 'd'\nold_secret_file = 'd'"), "both old_secret_file"),
            (hook("secret_env = 'd'\nsecret = 'hush'"), "unknown field `secret`"),
            (hook("secret_env = 'd'\ntimeout_s = 301"), "it must be 1 to 300 s"),
            (hook("secret_env = 'd'\nevents = ['case.']"), "matches no kind of event"),
            (
                format!("{}\n{}", hook("secret_env = 'd'"), hook("secret_env = 'd'")),
                "another webhook has this name",
            ),
            (
                "[[webhooks]]\nname = 'mail'\nurl = 'http://b'\nsecret_env = 'c'".to_owned(),
                "another destination",
            ),
            ("[[webhooks]]\nname = 'a'\nurl = 'ftp://b'\nsecret_env = 'c'".to_owned(), "http:// or https://"),
            (
                "[[webhooks]]\nname = 'a'\nurl = 'http://u:hush@b/'\nsecret_env = 'c'".to_owned(),
                "alerts.webhooks.url is \"b/\": a user and a password have no place in it",
            ),
            ("[alertmanager]\nurl = 'http://a'\nuser = 'b'".to_owned(), "user and password_file go together"),
            (
                "[alertmanager]\nurl = 'http://a'\nuser = 'b'\npassword_file = 'c'\ntoken_file = 'd'"
                    .to_owned(),
                "both user and token_file",
            ),
            ("[alertmanager]\nurl = 'http://a'\nrefresh_s = 300".to_owned(), "it must be 1 to 240 s"),
            (mail("tls = 'none'\nuser = 'd'\npassword_file = 'e'"), "does not go in the clear"),
            (mail("tls = 'none'\nca_file = 'd'"), "no use without TLS"),
            (mail("tls = 'perhaps'"), "unknown variant `perhaps`"),
            (mail("language = 'fr'"), "unknown variant `fr`"),
        ] {
            let error = check(&toml).unwrap_err();
            assert!(error.contains(says), "{toml}\n{error}");
        }
    }
}
