//! What counts as extreme: the thresholds of the rules, and for how long.

use serde::{Deserialize, Serialize};

use super::Rule;
use crate::metering::units::Bps;

/// The most slots back that a rule may look: two hours. Whoever evaluates keeps so many of each server in memory.
pub const WINDOW_SLOTS_MAX: u32 = 24;

/// The longest quiet that may be asked for before a case resolves: a week.
pub const QUIET_SLOTS_MAX: u32 = 2_016;

/// The policy in force for a server: each rule with its thresholds, or off.
///
/// Deserialized through [`Policy::checked`]; a rule that is not written is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Policy {
    /// Far over the allowance in most of the last slots.
    pub sustained: Option<Sustained>,
    /// The month can no longer end below a multiple of the allowance.
    pub locked_in: Option<LockedIn>,
    /// A large part of a shared uplink that is nearly full.
    pub uplink: Option<UplinkShare>,
    /// A great many small packets.
    pub flood: Option<Flood>,
    /// A rule that holds goes on holding while it is met at this share of its thresholds, in percent, 1 to 100.
    pub release_percent: u32,
    /// After so many slots in which no rule held a case resolves, 1 to [`QUIET_SLOTS_MAX`].
    pub quiet_slots: u32,
}

/// `value >= factor x allowance` in at least `slots` of the last `of` slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sustained {
    /// How many times the allowance, at least 1.
    pub factor: u64,
    /// In how many slots, 1 to `of`.
    pub slots: u32,
    /// Of how many, at most [`WINDOW_SLOTS_MAX`].
    pub of: u32,
}

/// `locked-in p95 >= factor x allowance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedIn {
    /// How many times the allowance, at least 1.
    pub factor: u64,
}

/// An uplink at `load_percent` of its speed or more, of which the server makes up `share_percent` or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UplinkShare {
    /// Of the uplink's speed, 1 to 100.
    pub load_percent: u32,
    /// Of what the uplink carries, 1 to 100.
    pub share_percent: u32,
}

/// So many packets a second of so small a mean size, in each of the last `slots` slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flood {
    /// At least so many packets a second in one direction, at least 1.
    pub packets_per_second: u64,
    /// Of a mean size below this, in octets, at least 1.
    pub mean_octets: u64,
    /// In so many slots running, 1 to [`WINDOW_SLOTS_MAX`].
    pub slots: u32,
}

impl Default for Sustained {
    fn default() -> Self {
        Self { factor: 10, slots: 10, of: 12 }
    }
}

impl Default for LockedIn {
    fn default() -> Self {
        Self { factor: 10 }
    }
}

impl Default for UplinkShare {
    fn default() -> Self {
        Self { load_percent: 80, share_percent: 20 }
    }
}

impl Default for Flood {
    fn default() -> Self {
        Self { packets_per_second: 100_000, mean_octets: 128, slots: 2 }
    }
}

/// SPEC.md's own figures: every rule is on.
impl Default for Policy {
    fn default() -> Self {
        Self {
            sustained: Some(Sustained::default()),
            locked_in: Some(LockedIn::default()),
            uplink: Some(UplinkShare::default()),
            flood: Some(Flood::default()),
            release_percent: 80,
            quiet_slots: 24,
        }
    }
}

/// A figure that can't be part of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A factor of 0 would make every server extreme.
    #[error("{0}: a factor of 0 holds for every server")]
    Factor(Rule),
    /// A window longer than is kept in memory, or empty.
    #[error("{0}: a window of {1} slots is not one of 1 to {WINDOW_SLOTS_MAX}")]
    Window(Rule, u32),
    /// More slots than the window has, or none.
    #[error("sustained: {slots} of {of} slots; the first is 1 to {of}")]
    Slots {
        /// How many must fire.
        slots: u32,
        /// Of how many.
        of: u32,
    },
    /// A share that is not 1 to 100 percent.
    #[error("{name} is {percent}, not a percentage of 1 to 100")]
    Percent {
        /// Of what.
        name: &'static str,
        /// What was written.
        percent: u32,
    },
    /// A limit of no packets a second.
    #[error("flood: packets_per_second is 0, which every server reaches")]
    PacketsPerSecond,
    /// A mean size that no packet is below.
    #[error("flood: mean_octets is 0, and no packet is smaller")]
    MeanOctets,
    /// A case that would resolve at once, or hardly ever.
    #[error("quiet_slots is {0}, not 1 to {QUIET_SLOTS_MAX}")]
    QuietSlots(u32),
}

impl Policy {
    /// This policy, when all of its figures make sense.
    ///
    /// # Errors
    /// The first one that does not, with its value.
    pub fn checked(self) -> Result<Self, PolicyError> {
        let window = |rule, slots| match slots {
            1..=WINDOW_SLOTS_MAX => Ok(()),
            _ => Err(PolicyError::Window(rule, slots)),
        };
        let percent = |name, percent| match percent {
            1..=100 => Ok(()),
            _ => Err(PolicyError::Percent { name, percent }),
        };
        if let Some(Sustained { factor, slots, of }) = self.sustained {
            if factor == 0 {
                return Err(PolicyError::Factor(Rule::Sustained));
            }
            window(Rule::Sustained, of)?;
            if slots == 0 || slots > of {
                return Err(PolicyError::Slots { slots, of });
            }
        }
        if let Some(LockedIn { factor: 0 }) = self.locked_in {
            return Err(PolicyError::Factor(Rule::LockedIn));
        }
        if let Some(UplinkShare { load_percent, share_percent }) = self.uplink {
            percent("load_percent", load_percent)?;
            percent("share_percent", share_percent)?;
        }
        if let Some(Flood { packets_per_second, mean_octets, slots }) = self.flood {
            if packets_per_second == 0 {
                return Err(PolicyError::PacketsPerSecond);
            }
            if mean_octets == 0 {
                return Err(PolicyError::MeanOctets);
            }
            window(Rule::Flood, slots)?;
        }
        percent("release_percent", self.release_percent)?;
        match self.quiet_slots {
            1..=QUIET_SLOTS_MAX => Ok(self),
            slots => Err(PolicyError::QuietSlots(slots)),
        }
    }

    /// Whether `rule` is on.
    #[must_use]
    pub fn has(&self, rule: Rule) -> bool {
        match rule {
            Rule::Sustained => self.sustained.is_some(),
            Rule::LockedIn => self.locked_in.is_some(),
            Rule::Uplink => self.uplink.is_some(),
            Rule::Flood => self.flood.is_some(),
        }
    }

    /// This policy with `rule` off.
    #[must_use]
    pub fn without(mut self, rule: Rule) -> Self {
        match rule {
            Rule::Sustained => self.sustained = None,
            Rule::LockedIn => self.locked_in = None,
            Rule::Uplink => self.uplink = None,
            Rule::Flood => self.flood = None,
        }
        self
    }
}

/// The least rate that is `at_percent` of `factor` times `allowance` or more, that is rounded up; `None` where no
/// rate is: the allowance is 0, and nothing is a multiple of that, or the product is above every rate.
///
/// 80 % of 10 times 1,000,000 bit/s are 8,000,000 bit/s.
#[must_use]
pub fn multiple(factor: u64, allowance: Bps, at_percent: u32) -> Option<Bps> {
    if allowance == Bps(0) {
        return None;
    }
    let full = u128::from(factor) * u128::from(allowance.0);
    share(full, at_percent.into(), 100)
}

/// The least whole number that is `numerator / denominator` of `full` or more; `None` above 2^64.
pub(super) fn share(full: u128, numerator: u128, denominator: u128) -> Option<Bps> {
    let part = full.checked_mul(numerator)?.div_ceil(denominator);
    u64::try_from(part).ok().map(Bps)
}

/// A policy as it is written, before it is known to be one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sustained: Option<Sustained>,
    locked_in: Option<LockedIn>,
    uplink: Option<UplinkShare>,
    flood: Option<Flood>,
    release_percent: u32,
    quiet_slots: u32,
}

impl TryFrom<Written> for Policy {
    type Error = PolicyError;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { sustained, locked_in, uplink, flood, release_percent, quiet_slots } = written;
        Self { sustained, locked_in, uplink, flood, release_percent, quiet_slots }.checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_makes_no_sense_is_refused_by_name() {
        let spec = Policy::default();
        assert_eq!(spec.checked(), Ok(spec));
        let sustained =
            |factor, slots, of| Policy { sustained: Some(Sustained { factor, slots, of }), ..spec };
        let uplink = |load_percent, share_percent| Policy {
            uplink: Some(UplinkShare { load_percent, share_percent }),
            ..spec
        };
        let flood = |packets_per_second, mean_octets, slots| Policy {
            flood: Some(Flood { packets_per_second, mean_octets, slots }),
            ..spec
        };
        for (policy, message) in [
            (sustained(0, 1, 1), "sustained: a factor of 0 holds for every server"),
            (sustained(1, 1, 0), "sustained: a window of 0 slots is not one of 1 to 24"),
            (sustained(1, 1, 25), "sustained: a window of 25 slots is not one of 1 to 24"),
            (sustained(1, 13, 12), "sustained: 13 of 12 slots; the first is 1 to 12"),
            (sustained(1, 0, 12), "sustained: 0 of 12 slots; the first is 1 to 12"),
            (
                Policy { locked_in: Some(LockedIn { factor: 0 }), ..spec },
                "locked_in: a factor of 0 holds for every server",
            ),
            (uplink(0, 20), "load_percent is 0, not a percentage of 1 to 100"),
            (uplink(80, 101), "share_percent is 101, not a percentage of 1 to 100"),
            (flood(0, 128, 2), "flood: packets_per_second is 0, which every server reaches"),
            (flood(1, 0, 2), "flood: mean_octets is 0, and no packet is smaller"),
            (flood(1, 128, 0), "flood: a window of 0 slots is not one of 1 to 24"),
            (Policy { release_percent: 0, ..spec }, "release_percent is 0, not a percentage of 1 to 100"),
            (Policy { release_percent: 101, ..spec }, "release_percent is 101, not a percentage of 1 to 100"),
            (Policy { quiet_slots: 0, ..spec }, "quiet_slots is 0, not 1 to 2016"),
            (Policy { quiet_slots: 2_017, ..spec }, "quiet_slots is 2017, not 1 to 2016"),
        ] {
            assert_eq!(policy.checked().unwrap_err().to_string(), message);
            let json = serde_json::to_string(&policy).unwrap();
            assert!(
                serde_json::from_str::<Policy>(&json).unwrap_err().to_string().contains(message),
                "{json}"
            );
        }
    }

    #[test]
    fn a_policy_comes_back_from_json_as_it_was() {
        let policy = Policy::default().without(Rule::Flood);
        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
        assert!(Rule::ALL.iter().all(|rule| policy.has(*rule) == (*rule != Rule::Flood)));
    }

    #[test]
    fn a_multiple_rounds_up_and_of_nothing_there_is_none() {
        for (factor, allowance, percent, expected) in [
            (10, 1_000_000, 100, Some(10_000_000)),
            (10, 1_000_000, 80, Some(8_000_000)),
            (1, 3, 80, Some(3)),
            (1, 1, 1, Some(1)),
            (10, 0, 100, None),
            (2, u64::MAX, 100, None),
            (u64::MAX, u64::MAX, 100, None),
        ] {
            assert_eq!(multiple(factor, Bps(allowance), percent), expected.map(Bps));
        }
    }
}
