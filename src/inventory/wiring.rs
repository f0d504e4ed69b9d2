//! Which servers share which uplink.

use std::collections::{BTreeSet, HashMap};

use meter95_reading::Timestamp;

use super::{Inventory, Server, Uplink};

impl Server {
    /// Whether one of its ports at `time` is of `device`; one that is only read to be compared tells it as well.
    #[must_use]
    pub fn is_on(&self, device: &str, time: Timestamp) -> bool {
        let mut ports = self.ports.iter().chain(&self.check_ports);
        ports.any(|binding| binding.port.device() == device && binding.holds_at(time))
    }
}

impl Uplink {
    /// Whether `server` shares it at `time`: both are in one region, and where the uplink names devices the server is on
    /// one of them.
    #[must_use]
    pub fn is_shared_by(&self, server: &Server, time: Timestamp) -> bool {
        let reaches = || self.devices.is_empty() || self.devices.iter().any(|id| server.is_on(id, time));
        self.region == server.region && self.holds_at(time) && reaches()
    }
}

impl Inventory {
    /// How many servers in service share each of `uplinks` at `time`, in their order: one look at each server, however
    /// many uplinks there are.
    #[must_use]
    pub fn count_sharing(&self, uplinks: &[&Uplink], time: Timestamp) -> Vec<u64> {
        // Those that back each other up have the same servers, which are counted once.
        let mut groups: HashMap<(&str, BTreeSet<&str>), usize> = HashMap::new();
        let group_of: Vec<usize> = uplinks
            .iter()
            .map(|uplink| {
                let devices = uplink.devices.iter().map(String::as_str).collect();
                let next = groups.len();
                *groups.entry((uplink.region.as_str(), devices)).or_insert(next)
            })
            .collect();
        let mut whole: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut on: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for ((region, devices), group) in &groups {
            if devices.is_empty() {
                whole.entry(region).or_default().push(*group);
            }
            for device in devices {
                on.entry((region, device)).or_default().push(*group);
            }
        }
        let mut counts = vec![0_u64; groups.len()];
        let mut behind: BTreeSet<usize> = BTreeSet::new();
        for server in self.servers.values().filter(|server| server.is_served_at(time)) {
            behind.extend(whole.get(server.region.as_str()).into_iter().flatten());
            let ports = server.ports.iter().chain(&server.check_ports);
            for binding in ports.filter(|binding| binding.holds_at(time)) {
                let groups = on.get(&(server.region.as_str(), binding.port.device()));
                behind.extend(groups.into_iter().flatten());
            }
            while let Some(group) = behind.pop_first() {
                if let Some(count) = counts.get_mut(group) {
                    *count += 1;
                }
            }
        }
        let holds = |uplink: &Uplink, count: u64| if uplink.holds_at(time) { count } else { 0 };
        let counted = uplinks.iter().zip(group_of);
        counted.map(|(uplink, group)| holds(uplink, counts.get(group).copied().unwrap_or(0))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::document::Document;

    #[test]
    fn a_line_is_shared_by_the_servers_behind_it() {
        let document: Document = toml::from_str(
            "servers = [\n\
               { id = 'a', region = 'tokyo', ports = [{ device = 'sw1', interface = '1' }] },\n\
               { id = 'b', region = 'tokyo', ports = [\n\
                 { device = 'sw1', interface = '2', until = 1000 }, { device = 'sw2', interface = '2', from = 1000 }] },\n\
               { id = 'c', region = 'tokyo', ports = [\n\
                 { device = 'c', interface = 'eth0', kind = 'nic' },\n\
                 { device = 'sw1', interface = '3', check_only = true }] },\n\
               { id = 'd', region = 'osaka', ports = [{ device = 'sw1', interface = '4' }] },\n\
               { id = 'e' }]\n\
             uplinks = [\n\
               { id = 'all', region = 'tokyo', device = 'sw1', interface = 'x', speed_bps = 1 },\n\
               { id = 'sw1', region = 'tokyo', devices = ['sw1'], device = 'sw1', interface = 'y', speed_bps = 1 },\n\
               { id = 'later', region = 'tokyo', device = 'sw1', interface = 'z', speed_bps = 1, from = 1000 }]\n",
        )
        .unwrap();
        let inventory = Inventory::from_document(&document).unwrap();
        for (time, shared) in [
            (0, [("all", "abc"), ("later", ""), ("sw1", "abc")]),
            (1_000, [("all", "abc"), ("later", "abc"), ("sw1", "ac")]),
        ] {
            let time = Timestamp(time);
            let uplinks = shared.map(|(id, _)| &inventory.uplinks[id]);
            for (uplink, (_, ids)) in uplinks.iter().zip(shared) {
                for server in inventory.servers.values() {
                    let is_shared = uplink.is_shared_by(server, time);
                    assert_eq!(is_shared, ids.contains(&server.id), "{} of {}", uplink.id, server.id);
                }
            }
            let counts = shared.map(|(_, ids)| ids.len() as u64);
            assert_eq!(inventory.count_sharing(&uplinks, time), counts, "at {time}");
        }
    }
}
