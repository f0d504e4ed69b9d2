//! From readings to port slots and samples, without the live state (SPEC.md sections 2 to 4).

use hashbrown::HashMap;
use meter95_reading::{Counters, PortKey, Timestamp};

use crate::aggregator::output::PortId;
use crate::inventory::{Binding, Inventory, Server};
use crate::metering::allowance::Grant;
use crate::metering::meter::PortMeter;
use crate::metering::period::SlotSpan;
use crate::metering::sample::{Sample, combine, port_rates};
use crate::metering::slot::PortSlot;
use crate::metering::units::Slot;

/// The time whose readings decide over some slots, half-open.
///
/// A stretch of over `max_gap` yields nothing, so a reading further away neither adds to a slot nor takes from it: what
/// is before the first reading in here, and after the last, is too far from the slots or is a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

impl Window {
    /// The window around `span`, a slot wider than it need be at either end.
    #[must_use]
    pub fn around(span: SlotSpan, max_gap_ms: i64) -> Self {
        let reach_ms = max_gap_ms.saturating_add(Slot::MS);
        Self { from: span.from.start().plus_ms(-reach_ms), until: span.until.start().plus_ms(reach_ms) }
    }
}

/// The speeds of ports by the operator's word, each for a span of time.
#[must_use]
pub fn speeds(inventory: &Inventory) -> HashMap<&PortKey, Vec<Grant>> {
    let mut speeds: HashMap<&PortKey, Vec<Grant>> = HashMap::new();
    let bindings = inventory.servers.values().flat_map(|s| s.ports.iter().chain(&s.check_ports));
    for Binding { port, speed, from, until, .. } in bindings {
        if let Some(bps) = *speed {
            speeds.entry(port).or_default().push(Grant { bps, from: *from, until: *until });
        }
    }
    speeds
}

/// One port on the way through the readings of a window.
#[derive(Debug)]
pub struct Replay<'a> {
    span: SlotSpan,
    speeds: &'a [Grant],
    max_gap_ms: i64,
    meter: PortMeter,
    carried: Carried,
}

/// What a port carried in some slots, by its readings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// Ascending.
    slots: Vec<(Slot, PortSlot)>,
    /// The first and the last reading of the window.
    read: Option<(Timestamp, Timestamp)>,
}

impl<'a> Replay<'a> {
    /// A port of these `speeds` before the first reading of the window around `span`.
    #[must_use]
    pub fn new(span: SlotSpan, speeds: &'a [Grant], max_gap_ms: i64) -> Self {
        Self { span, speeds, max_gap_ms, meter: PortMeter::default(), carried: Carried::default() }
    }

    /// Takes in the next reading.
    pub fn observe(&mut self, reading: &Counters) {
        let speed = self.speeds.iter().find(|speed| speed.holds_at(reading.time)).map(|speed| speed.bps);
        let (span, slots) = (self.span, &mut self.carried.slots);
        // Breaks are stored where they were found; here only what they leave over counts.
        let _ = self.meter.observe(reading, speed, self.max_gap_ms, |slot, carried| {
            if span.contains(slot) {
                slots.push((slot, carried));
            }
        });
        let (first, last) = self.carried.read.unwrap_or((reading.time, reading.time));
        self.carried.read = Some((first, last.max(reading.time)));
    }

    /// What it carried, the slot that is still open among it.
    #[must_use]
    pub fn finish(self) -> Carried {
        let mut carried = self.carried;
        carried.slots.extend(self.meter.open().filter(|(slot, _)| self.span.contains(*slot)));
        carried
    }
}

impl Carried {
    /// What it carried in `slot`; `None` where that is nothing.
    #[must_use]
    pub fn in_slot(&self, slot: Slot) -> Option<PortSlot> {
        let at = self.slots.binary_search_by_key(&slot, |(s, _)| *s).ok()?;
        self.slots.get(at).map(|(_, carried)| *carried)
    }

    /// The slots in which it carried something, ascending.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.slots.iter().map(|(slot, _)| *slot)
    }

    /// Whether no later reading can add to `slot`.
    #[must_use]
    pub fn is_complete(&self, slot: Slot) -> bool {
        self.read.is_some_and(|(_, last)| slot.end() <= last)
    }

    /// Whether there are readings both before and after `slot`, so that they tell all of it.
    #[must_use]
    pub fn spans(&self, slot: Slot) -> bool {
        self.read.is_some_and(|(first, last)| first <= slot.start() && slot.end() <= last)
    }

    /// Puts `carried` in the place of what it has in `slot`.
    pub fn set(&mut self, slot: Slot, carried: PortSlot) {
        match self.slots.binary_search_by_key(&slot, |(s, _)| *s) {
            Ok(at) => self.slots[at].1 = carried,
            Err(at) => self.slots.insert(at, (slot, carried)),
        }
    }
}

/// A server's contract, ready to make samples by.
#[derive(Debug, Clone)]
pub struct Bound<'a> {
    /// The server.
    pub server: &'a Server,
    service: SlotSpan,
    /// A port without a number was never read.
    ports: Vec<(Option<PortId>, &'a Binding)>,
}

impl<'a> Bound<'a> {
    /// The contract of `server`, whose ports have the numbers that `number` tells.
    #[must_use]
    pub fn new(server: &'a Server, number: impl Fn(&PortKey) -> Option<PortId>) -> Self {
        let ports = server.ports.iter().map(|binding| (number(&binding.port), binding));
        Self { server, service: server.service_slots(), ports: ports.collect() }
    }

    /// Every port that is or was its own.
    pub fn ports(&self) -> impl Iterator<Item = PortId> + '_ {
        self.ports.iter().filter_map(|(id, _)| *id)
    }

    /// The ports that are its own in `slot`, that is at its start.
    pub fn ports_in(&self, slot: Slot) -> impl Iterator<Item = PortId> + '_ {
        let start = slot.start();
        self.ports.iter().filter(move |(_, binding)| binding.holds_at(start)).filter_map(|(id, _)| *id)
    }

    /// The sample of `slot`, from what `carried` says of each port.
    #[must_use]
    pub fn sample(&self, slot: Slot, carried: impl Fn(PortId) -> Option<PortSlot>) -> Option<Sample> {
        if !self.service.contains(slot) {
            return None;
        }
        let start = slot.start();
        let holds = self.ports.iter().filter(|(_, binding)| binding.holds_at(start));
        combine(holds.map(|(id, binding)| port_rates(&carried((*id)?)?, binding.kind)))
    }
}
