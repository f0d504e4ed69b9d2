//! The embedded ClickHouse: found or fetched, started as a child process, supervised, shared by all commands on one
//! data directory.
//!
//! The first command on a data directory **owns** the engine: it starts it, starts it again when it dies, and stops it.
//! Later ones **join** it; when the owner goes, one of them becomes the owner. Nothing of the engine outlives the last.
//! Everyone else only ever knows an [`Endpoint`].

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

pub mod program;
pub mod version;

mod library;

pub mod install;

mod config;
pub(crate) mod hash;
mod layout;
pub(crate) mod lock;
mod secret;

mod announcement;
pub mod child;
mod process;
mod supervisor;

pub mod status;

use layout::Layout;
use program::{Places, Program};
use supervisor::{State, Supervisor};
use version::{SERVER_VERSION_MIN, Version};

pub use config::{DATABASE, READER, USER};
pub use secret::Secret;

/// How long a caller waits for an engine that is being started again before it hears that there is none.
const ENDPOINT_WAIT: Duration = Duration::from_secs(30);
/// How long a command waits for another's engine to answer: that one's start may take a minute.
const JOIN_WAIT: Duration = Duration::from_secs(70);

/// Where a ClickHouse answers and how to log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The HTTP interface, as in `http://127.0.0.1:8123`.
    pub url: String,
    /// The user to log in as.
    pub user: String,
    /// That user's password.
    pub password: Secret,
}

impl Endpoint {
    /// An engine on this machine.
    fn local(port: u16, password: Secret) -> Endpoint {
        Endpoint { url: format!("http://127.0.0.1:{port}"), user: USER.to_owned(), password }
    }

    /// The port in its URL.
    fn port(&self) -> Option<u16> {
        self.url.rsplit_once(':')?.1.parse().ok()
    }
}

/// What may be said about the engine; what is not said is found or computed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The library or `clickhouse` binary to use, before all others.
    pub program: Option<PathBuf>,
    /// The engine's memory limit; by default 40 % of this machine's, and at least 1 GiB.
    pub memory_octets_max: Option<u64>,
    /// The port on which it answers; any that is free unless given.
    pub port: Option<u16>,
    /// The password of the user who may only read ([`READER`]); there is none without it.
    pub reader_password: Option<Secret>,
    /// The binary whose `engine-child` command is the engine; by default this process' own. Tests, which run in another
    /// binary, say it.
    pub child_exe: Option<PathBuf>,
    /// How long to wait for the engine of another process to answer; by default 70 s, for that one may be starting.
    pub join_wait: Option<Duration>,
}

/// [`Options`] with everything decided.
#[derive(Clone, Debug)]
struct Plan {
    program: Program,
    memory_octets_max: Option<u64>,
    port: Option<u16>,
    reader_password: Option<Secret>,
    child_exe: PathBuf,
    join_wait: Duration,
}

/// An engine in use. Dropped, it stops in the background if this process owns it; [`Engine::stop`] waits for that.
#[derive(Debug)]
pub struct Engine {
    dir: PathBuf,
    state: watch::Receiver<State>,
    stop: CancellationToken,
}

impl Engine {
    /// Joins the engine that runs on `data_dir`, or starts one and supervises it. Returns when it answers.
    ///
    /// The directory is made where it is missing. Fails when there is no program to start, when its first start fails,
    /// when the data is of a newer engine, or when another process holds the directory and its engine does not answer.
    pub async fn open(data_dir: &Path, options: Options) -> Result<Engine, EngineError> {
        let dir = data_dir.to_owned();
        let prepare = move || {
            let layout = Layout::create(&dir)?;
            let plan = options.plan(&layout.data_dir)?;
            Ok((layout, plan))
        };
        // To look for the program may mean to hash half a gigabyte.
        let (layout, plan) = match tokio::task::spawn_blocking(prepare).await {
            Ok(prepared) => prepared?,
            Err(e) => return Err(EngineError::io("prepare", data_dir, e.into())),
        };
        let dir = layout.data_dir.clone();
        let stop = CancellationToken::new();
        let (sender, state) = watch::channel(State::Waiting { reason: None });
        let (first, opened) = oneshot::channel();
        // From here on, an opener that is dropped takes the engine with it.
        let engine = Engine { dir: dir.clone(), state, stop: stop.clone() };
        Supervisor { plan, layout, state: sender, stop, first: Some(first) }
            .spawn()
            .map_err(|e| EngineError::io("start the supervisor of", &dir, e))?;
        match opened.await {
            Ok(outcome) => outcome.map(|()| engine),
            Err(_) => Err(EngineError::Stopped { dir }),
        }
    }

    /// Where the engine answers now. While it is being started again this waits, for 30 s at most.
    ///
    /// The port and the password stay the same over a restart unless another process has taken the port meanwhile, so
    /// ask again after a failed request.
    pub async fn endpoint(&self) -> Result<Endpoint, EngineError> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| !matches!(state, State::Waiting { .. }));
        match tokio::time::timeout(ENDPOINT_WAIT, settled).await {
            Ok(Ok(state)) => match &*state {
                State::Ready { endpoint, .. } => Ok(endpoint.clone()),
                State::Waiting { .. } | State::Stopped => Err(EngineError::Stopped { dir: self.dir.clone() }),
            },
            Ok(Err(_)) => Err(EngineError::Stopped { dir: self.dir.clone() }),
            Err(_) => {
                let reason = match &*self.state.borrow() {
                    State::Waiting { reason: Some(reason) } => reason.clone(),
                    _ => "it is still starting".to_owned(),
                };
                let wait_s = ENDPOINT_WAIT.as_secs();
                Err(EngineError::Unavailable { dir: self.dir.clone(), wait_s, reason })
            }
        }
    }

    /// Whether this process supervises the engine, at this moment.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        matches!(&*self.state.borrow(), State::Ready { owner: true, .. })
    }

    /// Stops the engine in order if this process owns it, or leaves it to its owner; returns when that is done.
    ///
    /// Drop the clients first: an idle connection delays the stop by up to 3 s.
    pub async fn stop(mut self) -> Result<(), EngineError> {
        self.stop.cancel();
        // An error is a supervisor that has ended already.
        let _ = self.state.wait_for(|state| matches!(state, State::Stopped)).await;
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Options {
    fn plan(self, data_dir: &Path) -> Result<Plan, EngineError> {
        let program = Places::of_this_process(self.program).find(data_dir)?;
        if let Program::Server(_, version) = &program {
            version.may_open(&Layout::of(data_dir))?;
        }
        // Not the path that this binary once had: after an upgrade another one lies there.
        let child_exe = self.child_exe.unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
        let join_wait = self.join_wait.unwrap_or(JOIN_WAIT);
        let Self { memory_octets_max, port, reader_password, .. } = self;
        Ok(Plan { program, memory_octets_max, port, reader_password, child_exe, join_wait })
    }
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing to start: to be fetched.
    #[error(
        "no ClickHouse engine found (looked in {searched}); run `meter95 engine install` to fetch it, \
         or set {} to a library or a clickhouse binary",
        program::VARIABLE
    )]
    NotFound {
        /// Where it was looked for.
        searched: String,
    },
    /// A library that is not the pinned one: to be fetched again.
    #[error("{path} is not the pinned library ({found}); run `meter95 engine install` to fetch it again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// A named `clickhouse` that cannot be used: to be replaced.
    #[error("{path} is {}, need {SERVER_VERSION_MIN} or newer", found.map_or("no clickhouse with a version".to_owned(), |v| format!("clickhouse {v}")))]
    TooOld {
        /// The binary.
        path: PathBuf,
        /// Its version, where it prints one.
        found: Option<Version>,
    },
    /// The data needs a newer engine.
    #[error(
        "the data in {dir} was opened by engine {data}, and engine {engine} is older; start the newer one"
    )]
    DataIsNewer {
        /// The data directory.
        dir: PathBuf,
        /// The newest engine that opened it.
        data: Version,
        /// The engine that was to open it.
        engine: Version,
    },
    /// Another process has the data directory, and its engine does not answer.
    #[error("{dir} is in use by process {}, whose engine did not answer within {wait_s} s", pid.map_or("?".to_owned(), |pid| pid.to_string()))]
    Held {
        /// The data directory.
        dir: PathBuf,
        /// The process that holds it.
        pid: Option<u32>,
        /// How long it was asked.
        wait_s: u64,
    },
    /// The engine ended before it answered.
    #[error("the engine on {dir} did not start: {reason}")]
    NotStarted {
        /// The data directory.
        dir: PathBuf,
        /// Its last words.
        reason: String,
    },
    /// The engine is being started again, in vain so far.
    #[error("the engine on {dir} has not answered for {wait_s} s: {reason}")]
    Unavailable {
        /// The data directory.
        dir: PathBuf,
        /// How long it was waited for.
        wait_s: u64,
        /// Why it does not start.
        reason: String,
    },
    /// The engine was stopped.
    #[error("the engine on {dir} was stopped")]
    Stopped {
        /// The data directory.
        dir: PathBuf,
    },
    /// A file or a process could not be used.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl EngineError {
    fn io(doing: &'static str, path: &Path, source: io::Error) -> EngineError {
        EngineError::Io { doing, path: path.to_owned(), source }
    }
}

/// An error with what caused it, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
