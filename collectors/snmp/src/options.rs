//! Time-outs and sizes, each within its range.

use std::time::Duration;

/// The fewest names in a request with which every port can be read: sysUpTime.0 and the eleven columns of a
/// port.
const OIDS_MIN: usize = 12;

/// The most names in a request: `async-snmp` is set to split at 56, and a split would part a port's columns.
pub(crate) const OIDS_MAX: usize = 56;

/// The most rows that one step of a walk asks for.
const WALK_ROWS_MAX: u32 = 100;

/// How devices are asked. The defaults suit switches in the same country; see each field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long an answer to one attempt is awaited. 2 s: slow agents under load take over one.
    pub request_timeout: Duration,
    /// How often a request is sent at most, each time under a new request-id. 1 to 10; 3, so that a network
    /// which loses one datagram in ten loses one request in a thousand.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles before each further one. 250 ms.
    pub retry_pause: Duration,
    /// How long a request may take with all its attempts. 8 s: three time-outs and their pauses.
    pub exchange_timeout: Duration,
    /// How long a pass may take; what was not asked by then is left out. Never more than the interval. 30 s: a
    /// 1,000-port chassis at 200 ms a request needs 25.
    pub pass_deadline: Duration,
    /// The most names in a request that reads counters, 12 to 56; halved for a device that says tooBig. 48:
    /// about what 1,472 octets, one Ethernet frame, hold of answers.
    pub oids_per_request: usize,
    /// The most rows that one step of a walk asks for, 1 to 100. 40 names of 20 octets fill a frame.
    pub walk_rows: u32,
    /// After how long the interfaces of a device are listed afresh even though nothing changed, to notice new
    /// ones and second ones of the same name. 15 min.
    pub refresh: Duration,
    /// The longest pause between two visits to a device that does not answer. 300 s: one that comes back is
    /// noticed within one slot.
    pub backoff_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(2),
            attempts: 3,
            retry_pause: Duration::from_millis(250),
            exchange_timeout: Duration::from_secs(8),
            pass_deadline: Duration::from_secs(30),
            oids_per_request: 48,
            walk_rows: 40,
            refresh: Duration::from_secs(15 * 60),
            backoff_max: Duration::from_secs(300),
        }
    }
}

impl Options {
    /// Checks every range.
    pub(crate) fn check(&self) -> Result<(), OptionsError> {
        for (field, duration) in [
            ("request_timeout", self.request_timeout),
            ("exchange_timeout", self.exchange_timeout),
            ("pass_deadline", self.pass_deadline),
            ("backoff_max", self.backoff_max),
        ] {
            // An hour stands for every duration that cannot be meant.
            if duration.is_zero() || duration > Duration::from_secs(3600) {
                return Err(OptionsError::Duration(field, duration));
            }
        }
        for (field, value, min, max) in [
            ("attempts", u64::from(self.attempts), 1, 10),
            ("oids_per_request", self.oids_per_request as u64, OIDS_MIN as u64, OIDS_MAX as u64),
            ("walk_rows", u64::from(self.walk_rows), 1, u64::from(WALK_ROWS_MAX)),
        ] {
            if !(min..=max).contains(&value) {
                return Err(OptionsError::Range { field, value, min, max });
            }
        }
        Ok(())
    }
}

/// Why options cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The named duration is 0 or over an hour.
    #[error("{0} is {1:?}, which is not within 0 and an hour")]
    Duration(&'static str, Duration),
    /// The named number is out of its range.
    #[error("{field} is {value}, not within {min} and {max}")]
    Range {
        /// Which option.
        field: &'static str,
        /// What it was set to.
        value: u64,
        /// The least that is allowed.
        min: u64,
        /// The most that is allowed.
        max: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_hold_their_own_rules() {
        assert_eq!(Options::default().check(), Ok(()));
    }

    #[test]
    fn options_out_of_range_are_named() {
        let defaults = Options::default;
        for (options, says) in [
            (Options { request_timeout: Duration::ZERO, ..defaults() }, "request_timeout is 0ns"),
            (Options { attempts: 0, ..defaults() }, "attempts is 0, not within 1 and 10"),
            (Options { oids_per_request: 57, ..defaults() }, "oids_per_request is 57, not within 12 and 56"),
            (Options { walk_rows: 0, ..defaults() }, "walk_rows is 0, not within 1 and 100"),
        ] {
            let error = options.check().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
