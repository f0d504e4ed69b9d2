//! What ports carried in the newest slots, for those who judge it: nothing is copied, nothing changes.

use meter95_reading::PortKey;

use super::Aggregator;
use crate::aggregator::port::Port;
use crate::aggregator::server::{Bound, Server};
use crate::aggregator::traffic::Traffic;
use crate::metering::units::Slot;

impl Aggregator {
    /// The port of this name, unless it was never read and nobody names it.
    #[must_use]
    pub fn port(&self, key: &PortKey) -> Option<&Port> {
        self.port_ids.get(key).and_then(|id| self.ports.get(id.index()))
    }

    /// The ports that count for `server` in `slot`.
    pub fn ports_of<'a>(
        &'a self,
        server: &'a Server,
        slot: Slot,
    ) -> impl Iterator<Item = (&'a Bound, &'a Port)> + 'a {
        server.bound_in(slot).filter_map(|bound| Some((bound, self.ports.get(bound.port.index())?)))
    }

    /// The ports of `server` that are read in `slot` only to be compared with those that count.
    pub fn checked_ports_of<'a>(
        &'a self,
        server: &'a Server,
        slot: Slot,
    ) -> impl Iterator<Item = (&'a Bound, &'a Port)> + 'a {
        server.checked_in(slot).filter_map(|bound| Some((bound, self.ports.get(bound.port.index())?)))
    }

    /// What `server` carried in `slot` by the ports that count; `None` where that is nothing, or where memory, which
    /// reaches back for [`RECENT_SLOTS`](crate::aggregator::server::RECENT_SLOTS), does not tell.
    #[must_use]
    pub fn traffic(&self, server: &Server, slot: Slot) -> Option<Traffic> {
        sum(self.ports_of(server, slot), slot)
    }

    /// What `server` carried in `slot` by the ports that are read only to be compared, as [`Aggregator::traffic`]. Nothing
    /// waits for these: whether more may follow, [`Port::is_complete`] tells of each.
    #[must_use]
    pub fn checked_traffic(&self, server: &Server, slot: Slot) -> Option<Traffic> {
        sum(self.checked_ports_of(server, slot), slot)
    }
}

fn sum<'a>(ports: impl Iterator<Item = (&'a Bound, &'a Port)>, slot: Slot) -> Option<Traffic> {
    Traffic::of(ports.filter_map(|(bound, port)| Some((port.carried(slot)?, bound.binding.kind))))
}
