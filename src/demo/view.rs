//! The counters of the site's switches at an instant: one source for the past and the present.

use std::sync::Arc;

use meter95_reading::{Counters, Reading, Timestamp, Width};

use super::habit::{Curve, DAY_SLOTS, Part};
use super::site::{FarEnd, Site, Surge, SwitchPort};

/// Mean octets of a packet that a server sends (pages and files), and of one that it receives (requests).
const RX_PACKET_OCTETS: u64 = 940;
const TX_PACKET_OCTETS: u64 = 610;

/// What a port has received and sent since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moved {
    /// Octets received by the switch.
    pub rx: u64,
    /// Octets sent by the switch.
    pub tx: u64,
    /// Unicast packets received by the switch.
    pub rx_packets: u64,
    /// Unicast packets sent by the switch.
    pub tx_packets: u64,
}

impl Moved {
    /// Octets in packets as a habit has them.
    fn by_habit(rx: u64, tx: u64) -> Self {
        Self { rx, tx, rx_packets: rx / RX_PACKET_OCTETS, tx_packets: tx / TX_PACKET_OCTETS }
    }

    /// What a surge has moved until `at`.
    fn by_surge(surge: &Surge, at: Timestamp) -> Self {
        let (rx, tx) = (surge.octets(surge.rx_bps, at), surge.octets(surge.tx_bps, at));
        let packets = |octets: u64| octets / surge.packet_octets.max(1);
        Self { rx, tx, rx_packets: packets(rx), tx_packets: packets(tx) }
    }

    /// Packets of every kind, received and sent.
    #[must_use]
    pub fn packets(self) -> (Packets, Packets) {
        (Packets::of(self.rx_packets), Packets::of(self.tx_packets))
    }

    fn plus(self, other: Self) -> Self {
        Self {
            rx: self.rx.saturating_add(other.rx),
            tx: self.tx.saturating_add(other.tx),
            rx_packets: self.rx_packets.saturating_add(other.rx_packets),
            tx_packets: self.tx_packets.saturating_add(other.tx_packets),
        }
    }
}

/// Reads ports of a site, and remembers the part of each curve that it was last asked for.
#[derive(Debug)]
pub struct View {
    site: Arc<Site>,
    /// By switch and port: what it was last read of, per direction.
    parts: Vec<Vec<Option<(Part, Part)>>>,
    /// How much of a curve is remembered, in slots.
    part_slots: usize,
}

impl View {
    /// A view that has read nothing yet, and remembers a day of each curve: 5 kB a port.
    #[must_use]
    pub fn new(site: Arc<Site>) -> Self {
        let parts = site.switches.iter().map(|switch| vec![None; switch.ports.len()]).collect();
        Self { site, parts, part_slots: DAY_SLOTS }
    }

    /// The same, but it remembers so many slots of each curve only: for many ports and a short time.
    #[must_use]
    pub fn in_parts(self, slots: usize) -> Self {
        Self { part_slots: slots, ..self }
    }

    /// The site it reads.
    #[must_use]
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// What a port counted until `at`; 0 for a port that does not exist.
    pub fn moved(&mut self, switch: usize, port: usize, at: Timestamp) -> Moved {
        let site = Arc::clone(&self.site);
        let Some(found) = port_of(&site, switch, port) else {
            return Moved::default();
        };
        match &found.far_end {
            FarEnd::Server { rx, tx, since, surge } => {
                let (rx, tx) = self.curve_octets(switch, port, (rx, tx), at);
                let surge = surge.as_ref().map_or_else(Moved::default, |surge| Moved::by_surge(surge, at));
                match since {
                    None => Moved::by_habit(rx, tx).plus(surge),
                    Some(since) if at <= since.at => Moved::default(),
                    Some(since) => {
                        let (rx, tx) =
                            (rx.saturating_sub(since.rx_octets), tx.saturating_sub(since.tx_octets));
                        Moved::by_habit(rx, tx).plus(surge)
                    }
                }
            }
            FarEnd::Core { switches, part, parts } => {
                let sum = self.sum(switches, at);
                let share = |count: u64| count.saturating_add(*part) / (*parts).max(1);
                // What comes from servers leaves here, and the other way round.
                Moved {
                    rx: share(sum.tx),
                    tx: share(sum.rx),
                    rx_packets: share(sum.tx_packets),
                    tx_packets: share(sum.rx_packets),
                }
            }
            FarEnd::Downstream { switch } => self.sum(&[*switch], at),
        }
    }

    /// What a switch's agent would say of a port at `at`.
    ///
    /// 64-bit counters; sysUpTime from the switch's boot, wrapping at 2^32; a discontinuity mark of 0.
    pub fn counters(&mut self, switch: usize, port: usize, at: Timestamp) -> Counters {
        let moved = self.moved(switch, port, at);
        let (rx_packets, tx_packets) = moved.packets();
        let speed_bps = port_of(&self.site, switch, port).map(|port| port.speed_bps);
        Counters {
            time: at,
            rx_octets: moved.rx,
            tx_octets: moved.tx,
            width: Width::Bits64,
            uptime_cs: Some(self.uptime_cs(switch, at)),
            discontinuity_cs: Some(0),
            rx_packets: Some(rx_packets.total()),
            tx_packets: Some(tx_packets.total()),
            speed_bps,
        }
    }

    /// A switch's sysUpTime at `at`, in hundredths of a second, wrapping at 2^32.
    #[must_use]
    pub fn uptime_cs(&self, switch: usize, at: Timestamp) -> u32 {
        let since_boot_ms = self.site.switches.get(switch).map_or(0, |switch| at.ms_since(switch.booted));
        u32::try_from((since_boot_ms / 10).rem_euclid(1 << 32)).unwrap_or(0)
    }

    /// One reading of every port of a switch, all at `at`.
    pub fn pass(&mut self, switch: usize, at: Timestamp) -> Vec<Reading> {
        let site = Arc::clone(&self.site);
        let Some(found) = site.switches.get(switch) else {
            return Vec::new();
        };
        let ports = found.ports.iter().enumerate();
        ports
            .map(|(port, found)| Reading {
                port: found.key.clone(),
                counters: self.counters(switch, port, at),
            })
            .collect()
    }

    /// What the servers of these switches moved, seen from their own ports.
    fn sum(&mut self, switches: &[usize], at: Timestamp) -> Moved {
        let site = Arc::clone(&self.site);
        let mut sum = Moved::default();
        for &switch in switches {
            let Some(found) = site.switches.get(switch) else {
                continue;
            };
            for (port, found) in found.ports.iter().enumerate() {
                if matches!(found.far_end, FarEnd::Server { .. }) {
                    sum = sum.plus(self.moved(switch, port, at));
                }
            }
        }
        sum
    }

    /// The octets received and sent by the habit of a port's server until `at`.
    fn curve_octets(
        &mut self,
        switch: usize,
        port: usize,
        (rx, tx): (&Curve, &Curve),
        at: Timestamp,
    ) -> (u64, u64) {
        let Some(cached) = self.parts.get_mut(switch).and_then(|ports| ports.get_mut(port)) else {
            return (rx.octets(at), tx.octets(at));
        };
        if !cached.as_ref().is_some_and(|(part, _)| part.holds(at)) {
            *cached = Some((rx.part(at, self.part_slots), tx.part(at, self.part_slots)));
        }
        cached.as_ref().map_or((0, 0), |(rx, tx)| (rx.octets(at), tx.octets(at)))
    }
}

fn port_of(site: &Site, switch: usize, port: usize) -> Option<&SwitchPort> {
    site.switches.get(switch)?.ports.get(port)
}

/// Packets by the address they are sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packets {
    /// To one.
    pub unicast: u64,
    /// To some.
    pub multicast: u64,
    /// To all.
    pub broadcast: u64,
}

impl Packets {
    /// Of every kind together.
    #[must_use]
    pub fn total(self) -> u64 {
        self.unicast.saturating_add(self.multicast).saturating_add(self.broadcast)
    }

    /// One multicast comes with 400 unicast packets, and one broadcast with 900.
    fn of(unicast: u64) -> Self {
        Self { unicast, multicast: unicast / 400, broadcast: unicast / 900 }
    }
}
