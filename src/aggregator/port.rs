//! One port's live state.

use std::collections::VecDeque;

use meter95_reading::{PortKey, Timestamp};

use super::output::ServerId;
use crate::metering::allowance::Grant;
use crate::metering::meter::PortMeter;
use crate::metering::slot::PortSlot;
use crate::metering::units::{Bps, Slot};

/// How many complete slots of a port wait in memory at most for the servers' other ports: a week. What is older is
/// read from the store when it is needed.
const WAITING_SLOTS_MAX: usize = 2_016;

/// A port: its meter, and its newest slots.
#[derive(Debug)]
pub struct Port {
    /// Device and interface.
    pub key: PortKey,
    /// Readings to slots.
    pub meter: PortMeter,
    /// Its speeds by the operator's word, each for a span of time.
    pub speeds: Vec<Grant>,
    /// The servers to which it belongs or belonged.
    pub servers: Vec<ServerId>,
    /// Whether its newest slots are kept although it may count for no server: it is an uplink's, or read only to be
    /// compared.
    pub watched: bool,
    /// When the newest reading was made that was taken for it; not before the meter's last one.
    pub accepted: Option<Timestamp>,
    /// Slots before this one have closed for one of its servers: what is added to them comes late.
    pub closed_until: Slot,
    /// Complete slots, ascending.
    complete: VecDeque<(Slot, PortSlot)>,
    /// From this slot on, everything the port has carried is in `complete` or in the meter.
    known_from: Slot,
}

impl Port {
    /// A port of which no reading is known.
    #[must_use]
    pub fn new(key: PortKey) -> Self {
        Self {
            key,
            meter: PortMeter::default(),
            speeds: Vec::new(),
            servers: Vec::new(),
            watched: false,
            accepted: None,
            closed_until: Slot(0),
            complete: VecDeque::new(),
            known_from: Slot(0),
        }
    }

    /// Its speed by the operator's word at `time`.
    #[must_use]
    pub fn speed_at(&self, time: Timestamp) -> Option<Bps> {
        self.speeds.iter().find(|speed| speed.holds_at(time)).map(|speed| speed.bps)
    }

    /// Whether its newest slots stay in memory: somebody may ask for them.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.watched || !self.servers.is_empty()
    }

    /// Forgets all that was carried before `slot`: it is in the store.
    pub fn forget_before(&mut self, slot: Slot) {
        while self.complete.front().is_some_and(|(s, _)| *s < slot) {
            self.complete.pop_front();
        }
        self.known_from = self.known_from.max(slot);
    }

    /// Keeps a slot to which nothing will be added.
    pub fn keep(&mut self, slot: Slot, carried: PortSlot) {
        if slot < self.known_from {
            return;
        }
        self.complete.push_back((slot, carried));
        if self.complete.len() > WAITING_SLOTS_MAX
            && let Some((oldest, _)) = self.complete.pop_front()
        {
            self.known_from = oldest.next();
        }
    }

    /// Takes from `stored`, ascending, what memory ought to have from `from` on and does not.
    pub fn recall(&mut self, from: Slot, stored: impl DoubleEndedIterator<Item = (Slot, PortSlot)>) {
        if from >= self.known_from {
            return;
        }
        let before = stored.rev().skip_while(|(slot, _)| *slot >= self.known_from);
        for (slot, carried) in before.take_while(|(slot, _)| from <= *slot) {
            self.complete.push_front((slot, carried));
        }
        self.known_from = from;
    }

    /// The first slot of which memory tells everything.
    #[must_use]
    pub fn known_from(&self) -> Slot {
        self.known_from
    }

    /// What it carried in `slot`, complete or so far; `None` where it has nothing, or where memory does not tell.
    #[must_use]
    pub fn carried(&self, slot: Slot) -> Option<PortSlot> {
        if let Some((open, carried)) = self.meter.open()
            && open == slot
        {
            return Some(carried);
        }
        let at = self.complete.partition_point(|(s, _)| *s < slot);
        self.complete.get(at).filter(|(s, _)| *s == slot).map(|(_, carried)| *carried)
    }

    /// The slots in `from..until` in which it carried something, ascending.
    pub fn slots_between(&self, from: Slot, until: Slot) -> impl Iterator<Item = Slot> + '_ {
        let start = self.complete.partition_point(|(s, _)| *s < from);
        let complete = self.complete.range(start..).map(|(s, _)| *s);
        complete.chain(self.meter.open().map(|(s, _)| s)).filter(move |s| from <= *s && *s < until)
    }

    /// Whether nothing will be added any more to what it carried in `slot`.
    #[must_use]
    pub fn is_complete(&self, slot: Slot) -> bool {
        self.complete_until().is_some_and(|until| slot < until)
    }

    /// The slot in which the last reading lies: every earlier one is complete. `None` without a reading.
    #[must_use]
    pub fn complete_until(&self) -> Option<Slot> {
        self.meter.last().map(|last| Slot::of(last.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recalled_is_what_memory_lacks() {
        let slot = |octets| PortSlot { rx_octets: octets, ..PortSlot::default() };
        for (from, known, expected) in [
            (3, 5, vec![(3, 3), (4, 4), (5, 50)]),
            (5, 5, vec![(5, 50)]),
            (6, 5, vec![(5, 50)]),
            (0, 5, vec![(2, 2), (3, 3), (4, 4), (5, 50)]),
            (3, 3, vec![(5, 50)]),
        ] {
            let mut port = Port::new(PortKey::new("sw1", "a").unwrap());
            port.forget_before(Slot(known));
            port.keep(Slot(5), slot(50));
            port.recall(Slot(from), (2..8).map(|i| (Slot(i), slot(i.unsigned_abs()))));
            let found: Vec<(i64, u64)> =
                port.complete.iter().map(|(slot, carried)| (slot.0, carried.rx_octets)).collect();
            assert_eq!(
                (found, port.known_from()),
                (expected, Slot(from.min(known))),
                "from {from}, known from {known}"
            );
        }
    }

    #[test]
    fn a_speed_holds_for_its_span() {
        let mut port = Port::new(PortKey::new("sw1", "a").unwrap());
        let speed = |bps, from, until| Grant { bps: Bps(bps), from, until };
        port.speeds = vec![speed(1, None, Some(Timestamp(10))), speed(10, Some(Timestamp(20)), None)];
        let at = |ms| port.speed_at(Timestamp(ms)).map(|bps| bps.0);
        assert_eq!([at(9), at(10), at(20)], [Some(1), None, Some(10)]);
    }
}
