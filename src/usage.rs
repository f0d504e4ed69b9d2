//! A month's figures as people and machines are shown them: by the command line, the API and the dashboard alike.
//!
//! The running month comes from the live state, any month from the store; both end in the same [`Tally::figures`]. A
//! [`table`] has the figures of all servers of a [`catalog`] at one instant, as numbers; it can be asked in any
//! [`order`], [`filter`]ed and [`search`]ed, and only the lines that are asked for become a [`ServerUsage`]. [`keeper`] keeps the running
//! month's table up to date, [`tables`] has the one to ask for each month, and [`weeks`] is what projections are made of.

pub mod catalog;
pub mod filter;
pub mod order;
pub mod search;
pub mod table;
mod texts;

pub mod keeper;
pub mod tables;
pub mod weeks;

use std::sync::Arc;

use meter95_reading::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::aggregator::state::{Aggregator, Times};
use crate::inventory::instant::Instant;
use crate::inventory::{Inventory, Server};
use crate::metering::overage::Method;
use crate::metering::period::Month;
use crate::metering::tally::projection::Projection;
use crate::metering::tally::{Figures, Rules};
use crate::metering::units::{Bps, Slot};
use crate::store::connection::{Store, StoreError};
use catalog::Terms;
use filter::Chosen;
use order::{Direction, Sort};
use table::{Row, Start, Table};

/// How many decimals coverage is shown with, rounded down: 0.9999 is never shown as 1.
const COVERAGE_DECIMALS: u32 = 4;

/// The rule by which projections are made, in words (`metering::tally::projection`).
pub const PROJECTION_RULE: &str =
    "the slots to come have a p95 between the lowest and the highest of the server's last weeks";

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
    /// Since when all of these figures have been so, by the service's clock; they are at most 2 s old all the same. Of a
    /// month that is over: when its last slots had their grace.
    pub as_of: Instant,
    /// How many servers are told of, over all pages.
    pub count: u64,
    /// How many of them have overage.
    pub over_count: u64,
    /// What all of them come to, a currency at a time; servers that are billed in a pool, or have no price, are not in it.
    pub totals: Vec<Sum>,
    /// A line a server.
    pub servers: Vec<ServerUsage>,
    /// Where the next lines are; null with the last ones.
    pub next: Option<String>,
}

/// What servers of one currency come to.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = UsageSum)]
pub struct Sum {
    /// The currency.
    pub currency: String,
    /// How many servers have it.
    pub count: u64,
    /// Their overage in whole units, in all.
    pub billable_bps: Bps,
    /// What that costs, in all.
    pub amount: Decimal,
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
    /// Where the month may end; null when it is over, and for a server of which less than a week is known.
    pub projected: Option<Projected>,
    /// The newest sample.
    pub last: Option<LastSample>,
}

/// The band in which a month may end, and by which rule (SPEC.md section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Projected {
    /// The lowest p95.
    pub low_p95_bps: Bps,
    /// The highest.
    pub high_p95_bps: Bps,
    /// The lowest overage.
    pub low_overage_bps: Bps,
    /// The highest.
    pub high_overage_bps: Bps,
    /// How many weeks of the server's own it is made of, 1 to 4: those before the last midnight (UTC) of which at least
    /// half was measured.
    pub weeks: u8,
    /// The rule that makes the band.
    pub rule: &'static str,
}

impl From<Projection> for Projected {
    fn from(Projection { p95, overage, weeks }: Projection) -> Self {
        Self {
            low_p95_bps: p95.low,
            high_p95_bps: p95.high,
            low_overage_bps: overage.low,
            high_overage_bps: overage.high,
            weeks,
            rule: PROJECTION_RULE,
        }
    }
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
    /// The live state's clock is outside the years that a calendar covers.
    #[error("the clock is in no month")]
    NoMonth,
    /// What makes the figures has ended, which only a stop of the service does.
    #[error("making the figures was broken off")]
    Ended,
}

impl Usage {
    /// The running month out of the live state; `None` for any other month, and for a moment after revisions that
    /// reach further than memory: the store knows then.
    #[must_use]
    pub fn live(aggregator: &Aggregator, period: Month) -> Option<Self> {
        Some(Self::all(&Table::live(aggregator, period)?))
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
        let inventory = Arc::new(inventory.clone());
        let table = Table::stored(store, &inventory, period, now, times, None).await?;
        Ok(Self::all(&table))
    }

    /// Every line of a table, in the order of the ids.
    fn all(table: &Table) -> Self {
        let chosen = Chosen::all(table.catalog());
        let rows = table.page(&chosen, Sort::Server, Direction::Asc, Start::Skipping(0), usize::MAX).rows;
        Self::of(table, &chosen, &rows, None)
    }

    /// The lines `rows` of a table, of which `chosen` are asked for; more of them are at `next`.
    #[must_use]
    pub fn of(table: &Table, chosen: &Chosen, rows: &[u32], next: Option<String>) -> Self {
        let catalog = table.catalog();
        let (from, until) = catalog.period.span(&catalog.inventory.timezone);
        let summary = table.summary(chosen);
        Self {
            period: catalog.period,
            from: Instant(from),
            until: Instant(until),
            timezone: catalog.inventory.timezone_name.clone(),
            as_of: Instant(summary.since),
            count: summary.count,
            over_count: summary.over_count,
            totals: summary.sums.clone(),
            servers: rows.iter().filter_map(|row| table.line(*row)).collect(),
            next,
        }
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
        last: Option<(Slot, crate::metering::sample::Sample)>,
    ) -> Self {
        let terms = Terms {
            plan: inventory.terms_of(server, rules.span),
            pool: inventory.pool_of(&server.id, rules.span).map(|pool| pool.id.clone()),
        };
        Self::told(server, &terms, &Row::new(&terms, rules, figures, closed_until, last, None))
    }

    /// A row in words.
    fn told(server: &Server, terms: &Terms, row: &Row) -> Self {
        let Row { figures, allowance, last, projected, billable, amount } = row;
        let tariff = terms.tariff();
        Self {
            server: server.id.clone(),
            customer: server.customer.clone(),
            region: server.region.clone(),
            plan: terms.plan.id.clone(),
            pool: terms.pool.clone(),
            method: terms.plan.method,
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
            allowance_bps: *allowance,
            overage_bps: figures.overage,
            billable_bps: *billable,
            amount: *amount,
            locked_in_p95_bps: figures.locked_in_p95,
            locked_in_overage_bps: figures.locked_in_overage,
            locked_in_amount: terms.amount(terms.billable(figures.locked_in_overage)),
            burst_slots: figures.burst_slots,
            burst_left_slots: figures.burst_left_slots,
            projected: projected.map(Projected::from),
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
