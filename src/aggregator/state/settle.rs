//! What came late: closed slots made again, from memory where it reaches back, from the store where it does not.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use super::Aggregator;
use crate::aggregator::output::{Output, PortId, PortSlotOut, Revised, ServerId};
use crate::aggregator::server::Server;
use crate::metering::sample::Sample;
use crate::metering::slot::PortSlot;
use crate::metering::units::Slot;

impl Aggregator {
    /// Makes a closed slot's sample again; a new revision where it differs.
    pub(super) fn put_right(&mut self, id: ServerId, slot: Slot) {
        let Some(server) = self.servers.get_mut(id.index()) else {
            return;
        };
        let known = server
            .bound_in(slot)
            .all(|b| self.ports.get(b.port.index()).is_some_and(|p| p.known_from() <= slot));
        let before = match server.recent(slot) {
            Some(before) if known => before,
            _ => {
                let cold = self.cold.entry(id).or_insert(slot);
                *cold = slot.min(*cold);
                return;
            }
        };
        let ports = &self.ports;
        let sample = server.sample(slot, |port| ports.get(port.index())?.carried(slot));
        for bound in server.bound_in(slot) {
            if let Some((open, carried)) = ports.get(bound.port.index()).and_then(|p| p.meter.open())
                && open == slot
            {
                self.output.port_slots.push(PortSlotOut { port: bound.port, slot, carried, complete: false });
            }
        }
        revise(server, &mut self.output, slot, before, sample);
        self.changed(id, slot);
        self.check_tally(id);
    }

    /// Notes a tally of which revisions have taken more than it can tell.
    fn check_tally(&mut self, id: ServerId) {
        if let Some(server) = self.servers.get(id.index())
            && server.tally.figures(self.closed_until(server)).is_err()
        {
            self.stale_tallies.insert(id);
        }
    }

    /// Takes the servers that must be settled from the store, with the first slot to settle.
    pub fn take_cold(&mut self) -> BTreeMap<ServerId, Slot> {
        mem::take(&mut self.cold)
    }

    /// Gives back servers that could not be settled.
    pub fn give_back_cold(&mut self, servers: impl IntoIterator<Item = (ServerId, Slot)>) {
        for (server, from) in servers {
            let cold = self.cold.entry(server).or_insert(from);
            *cold = from.min(*cold);
        }
    }

    /// Gives back servers whose tally could not be read.
    pub fn give_back_stale_tallies(&mut self, servers: impl IntoIterator<Item = ServerId>) {
        self.stale_tallies.extend(servers);
    }

    /// Whether any server waits to be settled from the store.
    #[must_use]
    pub fn has_cold(&self) -> bool {
        !self.cold.is_empty()
    }

    /// Takes the servers whose tally must be read again.
    pub fn take_stale_tallies(&mut self) -> BTreeSet<ServerId> {
        mem::take(&mut self.stale_tallies)
    }

    /// Whether any server's tally waits to be read again.
    #[must_use]
    pub fn has_stale_tallies(&self) -> bool {
        !self.stale_tallies.is_empty()
    }

    /// Makes a server's closed slots from `from` on anew: from `stored_slots`, what its ports carried by the store
    /// (memory goes before it), against `stored_samples`, what the store has of its samples.
    pub fn settle(
        &mut self,
        id: ServerId,
        from: Slot,
        stored_slots: &BTreeMap<(Slot, PortId), PortSlot>,
        stored_samples: &BTreeMap<Slot, Revised>,
    ) {
        let Some(server) = self.servers.get_mut(id.index()) else {
            return;
        };
        let Some(until) = server.closed_until else { return };
        let mut slots: BTreeSet<Slot> = stored_slots.keys().map(|(slot, _)| *slot).collect();
        slots.extend(stored_samples.keys());
        for bound in &server.bound {
            if let Some(port) = self.ports.get(bound.port.index()) {
                slots.extend(port.slots_between(from, until));
            }
        }
        for slot in slots.range(from..until.max(from)).copied() {
            let ports = &self.ports;
            let carried = |id: PortId| {
                let live = ports.get(id.index()).and_then(|port| port.carried(slot));
                live.or_else(|| stored_slots.get(&(slot, id)).copied())
            };
            let sample = server.sample(slot, carried);
            let before = stored_samples.get(&slot).copied().unwrap_or(Revised { sample: None, revision: 0 });
            revise(server, &mut self.output, slot, before, sample);
        }
        self.changed(id, from);
        self.check_tally(id);
    }
}

/// Lays down a new revision of a closed slot's sample where it differs from the one before.
fn revise(server: &mut Server, output: &mut Output, slot: Slot, before: Revised, sample: Option<Sample>) {
    if before.sample == sample {
        return;
    }
    let revision = output.revise(server.id, slot, before, sample);
    server.tally.change(slot, before.rates(), sample.map(|s| s.rates));
    if server.recent(slot).is_some() {
        server.remember(slot, Revised { sample, revision });
    }
}
