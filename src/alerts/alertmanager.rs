//! Prometheus' Alertmanager, over its API v2. It forgets what it is not told again: so all alerts that are raised are
//! posted again and again, each time until a little later, and one that is cleared is posted with its end.

use std::collections::BTreeMap;
use std::time::Duration;

use meter95_reading::Timestamp;
use reqwest::{Client, RequestBuilder};
use serde::Serialize;
use serde_json::Value;

use super::alert::Notice;
use super::digest::facts;
use super::event::{CLEARED, Event, RAISED, TEST};
use super::http;
use super::parcel::{Item, Parcel, Verdict};
use super::route::Filter;
use crate::inventory::instant::Instant;
use crate::store::engine::Secret;

/// How long an alert that is not told again goes on, in ms. More than two refreshes may fail meanwhile.
const FORGETS_AFTER_MS: i64 = 300_000;

/// How long the alert of a test goes on, in ms.
const TEST_MS: i64 = 60_000;

/// Alerts in one request.
const ALERTS_AT_ONCE: usize = 500;

/// How we are known to it.
#[derive(Debug, Clone)]
pub enum Login {
    /// We are not.
    Nobody,
    /// By a user and a password.
    Basic(String, Secret),
    /// By a token.
    Bearer(Secret),
}

/// An Alertmanager.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    client: Client,
    url: String,
    login: Login,
    filter: Filter,
    /// Where links lead.
    public_url: Option<String>,
    /// How often it is told what is still true.
    refresh: Duration,
}

/// An alert as it is posted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Postable {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Instant,
    ends_at: Instant,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

impl Alertmanager {
    /// An Alertmanager at `url`, which may take so long to answer and is told every `refresh` what is still true of
    /// what `filter` takes.
    ///
    /// # Errors
    /// When this system has no TLS to be used.
    pub fn new(
        url: &str,
        login: Login,
        filter: Filter,
        public_url: Option<String>,
        refresh: Duration,
        timeout: Duration,
    ) -> reqwest::Result<Self> {
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { client: http::client(timeout)?, url, login, filter, public_url, refresh })
    }

    /// How often it is told what is still true.
    #[must_use]
    pub fn refresh_every(&self) -> Duration {
        self.refresh
    }

    /// Posts what was raised and cleared; of several about one alert, the last. What is not among those that are `raised`
    /// by now is not told to be: its end may have been told before, when this one was not taken at first.
    pub async fn send(&self, parcel: &Parcel, raised: &[Notice], now: Timestamp) -> Verdict {
        let mut alerts: Vec<Postable> = Vec::new();
        for item in &parcel.items {
            let Item::Event(event) = item else { continue };
            match self.of_event(event, raised, now) {
                Ok(Some(alert)) => {
                    alerts.retain(|earlier| earlier.labels != alert.labels);
                    alerts.push(alert);
                }
                Ok(None) => {}
                Err(error) => return Verdict::Refused(format!("event {:?} is no alert: {error}", event.id)),
            }
        }
        if alerts.is_empty() {
            return Verdict::Taken("it is over already".to_owned());
        }
        self.post(&alerts).await
    }

    /// Posts all alerts that are raised.
    pub async fn refresh(&self, raised: &[Notice], now: Timestamp) -> Verdict {
        let region = |notice: &Notice| notice.alert.labels.get("region").cloned();
        let wanted = raised.iter().filter(|n| self.filter.takes_of(n.alert.severity, region(n).as_deref()));
        let alerts: Vec<Postable> = wanted.map(|notice| self.of_notice(notice, now)).collect();
        let mut verdict = Verdict::Taken("nothing is raised".to_owned());
        for alerts in alerts.chunks(ALERTS_AT_ONCE) {
            verdict = self.post(alerts).await;
            if !matches!(verdict, Verdict::Taken(_)) {
                break;
            }
        }
        verdict
    }

    async fn post(&self, alerts: &[Postable]) -> Verdict {
        http::send(self.login(self.client.post(format!("{}/api/v2/alerts", self.url))).json(alerts)).await
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// With what is in the way.
    pub async fn reach(&self) -> Result<String, String> {
        match http::send(self.login(self.client.get(format!("{}/api/v2/status", self.url)))).await {
            Verdict::Taken(_) => Ok("answers".to_owned()),
            verdict => Err(verdict.answer().to_owned()),
        }
    }

    fn login(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.login {
            Login::Nobody => request,
            Login::Basic(user, password) => request.basic_auth(user, Some(password.expose())),
            Login::Bearer(token) => request.bearer_auth(token.expose()),
        }
    }

    fn of_event(
        &self,
        event: &Event,
        raised: &[Notice],
        now: Timestamp,
    ) -> serde_json::Result<Option<Postable>> {
        let same = |a: &Notice, b: &Notice| {
            (&a.source, &a.alert.key, a.raised_at) == (&b.source, &b.alert.key, b.raised_at)
        };
        match event.kind.as_str() {
            RAISED | CLEARED => {
                let notice: Notice = serde_json::from_value(event.data.clone())?;
                let holds = notice.cleared_at.is_some() || raised.iter().any(|other| same(other, &notice));
                Ok(holds.then(|| self.of_notice(&notice, now)))
            }
            TEST => Ok(Some(Postable {
                labels: labels("Meter95Test", event.severity.name(), &BTreeMap::new()),
                annotations: annotations(&event.summary, &event.data),
                starts_at: Instant(event.at),
                ends_at: Instant(now.plus_ms(TEST_MS)),
                generator_url: self.public_url.clone(),
            })),
            _ => Ok(None),
        }
    }

    fn of_notice(&self, notice: &Notice, now: Timestamp) -> Postable {
        let alert = &notice.alert;
        Postable {
            labels: labels(&alert.kind.alertname(), alert.severity.name(), &alert.labels),
            annotations: annotations(&alert.summary, &alert.details),
            starts_at: notice.raised_at,
            ends_at: notice.cleared_at.unwrap_or(Instant(now.plus_ms(FORGETS_AFTER_MS))),
            generator_url: self.public_url.clone(),
        }
    }
}

/// Labels as Prometheus has them: names of ASCII letters, digits and `_`, no empty values.
fn labels(alertname: &str, severity: &str, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let name = |text: &str| {
        let name: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
    };
    let own = own.iter().filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let mut labels: BTreeMap<String, String> = own.map(|(n, value)| (name(n), value.clone())).collect();
    labels.insert("alertname".to_owned(), alertname.to_owned());
    labels.insert("severity".to_owned(), severity.to_owned());
    labels
}

fn annotations(summary: &str, details: &Value) -> BTreeMap<&'static str, String> {
    let facts = facts(details).into_iter().map(|(name, value)| format!("{name}: {value}"));
    let description = facts.collect::<Vec<_>>().join("\n");
    let both = [("summary", summary.to_owned()), ("description", description)];
    both.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::alert::{Alert, AlertKind, Severity};
    use super::super::route::Pattern;
    use super::*;

    fn alertmanager() -> Alertmanager {
        let filter = Filter { events: vec![Pattern::All], severity_min: Severity::Info, regions: Vec::new() };
        let (refresh, timeout) = (Duration::from_secs(60), Duration::from_secs(1));
        let public = Some("https://meter95.example".to_owned());
        Alertmanager::new("http://am:9093/", Login::Nobody, filter, public, refresh, timeout).unwrap()
    }

    #[test]
    fn alerts_are_posted_as_alertmanager_has_them() {
        let alert = Alert {
            key: "web01".to_owned(),
            kind: AlertKind::BurstUsed,
            severity: Severity::Warning,
            labels: [("server", "web01"), ("customer", ""), ("9 lives", "x")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            summary: "web01 has used its burst".to_owned(),
            details: json!({ "excess_slots": 447, "left": { "hours": "0:00" } }),
        };
        let raised_at = Instant(Timestamp(1_795_223_400_000));
        let notice = Notice { source: "burst".to_owned(), alert, raised_at, cleared_at: None };
        let now = Timestamp(1_795_223_460_000);
        let posted = |notice: &Notice| serde_json::to_value(alertmanager().of_notice(notice, now)).unwrap();
        assert_eq!(
            posted(&notice),
            json!({
                "labels": { "alertname": "BurstUsed", "severity": "warning", "server": "web01", "_9_lives": "x" },
                "annotations": {
                    "summary": "web01 has used its burst", "description": "excess_slots: 447\nleft.hours: 0:00",
                },
                "startsAt": "2026-11-21T01:10:00Z", "endsAt": "2026-11-21T01:16:00Z",
                "generatorURL": "https://meter95.example",
            })
        );
        let cleared = Notice { cleared_at: Some(Instant(Timestamp(1_795_223_430_000))), ..notice.clone() };
        assert_eq!(posted(&cleared)["endsAt"], "2026-11-21T01:10:30Z");
        let of_event = |event: &Event, raised: &[Notice]| {
            let posted = alertmanager().of_event(event, raised, now).unwrap();
            posted.map(|posted| serde_json::to_value(posted).unwrap())
        };
        assert_eq!(of_event(&cleared.cleared().unwrap(), &[]), Some(posted(&cleared)));
        assert_eq!(of_event(&notice.raised(), std::slice::from_ref(&notice)), Some(posted(&notice)));
        assert_eq!(of_event(&notice.raised(), &[]), None, "it is over by now");
    }
}
