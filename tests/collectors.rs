//! Collectors elsewhere: what each says with its readings, when that counts, and what is left of it after a restart.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn};
use meter95::aggregator::intake::{self, Intake, Queue};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api::{self, App};
use meter95::collectors::registry::{COLLECTORS_MAX, Collectors};
use meter95::collectors::said::{COLLECTOR, OLDEST_UNSENT, STOPPING, Said, UNSENT};
use meter95::collectors::{CollectorName, CollectorReport, holding_back};
use meter95::sources::ship::Shipper;
use meter95::store::connection::Store;
use meter95::store::load::Pending;
use meter95_reading::{Reading, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support;

/// 2026-11-21T01:10:00Z, when all of this happens.
const NOW: Timestamp = Timestamp(1_795_223_400_000);

/// Headers by name and value.
type Headers<'a> = &'a [(&'a str, &'a str)];

fn now() -> Timestamp {
    NOW
}

async fn parts(store: Store) -> (App, Pipeline, Queue) {
    let times = Times::default();
    let pipeline = Pipeline::open(store.clone(), times, Clock::Machine(NOW)).await.unwrap();
    let (intake, queue) = Intake::new();
    let app = support::app(&store, &std::env::temp_dir(), pipeline.live(), intake, now).await;
    (app, pipeline, queue)
}

/// Runs the pipeline until the token is cancelled.
fn run(pipeline: Pipeline, queue: Queue, stop: &CancellationToken) -> JoinHandle<()> {
    let running = intake::run(pipeline, queue, now, stop.clone());
    tokio::spawn(async move { running.await.unwrap() })
}

fn name(text: &str) -> CollectorName {
    CollectorName::new(text).unwrap()
}

fn said(unsent: u64, oldest: Option<i64>, stopping: bool) -> Said {
    Said { name: name("tokyo-1"), unsent, oldest_unsent: oldest.map(Timestamp), stopping }
}

/// A line a second of one port, ending now.
fn lines(count: i64) -> String {
    let line = |n: i64| {
        let time = NOW.plus_ms((n - count) * 1_000);
        format!(r#"{{"device":"sw1","interface":"a","time":{time},"rx":{n},"tx":{n}}}"#) + "\n"
    };
    (1..=count).map(line).collect()
}

fn readings(count: i64) -> Vec<Reading> {
    lines(count).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The status and the body of the answer to a POST of `body` with these headers.
async fn post(router: &Router, headers: Headers<'_>, body: String) -> (u16, Value) {
    let mut request = Request::post("/v1/readings");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(router, request.body(Body::from(body)).unwrap()).await
}

async fn answer(router: &Router, request: Request) -> (u16, Value) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

async fn listed(router: &Router) -> Value {
    let request = Request::get("/v1/collectors").body(Body::empty()).unwrap();
    let (status, mut body) = answer(router, request).await;
    assert_eq!(status, 200, "{body}");
    body["collectors"].take()
}

/// The collector's headers of a request: name, unsent, oldest, stopping.
fn told(headers: &HeaderMap) -> [Option<String>; 4] {
    [COLLECTOR, UNSENT, OLDEST_UNSENT, STOPPING]
        .map(|name| headers.get(name).map(|value| value.to_str().unwrap().to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_tells_the_service_what_it_holds() {
    let store = support::store("collectors-socket").await;
    let (app, pipeline, queue) = parts(store.clone()).await;
    let stop = CancellationToken::new();
    let pipeline = run(pipeline, queue, &stop);
    let (seen, mut requests) = mpsc::unbounded_channel();
    let record = move |request: Request, next: Next| {
        let (seen, headers) = (seen.clone(), told(request.headers()));
        async move {
            let response = next.run(request).await;
            seen.send((headers, response.status().as_u16())).unwrap();
            response
        }
    };
    let router = api::router(app);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = tokio::spawn(axum::serve(listener, router.clone().layer(from_fn(record))).into_future());
    let expect = |unsent: &str, oldest: Option<&str>, stopping: Option<&str>| {
        let headers = [Some("tokyo-1"), Some(unsent), oldest, stopping];
        (headers.map(|text| text.map(str::to_owned)), 200)
    };

    // One reading more than fits into a request waits; the last is of now.
    let shipper = Shipper::new(&url, name("tokyo-1")).saying_every(Duration::from_millis(20));
    shipper.add(readings(20_001));
    let shipping_stop = CancellationToken::new();
    let shipping = tokio::spawn({
        let (shipper, stop) = (shipper.clone(), shipping_stop.clone());
        async move { shipper.run(stop).await }
    });
    let oldest = NOW.to_string();
    assert_eq!(requests.recv().await.unwrap(), expect("1", Some(&oldest), None));
    assert_eq!(requests.recv().await.unwrap(), expect("0", None, None));
    // With nothing to ship it goes on to say so.
    for _ in 0..3 {
        assert_eq!(requests.recv().await.unwrap(), expect("0", None, None));
    }
    let list = listed(&router).await;
    assert_eq!((&list[0]["name"], &list[0]["unsent"]), (&json!("tokyo-1"), &json!(0)), "{list}");
    assert_eq!((&list[0]["oldest_unsent"], &list[0]["stopped"]), (&Value::Null, &json!(false)), "{list}");

    shipping_stop.cancel();
    shipping.await.unwrap().unwrap();
    let mut last = None;
    while let Ok(request) = requests.try_recv() {
        last = Some(request);
    }
    assert_eq!(last, Some(expect("0", None, Some("true"))));
    assert_eq!(shipper.waiting(), 0);
    let stored = store.collectors().await.unwrap();
    assert_eq!(stored.len(), 1);
    assert!(stored[0].stopped, "an orderly stop is durable");
    assert_eq!(holding_back(&stored, NOW.plus_ms(86_400_000)), []);
    let ids = [(meter95::aggregator::output::PortId(0), 0)];
    let mut count = 0;
    store.readings_since(&ids, |_, _| count += 1).await.unwrap();
    assert_eq!(count, 20_001);
    service.abort();
    stop.cancel();
    pipeline.await.unwrap();
}

#[tokio::test]
async fn a_stop_with_readings_left_is_none_in_order() {
    // Nobody listens there any more.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let shipper = Shipper::new(&url, name("tokyo-1"));
    shipper.add(readings(3));
    let stop = CancellationToken::new();
    stop.cancel();
    shipper.run(stop).await.unwrap();
    assert_eq!(shipper.waiting(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_collector_holds_survives_a_restart() {
    let (store, dir) = support::store_and_dir("collectors-restart").await;
    let (app, pipeline, queue) = parts(store.clone()).await;
    let stop = CancellationToken::new();
    let pipeline = run(pipeline, queue, &stop);
    let router = api::router(app);
    let oldest = NOW.plus_ms(-3_600_000);
    let headers = [(COLLECTOR, "tokyo-1"), (UNSENT, "12000"), (OLDEST_UNSENT, &*oldest.to_string())];
    assert_eq!(post(&router, &headers, lines(10)).await.0, 200);
    // One without headers, as of an older collector, reports nothing.
    assert_eq!(post(&router, &[], lines(10)).await.0, 200);
    let before = listed(&router).await;
    let report = CollectorReport {
        name: name("tokyo-1"),
        at: NOW,
        unsent: 12_000,
        oldest_unsent: Some(oldest),
        stopped: false,
    };
    assert_eq!(
        before,
        json!([{
            "name": "tokyo-1", "at": "2026-11-21T01:10:00Z", "unsent": 12_000,
            "oldest_unsent": "2026-11-21T00:10:00Z", "stopped": false,
            "health": { "state": "behind", "silent_ms": 0, "behind_ms": 3_600_000 },
        }])
    );
    stop.cancel();
    pipeline.await.unwrap();
    drop(router);
    store.close().await.unwrap();
    assert!(!support::kill_engine(&dir), "nothing runs on: what is read now was on the disk");

    let store = support::open(&dir).await;
    assert_eq!(store.collectors().await.unwrap(), std::slice::from_ref(&report));
    let collectors = Collectors::open(store.clone()).await.unwrap();
    assert_eq!(collectors.list().await.unwrap(), std::slice::from_ref(&report));
    let (app, _pipeline, _queue) = parts(store.clone()).await;
    let router = api::router(app);
    assert_eq!(listed(&router).await, before);
    let held = holding_back(&store.collectors().await.unwrap(), NOW.plus_ms(-1_800_000));
    assert!(held[0].to_string().contains("holds 12000 readings"), "{}", held[0]);

    // Out of account by somebody's word, until it is heard of again.
    assert_eq!(store.forget_collector(&name("osaka"), "alice", NOW).await.unwrap(), None);
    assert_eq!(store.forget_collector(&name("tokyo-1"), "alice", NOW).await.unwrap(), Some(report));
    assert_eq!(store.forget_collector(&name("tokyo-1"), "alice", NOW).await.unwrap(), None);
    assert_eq!(store.collectors().await.unwrap(), []);
    assert_eq!(collectors.list().await.unwrap(), []);
    assert_eq!(listed(&router).await, json!([]));
    let all = store.collectors_and_forgotten().await.unwrap();
    assert_eq!(all[&name("tokyo-1")].forgotten_by.as_deref(), Some("alice"));
    assert_eq!(all[&name("tokyo-1")].report.at, NOW.plus_ms(1));
    collectors.take(said(0, None, false), NOW.plus_ms(60_000)).await.unwrap();
    let back = [said(0, None, false).received(NOW.plus_ms(60_000))];
    assert_eq!(collectors.list().await.unwrap(), back);
    assert_eq!(store.collectors().await.unwrap(), back);
}

#[tokio::test]
async fn only_what_has_weight_is_stored_at_once() {
    let store = support::store("collectors-seldom").await;
    let collectors = Collectors::open(store.clone()).await.unwrap();
    let at = |s: i64| NOW.plus_ms(s * 1_000);
    let (none, some, less) = (said(0, None, false), said(9, Some(5_000), false), said(4, Some(6_000), false));
    // What is said when, and which is stored then.
    for (now, what, stored) in [
        (0, &none, (0, &none)),
        (1, &none, (1, &none)),
        (20, &none, (1, &none)),
        (31, &none, (31, &none)),
        (32, &some, (32, &some)),
        (33, &less, (32, &some)),
        (61, &less, (61, &less)),
        (62, &some, (62, &some)),
        (63, &none, (63, &none)),
        (64, &said(0, None, true), (64, &said(0, None, true))),
    ] {
        collectors.take(what.clone(), at(now)).await.unwrap();
        assert_eq!(collectors.list().await.unwrap(), [what.clone().received(at(now))], "at {now} s");
        let (then, expected) = stored;
        assert_eq!(store.collectors().await.unwrap(), [expected.clone().received(at(then))], "at {now} s");
    }
    collectors.take(said(0, None, true), at(65)).await.unwrap();
    // A clock that was set back makes no report an old one.
    collectors.take(said(0, None, true), at(5)).await.unwrap();
    collectors.flush().await.unwrap();
    let last = said(0, None, true).received(at(65).plus_ms(1));
    assert_eq!(store.collectors().await.unwrap(), [last]);
}

#[tokio::test]
async fn a_report_counts_only_after_its_readings() {
    let store = support::store("collectors-order").await;
    let (app, pipeline, queue) = parts(store.clone()).await;
    let (router, collectors) = (api::router(app.clone()), app.collectors);
    let headers = [(COLLECTOR, "tokyo-1"), (UNSENT, "0")];
    {
        let mut posting = pin!(post(&router, &headers, lines(10)));
        // Nobody takes the readings yet, however often it gets its turn.
        for _ in 0..20 {
            assert!(futures::poll!(&mut posting).is_pending());
            assert_eq!(store.last_batch().await.unwrap(), 0);
        }
        assert_eq!(store.collectors().await.unwrap(), []);
        assert_eq!(collectors.list().await.unwrap(), []);
        let stop = CancellationToken::new();
        let pipeline = run(pipeline, queue, &stop);
        assert_eq!(posting.await.0, 200);
        assert_eq!(collectors.list().await.unwrap().len(), 1);
        assert_eq!(store.collectors().await.unwrap().len(), 1);
        assert_eq!(store.last_batch().await.unwrap(), 1);
        stop.cancel();
        pipeline.await.unwrap();
    }
    // The service is stopping: what comes is not taken, and neither is the report.
    let osaka = [(COLLECTOR, "osaka"), (UNSENT, "0")];
    assert_eq!(post(&router, &osaka, lines(10)).await.0, 503);
    // A damaged body tells nothing either.
    let packed = [(COLLECTOR, "osaka"), (UNSENT, "0"), ("content-encoding", "gzip")];
    assert_eq!(post(&router, &packed, lines(10)).await.0, 400);
    let known: Vec<CollectorName> =
        collectors.list().await.unwrap().into_iter().map(|report| report.name).collect();
    assert_eq!(known, [name("tokyo-1")]);
}

#[tokio::test]
async fn bad_reports_are_refused_before_anything_is_taken() {
    let store = support::store("collectors-refused").await;
    let many: Vec<CollectorReport> = (0..COLLECTORS_MAX)
        .map(|n| Said { name: name(&format!("c{n:04}")), ..said(0, None, false) }.received(NOW))
        .collect();
    store.put_collectors(&many).await.unwrap();
    let (app, pipeline, queue) = parts(store.clone()).await;
    let stop = CancellationToken::new();
    let pipeline = run(pipeline, queue, &stop);
    let router = api::router(app);
    let known = (COLLECTOR, "c0007");
    let rows: &[(Headers<'_>, &str, Value)] = &[
        (&[known], UNSENT, Value::Null),
        (&[known, (UNSENT, "many")], UNSENT, json!("many")),
        (&[known, (UNSENT, "1")], OLDEST_UNSENT, Value::Null),
        (&[known, (UNSENT, "0"), (STOPPING, "perhaps")], STOPPING, json!("perhaps")),
        (&[(COLLECTOR, "a\tb"), (UNSENT, "0")], COLLECTOR, json!("a\tb")),
        (&[(COLLECTOR, "one-more"), (UNSENT, "0")], COLLECTOR, json!("one-more")),
    ];
    for (headers, field, value) in rows {
        let (status, problem) = post(&router, headers, lines(10)).await;
        assert_eq!(status, 400, "{headers:?}: {problem}");
        assert_eq!((&problem["field"], &problem["value"]), (&json!(field), value), "{problem}");
    }
    assert_eq!(store.last_batch().await.unwrap(), 0);
    assert_eq!(listed(&router).await.as_array().unwrap().len(), COLLECTORS_MAX);

    // There is room again when one was forgotten; those that are known always have theirs.
    assert_eq!(post(&router, &[known, (UNSENT, "0")], String::new()).await.0, 200);
    store.forget_collector(&name("c0000"), "alice", NOW).await.unwrap().unwrap();
    let (status, taken) = post(&router, &[(COLLECTOR, "one-more"), (UNSENT, "0")], lines(10)).await;
    assert_eq!((status, &taken["taken"]), (200, &json!(10)));
    assert_eq!(store.collectors().await.unwrap().len(), COLLECTORS_MAX);
    stop.cancel();
    pipeline.await.unwrap();
}

#[tokio::test]
async fn the_store_tells_whether_everything_has_followed() {
    let store = support::store("collectors-followed").await;
    let pending = async |until_ms| {
        let until = Timestamp(until_ms);
        store.pending(Timestamp(0), until, Timestamp(0)).await.unwrap()
    };
    const ALWAYS: i64 = i64::MAX / 2;
    assert_eq!(pending(ALWAYS).await, None);
    let (_app, mut pipeline, _queue) = parts(store.clone()).await;
    assert_eq!(pending(ALWAYS).await, None);
    let lot = readings(600);
    let count = lot.len() as u64;
    pipeline.take(vec![lot]).await;
    assert_eq!(pending(ALWAYS).await, Some(Pending::Readings(count)));
    assert_eq!(pending(300_000).await, None, "none is that old");
    pipeline.flush().await.unwrap();
    assert_eq!(pending(ALWAYS).await, None);
    pipeline.take(vec![readings(600)]).await;
    assert_eq!(pending(ALWAYS).await, None, "what is stale is not stored");
    let late = store.pending(Timestamp(0), Timestamp(ALWAYS), Timestamp(ALWAYS)).await.unwrap();
    assert_eq!(late, Some(Pending::Slots));
    pipeline.close().await.unwrap();
}
