//! Which servers share which uplink.

use std::collections::{BTreeMap, HashMap};

use meter95_reading::Timestamp;

use super::{Inventory, Server, Uplink};

/// Uplinks that the same servers share, and which so back each other up.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// Where they are.
    pub region: &'a str,
    /// In the order of ids.
    pub uplinks: Vec<&'a Uplink>,
}

/// Who shares which uplinks at one instant: both are in one region, and where the uplinks name devices the server is on
/// one of them. All servers are placed with one look at each, however many uplinks there are.
#[derive(Debug, Clone)]
pub struct Sharing<'a> {
    at: Timestamp,
    groups: Vec<Group<'a>>,
    /// Of uplinks that a whole region shares.
    by_region: HashMap<&'a str, Vec<usize>>,
    /// Of uplinks that the servers of some devices share, by region and device.
    by_device: HashMap<(&'a str, &'a str), Vec<usize>>,
}

impl Inventory {
    /// Who shares which uplinks at `at`, of those in force then.
    #[must_use]
    pub fn sharing(&self, at: Timestamp) -> Sharing<'_> {
        let mut shared_by: BTreeMap<(&str, Vec<&str>), Vec<&Uplink>> = BTreeMap::new();
        for uplink in self.uplinks.values().filter(|uplink| uplink.holds_at(at)) {
            let mut devices: Vec<&str> = uplink.devices.iter().map(String::as_str).collect();
            devices.sort_unstable();
            shared_by.entry((&uplink.region, devices)).or_default().push(uplink);
        }
        let mut by_region: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut by_device: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        let mut groups = Vec::with_capacity(shared_by.len());
        for ((region, devices), uplinks) in shared_by {
            let number = groups.len();
            if devices.is_empty() {
                by_region.entry(region).or_default().push(number);
            }
            for device in devices {
                by_device.entry((region, device)).or_default().push(number);
            }
            groups.push(Group { region, uplinks });
        }
        Sharing { at, groups, by_region, by_device }
    }
}

impl<'a> Sharing<'a> {
    /// All groups.
    #[must_use]
    pub fn groups(&self) -> &[Group<'a>] {
        &self.groups
    }

    /// The places among [`Self::groups`] of those that `server` shares, each once. A port that is only read to be compared
    /// tells where the server is as well.
    #[must_use]
    pub fn of(&self, server: &Server) -> Vec<usize> {
        let region = server.region.as_str();
        let mut found = self.by_region.get(region).cloned().unwrap_or_default();
        if !self.by_device.is_empty() {
            let ports = server.ports.iter().chain(&server.check_ports).filter(|port| port.holds_at(self.at));
            let by_device = ports.filter_map(|port| self.by_device.get(&(region, port.port.device())));
            found.extend(by_device.flatten());
            found.sort_unstable();
            found.dedup();
        }
        found
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
            let sharing = inventory.sharing(Timestamp(time));
            for (id, servers) in shared {
                let has =
                    |group: &usize| sharing.groups()[*group].uplinks.iter().any(|uplink| uplink.id == id);
                let found = inventory.servers.values().filter(|server| sharing.of(server).iter().any(has));
                let found: String = found.map(|server| server.id.as_str()).collect();
                assert_eq!(found, servers, "{id} at {time}");
            }
        }
    }
}
