//! The hours that stand out most against the same hours of the weeks before.

use std::collections::BTreeMap;

use serde::Serialize;

use super::traffic::{Flow, Line};
use crate::metering::habit::{WEEK_SLOTS, WEEKS};
use crate::metering::sample::Direction;
use crate::metering::units::{Bps, Slot};
use crate::store::load::StoredSamples;

/// Hours that are listed: what fits on a printed page.
pub const HOURS_MAX: usize = 20;

/// An hour stands out by one part in so many of the largest before it: by less it is chance.
const STANDS_OUT: u64 = 4;

/// Slots of an hour.
const HOUR_SLOTS: i64 = 12;

/// Samples that an hour needs to have a mean: half of it.
const SAMPLES_MIN: u64 = 6;

/// An hour in which a quarter more, or still more, went in one direction than in any of the same hours of the weeks before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hour {
    /// Its first slot, on a whole hour of Unix time.
    pub from: Slot,
    /// Towards the server or from it.
    pub direction: Direction,
    /// The mean of the hour's samples, rounded down.
    pub mean_bps: Bps,
    /// The largest mean of the same hour of the week in the weeks before; `None` where it was not measured then.
    pub before_bps: Option<Bps>,
    /// How much `mean_bps` is above that.
    pub above_bps: Bps,
    /// Packets in a second, the mean of those slots of the hour of which it is known, rounded down.
    pub packets_per_second: Option<u64>,
    /// Octets in a packet, over those slots of the hour of which packets are known, rounded down.
    pub mean_packet_octets: Option<u64>,
}

/// The mean of so many values.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: u128,
    n: u64,
}

impl Mean {
    fn add(&mut self, value: u64) {
        self.sum += u128::from(value);
        self.n += 1;
    }

    /// Rounded down; `None` of none.
    fn value(self) -> Option<u64> {
        let mean = self.sum.checked_div(self.n.into())?;
        Some(u64::try_from(mean).unwrap_or(u64::MAX))
    }
}

/// The [`HOURS_MAX`] hours of either direction that are furthest above the same hours of the weeks before, in this order;
/// of equal ones the earlier first. `lines` are those of the window, `samples` go back over the weeks before.
#[must_use]
pub fn unusual(lines: &[Line], samples: &StoredSamples) -> Vec<Hour> {
    let mut by_hour: BTreeMap<i64, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        by_hour.entry(line.slot.0.div_euclid(HOUR_SLOTS)).or_default().push(line);
    }
    let in_hour = |(hour, lines): (i64, Vec<&Line>)| {
        Direction::BOTH.map(|direction| of_hour(hour, direction, &lines, samples))
    };
    let mut hours: Vec<Hour> = by_hour.into_iter().flat_map(in_hour).flatten().collect();
    hours.sort_by(|a, b| b.above_bps.cmp(&a.above_bps).then(a.from.cmp(&b.from)));
    hours.truncate(HOURS_MAX);
    hours
}

/// An hour in one direction, where it stands out.
fn of_hour(hour: i64, direction: Direction, lines: &[&Line], samples: &StoredSamples) -> Option<Hour> {
    let from = Slot(hour * HOUR_SLOTS);
    let mean = mean(from, direction, samples)?;
    let weeks = (1..=WEEKS).map(|week| Slot(from.0 - week * WEEK_SLOTS));
    let before_bps = weeks.filter_map(|same| self::mean(same, direction, samples)).max().map(Bps);
    let before = before_bps.unwrap_or_default().0;
    let above_bps = mean.checked_sub(before).filter(|above| *above > 0 && *above >= before / STANDS_OUT)?;
    let flows = lines.iter().map(|line| flow(line, direction));
    let (mut per_second, mut octets, mut packets) = (Mean::default(), 0_u64, 0_u64);
    for flow in flows {
        if let Some(n) = flow.packets_per_second {
            per_second.add(n);
        }
        if let Some(n) = flow.packets {
            octets = octets.saturating_add(flow.octets);
            packets = packets.saturating_add(n);
        }
    }
    Some(Hour {
        from,
        direction,
        mean_bps: Bps(mean),
        before_bps,
        above_bps: Bps(above_bps),
        packets_per_second: per_second.value(),
        mean_packet_octets: octets.checked_div(packets),
    })
}

/// The mean of the hour's samples; `None` where there are too few.
fn mean(from: Slot, direction: Direction, samples: &StoredSamples) -> Option<u64> {
    let mut mean = Mean::default();
    for (_, revised) in samples.range(from..Slot(from.0 + HOUR_SLOTS)) {
        if let Some(rates) = revised.rates() {
            mean.add(rates.towards(direction).0);
        }
    }
    mean.value().filter(|_| mean.n >= SAMPLES_MIN)
}

/// A line's flow in a direction.
#[must_use]
pub fn flow(line: &Line, direction: Direction) -> &Flow {
    match direction {
        Direction::In => &line.r#in,
        Direction::Out => &line.out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregator::output::Revised;
    use crate::evidence::traffic::State;
    use crate::metering::sample::{Rates, Sample};

    fn revised(in_bps: u64, out_bps: u64) -> Revised {
        let rates = Rates { in_bps: Bps(in_bps), out_bps: Bps(out_bps) };
        Revised { sample: Some(Sample { rates, partial: false }), revision: 1 }
    }

    fn line(slot: i64) -> Line {
        let flow = Flow { octets: 600, packets: Some(10), packets_per_second: Some(4), ..Flow::default() };
        Line {
            slot: Slot(slot),
            state: State::Full,
            revision: 1,
            covered_ms: 300_000,
            allowance_bps: Bps(0),
            r#in: flow,
            out: flow,
        }
    }

    /// The hours found as (first slot, direction, mean, before), of samples as (first slot, slots, in, out).
    fn check(
        samples: &[(i64, i64, u64, u64)],
        lines: std::ops::Range<i64>,
        expected: &[(i64, Direction, u64, Option<u64>)],
    ) {
        let stored: StoredSamples = samples
            .iter()
            .flat_map(|(from, slots, i, o)| (*from..from + slots).map(|slot| (Slot(slot), revised(*i, *o))))
            .collect();
        let lines: Vec<Line> = lines.map(line).collect();
        let hours = unusual(&lines, &stored);
        let found: Vec<_> = hours
            .iter()
            .map(|hour| (hour.from.0, hour.direction, hour.mean_bps.0, hour.before_bps.map(|bps| bps.0)))
            .collect();
        assert_eq!(found, expected);
        assert!(
            hours
                .iter()
                .all(|hour| hour.mean_packet_octets == Some(60) && hour.packets_per_second == Some(4))
        );
    }

    #[test]
    fn an_hour_is_compared_with_the_same_hour_of_four_weeks() {
        use Direction::{In, Out};
        const NOW: i64 = 120 * WEEK_SLOTS;
        let weeks_ago = |weeks: i64, bps| (NOW - weeks * WEEK_SLOTS, 12, bps, bps);
        let now = (NOW, 12, 50, 900);
        let hour = NOW..NOW + 12;
        check(&[now, weeks_ago(1, 40), weeks_ago(4, 70)], hour.clone(), &[(NOW, Out, 900, Some(70))]);
        // Five weeks ago is too long ago, another hour is another one, and half an hour is enough.
        check(&[now, weeks_ago(5, 9_000)], hour.clone(), &[(NOW, Out, 900, None), (NOW, In, 50, None)]);
        let half = (NOW - WEEK_SLOTS, 6, 45, 45);
        check(&[now, half], hour.clone(), &[(NOW, Out, 900, Some(45))]);
        let enough = (NOW - WEEK_SLOTS, 6, 40, 40);
        check(&[now, enough], hour.clone(), &[(NOW, Out, 900, Some(40)), (NOW, In, 50, Some(40))]);
        let less = (NOW - WEEK_SLOTS, 5, 45, 45);
        check(&[now, less], hour.clone(), &[(NOW, Out, 900, None), (NOW, In, 50, None)]);
        check(&[(NOW, 5, 50, 900)], hour.clone(), &[]);
        check(&[], hour, &[]);
        // The largest difference comes first.
        let later = (NOW + 12, 12, 0, 2_000);
        check(
            &[now, later, weeks_ago(1, 50)],
            NOW..NOW + 24,
            &[(NOW + 12, Out, 2_000, None), (NOW, Out, 900, Some(50))],
        );
    }
}
