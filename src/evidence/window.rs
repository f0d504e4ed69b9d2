//! The time that a pack covers, and the weeks before it with which it is compared.

use meter95_reading::Timestamp;

use crate::inventory::instant::rfc3339;
use crate::metering::habit::{AROUND_SLOTS, WEEK_SLOTS, WEEKS};
use crate::metering::period::SlotSpan;
use crate::metering::units::Slot;

/// A day in ms.
const DAY_MS: i64 = 86_400_000;

/// Days that a pack covers unless told: what is suspected today often began before the weekend.
pub const DAYS_DEFAULT: i64 = 3;

/// Days that a pack covers at most: a quarter, 26,784 slots, which is as much as the API tells of samples at once. A page
/// of more can't be read, and a spreadsheet of some ports can't be opened.
pub const DAYS_MAX: i64 = 93;

/// A span of time with at least one slot in it, half-open and not too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    from: Timestamp,
    until: Timestamp,
}

/// Why a span is no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// It ends before it begins, or at once.
    #[error("until, {}, is not after from, {}", rfc3339(*until), rfc3339(*from))]
    Backwards {
        /// Where it would begin.
        from: Timestamp,
        /// Where it would end.
        until: Timestamp,
    },
    /// It is longer than a pack may be.
    #[error("the span is longer than {DAYS_MAX} days; make several packs")]
    TooLong,
    /// No slot starts in it.
    #[error("no slot of five minutes starts from {} to before {}", rfc3339(*from), rfc3339(*until))]
    NoSlot {
        /// Where it would begin.
        from: Timestamp,
        /// Where it would end.
        until: Timestamp,
    },
}

impl Window {
    /// The window from `from` to before `until`.
    ///
    /// # Errors
    /// When no slot starts in it, or it is longer than [`DAYS_MAX`] days.
    pub fn new(from: Timestamp, until: Timestamp) -> Result<Self, WindowError> {
        if until <= from {
            return Err(WindowError::Backwards { from, until });
        }
        if until.ms_since(from) > DAYS_MAX * DAY_MS {
            return Err(WindowError::TooLong);
        }
        let window = Self { from, until };
        if window.slots().is_empty() {
            return Err(WindowError::NoSlot { from, until });
        }
        Ok(window)
    }

    /// The window that somebody asks for at `now`: the end is the start of the slot that runs unless given, the beginning
    /// [`DAYS_DEFAULT`] days before the end.
    ///
    /// # Errors
    /// As [`Window::new`].
    pub fn asked(
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, WindowError> {
        let until = until.unwrap_or_else(|| Slot::of(now).start());
        let from = from.unwrap_or_else(|| Timestamp((until.0 - DAYS_DEFAULT * DAY_MS).max(0)));
        Self::new(from, until)
    }

    /// Where it begins.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// Where it ends; not itself in it.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// The slots that start in it, of which there is at least one.
    #[must_use]
    pub fn slots(&self) -> SlotSpan {
        SlotSpan::starting_in(self.from, self.until)
    }

    /// The slots before it with which it is compared: those of [`WEEKS`] weeks, and a little around the first instant.
    #[must_use]
    pub fn before(&self) -> SlotSpan {
        let until = self.slots().from;
        let from = Slot((until.0 - WEEKS * WEEK_SLOTS - AROUND_SLOTS).max(0));
        SlotSpan { from: from.min(until), until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T00:00:00Z, where a slot starts.
    const MIDNIGHT: i64 = 1_795_219_200_000;

    fn asked(from: Option<i64>, until: Option<i64>) -> Result<Window, WindowError> {
        Window::asked(from.map(Timestamp), until.map(Timestamp), Timestamp(MIDNIGHT + 299_999))
    }

    #[test]
    fn what_is_not_said_is_the_three_days_before() {
        for (from, until, found) in [
            (None, None, (MIDNIGHT - 3 * DAY_MS, MIDNIGHT)),
            (Some(MIDNIGHT - 1), None, (MIDNIGHT - 1, MIDNIGHT)),
            (None, Some(MIDNIGHT - 7), (MIDNIGHT - 7 - 3 * DAY_MS, MIDNIGHT - 7)),
            (None, Some(DAY_MS), (0, DAY_MS)),
            (Some(MIDNIGHT - 93 * DAY_MS), None, (MIDNIGHT - 93 * DAY_MS, MIDNIGHT)),
        ] {
            let found = Window { from: Timestamp(found.0), until: Timestamp(found.1) };
            if found.slots().is_empty() {
                assert!(matches!(asked(from, until), Err(WindowError::NoSlot { .. })), "{from:?}");
            } else {
                assert_eq!(asked(from, until), Ok(found));
            }
        }
    }

    #[test]
    fn a_window_that_is_none_is_refused() {
        for (from, until, says) in [
            (MIDNIGHT, MIDNIGHT, "until, 2026-11-21T00:00:00Z, is not after from, 2026-11-21T00:00:00Z"),
            (MIDNIGHT, MIDNIGHT - 1, "is not after from"),
            (MIDNIGHT, MIDNIGHT + 93 * DAY_MS + 1, "longer than 93 days"),
            (
                MIDNIGHT + 1,
                MIDNIGHT + 300_000,
                "no slot of five minutes starts from 2026-11-21T00:00:00.001Z",
            ),
        ] {
            let error = asked(Some(from), Some(until)).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn four_weeks_come_before_it() {
        let window = asked(Some(MIDNIGHT + 1), Some(MIDNIGHT + 300_001)).unwrap();
        assert_eq!(window.slots().len(), 1);
        assert_eq!(window.before().len(), 8_064 + 12);
        assert_eq!(window.before().until, window.slots().from);
        assert!(asked(Some(0), Some(1)).unwrap().before().is_empty(), "nothing was before 1970");
    }
}
