//! Instants as people write them: RFC 3339 with a zone, or Unix milliseconds.

use std::str::FromStr;

use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

/// An instant of an inventory file or a request; written as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "Written")]
pub struct Instant(pub Timestamp);

/// The forms in which an instant is written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    UnixMs(i64),
    Text(String),
    /// TOML has a type of its own for it.
    Toml(toml::value::Datetime),
}

/// A text that names no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an instant; write RFC 3339 with a zone, such as 2026-10-01T00:00:00+09:00, or Unix milliseconds"
)]
pub struct InstantError(String);

impl FromStr for Instant {
    type Err = InstantError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || InstantError(text.to_owned());
        let ms = match text.parse::<i64>() {
            Ok(ms) => ms,
            Err(_) => text.parse::<jiff::Timestamp>().map_err(|_| error())?.as_millisecond(),
        };
        // Within the calendar's range, or nothing could show it.
        jiff::Timestamp::from_millisecond(ms).map_err(|_| error())?;
        if ms < 0 {
            return Err(error());
        }
        Ok(Self(Timestamp(ms)))
    }
}

impl TryFrom<Written> for Instant {
    type Error = InstantError;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::UnixMs(ms) => ms.to_string().parse(),
            Written::Text(text) => text.parse(),
            Written::Toml(datetime) => datetime.to_string().parse(),
        }
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}

/// `time` as RFC 3339 in UTC, to the second where it is a whole one.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(time.0).map_or_else(|_| format!("{} ms", time.0), |t| t.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_needs_a_zone() {
        let at = Timestamp(1_790_780_400_000);
        for text in ["2026-10-01T00:00:00+09:00", "2026-09-30T15:00:00Z", "1790780400000"] {
            assert_eq!(text.parse::<Instant>().unwrap().0, at, "{text}");
        }
        for text in ["2026-10-01T00:00:00", "2026-10-01", "yesterday", "-1", "99999999999999999"] {
            assert!(text.parse::<Instant>().is_err(), "{text}");
        }
        assert_eq!(rfc3339(at), "2026-09-30T15:00:00Z");
    }
}
