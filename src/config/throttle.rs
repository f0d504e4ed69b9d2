//! `[throttle]`: how customers are contacted, and in which words.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::throttle::contact::Rounds;

/// The most rounds that may be configured: who has not answered to ten does not read them.
const ROUNDS_MAX: u64 = 10;

/// The longest time between two contacts or for an answer, in s: 30 days, as long as a month to bill.
const SECONDS_MAX: u64 = 30 * 86_400;

/// Cases of servers that use far too much (SPEC.md section 9).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Throttle {
    /// Whether contacts are written to without a person; otherwise it is only told whose turn it is.
    pub automatic: bool,
    /// A folder with templates that take the place of those that come with meter95, or add to them.
    pub templates: Option<PathBuf>,
    /// How often all contacts of a customer are tried; 2 unless given.
    pub rounds: Option<u64>,
    /// How long after one contact the next is tried, in s; 1800 unless given.
    pub between_contacts_s: Option<u64>,
    /// How long there is time for an answer after a round, in s; 86400 unless given.
    pub answer_s: Option<u64>,
}

impl Throttle {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (field, value, max, unit) in [
            ("throttle.rounds", self.rounds, ROUNDS_MAX, ""),
            ("throttle.between_contacts_s", self.between_contacts_s, SECONDS_MAX, " s"),
            ("throttle.answer_s", self.answer_s, SECONDS_MAX, " s"),
        ] {
            if let Some(value) = value.filter(|value| !(1..=max).contains(value)) {
                let says = format!("it must be 1 to {max}{unit}");
                return Err(ConfigError::Value { field: field.to_owned(), value: value.to_string(), says });
            }
        }
        Ok(())
    }

    /// How contacts are tried.
    #[must_use]
    pub fn rounds(&self) -> Rounds {
        let Rounds { rounds, between_contacts_ms, answer_ms } = Rounds::default();
        let ms = |s: Option<u64>, default| {
            s.and_then(|s| i64::try_from(s).ok()).and_then(|s| s.checked_mul(1_000)).unwrap_or(default)
        };
        Rounds {
            rounds: self.rounds.and_then(|rounds| u32::try_from(rounds).ok()).unwrap_or(rounds),
            between_contacts_ms: ms(self.between_contacts_s, between_contacts_ms),
            answer_ms: ms(self.answer_s, answer_ms),
        }
    }
}
