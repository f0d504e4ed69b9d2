//! Who is extreme, and what to do about it (SPEC.md section 9).
//!
//! A [`policy`] says what is extreme, the [`rules`] find it in what is known of a server when a slot has closed, as
//! [`evidence`] that a person can check, and a [`watch`] follows one server's rules over time: what begins to hold,
//! when a case opens and when it resolves. Its [`standing`] is a fold of these events. The [`outlook`] is what the
//! month ends with, with and without a limit, and the [`cap`] is the limit that is suggested.

pub mod policy;

pub mod evidence;
pub mod packets;
pub mod rules;

pub mod standing;
pub mod watch;

pub mod cap;
pub mod outlook;

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the rules by which a server is extreme.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Far over the allowance in most of the last slots.
    Sustained,
    /// The month can no longer end below a multiple of the allowance.
    LockedIn,
    /// A large part of a shared uplink that is nearly full.
    Uplink,
    /// A great many small packets: possible abuse rather than heavy use.
    Flood,
}

impl Rule {
    /// All of them, in the order of SPEC.md.
    pub const ALL: [Self; 4] = [Self::Sustained, Self::LockedIn, Self::Uplink, Self::Flood];

    /// The word for it, as in a policy.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sustained => "sustained",
            Self::LockedIn => "locked_in",
            Self::Uplink => "uplink",
            Self::Flood => "flood",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Sustained => 1,
            Self::LockedIn => 2,
            Self::Uplink => 4,
            Self::Flood => 8,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Some of the rules; written as a list of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Rule>", into = "Vec<Rule>")]
pub struct RuleSet(u8);

impl RuleSet {
    /// Not one.
    pub const NONE: Self = Self(0);

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `rule` is one of them.
    #[must_use]
    pub fn contains(self, rule: Rule) -> bool {
        self.0 & rule.bit() != 0
    }

    /// These and `rule`.
    #[must_use]
    pub fn with(self, rule: Rule) -> Self {
        Self(self.0 | rule.bit())
    }

    /// These but for `rule`.
    #[must_use]
    pub fn without(self, rule: Rule) -> Self {
        Self(self.0 & !rule.bit())
    }

    /// Those of either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// One after the other, in the order of SPEC.md.
    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| self.contains(*rule))
    }
}

impl FromIterator<Rule> for RuleSet {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        rules.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<Vec<Rule>> for RuleSet {
    fn from(rules: Vec<Rule>) -> Self {
        rules.into_iter().collect()
    }
}

impl From<RuleSet> for Vec<Rule> {
    fn from(rules: RuleSet) -> Self {
        rules.iter().collect()
    }
}

#[cfg(test)]
mod tests;
