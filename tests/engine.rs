//! The embedded engine, for real. It is found as any command finds it: where it is missing these tests fail and say
//! how to get it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use meter95::store::engine::{Endpoint, Engine, EngineError, Options};
use rustix::process::{Pid, Signal};

const METER95: &str = env!("CARGO_BIN_EXE_meter95");
/// No condition here takes longer on a machine that does other work too.
const PATIENCE: Duration = Duration::from_secs(30);

fn options() -> Options {
    Options { child_exe: Some(METER95.into()), memory_octets_max: Some(1 << 30), ..Options::default() }
}

async fn open(dir: &Path) -> Engine {
    Engine::open(dir, options())
        .await
        .unwrap_or_else(|e| panic!("{e}; is the engine installed (`meter95 engine install`)?"))
}

fn client(endpoint: &Endpoint) -> clickhouse::Client {
    clickhouse::Client::default()
        .with_url(&endpoint.url)
        .with_user(&endpoint.user)
        .with_password(endpoint.password.expose())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_on_the_port_that_is_configured_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let options = || Options { port: Some(port), ..options() };
    let error = Engine::open(dir.path(), options()).await.unwrap_err().to_string();
    assert!(
        error.ends_with(&format!("port {port}, which it is configured to answer on, is taken")),
        "{error}"
    );
    drop(taken);
    for _ in 0..2 {
        let engine = Engine::open(dir.path(), options()).await.unwrap();
        assert_eq!(engine.endpoint().await.unwrap().url, format!("http://127.0.0.1:{port}"));
        engine.stop().await.unwrap();
    }
}

async fn run(endpoint: &Endpoint, sql: &str) {
    client(endpoint).query(sql).execute().await.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

async fn count(endpoint: &Endpoint) -> u64 {
    client(endpoint).query("SELECT count() FROM meter95.t").fetch_one().await.unwrap()
}

/// A table with 1,000 rows.
async fn fill(endpoint: &Endpoint) {
    run(endpoint, "CREATE DATABASE meter95").await;
    run(endpoint, "CREATE TABLE meter95.t (a UInt64) ENGINE = MergeTree ORDER BY a").await;
    run(endpoint, "INSERT INTO meter95.t SELECT number FROM numbers(1000)").await;
}

async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = check().await {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The engine's process on a data directory, alive or not.
fn child_pid(dir: &Path) -> Pid {
    let text = std::fs::read_to_string(dir.join("engine/running")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap()
}

/// Whether a process is there, be it only as a zombie.
fn exists(pid: Pid) -> bool {
    rustix::process::test_kill_process(pid).is_ok()
}

async fn gone(pid: Pid) {
    eventually("the process is gone", async || (!exists(pid)).then_some(())).await;
}

fn kill(pid: Pid, signal: Signal) {
    rustix::process::kill_process(pid, signal).unwrap();
}

/// `meter95 engine run` in another process, as soon as it has printed its URL.
struct Holder(Child);

impl Holder {
    fn on(dir: &Path) -> Holder {
        let mut child = Command::new(METER95)
            .args(["engine", "run", "--data-dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("http://127.0.0.1:"), "{line:?}");
        Holder(child)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn an_engine_that_is_killed_comes_back_with_its_data() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    assert!(engine.is_owner());
    let endpoint = engine.endpoint().await.unwrap();
    fill(&endpoint).await;
    for _ in 0..3 {
        let pid = child_pid(dir.path());
        kill(pid, Signal::KILL);
        gone(pid).await;
        eventually("a new process", async || (child_pid(dir.path()) != pid).then_some(())).await;
        assert_eq!(engine.endpoint().await.unwrap(), endpoint, "port and password stay");
        assert_eq!(count(&endpoint).await, 1000);
    }
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_stopped_engine_leaves_no_process_and_keeps_its_data() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    fill(&engine.endpoint().await.unwrap()).await;
    let pid = child_pid(dir.path());
    engine.stop().await.unwrap();
    assert!(!exists(pid));

    let engine = open(dir.path()).await;
    assert_eq!(count(&engine.endpoint().await.unwrap()).await, 1000);
    let pid = child_pid(dir.path());
    drop(engine);
    gone(pid).await;
}

#[tokio::test]
async fn an_opener_that_gives_up_does_not_keep_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    // Amid the start as a rule; where the engine was quicker, an open one is dropped instead.
    let opening = Engine::open(dir.path(), options());
    drop(tokio::time::timeout(Duration::from_millis(80), opening).await);
    let engine = open(dir.path()).await;
    eventually("the later one owns it", async || engine.is_owner().then_some(())).await;
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_parent_that_is_killed_leaves_no_process() {
    let dir = tempfile::tempdir().unwrap();
    let holder = Holder::on(dir.path());
    let pid = child_pid(dir.path());
    assert!(exists(pid));
    let group = |pid| rustix::process::getpgid(Some(pid)).unwrap();
    assert_ne!(group(pid), group(holder.pid()), "Ctrl-C must not reach the engine");
    kill(holder.pid(), Signal::KILL);
    gone(pid).await;
    drop(holder);
    open(dir.path()).await.stop().await.unwrap();
}

#[tokio::test]
async fn a_parent_that_is_told_to_stop_stops_the_engine() {
    for signal in [Signal::TERM, Signal::INT] {
        let dir = tempfile::tempdir().unwrap();
        let mut holder = Holder::on(dir.path());
        let pid = child_pid(dir.path());
        kill(holder.pid(), signal);
        assert!(holder.0.wait().unwrap().success());
        assert!(!exists(pid));
        let log = std::fs::read_to_string(dir.path().join("engine/engine.log")).unwrap();
        assert!(log.contains("Shutdown disk"), "stopped in order");
    }
}

#[tokio::test]
async fn sigterm_stops_the_engine_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    kill(child_pid(dir.path()), Signal::TERM);
    eventually("stopped in order", async || {
        std::fs::read_to_string(dir.path().join("engine/engine.log"))
            .unwrap()
            .contains("Shutdown disk")
            .then_some(())
    })
    .await;
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_command_joins_and_takes_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut owner = Holder::on(dir.path());
    let pid = child_pid(dir.path());
    let engine = open(dir.path()).await;
    assert!(!engine.is_owner());
    let endpoint = engine.endpoint().await.unwrap();
    fill(&endpoint).await;
    assert_eq!(child_pid(dir.path()), pid, "one engine for both");

    kill(owner.pid(), Signal::TERM);
    let status = eventually("the owner ends", async || owner.0.try_wait().unwrap()).await;
    assert!(status.success());
    eventually("the joiner owns it", async || engine.is_owner().then_some(())).await;
    assert_eq!(engine.endpoint().await.unwrap(), endpoint);
    assert_eq!(count(&endpoint).await, 1000);

    // And back: another joins, the owner goes, nothing is lost.
    let late = open(dir.path()).await;
    assert!(!late.is_owner());
    engine.stop().await.unwrap();
    eventually("the late one owns it", async || late.is_owner().then_some(())).await;
    assert_eq!(count(&late.endpoint().await.unwrap()).await, 1000);
    let pid = child_pid(dir.path());
    late.stop().await.unwrap();
    assert!(!exists(pid));
}

#[tokio::test]
async fn a_joiner_takes_over_from_an_owner_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let owner = Holder::on(dir.path());
    let engine = open(dir.path()).await;
    let endpoint = engine.endpoint().await.unwrap();
    fill(&endpoint).await;
    kill(owner.pid(), Signal::KILL);
    eventually("the joiner owns it", async || engine.is_owner().then_some(())).await;
    assert_eq!(count(&engine.endpoint().await.unwrap()).await, 1000);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn many_that_open_at_once_share_one_engine() {
    let dir = tempfile::tempdir().unwrap();
    let engines = futures::future::join_all((0..6).map(|_| open(dir.path()))).await;
    assert_eq!(engines.iter().filter(|engine| engine.is_owner()).count(), 1);
    let endpoint = engines[0].endpoint().await.unwrap();
    for engine in &engines {
        assert_eq!(engine.endpoint().await.unwrap(), endpoint);
    }
}

#[tokio::test]
async fn broken_clients_do_not_end_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let endpoint = engine.endpoint().await.unwrap();
    let pid = child_pid(dir.path());
    let port: u16 = endpoint.url.rsplit_once(':').unwrap().1.parse().unwrap();
    let connect = || {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        stream
    };
    let garbage: [&[u8]; 6] = [
        b"",
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST / HTTP/1.1\r\nContent-Length: 999999\r\n\r\nSELECT",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        &[0xff; 100_000],
    ];
    for octets in garbage {
        let mut stream = connect();
        let _ = stream.write_all(octets);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
        // Unread data makes the close a reset.
        let mut reset = connect();
        let _ = reset.write_all(b"GET /ping HTTP/1.1\r\nX-ClickHouse-User: meter95\r\n\r\n");
        let _ = reset.write_all(octets);
        drop(reset);
    }
    assert_eq!(client(&endpoint).query("SELECT 1").fetch_one::<u8>().await.unwrap(), 1);
    assert_eq!(child_pid(dir.path()), pid);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_gets_in_without_the_password() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let endpoint = engine.endpoint().await.unwrap();
    let check = async |client: clickhouse::Client, sql: &str| {
        let outcome = client.query(sql).fetch_one::<String>().await;
        assert!(outcome.is_err(), "{sql}: {outcome:?}");
    };
    let nobody = || clickhouse::Client::default().with_url(&endpoint.url);
    let file = "SELECT * FROM file('/etc/passwd', 'LineAsString') LIMIT 1";
    check(nobody(), "SELECT currentUser()").await;
    check(nobody().with_user("default"), "SELECT currentUser()").await;
    check(nobody().with_user("default"), file).await;
    check(nobody().with_user("meter95"), "SELECT currentUser()").await;
    check(nobody().with_user("meter95").with_password("wrong"), "SELECT currentUser()").await;
    let twice = nobody().with_user("default").with_header("X-ClickHouse-User", "meter95");
    check(twice, file).await;
    check(nobody().with_setting("user", "default").with_user("meter95"), file).await;
    // Nor does the password open the machine's files or the network.
    check(client(&endpoint), file).await;
    check(client(&endpoint), "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString') LIMIT 1").await;
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn the_services_user_may_do_all_that_a_store_needs() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let endpoint = engine.endpoint().await.unwrap();
    for sql in [
        "CREATE DATABASE IF NOT EXISTS meter95",
        "CREATE TABLE meter95.s (id UInt32 CODEC(Delta, ZSTD(1)), ts DateTime CODEC(DoubleDelta, ZSTD(1)), \
         bps UInt64 CODEC(T64('bit'), ZSTD(1)), v UInt64) ENGINE = ReplacingMergeTree(v) PARTITION BY toYYYYMM(ts) \
         ORDER BY (id, ts) SETTINGS non_replicated_deduplication_window = 100",
        "INSERT INTO meter95.s SELECT number % 10, toDateTime('2026-10-01 00:00:00') + number * 300, number, 1 \
         FROM numbers(10000)",
        "ALTER TABLE meter95.s ADD COLUMN note String DEFAULT ''",
        "ALTER TABLE meter95.s UPDATE note = 'x' WHERE id = 1 SETTINGS mutations_sync = 1",
        "OPTIMIZE TABLE meter95.s FINAL",
        "CREATE TABLE meter95.sums (id UInt32, octets UInt64) ENGINE = SummingMergeTree ORDER BY id",
        "CREATE MATERIALIZED VIEW meter95.to_sums TO meter95.sums AS SELECT id, bps AS octets FROM meter95.s",
        "CREATE VIEW meter95.top AS SELECT id, quantileExact(0.949999999)(bps) AS p95 FROM meter95.s FINAL GROUP BY id",
        "SELECT * FROM meter95.top FORMAT Null",
        "CREATE TABLE meter95.m ENGINE = Memory AS SELECT 1 AS a",
        "EXCHANGE TABLES meter95.m AND meter95.sums",
        "SELECT * FROM numbers(5) FORMAT Null",
        "SELECT * FROM system.parts FORMAT Null",
        "SELECT * FROM system.query_log LIMIT 0 FORMAT Null SETTINGS allow_experimental_analyzer = 1",
        "SELECT table_name FROM information_schema.tables LIMIT 1 FORMAT Null",
        "SYSTEM STOP MERGES meter95.s",
        "SYSTEM START MERGES meter95.s",
        "ALTER TABLE meter95.s DROP PARTITION 202610",
        "TRUNCATE TABLE meter95.sums",
        "DROP TABLE meter95.m",
        "DROP DATABASE meter95",
    ] {
        if sql.contains("query_log") {
            // No log tables: they would grow, and nobody reads them.
            assert!(client(&endpoint).query(sql).execute().await.is_err());
            continue;
        }
        run(&endpoint, sql).await;
    }
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_acknowledged_is_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let endpoint = engine.endpoint().await.unwrap();
    for setting in ["fsync_after_insert", "fsync_part_directory"] {
        let sql = format!("SELECT value FROM system.merge_tree_settings WHERE name = '{setting}'");
        assert_eq!(client(&endpoint).query(&sql).fetch_one::<String>().await.unwrap(), "1", "{setting}");
    }
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn data_of_a_newer_engine_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).await.stop().await.unwrap();
    let version = dir.path().join("engine/version");
    let ours = std::fs::read_to_string(&version).unwrap();
    std::fs::write(&version, "99.1").unwrap();
    let error = Engine::open(dir.path(), options()).await.unwrap_err().to_string();
    assert!(error.contains("99.1") && error.contains(&ours), "{error}");
}

#[tokio::test]
async fn a_port_that_was_taken_meanwhile_is_given_up_with_its_password() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path()).await;
    let before = engine.endpoint().await.unwrap();
    engine.stop().await.unwrap();
    let port: u16 = before.url.rsplit_once(':').unwrap().1.parse().unwrap();
    let _squatter = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let engine = open(dir.path()).await;
    let after = engine.endpoint().await.unwrap();
    assert_ne!(before.url, after.url);
    assert!(before.password != after.password);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_that_is_held_without_an_engine_is_named_with_its_holder() {
    let dir = tempfile::tempdir().unwrap();
    let holder = Holder::on(dir.path());
    // As if the owner's start hung: it says that it is not ready, and goes on holding the lock.
    kill(holder.pid(), Signal::STOP);
    let told = dir.path().join("engine/endpoint.json");
    let text = std::fs::read_to_string(&told).unwrap().replace("\"ready\":true", "\"ready\":false");
    std::fs::write(&told, text).unwrap();
    let waiting = Engine::open(dir.path(), Options { join_wait: Some(Duration::from_secs(1)), ..options() });
    let error = waiting.await.unwrap_err();
    assert!(matches!(error, EngineError::Held { .. }), "{error}");
    assert!(error.to_string().contains(&holder.pid().as_raw_nonzero().to_string()), "{error}");
    assert!(error.to_string().contains(dir.path().to_str().unwrap()), "{error}");
}

#[test]
fn a_missing_engine_says_how_to_get_it() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(METER95)
        .args(["engine", "run", "--data-dir"])
        .arg(dir.path().join("data"))
        .env_remove("XDG_CACHE_HOME")
        .env_remove("METER95_ENGINE")
        .env("HOME", dir.path())
        .env("PATH", "")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains("meter95 engine install"), "{text}");
}

#[test]
fn a_package_with_another_hash_is_not_installed() {
    let dir = tempfile::tempdir().unwrap();
    let package = dir.path().join("package.tgz");
    std::fs::write(&package, "something else").unwrap();
    let to = dir.path().join("to");
    let output = Command::new(METER95)
        .args(["engine", "install", "--from"])
        .arg(&package)
        .arg("--to")
        .arg(&to)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains("sha512") && text.contains("nothing was installed"), "{text}");
    assert!(!to.join("libchdb.so").exists());
}

#[test]
fn without_npm_an_installation_says_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let check = |npm: Option<&str>, want: &str| {
        if let Some(text) = npm {
            let path = dir.path().join("npm");
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let output = Command::new(METER95)
            .args(["engine", "install", "--to"])
            .arg(dir.path().join("to"))
            .env("PATH", dir.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(text.contains(want) && text.contains("--from"), "{text}");
    };
    check(None, "npm is not there");
    check(Some("#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n"), "npm error code ENOTFOUND");
}

/// A `clickhouse` that says it is new enough, and does `server` when it is to serve.
fn fake_clickhouse(dir: &Path, server: &str) -> std::path::PathBuf {
    let path = dir.join("clickhouse");
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = local ]; then echo 'ClickHouse local version 25.8.1.1.'; exit; fi\n{server}\n"
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn a_server_that_ends_at_once_is_an_error_with_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let program = fake_clickhouse(dir.path(), "echo \"cannot serve: $*\" >&2; exit 7");
    let error = Engine::open(&dir.path().join("data"), Options { program: Some(program), ..options() })
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot serve: server --config-file="), "{error}");
    assert!(error.contains("--http_port="), "{error}");
}

#[tokio::test]
async fn a_server_ends_with_its_parent() {
    let dir = tempfile::tempdir().unwrap();
    let pid_file = dir.path().join("pid");
    let program = fake_clickhouse(dir.path(), &format!("echo $$ > {}; exec sleep 1000", pid_file.display()));
    let data = dir.path().join("data");
    for drops_engine in [true, false] {
        let _ = std::fs::remove_file(&pid_file);
        let start = async {
            if drops_engine {
                let options = Options { program: Some(program.clone()), ..options() };
                drop(Engine::open(&data, options).await);
                None
            } else {
                let mut command = Command::new(METER95);
                command.args(["engine", "run", "--data-dir"]).arg(&data).env("METER95_ENGINE", &program);
                Some(command.spawn().unwrap())
            }
        };
        let written = eventually("the server's process", async || {
            std::fs::read_to_string(&pid_file).ok()?.trim().parse().ok().and_then(Pid::from_raw)
        });
        // Dropped as soon as the other is done: the engine is stopped amid its start.
        let (server, parent) = if drops_engine {
            tokio::select! { server = written => (server, None), _ = start => panic!("nothing listens") }
        } else {
            let parent = start.await;
            (written.await, parent)
        };
        assert!(exists(server) || drops_engine);
        if let Some(mut parent) = parent {
            parent.kill().unwrap();
            parent.wait().unwrap();
        }
        gone(server).await;
    }
}
