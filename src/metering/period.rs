//! Billing periods: calendar months in the billing time zone, cut to a service span (SPEC.md sections 1 and 5).

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};

use super::units::Slot;

/// A half-open span of slots, `from` to before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotSpan {
    /// The first slot.
    pub from: Slot,
    /// The first slot after it; not before `from`.
    pub until: Slot,
}

impl SlotSpan {
    /// The slots that start at or after `from` and before `until`.
    #[must_use]
    pub fn starting_in(from: Timestamp, until: Timestamp) -> Self {
        let from = Slot::starting_from(from);
        Self { from, until: Slot::starting_from(until).max(from) }
    }

    /// The slots of both spans.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        let from = self.from.max(other.from);
        Self { from, until: self.until.min(other.until).max(from) }
    }

    /// How many slots there are.
    #[must_use]
    pub fn len(self) -> u64 {
        self.until.0.saturating_sub(self.from.0).max(0).unsigned_abs()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether `slot` is one of them.
    #[must_use]
    pub fn contains(self, slot: Slot) -> bool {
        self.from <= slot && slot < self.until
    }
}

/// A calendar month, such as 2026-10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    first: Date,
}

/// A text that is not a month of the years 1970 to 9998.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a billing period; write year and month, such as 2026-10")]
pub struct MonthError(String);

impl Month {
    /// The month in which `time` lies by the calendar of `tz`; `None` outside the years that a calendar covers.
    #[must_use]
    pub fn of(time: Timestamp, tz: &TimeZone) -> Option<Self> {
        let time = jiff::Timestamp::from_millisecond(time.0).ok()?;
        Some(Self { first: tz.to_datetime(time).date().first_of_month() })
    }

    /// The instants at which the month starts and ends in `tz`, half-open.
    #[must_use]
    pub fn span(self, tz: &TimeZone) -> (Timestamp, Timestamp) {
        (midnight(self.first, tz), midnight(self.next().first, tz))
    }

    /// The slots that start in the month.
    #[must_use]
    pub fn slots(self, tz: &TimeZone) -> SlotSpan {
        let (from, until) = self.span(tz);
        SlotSpan::starting_in(from, until)
    }

    /// The month after this one.
    #[must_use]
    pub fn next(self) -> Self {
        let last = self.first.last_of_month();
        Self { first: last.tomorrow().unwrap_or(last).first_of_month() }
    }
}

fn midnight(date: Date, tz: &TimeZone) -> Timestamp {
    // Only a zone with an offset of over a day from the calendar's very ends has no such instant.
    let instant = tz.to_timestamp(date.at(0, 0, 0, 0)).unwrap_or(jiff::Timestamp::MAX);
    Timestamp(instant.as_millisecond())
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || MonthError(text.to_owned());
        let (year, month) = text.split_once('-').ok_or_else(error)?;
        let digits = |part: &str, n: usize| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(error());
        }
        let year: i16 = year.parse().map_err(|_| error())?;
        let month: i8 = month.parse().map_err(|_| error())?;
        if !(1970..=9998).contains(&year) {
            return Err(error());
        }
        Date::new(year, month, 1).map(|first| Self { first }).map_err(|_| error())
    }
}

impl TryFrom<String> for Month {
    type Error = MonthError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_have_the_slots_that_start_in_them() {
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for (month, tz, slots) in [
            ("2026-10", &tokyo, 8_928),
            ("2026-11", &tokyo, 8_640),
            ("2026-02", &tokyo, 8_064),
            ("2028-02", &tokyo, 8_352),
            // The clocks go forward and back in these.
            ("2026-03", &berlin, 8_916),
            ("2026-10", &berlin, 8_940),
        ] {
            assert_eq!(month.parse::<Month>().unwrap().slots(tz).len(), slots, "{month}");
        }
        let (from, _) = "2026-10".parse::<Month>().unwrap().span(&tokyo);
        assert_eq!(from, Timestamp(1_790_780_400_000));
        assert_eq!(Month::of(Timestamp(from.0 - 1), &tokyo).unwrap().to_string(), "2026-09");
    }

    #[test]
    fn what_is_not_a_month_is_refused() {
        for text in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "2026-1",
            "26-10",
            "2026-10-01",
            "+026-10",
            "0000-01",
            "9999-12",
        ] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }
}
