//! What ports carried in the newest slots, for those who judge it: nothing is copied, nothing changes.

use meter95_reading::PortKey;

use super::Aggregator;
use crate::aggregator::port::Port;
use crate::aggregator::server::{Bound, Server};
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
}
