//! How much past the simulated site has, taken through the real pipeline, and the month before closed.

use std::io::IsTerminal;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use meter95_reading::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::aggregator::pipeline::Pipeline;
use crate::aggregator::recovery::Clock;
use crate::audit::{Act, action};
use crate::cli::show;
use crate::cli::site::{Site as Configured, audited};
use crate::clock;
use crate::closing::close::Order;
use crate::closing::desk::Desk;
use crate::demo::habit::EPOCH;
use crate::demo::site::Site;
use crate::metering::period::Month;
use crate::store::connection::Store;

/// How far apart the readings of the past are, in ms: one a slot.
const STEP_MS: i64 = 300_000;

/// Readings that go through the pipeline at once.
const LOT_READINGS: usize = 100_000;

/// A month of more readings than this is not filled unless somebody asks for it: 200 servers have fewer.
const MONTH_READINGS_MAX: usize = 2_500_000;

/// Of such a month so many readings are filled, about, and so many of each port at least: twelve slots are as many as a
/// rule of SPEC.md section 9 looks at.
const READINGS_MAX: usize = 1_500_000;
const PORT_READINGS_MIN: usize = 13;

const MINUTE_MS: i64 = 60_000;

/// By whom the month before is closed.
const BY: &str = "demo";

/// How much past there is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// So many ms.
    Ms(i64),
    /// The month so far.
    Month,
    /// That and the month before.
    LastMonth,
    /// The month so far where that is quick with so many ports, or else as much of it as is.
    Quick(usize),
}

/// A word that says no such thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no past: say 90m, 1h or 2d, month or last-month")]
pub(super) struct PastError(String);

/// A past that is to be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// From when.
    from: Timestamp,
    /// Until when.
    until: Timestamp,
    /// When the site opened, where that is not a month's beginning: what nobody could read is not held against it.
    pub opened: Option<Timestamp>,
    /// Which month is over then, and all there.
    pub closes: Option<Month>,
}

impl FromStr for Past {
    type Err = PastError;

    fn from_str(text: &str) -> Result<Self, PastError> {
        let ms = |count: &str, unit_ms: i64| {
            let count = count.parse::<u32>().ok().filter(|count| *count > 0)?;
            Some(Self::Ms(i64::from(count) * unit_ms))
        };
        let past = match text {
            "month" => Some(Self::Month),
            "last-month" => Some(Self::LastMonth),
            _ => match text.split_at_checked(text.len().saturating_sub(1)) {
                Some((minutes, "m")) => ms(minutes, MINUTE_MS),
                Some((hours, "h")) => ms(hours, 60 * MINUTE_MS),
                Some((days, "d")) => ms(days, 24 * 60 * MINUTE_MS),
                _ => None,
            },
        };
        past.ok_or_else(|| PastError(text.to_owned()))
    }
}

impl Past {
    /// This past of the instant `now`, from the beginning of a slot on and not from before the simulated servers' own
    /// beginning; `None` where the calendar ends.
    #[must_use]
    pub(super) fn until(self, now: Timestamp, timezone: &TimeZone) -> Option<Span> {
        let month = Month::of(now, timezone)?;
        let (start, _) = month.span(timezone);
        let before = |ms: i64| Timestamp(now.0.saturating_sub(ms).div_euclid(STEP_MS) * STEP_MS);
        let (from, closes) = match self {
            Self::Ms(ms) => (before(ms), None),
            Self::Month => (start, None),
            Self::Quick(ports) => (quick_ms(ports, now.ms_since(start)).map_or(start, before), None),
            Self::LastMonth => {
                let last = Month::of(start.plus_ms(-1), timezone)?;
                (last.span(timezone).0, Some(last))
            }
        };
        let from = from.max(EPOCH).min(now);
        let opened = Some(from)
            .filter(|from| Month::of(*from, timezone).is_none_or(|month| month.span(timezone).0 != *from));
        Some(Span { from, until: now, opened, closes })
    }
}

/// How much past can be had quickly with so many ports where the month is so old; `None` for all of it.
fn quick_ms(ports: usize, month_ms: i64) -> Option<i64> {
    let ports = ports.max(1);
    let steps = usize::try_from(month_ms / STEP_MS).unwrap_or(0);
    if ports.saturating_mul(steps) <= MONTH_READINGS_MAX {
        return None;
    }
    // The first reading and the last have no step of their own.
    let steps = (READINGS_MAX / ports).max(PORT_READINGS_MIN) - 2;
    Some(i64::try_from(steps).unwrap_or(i64::MAX).saturating_mul(STEP_MS).min(month_ms))
}

impl Span {
    /// Takes it through the real pipeline. Returns what to say of that.
    ///
    /// # Errors
    /// When the store can't be used.
    pub(super) async fn fill(
        &self,
        store: &Store,
        configured: &Configured,
        site: &Arc<Site>,
        stop: &CancellationToken,
    ) -> anyhow::Result<String> {
        let Self { from, until, .. } = *self;
        let mut pipeline = Pipeline::open(store.clone(), configured.config.times(), Clock::Readings).await?;
        let bar = bar(until.ms_since(from));
        let started = Instant::now();
        let (mut lot, mut taken) = (Vec::with_capacity(LOT_READINGS), 0);
        for step in site.history(from, until, STEP_MS) {
            lot.extend(step);
            let newest = lot.last().map_or(from, |reading| reading.counters.time);
            if lot.len() >= LOT_READINGS || newest >= until {
                for receipt in pipeline.take(vec![std::mem::take(&mut lot)]).await {
                    taken += receipt.taken;
                }
                pipeline.tick(newest).await?;
                bar.set_position(newest.ms_since(from).unsigned_abs());
            }
            if stop.is_cancelled() {
                break;
            }
        }
        pipeline.close().await?;
        bar.finish_and_clear();
        let (took_s, what) = (started.elapsed().as_secs_f64(), long(until.ms_since(from)));
        Ok(format!("The past {what}: {taken} readings taken through the pipeline in {took_s:.1} s."))
    }
}

/// How long that is, in the two largest units that it has.
fn long(ms: i64) -> String {
    let minutes = ms / MINUTE_MS;
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

fn bar(ms: i64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(ms.unsigned_abs()).with_message("filling the past");
    match ProgressStyle::with_template("{msg} {wide_bar} {percent} %") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Closes a month that was filled. Returns what to say of that.
///
/// # Errors
/// When the store can't be used.
pub(super) async fn close(store: &Store, configured: &Configured, period: Month) -> anyhow::Result<String> {
    let desk = Desk::new(store.clone(), &configured.data_dir, configured.config.times());
    let order = Order { period, by: BY.to_owned(), now: clock::now(), override_reason: None };
    let act = Act::new(action::PERIOD_CLOSE, period).by(BY);
    let closing = async { Ok(desk.close(&order, |_, _| {}).await) };
    let closed = audited(store, act, closing, |closed| json!(closed.as_ref().ok())).await?;
    Ok(match closed {
        Ok(outcome) => format!(
            "{period} is closed: {} issued, {} held for review.",
            show::counted(outcome.issued, "statement"),
            outcome.held
        ),
        // In the first minutes of a month the one before can't be closed.
        Err(error) => format!("{period} is not closed: {error}."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-26T16:07:48+09:00.
    const NOW: Timestamp = Timestamp(1_795_676_868_000);

    #[test]
    fn a_past_is_said_in_one_word() {
        const HOUR_MS: i64 = 3_600_000;
        for (text, expected) in [
            ("90m", Some(Past::Ms(90 * MINUTE_MS))),
            ("1h", Some(Past::Ms(HOUR_MS))),
            ("2d", Some(Past::Ms(48 * HOUR_MS))),
            ("month", Some(Past::Month)),
            ("last-month", Some(Past::LastMonth)),
            ("", None),
            ("h", None),
            ("0h", None),
            ("-1h", None),
            ("1", None),
            ("1.5h", None),
            ("99999999999d", None),
            ("1w", None),
            ("1\u{6642}", None),
        ] {
            let past = text.parse::<Past>();
            assert_eq!(past.as_ref().ok(), expected.as_ref(), "{text}");
            if let Err(error) = past {
                assert!(error.to_string().starts_with(&format!("{text:?} is no past: ")), "{error}");
            }
        }
    }

    #[test]
    fn a_past_begins_with_a_slot_and_ends_now() {
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let minutes = |minutes: i64| NOW.plus_ms(-minutes * MINUTE_MS).0.div_euclid(STEP_MS) * STEP_MS;
        let (november, october) = (1_793_458_800_000, 1_790_780_400_000);
        for (past, from, closes) in [
            (Past::Ms(60 * MINUTE_MS), minutes(60), None),
            (Past::Month, november, None),
            (Past::LastMonth, october, Some("2026-10")),
            (Past::Quick(0), november, None),
            (Past::Quick(338), november, None), // 7393 readings of each, 2,498,834
            (Past::Quick(339), minutes(4_422 * 5), None),
            (Past::Quick(75_000), minutes(18 * 5), None),
            (Past::Quick(120_000), minutes(11 * 5), None),
            (Past::Quick(usize::MAX), minutes(11 * 5), None),
            (Past::Ms(i64::MAX), EPOCH.0, None),
        ] {
            let span = past.until(NOW, &tokyo).unwrap();
            let closes = closes.map(|month| month.parse().unwrap());
            // The epoch is a month's beginning as well.
            let opened = Some(Timestamp(from)).filter(|from| ![november, october, EPOCH.0].contains(&from.0));
            assert_eq!(span, Span { from: Timestamp(from), until: NOW, opened, closes }, "{past:?}");
        }
        assert!(Past::Month.until(Timestamp(i64::MAX), &tokyo).is_none());
    }

    #[test]
    fn a_length_is_said_in_two_units() {
        for (minutes, expected) in [(9, "9 min"), (95, "1 h 35 min"), (26 * 1_440 + 61, "26 d 1 h")] {
            assert_eq!(long(minutes * MINUTE_MS), expected);
        }
    }
}
