//! Who gets what.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::alert::Severity;
use super::event::{Event, check_kind};

/// The name of the destination that Alertmanager is.
pub const ALERTMANAGER: &str = "alertmanager";

/// The name of the destination that mail is.
pub const MAIL: &str = "mail";

/// Kinds of events: `case.opened` for that one, `case.*` for all that begin so, `*` for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Pattern {
    /// Every kind.
    All,
    /// Kinds that begin with this, its last full stop included.
    Under(String),
    /// This kind.
    One(String),
}

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} matches no kind of event: write one such as alert.raised, a family such as case.*, or * for all"
)]
pub struct PatternError(String);

/// What a destination gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The kinds, by any of these.
    pub events: Vec<Pattern>,
    /// What matters less is left out.
    pub severity_min: Severity,
    /// The regions; empty: all. What is of no region is of concern to all of them.
    pub regions: Vec<String>,
}

/// A destination and what it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// What it gets besides letters, which go where they are addressed to.
    pub filter: Filter,
    /// How long what it gets waits for more that can go with it, in ms.
    pub wait_ms: i64,
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, pattern) = match text.strip_suffix(".*") {
            _ if text == "*" => return Ok(Self::All),
            Some(family) => (family, Self::Under(format!("{family}."))),
            None => (text, Self::One(text.to_owned())),
        };
        check_kind(kind).map(|()| pattern).map_err(|_| PatternError(text.to_owned()))
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        match pattern {
            Pattern::All => "*".to_owned(),
            Pattern::Under(family) => format!("{family}*"),
            Pattern::One(kind) => kind,
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl Pattern {
    /// Whether it is of this kind.
    #[must_use]
    pub fn takes(&self, kind: &str) -> bool {
        match self {
            Self::All => true,
            Self::Under(family) => kind.starts_with(family.as_str()),
            Self::One(one) => kind == one,
        }
    }
}

impl Filter {
    /// Whether this event is for the destination.
    #[must_use]
    pub fn takes(&self, event: &Event) -> bool {
        self.events.iter().any(|pattern| pattern.takes(&event.kind))
            && self.takes_of(event.severity, event.region.as_deref())
    }

    /// Whether anything of this severity and region is.
    #[must_use]
    pub fn takes_of(&self, severity: Severity, region: Option<&str>) -> bool {
        severity >= self.severity_min
            && (self.regions.is_empty()
                || region.is_none_or(|region| self.regions.iter().any(|r| r == region)))
    }
}

#[cfg(test)]
mod tests {
    use meter95_reading::Timestamp;

    use super::*;

    #[test]
    fn patterns_take_a_kind_a_family_or_all() {
        for (pattern, kind, takes) in [
            ("*", "case.opened", true),
            ("case.*", "case.opened", true),
            ("case.*", "case.contact.attempt", true),
            ("case.*", "case", false),
            ("case.*", "cases.opened", false),
            ("case.opened", "case.opened", true),
            ("case.opened", "case.opened.late", false),
            ("test", "test", true),
        ] {
            let pattern: Pattern = pattern.parse().unwrap();
            assert_eq!(pattern.takes(kind), takes, "{pattern:?} {kind}");
        }
        for wrong in ["", "case.", "*.opened", "ca*", "case.**", "Case.*", ".*"] {
            assert!(wrong.parse::<Pattern>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn severity_and_region_narrow_what_is_sent() {
        let event = |severity, region: Option<&str>| Event {
            id: "a".to_owned(),
            at: Timestamp(0),
            kind: "alert.raised".to_owned(),
            severity,
            region: region.map(str::to_owned),
            summary: String::new(),
            data: serde_json::Value::Null,
        };
        let filter = |severity_min, regions: &[&str]| Filter {
            events: vec![Pattern::All],
            severity_min,
            regions: regions.iter().map(|r| (*r).to_owned()).collect(),
        };
        use Severity::{Critical, Info, Warning};
        for (filter, event, takes) in [
            (filter(Info, &[]), event(Info, Some("tokyo")), true),
            (filter(Warning, &[]), event(Info, None), false),
            (filter(Warning, &[]), event(Critical, None), true),
            (filter(Info, &["osaka"]), event(Critical, Some("tokyo")), false),
            (filter(Info, &["osaka", "tokyo"]), event(Info, Some("tokyo")), true),
            (filter(Info, &["osaka"]), event(Info, None), true),
        ] {
            assert_eq!(filter.takes(&event), takes, "{filter:?} {event:?}");
        }
        let none = Filter { events: Vec::new(), ..filter(Info, &[]) };
        assert!(!none.takes(&event(Critical, None)));
    }
}
