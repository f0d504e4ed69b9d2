//! When the server began to behave unlike its own weeks before.

use std::collections::BTreeMap;

use serde::Serialize;

use super::facts::Facts;
use super::window::WEEKS_BEFORE;
use crate::metering::period::SlotSpan;
use crate::metering::sample::{Direction, Rates};
use crate::metering::units::{Bps, Slot};

/// Slots of a week.
const WEEK_SLOTS: i64 = 7 * 288;

/// How far around the same time of the week is looked: an hour to either side.
const AROUND_SLOTS: i64 = 12;

/// A change lasts where so many slots of the next [`LASTING_OF`] are unusual.
const LASTING: usize = 6;

/// Of how many slots.
const LASTING_OF: usize = 12;

/// Below this, more than before is not worth a word.
const FLOOR: Bps = Bps(1_000_000);

/// A lasting change in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The first unusual slot of it.
    pub from: Slot,
    /// Towards the server or from it.
    pub direction: Direction,
    /// What it was that changed.
    pub turn: Turn,
    /// The sample of that slot.
    pub bps: Bps,
    /// The median of the samples around the same time of the week, in the weeks before.
    pub before_median_bps: Bps,
    /// The largest of them.
    pub before_largest_bps: Bps,
    /// So many slots of `of_slots` from then on are unusual.
    pub unusual_slots: usize,
    /// How many slots were looked at.
    pub of_slots: usize,
}

/// How a behaviour changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Over twice the largest of before.
    More,
    /// Nearly nothing, where there always was something.
    Silent,
}

/// The first lasting change of each direction and kind, in the order of time.
#[must_use]
pub fn changes(facts: &Facts) -> Vec<Change> {
    let rates: BTreeMap<Slot, Rates> =
        facts.samples.iter().filter_map(|(slot, revised)| Some((*slot, revised.rates()?))).collect();
    let mut changes: Vec<Change> = Direction::BOTH
        .into_iter()
        .flat_map(|direction| {
            [Turn::More, Turn::Silent].map(|turn| first(facts.window.slots(), &rates, direction, turn))
        })
        .flatten()
        .collect();
    changes.sort_by_key(|change| (change.from, change.direction));
    changes
}

fn first(span: SlotSpan, rates: &BTreeMap<Slot, Rates>, direction: Direction, turn: Turn) -> Option<Change> {
    let judged: Vec<Option<(Slot, Bps, Bps, Bps)>> = rates
        .range(span.from..span.until)
        .map(|(slot, now)| {
            let mut before: Vec<Bps> = (1..=WEEKS_BEFORE)
                .map(|week| slot.0 - week * WEEK_SLOTS)
                .flat_map(|same| rates.range(Slot(same - AROUND_SLOTS)..=Slot(same + AROUND_SLOTS)))
                .filter(|(slot, _)| **slot < span.from)
                .map(|(_, rates)| rates.towards(direction))
                .collect();
            before.sort_unstable();
            let (least, largest) = before.first().copied().zip(before.last().copied())?;
            let (now, median) = (now.towards(direction), before[(before.len() - 1) / 2]);
            let unusual = match turn {
                Turn::More => now >= FLOOR && now.0 / 2 > largest.0,
                Turn::Silent => least > Bps(100_000) && now.0 < least.0 / 10,
            };
            unusual.then_some((*slot, now, median, largest))
        })
        .collect();
    judged.iter().enumerate().find_map(|(i, found)| {
        let (from, bps, before_median_bps, before_largest_bps) = (*found)?;
        let next = &judged[i..judged.len().min(i + LASTING_OF)];
        let unusual_slots = next.iter().flatten().count();
        (unusual_slots >= LASTING).then_some(Change {
            from,
            direction,
            turn,
            bps,
            before_median_bps,
            before_largest_bps,
            unusual_slots,
            of_slots: LASTING_OF,
        })
    })
}
