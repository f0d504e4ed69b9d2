//! Brings what waits in the outbox to its destinations: a task for each, so that one that fails delays no other.
//!
//! A destination gets its messages in the order in which they were put. Where nobody answers, the first goes on being
//! tried and the others wait behind it; a message that was answered and not taken steps aside for a while, so that one
//! that is never taken holds nothing up. Every attempt is durable before the next.

use std::collections::BTreeMap;
use std::time::Duration;

use meter95_reading::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Alerts;
use super::backoff::pause;
use super::board::Board;
use super::destinations::{Bundle, Destination, Destinations, Way};
use super::parcel::{Parcel, Verdict};
use crate::store::connection::{Store, StoreError};
use crate::store::outbox::{Attempt, Fate, Waiting};

/// Attempts by destination and outcome.
const DELIVERIES: &str = "meter95_deliveries_total";

/// What waits for a destination; no more than are in memory.
const PENDING: &str = "meter95_deliveries_pending";

/// How long the first of them has been waiting, in s.
const OLDEST: &str = "meter95_deliveries_oldest_seconds";

/// Times that Alertmanager was told what is still true, by outcome.
const REFRESHES: &str = "meter95_alertmanager_refreshes_total";

/// Deliveries of a destination in memory, without their contents: about 10 MB.
const WAITING_MAX: usize = 50_000;

/// How long an attempt that is under way may go on after the stop, and its note may take.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How often is looked at what waits, if nothing else gives a reason to.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The pause after the store could not be read.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// Brings what waits in the outbox to its destinations.
pub struct Deliverer {
    lines: Vec<Line>,
}

/// One destination and what waits for it.
struct Line {
    destination: Destination,
    give_up_ms: i64,
    longest_pause: Duration,
    board: Board,
    store: Store,
    /// The number of the last event.
    last: watch::Receiver<u64>,
    /// What waits, by number.
    waiting: BTreeMap<u64, Waiting>,
    /// Events up to this number are looked at.
    looked_to: u64,
    /// Failures in a row, since when, and until when nothing is tried for them.
    failures: u32,
    failing_since: Option<Timestamp>,
    rest_until: Option<Instant>,
    /// Whether the other side wants nothing any more.
    gone: bool,
}

/// What is to be done next.
enum Next {
    /// These have been tried for too long.
    GiveUp(Vec<u64>),
    /// These go out at once, in a message of this id.
    Send(Vec<u64>, String),
    /// Nothing before this time has passed.
    Wait(Duration),
}

impl Deliverer {
    /// Knows what to do; nothing is done before [`Deliverer::run`].
    #[must_use]
    pub fn new(alerts: &Alerts, destinations: Destinations) -> Self {
        let line = |destination| Line {
            destination,
            give_up_ms: destinations.give_up_ms,
            longest_pause: destinations.longest_pause,
            board: alerts.board.clone(),
            store: alerts.outbox.store().clone(),
            last: alerts.outbox.watch(),
            waiting: BTreeMap::new(),
            looked_to: 0,
            failures: 0,
            failing_since: None,
            rest_until: None,
            gone: false,
        };
        Self { lines: destinations.all.into_iter().map(line).collect() }
    }

    /// Delivers until `stop`; attempts that are under way then have a few seconds to end. Returns before only where a
    /// task ended that should not have.
    pub async fn run(self, now: fn() -> Timestamp, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        for line in self.lines {
            tasks.spawn(line.run(now, stop.clone()));
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(error = %error, "delivering to a destination ended unexpectedly");
                return;
            }
        }
        stop.cancelled().await;
    }
}

impl Line {
    async fn run(mut self, now: fn() -> Timestamp, stop: CancellationToken) {
        let mut refresh_at = self.refresh_every().map(|_| Instant::now());
        while !stop.is_cancelled() {
            if let Some(every) = self.refresh_every()
                && refresh_at.is_some_and(|at| at <= Instant::now())
            {
                refresh_at = Some(Instant::now() + every);
                self.until_stop(&stop, self.refresh(now())).await;
            }
            let wait = match self.step(now, &stop).await {
                Ok(None) => continue,
                Ok(Some(wait)) => wait,
                Err(error) => {
                    tracing::warn!(destination = self.name(), error = %error, "can't tell what is to be delivered");
                    STORE_PAUSE
                }
            };
            let until = Instant::now() + wait;
            let until = refresh_at.map_or(until, |at| at.min(until));
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = stop.cancelled() => {}
                // The sender lives as long as the outbox, of which the service has a clone until this has ended.
                _ = self.last.changed(), if !self.rests() => {}
            }
        }
    }

    fn name(&self) -> &str {
        &self.destination.route.name
    }

    /// Whether nothing is tried now, whatever comes.
    fn rests(&self) -> bool {
        self.gone || self.rest_until.is_some_and(|until| until > Instant::now())
    }

    fn refresh_every(&self) -> Option<Duration> {
        match &self.destination.way {
            Way::Alertmanager(alertmanager) => Some(alertmanager.refresh_every()),
            Way::Webhook(_) | Way::Mail(_) => None,
        }
    }

    /// Does what is next; returns how long nothing is to be done, if so.
    async fn step(
        &mut self,
        now: fn() -> Timestamp,
        stop: &CancellationToken,
    ) -> Result<Option<Duration>, StoreError> {
        self.look().await?;
        self.gauge(now());
        match self.next(now()) {
            Next::Wait(wait) => return Ok(Some(wait)),
            Next::GiveUp(seqs) => {
                let answer = "tried for too long";
                let attempts = self.attempts(&seqs, Fate::GivenUp, answer, now(), "", |_| now());
                tracing::error!(
                    destination = self.name(),
                    count = seqs.len(),
                    "gave up messages that were not taken"
                );
                self.count("given_up", seqs.len());
                self.note(attempts, stop).await;
            }
            Next::Send(seqs, id) => self.send(&seqs, id, now, stop).await?,
        }
        Ok(None)
    }

    /// Takes up what has been put since, as far as there is room.
    async fn look(&mut self) -> Result<(), StoreError> {
        let last = *self.last.borrow_and_update();
        if last <= self.looked_to || self.waiting.len() >= WAITING_MAX {
            return Ok(());
        }
        let room = WAITING_MAX - self.waiting.len();
        let more = self.store.waiting(&self.destination.route.name, self.looked_to, room).await?;
        let full = more.len() == room;
        self.looked_to = match more.last() {
            Some(found) if full => found.seq,
            _ => last.max(more.last().map_or(0, |found| found.seq)),
        };
        self.waiting.extend(more.into_iter().map(|found| (found.seq, found)));
        Ok(())
    }

    fn next(&self, now: Timestamp) -> Next {
        let too_long = |since: Timestamp| now.ms_since(since) > self.give_up_ms;
        // None without a try, however long the service did not run; those behind one that nobody answers share its tries.
        let tried = |waiting: &Waiting| waiting.attempts > 0 || self.failing_since.is_some_and(too_long);
        let given_up = |waiting: &&Waiting| tried(waiting) && too_long(waiting.put_at);
        let over: Vec<u64> = self.waiting.values().filter(given_up).map(|waiting| waiting.seq).collect();
        if !over.is_empty() {
            return Next::GiveUp(over);
        }
        let rest = self.rest_until.map(|until| until.saturating_duration_since(Instant::now()));
        if let Some(rest) = rest.filter(|rest| !rest.is_zero()) {
            return Next::Wait(rest);
        }
        if self.gone {
            return Next::Wait(LOOK_EVERY);
        }
        let Some(first) = self.waiting.values().find(|waiting| self.due_in(waiting, now).is_zero()) else {
            let soonest = self.waiting.values().map(|waiting| self.due_in(waiting, now)).min();
            return Next::Wait(soonest.unwrap_or(LOOK_EVERY).min(LOOK_EVERY));
        };
        let due = self.waiting.values().filter(|waiting| self.due_in(waiting, now).is_zero());
        let (seqs, id) = match self.destination.way.bundle() {
            Bundle::One => (vec![first.seq], first.id.clone()),
            Bundle::Some(count) => (due.take(count).map(|waiting| waiting.seq).collect(), first.id.clone()),
            Bundle::Message(_) if first.letter => (vec![first.seq], first.id.clone()),
            // Once begun it has the same events each time.
            Bundle::Message(_) if !first.lot.is_empty() => {
                let of_lot = self.waiting.values().filter(|waiting| waiting.lot == first.lot);
                (of_lot.map(|waiting| waiting.seq).collect(), first.lot.clone())
            }
            Bundle::Message(count) => {
                let new = due.filter(|waiting| waiting.lot.is_empty() && !waiting.letter);
                (new.take(count).map(|waiting| waiting.seq).collect(), first.id.clone())
            }
        };
        Next::Send(seqs, id)
    }

    /// How long until something is due. An instant further off than any pause is of a clock that was set back since.
    fn due_in(&self, waiting: &Waiting, now: Timestamp) -> Duration {
        let wait_ms = if waiting.letter { 0 } else { self.destination.route.wait_ms };
        let due = match waiting.next_at {
            Some(next_at) if waiting.attempts > 0 => next_at,
            _ => waiting.put_at.plus_ms(wait_ms),
        };
        let ms = u64::try_from(due.ms_since(now)).unwrap_or(0);
        let longest = self.longest_pause.as_millis().max(u128::from(wait_ms.unsigned_abs()));
        if u128::from(ms) > longest { Duration::ZERO } else { Duration::from_millis(ms) }
    }

    async fn send(
        &mut self,
        seqs: &[u64],
        id: String,
        now: fn() -> Timestamp,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let bundled = matches!(self.destination.way.bundle(), Bundle::Message(_));
        let letter = seqs.iter().any(|seq| self.waiting.get(seq).is_some_and(|waiting| waiting.letter));
        let lot = if bundled && !letter { id.clone() } else { String::new() };
        if seqs.iter().any(|seq| self.waiting.get(seq).is_some_and(|waiting| waiting.lot != lot)) {
            let joined = self.attempts(seqs, Fate::Joined, "", now(), &lot, |_| now());
            if !self.note(joined, stop).await {
                return Ok(());
            }
        }
        let stored = self.store.events(seqs).await?;
        let items = stored.into_iter().map(|stored| stored.item).collect();
        let parcel = Parcel { id, items };
        let raised = self.board.raised();
        let sending = self.destination.way.send(&parcel, &raised, now());
        let Some(verdict) = self.until_stop(stop, sending).await else {
            return Ok(());
        };
        self.take(verdict, seqs, &lot, now(), stop).await;
        Ok(())
    }

    /// Notes what came of an attempt, and when to go on.
    async fn take(
        &mut self,
        verdict: Verdict,
        seqs: &[u64],
        lot: &str,
        now: Timestamp,
        stop: &CancellationToken,
    ) {
        let chance = rand::random::<u8>();
        let (fate, outcome) = match &verdict {
            Verdict::Taken(_) => (Fate::Delivered, "delivered"),
            Verdict::Refused(_) => (Fate::Refused, "refused"),
            Verdict::Unreachable(_) => (Fate::Failed, "unreachable"),
            Verdict::Failed { .. } => (Fate::Failed, "failed"),
            Verdict::Gone(_) => (Fate::Failed, "gone"),
        };
        let asked = match &verdict {
            Verdict::Failed { again_after: Some(after), .. } => (*after).min(self.longest_pause),
            _ => Duration::ZERO,
        };
        let next_at = |attempt: u32| match &verdict {
            Verdict::Failed { .. } => {
                let ms = pause(attempt, self.longest_pause, chance).max(asked).as_millis();
                now.plus_ms(i64::try_from(ms).unwrap_or(0))
            }
            _ => now,
        };
        let attempts = self.attempts(seqs, fate, verdict.answer(), now, lot, next_at);
        match &verdict {
            Verdict::Taken(_) | Verdict::Refused(_) => {
                if self.failures > 0 {
                    tracing::info!(destination = self.name(), "destination takes messages again");
                }
                (self.failures, self.failing_since, self.rest_until) = (0, None, None);
            }
            Verdict::Unreachable(answer) | Verdict::Failed { answer, .. } => {
                self.failures = self.failures.saturating_add(1);
                self.failing_since.get_or_insert(now);
                self.rest_until =
                    Some(Instant::now() + pause(self.failures, self.longest_pause, chance).max(asked));
                tracing::warn!(
                    destination = self.name(),
                    failures = self.failures,
                    answer,
                    "destination did not take a message"
                );
            }
            Verdict::Gone(answer) => {
                self.gone = true;
                tracing::error!(
                    destination = self.name(),
                    answer,
                    "destination wants nothing any more, it is left alone until the next start"
                );
            }
        }
        if let Verdict::Refused(answer) = &verdict {
            tracing::error!(destination = self.name(), answer, "destination refused a message for good");
        }
        self.count(outcome, seqs.len());
        self.note(attempts, stop).await;
    }

    /// The next attempt of each of these, as it ended; joining is none.
    fn attempts(
        &self,
        seqs: &[u64],
        fate: Fate,
        answer: &str,
        at: Timestamp,
        lot: &str,
        next_at: impl Fn(u32) -> Timestamp,
    ) -> Vec<Attempt> {
        let waiting = seqs.iter().filter_map(|seq| self.waiting.get(seq));
        let attempt = |waiting: &Waiting| {
            let attempt = if fate == Fate::Joined { waiting.attempts } else { waiting.attempts + 1 };
            Attempt {
                destination: self.name().to_owned(),
                seq: waiting.seq,
                attempt,
                at,
                fate,
                answer: answer.to_owned(),
                next_at: next_at(attempt),
                lot: lot.to_owned(),
            }
        };
        waiting.map(attempt).collect()
    }

    /// Stores attempts and goes on from them. It insists as long as the service runs: what is not noted would be sent
    /// once more after the next start. `false` where the stop came first.
    async fn note(&mut self, attempts: Vec<Attempt>, stop: &CancellationToken) -> bool {
        if self.until_stop(stop, self.store.put_attempts(&attempts)).await.is_none() {
            tracing::error!(
                destination = self.name(),
                "stopped before it was noted what was sent, it may be sent once more"
            );
            return false;
        }
        for attempt in attempts {
            match attempt.fate {
                Fate::Joined | Fate::Failed => {
                    if let Some(waiting) = self.waiting.get_mut(&attempt.seq) {
                        waiting.attempts = attempt.attempt;
                        waiting.next_at = Some(attempt.next_at);
                        waiting.lot = attempt.lot;
                    }
                }
                Fate::Delivered | Fate::Refused | Fate::GivenUp => {
                    self.waiting.remove(&attempt.seq);
                }
            }
        }
        true
    }

    /// Tells Alertmanager what is still true.
    async fn refresh(&self, now: Timestamp) {
        let Way::Alertmanager(alertmanager) = &self.destination.way else { return };
        let verdict = alertmanager.refresh(&self.board.raised(), now).await;
        let taken = matches!(verdict, Verdict::Taken(_));
        if !taken {
            tracing::warn!(
                destination = self.name(),
                answer = verdict.answer(),
                "alertmanager does not know what is still true"
            );
        }
        let outcome = if taken { "delivered" } else { "failed" };
        metrics::counter!(REFRESHES, "outcome" => outcome).increment(1);
    }

    /// What `doing` comes to; `None` where it has not ended a few seconds after the stop.
    async fn until_stop<T>(&self, stop: &CancellationToken, doing: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = doing => Some(done),
            () = async { stop.cancelled().await; tokio::time::sleep(LAST_WORDS).await } => None,
        }
    }

    fn count(&self, outcome: &'static str, count: usize) {
        let destination = self.name().to_owned();
        metrics::counter!(DELIVERIES, "destination" => destination, "outcome" => outcome)
            .increment(count as u64);
    }

    fn gauge(&self, now: Timestamp) {
        let oldest =
            self.waiting.values().next().map_or(0, |waiting| now.ms_since(waiting.put_at).max(0) / 1_000);
        let (pending, oldest) = (
            u32::try_from(self.waiting.len()).unwrap_or(u32::MAX),
            u32::try_from(oldest).unwrap_or(u32::MAX),
        );
        metrics::gauge!(PENDING, "destination" => self.name().to_owned()).set(pending);
        metrics::gauge!(OLDEST, "destination" => self.name().to_owned()).set(oldest);
    }
}
