//! The HTTP API without a socket, on the real store: what is posted comes back as figures, and what can't be is
//! refused in words.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::io::{Read, Write};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use meter95::aggregator::intake::{self, Intake, Queue};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::aggregator::vitals::Skew;
use meter95::api::{self, App};
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::store::connection::Store;
use meter95_reading::Timestamp;
use metrics_exporter_prometheus::PrometheusBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support;

/// 2026-11-21T01:10:00Z, when all of this happens.
const NOW: Timestamp = Timestamp(1_795_223_400_000);

/// 2026-11-01T00:00:00+09:00, when the month begins in Tokyo.
const NOVEMBER: i64 = 1_793_458_800_000;

const SLOT_MS: i64 = 300_000;

const INVENTORY: &str = r#"
[[plans]]
id = "jp"
allowance_bps = 1000000
price_per_mbps = "900"
currency = "JPY"

[[servers]]
id = "web01"
customer = "c001"
region = "tokyo"
plan = "jp"
addons = [
  { bps = 2000000, from = "2026-11-01T00:10:00+09:00", until = "2026-11-01T00:20:00+09:00" },
  { bps = 500000, from = "2026-11-20T00:00:00+09:00" },
]
ports = [{ device = "sw1", interface = "ge-0/0/1", speed_bps = 1000000000 }]

[[servers]]
id = "web/02"
plan = "jp"
service_start = "2026-11-10T00:00:00+09:00"
ports = [{ device = "web02", interface = "eth0", kind = "nic" }]
"#;

fn now() -> Timestamp {
    NOW
}

/// A service on a store.
struct Service {
    router: Router,
    stop: CancellationToken,
    pipeline: tokio::task::JoinHandle<()>,
}

impl Service {
    /// On the database of the test `name`, with the inventory above.
    async fn new(name: &str) -> Self {
        let store = stocked(name).await;
        Self::on(store).await
    }

    async fn on(store: Store) -> Self {
        let (app, pipeline, queue) = parts(store).await;
        let router = api::router(app);
        let stop = CancellationToken::new();
        let run = intake::run(pipeline, queue, now, stop.clone());
        let pipeline = tokio::spawn(async move { run.await.unwrap() });
        Self { router, stop, pipeline }
    }

    /// Stops in order: everything is stored then.
    async fn stop(self) {
        self.stop.cancel();
        self.pipeline.await.unwrap();
    }

    async fn get(&self, uri: &str) -> Answer {
        ask(&self.router, Request::get(uri).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, body: impl Into<Body>, encoding: &str) -> Answer {
        post(&self.router, body, encoding).await
    }
}

async fn stocked(name: &str) -> Store {
    let store = support::store(name).await;
    let document: Document = toml::from_str(INVENTORY).unwrap();
    let changes = changes(&Document::default(), &document);
    store.put_inventory(&changes, 1, NOW, "test").await.unwrap();
    store
}

async fn parts(store: Store) -> (App, Pipeline, Queue) {
    let times = Times::default();
    let pipeline = Pipeline::open(store.clone(), times, Clock::Machine(NOW)).await.unwrap();
    let (intake, queue) = Intake::new();
    let app = support::app(&store, &std::env::temp_dir(), pipeline.live(), intake, now).await;
    (app, pipeline, queue)
}

/// An answer, complete.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(&name).map_or("", |value| value.to_str().unwrap())
    }

    fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// A refusal with this status, in the form of RFC 9457.
    fn refused(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["title"], self.status.canonical_reason().unwrap());
        problem
    }
}

async fn ask(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: head.status, headers: head.headers, body }
}

async fn post(router: &Router, body: impl Into<Body>, encoding: &str) -> Answer {
    let request = Request::post("/v1/readings").header(header::CONTENT_ENCODING, encoding);
    ask(router, request.body(body.into()).unwrap()).await
}

/// A line a slot of web01's port from `start` on, each `in_bps` and half as much out over the one before.
fn lines(start: i64, slots: i64, in_bps: i64) -> String {
    let octets = in_bps * SLOT_MS / 8_000;
    let line = |slot: i64| {
        let (time, tx, rx) = (start + slot * SLOT_MS, slot * octets, slot * octets / 2);
        format!(r#"{{"device":"sw1","interface":"ge-0/0/1","time":{time},"rx":{rx},"tx":{tx}}}"#) + "\n"
    };
    (0..=slots).map(line).collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

fn sample(slot: &str, in_bps: u64) -> Value {
    json!({
        "slot": slot, "in_bps": in_bps, "out_bps": in_bps / 2, "value_bps": in_bps, "partial": false, "revision": 1,
    })
}

#[tokio::test]
async fn readings_come_back_as_figures() {
    let store = stocked("figures").await;
    let service = Service::on(store.clone()).await;
    // Around the month's beginning, as a collector ships them that catches up, and up to now.
    let late = lines(NOVEMBER - 2 * SLOT_MS, 4, 2_000_000);
    let newest = lines(NOW.0 - 2 * SLOT_MS, 2, 3_000_000);
    let counts = service.post(late + &newest, "identity").await.ok();
    assert_eq!(counts, json!({"taken": 8, "stale": 0, "refused": 0, "errors": []}));

    // At once, out of memory.
    let usage = service.get("/v1/usage").await.ok();
    assert_eq!(usage, service.get("/v1/usage?period=2026-11").await.ok());
    assert_eq!(usage["period"], "2026-11");
    assert_eq!(usage["timezone"], "Asia/Tokyo");
    assert_eq!(usage["as_of"], "2026-11-21T01:10:00Z");
    let web01 = &usage["servers"][1];
    assert_eq!(web01["server"], "web01");
    assert_eq!(web01["samples"], 4);
    assert_eq!(web01["allowance_bps"], 1_500_000);
    assert_eq!(web01["burst_left_slots"], 428);
    assert_eq!(web01["last"]["slot"], "2026-11-21T01:05:00Z");
    let one = service.get("/v1/usage?server=web01").await.ok();
    assert_eq!(one["servers"], json!([web01]));
    let hour = format!("/v1/servers/web01/samples?from=2026-11-21T00:10:00Z&until={NOW}");
    let in_memory = service.get(&hour).await.ok();
    let now = [sample("2026-11-21T01:00:00Z", 3_000_000), sample("2026-11-21T01:05:00Z", 3_000_000)];
    assert_eq!(in_memory["samples"], json!(now));
    service.stop().await;

    // Again, after everything has gone through the store.
    let service = Service::on(store).await;
    let mut recovered = service.get("/v1/usage").await.ok();
    // Which sample was the newest is only known again when the next slot closes.
    recovered["servers"][1]["last"] = web01["last"].clone();
    assert_eq!(recovered["servers"][1], *web01);
    assert_eq!(service.get(&hour).await.ok(), in_memory);
    let samples = service.get("/v1/servers/web01/samples?period=2026-11").await.ok();
    let begin = [sample("2026-10-31T15:00:00Z", 2_000_000), sample("2026-10-31T15:05:00Z", 2_000_000)];
    assert_eq!(
        samples,
        json!({
            "server": "web01", "from": "2026-10-31T15:00:00Z", "until": "2026-11-30T15:00:00Z", "slot_s": 300,
            "allowances": [
                {"from": "2026-10-31T15:00:00Z", "bps": 1_000_000},
                {"from": "2026-10-31T15:10:00Z", "bps": 3_000_000},
                {"from": "2026-10-31T15:20:00Z", "bps": 1_000_000},
                {"from": "2026-11-19T15:00:00Z", "bps": 1_500_000},
            ],
            "samples": [&begin[0], &begin[1], &now[0], &now[1]],
        })
    );
    assert_eq!(service.get("/v1/servers/web01/samples").await.ok(), samples);
    let over = format!("from=2026-10-31T14:55:00Z&until={}", NOVEMBER + SLOT_MS);
    let over = service.get(&format!("/v1/servers/web01/samples?{over}")).await.ok();
    assert_eq!(over["samples"], json!([sample("2026-10-31T14:55:00Z", 2_000_000), begin[0]]));
    let october = service.get("/v1/usage?period=2026-10&server=web01").await.ok();
    let line = &october["servers"][0];
    assert_eq!(october["servers"].as_array().unwrap().len(), 1);
    assert_eq!((&line["samples"], &line["expected"]), (&json!(2), &json!(8_928)));
    assert_eq!((&line["p95_bps"], &line["amount"]), (&json!(0), &json!("0")));
    let all = service.get("/v1/usage?period=2026-10").await.ok();
    assert_eq!(&all["servers"][1], line);
    service.stop().await;
}

#[tokio::test]
async fn servers_are_listed_with_their_newest_readings() {
    let service = Service::new("servers").await;
    service.post(lines(NOVEMBER, 1, 1_000), "identity").await.ok();
    let servers = service.get("/v1/servers").await.ok();
    let ids: Vec<&Value> = servers["servers"].as_array().unwrap().iter().map(|s| &s["id"]).collect();
    assert_eq!(ids, ["web/02", "web01"]);
    let web01 = service.get("/v1/servers/web01").await.ok();
    assert_eq!(servers["servers"][1], web01);
    assert_eq!(
        web01,
        json!({
            "id": "web01", "customer": "c001", "region": "tokyo", "plan": "jp", "allowance_bps": 1_500_000,
            "service_start": null, "service_end": null,
            "addons": [
                {"bps": 2_000_000, "from": "2026-10-31T15:10:00Z", "until": "2026-10-31T15:20:00Z"},
                {"bps": 500_000, "from": "2026-11-19T15:00:00Z", "until": null},
            ],
            "ports": [{
                "device": "sw1", "interface": "ge-0/0/1", "kind": "switch", "speed_bps": 1_000_000_000,
                "check_only": false, "from": null, "until": null, "last_reading": "2026-10-31T15:05:00Z",
            }],
        })
    );
    let other = service.get("/v1/servers/web%2F02").await.ok();
    assert_eq!(other["service_start"], "2026-11-09T15:00:00Z");
    assert_eq!(other["ports"][0]["last_reading"], Value::Null);
    let none = service.get("/v1/servers/web%2F02/samples").await.ok();
    assert_eq!(none["samples"], json!([]));
    service.stop().await;
}

#[tokio::test]
async fn what_is_refused_and_whose_clock_is_ahead_is_remembered() {
    let (app, pipeline, queue) = parts(stocked("vitals").await).await;
    let (live, router, stop) = (app.live.clone(), api::router(app), CancellationToken::new());
    let run = intake::run(pipeline, queue, now, stop.clone());
    let running = tokio::spawn(async move { run.await.unwrap() });
    let line = |device: &str, ahead_ms: i64| {
        let time = NOW.0 + ahead_ms;
        format!(r#"{{"device":"{device}","interface":"x","time":{time},"rx":1,"tx":1}}"#) + "\n"
    };
    let counts = post(&router, line("sw1", 0) + "{\n" + &line("sw2", 900), "identity").await.ok();
    assert_eq!((&counts["taken"], &counts["refused"]), (&json!(2), &json!(1)));
    let report = live.vitals().report(NOW);
    assert_eq!((report.taken, report.stale, report.refused, report.behind), (2, 0, 1, None));
    let refusal = report.refusal.unwrap();
    assert_eq!((refusal.at, refusal.from.as_str()), (NOW, "a request without a collector's name"));
    assert!(refusal.says.starts_with("line 2: EOF while parsing"), "{refusal:?}");
    assert_eq!(report.skew, Some(Skew { device: "sw2".to_owned(), ahead_ms: 900 }));

    // One that is too far ahead to be taken tells of its clock as well.
    let request =
        Request::post("/v1/readings").header("Meter95-Collector", "tokyo-1").header("Meter95-Unsent", "0");
    let answer = ask(&router, request.body(Body::from(line("sw3", 120_001))).unwrap()).await.ok();
    assert_eq!(answer["refused"], 1);
    let report = live.vitals().report(NOW);
    let refusal = report.refusal.unwrap();
    assert_eq!(refusal.from, "collector tokyo-1");
    assert!(refusal.says.ends_with("is 120 s ahead of this machine's clock"), "{refusal:?}");
    assert_eq!(report.skew, Some(Skew { device: "sw3".to_owned(), ahead_ms: 120_001 }));
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn packed_readings_are_taken_too() {
    let service = Service::new("packed").await;
    let text = lines(NOVEMBER, 9, 1_000);
    let counts = service.post(gzip(text.as_bytes()), "gzip").await.ok();
    assert_eq!(counts["taken"], 10);
    let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
    let counts = service.post(zstd, "zstd").await.ok();
    assert_eq!(counts, json!({"taken": 0, "stale": 10, "refused": 0, "errors": []}));
    let counts = service.post(Body::empty(), "identity").await.ok();
    assert_eq!(counts, json!({"taken": 0, "stale": 0, "refused": 0, "errors": []}));

    let other = service.post("", "br").await;
    assert!(other.refused(415)["detail"].as_str().unwrap().contains("\"br\""));
    assert_eq!(other.header(header::ACCEPT_ENCODING), "gzip, zstd");
    let mut short = gzip(lines(NOVEMBER + 100 * SLOT_MS, 9, 1_000).as_bytes());
    short.pop();
    let problem = service.post(short, "gzip").await.refused(400);
    assert_eq!(problem["taken"], 0);
    service.post(text, "zstd").await.refused(400);
    service.stop().await;
}

#[tokio::test]
async fn bad_lines_are_named_and_cost_no_other() {
    let service = Service::new("bad_lines").await;
    let ahead = NOW.plus_ms(intake::AHEAD_MS_MAX + 1);
    let bad = [
        "{".to_owned(),
        format!(r#"{{"device":"sw1","interface":"a","time":{ahead},"rx":1,"tx":1}}"#),
        r#"{"device":"sw1","interface":"a","time":1,"rx":1,"tx":1,"colour":1}"#.to_owned(),
        "x".repeat(10_000),
    ];
    let good = lines(NOVEMBER, 199, 1_000);
    let mixed: String =
        good.lines().zip(bad.iter().cycle()).map(|(g, b)| format!("{g}\n{b}\r\n\n")).collect();
    let counts = service.post(mixed, "identity").await.ok();
    assert_eq!((&counts["taken"], &counts["refused"]), (&json!(200), &json!(200)));
    let errors = counts["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 100);
    let says =
        ["EOF while parsing", "ahead of this machine's clock", "unknown field `colour`", "longer than 8192"];
    for ((error, says), line) in errors.iter().zip(says.into_iter().cycle()).zip((2_u64..).step_by(3)) {
        assert_eq!(error["line"], line);
        assert!(error["says"].as_str().unwrap().contains(says), "{error}");
    }
    service.stop().await;
}

#[tokio::test]
async fn bodies_have_an_end() {
    let service = Service::new("too_big").await;
    let mib = |n: u64| n << 20;
    let claims = Request::post("/v1/readings").header(header::CONTENT_LENGTH, mib(33));
    let answer = ask(&service.router, claims.body(Body::empty()).unwrap()).await;
    assert!(answer.refused(413)["detail"].as_str().unwrap().contains("32 MiB"));

    // A lot fits before the limit; what was taken is told.
    let mut long = lines(NOVEMBER - 25_000 * SLOT_MS, 25_000, 1_000).into_bytes();
    long.resize(usize::try_from(mib(33)).unwrap(), b'\n');
    let pieces: Vec<std::io::Result<Vec<u8>>> =
        long.chunks(1 << 16).map(|piece| Ok(piece.to_vec())).collect();
    let stream = Body::from_stream(futures::stream::iter(pieces));
    let problem = service.post(stream, "identity").await.refused(413);
    assert!((20_000..25_000).contains(&problem["taken"].as_u64().unwrap()), "{problem}");

    let bomb = zstd::encode_all(std::io::repeat(b' ').take(mib(257)), 1).unwrap();
    assert!(bomb.len() < 1 << 20);
    let problem = service.post(bomb, "zstd").await.refused(413);
    assert!(problem["detail"].as_str().unwrap().contains("256 MiB"), "{problem}");
    service.stop().await;
}

#[tokio::test]
async fn a_full_intake_sends_readings_back() {
    let (app, _pipeline, queue) = parts(stocked("busy").await).await;
    let (router, intake) = (api::router(app.clone()), app.intake);
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let intake = intake.clone();
        waiting.spawn(async move { intake.try_submit(Vec::new()).await });
    }
    // The first to be answered has found no place: nobody empties the queue.
    assert!(waiting.join_next().await.unwrap().unwrap().is_err());
    let answer = post(&router, lines(NOVEMBER, 2, 1_000), "identity").await;
    assert_eq!(answer.refused(429)["taken"], 0);
    assert_eq!(answer.header(header::RETRY_AFTER), "2");

    drop(queue);
    let answer = post(&router, lines(NOVEMBER, 2, 1_000), "identity").await;
    assert!(answer.refused(503)["detail"].as_str().unwrap().contains("stopping"));
    let ready = ask(&router, Request::get("/readyz").body(Body::empty()).unwrap()).await;
    assert!(ready.refused(503)["detail"].as_str().unwrap().contains("stopping"));
}

#[tokio::test]
async fn refusals_name_what_is_wrong() {
    let service = Service::new("refusals").await;
    let long = "9".repeat(300);
    for (method, uri, status, field, says) in [
        ("GET", "/v1/usage?period=2026-13", 400, "period", "\"2026-13\" is not a billing period"),
        ("GET", "/v1/usage?period=", 400, "period", "\"\" is not a billing period"),
        ("GET", "/v1/usage?perid=2026-11", 400, "perid", "this takes period, server, region"),
        ("GET", "/v1/usage?period=2026-11&period=2026-10", 400, "period", "given twice"),
        ("GET", "/v1/usage?server=web99", 404, "", "no server \"web99\""),
        ("GET", "/v1/servers?x=1", 400, "x", "this takes region, customer, plan, q, limit, cursor"),
        ("GET", "/v1/servers/web99", 404, "", "no server \"web99\""),
        ("GET", "/v1/servers/web99/samples", 404, "", "no server \"web99\""),
        ("GET", "/v1/servers/%ff", 400, "path", "UTF-8"),
        (
            "GET",
            "/v1/servers/web01/samples?from=yesterday&until=1",
            400,
            "from",
            "\"yesterday\" is not an instant",
        ),
        (
            "GET",
            "/v1/servers/web01/samples?from=2026-10-01T00:00:00+09:00&until=1",
            400,
            "from",
            "written %2B",
        ),
        ("GET", "/v1/servers/web01/samples?from=1", 400, "until", "from goes together with until"),
        ("GET", "/v1/servers/web01/samples?until=1", 400, "from", "until goes together with from"),
        ("GET", "/v1/servers/web01/samples?from=2&until=2", 400, "until", "is not after from"),
        ("GET", "/v1/servers/web01/samples?from=0&until=8035200001", 400, "until", "longer than 93 days"),
        ("GET", "/v1/servers/web01/samples?period=2026-11&from=1", 400, "period", "either period, or from"),
        ("GET", &format!("/v1/usage?period={long}"), 400, "period", "longer than 255 characters"),
        ("POST", "/v1/readings?x=1", 400, "x", "this takes none"),
        ("GET", "/v1", 404, "", "nothing at /v1"),
        ("GET", "/v1/servers/", 404, "", "nothing at"),
        ("GET", "/../Cargo.toml", 404, "", "nothing at"),
        ("POST", "/nowhere", 404, "", "nothing at /nowhere"),
        ("GET", "/v1/readings", 405, "", "GET can't be used on /v1/readings"),
        ("DELETE", "/v1/servers/web01", 405, "", "DELETE can't be used"),
        ("POST", "/", 405, "", "POST can't be used on /"),
        ("GET", "/v1/collectors?x=1", 400, "x", "this takes none"),
        ("GET", "/metrics", 404, "", "records no metrics"),
    ] {
        let request = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
        let answer = ask(&service.router, request).await;
        let problem = answer.refused(status);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{method} {uri}: {detail}");
        assert!(detail.len() < 400, "{method} {uri}: {detail}");
        assert_eq!(problem.get("field").map_or("", |f| f.as_str().unwrap()), field, "{method} {uri}");
        assert_eq!(status == 405, answer.headers.contains_key(header::ALLOW), "{method} {uri}");
    }
    service.stop().await;
}

#[tokio::test]
async fn every_answer_tells_browsers_what_they_may() {
    let service = Service::new("headers").await;
    for uri in ["/", "/nothing", "/v1/usage", "/v1/usage?x", "/healthz", "/readyz"] {
        let answer = service.get(uri).await;
        let policy = answer.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{uri}: {policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{uri}: {policy}");
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{uri}");
        assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer", "{uri}");
        assert_ne!(answer.header(header::CACHE_CONTROL), "", "{uri}");
    }
    assert_eq!(service.get("/healthz").await.body, b"ok\n");
    assert_eq!(service.get("/readyz").await.status, StatusCode::OK);

    // Whether the dashboard was built or not.
    let page = service.get("/").await;
    let text = String::from_utf8(page.body.clone()).unwrap();
    match page.status {
        StatusCode::OK => assert_eq!(page.header(header::CACHE_CONTROL), "no-cache"),
        status => assert!(status == StatusCode::NOT_FOUND && text.contains("npm run build"), "{text}"),
    }

    let request = Request::get("/v1/usage").header(header::ACCEPT_ENCODING, "gzip");
    let packed = ask(&service.router, request.body(Body::empty()).unwrap()).await;
    assert_eq!(packed.header(header::CONTENT_ENCODING), "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_string(&mut text).unwrap();
    assert!(text.contains("\"web01\""));
    let head = Request::head("/v1/usage").body(Body::empty()).unwrap();
    let head = ask(&service.router, head).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    service.stop().await;
}

#[tokio::test]
async fn requests_are_counted_by_route() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let (mut app, _pipeline, _queue) = parts(stocked("metrics").await).await;
    app.metrics = Some(recorder.handle());
    let router = api::router(app);
    for (method, uri) in
        [("GET", "/v1/servers/web01"), ("GET", "/v1/servers/web99"), ("BREW", "/a"), ("GET", "/b")]
    {
        let request = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
        ask(&router, request).await;
    }
    let answer = ask(&router, Request::get("/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header(header::CONTENT_TYPE).starts_with("text/plain; version=0.0.4"));
    let text = String::from_utf8(answer.body).unwrap();
    for line in [
        r#"meter95_http_requests_total{route="/v1/servers/{id}",method="GET",status="200"} 1"#,
        r#"meter95_http_requests_total{route="/v1/servers/{id}",method="GET",status="404"} 1"#,
        r#"meter95_http_requests_total{route="other",method="other",status="404"} 1"#,
        r#"meter95_http_request_duration_seconds_count{route="other"} 2"#,
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn it_answers_on_a_socket_until_it_is_stopped() {
    let (app, _pipeline, _queue) = parts(stocked("socket").await).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(api::serve(listener, app, stop.clone()));
    let mut connection = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok\n") {
            assert_ne!(connection.read_buf(&mut answer).await.unwrap(), 0);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    // A connection that is idle does not keep it.
    stop.cancel();
    serving.await.unwrap().unwrap();
    assert_eq!(connection.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}

/// Values as they come by mistake or by intent.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,20}",
        "[0-9]{4}-[0-9]{2}",
        "-?[0-9]{1,20}",
        "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:00:00(Z|%2B09:00|-23:59)",
        Just("1970-01".to_owned()),
        Just("9998-12".to_owned()),
        Just("web01".to_owned()),
        Just("' OR 1=1 --%00".to_owned()),
        Just("%ff%fe".to_owned()),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let name =
        prop_oneof![Just("period"), Just("from"), Just("until"), Just("server"), Just("x%5B%5D"), Just("")];
    let field = (name, value()).prop_map(|(name, value)| format!("{name}={value}"));
    prop_oneof![proptest::collection::vec(field, 0..4).prop_map(|fields| fields.join("&")), "\\PC{0,40}"]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let good = lines(NOVEMBER, 3, 1_000).into_bytes();
    let packed = zstd::encode_all(&good[..], 3).unwrap();
    let damaged = |bytes: Vec<u8>| {
        let len = bytes.len();
        (Just(bytes), 0..len, any::<u8>(), 0..=len).prop_map(|(mut bytes, at, octet, until)| {
            bytes[at] = octet;
            bytes.truncate(until);
            bytes
        })
    };
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        damaged(gzip(&good)),
        damaged(packed),
        damaged(good),
    ]
}

#[test]
fn nothing_that_a_client_sends_is_the_services_fault() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let service = runtime.block_on(Service::new("hostile"));
    let fault = |answer: &Answer| answer.status.is_server_error();
    let cases = ProptestConfig::with_cases(300);
    proptest!(cases.clone(), |(query in query(), id in value())| {
        let encoded: String = query.chars().map(|c| if c == ' ' || c == '#' { '+' } else { c }).collect();
        for path in ["/v1/usage", "/v1/servers", "/v1/servers/web01/samples", &format!("/v1/servers/{id}/samples"), "/"] {
            let Ok(uri) = Uri::try_from(format!("{path}?{encoded}")) else { continue };
            let request = Request::builder().method(Method::GET).uri(uri).body(Body::empty()).unwrap();
            let answer = runtime.block_on(ask(&service.router, request));
            prop_assert!(!fault(&answer), "{path}?{encoded}: {answer:?}");
        }
    });
    proptest!(cases, |(body in body(), encoding in prop_oneof![Just("identity"), Just("gzip"), Just("zstd"), "[a-z, ]{0,9}".prop_map(|s| &*s.leak())])| {
        let answer = runtime.block_on(service.post(body, encoding));
        prop_assert!(!fault(&answer), "{encoding}: {answer:?}");
    });
    runtime.block_on(service.stop());
}
