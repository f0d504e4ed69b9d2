//! The inventory with its history: in the store, over the API, and by the command.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::process::Command;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use meter95::aggregator::intake::Intake;
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api;
use meter95::inventory::diff::{Change, changes};
use meter95::inventory::document::Document;
use meter95::inventory::place::Kind;
use meter95::store::connection::{Store, StoreError};
use meter95::store::inventory::Filter;
use meter95_reading::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{self, meter95};

/// 2026-11-21T01:10:00Z, when all of this happens.
const NOW: Timestamp = Timestamp(1_795_223_400_000);

fn now() -> Timestamp {
    NOW
}

fn document(toml: &str) -> Document {
    toml::from_str(toml).unwrap()
}

/// Puts `toml` in force as the next version, at `at`.
async fn put(store: &Store, toml: &str, at: i64, by: &str) -> Result<(), StoreError> {
    let (version, before) = store.inventory().await.unwrap();
    let changes: Vec<Change> = changes(&before, &document(toml));
    store.put_inventory(&changes, version + 1, Timestamp(at), by).await
}

/// Three versions: of 1 s, 2 s and 3 s.
const VERSIONS: [&str; 3] = [
    "[[plans]]\nid = 'p'\n[[servers]]\nid = 'a'\nplan = 'p'\n[[servers]]\nid = 'b'\ncustomer = 'c1'",
    "[[plans]]\nid = 'p'\n[[servers]]\nid = 'a'\n[[servers]]\nid = 'b'\ncustomer = 'c2'",
    "timezone = 'UTC'\n[[servers]]\nid = 'a'\n[[pools]]\nid = 'all'\nservers = [{ server = 'a' }]",
];

#[tokio::test]
async fn every_version_can_be_had_again() {
    let store = support::store("inventory-history").await;
    assert_eq!(store.inventory_as_of(NOW).await.unwrap(), (0, Document::default()));
    for (toml, at) in VERSIONS.into_iter().zip([1_000, 2_000, 3_000]) {
        put(&store, toml, at, "ann").await.unwrap();
    }
    for (at, version) in [(999, 0_usize), (1_000, 1), (1_999, 1), (2_000, 2), (3_000, 3), (NOW.0, 3)] {
        let expected = version.checked_sub(1).map_or_else(Document::default, |i| document(VERSIONS[i]));
        let found = store.inventory_as_of(Timestamp(at)).await.unwrap();
        assert_eq!(found, (version as u64, expected), "as of {at}");
    }
    assert_eq!(store.inventory().await.unwrap(), (3, document(VERSIONS[2])));

    let lines = async |kind, id: Option<&str>| {
        let filter = Filter { kind, id: id.map(str::to_owned) };
        let history = store.inventory_history(&filter).await.unwrap();
        assert!(history.iter().all(|recorded| recorded.by == "ann"));
        let line = |recorded: &meter95::inventory::diff::Recorded| {
            format!("{} {} {}", recorded.version, recorded.at.0.0, recorded.change.line())
        };
        history.iter().map(line).collect::<Vec<_>>()
    };
    let all = [
        "1 1000 + plan \"p\"",
        "1 1000 + server \"a\"",
        "1 1000 + server \"b\"",
        "2 2000 ~ server \"a\": plan \"p\" -> \"default\"",
        "2 2000 ~ server \"b\": customer \"c1\" -> \"c2\"",
        "3 3000 ~ settings: timezone null -> \"UTC\"",
        "3 3000 - plan \"p\"",
        "3 3000 - server \"b\"",
        "3 3000 + pool \"all\"",
    ];
    assert_eq!(lines(None, None).await, all);
    assert_eq!(lines(Some(Kind::Plan), None).await, ["1 1000 + plan \"p\"", "3 3000 - plan \"p\""]);
    assert_eq!(lines(None, Some("b")).await.len(), 3);
    assert!(lines(Some(Kind::Pool), Some("b")).await.is_empty());

    for (since, removed) in [(0, 1), (3_000, 1), (3_001, 0)] {
        let found = store.servers_removed_since(Timestamp(since)).await.unwrap();
        assert_eq!(found.len(), removed, "since {since}");
        for server in found {
            assert_eq!(
                (server.entry, server.at),
                (document(VERSIONS[1]).servers[1].clone(), Timestamp(3_000))
            );
        }
    }
    // One that came back was not removed.
    put(&store, VERSIONS[1], 4_000, "ann").await.unwrap();
    assert!(store.servers_removed_since(Timestamp(0)).await.unwrap().is_empty());
}

#[tokio::test]
async fn everything_that_can_be_written_down_comes_back_from_the_store() {
    let store = support::store("inventory-complete").await;
    let complete = include_str!("../src/inventory/check/complete.toml");
    put(&store, complete, 1_000, "ann").await.unwrap();
    let (_, found) = store.inventory().await.unwrap();
    // In the order of ids.
    let sorted = |document: &Document| {
        let mut entries = document.entries();
        entries.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
        entries
    };
    assert_eq!(sorted(&found), sorted(&document(complete)));
    let filter = Filter { kind: Some(Kind::Exemption), id: None };
    let history = store.inventory_history(&filter).await.unwrap();
    let lines: Vec<String> = history.iter().map(|recorded| recorded.change.line()).collect();
    assert_eq!(lines, ["+ exemption \"c001-migration\"", "+ exemption \"web01-load-test\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_one_is_told() {
    let store = support::store("inventory-two-at-once").await;
    put(&store, VERSIONS[0], 1_000, "ann").await.unwrap();
    let (version, before) = store.inventory().await.unwrap();
    let of = |toml: &str| changes(&before, &document(toml));
    let (ann, bob) = (of(VERSIONS[1]), of(VERSIONS[2]));
    let (first, second) = tokio::join!(
        store.put_inventory(&ann, version + 1, Timestamp(2_000), "ann"),
        store.put_inventory(&bob, version + 1, Timestamp(2_000), "bob"),
    );
    let (lost, kept) = match (&first, &second) {
        (Ok(()), Err(lost)) => (lost, VERSIONS[1]),
        (Err(lost), Ok(())) => (lost, VERSIONS[2]),
        _ => panic!("{first:?} {second:?}"),
    };
    assert!(matches!(lost, StoreError::Outdated { expected: 1, found: 2 }), "{lost}");
    assert_eq!(store.inventory().await.unwrap(), (2, document(kept)), "nothing of the other is there");
}

async fn service(name: &str) -> (Router, Pipeline, Store) {
    let (store, dir) = support::store_and_dir(name).await;
    let times = Times::default();
    let pipeline = Pipeline::open(store.clone(), times, Clock::Machine(NOW)).await.unwrap();
    let (intake, _) = Intake::new();
    let app = support::app(&store, &dir, pipeline.live(), intake, now).await;
    (api::router(app), pipeline, store)
}

async fn ask(router: &Router, method: &str, uri: &str, body: impl Into<Body>) -> (u16, Value) {
    let request = Request::builder().method(method).uri(uri).body(body.into()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn an_inventory_is_put_and_shown_over_the_api() {
    let (router, mut pipeline, _) = service("inventory-api").await;
    let first = json!({ "servers": [{ "id": "web01", "ports": [{ "device": "sw1", "interface": "x" }] }] });
    let shown = ask(&router, "GET", "/v1/inventory", "").await;
    assert_eq!(shown, (200, json!({ "version": 0, "inventory": { "plans": [], "servers": [] } })));

    let (status, dry) = ask(&router, "PUT", "/v1/inventory?by=ann&dry_run=true", first.to_string()).await;
    assert_eq!((status, &dry["version"], &dry["applied"]), (200, &json!(0), &json!(false)), "{dry}");
    assert_eq!(dry["changes"][0]["line"], "+ server \"web01\"");
    assert!(!pipeline.reload_inventory().await.unwrap(), "nothing was stored");

    let (status, done) = ask(&router, "PUT", "/v1/inventory?by=ann", first.to_string()).await;
    assert_eq!((status, &done["version"], &done["applied"]), (200, &json!(1), &json!(true)), "{done}");
    assert!(pipeline.reload_inventory().await.unwrap(), "the service takes it up");
    let (_, servers) = ask(&router, "GET", "/v1/servers", "").await;
    assert_eq!(servers["servers"][0]["id"], "web01");

    let again = ask(&router, "PUT", "/v1/inventory?by=bob", first.to_string()).await;
    assert_eq!(again, (200, json!({ "version": 1, "applied": false, "changes": [] })));

    let (status, refused) = ask(&router, "PUT", "/v1/inventory?by=bob", "{}").await;
    assert_eq!((status, &refused["field"]), (400, &json!("server \"web01\"")), "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("it has no service_end"), "{refused}");
    let (status, old) = ask(&router, "PUT", "/v1/inventory?by=bob&remove=true&version=0", "{}").await;
    assert_eq!(status, 409);
    assert!(old["detail"].as_str().unwrap().contains("at version 1, not at 0"), "{old}");
    let (status, gone) = ask(&router, "PUT", "/v1/inventory?by=bob&remove=true&version=1", "{}").await;
    assert_eq!((status, &gone["version"]), (200, &json!(2)), "{gone}");

    let (_, past) = ask(&router, "GET", "/v1/inventory?as_of=2026-11-21T01:10:00Z", "").await;
    assert_eq!(past["version"], 2);
    let before = format!("/v1/inventory?as_of={}", NOW.0 - 1);
    assert_eq!(ask(&router, "GET", &before, "").await.1["version"], 0);
    let (_, history) = ask(&router, "GET", "/v1/inventory/history?kind=server&id=web01", "").await;
    assert_eq!(history["left_out"], 0);
    let changes = history["changes"].as_array().unwrap();
    let told = changes.iter().map(|c| (c["version"].as_u64().unwrap(), c["by"].as_str().unwrap()));
    assert_eq!(told.collect::<Vec<_>>(), [(1, "ann"), (2, "bob")]);
    assert_eq!(changes[0]["after"], changes[1]["before"]);
    assert_eq!((&changes[0]["before"], &changes[1]["after"]), (&Value::Null, &Value::Null));
    pipeline.close().await.unwrap();
}

#[tokio::test]
async fn two_ends_of_a_cable_that_both_count_are_told_of_once() {
    let (router, pipeline, _) = service("inventory-api-warnings").await;
    let nic = json!({ "device": "web01", "interface": "eth0", "kind": "nic" });
    let ports = json!([{ "device": "sw1", "interface": "x" }, nic]);
    let mut both = json!({ "servers": [{ "id": "web01", "ports": ports }] });
    let (status, told) = ask(&router, "PUT", "/v1/inventory?by=ann", both.to_string()).await;
    assert_eq!((status, &told["applied"]), (200, &json!(true)), "{told}");
    let warnings = told["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1);
    let says = "server \"web01\": ports[1]: counts beside switch port \"x\" of device \"sw1\"";
    assert!(warnings[0].as_str().unwrap().starts_with(says), "{told}");
    // What is in force already is not told again; what changes is.
    both["servers"].as_array_mut().unwrap().push(json!({ "id": "web02" }));
    let (_, told) = ask(&router, "PUT", "/v1/inventory?by=ann", both.to_string()).await;
    assert_eq!((&told["applied"], &told["warnings"]), (&json!(true), &Value::Null), "{told}");
    pipeline.close().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_place_and_value() {
    let (router, pipeline, store) = service("inventory-api-refusals").await;
    let port = |speed: i64| json!({ "device": "sw1", "interface": "x", "speed_bps": speed });
    let servers = |list: Value| json!({ "servers": list }).to_string();
    for (uri, body, field, value, says) in [
        ("", "{}".to_owned(), "by", Value::Null, "by: missing"),
        ("?by=", "{}".to_owned(), "by", json!(""), "a name can't be empty"),
        ("?by=a&dry_run=maybe", "{}".to_owned(), "dry_run", json!("maybe"), "not true or false"),
        (
            "?by=a&force=true",
            "{}".to_owned(),
            "force",
            json!("true"),
            "this takes by, dry_run, remove, version",
        ),
        ("?by=a", "{\n\"servers\": [,]}".to_owned(), "", Value::Null, "line 2: not JSON"),
        ("?by=a", json!({ "host": 1 }).to_string(), "host", json!("1"), "unknown field `host`"),
        (
            "?by=a",
            servers(json!([{ "id": "s", "ports": [port(-1)] }])),
            "server \"s\": ports[0].speed_bps",
            json!("-1"),
            "invalid value: integer `-1`",
        ),
        (
            "?by=a",
            servers(json!([{ "id": "s", "ports": [port(0)] }])),
            "server \"s\": ports[0]",
            json!("0"),
            "server \"s\": ports[0]: speed_bps is 0",
        ),
        (
            "?by=a",
            servers(json!([{ "id": "s", "plan": "p" }, { "id": "t", "plan": "q" }])),
            "server \"s\"",
            json!("\"p\""),
            "there is no plan \"p\" (and 1 more)",
        ),
    ] {
        let (status, problem) = ask(&router, "PUT", &format!("/v1/inventory{uri}"), body.clone()).await;
        assert_eq!(status, 400, "{body}: {problem}");
        assert_eq!(problem.get("field").map_or("", |f| f.as_str().unwrap()), field, "{problem}");
        assert_eq!(problem.get("value").cloned().unwrap_or_default(), value, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    let two = servers(json!([{ "id": "s", "plan": "p" }, { "id": "t", "plan": "q" }]));
    let (_, problem) = ask(&router, "PUT", "/v1/inventory?by=a", two).await;
    let second = json!({
        "at": "server \"t\"", "kind": "server", "id": "t", "index": 1, "path": "plan", "value": "\"q\"",
        "says": "there is no plan \"q\"",
    });
    assert_eq!(problem["problems"][1], second);
    let (status, _) = ask(&router, "PUT", "/v1/inventory?by=a", vec![b' '; (64 << 20) + 1]).await;
    assert_eq!(status, 413);
    for (uri, says) in [
        ("/v1/inventory?as_of=yesterday", "is not an instant"),
        ("/v1/inventory/history?kind=host", "\"host\" is not settings or customer"),
    ] {
        let (status, problem) = ask(&router, "GET", uri, "").await;
        assert_eq!(status, 400, "{uri}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    assert_eq!(store.inventory_version().await.unwrap(), 0, "nothing of all that was stored");
    pipeline.close().await.unwrap();
}

/// What a command prints, and what it says when it fails.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    let [printed, said] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    if output.status.success() { Ok(printed) } else { Err(said) }
}

#[test]
fn the_command_shows_refuses_and_remembers() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("inventory.toml"));
    let apply = |text: &str, options: &[&str]| {
        std::fs::write(&file, text).unwrap();
        run(meter95(&data).args(["inventory", "apply"]).arg(&file).args(options))
    };
    for (text, says) in [
        (
            "[[servers]]\nid = 'a'\n\nplan = 'gold'\n",
            "inventory.toml:4: server \"a\": there is no plan \"gold\"",
        ),
        (
            "[[servers]]\nid = 'a'\nports = [\n  { device = 'd', interface = 'x', speed_bps = 0 },\n]\n",
            "inventory.toml:4: server \"a\": ports[0]: speed_bps is 0",
        ),
        ("[[plans]]\nid = 'p'\ncurrency = 'YEN'\n", "inventory.toml:3: plan \"p\": currency: \"YEN\" is not"),
    ] {
        let said = apply(text, &[]).unwrap_err();
        assert!(said.contains(says), "{said}");
    }
    assert!(!data.exists(), "to refuse these takes no store");

    let listed = "[[servers]]\nid = 'a'\n[[servers]]\nid = 'b'\n";
    assert!(apply(listed, &["--by", "ann"]).unwrap().contains("2 changes applied as version 1"));
    let said = apply("[[servers]]\nid = 'a'\n", &["--by", "bob"]).unwrap_err();
    assert!(
        said.contains("inventory.toml: server \"b\": is not listed any more, but it has no service_end"),
        "{said}"
    );
    let ended = "[[servers]]\nid = 'a'\n[[servers]]\nid = 'b'\nservice_end = 2026-01-01T00:00:00Z\n";
    assert!(apply(ended, &["--by", "bob"]).unwrap().contains("service_end none -> \"2026-01-01T00:00:00Z\""));
    assert!(apply("[[servers]]\nid = 'a'\n", &["--by", "bob"]).unwrap().contains("- server \"b\""));
    assert!(apply("", &["--by", "cat", "--remove"]).unwrap().contains("- server \"a\""));

    let history =
        |options: &[&str]| run(meter95(&data).args(["inventory", "history"]).args(options)).unwrap();
    let table = history(&["--kind", "server", "--id", "b"]);
    for part in ["ann", "+ server \"b\"", "bob", "- server \"b\"", "service_end none ->"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(!table.contains("cat"), "{table}");
    let csv = history(&["--format", "csv"]);
    assert_eq!(csv.lines().next(), Some("version,at,by,kind,id,before,after"));
    let json: Value = serde_json::from_str(&history(&["--format", "json"])).unwrap();
    let changes = json.as_array().unwrap();
    assert_eq!(changes.len(), csv.lines().count() - 1);
    assert_eq!((&changes[4]["by"], &changes[4]["after"]), (&json!("cat"), &Value::Null), "{json}");
    let at = changes[0]["at"].as_str().unwrap();
    let first = run(meter95(&data).args(["inventory", "show", "--as-of", at])).unwrap();
    assert_eq!(document(&first), document(listed));
    assert_eq!(document(&run(meter95(&data).args(["inventory", "show"])).unwrap()), Document::default());
}
