//! How devices are doing, for whoever looks while they are read.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use meter95_reading::Timestamp;

use crate::transport::socket::Socket;
use crate::{FailureCounts, Outcome, Pass};

/// The longest round trip that is told from longer ones, in microseconds: no answer is awaited for 10 s.
const ROUND_TRIP_US_MAX: u64 = 10_000_000;

/// How many digits a round trip keeps: one, right to 6 %. A histogram is then 1.3 KiB, and 20,000 devices
/// take 27 MB; two digits would take seven times that.
const ROUND_TRIP_DIGITS: u8 = 1;

/// How a device has been doing since the poller started.
#[derive(Debug, Clone)]
pub struct Health {
    /// When the last pass that read at least one port, or found that there is none, began.
    pub last_success: Option<Timestamp>,
    /// When the last pass began.
    pub last_pass: Option<Timestamp>,
    /// What became of it.
    pub last_outcome: Option<Outcome>,
    /// Passes since the last success.
    pub consecutive_failures: u32,
    /// Passes made.
    pub passes: u64,
    /// Passes left out because the one before took too long or was not taken away in time. The rarer visits
    /// to a device that does not answer are not among them.
    pub passes_skipped: u64,
    /// Passes that were not taken away at once by the consumer.
    pub passes_blocked: u64,
    /// How long they waited in all, which is how far the consumer lags.
    pub blocked: Duration,
    /// Readings made.
    pub readings: u64,
    /// Ports that ought to have been read by the last pass.
    pub expected: usize,
    /// Requests sent.
    pub requests: u64,
    /// What went wrong, by cause.
    pub failures: FailureCounts,
    /// Round trips of all answers, in microseconds up to 10 s, one digit exact.
    pub round_trips_us: Option<Histogram<u32>>,
}

impl Health {
    fn new() -> Self {
        Self {
            last_success: None,
            last_pass: None,
            last_outcome: None,
            consecutive_failures: 0,
            passes: 0,
            passes_skipped: 0,
            passes_blocked: 0,
            blocked: Duration::ZERO,
            readings: 0,
            expected: 0,
            requests: 0,
            failures: FailureCounts::default(),
            // Bounds that are constants cannot be refused; without a histogram there are no round trips.
            round_trips_us: Histogram::new_with_bounds(1, ROUND_TRIP_US_MAX, ROUND_TRIP_DIGITS).ok(),
        }
    }

    fn observe(&mut self, pass: &Pass, round_trips: &[Duration]) {
        self.last_pass = Some(pass.started);
        self.last_outcome = Some(pass.outcome);
        if pass.outcome.is_success() {
            self.last_success = Some(pass.started);
            self.consecutive_failures = 0;
        } else {
            self.consecutive_failures = self.consecutive_failures.saturating_add(1);
        }
        self.passes += 1;
        self.readings += pass.readings.len() as u64;
        self.expected = pass.expected;
        self.requests += u64::from(pass.requests);
        self.failures.extend(&pass.failures);
        if let Some(histogram) = &mut self.round_trips_us {
            for round_trip in round_trips {
                histogram.saturating_record(u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX));
            }
        }
    }
}

/// A device's health, shared between its task and whoever looks.
#[derive(Debug)]
pub(crate) struct Entry {
    name: Arc<str>,
    health: Mutex<Health>,
}

impl Entry {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.into(), health: Mutex::new(Health::new()) })
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn snapshot(&self) -> Health {
        self.change(|health| health.clone())
    }

    /// Takes in a pass with the round trips of its answers.
    pub(crate) fn observe(&self, pass: &Pass, round_trips: &[Duration]) {
        self.change(|health| health.observe(pass, round_trips));
    }

    /// Notes that passes were left out.
    pub(crate) fn skipped(&self, passes: u64) {
        self.change(|health| health.passes_skipped += passes);
    }

    /// Notes that a pass waited for the consumer.
    pub(crate) fn blocked(&self, waited: Duration) {
        self.change(|health| {
            health.passes_blocked += 1;
            health.blocked += waited;
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut Health) -> T) -> T {
        change(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Datagrams that came in, over all devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Datagrams {
    /// Those that belonged to a request in flight.
    pub matched: u64,
    /// Those that did not: from another address, with another request-id or community, too late or twice.
    pub unmatched: u64,
    /// Those that are no SNMP message.
    pub malformed: u64,
}

/// How all devices of a poller are doing. Cheap to clone; stays readable while the poller runs and after.
#[derive(Clone)]
pub struct Board {
    entries: Arc<[Arc<Entry>]>,
    socket: Arc<OnceLock<Arc<Socket>>>,
}

impl Board {
    pub(crate) fn new(entries: Vec<Arc<Entry>>) -> Self {
        Self { entries: entries.into(), socket: Arc::default() }
    }

    pub(crate) fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    pub(crate) fn opened(&self, socket: Arc<Socket>) {
        // The poller opens its socket once, so there is none to be replaced.
        let _ = self.socket.set(socket);
    }

    /// Each device's name and health.
    pub fn devices(&self) -> impl Iterator<Item = (Arc<str>, Health)> {
        self.entries.iter().map(|entry| (Arc::clone(&entry.name), entry.snapshot()))
    }

    /// The health of the device called `name`.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<Health> {
        self.entries.iter().find(|entry| *entry.name == *name).map(|entry| entry.snapshot())
    }

    /// What came in over the poller's socket; all 0 before it runs.
    #[must_use]
    pub fn datagrams(&self) -> Datagrams {
        self.socket.get().map(|socket| socket.datagrams()).unwrap_or_default()
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("devices", &self.entries.len()).finish_non_exhaustive()
    }
}
