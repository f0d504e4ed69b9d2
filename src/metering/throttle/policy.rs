//! The limits of the rules, with the defaults of SPEC.md section 9.

use serde::{Deserialize, Serialize};

/// By which limits a server is extreme; `None` where a rule is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// A multiple of the allowance in most of the last slots.
    pub sustained: Option<Sustained>,
    /// A locked-in p95 of a multiple of the allowance.
    pub locked_in: Option<LockedIn>,
    /// A large share of an uplink that is nearly full.
    pub uplink: Option<UplinkShare>,
    /// Very many small packets.
    pub flood: Option<Flood>,
    /// A rule that holds goes on holding down to this part of its limit, in percent.
    pub release_percent: u32,
    /// A case is resolved when no rule has held for so many slots.
    pub quiet_slots: u32,
}

/// value >= factor x allowance in at least `slots` of the last `of` slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sustained {
    /// How many times the allowance.
    pub factor: u64,
    /// In how many slots at least.
    pub slots: u32,
    /// Of how many of the last.
    pub of: u32,
}

/// locked-in p95 >= factor x allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedIn {
    /// How many times the allowance.
    pub factor: u64,
}

/// An uplink's load in percent of its speed, and the server's share of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UplinkShare {
    /// From which load on, in percent of the uplink's speed.
    pub load_percent: u32,
    /// From which share of the load on, in percent.
    pub share_percent: u32,
}

/// Packets per second at or over a limit, with a mean size below another, for some slots on end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flood {
    /// From how many packets per second on.
    pub packets_per_second: u64,
    /// Below which mean size of a packet, in octets.
    pub mean_octets: u64,
    /// For how many slots.
    pub slots: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            sustained: Some(Sustained { factor: 10, slots: 10, of: 12 }),
            locked_in: Some(LockedIn { factor: 10 }),
            uplink: Some(UplinkShare { load_percent: 80, share_percent: 20 }),
            flood: Some(Flood { packets_per_second: 100_000, mean_octets: 128, slots: 2 }),
            release_percent: 80,
            quiet_slots: 24,
        }
    }
}
