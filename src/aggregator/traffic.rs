//! What some ports of a server carried in a slot, in octets and packets, where a sample has rates only.

use crate::metering::sample::{COVERED_MS_MIN, PortKind};
use crate::metering::slot::PortSlot;

/// The sum over ports of which enough of the slot is covered, seen from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Octets towards the server.
    pub in_octets: u64,
    /// Octets from the server.
    pub out_octets: u64,
    /// Packets towards the server, as far as readings tell them.
    pub in_packets: u64,
    /// Packets from the server, as far as readings tell them.
    pub out_packets: u64,
    /// How much of the slot is covered of the port of which most is, in ms: a rate made by it is never above the true one.
    pub covered_ms: u32,
    /// How many ports are summed.
    pub ports: u32,
}

impl Traffic {
    /// What `ports` carried, each with whose interface it is. Those count of which half the slot is covered (SPEC.md
    /// section 4); `None` where not one does.
    #[must_use]
    pub fn of(ports: impl IntoIterator<Item = (PortSlot, PortKind)>) -> Option<Self> {
        let mut sum = Self::default();
        for (carried, kind) in ports.into_iter().filter(|(carried, _)| carried.covered_ms >= COVERED_MS_MIN) {
            let (rx, tx) = ((carried.rx_octets, carried.rx_packets), (carried.tx_octets, carried.tx_packets));
            let (to, from) = match kind {
                PortKind::Switch => (tx, rx),
                PortKind::Nic => (rx, tx),
            };
            sum.in_octets = sum.in_octets.saturating_add(to.0);
            sum.in_packets = sum.in_packets.saturating_add(to.1);
            sum.out_octets = sum.out_octets.saturating_add(from.0);
            sum.out_packets = sum.out_packets.saturating_add(from.1);
            sum.covered_ms = sum.covered_ms.max(carried.covered_ms);
            sum.ports += 1;
        }
        (sum.ports > 0).then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_count_add_up_as_the_server_sees_them() {
        let carried = |covered_ms| PortSlot {
            rx_octets: 1_000,
            tx_octets: 20,
            rx_packets: 3,
            tx_packets: 400,
            covered_ms,
        };
        let switch = Traffic {
            in_octets: 20,
            out_octets: 1_000,
            in_packets: 400,
            out_packets: 3,
            covered_ms: 300_000,
            ports: 1,
        };
        let both = Traffic {
            in_octets: 1_020,
            out_octets: 1_020,
            in_packets: 403,
            out_packets: 403,
            covered_ms: 300_000,
            ports: 2,
        };
        for (ports, sum) in [
            (vec![], None),
            (vec![(carried(149_999), PortKind::Nic)], None),
            (vec![(carried(149_999), PortKind::Nic), (carried(300_000), PortKind::Switch)], Some(switch)),
            (vec![(carried(150_000), PortKind::Nic), (carried(300_000), PortKind::Switch)], Some(both)),
        ] {
            assert_eq!(Traffic::of(ports), sum);
        }
    }
}
