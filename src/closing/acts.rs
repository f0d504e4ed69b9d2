//! What people and the schedule did about closing: an append-only trail from which exclusions and the state of a
//! month follow.

use std::collections::BTreeMap;

use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};

use super::statement::Exclusion;
use crate::inventory::instant::Instant;
use crate::metering::period::Month;
use crate::store::connection::{Store, StoreError};
use crate::store::statements::Act;

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActKind {
    /// A month was closed: all statements were issued or held.
    Close,
    /// A month was closed though a collector may have had unsent readings for it.
    Override,
    /// A held statement was let go.
    Approve,
    /// Statements were corrected.
    Revise,
    /// An incident was declared.
    Exclude,
    /// An incident was taken back.
    Include,
}

/// The details of an exclusion, as an act's body has them.
#[derive(Debug, Serialize, Deserialize)]
struct Span {
    from: Instant,
    until: Instant,
}

/// When a month was closed, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ClosedBy {
    /// When all statements had been issued or held for the first time.
    pub at: Instant,
    /// By whom.
    pub by: String,
}

/// All acts so far.
#[derive(Debug, Clone, Default)]
pub struct Trail(Vec<Act>);

impl ActKind {
    /// The word under which it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Override => "override",
            Self::Approve => "approve",
            Self::Revise => "revise",
            Self::Exclude => "exclude",
            Self::Include => "include",
        }
    }
}

impl Trail {
    /// The trail as it is stored.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        Ok(Self(store.closing_acts().await?))
    }

    /// All acts, in their order.
    #[must_use]
    pub fn acts(&self) -> &[Act] {
        &self.0
    }

    /// The number of the next act.
    #[must_use]
    pub fn next_serial(&self) -> u64 {
        self.0.last().map_or(0, |act| act.serial) + 1
    }

    /// When `period` was closed, if it was.
    #[must_use]
    pub fn closed(&self, period: Month) -> Option<ClosedBy> {
        let period = period.to_string();
        let close = |act: &&Act| act.act == ActKind::Close.name() && act.period == period;
        self.0.iter().find(close).map(|act| ClosedBy { at: Instant(act.at), by: act.by.clone() })
    }

    /// The exclusions in force, by server.
    ///
    /// # Errors
    /// When what is stored of one can't be understood.
    pub fn exclusions(&self) -> Result<BTreeMap<String, Vec<Exclusion>>, StoreError> {
        let mut found: BTreeMap<u64, Exclusion> = BTreeMap::new();
        for act in &self.0 {
            if act.act == ActKind::Exclude.name() {
                let span: Span = serde_json::from_str(&act.body)
                    .map_err(|e| StoreError::Contents(format!("exclusion {}: {e}", act.serial)))?;
                let exclusion = Exclusion {
                    id: act.serial,
                    server: act.server.clone(),
                    from: span.from,
                    until: span.until,
                    why: act.reason.clone(),
                    by: act.by.clone(),
                    at: Instant(act.at),
                };
                found.insert(act.serial, exclusion);
            } else if act.act == ActKind::Include.name() {
                let of: u64 = act.body.parse().unwrap_or(0);
                found.remove(&of);
            }
        }
        let mut by_server: BTreeMap<String, Vec<Exclusion>> = BTreeMap::new();
        for exclusion in found.into_values() {
            by_server.entry(exclusion.server.clone()).or_default().push(exclusion);
        }
        Ok(by_server)
    }

    /// The next act, to be stored.
    #[must_use]
    pub fn next(&self, kind: ActKind, at: Timestamp, by: &str, reason: &str) -> Act {
        Act {
            serial: self.next_serial(),
            at,
            by: by.to_owned(),
            act: kind.name().to_owned(),
            period: String::new(),
            server: String::new(),
            reason: reason.to_owned(),
            body: String::new(),
        }
    }

    /// Stores an act and takes it into the trail.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn add(&mut self, store: &Store, act: Act) -> Result<(), StoreError> {
        store.put_closing_act(&act).await?;
        self.0.push(act);
        Ok(())
    }
}

/// The body of an act that declares an incident.
#[must_use]
pub fn span_body(from: Instant, until: Instant) -> String {
    serde_json::to_string(&Span { from, until }).unwrap_or_default()
}
