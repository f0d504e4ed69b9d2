//! Tells others what happens in cases: each step is an event, and each case that has not ended an alert.
//!
//! Steps are facts that are stored first. An event's id is made of its step's number, so whatever a crash left untold is
//! told after the next start, once.

use std::collections::BTreeMap;
use std::time::Duration;

use meter95_reading::Timestamp;
use serde_json::json;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::case::{Case, State};
use super::desk::{CaseError, Cases, Filter};
use super::step::{Body, Step};
use crate::alerts::Alerts;
use crate::alerts::alert::{Alert, AlertKind, Severity};
use crate::alerts::event::Event;
use crate::alerts::outbox::OutboxError;
use crate::inventory::instant::rfc3339;
use crate::store::connection::StoreError;
use crate::store::marks::Mark;

/// How often is looked for new steps: whoever is alarmed by a flood is so within seconds.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// The source of the alerts on the board.
const SOURCE: &str = "cases";

/// Why steps were not told.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// They can't be read.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// They can't be put into the outbox.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// How far this has come can't be noted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells steps, in their order.
pub struct Announcer {
    cases: Cases,
    alerts: Alerts,
    /// The number of the last step that was told.
    told: u64,
}

impl Announcer {
    /// Goes on behind the last step that was told.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn open(cases: Cases, alerts: Alerts) -> Result<Self, StoreError> {
        let told = alerts.outbox.store().mark(Mark::StepsTold).await?.unwrap_or(0);
        Ok(Self { cases, alerts, told })
    }

    /// Tells until `stop`. What fails is told with the next look.
    pub async fn run(mut self, now: impl Fn() -> Timestamp, stop: CancellationToken) {
        let mut tick = tokio::time::interval(TELL_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.tell(now()).await {
                tracing::error!(error = %error, "steps of cases can't be told, trying again");
            }
        }
    }

    /// Tells every step that was taken since, by whomever, and the board which cases there are.
    ///
    /// # Errors
    /// When the store can't be used; the same steps are told with the next call then.
    pub async fn tell(&mut self, now: Timestamp) -> Result<(), AnnounceError> {
        let steps = self.cases.steps_since(self.told).await?;
        self.alerts.board.set(SOURCE, alerts(&self.cases, now).await?, now).await?;
        let Some((_, last)) = steps.last() else { return Ok(()) };
        let last = last.serial;
        let mut events = Vec::with_capacity(steps.len());
        for (case, step) in &steps {
            events.push(event(case, step));
        }
        self.alerts.outbox.put(events, now).await?;
        self.alerts.outbox.store().put_mark(Mark::StepsTold, last).await?;
        self.told = last;
        Ok(())
    }
}

/// What a step is to others.
fn event(case: &Case, step: &Step) -> Event {
    let (id, number, kind) = (case.id, step.number, step.body.kind());
    let server = case.server();
    Event {
        id: format!("case-{id}-{number}"),
        at: step.at,
        kind: format!("case.{kind}"),
        severity: match step.body {
            Body::Opened { .. } | Body::Fired { .. } if case.is_urgent() => Severity::Critical,
            Body::Opened { .. } | Body::Fired { .. } | Body::Ready => Severity::Warning,
            _ => Severity::Info,
        },
        region: Some(case.recommendation.region.clone()).filter(|region| !region.is_empty()),
        summary: format!("case {id} of server {server} was {}: {}", verb(&step.body), step.why),
        data: json!({
            "case": id, "server": server, "customer": case.recommendation.customer,
            "region": case.recommendation.region, "step": step,
        }),
    }
}

/// What was done to a case, as in "case 3 was opened".
fn verb(body: &Body) -> String {
    match body {
        Body::Fired { rule, .. } => format!("joined by rule {}", rule.name()),
        Body::Released { rule, .. } => format!("let go of by rule {}", rule.name()),
        Body::Ready => "made ready for approval".to_owned(),
        Body::Attempted(attempt) => {
            format!("told to {} by {}, {}", attempt.name, attempt.channel, attempt.outcome)
        }
        Body::Notified => "told to the customer".to_owned(),
        Body::Answered => "answered by the customer".to_owned(),
        body => body.kind().to_string(),
    }
}

/// An alert for each case that has not ended and is not left alone at `now`.
async fn alerts(cases: &Cases, now: Timestamp) -> Result<Vec<Alert>, CaseError> {
    let open = cases.list(&Filter { open: Some(true), ..Filter::default() }).await?;
    Ok(open.iter().filter(|case| !case.is_snoozed(now)).map(|case| alert(case, now)).collect())
}

fn alert(case: &Case, now: Timestamp) -> Alert {
    let recommendation = &*case.recommendation;
    let rules: Vec<&str> = case.held.iter().map(|rule| rule.name()).collect();
    let limit = case.limit();
    // A limit that stays longer than it should is the operator's to take off.
    let overdue = case.state == State::Applied && limit.until.0 <= now;
    let (id, server, state) = (case.id, case.server(), case.state);
    let summary = if overdue {
        format!(
            "case {id}: the limit of server {server} should have been lifted at {}",
            rfc3339(limit.until.0)
        )
    } else {
        format!("case {id}: server {server} is extreme ({}); {state}", rules.join(", "))
    };
    Alert {
        key: format!("case {id}"),
        kind: AlertKind::Case,
        severity: if case.is_urgent() && state < State::Applied {
            Severity::Critical
        } else {
            Severity::Warning
        },
        labels: BTreeMap::from([
            ("case".to_owned(), id.to_string()),
            ("server".to_owned(), server.to_owned()),
            ("customer".to_owned(), recommendation.customer.clone()),
            ("region".to_owned(), recommendation.region.clone()),
        ]),
        summary,
        details: json!({ "state": state, "rules": rules, "cap_bps": limit.cap_bps, "until": limit.until }),
    }
}
