//! What several themes need.

use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use meter95::access::Guard;
use meter95::aggregator::intake::Intake;
use meter95::aggregator::pipeline::Live;
use meter95::aggregator::state::Times;
use meter95::alerts::Alerts;
use meter95::alerts::destinations::Destinations;
use meter95::api::App;
use meter95::api::events::streams::Streams;
use meter95::audit::Audit;
use meter95::closing::desk::Desk;
use meter95::collectors::registry::Collectors;
use meter95::store::connection::Store;
use meter95::store::engine::Options;
use meter95::throttle::desk::Cases;
use meter95::throttle::templates::Templates;
use meter95::usage::tables::Tables;
use meter95_reading::Timestamp;

/// An empty store for the test `name`, on an engine of its own: the engine's user may use one database only. It ends
/// with the last clone, or with this process.
pub(crate) async fn store(name: &str) -> Store {
    store_and_dir(name).await.0
}

/// As [`store`], with the data directory.
pub(crate) async fn store_and_dir(name: &str) -> (Store, PathBuf) {
    let dir = data_dir(name);
    (open(&dir).await, dir)
}

/// The store of a data directory, as after a restart of the service.
pub(crate) async fn open(data_dir: &Path) -> Store {
    let options = Options {
        child_exe: Some(env!("CARGO_BIN_EXE_meter95").into()),
        memory_octets_max: Some(1 << 30),
        ..Options::default()
    };
    let store = Store::open(data_dir, options).await;
    store.unwrap_or_else(|e| panic!("{e}; is the engine installed (`meter95 engine install`)?"))
}

/// What an API answers from, on a data directory's store and with everything as it comes with meter95.
pub(crate) async fn app(
    store: &Store,
    data_dir: &Path,
    live: Live,
    intake: Intake,
    now: fn() -> Timestamp,
) -> App {
    let times = Times::default();
    App {
        usage: Tables::new(live.clone(), store.clone(), times, now),
        live,
        intake,
        board: None,
        collectors: Collectors::open(store.clone()).await.unwrap(),
        desk: Desk::new(store.clone(), data_dir, times),
        cases: Cases::new(store.clone(), data_dir),
        templates: Templates::read(None).0,
        alerts: alerts(store, now()).await,
        store: store.clone(),
        now,
        times,
        access: Guard::open(store.clone(), NonZeroU32::new(1_000_000).unwrap()).await.unwrap(),
        audit: Audit::new(store.clone(), now),
        streams: Streams::default(),
        metrics: None,
    }
}

/// Alerts of which nobody is told.
pub(crate) async fn alerts(store: &Store, now: Timestamp) -> Alerts {
    Alerts::open(store, &Destinations::default(), now).await.unwrap()
}

/// Ends the engine of a data directory as a crash would. `false` where none runs at this moment.
pub(crate) fn kill_engine(data_dir: &Path) -> bool {
    let own = std::process::id().to_string();
    let is_it = |pid: &str| {
        let cmdline = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let cmdline = String::from_utf8_lossy(&cmdline);
        pid != own && cmdline.contains("engine-child") && cmdline.contains(&*data_dir.to_string_lossy())
    };
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().into_string().ok());
    let found = pids.filter(|name| name.bytes().all(|b| b.is_ascii_digit())).find(|pid| is_it(pid));
    found.is_some_and(|pid| Command::new("kill").args(["-9", &pid]).status().unwrap().success())
}

/// A new folder of this process; those of processes that have ended go.
pub(crate) fn data_dir(name: &str) -> PathBuf {
    const PREFIX: &str = "stores-of-";
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let ended = |pid: &str| !Path::new("/proc").join(pid).exists();
        if name.strip_prefix(PREFIX).is_some_and(ended) {
            // Another test may be at it too.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let own = folder.join(format!("{PREFIX}{}", std::process::id())).join(name);
    // A process of the same number may have left one.
    let _ = std::fs::remove_dir_all(&own);
    own
}

/// The command `meter95 --data-dir DIR`, of no configuration but its own.
pub(crate) fn meter95(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meter95"));
    command.env_remove("METER95_CONFIG").arg("--data-dir").arg(data_dir);
    command
}

/// `meter95 serve` on a data directory, or `meter95 demo`, until it is dropped.
pub(crate) struct Serving {
    child: Child,
    /// Where it answers.
    pub(crate) url: String,
}

impl Serving {
    /// Starts it; it answers then.
    pub(crate) fn start(data_dir: &Path, config: Option<&Path>) -> Self {
        let mut command = meter95(data_dir);
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        command.arg("serve");
        Self::answering(command)
    }

    /// Starts `meter95 demo` with these arguments; its site is filled then.
    pub(crate) fn demo(data_dir: &Path, args: &[&str]) -> Self {
        let mut command = meter95(data_dir);
        command.arg("demo").args(args);
        Self::answering(command)
    }

    fn answering(mut command: Command) -> Self {
        command.args(["--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url =
            |line: String| line.split_whitespace().find(|word| word.starts_with("http")).map(str::to_owned);
        let url = lines.find_map(url);
        // What it prints later is nobody's, but must not end it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: url.expect("the service ended before it answered") }
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(self) {}

    /// Tells it to stop, which it does in order.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "it ends in order");
    }
}

/// It ends as by a crash.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command prints; it must succeed.
pub(crate) fn prints(dir: &Path, args: &[&str]) -> String {
    let output = meter95(dir).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command complains of; it must fail.
pub(crate) fn complains(dir: &Path, args: &[&str]) -> String {
    let output = meter95(dir).args(args).output().unwrap();
    assert!(!output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}
