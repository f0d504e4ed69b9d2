//! Which servers share which uplink.

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
    /// The uplinks that `server` shares at `time`, in the order of ids.
    pub fn uplinks_of<'a>(
        &'a self,
        server: &'a Server,
        time: Timestamp,
    ) -> impl Iterator<Item = &'a Uplink> + 'a {
        self.uplinks.values().filter(move |uplink| uplink.is_shared_by(server, time))
    }

    /// The servers that share `uplink` at `time`, in the order of ids.
    pub fn servers_on<'a>(
        &'a self,
        uplink: &'a Uplink,
        time: Timestamp,
    ) -> impl Iterator<Item = &'a Server> + 'a {
        self.servers.values().filter(move |server| uplink.is_shared_by(server, time))
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
            for (uplink, ids) in shared {
                let uplink = &inventory.uplinks[uplink];
                let found: String = inventory.servers_on(uplink, time).map(|s| s.id.as_str()).collect();
                assert_eq!(found, ids, "{} at {time}", uplink.id);
                for server in inventory.servers.values() {
                    let named = inventory.uplinks_of(server, time).any(|of| of.id == uplink.id);
                    assert_eq!(named, ids.contains(&server.id), "{} of {}", uplink.id, server.id);
                }
            }
        }
    }
}
