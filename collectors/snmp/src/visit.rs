//! One device, visited when it is said.

use std::sync::Arc;

use meter95_reading::Timestamp;
use tokio::time::Instant;

use crate::course::{Course, Known};
use crate::exchange::Exchange;
use crate::health::Entry;
use crate::map::PortMap;
use crate::transport::Session;
use crate::transport::socket::Socket;
use crate::transport::udp::{self, UdpSession};
use crate::{Datagrams, Device, Failure, Health, Options, OptionsError, Outcome, Pass, SocketError};

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Visits one device, a pass whenever it is told to; a [`Poller`](crate::Poller) does so on a schedule.
pub struct Visitor {
    visit: Visit<UdpSession>,
    socket: Arc<Socket>,
}

impl Visitor {
    /// Opens a socket for `device`. Nothing is sent before the first pass. `clock` tells the time.
    ///
    /// # Errors
    /// When an option is out of its range, or no socket can be opened.
    pub async fn new(
        device: Device,
        options: Options,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, VisitorError> {
        options.check()?;
        let socket = Socket::open([device.address()], udp::is_damaged).await.map_err(SocketError)?;
        let session = UdpSession::new(Arc::clone(&socket), &device, &options);
        let entry = Entry::new(device.name());
        let visit = Visit::new(session, Arc::new(device), Arc::new(options), Arc::new(clock), entry);
        Ok(Self { visit, socket })
    }

    /// Visits all ports of the device, lists them before where that is needed, and says what came of it.
    /// Takes at most [`Options::pass_deadline`] or the device's interval.
    pub async fn pass(&mut self) -> Pass {
        self.visit.pass().await
    }

    /// How the device has been doing so far.
    #[must_use]
    pub fn health(&self) -> Health {
        self.visit.entry.snapshot()
    }

    /// What has come in so far.
    #[must_use]
    pub fn datagrams(&self) -> Datagrams {
        self.socket.datagrams()
    }
}

/// Why a device cannot be visited.
#[derive(Debug, thiserror::Error)]
pub enum VisitorError {
    /// An option is out of its range.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// No socket can be opened.
    #[error(transparent)]
    Socket(#[from] SocketError),
}

/// A device with what is kept of it from one pass to the next.
pub(crate) struct Visit<S> {
    session: S,
    device: Arc<Device>,
    options: Arc<Options>,
    clock: Clock,
    entry: Arc<Entry>,
    known: Known,
    /// Passes in a row without any answer.
    silent: u32,
    /// Why the device refused the user in the last pass, if it did.
    refusal: Option<Failure>,
}

impl<S: Session> Visit<S> {
    pub(crate) fn new(
        session: S,
        device: Arc<Device>,
        options: Arc<Options>,
        clock: Clock,
        entry: Arc<Entry>,
    ) -> Self {
        Self { session, clock, entry, known: Known::new(&options), silent: 0, refusal: None, device, options }
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Passes in a row without any answer.
    pub(crate) fn silent(&self) -> u32 {
        self.silent
    }

    /// Makes a pass.
    pub(crate) async fn pass(&mut self) -> Pass {
        let started = self.now();
        let begun = Instant::now();
        let deadline = begun + self.options.pass_deadline.min(self.device.interval());
        let exchange = Exchange::new(&self.session, &self.options, deadline);
        let course = Course { device: &self.device, clock: &*self.clock, exchange: &exchange };
        let readings = course.run(&mut self.known, self.options.refresh, self.silent > 0).await;
        let tally = exchange.finish();

        let expected = self.known.map.as_ref().map_or(0, PortMap::expected);
        let outcome = Outcome::of(tally.answered, self.known.map.is_some(), readings.len(), expected);
        let pass = Pass {
            device: Arc::clone(self.entry.name()),
            started,
            took: begun.elapsed(),
            readings,
            expected,
            outcome,
            failures: tally.failures,
            requests: tally.requests,
            retries: tally.retries,
            round_trip: tally.round_trips.iter().max().copied(),
        };
        self.entry.observe(&pass, &tally.round_trips);
        self.note(&pass);
        pass
    }

    /// Says when a device falls silent or refuses the user, and when it is back.
    fn note(&mut self, pass: &Pass) {
        let device = self.device.name();
        tracing::debug!(device, outcome = pass.outcome.as_str(), failures = %pass.failures, "pass");
        let refusal = pass.failures.iter().map(|(failure, _)| failure).find(|failure| failure.is_refusal());
        match refusal.filter(|_| !pass.outcome.is_success()) {
            Some(failure) if self.refusal != Some(failure) => {
                tracing::error!(device, %failure, reason = failure.says(), "device refuses the user");
                self.refusal = Some(failure);
            }
            Some(_) => {}
            None if pass.outcome.is_success() && self.refusal.take().is_some() => {
                tracing::warn!(device, "device takes the user again");
            }
            None => {}
        }
        if pass.outcome == Outcome::Silent {
            self.silent = self.silent.saturating_add(1);
            if self.silent == 1 {
                tracing::warn!(device, failures = %pass.failures, "device does not answer");
            }
        } else if self.silent > 0 {
            tracing::warn!(device, passes = self.silent, "device answers again");
            self.silent = 0;
        }
    }
}
