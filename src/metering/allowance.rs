//! What a plan and its add-ons grant, slot by slot (SPEC.md section 6).

use meter95_reading::Timestamp;

use super::period::SlotSpan;
use super::units::{Bps, Slot};

/// The allowance of a plan that names none: 1 Mbps.
pub const ALLOWANCE_DEFAULT: Bps = Bps(1_000_000);

/// Bandwidth granted from an instant on, until another or without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// How much.
    pub bps: Bps,
    /// From when; `None` since ever.
    pub from: Option<Timestamp>,
    /// Until before when; `None` without end.
    pub until: Option<Timestamp>,
}

impl Grant {
    /// Whether it is in force at `time`.
    #[must_use]
    pub fn holds_at(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time < until)
    }
}

/// A server's allowance over time: the sum of the grants in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allowance {
    grants: Vec<Grant>,
}

impl Allowance {
    /// The allowance that `grants`, the plan's own among them, make together.
    #[must_use]
    pub fn new(grants: Vec<Grant>) -> Self {
        Self { grants }
    }

    /// What is granted at `time`.
    #[must_use]
    pub fn at(&self, time: Timestamp) -> Bps {
        self.grants.iter().filter(|g| g.holds_at(time)).fold(Bps(0), |sum, g| sum.plus(g.bps))
    }

    /// What is granted in a slot, that is at its start.
    #[must_use]
    pub fn in_slot(&self, slot: Slot) -> Bps {
        self.at(slot.start())
    }

    /// The steps of the allowance over `span`: the slot from which on each holds, in order, the first at its start.
    /// Empty for an empty span.
    #[must_use]
    pub fn steps(&self, span: SlotSpan) -> Vec<(Slot, Bps)> {
        let edges = self.grants.iter().flat_map(|g| [g.from, g.until]).flatten().map(Slot::starting_from);
        let mut slots: Vec<Slot> = edges.chain([span.from]).filter(|slot| span.contains(*slot)).collect();
        slots.sort_unstable();
        slots.dedup();
        let mut steps: Vec<(Slot, Bps)> = slots.into_iter().map(|slot| (slot, self.in_slot(slot))).collect();
        steps.dedup_by_key(|(_, bps)| *bps);
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_add_on_counts_from_the_first_slot_that_starts_in_it() {
        let plan = Grant { bps: Bps(1_000), from: None, until: None };
        let addon = Grant { bps: Bps(500), from: Some(Timestamp(300_001)), until: Some(Timestamp(900_000)) };
        let allowance = Allowance::new(vec![plan, addon]);
        let span = SlotSpan { from: Slot(0), until: Slot(10) };
        let steps = [(Slot(0), Bps(1_000)), (Slot(2), Bps(1_500)), (Slot(3), Bps(1_000))];
        assert_eq!(allowance.steps(span), steps);
        assert_eq!(allowance.in_slot(Slot(1)), Bps(1_000));
        assert_eq!(allowance.in_slot(Slot(2)), Bps(1_500));
    }
}
