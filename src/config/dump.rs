//! The configuration as it takes effect, for people to read: with what is taken where nothing is said, without secrets.

use toml::Value;

use super::snmp::HIDDEN;
use super::{Config, INTERVAL_S_DEFAULT};

/// Words in the names of fields that hold secrets themselves.
const SECRET: [&str; 4] = ["community", "password", "secret", "token"];

/// What the names of fields end in that say where a secret is.
const PLACES: [&str; 2] = ["_file", "_env"];

/// `config` as TOML. Where a secret would stand there are three stars; of an address only what names the host and the
/// path is shown, and of a webhook's not even the path, which with many services is the key.
///
/// # Errors
/// When it can't be written as TOML.
pub fn dump(config: &Config) -> Result<String, toml::ser::Error> {
    let mut value = Value::try_from(effective(config))?;
    hide("", &mut value);
    toml::to_string_pretty(&value)
}

/// With what is taken where nothing is said, as far as it does not depend on what is elsewhere.
fn effective(config: &Config) -> Config {
    let mut config = config.clone();
    let seconds = |ms: i64| u64::try_from(ms / 1_000).ok();
    config.data_dir = Some(config.data_dir());
    let times = config.times();
    config.metering.max_gap_s = seconds(times.max_gap_ms);
    config.metering.grace_s = seconds(times.grace_ms);
    config.closing.after_h = Some(config.closing.after_h());
    let rounds = config.throttle.rounds();
    config.throttle.rounds = Some(rounds.rounds.into());
    config.throttle.between_contacts_s = seconds(rounds.between_contacts_ms);
    config.throttle.answer_s = seconds(rounds.answer_ms);
    let of_kind = config.snmp.interval_s.unwrap_or(INTERVAL_S_DEFAULT);
    config.snmp.interval_s = Some(of_kind);
    for device in &mut config.snmp.devices {
        device.interval_s = device.interval_s.or(Some(of_kind));
    }
    for user in &mut config.snmp.users {
        user.user = user.user.take().or_else(|| Some(user.name.clone()));
        user.level = user.level.take().or_else(|| Some("authPriv".to_owned()));
    }
    config.nic.interval_s = config.nic.interval_s.or(Some(INTERVAL_S_DEFAULT));
    config.alerts.fill();
    config
}

/// Hides what stands under `path`, where that or its address is secret.
fn hide(path: &str, value: &mut Value) {
    match value {
        Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                hide(&format!("{path}.{key}"), value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| hide(path, value)),
        value => {
            let field = path.rsplit('.').next().unwrap_or_default();
            let is_place = PLACES.iter().any(|end| field.ends_with(end));
            if SECRET.iter().any(|word| field.contains(word)) && !is_place {
                *value = Value::String(HIDDEN.to_owned());
            } else if let Value::String(text) = value
                && text.contains("://")
            {
                *text = address(text, path.starts_with(".alerts.webhooks."));
            }
        }
    }
}

/// An address without what may be secret in it.
fn address(text: &str, hide_path: bool) -> String {
    let Ok(mut url) = text.parse::<reqwest::Url>() else {
        return HIDDEN.to_owned();
    };
    let has_user = !url.username().is_empty() || url.password().is_some();
    let hides = has_user || url.query().is_some() || url.fragment().is_some();
    let hides_path = hide_path && url.path() != "/";
    if !hides && !hides_path {
        return text.to_owned();
    }
    // Neither fails on an address that has a host, and one without has neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    if hides_path {
        url.set_path(HIDDEN);
        return url.to_string();
    }
    format!("{url} ({HIDDEN})")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place where a secret can be written into the file itself, and those that say where one is.
    const FILE: &str = r#"
        [clickhouse]
        url = "http://default:hush-clickhouse@db:8123/?password=hush-query"
        password_file = "/etc/meter95/clickhouse"
        [ship]
        to = "http://meter95:hush-ship@meter95.example:9595"
        [[snmp.users]]
        name = "core"
        auth = "sha256"
        auth_password_file = "/etc/meter95/auth"
        privacy = "aes256"
        privacy_password_env = "PRIVACY"
        [[snmp.devices]]
        name = "sw1"
        address = "192.0.2.1"
        community = "hush-community"
        [[snmp.devices]]
        name = "sw2"
        address = "192.0.2.2"
        user = "core"
        [[alerts.webhooks]]
        name = "chat"
        url = "https://chat.example/services/hush-path"
        secret_env = "WEBHOOK"
        [alerts.alertmanager]
        url = "http://alertmanager:9093/?token=hush-token"
        user = "meter95"
        password_file = "/etc/meter95/alertmanager"
        [alerts.mail]
        server = "mail.example.jp"
        user = "meter95"
        password_file = "/etc/meter95/mail"
        from = "meter95@example.jp"
        "#;

    #[test]
    fn no_secret_is_shown() {
        let config: Config = toml::from_str(FILE).unwrap();
        config.check().unwrap();
        let dumped = dump(&config).unwrap();
        let printed = format!("{:?}", config.snmp);
        assert_eq!(FILE.matches("hush").count(), 6);
        assert!(!dumped.contains("hush") && !printed.contains("hush"), "{dumped}{printed}");
        for line in [
            r#"community = "***""#,
            r#"url = "http://db:8123/ (***)""#,
            r#"url = "https://chat.example/***""#,
            r#"to = "http://meter95.example:9595/ (***)""#,
            r#"password_file = "/etc/meter95/clickhouse""#,
            r#"auth_password_file = "/etc/meter95/auth""#,
            r#"privacy_password_env = "PRIVACY""#,
            r#"secret_env = "WEBHOOK""#,
        ] {
            assert!(dumped.contains(line), "{line}\n{dumped}");
        }
    }

    #[test]
    fn what_is_not_said_is_shown_too() {
        let config: Config = toml::from_str(FILE).unwrap();
        let dumped: toml::Table = dump(&config).unwrap().parse().unwrap();
        for (section, field, value) in [
            ("metering", "grace_s", 600),
            ("metering", "max_gap_s", 900),
            ("closing", "after_h", 24),
            ("snmp", "interval_s", 60),
            ("nic", "interval_s", 60),
            ("throttle", "rounds", 2),
            ("alerts", "give_up_h", 72),
        ] {
            assert_eq!(dumped[section][field].as_integer(), Some(value), "{section}.{field}");
        }
        assert_eq!(dumped["http"]["listen"].as_str(), Some("127.0.0.1:9595"));
        assert_eq!(dumped["snmp"]["users"][0]["level"].as_str(), Some("authPriv"));
        assert_eq!(dumped["alerts"]["mail"]["timeout_s"].as_integer(), Some(60));
    }

    #[test]
    fn a_secret_that_is_added_one_day_is_hidden() {
        let mut value: Value =
            toml::from_str("a = { password = 'x', tokens = ['y'], token_file = '/z', secrets = 1 }").unwrap();
        hide("", &mut value);
        let a = &value["a"];
        assert_eq!((a["password"].as_str(), a["tokens"][0].as_str()), (Some(HIDDEN), Some(HIDDEN)));
        assert_eq!((a["token_file"].as_str(), a["secrets"].as_str()), (Some("/z"), Some(HIDDEN)));
    }
}
