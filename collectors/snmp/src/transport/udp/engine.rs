//! What is known of how a device's SNMPv3 engine takes our messages, and when it must be asked who it is afresh.
//!
//! The library follows an engine whose clock goes on or whose boots grow, and holds on to its identity for ever. That
//! is right against forgers, whose reports nobody signs, and wrong for a device that was replaced or has lost count of
//! its boots. So what cannot be verified ends no request, but when no good answer came either, the engine is
//! asked for its identity before the next request.

use super::link::Call;
use crate::Failure;

/// After so many requests in a row without an answer the engine is asked afresh: it may be another one, or one that
/// keeps silent where it ought to report.
const UNANSWERED_MAX: u32 = 3;

/// So many requests in a row stay unanswered, by an engine that took our signature, before the other key is blamed.
const UNREADABLE_MIN: u32 = 2;

/// How a device's engine took our messages so far.
#[derive(Debug, Default)]
pub(super) struct Engine {
    /// Whether its identity must be asked for afresh before the next request.
    stale: bool,
    /// Requests in a row that got no answer.
    unanswered: u32,
    /// Whether it signed a report for us: then the authentication key is right.
    signed: bool,
    /// Whether it answered a request: then all keys are right.
    answered: bool,
}

impl Engine {
    /// Whether its identity must be asked for before the next request.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// It said who it is.
    pub(super) fn identified(&mut self) {
        *self = Self::default();
    }

    /// Takes in how a request ended and what was seen in its course, and returns what that means.
    pub(super) fn settle(&mut self, failure: Option<Failure>, call: &Call) -> Option<Failure> {
        self.signed |= call.signed;
        let Some(failure) = failure else {
            (self.unanswered, self.answered) = (0, true);
            return None;
        };
        let failure = match (failure, call.report) {
            (Failure::Timeout, Some(reported)) => reported,
            (failure, _) => failure,
        };
        if failure != Failure::Timeout {
            self.unanswered = 0;
            self.stale |= matches!(failure, Failure::UnknownEngine | Failure::NotInTime);
            return Some(failure);
        }
        self.unanswered += 1;
        self.stale |= self.unanswered >= UNANSWERED_MAX;
        let unreadable = self.signed && !self.answered && self.unanswered >= UNREADABLE_MIN;
        Some(if unreadable { Failure::WrongPrivacy } else { Failure::Timeout })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: Call = Call { arrival: None, rejected: 0, report: None, signed: true };

    fn reported(failure: Failure) -> Call {
        Call { report: Some(failure), signed: false, ..SIGNED }
    }

    /// Requests that end so, what is seen in their course, and what they mean.
    fn check(requests: &[(Option<Failure>, Call, Option<Failure>)], stale: bool) {
        let mut engine = Engine::default();
        for (failure, call, means) in requests {
            assert_eq!(engine.settle(*failure, call), *means, "{requests:?}");
        }
        assert_eq!(engine.is_stale(), stale, "{requests:?}");
    }

    #[test]
    fn what_is_reported_counts_only_without_an_answer() {
        let timeout = Some(Failure::Timeout);
        for (failure, stale) in [
            (Failure::UnknownUser, false),
            (Failure::WrongAuth, false),
            (Failure::WrongPrivacy, false),
            (Failure::SecurityLevel, false),
            (Failure::NotInTime, true),
            (Failure::UnknownEngine, true),
        ] {
            check(&[(timeout, reported(failure), Some(failure))], stale);
            check(&[(None, reported(failure), None)], false);
            check(&[(Some(Failure::AgentError), reported(failure), Some(Failure::AgentError))], false);
        }
    }

    #[test]
    fn silence_means_a_wrong_privacy_key_only_behind_a_signature() {
        let timeout = Some(Failure::Timeout);
        let silent = Call { signed: false, ..SIGNED };
        let wrong = Some(Failure::WrongPrivacy);
        check(&[(timeout, silent, timeout), (timeout, silent, timeout)], false);
        check(&[(timeout, SIGNED, timeout), (timeout, silent, wrong)], false);
        check(&[(timeout, SIGNED, timeout), (timeout, silent, wrong), (timeout, silent, wrong)], true);
        check(&[(None, SIGNED, None), (timeout, silent, timeout), (timeout, silent, timeout)], false);
    }

    #[test]
    fn an_engine_that_is_silent_for_long_is_asked_afresh() {
        let silent = (Some(Failure::Timeout), Call { signed: false, ..SIGNED }, Some(Failure::Timeout));
        let answered = (None, SIGNED, None);
        check(&[answered, silent, silent], false);
        check(&[answered, silent, silent, silent], true);
        check(&[silent, silent, answered, silent, silent], false);
    }
}
