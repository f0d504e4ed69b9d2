//! Readings as lines of JSON, from files and from the network alike.

use meter95_reading::{Reading, Timestamp};
use serde::Serialize;

use crate::aggregator::intake::{Ahead, check_time};

/// The longest line, in octets: a reading with names of 255 octets, all of them escaped, fits.
pub const LINE_OCTETS_MAX: usize = 8_192;

/// Refused lines of which the reason is kept; the others are counted.
pub const ERRORS_KEPT_MAX: usize = 100;

/// A line that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineError {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub says: String,
}

/// Lines that were refused: how many, and why the first ones.
#[derive(Debug, Clone, Default)]
pub struct Refused {
    /// How many.
    pub count: u64,
    /// The first [`ERRORS_KEPT_MAX`].
    pub errors: Vec<LineError>,
}

impl Refused {
    /// Notes a refused line.
    pub fn add(&mut self, line: u64, says: String) {
        self.count += 1;
        if self.errors.len() < ERRORS_KEPT_MAX {
            self.errors.push(LineError { line, says });
        }
    }
}

/// Why a line is no reading that can be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is longer than any reading.
    #[error("the line is longer than {LINE_OCTETS_MAX} octets")]
    TooLong,
    /// It has another shape.
    #[error("{0}")]
    Shape(String),
    /// The device's clock goes ahead.
    #[error("{ahead}")]
    Ahead {
        /// The device.
        device: String,
        /// How far.
        ahead: Ahead,
    },
}

/// Reads a line, with or without its end; `None` for a blank one.
///
/// # Errors
/// With what is wrong with it.
pub fn reading(line: &[u8], now: Timestamp) -> Result<Option<Reading>, Unreadable> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    if line.len() > LINE_OCTETS_MAX {
        return Err(Unreadable::TooLong);
    }
    let reading: Reading = serde_json::from_slice(line).map_err(|e| Unreadable::Shape(without_place(&e)))?;
    match check_time(reading.counters.time, now) {
        Ok(()) => Ok(Some(reading)),
        Err(ahead) => Err(Unreadable::Ahead { device: reading.port.device().to_owned(), ahead }),
    }
}

/// What the parser says, without "at line 1": it saw one line only, and the caller knows which.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((says, _)) if error.column() > 0 => format!("{says} at column {}", error.column()),
        Some((says, _)) => says.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_reading_or_says_why_not() {
        let now = Timestamp(1_790_780_400_000);
        let good = br#"{"device":"sw1","interface":"a","time":1790780132298,"rx":1,"tx":2}"#;
        assert!(reading(good, now).unwrap().is_some());
        assert!(reading(b" \r\n", now).unwrap().is_none());
        for (line, says) in [
            (&b"{"[..], "EOF while parsing"),
            (b"\xff\xfe", "column"),
            (
                br#"{"device":"sw1","interface":"a","time":1790790000000,"rx":1,"tx":2}"#,
                "s ahead of this machine's clock",
            ),
            (br#"{"device":"","interface":"a","time":1,"rx":1,"tx":2}"#, "device is empty"),
        ] {
            let error = reading(line, now).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
            assert!(!error.contains("at line"), "{error}");
        }
    }
}
