//! What shared lines carried in a slot: by their own ports, and by the sum of the servers behind them.

use std::collections::HashMap;

use crate::aggregator::output::ServerId;
use crate::aggregator::state::Aggregator;
use crate::inventory::Uplink as Line;
use crate::metering::sample::{PortKind, Rates, port_rates};
use crate::metering::throttle::rules::{Shared, Uplink};
use crate::metering::units::Slot;

/// Uplinks that the same servers share, and which so back each other up, in one slot.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Where they are.
    pub region: String,
    /// What each of them and all of them together carried.
    pub shared: Shared,
    /// The servers behind them, with what each had in the slot; those without a sample are not among them.
    pub members: Vec<(ServerId, Rates)>,
}

/// All groups in one slot.
#[derive(Debug, Clone, Default)]
pub struct Loads {
    groups: Vec<Group>,
    of_server: HashMap<ServerId, Vec<usize>>,
}

impl Loads {
    /// What was carried in `slot`, as far as it is known now.
    #[must_use]
    pub fn of(state: &Aggregator, slot: Slot) -> Self {
        let inventory = state.inventory();
        let sharing = inventory.sharing(slot.start());
        let groups = sharing.groups().iter().map(|group| Group {
            region: group.region.to_owned(),
            shared: Shared {
                uplinks: group.uplinks.iter().map(|line| by_port(state, line, slot)).collect(),
                by_servers: Rates::default(),
            },
            members: Vec::new(),
        });
        let mut loads = Self { groups: groups.collect(), of_server: HashMap::new() };
        for entry in inventory.servers.values() {
            let found = sharing.of(entry);
            if found.is_empty() {
                continue;
            }
            let Some(server) = state.server(&entry.id) else { continue };
            let sample = server.recent(slot).and_then(|revised| revised.rates());
            for group in &found {
                if let Some((group, rates)) = loads.groups.get_mut(*group).zip(sample) {
                    group.shared.by_servers = group.shared.by_servers.plus(rates);
                    group.members.push((server.id, rates));
                }
            }
            loads.of_server.insert(server.id, found);
        }
        loads
    }

    /// All groups.
    #[must_use]
    pub fn all(&self) -> &[Group] {
        &self.groups
    }

    /// The groups of which `server` is one.
    pub fn of_server(&self, server: ServerId) -> impl Iterator<Item = &Group> {
        let groups = self.of_server.get(&server).map(Vec::as_slice).unwrap_or_default();
        groups.iter().filter_map(|group| self.groups.get(*group))
    }
}

/// An uplink with what its own port carried in `slot`.
fn by_port(state: &Aggregator, line: &Line, slot: Slot) -> Uplink {
    Uplink {
        id: line.id.clone(),
        speed: line.speed,
        by_port: state.port(&line.port).and_then(|port| {
            // What the port sends leaves the region, so what it receives goes to the servers, as on a NIC.
            port_rates(&port.carried(slot)?, PortKind::Nic)
        }),
    }
}
