//! When a server began to behave unlike itself: its slots against the same time of the week in the four weeks before.
//!
//! A slot is compared with all samples within an hour of the same time of the week, in each of the four weeks
//! before it: with up to 4 x 25 = 100 of them. It is *louder* when it is above twice the largest of them, and
//! *silent* when it is below the floor and the smallest of them is twice the floor or more; what is below the floor
//! is never loud. One such slot is chance: a change is told from the first slot on that is unlike the habit in at
//! least six of twelve slots.
//!
//! A server had between 2 and 9 Mbit/s on Mondays from 13:00 to 15:00. On this Monday at 14:00 it has 18 Mbit/s,
//! which is not above 2 x 9, and at 14:05 it has 19 Mbit/s, which is. When five of the eleven slots after it are
//! above twice their largest as well, 14:05 is when it changed.

use serde::{Deserialize, Serialize};

use super::period::SlotSpan;
use super::sample::{Direction, Rates};
use super::units::{Bps, Slot};

/// How many weeks before are looked at.
pub const WEEKS: i64 = 4;

/// Slots of a week.
pub const WEEK_SLOTS: i64 = 2_016;

/// How many slots to either side are the same time of the week: an hour.
pub const AROUND_SLOTS: i64 = 12;

/// A slot is compared only where there are so many samples to compare it with: a quarter of what there can be.
pub const SAMPLES_MIN: usize = 25;

/// How many times the largest a louder slot is above.
pub const FACTOR: u64 = 2;

/// Below this there is next to no traffic.
pub const FLOOR: Bps = Bps(100_000);

/// A change is lasting when this many slots are unlike the habit,
pub const LASTING_SLOTS: usize = 6;

/// of this many, the first one included.
pub const OF_SLOTS: i64 = 12;

/// One direction of a window, compared with the weeks before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = HabitCompared)]
pub struct Compared {
    /// The direction.
    pub direction: Direction,
    /// Slots of the window that have a sample and enough samples of the weeks before to compare it with.
    pub slots: u64,
    /// The first lasting change.
    pub change: Option<Change>,
}

/// When a server began to behave unlike itself, with the figures of the first slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = HabitChange)]
pub struct Change {
    /// The first slot that is unlike the habit.
    pub from: Slot,
    /// How it is.
    pub kind: Kind,
    /// Its rate.
    pub value_bps: Bps,
    /// What the same time of the week had before.
    pub usual: Usual,
    /// How many of the [`OF_SLOTS`] slots from the first one on are unlike the habit in the same way, itself
    /// included.
    pub unlike_slots: u64,
}

/// In which way a slot is unlike the habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = HabitKind)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Above twice the largest.
    Louder,
    /// Next to no traffic where there always was some.
    Silent,
}

/// What the same time of the week had in the weeks before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Usual {
    /// How many samples there are.
    pub samples: u64,
    /// The smallest.
    pub smallest_bps: Bps,
    /// The median by nearest rank: of 100 samples the 50th ascending.
    pub median_bps: Bps,
    /// The largest.
    pub largest_bps: Bps,
}

/// Compares every slot of `window` with the same time of the week before it, direction by direction.
///
/// `samples` are those of the window and of the [`WEEKS`] weeks and an hour before it, ascending, a slot at most
/// once. A slot without a sample is not compared: not measured is not silent.
#[must_use]
pub fn compare(samples: &[(Slot, Rates)], window: SlotSpan) -> [Compared; 2] {
    Direction::BOTH.map(|direction| {
        let mut compared = 0;
        let mut unlike: Vec<Unlike> = Vec::new();
        let mut before = Vec::new();
        for (slot, rates) in between(samples, window.from, window.until) {
            let value = rates.towards(direction);
            before.clear();
            before.extend(same_time(samples, *slot).map(|rates| rates.towards(direction)));
            if let Some(usual) = usual(&mut before) {
                compared += 1;
                let kind = kind(value, &usual);
                unlike.extend(kind.map(|kind| Unlike { slot: *slot, kind, value, usual }));
            }
        }
        Compared { direction, slots: compared, change: first_lasting(&unlike) }
    })
}

/// A slot that is unlike the habit.
#[derive(Debug, Clone, Copy)]
struct Unlike {
    slot: Slot,
    kind: Kind,
    value: Bps,
    usual: Usual,
}

fn first_lasting(unlike: &[Unlike]) -> Option<Change> {
    unlike.iter().enumerate().find_map(|(at, first)| {
        let until = Slot(first.slot.0.saturating_add(OF_SLOTS));
        let near = unlike.get(at..)?.iter().take_while(|other| other.slot < until);
        let alike = near.filter(|other| other.kind == first.kind).count();
        (alike >= LASTING_SLOTS).then(|| Change {
            from: first.slot,
            kind: first.kind,
            value_bps: first.value,
            usual: first.usual,
            unlike_slots: u64::try_from(alike).unwrap_or(u64::MAX),
        })
    })
}

fn kind(value: Bps, usual: &Usual) -> Option<Kind> {
    if value >= FLOOR && value.0 > usual.largest_bps.0.saturating_mul(FACTOR) {
        Some(Kind::Louder)
    } else if value < FLOOR && usual.smallest_bps.0 >= FLOOR.0.saturating_mul(FACTOR) {
        Some(Kind::Silent)
    } else {
        None
    }
}

/// `None` where there is too little to compare with. Reorders `before`.
fn usual(before: &mut [Bps]) -> Option<Usual> {
    if before.len() < SAMPLES_MIN {
        return None;
    }
    before.sort_unstable();
    Some(Usual {
        samples: u64::try_from(before.len()).ok()?,
        smallest_bps: *before.first()?,
        median_bps: *before.get((before.len() - 1) / 2)?,
        largest_bps: *before.last()?,
    })
}

/// The samples of the same time of the week in the weeks before `slot`.
fn same_time(samples: &[(Slot, Rates)], slot: Slot) -> impl Iterator<Item = Rates> {
    (1..=WEEKS).flat_map(move |week| {
        let middle = slot.0.saturating_sub(week * WEEK_SLOTS);
        let from = Slot(middle.saturating_sub(AROUND_SLOTS));
        let until = Slot(middle.saturating_add(AROUND_SLOTS).saturating_add(1));
        between(samples, from, until).iter().map(|(_, rates)| *rates)
    })
}

fn between(samples: &[(Slot, Rates)], from: Slot, until: Slot) -> &[(Slot, Rates)] {
    let start = samples.partition_point(|(slot, _)| *slot < from);
    let end = samples.partition_point(|(slot, _)| *slot < until);
    samples.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
