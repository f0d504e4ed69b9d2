//! Alerts and deliveries as the command line and the API show them.

use serde::Serialize;

use super::alert::Notice;
use crate::inventory::instant::Instant;
use crate::store::outbox::{Fate, Logged};

/// How many are shown unless asked for otherwise, and at most.
pub const LINES_DEFAULT: u32 = 100;
/// The most that are shown.
pub const LINES_MAX: u32 = 10_000;

/// An alert in one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertLine {
    /// Since when it is known.
    pub raised_at: Instant,
    /// Since when it is over.
    pub cleared_at: Option<Instant>,
    /// How much it matters.
    pub severity: &'static str,
    /// What is the matter.
    pub kind: &'static str,
    /// What it is about, as `name=value` with spaces between.
    pub labels: String,
    /// One line for people.
    pub summary: String,
    /// Who reports it.
    pub source: String,
    /// What it is of, once for each source.
    pub key: String,
}

/// An attempt at a delivery in one row, or that there was none yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryLine {
    /// When it was made, or the event was put.
    pub at: Instant,
    /// The event's id.
    pub event: String,
    /// Its kind.
    pub kind: String,
    /// Where it goes.
    pub destination: String,
    /// Which attempt, from 1; 0 where there was none yet.
    pub attempt: u32,
    /// `waiting`, `failed`, `delivered`, `refused` or `given_up`.
    pub outcome: &'static str,
    /// What the other side said.
    pub answer: String,
    /// The event's line for people.
    pub summary: String,
}

impl From<Notice> for AlertLine {
    fn from(notice: Notice) -> Self {
        let Notice { source, alert, raised_at, cleared_at } = notice;
        let labels: Vec<String> =
            alert.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self {
            raised_at,
            cleared_at,
            severity: alert.severity.name(),
            kind: alert.kind.name(),
            labels: labels.join(" "),
            summary: alert.summary,
            source,
            key: alert.key,
        }
    }
}

impl From<Logged> for DeliveryLine {
    fn from(logged: Logged) -> Self {
        let Logged { at, event, kind, summary, destination, attempt, fate, answer } = logged;
        let outcome = fate.map_or("waiting", Fate::name);
        Self { at: Instant(at), event, kind, destination, attempt, outcome, answer, summary }
    }
}
