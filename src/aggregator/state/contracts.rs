//! Another inventory: whose ports, by which rules.

use std::mem;
use std::sync::Arc;

use meter95_reading::{PortKey, Timestamp};

use super::{Aggregator, month_at, tell_port};
use crate::aggregator::server::Bound;
use crate::inventory::{Binding, Inventory, Server};
use crate::metering::allowance::Grant;
use crate::metering::period::SlotSpan;
use crate::metering::tally::Tally;
use crate::metering::units::Slot;

impl Aggregator {
    /// Puts another inventory in force. Servers whose ports or service changed are to be settled anew, and those
    /// whose rules changed need their tally again.
    pub fn set_inventory(&mut self, inventory: Inventory) {
        let old = mem::replace(&mut self.inventory, Arc::new(inventory));
        let names: Vec<String> = self.inventory.servers.keys().cloned().collect();
        for name in &names {
            self.server_id(name);
        }
        let moved_zone = old.timezone_name != self.inventory.timezone_name;
        for i in 0..self.servers.len() {
            let name = self.servers[i].name.clone();
            let entry = self.inventory.servers.get(&name).cloned();
            let ports = |of: fn(&Server) -> &[Binding]| entry.as_ref().map(of).unwrap_or_default();
            let bound = self.bind(ports(|entry| &entry.ports));
            let checked = self.bind(ports(|entry| &entry.check_ports));
            let before = old.servers.get(&name);
            let rebound = before.map(|s| (&s.ports, s.service_start, s.service_end))
                != entry.as_ref().map(|s| (&s.ports, s.service_start, s.service_end));
            let server = &mut self.servers[i];
            if let Some(entry) = &entry {
                server.service = entry.service_slots();
                let month = if moved_zone || before.is_none() {
                    month_at(&self.inventory, self.clock)
                } else {
                    server.month
                };
                let rules = self.inventory.rules_of(entry, month);
                if month != server.month || rules != *server.tally.rules() {
                    server.month = month;
                    server.tally = Tally::new(rules);
                    self.stale_tallies.insert(server.id);
                }
            }
            (server.bound, server.checked) = (bound, checked);
            if entry.is_none() {
                // A server that is no longer listed keeps the samples that it has.
                self.cold.remove(&server.id);
            } else if rebound {
                self.cold.insert(server.id, Slot(0));
            }
        }
        let uplinks: Vec<PortKey> = self.inventory.uplinks.values().map(|u| u.port.clone()).collect();
        for port in &uplinks {
            self.port_id(port);
        }
        self.link_ports();
    }

    /// The ports of `bindings` with their numbers, new ones where they have none yet.
    fn bind(&mut self, bindings: &[Binding]) -> Vec<Bound> {
        let bound = |b: &Binding| Bound { port: self.port_id(&b.port), binding: b.clone() };
        bindings.iter().map(bound).collect()
    }

    /// Tells every port its servers and its speeds, and every server that waits where to begin.
    fn link_ports(&mut self) {
        let unkept: Vec<bool> = self.ports.iter().map(|port| !port.is_kept()).collect();
        for port in &mut self.ports {
            port.servers.clear();
            port.speeds.clear();
            port.watched = false;
        }
        for server in &self.servers {
            for bound in &server.bound {
                if let Some(port) = self.ports.get_mut(bound.port.index()) {
                    if !port.servers.contains(&server.id) {
                        port.servers.push(server.id);
                    }
                    port.speeds.extend(speed(&bound.binding));
                }
            }
            for bound in &server.checked {
                if let Some(port) = self.ports.get_mut(bound.port.index()) {
                    port.watched = true;
                    port.speeds.extend(speed(&bound.binding));
                }
            }
        }
        for uplink in self.inventory.uplinks.values() {
            let id = self.port_ids.get(&uplink.port);
            if let Some(port) = id.and_then(|id| self.ports.get_mut(id.index())) {
                port.watched = true;
            }
        }
        // A port that was nobody's has kept nothing but its open slot.
        for (port, unkept) in self.ports.iter_mut().zip(unkept) {
            if unkept && let Some(slot) = port.complete_until() {
                port.forget_before(slot);
            }
        }
        let grace_over = self.grace_over_until();
        for server in &mut self.servers {
            if server.closed_until.is_none() {
                let known = server.bound.iter().filter_map(|bound| {
                    let port = self.ports.get(bound.port.index())?;
                    port.complete_until().map(|_| port.known_from())
                });
                server.closed_until = known.max().map(|slot| slot.max(grace_over));
                if let Some(slot) = server.closed_until {
                    server.forget_before(slot);
                }
            }
        }
        for port in &mut self.ports {
            tell_port(port, &self.servers);
        }
    }

    /// The billing month in which `time` lies.
    #[must_use]
    pub fn month_at(&self, time: Timestamp) -> SlotSpan {
        month_at(&self.inventory, time)
    }
}

/// The speed of a port by the operator's word, and when it holds.
fn speed(binding: &Binding) -> Option<Grant> {
    binding.speed.map(|bps| Grant { bps, from: binding.from, until: binding.until })
}
