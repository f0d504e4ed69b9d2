//! How a device does that this very process polls over SNMP, as its [`Health`] says.

use std::collections::BTreeMap;

use meter95_snmp::{Failure, Health};
use serde::Serialize;
use utoipa::ToSchema;

use crate::closing::table::Cell;
use crate::inventory::instant::{Instant, rfc3339};

/// How polling a device has gone since the service started.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct DeviceSnmp {
    /// What became of the last pass: `complete`, `partial`, `failed` or `silent`; null before the first.
    outcome: Option<&'static str>,
    last_pass: Option<Instant>,
    /// When the last pass began that read at least one port.
    last_success: Option<Instant>,
    /// Passes since then.
    consecutive_failures: u32,
    passes: u64,
    /// Passes left out, because the one before took too long.
    passes_skipped: u64,
    /// Ports that ought to have been read by the last pass.
    expected: u64,
    readings: u64,
    requests: u64,
    /// Requests without an answer in time.
    timeouts: u64,
    /// What went wrong, by cause; `moved` are ports that were found under another number, and read.
    failures: BTreeMap<&'static str, u64>,
    /// Of all answers; null without one.
    round_trip: Option<RoundTrip>,
}

/// How long answers took, right to 6 %.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
struct RoundTrip {
    p50_us: u64,
    p95_us: u64,
    p99_us: u64,
    max_us: u64,
}

impl DeviceSnmp {
    /// What a device's health says.
    pub(super) fn of(health: &Health) -> Self {
        let round_trips = health.round_trips_us.as_ref().filter(|all| !all.is_empty());
        Self {
            outcome: health.last_outcome.map(|outcome| outcome.as_str()),
            last_pass: health.last_pass.map(Instant),
            last_success: health.last_success.map(Instant),
            consecutive_failures: health.consecutive_failures,
            passes: health.passes,
            passes_skipped: health.passes_skipped,
            expected: u64::try_from(health.expected).unwrap_or(u64::MAX),
            readings: health.readings,
            requests: health.requests,
            timeouts: health.failures.get(Failure::Timeout),
            failures: health.failures.iter().map(|(failure, count)| (failure.as_str(), count)).collect(),
            round_trip: round_trips.map(|all| RoundTrip {
                p50_us: all.value_at_quantile(0.5),
                p95_us: all.value_at_quantile(0.95),
                p99_us: all.value_at_quantile(0.99),
                max_us: all.max(),
            }),
        }
    }

    /// As cells: outcome, last success, failures in a row, passes, those skipped, requests, those timed out, failures of all
    /// causes, and the four round trips.
    pub(super) fn cells(&self) -> Vec<Cell> {
        let count = |count: u64| Cell::Whole(count.into());
        let round_trip =
            |of: fn(&RoundTrip) -> u64| self.round_trip.as_ref().map_or(Cell::Nothing, |all| count(of(all)));
        vec![
            self.outcome.map_or(Cell::Nothing, |outcome| Cell::Word(outcome.to_owned())),
            self.last_success.map_or(Cell::Nothing, |Instant(at)| Cell::Word(rfc3339(at))),
            count(self.consecutive_failures.into()),
            count(self.passes),
            count(self.passes_skipped),
            count(self.requests),
            count(self.timeouts),
            count(self.failures.values().sum()),
            round_trip(|all| all.p50_us),
            round_trip(|all| all.p95_us),
            round_trip(|all| all.p99_us),
            round_trip(|all| all.max_us),
        ]
    }
}
