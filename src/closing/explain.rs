//! Why a statement says what it says, in a form that a customer can follow with a pocket calculator.
//!
//! An [`Explanation`] is the statement with what is not in it: the ranked samples around the one that decides, the
//! discarded ones by day, and the arithmetic in [`steps`]. [`text`] is how it is told, in [`words`] of two languages.

pub mod steps;

pub(crate) mod layout;
mod words;

pub mod text;

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Serialize;

use super::listing;
use super::statement::Statement;
use crate::inventory::instant::Instant;
use crate::metering::overage::Method;
use crate::metering::sample::{Direction, Sample};
use crate::metering::statement::{Ranked, Samples};
use crate::metering::units::{Bps, Slot};
use crate::store::statements::{Filed, State};
use steps::Step;

/// How many ranked samples are shown on either side of the one that decides.
const NEIGHBOURS: u64 = 5;

/// A statement and what explains it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// `held` or `issued`.
    pub state: &'static str,
    /// What is explained.
    pub statement: Statement,
    /// For `separate`: the direction with the larger result, which decides.
    pub direction: Option<Direction>,
    /// The ranked samples around the one that decides, the largest first.
    pub neighbours: Vec<Neighbour>,
    /// What is forgiven, by calendar day in the billing time zone.
    pub discarded: Vec<Day>,
    /// The issued revisions up to this one.
    pub revisions: Vec<Revision>,
    /// From the ranking to the final amount.
    pub steps: Vec<Step>,
}

/// A place in the ranking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = RankNeighbour)]
pub struct Neighbour {
    /// The place, 1 for the largest.
    pub from_top: u64,
    /// Whether this one decides.
    pub decides: bool,
    /// The slot's start; `None`: one of the slots without a sample, which count as 0 and rank last.
    pub slot: Option<Instant>,
    /// Towards the server.
    pub in_bps: Option<Bps>,
    /// From the server.
    pub out_bps: Option<Bps>,
    /// What is ranked.
    pub value_bps: Bps,
    /// What was granted in the slot.
    pub allowance_bps: Option<Bps>,
    /// How far it is over that.
    pub excess_bps: Bps,
}

/// A day's discarded samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ExplainedDay)]
pub struct Day {
    /// The day.
    #[schema(value_type = String, format = Date)]
    pub day: Date,
    /// How many.
    pub slots: u64,
    /// The largest of them.
    pub largest_bps: Bps,
}

/// An issued revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ExplainedRevision)]
pub struct Revision {
    /// Its number.
    pub revision: u32,
    /// When it was issued.
    pub issued_at: Instant,
    /// Why; `None` in the first.
    pub reason: Option<String>,
    /// Overage in whole units.
    pub billable_bps: Option<Bps>,
    /// What that costs.
    pub amount: Option<Decimal>,
    /// In what.
    pub currency: Option<String>,
}

impl Explanation {
    /// Explains a statement by the samples of each of its members, in their order. `all` are its revisions, of which
    /// those that were issued and are not above it are told.
    #[must_use]
    pub fn new(filed: &Filed, samples: &[Vec<(Slot, Sample)>], all: &[Filed]) -> Self {
        let statement = &filed.statement;
        let slices: Vec<&Samples> = samples.iter().map(Vec::as_slice).collect();
        let ranking = statement.account().ranking(&statement.counted(&slices));
        let neighbours = neighbours(statement, &ranking);
        Self {
            state: listing::state(filed.state),
            direction: direction(statement, &ranking),
            discarded: discarded(statement, &ranking),
            revisions: revisions(statement, all),
            steps: steps::steps(statement, neighbours.iter().find(|neighbour| neighbour.decides)),
            neighbours,
            statement: statement.clone(),
        }
    }

    /// The billing time zone; UTC where its name is not known here.
    #[must_use]
    pub fn timezone(&self) -> TimeZone {
        timezone(&self.statement)
    }
}

fn timezone(statement: &Statement) -> TimeZone {
    TimeZone::get(&statement.timezone).unwrap_or(TimeZone::UTC)
}

fn direction(statement: &Statement, ranking: &[Ranked]) -> Option<Direction> {
    if statement.method != Method::Separate || ranking.is_empty() {
        return None;
    }
    let by_in = ranking.iter().all(|ranked| ranked.value == ranked.sample.rates.in_bps);
    Some(if by_in { Direction::In } else { Direction::Out })
}

fn neighbours(statement: &Statement, ranking: &[Ranked]) -> Vec<Neighbour> {
    let Some(rank) = statement.rank else { return Vec::new() };
    // As many stand above the p95 as are discarded.
    let decides = statement.ranked.saturating_sub(rank).saturating_add(1);
    let first = decides.saturating_sub(NEIGHBOURS).max(1);
    let last = decides.saturating_add(NEIGHBOURS).min(statement.ranked);
    (first..=last)
        .map(|from_top| {
            let ranked = usize::try_from(from_top - 1).ok().and_then(|at| ranking.get(at));
            Neighbour {
                from_top,
                decides: from_top == decides,
                slot: ranked.map(|ranked| Instant(ranked.slot.start())),
                in_bps: ranked.map(|ranked| ranked.sample.rates.in_bps),
                out_bps: ranked.map(|ranked| ranked.sample.rates.out_bps),
                value_bps: ranked.map_or(Bps(0), |ranked| ranked.value),
                allowance_bps: ranked.map(|ranked| ranked.allowance),
                excess_bps: ranked.map_or(Bps(0), |ranked| ranked.excess),
            }
        })
        .collect()
}

fn discarded(statement: &Statement, ranking: &[Ranked]) -> Vec<Day> {
    let timezone = timezone(statement);
    let count = usize::try_from(statement.discarded).unwrap_or(usize::MAX);
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    for ranked in ranking.iter().take(count) {
        let Ok(time) = jiff::Timestamp::from_millisecond(ranked.slot.start().0) else { continue };
        let day = timezone.to_datetime(time).date();
        let of_day = days.entry(day).or_insert(Day { day, slots: 0, largest_bps: Bps(0) });
        of_day.slots += 1;
        of_day.largest_bps = of_day.largest_bps.max(ranked.value);
    }
    days.into_values().collect()
}

fn revisions(statement: &Statement, filed: &[Filed]) -> Vec<Revision> {
    let tells = |filed: &&Filed| {
        filed.state == State::Issued
            && filed.statement.server == statement.server
            && filed.statement.period == statement.period
            && filed.statement.revision <= statement.revision
    };
    let revision = |filed: &Filed| {
        let Statement { revision, issued_at, reason, billable_bps, amount, currency, .. } = &filed.statement;
        Revision {
            revision: *revision,
            issued_at: *issued_at,
            reason: reason.clone(),
            billable_bps: *billable_bps,
            amount: *amount,
            currency: currency.clone(),
        }
    };
    let mut revisions: Vec<Revision> = filed.iter().filter(tells).map(revision).collect();
    revisions.sort_by_key(|revision| revision.revision);
    revisions
}

#[cfg(test)]
mod tests;
