//! What the service knows of collectors elsewhere: which there are, when each was last heard of, and what it still
//! holds. A period is closed only when none holds readings of it (SPEC.md section 8).
//!
//! With every request a collector says how it stands ([`said`]); [`registry`] keeps the newest report of each, and
//! [`holding_back`] tells which of them may still have readings from before an instant. Collectors that run inside
//! the service hand their readings straight in and report nothing.

pub mod registry;
pub mod said;

use std::fmt;
use std::sync::Arc;

use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::inventory::instant::{Instant, rfc3339};

/// The longest name of a collector, and of whoever forgets one, in octets: as long as a device's.
const NAME_OCTETS_MAX: usize = 255;

/// The name by which a collector is known; each has its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct CollectorName(Arc<str>);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is nothing in it.
    #[error("a name can't be empty")]
    Empty,
    /// It is over 255 octets.
    #[error("a name can't be longer than {NAME_OCTETS_MAX} octets")]
    TooLong,
    /// It contains this control character.
    #[error("a name can't contain the control character {0:?}")]
    Control(char),
    /// White space at an end, which a request's header does not keep.
    #[error("a name can't begin or end with white space")]
    Space,
}

/// Checks a name as people and machines have them.
///
/// # Errors
/// When it is empty, longer than 255 octets, has a control character, or white space at an end.
pub fn check_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > NAME_OCTETS_MAX {
        return Err(NameError::TooLong);
    }
    if let Some(control) = name.chars().find(|c| c.is_control()) {
        return Err(NameError::Control(control));
    }
    if name.trim() != name { Err(NameError::Space) } else { Ok(()) }
}

impl CollectorName {
    /// Names a collector.
    ///
    /// # Errors
    /// As [`check_name`].
    pub fn new(name: &str) -> Result<Self, NameError> {
        check_name(name)?;
        Ok(Self(name.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CollectorName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(&name)
    }
}

impl fmt::Display for CollectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CollectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// How a collector stood when it was last heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Collector)]
pub struct CollectorReport {
    /// Its name.
    pub name: CollectorName,
    /// When it was last heard of, by the service's clock.
    #[serde(serialize_with = "instant")]
    #[schema(value_type = Instant)]
    pub at: Timestamp,
    /// Readings that it still held then, those of the same request not among them.
    pub unsent: u64,
    /// The time of the oldest of those; `None` without any.
    #[serde(serialize_with = "instant_or_none")]
    #[schema(value_type = Option<Instant>)]
    pub oldest_unsent: Option<Timestamp>,
    /// Whether it has stopped in order, holding nothing.
    pub stopped: bool,
}

fn instant<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    Instant(*at).serialize(to)
}

fn instant_or_none<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    at.map(Instant).serialize(to)
}

/// A collector that may hold readings from before an instant. As text it is a sentence that says why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// The collector as it was last heard of.
    pub report: CollectorReport,
    /// The instant.
    pub until: Timestamp,
}

/// How long after an instant a collector must have been heard of to be known to hold nothing from before it, in ms: a
/// pass that was under way hands over what it read earlier.
const HEARD_AFTER_MS: i64 = 120_000;

/// Which collectors may still hold readings from before `until` (SPEC.md section 8): those that said that they do, and
/// those that have not been heard of two minutes after it and did not stop in order.
#[must_use]
pub fn holding_back(reports: &[CollectorReport], until: Timestamp) -> Vec<HeldBack> {
    let may_hold = |report: &&CollectorReport| {
        let says_so = report.unsent > 0 && report.oldest_unsent.is_none_or(|oldest| oldest < until);
        says_so || (report.at < until.plus_ms(HEARD_AFTER_MS) && !report.stopped)
    };
    reports.iter().filter(may_hold).map(|report| HeldBack { report: report.clone(), until }).collect()
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report: CollectorReport { name, at, unsent, oldest_unsent, .. }, until } = self;
        let (at, until) = (rfc3339(*at), rfc3339(*until));
        match oldest_unsent.filter(|oldest| *oldest < self.until) {
            Some(oldest) => write!(
                f,
                "collector {name:?} said at {at} that it holds {unsent} readings, the oldest of {}, and so some from \
                 before {until}: let it reach the service",
                rfc3339(oldest)
            )?,
            None => write!(
                f,
                "collector {name:?} was last heard of at {at} and may hold readings from before {until}: start it, or \
                 let it reach the service"
            )?,
        }
        write!(f, "; if it is gone for good, say: meter95 collectors forget {name:?} --by WHO")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-12-01T00:00:00+09:00, when November ends in Tokyo.
    const UNTIL: i64 = 1_796_050_800_000;

    #[test]
    fn names_are_checked() {
        for (name, error) in [
            ("tokyo-1", None),
            ("東京 1", None),
            (&*"x".repeat(255), None),
            ("", Some(NameError::Empty)),
            (&*"x".repeat(256), Some(NameError::TooLong)),
            ("a\tb", Some(NameError::Control('\t'))),
            ("a\u{85}", Some(NameError::Control('\u{85}'))),
            (" a", Some(NameError::Space)),
            ("a ", Some(NameError::Space)),
        ] {
            assert_eq!(CollectorName::new(name).err(), error, "{name:?}");
            assert_eq!(CollectorName::try_from(name.to_owned()).err(), error, "{name:?}");
        }
    }

    #[test]
    fn who_may_hold_readings_holds_a_period_back() {
        // Heard of when (ms after the end), unsent, the oldest (ms after the end), stopped in order.
        for (at, unsent, oldest, stopped, says) in [
            (120_000, 0, None, false, None),
            (119_999, 0, None, false, Some("was last heard of at 2026-11-30T15:01:59.999Z and may hold")),
            (-1, 0, None, false, Some("was last heard of at 2026-11-30T14:59:59.999Z and may hold")),
            (-1, 0, None, true, None),
            (-86_400_000, 0, None, true, None),
            (60_000, 3, Some(-1), false, Some("holds 3 readings, the oldest of 2026-11-30T14:59:59.999Z")),
            (120_000, 3, Some(0), false, None),
            (
                -60_000,
                3,
                Some(-120_000),
                false,
                Some("said at 2026-11-30T14:59:00Z that it holds 3 readings"),
            ),
            // Its clock is ahead of the service's.
            (-1, 3, Some(5), false, Some("was last heard of at")),
            // None of these is said by a collector; in doubt it holds back.
            (60_000, 3, None, false, Some("was last heard of")),
            (60_000, 3, Some(-1), true, Some("holds 3 readings")),
        ] {
            let report = CollectorReport {
                name: CollectorName::new("tokyo-1").unwrap(),
                at: Timestamp(UNTIL + at),
                unsent,
                oldest_unsent: oldest.map(|ms: i64| Timestamp(UNTIL + ms)),
                stopped,
            };
            let held = holding_back(std::slice::from_ref(&report), Timestamp(UNTIL));
            assert_eq!(held.len(), usize::from(says.is_some()), "{report:?}");
            for (held, says) in held.iter().zip(says) {
                assert_eq!(held.report, report);
                let sentence = held.to_string();
                assert!(sentence.starts_with("collector \"tokyo-1\" "), "{sentence}");
                assert!(sentence.contains(says), "{sentence}");
                assert!(sentence.contains("before 2026-11-30T15:00:00Z"), "{sentence}");
                assert!(sentence.ends_with("meter95 collectors forget \"tokyo-1\" --by WHO"), "{sentence}");
            }
        }
    }

    #[test]
    fn each_holds_back_for_itself() {
        let report = |name: &str, at: i64| CollectorReport {
            name: CollectorName::new(name).unwrap(),
            at: Timestamp(UNTIL + at),
            unsent: 0,
            oldest_unsent: None,
            stopped: false,
        };
        let heard = HEARD_AFTER_MS;
        let reports = [report("a", heard), report("b", -1), report("c", heard + 1), report("d", 60_000)];
        let held = holding_back(&reports, Timestamp(UNTIL));
        let names: Vec<&str> = held.iter().map(|held| held.report.name.as_str()).collect();
        assert_eq!(names, ["b", "d"]);
        assert_eq!(holding_back(&[], Timestamp(UNTIL)), []);
    }
}
