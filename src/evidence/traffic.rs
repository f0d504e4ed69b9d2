//! Slots as lines: what the server and each of its ports carried, in octets and in packets, seen from the server.

use serde::Serialize;

use super::facts::{Facts, PortFacts};
use crate::metering::sample::{COVERED_MS_MIN, PortKind};
use crate::metering::slot::PortSlot;
use crate::metering::units::{Bps, Octets, Slot, mean_rate};
use crate::store::proof::StoredPortSlot;

/// One direction in one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Flow {
    /// Octets, as far as they are known.
    pub octets: u64,
    /// Packets; `None` where a port carried octets and does not tell packets.
    pub packets: Option<u64>,
    /// The rate over what is covered, rounded down; `None` where too little of the slot is.
    pub bps: Option<Bps>,
    /// Packets in a second over what is covered, rounded down; `None` where too little of the slot is, or packets are
    /// not known.
    pub packets_per_second: Option<u64>,
    /// Octets in a packet on average, rounded down; `None` without packets.
    pub mean_packet_octets: Option<u64>,
}

/// A slot of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The slot, by its start.
    pub slot: Slot,
    /// What there is of it.
    pub state: State,
    /// How often its sample was made; 0 where there is none.
    pub revision: u16,
    /// How much of it lies between readings that tell something, at the port of which least is known; in ms.
    pub covered_ms: u32,
    /// What is granted in it.
    pub allowance_bps: Bps,
    /// Towards the server.
    pub r#in: Flow,
    /// From the server.
    pub out: Flow,
}

/// What there is of a slot of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A sample of all ports.
    Full,
    /// A sample of some ports.
    Partial,
    /// No sample, although there ought to be one.
    Missing,
    /// No sample yet: the slot has not closed.
    Open,
    /// No sample, for the server was not in service.
    OutOfService,
}

impl State {
    /// The word for it, in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::Missing => "missing",
            Self::Open => "open",
            Self::OutOfService => "out_of_service",
        }
    }
}

/// A slot of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PortLine {
    /// The slot, by its start.
    pub slot: Slot,
    /// How much of it lies between readings that tell something, in ms.
    pub covered_ms: u32,
    /// Whether that is enough for the port to count.
    pub counts: bool,
    /// Towards the server.
    pub r#in: Flow,
    /// From the server.
    pub out: Flow,
}

impl Flow {
    /// What a port tells of `covered_ms` of a slot.
    fn of_port(octets: u64, packets: u64, covered_ms: u32) -> Self {
        // Where readings tell no packets, none are stored; but no octet comes without a packet.
        let packets = (packets > 0 || octets == 0).then_some(packets);
        let counts = covered_ms >= COVERED_MS_MIN;
        let per_second = |packets: u64| {
            let per_second = u128::from(packets) * 1_000 / u128::from(covered_ms.max(1));
            u64::try_from(per_second).unwrap_or(u64::MAX)
        };
        Self {
            octets,
            packets,
            bps: mean_rate(Octets(octets), covered_ms.into()).filter(|_| counts),
            packets_per_second: packets.filter(|_| counts).map(per_second),
            mean_packet_octets: mean_octets(octets, packets),
        }
    }

    /// What ports carry together. Rates are of those that count; packets are known where all tell them.
    fn sum<'a>(ports: impl Iterator<Item = &'a Self>) -> Self {
        let mut sum = Self { packets: Some(0), ..Self::default() };
        let mut packets_per_second = Some(0_u64);
        let (mut known, mut counted) = (false, false);
        for port in ports {
            known = true;
            sum.octets = sum.octets.saturating_add(port.octets);
            sum.packets = sum.packets.zip(port.packets).map(|(a, b)| a.saturating_add(b));
            if let Some(bps) = port.bps {
                counted = true;
                sum.bps = Some(sum.bps.unwrap_or_default().plus(bps));
                let both = packets_per_second.zip(port.packets_per_second);
                packets_per_second = both.map(|(a, b)| a.saturating_add(b));
            }
        }
        sum.packets = sum.packets.filter(|_| known);
        sum.packets_per_second = packets_per_second.filter(|_| counted);
        sum.mean_packet_octets = mean_octets(sum.octets, sum.packets);
        sum
    }
}

fn mean_octets(octets: u64, packets: Option<u64>) -> Option<u64> {
    octets.checked_div(packets?)
}

/// The slots of the window in which the port is the server's and something is known of it.
#[must_use]
pub fn port_lines(port: &PortFacts) -> Vec<PortLine> {
    let is_its = |stored: &&StoredPortSlot| port.binding.holds_at(stored.slot.start());
    port.slots.iter().filter(is_its).map(|stored| port_line(stored, port.binding.kind)).collect()
}

fn port_line(stored: &StoredPortSlot, kind: PortKind) -> PortLine {
    let PortSlot { rx_octets, tx_octets, rx_packets, tx_packets, covered_ms } = stored.carried;
    let rx = Flow::of_port(rx_octets, rx_packets, covered_ms);
    let tx = Flow::of_port(tx_octets, tx_packets, covered_ms);
    let (r#in, out) = match kind {
        PortKind::Switch => (tx, rx),
        PortKind::Nic => (rx, tx),
    };
    PortLine { slot: stored.slot, covered_ms, counts: covered_ms >= COVERED_MS_MIN, r#in, out }
}

/// Every slot of the window, in order; `ports` are the lines of the ports of `facts`.
#[must_use]
pub fn lines(facts: &Facts, ports: &[Vec<PortLine>]) -> Vec<Line> {
    let span = facts.window.slots();
    let allowance = facts.inventory.allowance_of(&facts.server, span);
    let mut granted = allowance.steps(span).into_iter().peekable();
    let mut allowance_bps = Bps(0);
    let mut rest: Vec<_> = ports.iter().map(|lines| lines.iter().peekable()).collect();
    let line = |slot: Slot| {
        if let Some((_, bps)) = granted.next_if(|(from, _)| *from == slot) {
            allowance_bps = bps;
        }
        let bound = facts.ports.iter().filter(|port| port.binding.holds_at(slot.start())).count();
        let known: Vec<&PortLine> =
            rest.iter_mut().filter_map(|lines| lines.next_if(|line| line.slot == slot)).collect();
        let least = known.iter().map(|line| line.covered_ms).min().unwrap_or(0);
        let mut r#in = Flow::sum(known.iter().map(|line| &line.r#in));
        let mut out = Flow::sum(known.iter().map(|line| &line.out));
        let (state, revision) = stored(facts, slot, &mut r#in, &mut out);
        let covered_ms = if known.len() < bound { 0 } else { least };
        Line { slot, state, revision, covered_ms, allowance_bps, r#in, out }
    };
    (span.from.0..span.until.0).map(Slot).map(line).collect()
}

/// What is stored of a slot of the server. The rates are those of its sample, by which it is billed; without a sample
/// there are none.
fn stored(facts: &Facts, slot: Slot, r#in: &mut Flow, out: &mut Flow) -> (State, u16) {
    let revised = facts.samples.get(&slot);
    let rates = revised.and_then(|revised| revised.rates());
    (r#in.bps, out.bps) = (rates.map(|rates| rates.in_bps), rates.map(|rates| rates.out_bps));
    if rates.is_none() {
        (r#in.packets_per_second, out.packets_per_second) = (None, None);
    }
    let gone = facts.removed.is_some_and(|at| at <= slot.start());
    let state = match revised.and_then(|revised| revised.sample) {
        Some(sample) if sample.partial => State::Partial,
        Some(_) => State::Full,
        None if gone || !facts.server.service_slots().contains(slot) => State::OutOfService,
        None if facts.closed_at < slot.end() => State::Open,
        None => State::Missing,
    };
    (state, revised.map_or(0, |revised| revised.revision))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_known_or_not() {
        for (octets, packets, covered_ms, expected) in [
            // 1,500,000 octets in 1,000 packets of 1,500, in 300 s: 40,000 bit/s and 3 packets a second.
            (1_500_000, 1_000, 300_000, (Some(1_000), Some(40_000), Some(3), Some(1_500))),
            (1_500_000, 0, 300_000, (None, Some(40_000), None, None)),
            (0, 0, 300_000, (Some(0), Some(0), Some(0), None)),
            // Too little of the slot is covered for a rate.
            (1_500_000, 1_000, 149_999, (Some(1_000), None, None, Some(1_500))),
            (0, 0, 0, (Some(0), None, None, None)),
        ] {
            let flow = Flow::of_port(octets, packets, covered_ms);
            let bps = flow.bps.map(|bps| bps.0);
            assert_eq!((flow.packets, bps, flow.packets_per_second, flow.mean_packet_octets), expected);
        }
    }

    #[test]
    fn ports_add_up_and_one_that_tells_no_packets_leaves_them_unknown() {
        let one = Flow::of_port(3_000, 3, 300_000);
        let two = Flow::of_port(9_000, 3, 300_000);
        let mute = Flow::of_port(9_000, 0, 300_000);
        let short = Flow::of_port(6_000, 6, 10);
        let sum = Flow::sum([&one, &two].into_iter());
        assert_eq!((sum.octets, sum.packets, sum.mean_packet_octets), (12_000, Some(6), Some(2_000)));
        let sum = Flow::sum([&one, &mute].into_iter());
        assert_eq!((sum.octets, sum.packets, sum.packets_per_second), (12_000, None, None));
        // Octets of a slot that does not count are told, and make no rate.
        let sum = Flow::sum([&one, &short].into_iter());
        assert_eq!((sum.octets, sum.bps, sum.packets_per_second), (9_000, Some(Bps(80)), Some(0)));
        assert_eq!(Flow::sum(std::iter::empty()), Flow::default());
    }
}
