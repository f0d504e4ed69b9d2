//! What a rule found, as figures that a person can check with a calculator.
//!
//! All of it goes into a recommendation as JSON and comes back from there as it was. A threshold is the least whole
//! figure that meets the rule. `at_percent` is the share of the policy's thresholds at which the rule was asked: 100
//! when it began to hold, the policy's `release_percent` as long as it goes on holding.

use serde::{Deserialize, Serialize};

use super::Rule;
use crate::metering::sample::Direction;
use crate::metering::top_set::AtOrOver;
use crate::metering::units::{Bps, Slot};

/// What one rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Evidence {
    /// Far over the allowance in most of the last slots.
    Sustained(Sustained),
    /// The month can no longer end below a multiple of the allowance.
    LockedIn(LockedIn),
    /// A large part of a shared uplink that is nearly full.
    Uplink(Uplink),
    /// A great many small packets.
    Flood(Flood),
}

impl Evidence {
    /// Whose evidence it is.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            Self::Sustained(_) => Rule::Sustained,
            Self::LockedIn(_) => Rule::LockedIn,
            Self::Uplink(_) => Rule::Uplink,
            Self::Flood(_) => Rule::Flood,
        }
    }
}

/// `value >= factor x allowance` in enough of the last slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SustainedEvidence)]
pub struct Sustained {
    /// How many times the allowance.
    pub factor: u64,
    /// At which share of the thresholds.
    pub at_percent: u32,
    /// In how many slots at least.
    pub slots: u32,
    /// Of how many.
    pub of: u32,
    /// How many of these have a sample.
    pub sampled: u32,
    /// Those at or over their threshold, ascending.
    pub fired: Vec<Fired>,
}

/// A slot in which the value is at or over its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FiredSlot)]
pub struct Fired {
    /// The slot.
    pub slot: Slot,
    /// The larger of in and out.
    pub value_bps: Bps,
    /// What was granted in the slot.
    pub allowance_bps: Bps,
    /// `factor x allowance`, at `at_percent`.
    pub threshold_bps: Bps,
}

/// `locked-in p95 >= factor x allowance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = LockedInEvidence)]
pub struct LockedIn {
    /// How many times the allowance.
    pub factor: u64,
    /// At which share of the threshold.
    pub at_percent: u32,
    /// The p95 with which the period ends even if the server falls silent now.
    pub locked_in_p95_bps: Bps,
    /// What is granted in the newest closed slot.
    pub allowance_bps: Bps,
    /// `factor x allowance`, at `at_percent`.
    pub threshold_bps: Bps,
    /// E: slots of the period.
    pub expected: u64,
    /// K: the larger slots that are forgiven.
    pub burst_slots: u64,
    /// Slots at or over the threshold: more than K.
    pub slots_at_or_over: AtOrOver,
    /// The first slot that counts, all before it being taken as 0; `None`: the whole period counts.
    pub since: Option<Slot>,
}

/// A share of an uplink that is nearly full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UplinkEvidence)]
pub struct Uplink {
    /// The slot.
    pub slot: Slot,
    /// In which direction, seen from the servers.
    pub direction: Direction,
    /// At which share of the thresholds.
    pub at_percent: u32,
    /// The uplink that is nearly full; `None`: all of the group together.
    pub uplink: Option<String>,
    /// All uplinks that the server shares, which back each other up.
    pub group: Vec<String>,
    /// The speed of the uplink, or of the whole group.
    pub speed_bps: Bps,
    /// What it carries by its own port, where that counts in the slot; for a group, where all of them do.
    pub by_port_bps: Option<Bps>,
    /// What the group carries by the sum of its servers.
    pub by_servers_bps: Bps,
    /// Which of the two was held against the speed.
    pub measured: Measured,
    /// That one.
    pub load_bps: Bps,
    /// The load as a share of the speed, in percent, rounded down.
    pub load_percent: u64,
    /// The least load that meets the rule.
    pub load_threshold_bps: Bps,
    /// What the whole group carries, of which the server's share is taken.
    pub total_bps: Bps,
    /// What the server has of it.
    pub rate_bps: Bps,
    /// The same as a share, in percent, rounded down.
    pub share_percent: u64,
    /// The least rate that meets the rule.
    pub share_threshold_bps: Bps,
}

/// How an uplink's load is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MeasuredPort)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// By the uplink's own port.
    Port,
    /// By adding up the servers behind it.
    Servers,
}

/// Many small packets in one direction, in each of the last slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FloodEvidence)]
pub struct Flood {
    /// In which direction.
    pub direction: Direction,
    /// At which share of the thresholds.
    pub at_percent: u32,
    /// The least packets a second that meet the rule.
    pub packets_per_second_threshold: u64,
    /// The mean size must be below this, in octets.
    pub mean_octets_limit: u64,
    /// The last slots, ascending; each meets both.
    pub slots: Vec<Flooded>,
}

/// One slot of a flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FloodedSlot)]
pub struct Flooded {
    /// The slot.
    pub slot: Slot,
    /// Packets a second, rounded down.
    pub packets_per_second: u64,
    /// Octets a packet, rounded down.
    pub mean_octets: u64,
}
