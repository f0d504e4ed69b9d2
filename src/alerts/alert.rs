//! A condition that is true now and that somebody should know of.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::inventory::instant::Instant;

/// How much it matters; greater is worse.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    ValueEnum,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    #[default]
    Info,
    /// Somebody should look at it by daylight.
    Warning,
    /// Somebody must act now.
    Critical,
}

/// What is the matter.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "&'static str")]
#[schema(rename_all = "snake_case")]
pub enum AlertKind {
    /// A throttle case is open (SPEC.md section 9).
    Case,
    /// Half of a server's burst is used (SPEC.md section 7).
    BurstHalf,
    /// All of a server's burst is used: the next slot with excess is billed.
    BurstUsed,
    /// A server's month ends with overage even if it falls silent now.
    LockedInOverage,
    /// An uplink has little left.
    UplinkTight,
    /// A port is not read any more.
    PortSilent,
    /// A device does not answer.
    DeviceSilent,
    /// A collector elsewhere is not heard of.
    CollectorSilent,
    /// A server's switch port and its own interface tell different figures.
    MetersDisagree,
    /// A statement waits for a person's review (SPEC.md section 8).
    StatementHeld,
    /// Too many ports had no sample in the last slot.
    PortsUnsampled,
    /// A clock is wrong.
    ClockSkew,
    /// Devices are read later than they should.
    PollLag,
    /// Readings are refused.
    ReadingsRefused,
    /// The store does not keep up.
    StoreBehind,
}

/// A word that names no kind of alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of alert")]
pub struct KindError(String);

/// A condition that is true now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AlertBody)]
pub struct Alert {
    /// What it is of, once for each source: of equal keys there is one alert.
    pub key: String,
    /// What is the matter.
    pub kind: AlertKind,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about, by which it is told from others and routed: server, customer, region, uplink, device and the
    /// like. With other labels it is another alert, of the same key.
    pub labels: BTreeMap<String, String>,
    /// One line for people.
    pub summary: String,
    /// Figures for machines; they may change while the alert stays.
    pub details: serde_json::Value,
}

/// An alert with its time: what the board shows of it, and what an event about it carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Alert)]
pub struct Notice {
    /// Who reports the condition.
    pub source: String,
    /// The condition, as it was reported last.
    #[serde(flatten)]
    pub alert: Alert,
    /// Since when it is known.
    pub raised_at: Instant,
    /// Since when it is over; `None` while it is not.
    pub cleared_at: Option<Instant>,
}

impl Severity {
    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl AlertKind {
    /// All there are.
    pub const ALL: [Self; 15] = [
        Self::Case,
        Self::BurstHalf,
        Self::BurstUsed,
        Self::LockedInOverage,
        Self::UplinkTight,
        Self::PortSilent,
        Self::DeviceSilent,
        Self::CollectorSilent,
        Self::MetersDisagree,
        Self::StatementHeld,
        Self::PortsUnsampled,
        Self::ClockSkew,
        Self::PollLag,
        Self::ReadingsRefused,
        Self::StoreBehind,
    ];

    /// Its word, as in `burst_half`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::BurstHalf => "burst_half",
            Self::BurstUsed => "burst_used",
            Self::LockedInOverage => "locked_in_overage",
            Self::UplinkTight => "uplink_tight",
            Self::PortSilent => "port_silent",
            Self::DeviceSilent => "device_silent",
            Self::CollectorSilent => "collector_silent",
            Self::MetersDisagree => "meters_disagree",
            Self::StatementHeld => "statement_held",
            Self::PortsUnsampled => "ports_unsampled",
            Self::ClockSkew => "clock_skew",
            Self::PollLag => "poll_lag",
            Self::ReadingsRefused => "readings_refused",
            Self::StoreBehind => "store_behind",
        }
    }

    /// The same as Alertmanager's users write it, as in `BurstHalf`.
    #[must_use]
    pub fn alertname(self) -> String {
        self.name()
            .split('_')
            .flat_map(|word| {
                let (first, rest) = word.split_at(1);
                [first.to_ascii_uppercase(), rest.to_owned()]
            })
            .collect()
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AlertKind {
    type Err = KindError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == word).ok_or_else(|| KindError(word.to_owned()))
    }
}

impl TryFrom<String> for AlertKind {
    type Error = KindError;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        word.parse()
    }
}

impl From<AlertKind> for &'static str {
    fn from(kind: AlertKind) -> Self {
        kind.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_a_word_each() {
        let mut words: Vec<&str> = AlertKind::ALL.iter().map(|kind| kind.name()).collect();
        for kind in AlertKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), AlertKind::ALL.len());
        assert_eq!(AlertKind::LockedInOverage.alertname(), "LockedInOverage");
        assert_eq!(AlertKind::Case.alertname(), "Case");
        assert!("burst".parse::<AlertKind>().is_err());
    }
}
