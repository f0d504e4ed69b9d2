//! One slot's two sides: how far they may be apart, and why they probably are.

use meter95_reading::Width;

use super::{Both, Carried, FRAMING_OCTETS_MAX, Meter, Reason, SLACK_BPS, SLACK_PERCENT};
use crate::metering::sample::{COVERED_MS_MIN, Direction, Rates};
use crate::metering::units::{Bps, Octets, Slot, mean_rate};

/// The smallest packet, in octets: what packets are taken for whose number is not known.
const PACKET_OCTETS_MIN: u64 = 64;

/// How many octets a 32-bit counter can tell apart.
const WRAP_OCTETS: u64 = 1 << 32;

/// What one side carried in one slot, or in several together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    towards: Total,
    from: Total,
}

/// One direction of it.
#[derive(Debug, Clone, Copy)]
struct Total {
    /// The sum of the ports' rates, over several slots the sum of these, in bit/s.
    bps: u64,
    /// The same of packets a second; `None` where a port has octets and no packets.
    packets: Option<u64>,
}

impl Default for Total {
    fn default() -> Self {
        Self { bps: 0, packets: Some(0) }
    }
}

impl Total {
    fn plus(self, other: Self) -> Self {
        let packets = self.packets.zip(other.packets).map(|(a, b)| a.saturating_add(b));
        Self { bps: self.bps.saturating_add(other.bps), packets }
    }

    fn of(octets: u64, packets: u64, covered_ms: u32) -> Self {
        let bps = mean_rate(Octets(octets), covered_ms.into()).unwrap_or_default().0;
        let per_second = u128::from(packets) * 1_000 / u128::from(covered_ms.max(1));
        let known = packets > 0 || octets == 0;
        Self { bps, packets: known.then(|| u64::try_from(per_second).unwrap_or(u64::MAX)) }
    }

    /// How far the two may be apart, in bit/s, rounded down.
    fn allowed(self, other: Self) -> u64 {
        let larger = self.bps.max(other.bps);
        let packets = match self.packets.max(other.packets) {
            Some(packets) => u128::from(packets),
            None => u128::from(larger / (8 * PACKET_OCTETS_MIN)),
        };
        let framing = packets * u128::from(8 * FRAMING_OCTETS_MAX);
        let slack = u128::from(larger) * u128::from(SLACK_PERCENT) / 100 + u128::from(SLACK_BPS);
        u64::try_from(framing + slack).unwrap_or(u64::MAX)
    }

    fn is_apart(self, other: Self) -> bool {
        self.bps.abs_diff(other.bps) > self.allowed(other)
    }

    /// Whether the difference is a whole multiple of 2^32 octets, and could not be any other number as well.
    fn wrapped(self, other: Self) -> bool {
        let octets = |bps: u64| {
            let octets = u128::from(bps) * u128::from(Slot::MS.unsigned_abs()) / 8_000;
            u64::try_from(octets).unwrap_or(u64::MAX)
        };
        let apart = octets(self.bps.abs_diff(other.bps));
        let wraps = apart.saturating_add(WRAP_OCTETS / 2) / WRAP_OCTETS;
        let allowed = octets(self.allowed(other));
        wraps > 0 && allowed < WRAP_OCTETS / 4 && apart.abs_diff(wraps.saturating_mul(WRAP_OCTETS)) <= allowed
    }
}

impl Totals {
    /// The sum over the ports that count; `None` where none does.
    pub(super) fn of(ports: &[Option<Carried>], meter: Meter) -> Option<Self> {
        let counting = ports.iter().flatten().filter(|port| counts(port));
        counting.fold(None, |sum: Option<Self>, Carried { slot, .. }| {
            let received = Total::of(slot.rx_octets, slot.rx_packets, slot.covered_ms);
            let sent = Total::of(slot.tx_octets, slot.tx_packets, slot.covered_ms);
            let port = match meter {
                Meter::Switch => Self { towards: sent, from: received },
                Meter::Nic => Self { towards: received, from: sent },
            };
            Some(sum.unwrap_or_default().plus(&port))
        })
    }

    pub(super) fn plus(self, other: &Self) -> Self {
        Self { towards: self.towards.plus(other.towards), from: self.from.plus(other.from) }
    }

    pub(super) fn rates(&self) -> Rates {
        Rates { in_bps: Bps(self.towards.bps), out_bps: Bps(self.from.bps) }
    }

    /// How far the two may be apart.
    pub(super) fn allowed(&self, other: &Self) -> Rates {
        let allowed = |direction| Bps(self.total(direction).allowed(other.total(direction)));
        Rates { in_bps: allowed(Direction::In), out_bps: allowed(Direction::Out) }
    }

    pub(super) fn is_apart(&self, other: &Self, direction: Direction) -> bool {
        self.total(direction).is_apart(other.total(direction))
    }

    fn total(&self, direction: Direction) -> Total {
        match direction {
            Direction::In => self.towards,
            Direction::Out => self.from,
        }
    }

    /// Both directions together, in bit/s.
    fn sum(&self) -> u128 {
        u128::from(self.towards.bps) + u128::from(self.from.bps)
    }
}

/// Why two sides that are apart probably are, the switch's first.
pub(super) fn reason(switch: &Totals, nic: &Totals, both: Both<'_>) -> Reason {
    for (ports, meter) in [(both.switch, Meter::Switch), (both.nic, Meter::Nic)] {
        if ports.iter().any(|port| !port.as_ref().is_some_and(counts)) {
            return Reason::MissingMember(meter);
        }
    }
    let ports = || both.switch.iter().chain(both.nic).flatten();
    if ports().any(|port| port.width == Width::Bits32) {
        let wrapped = |direction: &Direction| switch.total(*direction).wrapped(nic.total(*direction));
        if let Some(direction) = Direction::BOTH.into_iter().find(wrapped) {
            return Reason::Wrap(direction);
        }
    }
    if !switch.towards.is_apart(nic.from) && !switch.from.is_apart(nic.towards) {
        return Reason::Swapped;
    }
    let (less, more, meter) = match (switch.sum(), nic.sum()) {
        (switch, nic) if switch <= nic => (switch, nic, Meter::Switch),
        (switch, nic) => (nic, switch, Meter::Nic),
    };
    if less <= u128::from(SLACK_BPS) + more / 100 {
        return Reason::WrongPort(meter);
    }
    let members = both.switch.len().max(both.nic.len());
    let slack = more * u128::from(SLACK_PERCENT) / 100 + u128::from(SLACK_BPS);
    let members = u128::try_from(members).unwrap_or(u128::MAX);
    if members > 1 && less.saturating_sub(slack) <= more - more / members {
        return Reason::MissingMember(meter);
    }
    if less < more / 2 { Reason::WrongPort(meter) } else { Reason::Unexplained }
}

/// Whether enough of the slot is covered.
fn counts(port: &Carried) -> bool {
    port.slot.covered_ms >= COVERED_MS_MIN
}
