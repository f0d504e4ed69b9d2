//! The child process that is the engine: this service's own binary, started again with a hidden command.
//!
//! ClickHouse as a library brings its own allocator, signal handlers and ways to end a process, so it never runs in the
//! service itself. A real `clickhouse` is started from here as well: both kinds keep the same promises to the parent.
//!
//! - Standard input is the **lifeline**, a pipe whose other end the parent holds. At its end the engine stops in order;
//!   so it does on SIGTERM, and when the parent dies. If it takes too long it is killed.
//! - Standard output takes one line, the HTTP port, once the engine listens.
//! - Standard error says what went wrong before that.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use rustix::stdio;

use super::layout::Layout;
use super::lock::Lock;
use super::version::Version;
use super::{EngineError, with_causes};

mod library;
mod raw;
mod server;

/// How long an orderly stop may take before the engine is killed: an idle client delays it by up to 3 s, a running
/// query by 5 s.
pub(super) const STOP_WAIT: Duration = Duration::from_secs(10);

/// What the parent tells its child on the command line.
#[derive(Debug)]
pub struct Args {
    /// `DIR/engine`, with the configuration already in it.
    pub dir: PathBuf,
    /// The library to load, or else
    pub library: Option<PathBuf>,
    /// the `clickhouse` binary to start.
    pub server: Option<PathBuf>,
    /// The port to listen on, 0 for any.
    pub http_port: u16,
    /// The process that started this one.
    pub parent: i32,
}

/// Runs the engine until it is told to stop. Call it before any other thread is made: it blocks signals for all of them.
#[must_use]
pub fn child_main(args: &Args) -> ExitCode {
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{}", with_causes(&e));
            ExitCode::FAILURE
        }
    }
}

/// Why the child ended by itself.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChildError {
    #[error("cannot {doing}")]
    System { doing: &'static str, source: std::io::Error },
    #[error("the parent {0} is gone")]
    Orphan(i32),
    #[error("neither a library nor a server to start")]
    Nothing,
    #[error("cannot use the library")]
    Library(#[from] libloading::Error),
    #[error(transparent)]
    Refused(#[from] EngineError),
    #[error("the engine ended by itself: {0}")]
    Ended(String),
}

/// Names what was being done when a system call failed.
fn system<E: Into<std::io::Error>>(doing: &'static str) -> impl FnOnce(E) -> ChildError {
    move |e| ChildError::System { doing, source: e.into() }
}

/// The ends of the pipes that the parent holds.
struct Parent {
    /// Ends when the parent does.
    lifeline: File,
    /// Takes the port.
    ready: File,
}

fn run(args: &Args) -> Result<(), ChildError> {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // Ctrl-C in the parent's terminal must not reach the engine: the parent has rows to write first. The parent sees to
    // it; this is for a start by hand, and fails only where it is so already.
    let _ = rustix::process::setpgid(None, None);
    // The lifeline's end says the same; this holds even where something else keeps the pipe open.
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM))
        .map_err(system("ask for the parent's end"))?;
    if rustix::process::getppid() != Pid::from_raw(args.parent) {
        return Err(ChildError::Orphan(args.parent));
    }
    let layout = Layout::of_engine_dir(args.dir.clone());
    for file in [layout.config(), layout.users()] {
        // ClickHouse passes over a file that is not there, and would let everyone in.
        File::open(&file).map_err(|e| EngineError::io("read", &file, e))?;
    }
    let path = layout.running();
    // Blocks while an engine whose parent has just died is still stopping; the parent here knows its patience.
    let _running = Lock::take(&path).map_err(|e| EngineError::io("lock", &path, e))?;
    raw::block_sigterm();
    let parent = take_stdio()?;
    match (&args.library, &args.server) {
        (Some(path), _) => library::run(&layout, path, args.http_port, parent),
        (None, Some(path)) => server::run(&layout, path, args.http_port, parent),
        (None, None) => Err(ChildError::Nothing),
    }
}

/// Moves the parent's pipes away from where the engine reads and prints.
fn take_stdio() -> Result<Parent, ChildError> {
    const FIRST_FREE: i32 = 3;
    let moved = |fd| rustix::io::fcntl_dupfd_cloexec(fd, FIRST_FREE).map(File::from);
    let parent = Parent {
        lifeline: moved(stdio::stdin()).map_err(system("keep standard input"))?,
        ready: moved(stdio::stdout()).map_err(system("keep standard output"))?,
    };
    let null = null()?;
    stdio::dup2_stdin(&null).map_err(system("replace standard input"))?;
    stdio::dup2_stdout(&null).map_err(system("replace standard output"))?;
    Ok(parent)
}

fn null() -> Result<OwnedFd, ChildError> {
    let null = File::options().read(true).write(true).open("/dev/null").map_err(system("open /dev/null"))?;
    Ok(null.into())
}

/// Calls `stop` once, on SIGTERM or at the lifeline's end, and ends the process by force if it is still there later.
fn on_stop(mut lifeline: File, stop: impl FnOnce() + Send + 'static) -> Result<(), ChildError> {
    let this = rustix::process::getpid();
    spawn("lifeline", move || {
        let mut octets = [0; 16];
        while matches!(lifeline.read(&mut octets), Ok(1..)) {}
        // One way to stop, whoever asks for it.
        let _ = rustix::process::kill_process(this, Signal::TERM);
    })?;
    spawn("stop", move || {
        raw::wait_for_sigterm();
        stop();
        std::thread::sleep(STOP_WAIT);
        // The group is ours alone, and a server that we started is in it.
        let _ = rustix::process::kill_process_group(this, Signal::KILL);
    })
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), ChildError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map(drop).map_err(system("start a thread"))
}

/// Refuses data of a newer engine, where the engine's version can be read from `text`.
fn check_version(layout: &Layout, text: &str) -> Result<(), ChildError> {
    match Version::find(text) {
        Some(version) => Ok(version.may_open(layout)?),
        None => Err(ChildError::Ended(format!("no version in {text:?}"))),
    }
}
