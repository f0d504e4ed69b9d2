//! What goes out at once, and what comes of it.

use std::time::Duration;

use meter95_reading::Timestamp;

use super::event::{Event, LETTER, Letter};

/// How much of an answer is kept, in characters.
pub const ANSWER_CHARS_MAX: usize = 300;

/// One thing that is carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// To whoever has asked for its kind.
    Event(Event),
    /// To one person.
    Letter(Letter),
}

/// What goes out at once: one thing, or several in one message. It is the same message each time that it is tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// By what the other side knows the message.
    pub id: String,
    /// What is in it, in the order in which it was put; at least one.
    pub items: Vec<Item>,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The other side has taken it; with its words.
    Taken(String),
    /// Nobody was there who could have taken it, or nobody let us in: it is the destination, not the message.
    Unreachable(String),
    /// The other side did not take it, or did not say so in time.
    Failed {
        /// What it said.
        answer: String,
        /// After how long it wants to be asked again, if it said so.
        again_after: Option<Duration>,
    },
    /// The other side will never take this one.
    Refused(String),
    /// The other side wants nothing any more.
    Gone(String),
}

impl Item {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Event(event) => &event.id,
            Self::Letter(letter) => &letter.id,
        }
    }

    /// When it happened, or was written.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Event(event) => event.at,
            Self::Letter(letter) => letter.at,
        }
    }

    /// Its kind, as in `alert.raised`.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Event(event) => &event.kind,
            Self::Letter(_) => LETTER,
        }
    }
}

impl Verdict {
    /// An attempt that failed, without a word on when to come again.
    #[must_use]
    pub fn failed(answer: impl Into<String>) -> Self {
        Self::Failed { answer: answer.into(), again_after: None }
    }

    /// What was said.
    #[must_use]
    pub fn answer(&self) -> &str {
        match self {
            Self::Taken(answer)
            | Self::Unreachable(answer)
            | Self::Failed { answer, .. }
            | Self::Refused(answer)
            | Self::Gone(answer) => answer,
        }
    }
}

/// An answer as it is kept: one line, and not too long.
#[must_use]
pub fn clipped(answer: &str) -> String {
    let words: Vec<&str> =
        answer.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(ANSWER_CHARS_MAX) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line,
    }
}

/// An error with what caused it, each once, as an answer.
#[must_use]
pub fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let says = error.to_string();
        if !text.contains(&says) {
            text = format!("{text}: {says}");
        }
        cause = error.source();
    }
    clipped(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_one_short_line() {
        assert_eq!(clipped("  a\r\n b\u{0}c "), "a b c");
        let long = clipped(&"字".repeat(1_000));
        assert_eq!(long.chars().count(), ANSWER_CHARS_MAX + 3);
    }
}
