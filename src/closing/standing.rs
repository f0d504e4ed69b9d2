//! How far a month is: whether it runs, may be closed or is closed, what came of that, and what holds it back.

use meter95_reading::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

use super::acts::Trail;
use super::desk::{Desk, Progress};
use crate::collectors::{CollectorReport, holding_back};
use crate::inventory::Inventory;
use crate::inventory::instant::Instant;
use crate::metering::money::Currency;
use crate::metering::period::Month;
use crate::store::connection::StoreError;
use crate::store::statements::State;

/// What can be done with a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = PeriodPhase)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It has not begun.
    ToCome,
    /// It runs.
    Running,
    /// It is over, and its last slots may still change.
    Grace,
    /// It may be closed.
    Open,
    /// It is closed.
    Closed,
}

/// How far a month is.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = Period)]
pub struct Standing {
    /// The month.
    pub period: Month,
    /// Its start.
    pub from: Instant,
    /// Its end.
    pub until: Instant,
    /// The time zone in which it begins and ends.
    pub timezone: String,
    /// From when on it may be closed: its end plus grace.
    pub closes_at: Instant,
    /// What can be done with it.
    pub state: Phase,
    /// When it was first closed without anything left out.
    pub closed_at: Option<Instant>,
    /// By whom.
    pub closed_by: Option<String>,
    /// Servers and pools whose newest statement is issued.
    pub issued: u64,
    /// Servers and pools whose statement waits for a person's review.
    pub held: u64,
    /// What the newest issued statements add up to, in the order of currencies.
    pub amounts: Vec<Amount>,
    /// Collectors that may have readings of it which were not sent, each in a sentence; empty while it runs and once
    /// all of it is issued.
    pub held_back: Vec<String>,
    /// How far a close that this process carries out has come.
    pub closing: Option<Progress>,
}

/// A sum of amounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Amount {
    /// The currency.
    pub currency: Currency,
    /// The sum.
    pub amount: Decimal,
}

impl Phase {
    /// The phase at `now` of a month that has these instants; `closed`: whether it was closed.
    #[must_use]
    pub fn at(now: Timestamp, from: Timestamp, until: Timestamp, closes_at: Timestamp, closed: bool) -> Self {
        if closed {
            Self::Closed
        } else if now < from {
            Self::ToCome
        } else if now < until {
            Self::Running
        } else if now < closes_at {
            Self::Grace
        } else {
            Self::Open
        }
    }
}

impl Standing {
    /// How far `period` is at `now`. `reports` are the newest of all collectors, `grace_ms` is how long a slot waits for
    /// silent ports.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn load(
        desk: &Desk,
        period: Month,
        zone: &Zone,
        reports: &[CollectorReport],
        (now, grace_ms): (Timestamp, i64),
    ) -> Result<Self, StoreError> {
        let (trail, sums) = tokio::try_join!(Trail::load(desk.store()), desk.store().statement_sums(period))?;
        let (from, until) = period.span(&zone.timezone);
        let closes_at = until.plus_ms(grace_ms);
        let closed = trail.closed(period);
        let state = Phase::at(now, from, until, closes_at, closed.is_some());
        let count = |state: State| sums.iter().filter(|s| s.state == state).map(|s| s.statements).sum();
        let (issued, held): (u64, u64) = (count(State::Issued), count(State::Held));
        let held_back = match state {
            Phase::Grace | Phase::Open => holding_back(reports, until),
            // What is held may be made anew by closing again.
            Phase::Closed if held > 0 => holding_back(reports, until),
            Phase::ToCome | Phase::Running | Phase::Closed => Vec::new(),
        };
        let amounts = sums.into_iter().filter(|sum| sum.state == State::Issued);
        Ok(Self {
            period,
            from: Instant(from),
            until: Instant(until),
            timezone: zone.name.clone(),
            closes_at: Instant(closes_at),
            state,
            closed_at: closed.as_ref().map(|closed| closed.at),
            closed_by: closed.map(|closed| closed.by),
            issued,
            held,
            amounts: amounts
                .filter_map(|sum| sum.amount)
                .map(|(currency, amount)| Amount { currency, amount })
                .collect(),
            held_back: held_back.iter().map(ToString::to_string).collect(),
            closing: desk.progress(period),
        })
    }
}

/// The time zone by which months begin and end.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// Its calendar.
    pub timezone: jiff::tz::TimeZone,
}

impl Zone {
    /// An inventory's.
    #[must_use]
    pub fn of(inventory: &Inventory) -> Self {
        Self { name: inventory.timezone_name.clone(), timezone: inventory.timezone.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_goes_through_its_phases() {
        let [from, until, closes_at] = [10, 20, 25].map(Timestamp);
        for (now, closed, phase) in [
            (9, false, Phase::ToCome),
            (10, false, Phase::Running),
            (19, false, Phase::Running),
            (20, false, Phase::Grace),
            (24, false, Phase::Grace),
            (25, false, Phase::Open),
            (25, true, Phase::Closed),
        ] {
            assert_eq!(Phase::at(Timestamp(now), from, until, closes_at, closed), phase, "{now}");
        }
    }
}
