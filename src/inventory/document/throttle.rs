//! When a server is extreme and when it is not held against it, as people write it.

use serde::{Deserialize, Serialize};

use crate::inventory::instant::Instant;
use crate::metering::throttle::Rule;

/// A policy as written: what it does not say is as in the layer below, and at the bottom as in SPEC.md section 9.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyEntry {
    /// Its name.
    pub id: String,
    /// For the servers of this region; for all where neither region, plan nor server is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// For the servers that are on this plan at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// For this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// From when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Until before when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// A multiple of the allowance in most of the last slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sustained: Option<SustainedEntry>,
    /// A locked-in p95 of a multiple of the allowance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_in: Option<LockedInEntry>,
    /// A large share of an uplink that is nearly full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uplink: Option<UplinkShareEntry>,
    /// Very many small packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flood: Option<FloodEntry>,
    /// Rules that are off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<Rule>,
    /// A rule that holds goes on holding down to this part of its limit, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_percent: Option<u32>,
    /// A case is resolved when no rule has held for so many slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_slots: Option<u32>,
}

/// The rule *sustained* as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SustainedEntry {
    /// How many times the allowance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<u64>,
    /// In how many slots at least; goes together with `of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Of how many of the last slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u32>,
}

/// The rule *locked-in* as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LockedInEntry {
    /// How many times the allowance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<u64>,
}

/// The rule *uplink* as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UplinkShareEntry {
    /// From which load on, in percent of the uplink's speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_percent: Option<u32>,
    /// From which share of the load on, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_percent: Option<u32>,
}

/// The rule *flood* as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FloodEntry {
    /// From how many packets per second on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets_per_second: Option<u64>,
    /// Below which mean size of a packet, in octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_octets: Option<u64>,
    /// For how many slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
}

/// An exemption as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Exemption)]
#[serde(deny_unknown_fields)]
pub struct ExemptionEntry {
    /// Its name.
    pub id: String,
    /// For this server; or else for a customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// For all servers of this customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// From which rules; from all unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<Rule>>,
    /// Why.
    pub reason: String,
    /// From when; since ever unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Until before when: an exemption has an end.
    pub until: Instant,
}
