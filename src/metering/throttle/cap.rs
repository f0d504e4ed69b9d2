//! The limit that is suggested, with the arithmetic behind it.

use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Flood, Uplink};
use super::policy::{Policy, Sustained, multiple};
use crate::metering::allowance::ALLOWANCE_DEFAULT;
use crate::metering::tally::Figures;
use crate::metering::units::Bps;

/// Caps that fall below something do so by whole steps of this.
const STEP: u128 = 1_000;

/// A suggested cap of both directions: the larger of what its arithmetic gives and of `floor_bps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Cap {
    /// The cap.
    pub cap_bps: Bps,
    /// What the arithmetic gives.
    pub computed_bps: Bps,
    /// Below this no cap is suggested: the allowance in force, which was promised. Where nothing is granted it is 1
    /// Mbps, the default allowance, so that the customer can still reach the server.
    pub floor_bps: Bps,
    /// The arithmetic.
    pub by: By,
}

/// How a cap is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CapBy)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum By {
    /// As many slots may still be over the allowance as are to come, so the month ends without overage at any rate.
    /// The cap is the largest whole 1,000 bit/s below the threshold at which the server is let go:
    /// `release_percent` of `factor x allowance`.
    Extreme {
        /// Slots of the period that have not closed.
        slots_to_come: u64,
        /// Slots that may still be over the allowance.
        burst_left_slots: u64,
        /// Of the rule *sustained*, or its default where that is off.
        factor: u64,
        /// At which share of the threshold a rule is let go.
        release_percent: u32,
        /// What is granted now.
        allowance_bps: Bps,
        /// `release_percent` of `factor x allowance`.
        threshold_bps: Bps,
    },
    /// More slots are to come than may be over the allowance: only at the allowance does the month end without
    /// overage.
    Allowance {
        /// Slots of the period that have not closed.
        slots_to_come: u64,
        /// Slots that may still be over the allowance.
        burst_left_slots: u64,
        /// What is granted now.
        allowance_bps: Bps,
    },
    /// The month ends over the allowance in any case; at the allowance it ends with what is locked in already.
    LockedIn {
        /// Slots of the period that have not closed.
        slots_to_come: u64,
        /// What is granted now.
        allowance_bps: Bps,
        /// The p95 with which the period ends at least.
        locked_in_p95_bps: Bps,
        /// The overage with which the period ends at least.
        locked_in_overage_bps: Bps,
    },
    /// The largest whole 1,000 bit/s below `rate - reduction`, with which the uplink is below the load at which the
    /// rule is let go: `reduction = (load - threshold) x total / load`, rounded up, for the server's traffic
    /// spreads over a group of uplinks as all traffic does. With one uplink total and load are the same.
    Uplink {
        /// The server's rate.
        rate_bps: Bps,
        /// What the uplink carries.
        load_bps: Bps,
        /// What its group carries.
        total_bps: Bps,
        /// The load at which the rule is let go.
        threshold_bps: Bps,
        /// What the server must give up.
        reduction_bps: Bps,
    },
    /// The largest whole 1,000 bit/s below `packets x mean octets x 8`, with which packets of that size stay below
    /// the number at which the rule is let go.
    Flood {
        /// Packets a second at which the rule is let go.
        packets_per_second: u64,
        /// The packets' mean size in the newest slot, in octets.
        mean_octets: u64,
    },
}

/// The cap to suggest for a server on which `evidence` was found, when it is granted `allowance` and its period
/// stands at `figures`.
///
/// By *uplink* alone or *flood* alone the cap is what ends that; in all other cases it is what the month's burst
/// budget allows. It limits each direction by itself. Where a plan bills the sum of both, or the allowance falls
/// later in the period, the month may end above the allowance all the same: no cap is ever below what was promised.
///
/// 432 slots of burst are left of a 30-day month of which 8,640 slots are to come: the allowance, 1 Mbps. On its
/// last day, with 288 to come and as many left: 80 % of 10 times 1 Mbps are 8 Mbps, so 7,999,000 bit/s.
#[must_use]
pub fn suggest(policy: &Policy, allowance: Bps, figures: &Figures, evidence: &[Evidence]) -> Cap {
    let (computed_bps, by) = match evidence {
        [Evidence::Uplink(found)] => by_uplink(policy, found),
        [Evidence::Flood(found)] => by_flood(policy, found),
        _ => by_month(policy, allowance, figures),
    };
    let floor_bps = if allowance == Bps(0) { ALLOWANCE_DEFAULT } else { allowance };
    Cap { cap_bps: computed_bps.max(floor_bps), computed_bps, floor_bps, by }
}

fn by_month(policy: &Policy, allowance_bps: Bps, figures: &Figures) -> (Bps, By) {
    let slots_to_come = figures.expected.saturating_sub(figures.expected_so_far);
    let burst_left_slots = figures.burst_left_slots;
    if slots_to_come <= burst_left_slots {
        let Sustained { factor, .. } = policy.sustained.unwrap_or_default();
        let release_percent = policy.release_percent;
        let threshold_bps = match allowance_bps {
            Bps(0) => Bps(0),
            _ => multiple(factor, allowance_bps, release_percent).unwrap_or(Bps(u64::MAX)),
        };
        let by = By::Extreme {
            slots_to_come,
            burst_left_slots,
            factor,
            release_percent,
            allowance_bps,
            threshold_bps,
        };
        return (below(threshold_bps.0.into()), by);
    }
    let by = match (figures.locked_in_p95, figures.locked_in_overage) {
        (Some(locked_in_p95_bps), Some(locked_in_overage_bps)) if locked_in_overage_bps > Bps(0) => {
            By::LockedIn { slots_to_come, allowance_bps, locked_in_p95_bps, locked_in_overage_bps }
        }
        _ => By::Allowance { slots_to_come, burst_left_slots, allowance_bps },
    };
    (allowance_bps, by)
}

fn by_uplink(policy: &Policy, found: &Uplink) -> (Bps, By) {
    let Uplink { rate_bps, load_bps, total_bps, .. } = *found;
    let load_percent = policy.uplink.unwrap_or_default().load_percent;
    let released = u128::from(load_percent) * u128::from(policy.release_percent);
    let threshold = (u128::from(found.speed_bps.0) * released).div_ceil(10_000);
    let threshold_bps = Bps(u64::try_from(threshold).unwrap_or(u64::MAX));
    let over = u128::from(load_bps.above(threshold_bps).0);
    let reduction = (over * u128::from(total_bps.0)).div_ceil(u128::from(load_bps.0.max(1)));
    let computed_bps = below(u128::from(rate_bps.0).saturating_sub(reduction));
    let reduction_bps = Bps(u64::try_from(reduction).unwrap_or(u64::MAX));
    (computed_bps, By::Uplink { rate_bps, load_bps, total_bps, threshold_bps, reduction_bps })
}

fn by_flood(policy: &Policy, found: &Flood) -> (Bps, By) {
    let limit = u128::from(policy.flood.unwrap_or_default().packets_per_second);
    let released = (limit * u128::from(policy.release_percent)).div_ceil(100);
    let packets_per_second = u64::try_from(released).unwrap_or(u64::MAX);
    let mean_octets = found.slots.last().map_or(0, |slot| slot.mean_octets);
    let rate = u128::from(packets_per_second) * u128::from(mean_octets) * 8;
    (below(rate), By::Flood { packets_per_second, mean_octets })
}

/// The largest whole 1,000 bit/s below `bps`; 0 where there is none.
fn below(bps: u128) -> Bps {
    let steps = bps.saturating_sub(1) / STEP;
    Bps(u64::try_from(steps * STEP).unwrap_or(u64::MAX))
}
