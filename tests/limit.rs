//! The demo has a case of each rule, and its configuration for Linux really limits: through a wire between two network
//! namespaces goes what the recommendation says, in both directions, as the NIC collector itself measures it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use meter95::clock;
use meter95::metering::period::Month;
use meter95::metering::throttle::Rule;
use meter95_nic::{Selection, read_pass};
use meter95_reading::Counters;
use serde_json::{Value, json};

use crate::namespace::Namespace;
use crate::support;

/// A month forgives up to 37 h; before more of it has passed, nothing is locked in.
const LOCKED_IN_H: i64 = 40;

/// How long the demo may take until it has its cases.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is sent in each direction: over two seconds at the limit, so that the burst that it lets pass at once weighs little.
const OCTETS: usize = 12_000_000;

/// One end of the wire.
struct End {
    namespace: Namespace,
    interface: &'static str,
    address: Ipv4Addr,
}

/// A server and the switch's port that it is plugged into.
struct Wire {
    server: End,
    switch: End,
}

impl Wire {
    fn new() -> Self {
        let server = Namespace::new("limited");
        let switch = Namespace::new("limiting");
        // As `Namespace` names them.
        let other = format!("meter95-limiting-{}", std::process::id());
        server.ip(&format!("link add eth0 type veth peer name port1 netns {other}"));
        for (namespace, interface, address) in
            [(&server, "eth0", "10.95.2.1/24"), (&switch, "port1", "10.95.2.2/24")]
        {
            namespace.ip(&format!("addr add {address} dev {interface}"));
            namespace.ip(&format!("link set {interface} up"));
        }
        Self {
            server: End { namespace: server, interface: "eth0", address: Ipv4Addr::new(10, 95, 2, 1) },
            switch: End { namespace: switch, interface: "port1", address: Ipv4Addr::new(10, 95, 2, 2) },
        }
    }

    /// What goes to the server, and then from it, in bit/s, as fast as it can. Not both at once: acknowledgements would
    /// wait behind data of the other direction, and what TCP then leaves unused is not the limit's doing.
    fn rates(&self) -> [u64; 2] {
        [rate(&self.switch, &self.server), rate(&self.server, &self.switch)]
    }
}

impl End {
    /// Runs a configuration as people do.
    fn configure(&self, text: &str) {
        let output = self.namespace.enter(|| {
            let mut shell = Command::new("sh");
            shell.arg("-e").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut shell = shell.spawn().unwrap();
            shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
            shell.wait_with_output().unwrap()
        });
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    /// What the interface has counted by now, in the namespace of this thread.
    fn counters(&self) -> Counters {
        let selection = Selection::Named([self.interface.to_owned()].into());
        let pass = read_pass("this", &selection, clock::now);
        pass.readings.first().unwrap_or_else(|| panic!("{} can't be read", self.interface)).counters
    }
}

/// What `to` receives from `from` over TCP, in bit/s, by the counters of its interface.
fn rate(from: &End, to: &End) -> u64 {
    let (listens, listening) = mpsc::channel();
    thread::scope(|scope| {
        let receiver = scope.spawn(move || {
            to.namespace.enter(move || {
                let listener = TcpListener::bind((to.address, 0)).unwrap();
                // Before anything is sent: buffers take more than is read of them.
                let before = to.counters();
                listens.send(listener.local_addr().unwrap()).unwrap();
                let (mut stream, _) = listener.accept().unwrap();
                let mut block = vec![0; 64 << 10];
                let mut taken = 0;
                while taken < OCTETS {
                    let n = stream.read(&mut block).unwrap();
                    assert!(n > 0, "the sender ended after {taken} octets");
                    taken += n;
                }
                (before, to.counters())
            })
        });
        from.namespace.enter(move || {
            let mut stream = TcpStream::connect(listening.recv().unwrap()).unwrap();
            let block = vec![0x95; 64 << 10];
            // Until the receiver has enough, and closes.
            while stream.write_all(&block).is_ok() {}
        });
        let (before, after) = receiver.join().unwrap();
        let ms = u64::try_from(after.time.ms_since(before.time)).unwrap().max(1);
        (after.rx_octets - before.rx_octets) * 8_000 / ms
    })
}

/// A demo that goes on until it is dropped, and where it answers.
pub(crate) struct Demo {
    child: Child,
    url: String,
    /// What it printed before it was live.
    pub(crate) said: Vec<String>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Demo {
    pub(crate) fn start(data_dir: &Path, options: &[&str]) -> Self {
        let mut command = support::meter95(data_dir);
        command.args(["demo", "--servers", "10", "--listen", "127.0.0.1:0"]).args(options);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let url = lines.find_map(|line| {
            let url =
                line.trim().strip_prefix("Open ").and_then(|open| Some(open.split(' ').next()?.to_owned()));
            said.push(line);
            url
        });
        let url = url.expect("the demo ended before it was live");
        // What it prints later is nobody's, but must not end it.
        thread::spawn(move || lines.for_each(drop));
        Self { child, url, said }
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        let answer = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status}: {text}");
        text
    }

    async fn act(&self, case: u64, action: &str) {
        let url = format!("{}/v1/cases/{case}/{action}", self.url);
        let body = json!({ "by": "alice", "why": "somebody else sends from it" });
        let request = reqwest::Client::new().post(url).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{action}: {}", answer.text().await.unwrap());
    }

    /// The recommendations, when there is one for each rule that can hold by now.
    async fn recommended(&self) -> Vec<Value> {
        let since = Instant::now();
        let rules_now = if month_h() < LOCKED_IN_H { Rule::ALL.len() - 1 } else { Rule::ALL.len() };
        let mut looks = tokio::time::interval(Duration::from_millis(200));
        loop {
            looks.tick().await;
            let answer: Value = serde_json::from_str(&self.get("/v1/recommendations").await).unwrap();
            let cases = answer["recommendations"].as_array().unwrap().clone();
            let found: BTreeSet<&str> = cases.iter().flat_map(rules).collect();
            if found.len() >= rules_now {
                return cases;
            }
            assert!(since.elapsed() < PATIENCE, "cases by {found:?} only: {cases:#?}");
        }
    }
}

/// How old the demo's month is, in h.
fn month_h() -> i64 {
    let (now, tokyo) = (clock::now(), jiff::tz::TimeZone::get("Asia/Tokyo").unwrap());
    let month = Month::of(now, &tokyo).unwrap();
    now.ms_since(month.span(&tokyo).0) / 3_600_000
}

/// The rules by which a case was recommended.
fn rules(case: &Value) -> impl Iterator<Item = &str> {
    case["recommendation"]["rules"].as_array().unwrap().iter().map(|rule| rule["rule"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_has_a_case_of_each_rule_and_what_it_prints_limits_a_port() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (store, data_dir) = support::store_and_dir("limit").await;
    store.close().await.unwrap();
    let demo = Demo::start(&data_dir, &["--past", "month"]);
    let cases = demo.recommended().await;
    let flood = cases.iter().find(|case| rules(case).eq(["flood"])).expect("one that only floods");
    let case = flood["case"].as_u64().unwrap();
    let cap = flood["recommendation"]["cap"]["cap_bps"].as_u64().unwrap();
    assert!((40_000_000..50_000_000).contains(&cap), "80,000 packets a second of 70 octets: {cap}");
    // A flood may be limited before the customer is told.
    demo.act(case, "approve").await;
    let configuration = demo.get(&format!("/v1/cases/{case}/snippet?for=tc&interface=port1")).await;
    let lift = demo.get(&format!("/v1/cases/{case}/snippet?for=tc&interface=port1&lift=true")).await;
    drop(demo);

    let rates = tokio::task::spawn_blocking(move || {
        let wire = Wire::new();
        let before = wire.rates();
        wire.switch.configure(&configuration);
        // What can be repeated, is.
        wire.switch.configure(&configuration);
        let limited = wire.rates();
        wire.switch.configure(&lift);
        (before, limited, wire.rates())
    });
    let (before, limited, after) = rates.await.unwrap();
    for rates in [before, after] {
        assert!(rates.iter().all(|rate| *rate > 5 * cap), "{rates:?} bit/s without the limit of {cap}");
    }
    for rate in limited {
        let percent = rate * 100 / cap;
        assert!((90..=110).contains(&percent), "{limited:?} bit/s with a limit of {cap}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_has_a_closed_month_to_look_at_and_needs_no_switches() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (store, data_dir) = support::store_and_dir("demo-still").await;
    store.close().await.unwrap();
    let demo = Demo::start(&data_dir, &["--no-collect", "--past", "last-month"]);
    let closed = demo.said.iter().find(|line| line.contains(" is closed: ")).expect("what was closed");
    // The newest server is of this month or of the one before; what was not read for three days waits for a person.
    assert!(
        [8, 9]
            .map(|n| format!(": {n} statements issued, 1 held for review."))
            .iter()
            .any(|end| closed.ends_with(end))
    );
    let period = closed.split(' ').next().unwrap();
    let answer = demo.get(&format!("/v1/periods/{period}/statements")).await;
    let statements: Value = serde_json::from_str(&answer).unwrap();
    let states =
        statements["statements"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap());
    assert_eq!(states.filter(|state| *state == "held").count(), 1, "{statements}");
    let usage: Value = serde_json::from_str(&demo.get("/v1/usage").await).unwrap();
    assert_eq!(usage["servers"].as_array().unwrap().len(), 10, "{usage}");
    let devices: Value = serde_json::from_str(&demo.get("/v1/devices").await).unwrap();
    assert!(!devices["devices"].as_array().unwrap().is_empty(), "{devices}");
}

#[test]
fn a_demo_of_another_size_or_past_is_refused() {
    let data_dir = std::env::temp_dir();
    for (options, says) in [
        (
            &["--servers", "9"][..],
            "--servers 9: the site can have 10 to 5000; with --no-collect more can be shown",
        ),
        (&["--servers", "5001"], "--servers 5001: the site can have 10 to 5000; with --no-collect"),
        (&["--servers", "100001", "--no-collect"], "--servers 100001: the site can have 10 to 100000"),
        (&["--past", "1w"], "\"1w\" is no past: say 90m, 1h or 2d, month or last-month"),
    ] {
        let output = support::meter95(&data_dir).arg("demo").args(options).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(says), "{options:?}: {error}");
    }
}
