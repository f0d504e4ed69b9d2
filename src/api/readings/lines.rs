//! From pieces of text, cut anywhere, to readings.

use meter95_reading::{Reading, Timestamp};

use crate::aggregator::intake::Ahead;
use crate::ndjson::{self, LINE_OCTETS_MAX, Refused, Unreadable};

/// What was refused since somebody last asked.
#[derive(Debug, Default)]
pub(super) struct News {
    /// How many lines.
    pub(super) refused: u64,
    /// What is wrong with the newest of them.
    pub(super) says: String,
    /// The device whose reading was ahead the most.
    pub(super) ahead: Option<(String, Ahead)>,
}

/// Lines on their way: what came of them, and the beginning of one that is not complete.
#[derive(Debug, Default)]
pub(in crate::api) struct Lines {
    /// Lines that were refused.
    pub(in crate::api) refused: Refused,
    news: News,
    readings: Vec<Reading>,
    begun: Vec<u8>,
    /// The line that was begun is longer than any reading; the rest of it is skipped.
    too_long: bool,
    complete: u64,
}

impl Lines {
    /// Takes in the next piece of text, at the instant `now`.
    pub(in crate::api) fn push(&mut self, text: &[u8], now: Timestamp) {
        for part in text.split_inclusive(|octet| *octet == b'\n') {
            let (part, ends) = match part {
                [line @ .., b'\n'] => (line, true),
                _ => (part, false),
            };
            if self.begun.len() + part.len() > LINE_OCTETS_MAX {
                self.too_long = true;
                self.begun.clear();
            }
            match (self.too_long, ends) {
                (true, true) => self.refuse_long(),
                (true, false) => {}
                (false, true) if self.begun.is_empty() => self.line(part, now),
                (false, _) => self.begun.extend_from_slice(part),
            }
            if ends && !self.begun.is_empty() {
                self.line_begun(now);
            }
        }
    }

    /// Takes in the end of the text: the last line needs no line feed.
    pub(in crate::api) fn end(&mut self, now: Timestamp) {
        if self.too_long {
            self.refuse_long();
        } else if !self.begun.is_empty() {
            self.line_begun(now);
        }
    }

    /// How many readings have come together.
    pub(super) fn readings(&self) -> usize {
        self.readings.len()
    }

    /// Takes the readings that have come together.
    pub(in crate::api) fn take_readings(&mut self) -> Vec<Reading> {
        std::mem::take(&mut self.readings)
    }

    /// Takes what was refused since this was last asked.
    pub(super) fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    fn line_begun(&mut self, now: Timestamp) {
        let mut line = std::mem::take(&mut self.begun);
        self.line(&line, now);
        line.clear();
        self.begun = line;
    }

    fn line(&mut self, line: &[u8], now: Timestamp) {
        self.complete += 1;
        match ndjson::reading(line, now) {
            Ok(Some(reading)) => self.readings.push(reading),
            Ok(None) => {}
            Err(why) => self.refuse(why),
        }
    }

    fn refuse_long(&mut self) {
        self.too_long = false;
        self.complete += 1;
        self.refuse(Unreadable::TooLong);
    }

    fn refuse(&mut self, why: Unreadable) {
        let says = why.to_string();
        self.news.refused += 1;
        self.news.says = format!("line {}: {says}", self.complete);
        self.refused.add(self.complete, says);
        if let Unreadable::Ahead { device, ahead } = why
            && self.news.ahead.as_ref().is_none_or(|(_, other)| other.ahead_ms < ahead.ahead_ms)
        {
            self.news.ahead = Some((device, ahead));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_790_780_400_000);

    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<i64>, Vec<u64>) {
        let mut lines = Lines::default();
        for piece in pieces {
            lines.push(piece, NOW);
            assert!(lines.begun.len() <= LINE_OCTETS_MAX);
        }
        lines.end(NOW);
        let times = lines.take_readings().iter().map(|r| r.counters.time.0).collect();
        (times, lines.refused.errors.iter().map(|e| e.line).collect())
    }

    fn text() -> Vec<u8> {
        let reading = |time| format!(r#"{{"device":"d","interface":"i","time":{time},"rx":1,"tx":2}}"#);
        let long = " ".repeat(3 * LINE_OCTETS_MAX);
        let lines = [reading(1), "{".to_owned(), String::new(), long + &reading(2), reading(3), reading(4)];
        lines.join("\n").into_bytes()
    }

    #[test]
    fn a_bad_line_costs_no_other() {
        assert_eq!(read([text().as_slice()]), (vec![1, 3, 4], vec![2, 4]));
    }

    proptest! {
        #[test]
        fn where_the_text_is_cut_changes_nothing(size in 1..9_000_usize) {
            let text = text();
            prop_assert_eq!(read(text.chunks(size)), (vec![1, 3, 4], vec![2, 4]));
        }
    }
}
