//! Server-sent events: what changes is told to whoever listens, by name alone, until they are not known any more or the
//! service stops.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, Request, header};
use futures::StreamExt;
use meter95::access::token::{Minted, Token, mint};
use meter95::access::{Limit, Role};
use meter95::aggregator::intake::{Intake, Queue};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::alerts::alert::{Alert, AlertKind, Severity};
use meter95::api::{self, App};
use meter95::closing::desk::{Desk, Word};
use meter95::closing::exclusions::Declared;
use meter95::collectors::CollectorName;
use meter95::collectors::said::Said;
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::inventory::instant::Instant;
use meter95::metering::throttle::Rule;
use meter95::throttle::desk::{Cases, Observation};
use meter95_reading::{Counters, PortKey, Reading, Timestamp, Width};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::cases::recommendation;
use crate::support;

/// 2026-11-26T03:00:00+09:00.
const NOW: Timestamp = Timestamp(1_795_629_600_000);

/// How long anything may take that is waited for.
const SOON: Duration = Duration::from_secs(20);

/// The service and its streams end well before what it would give answers that are under way.
const AT_ONCE: Duration = Duration::from_secs(5);

const INVENTORY: &str = r#"
[[plans]]
id = "jp"

[[servers]]
id = "web01"
customer = "c001"
region = "tokyo"
plan = "jp"
ports = [{ device = "sw1", interface = "ge-1" }]
"#;

fn now() -> Timestamp {
    NOW
}

/// An API on a store of its own, of which each part is moved by hand.
struct Site {
    app: App,
    router: Router,
    pipeline: Pipeline,
    dir: PathBuf,
    _queue: Queue,
}

/// A stream of events.
struct Listening {
    headers: HeaderMap,
    body: BodyDataStream,
    text: String,
}

impl Site {
    async fn new(name: &str) -> Self {
        let (store, dir) = support::store_and_dir(name).await;
        let document: Document = toml::from_str(INVENTORY).unwrap();
        store.put_inventory(&changes(&Document::default(), &document), 1, NOW, "test").await.unwrap();
        let pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Machine(NOW)).await.unwrap();
        let (intake, queue) = Intake::new();
        let app = support::app(&store, &dir, pipeline.live(), intake, now).await;
        Self { router: api::router(app.clone()), app, pipeline, dir, _queue: queue }
    }

    /// Makes a token that is known at once.
    async fn token(&self, name: &str, role: Role, limit: Limit) -> (Minted, Token) {
        let minted = mint();
        let token = Token {
            id: minted.id.clone(),
            name: name.to_owned(),
            proof: minted.proof.clone(),
            role,
            limit,
            collector: None,
            created_at: NOW,
            created_by: "test".to_owned(),
            expires_at: None,
            revoked: None,
        };
        self.put(&token).await;
        (minted, token)
    }

    async fn put(&self, token: &Token) {
        self.app.store.put_token(token).await.unwrap();
        self.app.access.registry.refresh().await.unwrap();
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> axum::response::Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
    }

    /// Begins to listen, and hears that it does.
    async fn listen(&self, headers: &[(&str, &str)]) -> Listening {
        let (head, body) = self.ask("GET", "/v1/events", headers, "").await.into_parts();
        assert_eq!(head.status, 200);
        let mut listening =
            Listening { headers: head.headers, body: body.into_data_stream(), text: String::new() };
        let hello = listening.next().await;
        assert_eq!(hello, Some(("hello".to_owned(), json!({ "version": env!("CARGO_PKG_VERSION") }))));
        listening
    }
}

impl Listening {
    /// The next event and its data; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let fields = event.lines().filter_map(|line| line.split_once(": "));
                let fields: BTreeMap<&str, &str> = fields.collect();
                let found = (fields["event"].to_owned(), serde_json::from_str(fields["data"]).unwrap());
                self.text = rest.to_owned();
                return Some(found);
            }
            let piece = tokio::time::timeout(SOON, self.body.next()).await.expect("nothing comes");
            self.text += std::str::from_utf8(&piece?.unwrap()).unwrap();
        }
    }

    /// What is said to have changed in this and the next events, until all of `topics` were.
    async fn hears(&mut self, topics: &[&str]) -> BTreeSet<String> {
        let mut heard = BTreeSet::new();
        while !topics.iter().all(|topic| heard.contains(*topic)) {
            let (event, data) = self.next().await.unwrap();
            assert_eq!(
                (event.as_str(), &data["as_of"]),
                ("changed", &json!("2026-11-25T18:00:00Z")),
                "{data}"
            );
            assert_eq!(data.as_object().unwrap().len(), 2, "no figures and no names: {data}");
            let of = data["of"].as_array().unwrap();
            assert!(!of.is_empty());
            heard.extend(of.iter().map(|topic| topic.as_str().unwrap().to_owned()));
        }
        heard
    }
}

fn bearer(minted: &Minted) -> String {
    format!("Bearer {}", minted.token.expose())
}

fn word(reason: &str) -> Word {
    Word { by: "alice".to_owned(), now: NOW, reason: reason.to_owned() }
}

fn reading(time: Timestamp, octets: u64) -> Reading {
    let counters = Counters {
        time,
        rx_octets: octets,
        tx_octets: octets,
        rx_packets: None,
        tx_packets: None,
        width: Width::Bits64,
        speed_bps: None,
        uptime_cs: None,
        discontinuity_cs: None,
    };
    Reading { port: PortKey::new("sw1", "ge-1").unwrap(), counters }
}

fn declared(hour: i64) -> Declared {
    let from = NOW.plus_ms(-hour * 3_600_000);
    let until = Instant(from.plus_ms(3_600_000));
    Declared { server: "web01".to_owned(), from: Instant(from), until }
}

fn topics(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn what_changes_is_told_by_name() {
    let mut site = Site::new("events").await;
    let mut listening = site.listen(&[("accept-encoding", "gzip, zstd")]).await;
    let headers = &listening.headers;
    assert_eq!(headers[header::CONTENT_TYPE], "text/event-stream");
    assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("default-src 'none'"));
    assert_eq!((headers.get(header::CONTENT_ENCODING), headers.get(header::ETAG)), (None, None));

    // The first reading closes nothing yet.
    site.pipeline.take(vec![vec![reading(NOW.plus_ms(-600_000), 0)]]).await;
    assert_eq!(listening.hears(&["uplinks", "devices"]).await, topics(&["uplinks", "devices"]));
    site.pipeline.take(vec![vec![reading(NOW.plus_ms(-300_000), 5_000_000)]]).await;
    let heard = listening.hears(&["usage"]).await;
    assert!(heard.is_subset(&topics(&["usage", "uplinks", "devices"])), "{heard:?}");

    let slot = Instant(NOW.plus_ms(-300_000));
    let opens = Observation::Opens { slot, recommendation: recommendation("web01", Rule::Sustained) };
    let opened = site.app.cases.observe(vec![opens], NOW).await.unwrap().pop().unwrap().unwrap();
    let said = Said {
        name: CollectorName::new("tokyo-1").unwrap(),
        unsent: 0,
        oldest_unsent: None,
        stopping: false,
    };
    site.app.collectors.take(said.clone(), NOW).await.unwrap();
    let alert = Alert {
        key: "sw1".to_owned(),
        kind: AlertKind::DeviceSilent,
        severity: Severity::Warning,
        labels: BTreeMap::new(),
        summary: "sw1 is silent".to_owned(),
        details: Value::Null,
    };
    site.app.alerts.board.set("devices", vec![alert.clone()], NOW).await.unwrap();
    site.app.desk.exclude(&declared(4), &word("a switch failed")).await.unwrap();
    let heard = listening.hears(&["cases", "collectors", "alerts", "periods"]).await;
    assert!(!heard.contains("inventory"), "{heard:?}");

    let mut document: Document = toml::from_str(INVENTORY).unwrap();
    let before = document.clone();
    document.servers[0].region = "osaka".to_owned();
    site.app.store.put_inventory(&changes(&before, &document), 2, NOW, "test").await.unwrap();
    assert!(site.pipeline.reload_inventory().await.unwrap());
    listening.hears(&["inventory", "usage", "uplinks", "devices"]).await;

    // What stays as it was is no change: an alert that was raised before, a trail and an inventory that were read before.
    let mut late = site.listen(&[]).await;
    site.app.alerts.board.set("devices", vec![alert], NOW).await.unwrap();
    site.app.desk.trail().await.unwrap();
    assert!(!site.pipeline.reload_inventory().await.unwrap());
    site.pipeline.tick(NOW).await.unwrap();
    site.app.collectors.take(said, NOW).await.unwrap();
    assert_eq!(late.hears(&["collectors"]).await, topics(&["collectors"]));

    // What another process does is told with the next look: a step of a case, and an act of closing.
    let elsewhere = Cases::new(site.app.store.clone(), &site.dir);
    elsewhere.note(opened.id, &word("seen")).await.unwrap();
    site.app.cases.list(&Default::default()).await.unwrap();
    let elsewhere = Desk::new(site.app.store.clone(), &site.dir, Times::default());
    elsewhere.exclude(&declared(9), &word("another switch failed")).await.unwrap();
    site.app.desk.trail().await.unwrap();
    let heard = late.hears(&["cases", "periods"]).await;
    assert!(heard.is_subset(&topics(&["cases", "periods", "collectors"])), "{heard:?}");
}

#[tokio::test]
async fn who_is_not_known_any_more_hears_no_more() {
    let site = Site::new("events-known").await;
    // Everybody on this machine, until there is a token.
    let mut anyone = site.listen(&[]).await;
    let (viewer, token) = site.token("viewer", Role::Viewer, Limit::default()).await;
    let limit = Limit { customer: Some("c001".to_owned()), region: None };
    let (limited, _) = site.token("limited", Role::Collector, limit).await;
    let mut by_token = site.listen(&[("authorization", &bearer(&viewer))]).await;
    let mut by_limited = site.listen(&[("authorization", &bearer(&limited))]).await;
    let login = json!({ "token": viewer.token.expose() }).to_string();
    let in_json = ("content-type", "application/json");
    let mut by_session = Vec::new();
    let mut cookies = Vec::new();
    for _ in 0..2 {
        let answer = site.ask("POST", "/v1/session", &[in_json], &login).await;
        let cookie =
            answer.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        by_session.push(site.listen(&[("cookie", &cookie)]).await);
        cookies.push(cookie);
    }
    assert_eq!(site.ask("GET", "/v1/events", &[], "").await.status(), 401);
    assert_eq!(anyone.next().await, None);

    let here = [("cookie", cookies[0].as_str()), ("host", "here"), ("origin", "http://here")];
    assert_eq!(site.ask("DELETE", "/v1/session", &here, "").await.status(), 204);
    assert_eq!(by_session.remove(0).next().await, None, "logged out");
    site.put(&Token { revoked: Some((NOW, "alice".to_owned())), ..token }).await;
    assert_eq!(by_token.next().await, None, "revoked");
    assert_eq!(by_session.remove(0).next().await, None, "what was begun with it ends with it");
    // The others go on.
    site.app.desk.exclude(&declared(4), &word("a switch failed")).await.unwrap();
    assert_eq!(by_limited.hears(&["periods"]).await, topics(&["periods"]));
}

#[tokio::test]
async fn there_is_an_end_to_how_many_listen() {
    let site = Site::new("events-limit").await;
    let mut listening = Vec::new();
    for _ in 0..32 {
        listening.push(site.listen(&[]).await);
    }
    let refused = site.ask("GET", "/v1/events", &[], "").await;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()[header::RETRY_AFTER]),
        (429, &"60".parse().unwrap())
    );
    assert_eq!(refused.headers()[header::CONTENT_TYPE], "application/problem+json");
    let body = axum::body::to_bytes(refused.into_body(), usize::MAX).await.unwrap();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert!(
        problem["detail"].as_str().unwrap().contains("32 streams of events are open by this token"),
        "{problem}"
    );
    // A request for anything else is answered meanwhile, and whoever goes away makes room.
    assert_eq!(site.ask("GET", "/v1/usage", &[], "").await.status(), 200);
    assert_eq!(site.ask("GET", "/v1/events?of=usage", &[], "").await.status(), 400);
    listening.pop();
    site.listen(&[]).await;
}

#[tokio::test]
async fn the_service_does_not_wait_for_who_listens() {
    let site = Site::new("events-stop").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(api::serve(listener, site.app.clone(), stop.clone()));
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains("event: hello") {
        let read = tokio::time::timeout(SOON, connection.read_buf(&mut text)).await.expect("nothing comes");
        assert_ne!(read.unwrap(), 0, "{}", String::from_utf8_lossy(&text));
    }
    stop.cancel();
    let ended = tokio::time::timeout(AT_ONCE, serving).await.expect("it waits for the stream");
    ended.unwrap().unwrap();
    connection.read_to_end(&mut text).await.unwrap();
    assert!(String::from_utf8_lossy(&text).ends_with("0\r\n\r\n"), "the stream has its end");
}
