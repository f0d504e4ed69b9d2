//! The counters of the site's switches at an instant: one source for the past and the present.

use std::sync::Arc;

use meter95_reading::{Counters, Reading, Timestamp, Width};

use super::habit::{Curve, Day, day_of};
use super::site::{FarEnd, Site, SwitchPort};

/// Mean octets of a packet that a server sends (pages and files), and of one that it receives (requests).
const RX_PACKET_OCTETS: u64 = 940;
const TX_PACKET_OCTETS: u64 = 610;

/// Octets a port has received and sent since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Octets {
    /// Received by the switch.
    pub rx: u64,
    /// Sent by the switch.
    pub tx: u64,
}

/// Reads ports of a site, and remembers the day of each curve that it was last asked for.
#[derive(Debug)]
pub struct View {
    site: Arc<Site>,
    /// By switch and port: the day in which it was last read, per direction.
    days: Vec<Vec<Option<(Day, Day)>>>,
}

impl View {
    /// A view that has read nothing yet.
    #[must_use]
    pub fn new(site: Arc<Site>) -> Self {
        let days = site.switches.iter().map(|switch| vec![None; switch.ports.len()]).collect();
        Self { site, days }
    }

    /// The site it reads.
    #[must_use]
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// What a port counted until `at`; 0 for a port that does not exist.
    pub fn octets(&mut self, switch: usize, port: usize, at: Timestamp) -> Octets {
        let site = Arc::clone(&self.site);
        let Some(found) = port_of(&site, switch, port) else {
            return Octets::default();
        };
        match &found.far_end {
            FarEnd::Server { rx, tx, since } => {
                let now = self.curve_octets(switch, port, (rx, tx), at);
                let Some(since) = *since else { return now };
                if at <= since.at {
                    return Octets::default();
                }
                let rx = now.rx.saturating_sub(since.rx_octets);
                Octets { rx, tx: now.tx.saturating_sub(since.tx_octets) }
            }
            FarEnd::Core { switches, part, parts } => {
                let sum = self.sum(switches, at);
                let share = |octets: u64| octets.saturating_add(*part) / (*parts).max(1);
                // What comes from servers leaves here, and the other way round.
                Octets { rx: share(sum.tx), tx: share(sum.rx) }
            }
            FarEnd::Downstream { switch } => self.sum(&[*switch], at),
        }
    }

    /// What a switch's agent would say of a port at `at`.
    ///
    /// 64-bit counters; sysUpTime from the switch's boot, wrapping at 2^32; a discontinuity mark of 0.
    pub fn counters(&mut self, switch: usize, port: usize, at: Timestamp) -> Counters {
        let octets = self.octets(switch, port, at);
        let speed_bps = port_of(&self.site, switch, port).map(|port| port.speed_bps);
        Counters {
            time: at,
            rx_octets: octets.rx,
            tx_octets: octets.tx,
            width: Width::Bits64,
            uptime_cs: Some(self.uptime_cs(switch, at)),
            discontinuity_cs: Some(0),
            rx_packets: Some(Packets::of(octets.rx, RX_PACKET_OCTETS).total()),
            tx_packets: Some(Packets::of(octets.tx, TX_PACKET_OCTETS).total()),
            speed_bps,
        }
    }

    /// Packets received and sent by a port that counted `octets`.
    #[must_use]
    pub fn packets(octets: Octets) -> (Packets, Packets) {
        (Packets::of(octets.rx, RX_PACKET_OCTETS), Packets::of(octets.tx, TX_PACKET_OCTETS))
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
    fn sum(&mut self, switches: &[usize], at: Timestamp) -> Octets {
        let site = Arc::clone(&self.site);
        let mut sum = Octets::default();
        for &switch in switches {
            let Some(found) = site.switches.get(switch) else {
                continue;
            };
            for (port, found) in found.ports.iter().enumerate() {
                if matches!(found.far_end, FarEnd::Server { .. }) {
                    let octets = self.octets(switch, port, at);
                    sum.rx = sum.rx.saturating_add(octets.rx);
                    sum.tx = sum.tx.saturating_add(octets.tx);
                }
            }
        }
        sum
    }

    fn curve_octets(
        &mut self,
        switch: usize,
        port: usize,
        curves: (&Curve, &Curve),
        at: Timestamp,
    ) -> Octets {
        let (rx, tx) = curves;
        let Some(cached) = self.days.get_mut(switch).and_then(|ports| ports.get_mut(port)) else {
            return Octets { rx: rx.octets(at), tx: tx.octets(at) };
        };
        if !cached.as_ref().is_some_and(|(day, _)| day.holds(at)) {
            let number = day_of(at);
            *cached = Some((rx.day(number), tx.day(number)));
        }
        cached
            .as_ref()
            .map_or_else(Octets::default, |(rx, tx)| Octets { rx: rx.octets(at), tx: tx.octets(at) })
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

    /// Each rises with `octets`, one multicast for 400 and one broadcast for 900 packets.
    fn of(octets: u64, packet_octets: u64) -> Self {
        let unicast = octets / packet_octets;
        Self { unicast, multicast: unicast / 400, broadcast: unicast / 900 }
    }
}
