//! One server's live state.

use std::collections::{BTreeMap, VecDeque};

use super::output::{PortId, Revised, ServerId};
use super::port::Port;
use crate::inventory::Binding;
use crate::metering::period::SlotSpan;
use crate::metering::sample::{Sample, combine, port_rates};
use crate::metering::slot::PortSlot;
use crate::metering::tally::Tally;
use crate::metering::throttle::policy::WINDOW_SLOTS_MAX;
use crate::metering::units::Slot;

/// How many closed slots of a server, and of its ports, stay in memory, so that what comes late is put right at once and
/// no rule need look into the store: two hours. What is older is read from there when it is needed.
pub const RECENT_SLOTS: i64 = 24;

const _: () =
    assert!(WINDOW_SLOTS_MAX as i64 <= RECENT_SLOTS, "memory reaches as far back as a rule may look");

/// A port of a server, with the span of time for which it is one.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The port.
    pub port: PortId,
    /// Since when, until when, and whose interface.
    pub binding: Binding,
}

/// A server: its ports, what of it has closed, and its month.
#[derive(Debug)]
pub struct Server {
    /// Its number.
    pub id: ServerId,
    /// Its name.
    pub name: String,
    /// Its ports over time; empty once the inventory no longer has it.
    pub bound: Vec<Bound>,
    /// Ports of its own that are read only to be compared with those: nothing of it is made of them, or waits for them.
    pub checked: Vec<Bound>,
    /// The slots in which it is in service.
    pub service: SlotSpan,
    /// Slots before this one have closed; `None` before the first reading.
    pub closed_until: Option<Slot>,
    /// The month that is being filled.
    pub month: SlotSpan,
    /// That month's figures.
    pub tally: Tally,
    /// Closed slots with a sample or a withdrawn one, ascending.
    recent: VecDeque<(Slot, Revised)>,
    /// From this slot on, `recent` has every closed slot's sample.
    recent_from: Slot,
}

impl Server {
    /// A server of which nothing has closed.
    #[must_use]
    pub fn new(id: ServerId, name: String, month: SlotSpan, tally: Tally) -> Self {
        let service = SlotSpan { from: Slot(0), until: Slot(i64::MAX) };
        Self {
            id,
            name,
            bound: Vec::new(),
            checked: Vec::new(),
            service,
            closed_until: None,
            month,
            tally,
            recent: VecDeque::new(),
            recent_from: Slot(0),
        }
    }

    /// The ports that are its own in `slot`, that is at its start.
    pub fn bound_in(&self, slot: Slot) -> impl Iterator<Item = &Bound> {
        let start = slot.start();
        self.bound.iter().filter(move |bound| bound.binding.holds_at(start))
    }

    /// The ports that are read only to be compared with its own in `slot`, that is at its start.
    pub fn checked_in(&self, slot: Slot) -> impl Iterator<Item = &Bound> {
        let start = slot.start();
        self.checked.iter().filter(move |bound| bound.binding.holds_at(start))
    }

    /// The sample of `slot`, from what `carried` says of each port.
    #[must_use]
    pub fn sample(&self, slot: Slot, carried: impl Fn(PortId) -> Option<PortSlot>) -> Option<Sample> {
        if !self.service.contains(slot) {
            return None;
        }
        let rates = |bound: &Bound| port_rates(&carried(bound.port)?, bound.binding.kind);
        combine(self.bound_in(slot).map(rates))
    }

    /// Slots before this one can close because every port has a reading at or past their end (SPEC.md section 4);
    /// `None` where no port keeps any slot waiting, for then only grace closes them.
    #[must_use]
    pub fn complete_until(&self, ports: &[Port]) -> Option<Slot> {
        let closed_until = self.closed_until?;
        let limit = |bound: &Bound| {
            let until = bound.binding.until.map_or(Slot(i64::MAX), Slot::starting_from);
            let from = bound.binding.from.map_or(Slot(0), Slot::starting_from);
            let read_until = ports.get(bound.port.index()).and_then(Port::complete_until).unwrap_or(Slot(0));
            let limit = read_until.max(from);
            (until > closed_until && limit < until).then_some(limit)
        };
        self.bound.iter().filter_map(limit).min()
    }

    /// What is known of the closed slot `slot`; `None` where memory does not reach back to it.
    #[must_use]
    pub fn recent(&self, slot: Slot) -> Option<Revised> {
        if slot < self.recent_from {
            return None;
        }
        let at = self.recent.partition_point(|(s, _)| *s < slot);
        let found = self.recent.get(at).filter(|(s, _)| *s == slot).map(|(_, revised)| *revised);
        Some(found.unwrap_or(Revised { sample: None, revision: 0 }))
    }

    /// Remembers what is now known of a closed slot.
    pub fn remember(&mut self, slot: Slot, revised: Revised) {
        let at = self.recent.partition_point(|(s, _)| *s < slot);
        match self.recent.get_mut(at) {
            Some((s, known)) if *s == slot => *known = revised,
            _ => self.recent.insert(at, (slot, revised)),
        }
    }

    /// The closed slots that memory ought to have: the newest [`RECENT_SLOTS`].
    #[must_use]
    pub fn recent_span(&self) -> SlotSpan {
        let until = self.closed_until.unwrap_or(Slot(0));
        SlotSpan { from: Slot(until.0.saturating_sub(RECENT_SLOTS)), until }
    }

    /// Takes from `stored` what memory ought to have.
    pub fn recall(&mut self, stored: &BTreeMap<Slot, Revised>) {
        let SlotSpan { from, until } = self.recent_span();
        self.recent = stored.range(from..until).map(|(slot, revised)| (*slot, *revised)).collect();
        self.recent_from = from;
    }

    /// Forgets closed slots before `slot`: they are in the store.
    pub fn forget_before(&mut self, slot: Slot) {
        while self.recent.front().is_some_and(|(s, _)| *s < slot) {
            self.recent.pop_front();
        }
        self.recent_from = self.recent_from.max(slot);
    }

    /// The newest closed slots, ascending, each with its sample where it has one: `count` of them, or fewer where memory
    /// does not reach back as far. Empty before the first reading.
    pub fn newest_closed(&self, count: u32) -> impl Iterator<Item = (Slot, Option<Sample>)> + '_ {
        let until = self.closed_until.unwrap_or(self.recent_from);
        let from = Slot(until.0.saturating_sub(count.into())).max(self.recent_from);
        let start = self.recent.partition_point(|(slot, _)| *slot < from);
        let mut known = self.recent.range(start..).peekable();
        (from.0..until.0).map(Slot).map(move |slot| {
            let found = known.next_if(|(s, _)| *s == slot);
            (slot, found.and_then(|(_, revised)| revised.sample))
        })
    }

    /// The newest slot with a sample that memory holds.
    #[must_use]
    pub fn newest(&self) -> Option<(Slot, Sample)> {
        self.recent.iter().rev().find_map(|(slot, revised)| Some((*slot, revised.sample?)))
    }
}
