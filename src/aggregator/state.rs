//! The live state as a whole, without I/O: time and readings are arguments, what follows from them is output.
//!
//! Here is what happens all the time: readings come in, slots close. [`contracts`] puts another inventory in force,
//! [`settle`] puts right what came late, and [`resume`] is the way back after a stop. [`look`] is for those who ask what
//! ports carried, [`changes`] for those who keep figures made of this state.

mod contracts;

mod resume;
mod settle;

mod look;

pub mod changes;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

use hashbrown::HashMap;
use meter95_reading::{Counters, PortKey, Timestamp};

use super::output::{BreakOut, Output, PortId, PortSlotOut, Revised, SampleOut, ServerId};
use super::port::Port;
use super::server::{RECENT_SLOTS, Server};
use crate::inventory::Inventory;
use crate::metering::delta::{BreakKind, MAX_GAP_MS_DEFAULT};
use crate::metering::period::{Month, SlotSpan};
use crate::metering::slot::PortSlot;
use crate::metering::tally::{Rules, Tally};
use crate::metering::units::Slot;
use changes::Changes;

/// How long after its end a slot waits for ports without a reading, in ms, unless configured: 600 s.
pub const GRACE_MS_DEFAULT: i64 = 600_000;

/// The waiting times of SPEC.md.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// The longest stretch between two readings that is spread, in ms.
    pub max_gap_ms: i64,
    /// How long after its end a slot waits for ports without a reading, in ms.
    pub grace_ms: i64,
}

impl Default for Times {
    fn default() -> Self {
        Self { max_gap_ms: MAX_GAP_MS_DEFAULT, grace_ms: GRACE_MS_DEFAULT }
    }
}

/// Every port and server, as of the newest reading and the clock.
#[derive(Debug)]
pub struct Aggregator {
    times: Times,
    inventory: Arc<Inventory>,
    port_ids: HashMap<PortKey, PortId>,
    ports: Vec<Port>,
    server_ids: HashMap<String, ServerId>,
    servers: Vec<Server>,
    clock: Timestamp,
    /// Closed slots to which a port has added something since.
    late: BTreeSet<(ServerId, Slot)>,
    /// Servers whose slots from the given one on must be made anew from the store, since memory does not reach back.
    cold: BTreeMap<ServerId, Slot>,
    /// Servers whose tally must be read again from the store.
    stale_tallies: BTreeSet<ServerId>,
    /// What has changed, for those who keep figures made of it.
    changes: Changes,
    output: Output,
    /// The slots that the reading at hand completes; kept for its allocation.
    complete: Vec<(Slot, PortSlot)>,
}

impl Aggregator {
    /// The state before any reading, at the instant `clock`.
    #[must_use]
    pub fn new(times: Times, clock: Timestamp) -> Self {
        Self {
            times,
            inventory: Arc::new(Inventory::empty()),
            port_ids: HashMap::new(),
            ports: Vec::new(),
            server_ids: HashMap::new(),
            servers: Vec::new(),
            clock,
            late: BTreeSet::new(),
            cold: BTreeMap::new(),
            stale_tallies: BTreeSet::new(),
            changes: Changes::default(),
            output: Output::default(),
            complete: Vec::new(),
        }
    }

    /// All ports; a port's number is its place.
    #[must_use]
    pub fn ports(&self) -> &[Port] {
        &self.ports
    }

    /// All servers that there are or were; a server's number is its place.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The server of this name, unless the inventory never had it.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<&Server> {
        self.server_ids.get(name).and_then(|id| self.servers.get(id.index()))
    }

    /// The inventory in force.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The inventory in force, to be kept: it is never changed, only replaced by another one.
    #[must_use]
    pub fn shared_inventory(&self) -> Arc<Inventory> {
        Arc::clone(&self.inventory)
    }

    /// What has changed of servers' figures.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The instant up to which time has been told.
    #[must_use]
    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// The number of a port, a new one where it has none yet.
    pub fn port_id(&mut self, key: &PortKey) -> PortId {
        if let Some(id) = self.port_ids.get(key) {
            return *id;
        }
        let id = PortId(u32::try_from(self.ports.len()).unwrap_or(u32::MAX));
        self.ports.push(Port::new(key.clone()));
        self.port_ids.insert(key.clone(), id);
        id
    }

    /// The number of a port; a new one where it has none yet, unless it `may` not have one.
    pub fn find_or_number(&mut self, key: &PortKey, may: bool) -> Option<PortId> {
        if may { Some(self.port_id(key)) } else { self.port_ids.get(key).copied() }
    }

    /// The number of a server, a new one where it has none yet.
    pub fn server_id(&mut self, name: &str) -> ServerId {
        if let Some(id) = self.server_ids.get(name) {
            return *id;
        }
        let id = ServerId(u32::try_from(self.servers.len()).unwrap_or(u32::MAX));
        let month = self.month_at(self.clock);
        let rules = Rules {
            span: SlotSpan { from: month.from, until: month.from },
            method: Default::default(),
            missing: Default::default(),
            allowance: Default::default(),
        };
        self.servers.push(Server::new(id, name.to_owned(), month, Tally::new(rules)));
        self.server_ids.insert(name.to_owned(), id);
        id
    }

    /// Whether a reading of this instant goes forward for its port, and if so, takes note of it. A reading that does
    /// not is stale: it need not even be stored.
    pub fn accept(&mut self, id: PortId, time: Timestamp) -> bool {
        let Some(port) = self.ports.get_mut(id.index()) else {
            return false;
        };
        let forward = port.accepted.is_none_or(|accepted| accepted < time);
        if forward {
            port.accepted = Some(time);
        }
        forward
    }

    /// Takes in a reading, which is durable by now.
    pub fn observe(&mut self, id: PortId, reading: &Counters) {
        let Some(port) = self.ports.get_mut(id.index()) else {
            return;
        };
        let before = port.complete_until();
        let complete = &mut self.complete;
        complete.clear();
        let speed = port.speed_at(reading.time);
        let found = port.meter.observe(reading, speed, self.times.max_gap_ms, |slot, carried| {
            complete.push((slot, carried));
        });
        if let Some(found) = found {
            if found.kind == BreakKind::Stale {
                return;
            }
            self.output.breaks.push(BreakOut { port: id, found });
        }
        for (slot, carried) in complete.drain(..) {
            self.output.port_slots.push(PortSlotOut { port: id, slot, carried, complete: true });
            if port.is_kept() {
                port.keep(slot, carried);
            }
            if slot < port.closed_until {
                self.late.extend(port.servers.iter().map(|server| (*server, slot)));
            }
        }
        if let Some((slot, _)) = port.meter.open()
            && slot < port.closed_until
        {
            self.late.extend(port.servers.iter().map(|server| (*server, slot)));
        }
        let now = port.complete_until();
        if now == before {
            return;
        }
        if port.servers.is_empty()
            && let Some(slot) = now
        {
            let kept = if port.watched { RECENT_SLOTS } else { 0 };
            port.forget_before(Slot(slot.0.saturating_sub(kept)));
        }
        for i in 0..port.servers.len() {
            let Some(server) = self.ports[id.index()].servers.get(i).copied() else {
                break;
            };
            self.start_and_close(server, Slot::of(reading.time));
        }
    }

    /// Closes what can close now that one of the server's ports has a reading in `slot`.
    fn start_and_close(&mut self, id: ServerId, slot: Slot) {
        let Some(server) = self.servers.get_mut(id.index()) else {
            return;
        };
        if server.closed_until.is_none() {
            server.closed_until = Some(slot);
            self.tell_ports(id);
        }
        let Some(server) = self.servers.get(id.index()) else { return };
        if let Some(until) = server.complete_until(&self.ports) {
            self.close(id, until);
        }
    }

    /// Moves the clock on, never back: closes slots whose grace is over, and puts right what came late.
    pub fn advance(&mut self, clock: Timestamp) {
        self.clock = self.clock.max(clock);
        let until = self.grace_over_until();
        for i in 0..self.servers.len() {
            let id = self.servers[i].id;
            if self.servers[i].closed_until.is_some_and(|closed| closed < until) {
                self.close(id, until);
            }
        }
        for (server, slot) in mem::take(&mut self.late) {
            self.put_right(server, slot);
        }
    }

    /// Slots before this one have had their grace.
    #[must_use]
    pub fn grace_over_until(&self) -> Slot {
        Slot::of(self.clock.plus_ms(-self.times.grace_ms))
    }

    /// Closes the server's slots before `until`.
    fn close(&mut self, id: ServerId, until: Slot) {
        let Some(server) = self.servers.get_mut(id.index()) else {
            return;
        };
        let Some(from) = server.closed_until.filter(|from| *from < until) else {
            return;
        };
        let mut slots: Vec<Slot> = Vec::new();
        for bound in &server.bound {
            if let Some(port) = self.ports.get(bound.port.index()) {
                slots.extend(port.slots_between(from, until));
                if port.known_from() > from {
                    let cold = self.cold.entry(id).or_insert(from);
                    *cold = from.min(*cold);
                }
            }
        }
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            let ports = &self.ports;
            let sample = server.sample(slot, |port| ports.get(port.index())?.carried(slot));
            for bound in server.bound_in(slot) {
                if let Some((open, carried)) = ports.get(bound.port.index()).and_then(|p| p.meter.open())
                    && open == slot
                {
                    self.output.port_slots.push(PortSlotOut {
                        port: bound.port,
                        slot,
                        carried,
                        complete: false,
                    });
                }
            }
            let Some(sample) = sample else { continue };
            if slot >= server.month.until {
                roll_over(server, &self.inventory, slot);
            }
            server.tally.change(slot, None, Some(sample.rates));
            server.remember(slot, Revised { sample: Some(sample), revision: 1 });
            self.output.samples.push(SampleOut { server: id, slot, sample: Some(sample), revision: 1 });
        }
        server.closed_until = Some(until);
        if until > server.month.until {
            roll_over(server, &self.inventory, until.previous());
        }
        let keep_from = Slot(until.0.saturating_sub(RECENT_SLOTS));
        server.forget_before(keep_from);
        self.changed(id, from);
        self.tell_ports(id);
    }

    /// Notes that figures of a server have changed by samples from `from` on.
    fn changed(&mut self, id: ServerId, from: Slot) {
        let before = self.servers.get(id.index()).is_some_and(|server| from < server.month.from);
        self.changes.note(id, before.then_some(self.clock));
    }

    /// Tells a server's ports how far their servers have come, and lets them forget what all have behind them.
    fn tell_ports(&mut self, id: ServerId) {
        let Some(server) = self.servers.get(id.index()) else { return };
        for bound in &server.bound {
            if let Some(port) = self.ports.get_mut(bound.port.index()) {
                tell_port(port, &self.servers);
            }
        }
    }

    /// Takes what is to be stored.
    pub fn take_output(&mut self) -> Output {
        mem::take(&mut self.output)
    }

    /// How many rows wait to be stored.
    #[must_use]
    pub fn output_rows(&self) -> usize {
        self.output.rows()
    }

    /// The slots of the server that have closed: by the server's own progress, or by grace where it has none.
    #[must_use]
    pub fn closed_until(&self, server: &Server) -> Slot {
        server.closed_until.unwrap_or(Slot(0)).max(self.grace_over_until())
    }
}

/// Tells a port how far its servers have come, and lets it forget what all have behind them.
fn tell_port(port: &mut Port, servers: &[Server]) {
    let closed = port.servers.iter().filter_map(|server| Some(servers.get(server.index())?.closed_until));
    let (mut first, mut last) = (Slot(i64::MAX), Slot(0));
    for until in closed.map(|until| until.unwrap_or(Slot(0))) {
        (first, last) = (first.min(until), last.max(until));
    }
    port.closed_until = last;
    if first <= last {
        port.forget_before(Slot(first.0.saturating_sub(RECENT_SLOTS)));
    }
}

fn month_at(inventory: &Inventory, time: Timestamp) -> SlotSpan {
    let month = Month::of(time, &inventory.timezone);
    month.map_or(SlotSpan { from: Slot(0), until: Slot(0) }, |month| month.slots(&inventory.timezone))
}

/// Begins the month in which `slot` lies.
fn roll_over(server: &mut Server, inventory: &Inventory, slot: Slot) {
    server.month = month_at(inventory, slot.start());
    if let Some(entry) = inventory.servers.get(&server.name) {
        server.tally = Tally::new(inventory.rules_of(entry, server.month));
    }
}
