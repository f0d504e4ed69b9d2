//! A request with its attempts: time-outs, pauses that double, and two deadlines, the request's and the pass's.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::transport::{Answer, Ask, Session};
use crate::{Failure, FailureCounts, Options};

/// After so many requests without any answer, one after the other, a device is taken for silent and the rest
/// of the pass is left out. Two, because two are in flight: one lost datagram must not end a pass.
const UNANSWERED_MAX: u32 = 2;

/// Asks one device in the course of one pass, and keeps count.
pub(crate) struct Exchange<'a, S> {
    session: &'a S,
    options: &'a Options,
    deadline: Instant,
    tally: Mutex<Tally>,
}

/// What came of the requests of a pass.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Each attempt that failed, and each row or walk that could not be used.
    pub(crate) failures: FailureCounts,
    /// Requests sent, each one datagram besides those by which SNMPv3 learns of a device's engine.
    pub(crate) requests: u32,
    /// Those of them that repeated a request.
    pub(crate) retries: u32,
    /// Whether the device answered at all, be it with an error.
    pub(crate) answered: bool,
    /// The round trip of each answer.
    pub(crate) round_trips: Vec<Duration>,
    /// Requests since the last answer that got none.
    unanswered: u32,
    /// Whether the device refuses the user or its keys.
    refused: bool,
}

impl<'a, S: Session> Exchange<'a, S> {
    /// Asks until `deadline`.
    pub(crate) fn new(session: &'a S, options: &'a Options, deadline: Instant) -> Self {
        Self { session, options, deadline, tally: Mutex::default() }
    }

    /// Sends a request, again while its answer is lost or damaged, and returns the first answer.
    ///
    /// # Errors
    /// With the last attempt's failure, or [`Failure::Deadline`]. All are counted already.
    pub(crate) async fn request(&self, ask: Ask<'_>) -> Result<Answer, Failure> {
        let end = self.deadline.min(Instant::now() + self.options.exchange_timeout);
        let mut pause = self.options.retry_pause;
        let mut attempt = 1;
        loop {
            if self.is_late() {
                return Err(self.count(Failure::Deadline));
            }
            self.sent(attempt > 1);
            let failure = match timeout_at(end, self.session.ask(ask)).await {
                Ok(Ok(answer)) => {
                    self.answered(&answer);
                    return Ok(answer);
                }
                Ok(Err(failure)) => failure,
                Err(_) if end == self.deadline => Failure::Deadline,
                Err(_) => Failure::Timeout,
            };
            self.count(failure);
            let resume = Instant::now() + pause;
            if !failure.is_transient() || attempt == self.options.attempts || resume >= end {
                self.unanswered(failure);
                return Err(failure);
            }
            sleep_until(resume).await;
            attempt += 1;
            pause *= 2;
        }
    }

    /// Counts `failure` and hands it back.
    pub(crate) fn count(&self, failure: Failure) -> Failure {
        self.tally().failures.add(failure);
        failure
    }

    /// Counts `count` times `failure`.
    pub(crate) fn count_many(&self, failure: Failure, count: usize) {
        self.tally().failures.add_many(failure, u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Whether the pass's time is up.
    pub(crate) fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Whether the device gives no answers: it is taken for silent, or refuses the user.
    pub(crate) fn is_silent(&self) -> bool {
        let tally = self.tally();
        tally.refused || tally.unanswered >= UNANSWERED_MAX
    }

    /// Ends the exchange.
    pub(crate) fn finish(self) -> Tally {
        self.tally.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sent(&self, again: bool) {
        let mut tally = self.tally();
        tally.requests += 1;
        tally.retries += u32::from(again);
    }

    fn answered(&self, answer: &Answer) {
        let mut tally = self.tally();
        tally.answered = true;
        tally.unanswered = 0;
        tally.round_trips.push(answer.round_trip);
        tally.failures.add_many(Failure::Malformed, u64::from(answer.rejected));
    }

    fn unanswered(&self, failure: Failure) {
        let mut tally = self.tally();
        tally.refused |= failure.is_refusal();
        match failure {
            // The device did answer, though not as wished.
            Failure::TooBig
            | Failure::Denied
            | Failure::AgentError
            | Failure::NotInTime
            | Failure::UnknownEngine
            | Failure::UnknownUser
            | Failure::WrongAuth
            | Failure::WrongPrivacy
            | Failure::SecurityLevel => {
                tally.answered = true;
                tally.unanswered = 0;
            }
            _ => tally.unanswered += 1,
        }
    }
}
