//! Visits all devices, each by a task of its own, in its own rhythm.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use meter95_reading::Timestamp;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::health::Entry;
use crate::transport::Session;
use crate::transport::socket::Socket;
use crate::transport::udp::{self, UdpSession};
use crate::visit::{Clock, Visit};
use crate::{Board, Device, Options, OptionsError, Pass, schedule};

/// At the start the first visits are spread so that 50 devices a second begin, rather than over the whole
/// interval: the first readings of a small site come at once.
const START_SPREAD_PER_DEVICE: Duration = Duration::from_millis(20);

/// How long a pass that is done still waits for the consumer once the poller is told to stop.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// Visits many devices, each in its own time.
///
/// Each device has a task of its own, so one that is slow or dead delays no other. Its passes keep their
/// place in the interval (a hash of its name), which spreads the devices. A device that does not answer is
/// visited more rarely, with a single request, up to [`Options::backoff_max`].
///
/// What was read is never dropped: a pass that the consumer does not take waits, and its device with it. The
/// wait and the passes that it costs are counted in [`Health`](crate::Health).
#[derive(Debug)]
pub struct Poller {
    devices: Vec<Arc<Device>>,
    options: Arc<Options>,
    clock: ClockBox,
    board: Board,
}

impl Poller {
    /// A poller of `devices`, which does nothing before it is run. `clock` tells the time.
    ///
    /// # Errors
    /// When two devices have the same name or an option is out of its range.
    pub fn new(
        devices: Vec<Device>,
        options: Options,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, PollerError> {
        options.check()?;
        let mut names = HashSet::new();
        if let Some(device) = devices.iter().find(|device| !names.insert(device.name())) {
            return Err(PollerError::DuplicateDevice(device.name().to_owned()));
        }
        let board = Board::new(devices.iter().map(|device| Entry::new(device.name())).collect());
        Ok(Self {
            devices: devices.into_iter().map(Arc::new).collect(),
            options: Arc::new(options),
            clock: ClockBox(Arc::new(clock)),
            board,
        })
    }

    /// How the devices are doing, now and while the poller runs.
    #[must_use]
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Visits the devices and sends each pass to `out`, until `stop` is cancelled or `out` is closed. A pass
    /// under way is then abandoned: counters go on counting, so the next start loses nothing by it.
    ///
    /// # Errors
    /// When the socket cannot be opened.
    pub async fn run(self, out: Sender<Pass>, stop: CancellationToken) -> Result<(), SocketError> {
        let addresses = self.devices.iter().map(|device| device.address());
        let socket = Socket::open(addresses, udp::is_damaged).await.map_err(SocketError)?;
        self.board.opened(Arc::clone(&socket));
        let devices = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
        let spread = START_SPREAD_PER_DEVICE.saturating_mul(devices);
        let mut tasks = JoinSet::new();
        for (device, entry) in self.devices.into_iter().zip(self.board.entries()) {
            let session = UdpSession::new(Arc::clone(&socket), &device, &self.options);
            let clock = Arc::clone(&self.clock.0);
            let visit = Visit::new(session, device, Arc::clone(&self.options), clock, Arc::clone(entry));
            tasks.spawn(attend(visit, spread, out.clone(), stop.clone()));
        }
        drop(out);
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "device's task ended, it is not visited any more");
            }
        }
        Ok(())
    }
}

/// Visits one device for as long as it is to be visited. The first visit comes within `spread`.
async fn attend<S: Session>(
    mut visit: Visit<S>,
    spread: Duration,
    out: Sender<Pass>,
    stop: CancellationToken,
) {
    let interval = visit.device().interval();
    let interval_ms = millis(interval);
    let phase_ms = schedule::phase_ms(visit.device().name(), interval_ms);
    let first_ms = schedule::phase_ms(visit.device().name(), millis(spread.min(interval)).max(1));
    let mut due = Instant::now() + Duration::from_millis(first_ms.unsigned_abs());
    let mut lagging = false;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = out.closed() => return,
            () = sleep_until(due) => {}
        }
        let pass = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            pass = visit.pass() => pass,
        };
        let started = pass.started;
        match deliver(pass, &out, &stop, lagging).await {
            Delivery::Taken => lagging = false,
            Delivery::Late(waited) => {
                lagging = true;
                visit.entry().blocked(waited);
            }
            Delivery::Over => return,
        }
        let pause = schedule::pause(interval, visit.silent(), visit.options().backoff_max);
        let next = schedule::next(started.0, visit.now().0, interval_ms, phase_ms, millis(pause));
        visit.entry().skipped(next.skipped);
        due = Instant::now() + Duration::from_millis(next.wait_ms.unsigned_abs());
    }
}

/// How a pass was handed over.
enum Delivery {
    /// At once.
    Taken,
    /// After a wait.
    Late(Duration),
    /// Not at all, and none will be.
    Over,
}

/// Hands a pass to the consumer, waiting for it where it must. `lagging` is whether that has been said.
async fn deliver(pass: Pass, out: &Sender<Pass>, stop: &CancellationToken, lagging: bool) -> Delivery {
    let pass = match out.try_send(pass) {
        Ok(()) => return Delivery::Taken,
        Err(TrySendError::Closed(_)) => return Delivery::Over,
        Err(TrySendError::Full(pass)) => pass,
    };
    let (device, readings) = (Arc::clone(&pass.device), pass.readings.len());
    if !lagging {
        tracing::warn!(%device, "passes are not taken fast enough, the device waits");
    }
    let waiting = Instant::now();
    let mut sending = std::pin::pin!(out.send(pass));
    let sent = tokio::select! {
        sent = &mut sending => sent.is_ok(),
        () = stop.cancelled() => match timeout(STOP_GRACE, sending).await {
            Ok(sent) => sent.is_ok(),
            Err(_) => {
                tracing::warn!(%device, readings, "stopped before the last pass was taken");
                false
            }
        },
    };
    if sent { Delivery::Late(waiting.elapsed()) } else { Delivery::Over }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A clock that can stand in a struct which is printed.
struct ClockBox(Clock);

impl std::fmt::Debug for ClockBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("clock")
    }
}

/// Why a poller cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PollerError {
    /// Two devices have this name, so that their ports could not be told apart.
    #[error("two devices are called {0:?}")]
    DuplicateDevice(String),
    /// An option is out of its range.
    #[error(transparent)]
    Options(#[from] OptionsError),
}

/// The socket that devices are asked through could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("no UDP socket to ask devices through")]
pub struct SocketError(#[source] pub(crate) std::io::Error);

#[cfg(test)]
mod tests;
