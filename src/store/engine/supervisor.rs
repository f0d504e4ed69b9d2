//! Keeps one engine running for a data directory: as its owner, or beside the owner, ready to take over.
//!
//! The supervisor has a thread of its own. The kernel tells the child of its parent's end when the *thread* that started
//! it ends, so that thread must live as long as the engine; and an engine that is dropped within a runtime that ends
//! is still stopped in order.

use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::announcement::Announcement;
use super::layout::Layout;
use super::lock::{self, Lock};
use super::process::Process;
use super::{Endpoint, EngineError, Plan, with_causes};

/// How soon a command that joined an engine notices that its owner has gone, or that the engine has moved.
const JOIN_POLL: Duration = Duration::from_millis(200);
/// Between the first restarts: a crash now and then should not be felt.
const RESTART_WAIT_MIN: Duration = Duration::from_millis(100);
/// Between restarts that keep failing: often enough for a disk that was full, not so often as to fill the log.
const RESTART_WAIT_MAX: Duration = Duration::from_secs(10);
/// An engine that ran for so long has recovered from whatever made it end before.
const STABLE_AFTER: Duration = Duration::from_secs(60);

/// What the supervisor tells those who hold the engine.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// No engine answers now; it is being started.
    Waiting {
        /// Why it could not be started last time.
        reason: Option<String>,
    },
    /// The engine answers.
    Ready {
        /// Where.
        endpoint: Endpoint,
        /// Whether this process supervises it.
        owner: bool,
    },
    /// It was stopped for good.
    Stopped,
}

/// The thread's side.
pub(super) struct Supervisor {
    pub(super) plan: Plan,
    pub(super) layout: Layout,
    pub(super) state: watch::Sender<State>,
    pub(super) stop: CancellationToken,
    /// Hears how the first start or join went; taken then.
    pub(super) first: Option<oneshot::Sender<Result<(), EngineError>>>,
}

/// Why one role came to its end.
enum End {
    /// The engine's user wants no more of it.
    Stopped,
    /// The owner has gone, and its lock is ours.
    Inherited(Lock),
}

impl Supervisor {
    /// Starts the thread. It ends when `stop` is cancelled, or when the first start fails.
    pub(super) fn spawn(self) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let body = move || runtime.block_on(self.run());
        std::thread::Builder::new().name("engine".to_owned()).spawn(body).map(drop)
    }

    async fn run(mut self) {
        let mut wait = RESTART_WAIT_MIN;
        let mut inherited = None;
        while !self.stop.is_cancelled() {
            let lock = match inherited.take() {
                Some(lock) => Ok(Some(lock)),
                None => self.try_lock(),
            };
            let end = match lock {
                Ok(Some(lock)) => self.own(lock).await.map(|()| End::Stopped),
                Ok(None) => self.join().await,
                Err(e) => Err(e),
            };
            match end {
                Ok(End::Stopped) => break,
                Ok(End::Inherited(lock)) => inherited = Some(lock),
                Err(e) => {
                    if let Some(first) = self.first.take() {
                        // An opener that is gone does not need to hear it.
                        let _ = first.send(Err(e));
                        break;
                    }
                    self.failed(&e);
                    self.pause(&mut wait).await;
                }
            }
        }
        self.state.send_replace(State::Stopped);
    }

    fn try_lock(&self) -> Result<Option<Lock>, EngineError> {
        let path = self.layout.lock();
        Lock::try_take(&path).map_err(|e| EngineError::io("lock", &path, e))
    }

    /// Runs the engine until `stop`, starting it again whenever it ends. An error is that of a first start.
    async fn own(&mut self, _lock: Lock) -> Result<(), EngineError> {
        let mut wait = RESTART_WAIT_MIN;
        loop {
            let mut process = match self.start().await {
                Ok(Some(process)) => process,
                Ok(None) => return Ok(()),
                Err(e) if self.first.is_some() => return Err(e),
                Err(e) => {
                    self.failed(&e);
                    self.pause(&mut wait).await;
                    continue;
                }
            };
            let endpoint = process.endpoint().clone();
            Announcement::new(&endpoint, true).write(&self.layout)?;
            self.ready(endpoint.clone(), true);
            let since = Instant::now();
            let ended = tokio::select! {
                ended = process.ended() => Some(ended),
                () = self.stop.cancelled() => None,
            };
            self.state.send_replace(State::Waiting { reason: None });
            if let Err(e) = Announcement::new(&endpoint, false).write(&self.layout) {
                tracing::warn!(error = with_causes(&e), "cannot announce that the engine is down");
            }
            let Some(ended) = ended else {
                process.stop().await;
                return Ok(());
            };
            let status = ended.map_or_else(|e| e.to_string(), |status| status.to_string());
            metrics::counter!("meter95_engine_restarts_total").increment(1);
            tracing::warn!(status, dir = %self.layout.data_dir.display(), "engine ended, starting it again");
            if since.elapsed() >= STABLE_AFTER {
                wait = RESTART_WAIT_MIN;
            }
            self.pause(&mut wait).await;
        }
    }

    /// Starts the engine once; `None` if `stop` came in between.
    async fn start(&self) -> Result<Option<Process>, EngineError> {
        if self.stop.is_cancelled() {
            return Ok(None);
        }
        let mut process = Process::spawn(&self.plan, &self.layout).await?;
        let ready = tokio::select! {
            ready = process.ready(&self.layout) => ready.map(|()| true),
            () = self.stop.cancelled() => Ok(false),
        };
        if matches!(ready, Ok(true)) {
            return Ok(Some(process));
        }
        process.kill().await;
        ready.map(|_| None)
    }

    /// Uses the owner's engine until `stop`, or until the owner has gone.
    async fn join(&mut self) -> Result<End, EngineError> {
        let since = Instant::now();
        let mut joined: Option<Announcement> = None;
        loop {
            let told = self.told().await;
            if told.as_ref() != joined.as_ref() {
                let endpoint = told.clone().map(Announcement::endpoint);
                match endpoint {
                    Some(endpoint) => self.ready(endpoint, false),
                    None => drop(self.state.send_replace(State::Waiting { reason: None })),
                }
                joined = told;
            }
            if self.first.is_some() && since.elapsed() >= self.plan.join_wait {
                return Err(EngineError::Held {
                    dir: self.layout.data_dir.clone(),
                    pid: lock::holder(&self.layout.lock()),
                    wait_s: self.plan.join_wait.as_secs(),
                });
            }
            if timeout(JOIN_POLL, self.stop.cancelled()).await.is_ok() {
                return Ok(End::Stopped);
            }
            if let Some(lock) = self.try_lock()? {
                tracing::info!(dir = %self.layout.data_dir.display(), "taking over the engine");
                return Ok(End::Inherited(lock));
            }
        }
    }

    /// The owner's announcement, if it is of the present owner and its engine answered. Asked only when it is new.
    async fn told(&self) -> Option<Announcement> {
        let told = Announcement::read(&self.layout).filter(|told| told.ready)?;
        if lock::holder(&self.layout.lock()) != Some(told.pid) {
            return None;
        }
        let known = matches!(&*self.state.borrow(), State::Ready { endpoint, .. } if *endpoint == told.clone().endpoint());
        let answers = known || told.clone().endpoint().version().await.is_ok();
        answers.then_some(told)
    }

    fn ready(&mut self, endpoint: Endpoint, owner: bool) {
        self.state.send_replace(State::Ready { endpoint, owner });
        if let Some(first) = self.first.take() {
            // An opener that is gone drops the engine, which cancels `stop`.
            let _ = first.send(Ok(()));
        }
    }

    fn failed(&self, error: &EngineError) {
        tracing::error!(%error, "cannot start the engine, trying again");
        self.state.send_replace(State::Waiting { reason: Some(error.to_string()) });
    }

    /// Waits before the next attempt, longer each time.
    async fn pause(&self, wait: &mut Duration) {
        tokio::select! {
            () = sleep(*wait) => {}
            () = self.stop.cancelled() => {}
        }
        *wait = (*wait * 2).min(RESTART_WAIT_MAX);
    }
}
