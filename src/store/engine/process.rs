//! One run of the engine: its child process from start to end, as the supervisor sees it.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use super::announcement::Announcement;
use super::child::STOP_WAIT;
use super::layout::{self, Layout};
use super::lock::{self, Lock};
use super::program::Program;
use super::version::Version;
use super::{Endpoint, EngineError, Plan, Secret, config};

/// How long the engine may take from its start to its first answer: 0.1 s as a rule, 0.6 s from a cold disk, longer
/// with many parts to load.
const START_WAIT: Duration = Duration::from_secs(60);
/// How long an engine that lost its supervisor may take to go, and how often that is looked at.
const LAST_WAIT: Duration = Duration::from_secs(STOP_WAIT.as_secs() + 5);
const LAST_POLL: Duration = Duration::from_millis(20);
/// How much of the child's last words goes into an error.
const LAST_WORDS_OCTETS: usize = 2_000;

/// A running engine. To be stopped or killed, not just dropped, lest its child stay behind as a zombie.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// Its end tells the child to stop.
    lifeline: Option<ChildStdin>,
    /// Brings the port.
    ready: Option<ChildStdout>,
    /// Its process group, until that has been killed.
    pid: Option<Pid>,
    endpoint: Endpoint,
    since: Instant,
}

impl Process {
    /// Starts the engine on the port and with the password of the last one, or on any port if that is taken.
    ///
    /// Waits first for an engine whose supervisor has just died to stop.
    pub(super) async fn spawn(plan: &Plan, layout: &Layout) -> Result<Process, EngineError> {
        wait_for_last(layout).await?;
        let endpoint = match Announcement::read(layout).map(Announcement::endpoint) {
            // The one who took the port may have been sent the password.
            Some(last)
                if last
                    .port()
                    .is_some_and(|port| plan.port.is_none_or(|own| own == port) && is_free(port)) =>
            {
                last
            }
            _ => Endpoint::local(plan.port.unwrap_or(0), Secret::random()),
        };
        if let Some(port) = plan.port.filter(|port| !is_free(*port)) {
            let reason = format!("port {port}, which it is configured to answer on, is taken");
            return Err(EngineError::NotStarted { dir: layout.data_dir.clone(), reason });
        }
        let memory = plan.memory_octets_max.unwrap_or_else(config::memory_octets_max);
        let reader = plan.reader_password.as_ref();
        let config = config::config(layout, &plan.program, memory, reader.is_some());
        layout::replace(&layout.config(), &config)?;
        let users = config::users(&plan.program, &endpoint.password, reader, memory);
        layout::replace(&layout.users(), &users)?;
        let mut child = command(plan, layout, endpoint.port().unwrap_or(0))?
            .spawn()
            .map_err(|e| EngineError::io("start", &plan.child_exe, e))?;
        Ok(Process {
            lifeline: child.stdin.take(),
            ready: child.stdout.take(),
            pid: child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw),
            child,
            endpoint,
            since: Instant::now(),
        })
    }

    /// Waits until the engine answers, and notes its version.
    pub(super) async fn ready(&mut self, layout: &Layout) -> Result<(), EngineError> {
        let failed = |reason: String| EngineError::NotStarted { dir: layout.data_dir.clone(), reason };
        let mut line = String::new();
        if let Some(pipe) = self.ready.take() {
            match timeout(START_WAIT, BufReader::new(pipe).read_line(&mut line)).await {
                Err(_) => {
                    return Err(failed(format!("it did not listen within {} s", START_WAIT.as_secs())));
                }
                Ok(Err(e)) => return Err(failed(e.to_string())),
                Ok(Ok(_)) => {}
            }
        }
        let Ok(port) = line.trim().parse() else {
            let status = self.child.wait().await.map_or_else(|e| e.to_string(), |status| status.to_string());
            return Err(failed(format!("{status}: {}", last_words(&layout.child_log()))));
        };
        self.endpoint = Endpoint::local(port, self.endpoint.password.clone());
        let version = self.endpoint.version().await.map_err(failed)?;
        version.note(layout)?;
        tracing::info!(port, %version, start_ms = milliseconds(self.since), "engine started");
        Ok(())
    }

    /// Where it answers.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Waits for its end, which nobody asked for.
    pub(super) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait().await;
        // A real server is a process of its own beside our child, and must not outlive it.
        self.kill_group();
        status
    }

    /// Stops it in order, or kills it when that takes too long.
    pub(super) async fn stop(mut self) {
        let started = Instant::now();
        drop(self.lifeline.take());
        // The child kills itself after `STOP_WAIT`; the second on top is for it to do so.
        if timeout(STOP_WAIT + Duration::from_secs(1), self.child.wait()).await.is_err() {
            tracing::warn!("killing an engine that does not stop");
        }
        self.kill().await;
        tracing::info!(stop_ms = milliseconds(started), "engine stopped");
    }

    /// Ends it at once, and waits until it is gone.
    pub(super) async fn kill(mut self) {
        self.kill_group();
        // An error is a child that has been waited for already.
        let _ = self.child.wait().await;
    }

    fn kill_group(&mut self) {
        if let Some(pid) = self.pid.take() {
            // An empty group is what we want.
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
    }
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Whether this machine's `port` can be listened on.
fn is_free(port: u16) -> bool {
    std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Waits until no engine runs on the data directory.
async fn wait_for_last(layout: &Layout) -> Result<(), EngineError> {
    let path = layout.running();
    let since = Instant::now();
    while !Lock::is_free(&path).map_err(|e| EngineError::io("lock", &path, e))? {
        if since.elapsed() >= LAST_WAIT {
            let holder = lock::holder(&path).map_or("?".to_owned(), |pid| pid.to_string());
            let reason =
                format!("an earlier engine, process {holder}, has not stopped for {} s", LAST_WAIT.as_secs());
            return Err(EngineError::NotStarted { dir: layout.data_dir.clone(), reason });
        }
        sleep(LAST_POLL).await;
    }
    Ok(())
}

/// The child's command line: nothing secret is on it.
fn command(plan: &Plan, layout: &Layout, port: u16) -> Result<Command, EngineError> {
    let path = layout.child_log();
    let child_log = File::create(&path).map_err(|e| EngineError::io("write", &path, e))?;
    let (kind, program) = match &plan.program {
        Program::Library(path) => ("--library", path),
        Program::Server(path, _) => ("--server", path),
    };
    let mut command = Command::new(&plan.child_exe);
    command
        .arg0("meter95")
        .arg("engine-child")
        .arg("--dir")
        .arg(&layout.dir)
        .arg(kind)
        .arg(program)
        .arg("--http-port")
        .arg(port.to_string())
        .arg("--parent")
        .arg(std::process::id().to_string())
        // ClickHouse looks for settings and services in many variables; none of them is meant for this one.
        .env_clear()
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(child_log)
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

/// The end of what the child printed.
fn last_words(path: &Path) -> String {
    let text =
        std::fs::read(path).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default();
    let start = text.len().saturating_sub(LAST_WORDS_OCTETS);
    let start = (start..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text[start..].trim().to_owned()
}

impl Endpoint {
    /// The version of the engine that answers here, which shows that it is ours: it knows the password.
    pub(super) async fn version(&self) -> Result<Version, String> {
        /// One small question to a process on this machine.
        const ANSWER_WAIT: Duration = Duration::from_secs(5);
        let client = clickhouse::Client::default()
            .with_url(&self.url)
            .with_user(&self.user)
            .with_password(self.password.expose());
        let answer = timeout(ANSWER_WAIT, client.query("SELECT version()").fetch_one::<String>()).await;
        let text = answer.map_err(|_| "it does not answer".to_owned())?.map_err(|e| e.to_string())?;
        Version::find(&text).ok_or_else(|| format!("no version in {text:?}"))
    }
}
