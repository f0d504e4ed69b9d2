//! From a delta to slots (SPEC.md section 3).

use meter95_reading::Timestamp;

use super::delta::Stretch;
use super::units::Slot;

/// What one port carried in one slot, as the interface itself counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PortSlot {
    /// Octets received by the interface.
    pub rx_octets: u64,
    /// Octets sent by the interface.
    pub tx_octets: u64,
    /// Packets received, as far as readings tell them.
    pub rx_packets: u64,
    /// Packets sent, as far as readings tell them.
    pub tx_packets: u64,
    /// How much of the slot lies between readings that gave a delta, 0 to 300,000 ms.
    pub covered_ms: u32,
}

impl PortSlot {
    /// Adds what another part of the same slot carried.
    pub fn add(&mut self, part: &Self) {
        self.rx_octets = self.rx_octets.saturating_add(part.rx_octets);
        self.tx_octets = self.tx_octets.saturating_add(part.tx_octets);
        self.rx_packets = self.rx_packets.saturating_add(part.rx_packets);
        self.tx_packets = self.tx_packets.saturating_add(part.tx_packets);
        self.covered_ms = self.covered_ms.saturating_add(part.covered_ms);
    }
}

/// Spreads a stretch evenly over its time and cuts it at slot boundaries.
///
/// With `f(t) = floor(delta * (t - from) / dt)` the part between two instants is `f(t) - f(s)`, so the parts sum
/// to the delta exactly: no octet is lost or invented.
pub fn spread(stretch: Stretch) -> impl Iterator<Item = (Slot, PortSlot)> {
    let mut at = stretch.from;
    let mut before = [0; 4];
    std::iter::from_fn(move || {
        if at >= stretch.to {
            return None;
        }
        let slot = Slot::of(at);
        let cut = slot.end().min(stretch.to);
        let upto = amounts_by(&stretch, cut);
        let [rx_octets, tx_octets, rx_packets, tx_packets] = std::array::from_fn(|i| upto[i] - before[i]);
        let covered_ms = u32::try_from(cut.ms_since(at)).unwrap_or(u32::MAX);
        before = upto;
        at = cut;
        Some((slot, PortSlot { rx_octets, tx_octets, rx_packets, tx_packets, covered_ms }))
    })
}

/// What of the stretch's four amounts has passed by the instant `t`, which is after its start and not after its end.
fn amounts_by(stretch: &Stretch, t: Timestamp) -> [u64; 4] {
    let amounts = [stretch.rx.0, stretch.tx.0, stretch.rx_packets, stretch.tx_packets];
    if t == stretch.to {
        return amounts;
    }
    let dt_ms = stretch.to.ms_since(stretch.from).unsigned_abs();
    let passed_ms = t.ms_since(stretch.from).unsigned_abs();
    amounts.map(|delta| match delta.checked_mul(passed_ms) {
        Some(product) => product / dt_ms,
        None => {
            let part = u128::from(delta) * u128::from(passed_ms) / u128::from(dt_ms);
            u64::try_from(part).unwrap_or(delta)
        }
    })
}
