//! A statement with what its page shows: what explains it, the month's course and its ranked values.

use meter95_reading::Timestamp;

use crate::closing::explain::Explanation;
use crate::closing::settle::summed;
use crate::closing::statement::{Member, Statement};
use crate::metering::overage::Method;
use crate::metering::period::SlotSpan;
use crate::metering::sample::{Direction, Rates, Sample};
use crate::metering::statement::Samples;
use crate::metering::units::{Bps, Slot};
use crate::store::statements::Filed;

/// Columns of the month's chart: one is a little more than a point wide on paper.
const BARS_MAX: u64 = 400;

/// Points of the curve of ranked values.
const CURVE_MAX: usize = 240;

/// How far a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was issued and does not change any more.
    Issued,
    /// It is held for a person's review.
    UnderReview,
    /// There is none yet: what it would say of the slots before this instant, by all that is known at another one.
    Preliminary {
        /// Before which slots count.
        until: Timestamp,
    },
}

/// A page's contents.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// How far the statement is.
    pub standing: Standing,
    /// What people call the customer.
    pub customer: Option<String>,
    /// The statement, and what explains it.
    pub explanation: Explanation,
    /// The month's course, a bar some slots.
    pub(super) bars: Vec<Bar>,
    /// The ranked values or excesses, the largest first: places from the top, counted from 0, and what is there.
    pub(super) curve: Vec<(u64, Bps)>,
    /// Whether the curve shows how far values are over the allowance, by which they were ranked, and not the values.
    pub(super) by_excess: bool,
}

/// Slots that are drawn as one bar. What is drawn is the smallest and the largest value among them, never a mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) span: SlotSpan,
    /// Above the line: what flows towards the server, or for `sum` all that flows.
    pub(super) up: Option<Reach>,
    /// Below the line: what flows from the server.
    pub(super) down: Option<Reach>,
}

/// From the smallest to the largest of some values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) low: Bps,
    pub(super) high: Bps,
}

impl Sheet {
    /// A statement's page, of the samples of each member in their order. `all` are its revisions.
    #[must_use]
    pub fn new(
        filed: &Filed,
        samples: &[Vec<(Slot, Sample)>],
        all: &[Filed],
        standing: Standing,
        customer: Option<String>,
    ) -> Self {
        let statement = &filed.statement;
        let slices: Vec<&Samples> = samples.iter().map(Vec::as_slice).collect();
        let spans = statement.members.iter().map(Member::span);
        let members: Vec<(SlotSpan, &Samples)> = spans.zip(slices.iter().copied()).collect();
        let ranking = statement.account().ranking(&statement.counted(&slices));
        let by_excess = statement.allowances.len() > 1;
        let ranked: Vec<Bps> =
            ranking.iter().map(|ranked| if by_excess { ranked.excess } else { ranked.value }).collect();
        Self {
            standing,
            customer,
            bars: bars(statement, &summed(&members)),
            curve: curve(&ranked, statement),
            by_excess,
            explanation: Explanation::new(filed, samples, all),
        }
    }

    /// The statement.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.explanation.statement
    }
}

/// What is drawn above the line, and below.
pub(super) fn sides(method: Method, rates: Rates) -> (Bps, Option<Bps>) {
    match method {
        Method::Max | Method::In | Method::Out | Method::Separate => (rates.in_bps, Some(rates.out_bps)),
        Method::Sum => (rates.in_bps.plus(rates.out_bps), None),
    }
}

/// The directions of which the ranked quantity is drawn: a line at the p95 belongs there.
pub(super) fn drawn(method: Method) -> &'static [Direction] {
    match method {
        Method::Max | Method::Separate => &Direction::BOTH,
        Method::In | Method::Sum => &[Direction::In],
        Method::Out => &[Direction::Out],
    }
}

fn bars(statement: &Statement, samples: &Samples) -> Vec<Bar> {
    let span = statement.span();
    let count = span.len().min(BARS_MAX);
    let edge = |i: u64| {
        let slots = u128::from(span.len()) * u128::from(i) / u128::from(count.max(1));
        Slot(span.from.0.saturating_add(i64::try_from(slots).unwrap_or(i64::MAX)))
    };
    let mut rest = samples;
    (0..count)
        .map(|i| {
            let span = SlotSpan { from: edge(i), until: edge(i + 1) };
            let skipped = rest.partition_point(|(slot, _)| *slot < span.from);
            let end = rest.partition_point(|(slot, _)| *slot < span.until);
            let within = rest.get(skipped..end).unwrap_or_default();
            rest = rest.get(end..).unwrap_or_default();
            let sides = || within.iter().map(|(_, sample)| sides(statement.method, sample.rates));
            Bar {
                span,
                up: reach(sides().map(|(up, _)| up)),
                down: reach(sides().filter_map(|(_, down)| down)),
            }
        })
        .collect()
}

fn reach(values: impl Iterator<Item = Bps>) -> Option<Reach> {
    values.fold(None, |reach: Option<Reach>, value| {
        let Reach { low, high } = reach.unwrap_or(Reach { low: value, high: value });
        Some(Reach { low: low.min(value), high: high.max(value) })
    })
}

/// Some places of the ranking, with its ends and the one that decides. What is ranked beyond `ranked` counts as 0.
fn curve(ranked: &[Bps], statement: &Statement) -> Vec<(u64, Bps)> {
    let Some(last) = statement.ranked.checked_sub(1) else { return Vec::new() };
    let steps = CURVE_MAX as u64 - 1;
    let evenly = (0..=steps).map(|i| u128::from(last) * u128::from(i) / u128::from(steps));
    // The last value and the first slot without one are there too, that the curve falls where it does.
    let edges = [statement.discarded, ranked.len().saturating_sub(1) as u64, ranked.len() as u64];
    let mut places: Vec<u64> = evenly.filter_map(|at| u64::try_from(at).ok()).chain(edges).collect();
    places.retain(|at| *at <= last);
    places.sort_unstable();
    places.dedup();
    let value = |at: u64| usize::try_from(at).ok().and_then(|at| ranked.get(at)).copied().unwrap_or_default();
    places.into_iter().map(|at| (at, value(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closing::example::{MBPS, blank, samples, settled, small};
    use crate::store::statements::State;

    fn sheet(statement: &Statement, samples: &[Vec<(Slot, Sample)>]) -> Sheet {
        let filed = Filed::new(State::Issued, statement.clone());
        Sheet::new(&filed, samples, std::slice::from_ref(&filed), Standing::Issued, None)
    }

    #[test]
    fn the_largest_of_each_bar_is_drawn_and_nothing_between_samples() {
        let slots = 4_000_i64;
        let rates: Vec<Option<(u64, u64)>> = (0..slots)
            .map(|i| (!(1_000..1_100).contains(&i)).then_some((i.unsigned_abs() % 97, 3)))
            .collect();
        let samples = vec![samples(&rates)];
        let statement = settled(blank("web01", &["web01"], slots), &samples);
        let sheet = sheet(&statement, &samples);
        assert_eq!(sheet.bars.len(), 400);
        assert_eq!(sheet.bars.iter().map(|bar| bar.span.len()).sum::<u64>(), 4_000);
        for (i, bar) in sheet.bars.iter().enumerate() {
            let within = rates[i * 10..i * 10 + 10].iter().flatten();
            let expected = within
                .clone()
                .map(|(up, _)| *up)
                .max()
                .map(|high| Reach { low: Bps(within.map(|(up, _)| *up).min().unwrap()), high: Bps(high) });
            assert_eq!(bar.up, expected, "{i}");
            assert_eq!(bar.down, expected.map(|_| Reach { low: Bps(3), high: Bps(3) }));
        }
    }

    #[test]
    fn the_curve_has_the_value_that_decides_and_the_slots_without_one() {
        let (statement, samples) = small("web01", 6);
        let sheet = sheet(&statement, &samples);
        let curve: Vec<(u64, u64)> = sheet.curve.iter().map(|(at, bps)| (*at, bps.0 / MBPS)).collect();
        assert_eq!(curve.len(), 40, "one of 40 slots has no sample, and all are ranked");
        assert_eq!((curve[0], curve[1], curve[2]), ((0, 90), (1, 80), (2, 6)));
        assert_eq!((curve[38], curve[39]), ((38, 6), (39, 0)));
        assert!(sheet.curve.contains(&(statement.discarded, statement.p95_bps.unwrap())));
    }

    #[test]
    fn no_data_is_no_curve() {
        let statement = settled(blank("web01", &["web01"], 40), &[Vec::new()]);
        let sheet = sheet(&statement, &[Vec::new()]);
        assert!(sheet.curve.iter().all(|(_, bps)| *bps == Bps(0)));
        assert!(sheet.bars.iter().all(|bar| bar.up.is_none() && bar.down.is_none()));
    }
}
