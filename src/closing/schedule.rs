//! Closing by itself: once a minute is looked whether the month before the running one is due, where the configuration
//! asks for that. A schedule overrides nothing: what holds a month back is said once, and tried again each hour; what
//! passes by itself, with the next look.

use std::collections::BTreeSet;
use std::time::Duration;

use meter95_reading::Timestamp;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::close::{CloseError, Order, Outcome};
use super::desk::Desk;
use super::standing::Zone;
use crate::aggregator::pipeline::Live;
use crate::aggregator::state::Times;
use crate::audit::{Act, Audit, Origin, Undone, action};
use crate::collectors::holding_back;
use crate::collectors::registry::Collectors;
use crate::metering::period::Month;

/// How often is looked: a month that may be closed waits no longer for it.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How long after a close that failed comes the next, in ms: what holds a month back mostly needs a person.
const AGAIN_AFTER_MS: i64 = 3_600_000;

/// By whom the schedule closes.
pub const BY: &str = "automatic closing";

/// Collectors that may have unsent readings of the month before the running one, while it is not closed.
const HELD_BACK: &str = "meter95_closing_held_back";

/// Closes months when they are due.
pub struct Schedule {
    /// Where they are closed.
    pub desk: Desk,
    /// What collectors elsewhere say of themselves.
    pub collectors: Collectors,
    /// The inventory in force, which has the time zone.
    pub live: Live,
    /// Where it is noted that they are.
    pub audit: Audit,
    /// The waiting times of the metering rules.
    pub times: Times,
    /// How long after a month's end plus grace it is closed, in ms; `None`: only people close.
    pub after_ms: Option<i64>,
}

/// What came of looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// There was nothing to close.
    Nothing,
    /// The month is closed now.
    Closed(Month, Outcome),
    /// It could not be closed.
    NotClosed {
        /// The month.
        period: Month,
        /// What is the same as long as the reason is.
        reason: String,
        /// The reason with its details.
        says: String,
        /// Whether it may well be gone with the next look.
        passing: bool,
    },
}

impl Schedule {
    /// Looks once a minute, until `stop`. A close that goes on then is broken off; it goes on with the next start.
    pub async fn run(self, now: impl Fn() -> Timestamp, stop: CancellationToken) {
        let schedule = &self;
        every_minute(|at, may_close| schedule.attempt(at, may_close), now, stop).await;
    }

    /// Looks whether the month before the running one is due at `now`, and closes it where it `may_close`.
    pub async fn attempt(&self, now: Timestamp, may_close: bool) -> Tried {
        let zone = Zone::of(self.live.read().inventory());
        let Some(period) = month_before(now, &zone) else {
            return Tried::Nothing;
        };
        match self.close(period, &zone, now, may_close).await {
            Ok(None) => Tried::Nothing,
            Ok(Some(outcome)) => came_of(period, outcome),
            Err(NotYet { reason, says, passing }) => Tried::NotClosed { period, reason, says, passing },
        }
    }

    /// `None`: not due, closed before, or not to be closed now.
    async fn close(
        &self,
        period: Month,
        zone: &Zone,
        now: Timestamp,
        may_close: bool,
    ) -> Result<Option<Outcome>, NotYet> {
        let (_, until) = period.span(&zone.timezone);
        let closed = self.desk.trail().await?.closed(period).is_some();
        let held_back = if closed { Vec::new() } else { holding_back(&self.collectors.list().await?, until) };
        metrics::gauge!(HELD_BACK).set(u32::try_from(held_back.len()).unwrap_or(u32::MAX));
        let due = |after_ms| now >= until.plus_ms(self.times.grace_ms).plus_ms(after_ms);
        if closed || !may_close || !self.after_ms.is_some_and(due) {
            return Ok(None);
        }
        if !held_back.is_empty() {
            let names: Vec<&str> = held_back.iter().map(|held| held.report.name.as_str()).collect();
            let lines: Vec<String> = held_back.iter().map(ToString::to_string).collect();
            return Err(NotYet {
                reason: format!("held back by {}", names.join(", ")),
                says: lines.join("; "),
                passing: false,
            });
        }
        self.collectors.flush().await?;
        let order = Order { period, by: BY.to_owned(), now, override_reason: None };
        let act = Act::new(action::PERIOD_CLOSE, period).by(BY);
        let closing = self.desk.close(&order, |_, _| {});
        let closed = self.audit.act(&Origin::service(), act, closing, |outcome| json!(outcome)).await;
        Ok(Some(closed.map_err(|undone| match undone {
            Undone::Unnoted(error) => CloseError::Store(error),
            Undone::Refused(error) => error,
        })?))
    }
}

/// Why a month is not closed, without and with details.
struct NotYet {
    reason: String,
    says: String,
    passing: bool,
}

impl<E: Into<CloseError>> From<E> for NotYet {
    fn from(error: E) -> Self {
        let error = error.into();
        let says = error.to_string();
        let passing = match &error {
            CloseError::Busy | CloseError::Unfollowed(_) | CloseError::Store(_) | CloseError::Stopping => {
                true
            }
            CloseError::TooEarly { .. }
            | CloseError::HeldBack(_)
            | CloseError::Nameless(_)
            | CloseError::Inventory(_)
            | CloseError::Unknown { .. }
            | CloseError::Differs(_)
            | CloseError::TwoUnits(_)
            | CloseError::BilledElsewhere { .. }
            | CloseError::Changed(_)
            | CloseError::DataDir(..)
            | CloseError::Exclusion(_) => false,
        };
        let reason = match &error {
            CloseError::Store(_) => "the store can't be used".to_owned(),
            _ => says.clone(),
        };
        Self { reason, says, passing }
    }
}

fn month_before(now: Timestamp, zone: &Zone) -> Option<Month> {
    let (from, _) = Month::of(now, &zone.timezone)?.span(&zone.timezone);
    Month::of(from.plus_ms(-1), &zone.timezone)
}

fn came_of(period: Month, outcome: Outcome) -> Tried {
    let Some(first) = outcome.differing.first() else {
        return Tried::Closed(period, outcome);
    };
    let count = outcome.differing.len();
    let reason = format!("{count} statements were not issued, since the two computations differ");
    Tried::NotClosed { period, says: format!("{reason}; the first is {first}"), reason, passing: false }
}

/// Asks `attempt` once a minute, with the time and whether enough of it has passed since a close failed.
async fn every_minute<F: Future<Output = Tried>>(
    mut attempt: impl FnMut(Timestamp, bool) -> F,
    now: impl Fn() -> Timestamp,
    stop: CancellationToken,
) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut patience = Patience::default();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let at = now();
        let tried = tokio::select! {
            tried = attempt(at, patience.may_close(at)) => tried,
            () = stop.cancelled() => return,
        };
        if patience.take(&tried, at) {
            say(&tried);
        }
    }
}

fn say(tried: &Tried) {
    match tried {
        Tried::Nothing => {}
        Tried::Closed(period, Outcome { issued, issued_before, held, .. }) => {
            tracing::info!(%period, issued, issued_before, held, "month was closed");
        }
        Tried::NotClosed { period, says, .. } => {
            tracing::warn!(%period, reason = says, "month is due and can't be closed");
        }
    }
}

/// When to try again, and what was said already.
#[derive(Debug, Default)]
struct Patience {
    failed_at: Option<Timestamp>,
    told: BTreeSet<(Month, String)>,
}

impl Patience {
    fn may_close(&self, now: Timestamp) -> bool {
        // Also when the clock was set back.
        self.failed_at.is_none_or(|at| now.ms_since(at).unsigned_abs() >= AGAIN_AFTER_MS.unsigned_abs())
    }

    /// Takes what came of an attempt; whether that is to be said.
    fn take(&mut self, tried: &Tried, now: Timestamp) -> bool {
        match tried {
            Tried::Nothing => false,
            Tried::Closed(..) => {
                *self = Self::default();
                true
            }
            Tried::NotClosed { period, reason, passing, .. } => {
                self.failed_at = (!passing).then_some(now);
                self.told.retain(|(told, _)| told == period);
                self.told.insert((*period, reason.clone()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn not_closed(reason: &str) -> Tried {
        let period = "2026-10".parse().unwrap();
        Tried::NotClosed { period, reason: reason.to_owned(), says: String::new(), passing: reason == "busy" }
    }

    /// In which minutes a close is allowed within three hours, of which every attempt comes to `tried`.
    async fn minutes(tried: impl Fn() -> Tried) -> Vec<i64> {
        let started = tokio::time::Instant::now();
        let now = || Timestamp(i64::try_from(started.elapsed().as_millis()).unwrap());
        let (looked, allowed) = (RefCell::new(0), RefCell::new(Vec::new()));
        let stop = CancellationToken::new();
        let attempt = |at: Timestamp, may_close: bool| {
            *looked.borrow_mut() += 1;
            if may_close {
                allowed.borrow_mut().push(at.0 / MINUTE_MS);
            }
            if at.0 >= 180 * MINUTE_MS {
                stop.cancel();
            }
            let tried = if may_close { tried() } else { Tried::Nothing };
            async { tried }
        };
        every_minute(attempt, now, stop.clone()).await;
        assert_eq!(looked.take(), 181, "once a minute");
        allowed.take()
    }

    #[tokio::test(start_paused = true)]
    async fn it_looks_each_minute_and_tries_what_failed_each_hour() {
        assert_eq!(minutes(|| not_closed("held back")).await, [0, 60, 120, 180]);
        assert_eq!(minutes(|| not_closed("busy")).await, (0..=180).collect::<Vec<i64>>());
        assert_eq!(minutes(|| Tried::Nothing).await, (0..=180).collect::<Vec<i64>>());
    }

    #[test]
    fn a_reason_is_told_once() {
        let mut patience = Patience::default();
        let closed = Tried::Closed("2026-10".parse().unwrap(), Outcome::default());
        for (minute, tried, told) in [
            (0, Tried::Nothing, false),
            (1, not_closed("a"), true),
            (61, not_closed("a"), false),
            (121, not_closed("b"), true),
            (181, not_closed("a"), false),
            (241, closed, true),
            (242, Tried::Nothing, false),
            (243, not_closed("a"), true),
        ] {
            let at = Timestamp(minute * MINUTE_MS);
            assert_eq!(patience.take(&tried, at), told, "minute {minute}: {tried:?}");
        }
    }
}
