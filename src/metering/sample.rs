//! From a server's ports to its sample of a slot (SPEC.md section 4).

use serde::{Deserialize, Serialize};

use super::slot::PortSlot;
use super::units::{Bps, Octets, mean_rate};

/// How much of a slot must be covered for a port's slot to count: half of it.
pub const COVERED_MS_MIN: u32 = 150_000;

/// Whose interface a port is, which decides what of it is the server's *in*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PortKind {
    /// The switch's interface towards the server: what it sends is the server's in.
    Switch,
    /// The server's own interface: what it receives is the server's in.
    Nic,
}

/// In and out of one port or one server, seen from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rates {
    /// Towards the server.
    pub in_bps: Bps,
    /// From the server.
    pub out_bps: Bps,
}

/// One of the two ways in which a server's traffic flows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Towards the server.
    In,
    /// From the server.
    Out,
}

impl Direction {
    /// Both, in the order in which they are shown.
    pub const BOTH: [Self; 2] = [Self::In, Self::Out];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// One server's figures for one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The sum over its ports.
    pub rates: Rates,
    /// Whether one of its ports has no figure for this slot.
    pub partial: bool,
}

impl Rates {
    /// The larger of in and out.
    #[must_use]
    pub fn value(self) -> Bps {
        self.in_bps.max(self.out_bps)
    }

    /// The rate in one direction.
    #[must_use]
    pub fn towards(self, direction: Direction) -> Bps {
        match direction {
            Direction::In => self.in_bps,
            Direction::Out => self.out_bps,
        }
    }

    /// The sum, direction by direction.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { in_bps: self.in_bps.plus(other.in_bps), out_bps: self.out_bps.plus(other.out_bps) }
    }

    /// Neither direction above `cap`.
    #[must_use]
    pub fn capped(self, cap: Bps) -> Self {
        Self { in_bps: self.in_bps.min(cap), out_bps: self.out_bps.min(cap) }
    }
}

/// The rates of a port's slot, `None` where too little of it is covered.
#[must_use]
pub fn port_rates(slot: &PortSlot, kind: PortKind) -> Option<Rates> {
    if slot.covered_ms < COVERED_MS_MIN {
        return None;
    }
    let rx = mean_rate(Octets(slot.rx_octets), slot.covered_ms.into())?;
    let tx = mean_rate(Octets(slot.tx_octets), slot.covered_ms.into())?;
    Some(match kind {
        PortKind::Switch => Rates { in_bps: tx, out_bps: rx },
        PortKind::Nic => Rates { in_bps: rx, out_bps: tx },
    })
}

/// A server's sample from what each of its ports gave; `None` when not one of them counts.
#[must_use]
pub fn combine(ports: impl IntoIterator<Item = Option<Rates>>) -> Option<Sample> {
    let mut sum: Option<Rates> = None;
    let mut partial = false;
    for port in ports {
        match port {
            Some(rates) => {
                sum = Some(sum.unwrap_or_default().plus(rates));
            }
            None => partial = true,
        }
    }
    sum.map(|rates| Sample { rates, partial })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_sends_what_the_server_receives() {
        let slot =
            PortSlot { rx_octets: 37_500, tx_octets: 75_000, covered_ms: 300_000, ..PortSlot::default() };
        let (one, two) = (Bps(1_000), Bps(2_000));
        assert_eq!(port_rates(&slot, PortKind::Switch), Some(Rates { in_bps: two, out_bps: one }));
        assert_eq!(port_rates(&slot, PortKind::Nic), Some(Rates { in_bps: one, out_bps: two }));
    }

    #[test]
    fn half_a_slot_counts_and_less_does_not() {
        let slot = |covered_ms| PortSlot { rx_octets: 1, covered_ms, ..PortSlot::default() };
        assert!(port_rates(&slot(150_000), PortKind::Nic).is_some());
        assert!(port_rates(&slot(149_999), PortKind::Nic).is_none());
    }

    #[test]
    fn two_ports_add_up_and_a_missing_one_is_marked() {
        let rates = |i, o| Some(Rates { in_bps: Bps(i), out_bps: Bps(o) });
        let both = combine([rates(1, 5), rates(2, 1)]);
        assert_eq!(both, Some(Sample { rates: rates(3, 6).unwrap(), partial: false }));
        assert_eq!(combine([rates(1, 5), None]), Some(Sample { rates: rates(1, 5).unwrap(), partial: true }));
        assert_eq!(combine([None, None]), None);
    }
}
