//! When a server is extreme (SPEC.md section 9).

use serde::{Deserialize, Serialize};

/// A rule by which a server is extreme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// It is far over its allowance in most of the last slots.
    Sustained,
    /// What the month ends with whatever comes is far over its allowance.
    LockedIn,
    /// It makes up much of an uplink that is nearly full.
    Uplink,
    /// Very many very small packets: possible abuse rather than heavy use.
    Flood,
}

impl Rule {
    /// The word under which it is known.
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
