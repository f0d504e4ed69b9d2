//! What all of the HTTP API has in common: names of requests, entity tags, what is done once, and packed bodies.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::io::Write;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use meter95::aggregator::intake::Intake;
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api;
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::store::connection::Store;
use meter95_reading::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support;

/// 2026-11-21T01:10:00Z, when all of this happens.
const NOW: Timestamp = Timestamp(1_795_223_400_000);

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

/// The API on a store, as after a restart.
async fn router(store: &Store) -> Router {
    let pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Machine(NOW)).await.unwrap();
    let (intake, _queue) = Intake::new();
    api::router(support::app(store, &std::env::temp_dir(), pipeline.live(), intake, now).await)
}

async fn stocked(name: &str) -> Store {
    let store = support::store(name).await;
    let document: Document = toml::from_str(INVENTORY).unwrap();
    store.put_inventory(&changes(&Document::default(), &document), 1, NOW, "test").await.unwrap();
    store
}

/// Status, headers and body of an answer.
type Answer = (u16, HeaderMap, Vec<u8>);

async fn ask(router: &Router, request: Request<Body>) -> Answer {
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    (head.status.as_u16(), head.headers, axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

async fn get(router: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ask(router, request.body(Body::empty()).unwrap()).await
}

/// Declares an incident of web01 in the hour that begins at `hour`.
async fn declare(router: &Router, hour: u8, key: &str) -> Answer {
    let body = json!({
        "server": "web01", "from": format!("2026-11-20T{hour:02}:00:00Z"), "why": "a switch failed", "by": "alice",
        "until": format!("2026-11-20T{:02}:00:00Z", hour + 1),
    });
    let request = Request::post("/v1/exclusions").header("content-type", "application/json");
    ask(router, request.header("idempotency-key", key).body(Body::from(body.to_string())).unwrap()).await
}

fn text(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.2).unwrap_or_else(|e| panic!("{e}: {answer:?}"))
}

#[tokio::test]
async fn a_request_has_a_name() {
    let router = router(&stocked("request-names").await).await;
    for (path, given, kept) in [
        ("/v1/servers", "trace-1.a_B", true),
        ("/v1/nowhere", "trace-2", true),
        ("/v1/servers", "two words", false),
        ("/v1/servers", &"a".repeat(65), false),
        ("/v1/servers", "", false),
    ] {
        let (_, headers, _) = get(&router, path, &[("x-request-id", given)]).await;
        let named = headers["x-request-id"].to_str().unwrap();
        assert_eq!(named == given, kept, "{path} {given:?}: {named}");
        assert!(kept || named.len() == 32, "{named}");
    }
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let router = router(&stocked("entity-tags").await).await;
    for path in ["/v1/servers", "/v1/usage", "/v1/servers/web01/samples?period=2026-11", "/v1/inventory"] {
        let first = get(&router, path, &[]).await;
        let tag = first.1[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(first.1[header::CACHE_CONTROL], "private, no-cache", "{path}");
        let (status, headers, body) = get(&router, path, &[("if-none-match", &tag)]).await;
        assert_eq!((status, body.len(), &headers[header::ETAG]), (304, 0, &first.1[header::ETAG]), "{path}");
        let other = get(&router, path, &[("if-none-match", "W/\"other\"")]).await;
        assert_eq!((other.0, &other.2), (200, &first.2), "{path}");
    }
    let (status, headers, _) = get(&router, "/v1/servers/web99", &[]).await;
    assert_eq!((status, headers.get(header::ETAG)), (404, None));
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn what_is_asked_for_twice_under_a_key_is_done_once() {
    let store = stocked("idempotency").await;
    let api = router(&store).await;
    let first = declare(&api, 1, "job-1").await;
    assert_eq!((first.0, first.1.get("idempotency-replayed")), (200, None), "{}", text(&first));
    // Also by a process that was not there the first time.
    for api in [&api, &router(&store).await] {
        let again = declare(api, 1, "job-1").await;
        assert_eq!((again.0, &again.2), (200, &first.2));
        assert_eq!(again.1["idempotency-replayed"], "true");
        assert_eq!(again.1[header::CONTENT_TYPE], first.1[header::CONTENT_TYPE]);
    }
    // What is new needs a new key.
    let other = declare(&api, 2, "job-1").await;
    assert_eq!((other.0, &text(&other)["field"]), (400, &json!("idempotency-key")));
    assert_eq!(declare(&api, 2, "job-2").await.0, 200);
    // A refusal is kept as well.
    for replayed in [false, true] {
        let refused = declare(&api, 23, "job-3").await;
        assert_eq!((refused.0, refused.1.contains_key("idempotency-replayed")), (400, replayed));
    }
    let listed = text(&get(&api, "/v1/exclusions", &[]).await);
    assert_eq!(listed["exclusions"].as_array().unwrap().len(), 2, "{listed}");
    for key in ["", "two words", &"a".repeat(256)] {
        assert_eq!(declare(&api, 3, key).await.0, 400, "{key:?}");
    }
}

#[tokio::test]
async fn the_same_at_the_same_time_is_done_once() {
    let store = stocked("idempotency-at-once").await;
    let api = router(&store).await;
    let (one, two) = tokio::join!(declare(&api, 1, "job"), declare(&api, 1, "job"));
    for (status, headers, _) in [one, two] {
        assert!(status == 200 || status == 409 && headers.contains_key(header::RETRY_AFTER), "{status}");
    }
    let listed = text(&get(&api, "/v1/exclusions", &[]).await);
    assert_eq!(listed["exclusions"].as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test]
async fn bodies_are_packed_both_ways() {
    let api = router(&stocked("packed").await).await;
    let plain = get(&api, "/openapi.json", &[]).await.2;
    let (_, headers, body) = get(&api, "/openapi.json", &[("accept-encoding", "zstd")]).await;
    assert_eq!(headers[header::CONTENT_ENCODING], "zstd");
    assert_eq!(zstd::decode_all(body.as_slice()).unwrap(), plain);
    let (_, headers, body) = get(&api, "/openapi.json", &[("accept-encoding", "gzip")]).await;
    assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
    let mut unpacked = flate2::write::GzDecoder::new(Vec::new());
    unpacked.write_all(&body).unwrap();
    assert_eq!(unpacked.finish().unwrap(), plain);

    let said = json!({
        "server": "web01", "from": "2026-11-20T01:00:00Z", "until": "2026-11-20T02:00:00Z", "why": "a switch failed",
        "by": "alice",
    });
    let said = zstd::encode_all(said.to_string().as_bytes(), 3).unwrap();
    let request = Request::post("/v1/exclusions").header("content-type", "application/json");
    let request = request.header("content-encoding", "zstd").body(Body::from(said)).unwrap();
    let answer = ask(&api, request).await;
    assert_eq!(answer.0, 200, "{}", text(&answer));
}
