//! Whole numbers with their unit in the type.

use std::fmt;

use meter95_reading::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of octets as interface counters count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Octets(pub u64);

/// A rate in bit/s; 1 Mbps is 1,000,000 bit/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bps(pub u64);

impl Bps {
    /// The sum, or the largest rate there is.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// How far this rate exceeds `other`, 0 where it does not.
    #[must_use]
    pub fn above(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Bps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The mean rate of `octets` over `covered_ms`, rounded down; `None` over an empty span (SPEC.md section 4).
///
/// 37,500,000 octets over 300,000 ms are 1,000,000 bit/s.
#[must_use]
pub fn mean_rate(octets: Octets, covered_ms: u64) -> Option<Bps> {
    let millibits = u128::from(octets.0) * 8_000;
    let bps = millibits.checked_div(u128::from(covered_ms))?;
    Some(Bps(u64::try_from(bps).unwrap_or(u64::MAX)))
}

/// The 300 s from `k*300` to `(k+1)*300` in Unix time, known by `k` (SPEC.md section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub i64);

impl Slot {
    /// The length of a slot in milliseconds.
    pub const MS: i64 = 300_000;

    /// The slot in which `time` lies; the instant on a boundary belongs to the slot that starts there.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        Self(time.0.div_euclid(Self::MS))
    }

    /// The first slot that starts at or after `time`.
    #[must_use]
    pub fn starting_from(time: Timestamp) -> Self {
        let slot = Self::of(time);
        if slot.start() < time { slot.next() } else { slot }
    }

    /// Its first instant, which names it.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(Self::MS))
    }

    /// The first instant after it.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.next().start()
    }

    /// The slot after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The slot before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

/// As the RFC 3339 form of its first instant in UTC.
impl Serialize for Slot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let start = jiff::Timestamp::from_millisecond(self.start().0).map_err(serde::ser::Error::custom)?;
        serializer.collect_str(&start)
    }
}

/// From the RFC 3339 form of its first instant; an instant that starts no slot is refused.
impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let start = jiff::Timestamp::deserialize(deserializer)?;
        let whole_ms = start.as_nanosecond().rem_euclid(1_000_000) == 0;
        let time = Timestamp(start.as_millisecond());
        let slot = Self::of(time);
        if !whole_ms || slot.start() != time {
            return Err(de::Error::custom(format_args!("no slot starts at {start}")));
        }
        Ok(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_written_as_its_first_instant() {
        let slot = Slot::of(Timestamp(1_790_780_400_000));
        assert_eq!(serde_json::to_string(&slot).unwrap(), "\"2026-09-30T15:00:00Z\"");
        for text in ["\"2026-09-30T15:00:00Z\"", "\"2026-10-01T00:00:00+09:00\""] {
            assert_eq!(serde_json::from_str::<Slot>(text).unwrap(), slot, "{text}");
        }
        for text in ["\"2026-09-30T15:00:01Z\"", "\"2026-09-30T15:00:00.0000001Z\"", "1790780400000"] {
            assert!(serde_json::from_str::<Slot>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_boundary_belongs_to_the_slot_that_starts_there() {
        assert_eq!(Slot::of(Timestamp(299_999)), Slot(0));
        assert_eq!(Slot::of(Timestamp(300_000)), Slot(1));
        assert_eq!(Slot::starting_from(Timestamp(300_000)), Slot(1));
        assert_eq!(Slot::starting_from(Timestamp(300_001)), Slot(2));
        assert_eq!(Slot(1).end(), Timestamp(600_000));
    }

    #[test]
    fn rates_round_down_and_never_overflow() {
        assert_eq!(mean_rate(Octets(37_500_000), 300_000), Some(Bps(1_000_000)));
        assert_eq!(mean_rate(Octets(37_499_999), 300_000), Some(Bps(999_999)));
        assert_eq!(mean_rate(Octets(1), 0), None);
        assert_eq!(mean_rate(Octets(u64::MAX), 1), Some(Bps(u64::MAX)));
    }
}
