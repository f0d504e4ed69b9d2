//! The way back after a stop: readings replayed, memory and tallies given back.

use std::collections::BTreeMap;

use meter95_reading::Counters;

use super::{Aggregator, tell_port};
use crate::aggregator::output::{BreakOut, PortId, PortSlotOut, Revised, ServerId};
use crate::aggregator::port::Port;
use crate::aggregator::server::RECENT_SLOTS;
use crate::metering::delta::BreakKind;
use crate::metering::period::SlotSpan;
use crate::metering::slot::PortSlot;
use crate::metering::tally::{Rules, Tally};
use crate::metering::units::Slot;

impl Aggregator {
    /// Takes in a reading that was stored before this state began. Only slots from `from` on count: what was carried
    /// before is in the store.
    pub fn replay(&mut self, id: PortId, reading: &Counters, from: Slot) {
        let Some(port) = self.ports.get_mut(id.index()) else {
            return;
        };
        port.forget_before(from);
        let complete = &mut self.complete;
        complete.clear();
        let speed = port.speed_at(reading.time);
        let found = port.meter.observe(reading, speed, self.times.max_gap_ms, |slot, carried| {
            if slot >= from {
                complete.push((slot, carried));
            }
        });
        for (slot, carried) in complete.drain(..) {
            port.keep(slot, carried);
            self.output.port_slots.push(PortSlotOut { port: id, slot, carried, complete: true });
        }
        port.accepted = Some(port.accepted.map_or(reading.time, |accepted| accepted.max(reading.time)));
        if let Some(found) = found.filter(|found| found.kind != BreakKind::Stale) {
            self.output.breaks.push(BreakOut { port: id, found });
        }
    }

    /// Ends replaying: decides for every server what of it has closed. What has closed since then is settled from the
    /// store: from `closed_then` on, before which everything had closed when the checkpoint was written, and from where
    /// `changed_from` says that readings changed one of its ports. What `stored` names has a sample, so it had closed.
    pub fn resume(
        &mut self,
        changed_from: &BTreeMap<PortId, Slot>,
        closed_then: Slot,
        stored: &BTreeMap<ServerId, Slot>,
    ) {
        let grace_over = self.grace_over_until();
        for server in &mut self.servers {
            let ports = || server.bound.iter().map(|bound| bound.port);
            let was_read = ports().any(|id| self.ports.get(id.index()).is_some_and(|p| p.accepted.is_some()));
            let stored_until = stored.get(&server.id).map(|slot| slot.next());
            if !was_read && stored_until.is_none() {
                continue;
            }
            let changed = ports().filter_map(|port| changed_from.get(&port).copied()).min();
            server.closed_until = Some(grace_over);
            let complete_until = server.complete_until(&self.ports);
            let closed_until = grace_over.max(complete_until.unwrap_or(grace_over));
            let closed_until = closed_until.max(stored_until.unwrap_or(closed_until));
            server.closed_until = Some(closed_until);
            server.forget_before(closed_until);
            let from = changed.map_or(closed_then, |slot| slot.min(closed_then));
            let cold = self.cold.entry(server.id).or_insert(from);
            *cold = from.min(*cold);
            self.changes.note(server.id, None);
        }
        for port in &mut self.ports {
            tell_port(port, &self.servers);
        }
    }

    /// By which rules the tallies of `servers` are to be read for the month of the clock, and that month.
    #[must_use]
    pub fn rules_now(
        &self,
        servers: impl IntoIterator<Item = ServerId>,
    ) -> (SlotSpan, Vec<(ServerId, Rules)>) {
        let month = self.month_at(self.clock);
        let rules = |id: ServerId| {
            let entry = self.inventory.servers.get(&self.servers.get(id.index())?.name)?;
            Some((id, self.inventory.rules_of(entry, month)))
        };
        (month, servers.into_iter().filter_map(rules).collect())
    }

    /// Puts a tally made from the store in place.
    pub fn set_tally(&mut self, id: ServerId, month: SlotSpan, tally: Tally) {
        if let Some(server) = self.servers.get_mut(id.index()) {
            server.month = month;
            server.tally = tally;
            self.changes.note(id, None);
        }
    }

    /// The ports of whose newest slots memory lacks some, each with the slots that it lacks: of a server's port from where
    /// the server remembers samples on, of others for as long before now.
    #[must_use]
    pub fn forgotten(&self) -> Vec<(PortId, SlotSpan)> {
        let grace_over = self.grace_over_until();
        let lacks = |(port, id): (&Port, u32)| {
            let closed =
                port.servers.iter().filter_map(|server| self.servers.get(server.index())?.closed_until);
            let newest = closed.min().unwrap_or(grace_over);
            let from = Slot(newest.0.saturating_sub(RECENT_SLOTS));
            let lacks = port.is_kept() && from < port.known_from();
            lacks.then_some((PortId(id), SlotSpan { from, until: port.known_from() }))
        };
        self.ports.iter().zip(0..).filter_map(lacks).collect()
    }

    /// Gives a port's memory back what the store has of its slots from `from` on, ascending.
    pub fn recall_port(
        &mut self,
        id: PortId,
        from: Slot,
        stored: impl DoubleEndedIterator<Item = (Slot, PortSlot)>,
    ) {
        if let Some(port) = self.ports.get_mut(id.index()) {
            port.recall(from, stored);
        }
    }

    /// Gives a server's memory back what the store has of its newest slots.
    pub fn recall(&mut self, id: ServerId, stored: &BTreeMap<Slot, Revised>) {
        if let Some(server) = self.servers.get_mut(id.index()) {
            server.recall(stored);
            self.changes.note(id, None);
        }
    }
}
