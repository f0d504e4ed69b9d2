//! What shared lines carried in a slot: by their own ports, and by the sum of the servers behind them.

use std::collections::{BTreeMap, HashMap};

use meter95_reading::Timestamp;

use crate::aggregator::output::ServerId;
use crate::aggregator::state::Aggregator;
use crate::inventory::{Inventory, Server as Entry, Uplink as Line};
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

/// The groups of which a server may be one, by where it is connected.
#[derive(Default)]
struct Index<'a> {
    /// Of uplinks that a whole region shares.
    by_region: HashMap<&'a str, Vec<usize>>,
    /// Of uplinks that the servers of some devices share, by region and device.
    by_device: HashMap<(&'a str, &'a str), Vec<usize>>,
}

impl Loads {
    /// What was carried in `slot`, as far as it is known now.
    #[must_use]
    pub fn of(state: &Aggregator, slot: Slot) -> Self {
        let inventory = state.inventory();
        let at = slot.start();
        let (mut loads, index) = Self::groups(state, inventory, slot);
        for entry in inventory.servers.values() {
            let found = index.groups_of(entry, at);
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

    /// The groups, each with what its uplinks' own ports carried.
    fn groups<'a>(state: &Aggregator, inventory: &'a Inventory, slot: Slot) -> (Self, Index<'a>) {
        let mut shared_by: BTreeMap<(&str, Vec<&str>), Vec<&Line>> = BTreeMap::new();
        for line in inventory.uplinks.values().filter(|line| line.holds_at(slot.start())) {
            let mut devices: Vec<&str> = line.devices.iter().map(String::as_str).collect();
            devices.sort_unstable();
            shared_by.entry((&line.region, devices)).or_default().push(line);
        }
        let (mut loads, mut index) = (Self::default(), Index::default());
        for ((region, devices), lines) in shared_by {
            let number = loads.groups.len();
            if devices.is_empty() {
                index.by_region.entry(region).or_default().push(number);
            }
            for device in devices {
                index.by_device.entry((region, device)).or_default().push(number);
            }
            let uplink = |line: &&Line| Uplink {
                id: line.id.clone(),
                speed: line.speed,
                by_port: state.port(&line.port).and_then(|port| {
                    // What the port sends leaves the region, so what it receives goes to the servers, as on a NIC.
                    port_rates(&port.carried(slot)?, PortKind::Nic)
                }),
            };
            let shared = Shared { uplinks: lines.iter().map(uplink).collect(), by_servers: Rates::default() };
            loads.groups.push(Group { region: region.to_owned(), shared, members: Vec::new() });
        }
        (loads, index)
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

impl Index<'_> {
    fn groups_of(&self, entry: &Entry, at: Timestamp) -> Vec<usize> {
        let region = entry.region.as_str();
        let mut found = self.by_region.get(region).cloned().unwrap_or_default();
        if !self.by_device.is_empty() {
            let ports = entry.ports.iter().chain(&entry.check_ports).filter(|binding| binding.holds_at(at));
            let by_device = ports.filter_map(|binding| self.by_device.get(&(region, binding.port.device())));
            found.extend(by_device.flatten());
            found.sort_unstable();
            found.dedup();
        }
        found
    }
}
