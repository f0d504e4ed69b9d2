//! A case as the API and the command line show it.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::case::{Case, Limit, State};
use super::recommendation::words::{mbps, time};
use super::recommendation::{Others, Recommendation};
use super::step::{Attempt, Body, Step};
use crate::inventory::Language;
use crate::inventory::instant::Instant;
use crate::metering::throttle::Rule;

/// A case.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Case)]
pub struct Shown<'a> {
    /// Its number.
    pub id: u64,
    /// The server.
    pub server: &'a str,
    /// Who pays for it.
    pub customer: &'a str,
    /// Where it stands.
    pub region: &'a str,
    /// How the case stands.
    pub state: State,
    /// Since when it stands so.
    pub since: Instant,
    /// Whether it has not ended.
    pub open: bool,
    /// When it was opened first.
    pub opened_at: Instant,
    /// How often it was reopened.
    pub reopenings: u32,
    /// The rules that hold, each with since when.
    pub rules: Vec<Holding>,
    /// Whether the customer need not be told first.
    pub urgent: bool,
    /// When the customer was told.
    pub notified_at: Option<Instant>,
    /// When the customer answered.
    pub answered_at: Option<Instant>,
    /// When every contact had been tried in every round.
    pub ready_at: Option<Instant>,
    /// Until when it is left alone.
    pub snoozed_until: Option<Instant>,
    /// The limit that is on the ports, or was when it ended.
    pub limit: Option<Limit>,
    /// What is recommended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<&'a Recommendation>,
    /// What was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<&'a [Step]>,
}

/// A rule that holds.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Holding {
    /// Which.
    pub rule: Rule,
    /// The first instant of the slot since which it does.
    pub since: Instant,
}

/// A recommendation of a case that has not ended.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Recommended<'a> {
    /// The case.
    pub case: u64,
    /// How that stands.
    pub state: State,
    /// When it was opened first.
    pub opened_at: Instant,
    /// What is recommended.
    pub recommendation: &'a Recommendation,
    /// The same in words.
    pub text: Text,
}

/// A paragraph in each language.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Text {
    /// In English.
    pub en: String,
    /// In Japanese.
    pub ja: String,
}

impl<'a> Shown<'a> {
    /// A case in a list: without its recommendation and its steps.
    #[must_use]
    pub fn brief(case: &'a Case) -> Self {
        let Recommendation { server, customer, region, .. } = &*case.recommendation;
        Self {
            id: case.id,
            server,
            customer,
            region,
            state: case.state,
            since: Instant(case.since),
            open: !case.state.is_over(),
            opened_at: Instant(case.opened_at()),
            reopenings: case.reopenings,
            rules: case.holding.iter().map(|(rule, since)| Holding { rule: *rule, since: *since }).collect(),
            urgent: case.is_urgent(),
            notified_at: case.notified_at.map(Instant),
            answered_at: case.answered_at.map(Instant),
            ready_at: case.ready_at.map(Instant),
            snoozed_until: case.snoozed_until,
            limit: case.limit,
            recommendation: None,
            steps: None,
        }
    }

    /// Everything about a case.
    #[must_use]
    pub fn whole(case: &'a Case) -> Self {
        let (recommendation, steps) = (Some(&*case.recommendation), Some(case.steps.as_slice()));
        Self { recommendation, steps, ..Self::brief(case) }
    }
}

impl<'a> Recommended<'a> {
    /// The recommendation of a case.
    #[must_use]
    pub fn of(case: &'a Arc<Case>) -> Self {
        let recommendation = &*case.recommendation;
        Self {
            case: case.id,
            state: case.state,
            opened_at: Instant(case.opened_at()),
            recommendation,
            text: Text {
                en: recommendation.paragraph(Language::En),
                ja: recommendation.paragraph(Language::Ja),
            },
        }
    }
}

/// A case as somebody may see it who sees only what `covers` (customer, region) and `sees` (server) say: without what it
/// frees for others and how many they are, and without the time in which the server was another customer's.
#[must_use]
pub fn cut(case: &Case, covers: impl Fn(&str, &str) -> bool, sees: impl Fn(&str) -> bool) -> Case {
    let cut = |recommendation: &Recommendation| Recommendation {
        relief: Vec::new(),
        others: Others {
            servers: recommendation
                .others
                .servers
                .iter()
                .filter(|other| sees(&other.server))
                .cloned()
                .collect(),
            more: 0,
        },
        ..recommendation.clone()
    };
    let mut theirs = false;
    let mut steps = Vec::with_capacity(case.steps.len());
    for step in &case.steps {
        let mut step = Step { serial: 0, ..step.clone() };
        if let Body::Opened { recommendation, .. } | Body::Fired { recommendation, .. } = &mut step.body {
            theirs = covers(&recommendation.customer, &recommendation.region);
            **recommendation = cut(recommendation);
        }
        if theirs {
            steps.push(step);
        }
    }
    Case { recommendation: Arc::new(cut(&case.recommendation)), steps, ..case.clone() }
}

/// How a case stands after a step, as the audit keeps it.
#[must_use]
pub fn told(case: &Case) -> Value {
    json!({ "state": case.state, "step": case.last_step() })
}

/// What a step did, in a few words; times in `timezone`.
#[must_use]
pub fn step_words(body: &Body, timezone: &str) -> String {
    match body {
        Body::Opened { recommendation, .. } => {
            let rules: Vec<&str> = recommendation.held().map(Rule::name).collect();
            format!("opened by {}", rules.join(", "))
        }
        Body::Fired { rule, .. } => format!("{} began to hold", rule.name()),
        Body::Released { rule, .. } => format!("{} was let go", rule.name()),
        Body::Applied { cap_bps, until } => {
            format!("applied {} until {}", mbps(*cap_bps), time(*until, timezone))
        }
        Body::Snoozed { until } => format!("snoozed until {}", time(*until, timezone)),
        Body::Attempted(Attempt { round, contact, name, channel, outcome, detail }) => {
            let who = if *contact == 0 { name.clone() } else { format!("contact {contact}, {name},") };
            let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
            format!("round {round}: {who} by {channel}: {outcome}{detail}")
        }
        Body::Notified
        | Body::Approved
        | Body::Lifted
        | Body::Dismissed
        | Body::Resolved { .. }
        | Body::Reopened
        | Body::Woken
        | Body::Noted
        | Body::Answered
        | Body::Ready => body.kind().name().to_owned(),
    }
}
