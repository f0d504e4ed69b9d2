//! A server's packets in a slot: how many a second, and of what size.

use crate::metering::sample::{COVERED_MS_MIN, Direction, PortKind};
use crate::metering::slot::PortSlot;
use crate::metering::units::Slot;

/// What went in one direction in one slot, over the ports of which packets are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// The sum of each port's packets a second over the time that is covered, each rounded down.
    pub packets_per_second: u64,
    /// Packets counted.
    pub packets: u64,
    /// Octets of these packets.
    pub octets: u64,
}

/// One server's packets in one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packets {
    /// The slot.
    pub slot: Slot,
    /// Towards the server.
    pub towards: Flow,
    /// From the server.
    pub from: Flow,
}

impl Flow {
    /// Octets a packet, rounded down; `None` without a packet.
    #[must_use]
    pub fn mean_octets(&self) -> Option<u64> {
        self.octets.checked_div(self.packets)
    }

    fn add(&mut self, packets: u64, octets: u64, covered_ms: u32) {
        // No packet where there are octets: the interface does not say, and its octets tell nothing of a size.
        if packets == 0 {
            return;
        }
        let per_second = u128::from(packets) * 1_000 / u128::from(covered_ms.max(1));
        let per_second = u64::try_from(per_second).unwrap_or(u64::MAX);
        self.packets_per_second = self.packets_per_second.saturating_add(per_second);
        self.packets = self.packets.saturating_add(packets);
        self.octets = self.octets.saturating_add(octets);
    }
}

impl Packets {
    /// What a server's ports carried in `slot`. Like a rate, a port counts when half of the slot is covered.
    ///
    /// 30,000,000 packets of 64 octets in 300,000 ms are 100,000 a second.
    #[must_use]
    pub fn of<'a>(slot: Slot, ports: impl IntoIterator<Item = (&'a PortSlot, PortKind)>) -> Self {
        let mut sum = Self { slot, towards: Flow::default(), from: Flow::default() };
        for (port, kind) in ports {
            if port.covered_ms < COVERED_MS_MIN {
                continue;
            }
            let (received, sent) = match kind {
                PortKind::Switch => (&mut sum.from, &mut sum.towards),
                PortKind::Nic => (&mut sum.towards, &mut sum.from),
            };
            received.add(port.rx_packets, port.rx_octets, port.covered_ms);
            sent.add(port.tx_packets, port.tx_octets, port.covered_ms);
        }
        sum
    }

    /// What went in one direction.
    #[must_use]
    pub fn flow(&self, direction: Direction) -> Flow {
        match direction {
            Direction::In => self.towards,
            Direction::Out => self.from,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_packets_are_the_sum_over_the_ports_that_tell_them() {
        let port = |rx_octets, rx_packets, covered_ms| PortSlot {
            rx_octets,
            rx_packets,
            covered_ms,
            ..PortSlot::default()
        };
        let told = port(30_000_000 * 64, 30_000_000, 300_000);
        let half = port(7_500_000 * 100, 7_500_000, 150_000);
        let untold = port(1_000_000_000, 0, 300_000);
        let too_short = port(64, 1, 149_999);
        let nics = [told, half, untold, too_short];
        let packets = Packets::of(Slot(1), nics.iter().map(|port| (port, PortKind::Nic)));
        assert_eq!(packets.towards.packets_per_second, 150_000);
        assert_eq!(packets.towards.mean_octets(), Some((30_000_000 * 64 + 750_000_000) / 37_500_000));
        assert_eq!(packets.from, Flow::default());
        assert_eq!(packets.from.mean_octets(), None);
        let switch = Packets::of(Slot(1), [(&told, PortKind::Switch)]);
        assert_eq!(
            (switch.flow(Direction::Out).packets_per_second, switch.towards),
            (100_000, Flow::default())
        );
    }
}
