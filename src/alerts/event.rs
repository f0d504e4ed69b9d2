//! What is carried out: events to whoever has asked for their kind, and letters to one person.

use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::alert::{Notice, Severity};
use crate::store::engine::hash::hex;

/// The kind of the event that an alert was raised.
pub const RAISED: &str = "alert.raised";

/// The kind of the event that an alert is over.
pub const CLEARED: &str = "alert.cleared";

/// The kind of a letter.
pub const LETTER: &str = "letter";

/// The kind of an event that only tries a destination.
pub const TEST: &str = "test";

/// The longest id of an event, in octets: it stands in headers.
const ID_OCTETS_MAX: usize = 128;

/// How much of a key's hash stands in an id: by chance two of a billion keys are alike once in a million sites.
const KEY_OCTETS: usize = 10;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Made from what it is of, as in `case-12-3`, so that it is one event however often it is put: 1 to 128 letters,
    /// digits, `-` and `_` of ASCII.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What, in words with dots, as in `case.opened`.
    pub kind: String,
    /// How much it matters.
    pub severity: Severity,
    /// The region that it is of, where it is of one.
    pub region: Option<String>,
    /// One line for people.
    pub summary: String,
    /// All of it for machines, as a webhook carries it under `data`.
    pub data: Value,
}

/// Something that is said to one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// As an event's; letters and events have their ids together.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// To whom.
    pub to: Recipient,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same for machines, as a webhook carries it beside subject and text.
    pub data: Value,
}

/// Where a letter goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Recipient {
    /// By mail.
    Mail {
        /// As in `ops@example.jp`.
        address: String,
    },
    /// Through a configured webhook.
    Webhook {
        /// Its name in the configuration.
        name: String,
    },
}

/// What can't be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// An id that can't stand in headers.
    #[error("{0:?} can't be an event's id: 1 to {ID_OCTETS_MAX} letters, digits, - and _ are")]
    Id(String),
    /// A kind that is none.
    #[error("{0:?} is no kind of event: words of a to z, 0 to 9 and _ with dots between them are")]
    Kind(String),
}

/// Checks an event's or a letter's id.
///
/// # Errors
/// When it is none.
pub fn check_id(id: &str) -> Result<(), Unsendable> {
    // No full stop: it parts the id from the rest of what a webhook signs.
    let may = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let fits = (1..=ID_OCTETS_MAX).contains(&id.len()) && id.bytes().all(may);
    fits.then_some(()).ok_or_else(|| Unsendable::Id(id.to_owned()))
}

/// Checks an event's kind.
///
/// # Errors
/// When it is none.
pub fn check_kind(kind: &str) -> Result<(), Unsendable> {
    let may = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let fits =
        kind.len() <= ID_OCTETS_MAX && kind.split('.').all(|word| !word.is_empty() && word.bytes().all(may));
    fits.then_some(()).ok_or_else(|| Unsendable::Kind(kind.to_owned()))
}

impl Notice {
    /// The event that it was raised.
    #[must_use]
    pub fn raised(&self) -> Event {
        let notice = Self { cleared_at: None, ..self.clone() };
        notice.event("raised", RAISED, self.raised_at.0)
    }

    /// The event that it is over; `None` where it is not.
    #[must_use]
    pub fn cleared(&self) -> Option<Event> {
        Some(self.event("cleared", CLEARED, self.cleared_at?.0))
    }

    /// A key may have any characters and any length; what is made of it here is as good as unique.
    fn event(&self, what: &str, kind: &str, at: Timestamp) -> Event {
        let mut hash = Sha256::new();
        hash.update(self.source.as_bytes());
        hash.update([0]);
        hash.update(self.alert.key.as_bytes());
        let key = hex(&hash.finalize()[..KEY_OCTETS]);
        Event {
            id: format!("{what}-{key}-{}", self.raised_at.0),
            at,
            kind: kind.to_owned(),
            severity: self.alert.severity,
            region: self.alert.labels.get("region").cloned(),
            summary: self.alert.summary.clone(),
            data: serde_json::to_value(self).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_kinds_are_checked() {
        for id in ["case-12-3", "raised-00ff-1795223400000", "a_b", &"x".repeat(128)] {
            assert_eq!(check_id(id), Ok(()), "{id}");
        }
        for id in ["", "a.b", "a b", "a\r\nb", "é", &"x".repeat(129)] {
            assert!(check_id(id).is_err(), "{id}");
        }
        for kind in ["test", "case.opened", "a.b_c.d1"] {
            assert_eq!(check_kind(kind), Ok(()), "{kind}");
        }
        for kind in ["", ".", "a.", ".a", "a..b", "A", "a-b", "a b"] {
            assert!(check_kind(kind).is_err(), "{kind}");
        }
    }
}
