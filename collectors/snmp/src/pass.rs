//! What a visit to a device brings back.

use std::sync::Arc;
use std::time::Duration;

use meter95_reading::{Reading, Timestamp};

use crate::FailureCounts;

/// One visit to all ports of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// The device's name.
    pub device: Arc<str>,
    /// When the pass began. Each reading has its own, later instant.
    pub started: Timestamp,
    /// How long the pass took.
    pub took: Duration,
    /// What was read, at most one reading a port, in no order.
    pub readings: Vec<Reading>,
    /// How many ports ought to have been read: those metered, those missing and those of ambiguous name.
    /// 0 as long as the device's interfaces could not be listed.
    pub expected: usize,
    /// What became of it.
    pub outcome: Outcome,
    /// What went wrong, also where a second attempt went well: a count for each attempt that failed and each
    /// row that could not be used.
    pub failures: FailureCounts,
    /// Requests sent, each one datagram besides those by which SNMPv3 learns of a device's engine.
    pub requests: u32,
    /// Those of them that repeated another.
    pub retries: u32,
    /// The slowest answer's round trip; none without an answer.
    pub round_trip: Option<Duration>,
}

/// What became of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Every port that ought to be read was.
    Complete,
    /// Some ports were read, others not.
    Partial,
    /// The device answered, but no port could be read.
    Failed,
    /// The device did not answer at all. Visits become rarer until it does.
    Silent,
}

impl Outcome {
    /// The outcome of a pass that read `readings` of `expected` ports.
    pub(crate) fn of(answered: bool, listed: bool, readings: usize, expected: usize) -> Self {
        match (answered, listed) {
            (false, _) => Self::Silent,
            (true, true) if readings >= expected => Self::Complete,
            _ if readings > 0 => Self::Partial,
            _ => Self::Failed,
        }
    }

    /// The word for it in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Silent => "silent",
        }
    }

    /// Whether the device gave what it was visited for, at least in part.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Complete | Self::Partial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes() {
        for (answered, listed, readings, expected, outcome) in [
            (true, true, 5, 5, Outcome::Complete),
            (true, true, 0, 0, Outcome::Complete),
            (true, true, 4, 5, Outcome::Partial),
            (true, true, 0, 5, Outcome::Failed),
            (true, false, 0, 0, Outcome::Failed),
            (false, true, 0, 5, Outcome::Silent),
            (false, false, 0, 0, Outcome::Silent),
        ] {
            assert_eq!(Outcome::of(answered, listed, readings, expected), outcome);
        }
    }
}
