//! When a server is extreme, and what is recommended then (SPEC.md section 9).
//!
//! A [`policy`] says which rules hold by which limits.

pub mod policy;

use serde::{Deserialize, Serialize};

/// The longest window that a rule looks back over, in slots: two hours. The live state remembers as many.
pub const WINDOW_SLOTS_MAX: u32 = 24;

/// A rule by which a server is extreme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A multiple of the allowance in most of the last slots.
    Sustained,
    /// A locked-in p95 of a multiple of the allowance.
    LockedIn,
    /// A large share of an uplink that is nearly full.
    Uplink,
    /// Very many small packets: possible abuse rather than heavy use.
    Flood,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sustained, Self::LockedIn, Self::Uplink, Self::Flood];

    /// The word for it, as it is written and stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sustained => "sustained",
            Self::LockedIn => "locked_in",
            Self::Uplink => "uplink",
            Self::Flood => "flood",
        }
    }
}
