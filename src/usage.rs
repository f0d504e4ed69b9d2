//! A month's figures as people and machines are shown them: by the command line, the API and the dashboard alike.
//!
//! The running month comes from the live state, any month from the store; both end in the same [`Tally::figures`].

use std::collections::BTreeMap;

use meter95_reading::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::aggregator::output::ServerId;
use crate::aggregator::state::{Aggregator, Times};
use crate::inventory::instant::Instant;
use crate::inventory::{Inventory, Server};
use crate::metering::overage::Method;
use crate::metering::period::{Month, SlotSpan};
use crate::metering::sample::Sample;
use crate::metering::tally::{Figures, Rules, Tally};
use crate::metering::units::{Bps, Slot};
use crate::store::connection::{Store, StoreError};

/// How many decimals coverage is shown with, rounded down: 0.9999 is never shown as 1.
const COVERAGE_DECIMALS: u32 = 4;

/// The figures of all servers for a month.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Usage {
    /// The month.
    pub period: Month,
    /// Its first instant.
    pub from: Instant,
    /// The first instant after it.
    pub until: Instant,
    /// The time zone in which it begins and ends.
    pub timezone: String,
    /// When the figures were so.
    pub as_of: Instant,
    /// A line a server, in the order of their ids.
    pub servers: Vec<ServerUsage>,
}

/// One server's figures for a month (SPEC.md sections 5 to 7).
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ServerUsage {
    /// The server.
    pub server: String,
    /// Who pays for it.
    pub customer: String,
    /// Where it stands.
    pub region: String,
    /// The plan in force at the period's end, by whose terms it is billed.
    pub plan: String,
    /// The pool with which it is billed; then the amounts are the pool's, and it has none of its own.
    pub pool: Option<String>,
    /// What is ranked.
    pub method: Method,
    /// The currency of the amounts; `None` where the plan has no price.
    pub currency: Option<String>,
    /// N: slots with a sample so far.
    pub samples: u64,
    /// E: slots of the whole period.
    pub expected: u64,
    /// Slots of the period that have closed.
    pub expected_so_far: u64,
    /// `samples / expected_so_far`, rounded down to four decimals.
    pub coverage: Option<Decimal>,
    /// How many values are ranked.
    pub ranked: u64,
    /// The p95's place among them, ascending.
    pub rank: Option<u64>,
    /// The month-to-date p95; `None`: no data.
    pub p95_bps: Option<Bps>,
    /// The same towards the server.
    pub p95_in_bps: Option<Bps>,
    /// The same from the server.
    pub p95_out_bps: Option<Bps>,
    /// The allowance in force at the newest closed slot.
    pub allowance_bps: Bps,
    /// The p95 of excess so far.
    pub overage_bps: Option<Bps>,
    /// Overage in whole units.
    pub billable_bps: Option<Bps>,
    /// What that costs.
    pub amount: Option<Decimal>,
    /// The p95 with which the month ends even if the server falls silent now.
    pub locked_in_p95_bps: Option<Bps>,
    /// The overage with which the month ends even if the server falls silent now.
    pub locked_in_overage_bps: Option<Bps>,
    /// What that costs.
    pub locked_in_amount: Option<Decimal>,
    /// Slots over the allowance that are forgiven in the whole month.
    pub burst_slots: u64,
    /// How many of them are left.
    pub burst_left_slots: u64,
    /// The newest sample.
    pub last: Option<LastSample>,
}

/// A server's newest sample.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct LastSample {
    /// When its slot started.
    pub slot: Instant,
    /// Towards the server.
    pub in_bps: Bps,
    /// From the server.
    pub out_bps: Bps,
    /// The larger of the two.
    pub value_bps: Bps,
    /// Whether one of its ports has no figure for the slot.
    pub partial: bool,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was read does not suffice, against what a fresh tally promises.
    #[error("the figures of server {0:?} can't be told: {1}")]
    Exhausted(String, #[source] crate::metering::top_set::Exhausted),
}

impl Usage {
    /// The running month out of the live state; `None` for any other month, and for a moment after revisions that
    /// reach further than memory: the store knows then.
    #[must_use]
    pub fn live(aggregator: &Aggregator, period: Month) -> Option<Self> {
        let inventory = aggregator.inventory();
        let month = period.slots(&inventory.timezone);
        if aggregator.month_at(aggregator.clock()) != month || aggregator.has_stale_tallies() {
            return None;
        }
        let mut servers = Vec::with_capacity(inventory.servers.len());
        for entry in inventory.servers.values() {
            let server = aggregator.server(&entry.id)?;
            let closed_until = aggregator.closed_until(server);
            let fresh;
            let tally = if server.month == month {
                &server.tally
            } else {
                // None of the month's slots has closed yet.
                fresh = Tally::new(inventory.rules_of(entry, month));
                &fresh
            };
            let figures = tally.figures(closed_until).ok()?;
            servers.push(ServerUsage::new(
                inventory,
                entry,
                tally.rules(),
                &figures,
                closed_until,
                server.newest(),
            ));
        }
        Some(Self::of(inventory, period, aggregator.clock(), servers))
    }

    /// Any month out of the store, as of `now`.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn stored(
        store: &Store,
        inventory: &Inventory,
        period: Month,
        now: Timestamp,
        times: Times,
    ) -> Result<Self, UsageError> {
        let month = period.slots(&inventory.timezone);
        let grace_over = Slot::of(now.plus_ms(-times.grace_ms));
        let ids: BTreeMap<String, ServerId> =
            store.servers().await?.into_iter().zip((0..).map(ServerId)).collect();
        let newest = if month.contains(grace_over) {
            store
                .newest_samples(Slot(grace_over.0.saturating_sub(crate::aggregator::server::RECENT_SLOTS)))
                .await?
        } else {
            BTreeMap::new()
        };
        let rules = |(name, id): (&String, &ServerId)| {
            Some((*id, inventory.rules_of(inventory.servers.get(name)?, month)))
        };
        let wanted: Vec<(ServerId, Rules)> = ids.iter().filter_map(rules).collect();
        let tallies: BTreeMap<ServerId, Tally> = store.tallies(wanted).await?.into_iter().collect();
        let mut servers = Vec::with_capacity(inventory.servers.len());
        for entry in inventory.servers.values() {
            let id = ids.get(&entry.id);
            let empty = || Tally::new(inventory.rules_of(entry, month));
            let tally = id.and_then(|id| tallies.get(id)).cloned().unwrap_or_else(empty);
            let last = id.and_then(|id| newest.get(id)).copied();
            let closed_until = last.map_or(grace_over, |(slot, _)| slot.next().max(grace_over));
            let figures =
                tally.figures(closed_until).map_err(|e| UsageError::Exhausted(entry.id.clone(), e))?;
            servers.push(ServerUsage::new(inventory, entry, tally.rules(), &figures, closed_until, last));
        }
        Ok(Self::of(inventory, period, now, servers))
    }

    fn of(inventory: &Inventory, period: Month, as_of: Timestamp, servers: Vec<ServerUsage>) -> Self {
        let (from, until) = period.span(&inventory.timezone);
        let timezone = inventory.timezone_name.clone();
        Self { period, from: Instant(from), until: Instant(until), timezone, as_of: Instant(as_of), servers }
    }
}

impl ServerUsage {
    /// The figures of `server` by `rules`, closed up to `closed_until`.
    pub(crate) fn new(
        inventory: &Inventory,
        server: &Server,
        rules: &Rules,
        figures: &Figures,
        closed_until: Slot,
        last: Option<(Slot, Sample)>,
    ) -> Self {
        let plan = inventory.terms_of(server, rules.span);
        let pool = inventory.pool_of(&server.id, rules.span).map(|pool| pool.id.clone());
        let tariff = plan.tariff.as_ref().filter(|_| pool.is_none());
        let billable = |overage: Option<Bps>| Some(tariff?.billable(overage?));
        let amount = |overage: Option<Bps>| Some(tariff?.amount(billable(overage)?));
        Self {
            server: server.id.clone(),
            customer: server.customer.clone(),
            region: server.region.clone(),
            plan: plan.id.clone(),
            pool,
            method: rules.method,
            currency: tariff.map(|tariff| tariff.currency().to_string()),
            samples: figures.samples,
            expected: figures.expected,
            expected_so_far: figures.expected_so_far,
            coverage: coverage(figures.samples, figures.expected_so_far),
            ranked: figures.rank.map_or(0, |rank| rank.ranked),
            rank: figures.rank.map(|rank| rank.rank),
            p95_bps: figures.p95,
            p95_in_bps: figures.p95_in,
            p95_out_bps: figures.p95_out,
            allowance_bps: newest_allowance(rules, closed_until),
            overage_bps: figures.overage,
            billable_bps: billable(figures.overage),
            amount: amount(figures.overage),
            locked_in_p95_bps: figures.locked_in_p95,
            locked_in_overage_bps: figures.locked_in_overage,
            locked_in_amount: amount(figures.locked_in_overage),
            burst_slots: figures.burst_slots,
            burst_left_slots: figures.burst_left_slots,
            last: last.map(|(slot, sample)| LastSample {
                slot: Instant(slot.start()),
                in_bps: sample.rates.in_bps,
                out_bps: sample.rates.out_bps,
                value_bps: sample.rates.value(),
                partial: sample.partial,
            }),
        }
    }
}

/// The allowance in the newest closed slot of the period, or in its first where none has closed.
fn newest_allowance(rules: &Rules, closed_until: Slot) -> Bps {
    let SlotSpan { from, until } = rules.span;
    rules.allowance.in_slot(closed_until.min(until).previous().max(from))
}

/// `samples / expected`, rounded down to four decimals; `None` where nothing is expected.
#[must_use]
pub fn coverage(samples: u64, expected: u64) -> Option<Decimal> {
    if expected == 0 {
        return None;
    }
    let scale = 10_u128.pow(COVERAGE_DECIMALS);
    let share = u128::from(samples) * scale / u128::from(expected);
    Decimal::try_from_i128_with_scale(i128::try_from(share).ok()?, COVERAGE_DECIMALS).ok()
}
