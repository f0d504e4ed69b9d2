//! What is usual for each server: the p95s of its last four weeks, of which projections are made (SPEC.md section 7).
//!
//! The weeks end at the last midnight (UTC) that is behind everything that may still close, so they change once a day;
//! they are read from the store then, and of servers that are new, or ranked in another way, as they come. A week counts
//! when the server was in service all through it and at least half of its slots have a sample.

use std::collections::HashMap;

use super::catalog::Catalog;
use crate::aggregator::output::ServerId;
use crate::metering::allowance::Allowance;
use crate::metering::overage::{Method, Missing};
use crate::metering::period::SlotSpan;
use crate::metering::tally::Rules;
use crate::metering::tally::projection::{Band, Usual};
use crate::metering::units::{Bps, Slot};
use crate::store::connection::{Store, StoreError};

/// How many weeks are looked at.
const WEEKS: i64 = 4;

/// Slots of a day, and of a week.
const DAY_SLOTS: i64 = 288;
const WEEK_SLOTS: i64 = 7 * DAY_SLOTS;

/// The fewest samples of a week that counts: half of its slots.
const SAMPLES_MIN: u64 = 1_008;

/// Servers whose weeks are read at once.
const SERVERS_AT_ONCE: usize = 500;

/// On what the weeks of a server depend besides its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked {
    method: Method,
    missing: Missing,
    service: SlotSpan,
}

/// What is usual for a server; `None` where there is no week to tell it.
pub type Known = (Ranked, Option<Usual>);

/// The weeks of all servers, as far as they are known.
#[derive(Debug, Clone, Default)]
pub struct Weeks {
    /// Where they end.
    until: Option<Slot>,
    by_server: HashMap<ServerId, Known>,
    version: u64,
}

/// What is not known yet, or not any more.
#[derive(Debug, Clone)]
pub struct Unknown {
    until: Slot,
    servers: Vec<(ServerId, Ranked)>,
}

impl Unknown {
    /// Whether that is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// Reads it.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn read(&self, store: &Store) -> Result<HashMap<ServerId, Known>, StoreError> {
        let mut known = HashMap::with_capacity(self.servers.len());
        for part in self.servers.chunks(SERVERS_AT_ONCE) {
            let mut weeks: HashMap<ServerId, Vec<[Bps; 2]>> = HashMap::new();
            for back in 1..=WEEKS {
                let from = Slot(self.until.0.saturating_sub(back * WEEK_SLOTS));
                let week = SlotSpan { from, until: Slot(from.0 + WEEK_SLOTS) };
                let in_service = part.iter().filter(|(_, ranked)| week.intersect(ranked.service) == week);
                let rules = |ranked: &Ranked| Rules {
                    span: week,
                    method: ranked.method,
                    missing: ranked.missing,
                    allowance: Allowance::default(),
                };
                let wanted: Vec<_> = in_service.map(|(id, ranked)| (*id, rules(ranked))).collect();
                for (id, tally) in store.tallies(wanted).await? {
                    // A tally that was just made knows.
                    let Ok(figures) = tally.figures(week.until) else { continue };
                    let ranked = match tally.rules().method {
                        Method::Separate => figures.p95_in.zip(figures.p95_out),
                        Method::Max | Method::Sum | Method::In | Method::Out => figures.p95.zip(figures.p95),
                    };
                    if let Some((first, second)) = ranked.filter(|_| figures.samples >= SAMPLES_MIN) {
                        weeks.entry(id).or_default().push([first, second]);
                    }
                }
            }
            let found =
                part.iter().map(|(id, ranked)| (*id, (*ranked, weeks.get(id).and_then(|w| usual(w)))));
            known.extend(found);
        }
        Ok(known)
    }
}

/// The lowest and the highest of each quantity; `None` without a week.
fn usual(weeks: &[[Bps; 2]]) -> Option<Usual> {
    let band = |quantity: fn(&[Bps; 2]) -> Bps| {
        let low = weeks.iter().map(quantity).min()?;
        Some(Band { low, high: weeks.iter().map(quantity).max()? })
    };
    Some(Usual {
        weeks: u8::try_from(weeks.len()).ok()?,
        p95: [band(|[p95, _]| *p95)?, band(|[_, p95]| *p95)?],
    })
}

impl Weeks {
    /// Grows with every change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What is usual for a server, where that is known.
    #[must_use]
    pub fn usual(&self, id: ServerId) -> Option<Usual> {
        self.by_server.get(&id).and_then(|(_, usual)| *usual)
    }

    /// Where the weeks end when everything before `grace_over` has closed.
    #[must_use]
    pub fn end(grace_over: Slot) -> Slot {
        Slot(grace_over.0.div_euclid(DAY_SLOTS) * DAY_SLOTS)
    }

    /// Of which of these `servers`, by their rows in `catalog`, it is to be read for weeks that end at `until`.
    #[must_use]
    pub fn unknown(
        &self,
        catalog: &Catalog,
        servers: impl Iterator<Item = (u32, ServerId)>,
        until: Slot,
    ) -> Unknown {
        let servers = servers.filter_map(|(row, id)| {
            let (server, terms) = (catalog.server(row)?, catalog.terms_of(row)?);
            let service = server.service_slots();
            let ranked = Ranked { method: terms.plan.method, missing: terms.plan.missing, service };
            let known = self.by_server.get(&id).is_some_and(|(known, _)| *known == ranked);
            (self.until != Some(until) || !known).then_some((id, ranked))
        });
        Unknown { until, servers: servers.collect() }
    }

    /// Takes in what was read.
    pub fn learn(&mut self, unknown: &Unknown, read: HashMap<ServerId, Known>) {
        if self.until == Some(unknown.until) {
            self.by_server.extend(read);
        } else {
            self.until = Some(unknown.until);
            self.by_server = read;
        }
        self.version += 1;
    }
}
