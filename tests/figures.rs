//! Figures by pages: every line once in its order, filtered for whoever asks, the same as JSON and CSV, of any month; samples by
//! hours and days; what is read, and how full lines are.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use meter95::access::{Caller, Limit};
use meter95::aggregator::intake::{self, Intake};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api;
use meter95::inventory::Inventory;
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::metering::sample::{Rates, Sample};
use meter95::metering::tally::Figures;
use meter95::metering::units::{Bps, Slot};
use meter95::store::connection::Store;
use meter95::usage::Usage;
use meter95::usage::catalog::Catalog;
use meter95::usage::filter::{Chosen, Filter};
use meter95::usage::order::{Direction, Sort};
use meter95::usage::search::Search;
use meter95::usage::table::{Page, Row, Start, Table};
use meter95_reading::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support;

/// 2026-11-21T01:10:00Z.
const NOW: Timestamp = Timestamp(1_795_223_400_000);

/// The last ms of November in Tokyo.
const NOVEMBER_ENDS: Timestamp = Timestamp(1_796_050_799_999);

const SLOT_MS: i64 = 300_000;

/// Servers of two customers in two regions on two plans, and two in a pool.
const INVENTORY: &str = r#"
customers = [{ id = "c1", name = "Acme 株式会社" }, { id = "c2" }, { id = "=c3" }]
devices = [{ id = "sw1", region = "tokyo" }, { id = "sw2" }, { id = "core" }, { id = "spare" }]

[[plans]]
id = "jp"
allowance_bps = 1000000
price_per_mbps = "900"
currency = "JPY"

[[plans]]
id = "us"
price_per_mbps = "12.50"
currency = "USD"

[[servers]]
id = "a"
customer = "c1"
region = "tokyo"
plan = "jp"
ports = [{ device = "sw1", interface = "ge-1" }, { device = "sw1", interface = "ge-9", check_only = true }]

[[servers]]
id = "b"
customer = "c2"
region = "tokyo"
plan = "us"
ports = [
    { device = "sw1", interface = "ge-8", until = "2026-09-01T00:00:00Z" },
    { device = "sw1", interface = "ge-2", from = "2026-09-01T00:00:00Z" },
]

[[servers]]
id = "c.csv"
customer = "c1"
region = "osaka"
plan = "us"
ports = [{ device = "sw2", interface = "ge-1" }]

[[servers]]
id = "d"
customer = "=c3"
region = "osaka"
plan = "jp"
ports = [{ device = "sw2", interface = "ge-2" }]

[[servers]]
id = "e"
customer = "=c3"
region = "osaka"
plan = "jp"
ports = [{ device = "sw2", interface = "ge-3" }]

[[servers]]
id = "f"
customer = "c1"
region = "tokyo"
plan = "jp"
ports = [{ device = "sw1", interface = "ge-6" }]

[[pools]]
id = "p"
customer = "=c3"
plan = "jp"
servers = [{ server = "d" }, { server = "e" }]

[[uplinks]]
id = "up-1"
region = "tokyo"
device = "core"
interface = "xe-1"
speed_bps = 10000000
"#;

/// The ports of the servers, and what each has in bit/s towards it; none of f's was ever read.
const RATES: [(&str, &str, i64); 5] = [
    ("sw1", "ge-1", 4_000_000),
    ("sw1", "ge-2", 3_000_000),
    ("sw2", "ge-1", 500_000),
    ("sw2", "ge-2", 9_000_000),
    ("sw2", "ge-3", 1_000_000),
];

fn now() -> Timestamp {
    NOW
}

fn november_ends() -> Timestamp {
    NOVEMBER_ENDS
}

/// A day later, when everything has closed.
fn december() -> Timestamp {
    NOVEMBER_ENDS.plus_ms(86_400_000)
}

/// A service on a store.
struct Service {
    router: Router,
    stop: CancellationToken,
    pipeline: tokio::task::JoinHandle<()>,
}

impl Service {
    async fn on(store: &Store, now: fn() -> Timestamp) -> Self {
        let pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Machine(now())).await.unwrap();
        let (intake, queue) = Intake::new();
        let app = support::app(store, &std::env::temp_dir(), pipeline.live(), intake, now).await;
        let (router, stop) = (api::router(app), CancellationToken::new());
        let run = intake::run(pipeline, queue, now, stop.clone());
        Self { router, stop, pipeline: tokio::spawn(async move { run.await.unwrap() }) }
    }

    /// Stops in order: everything is stored then.
    async fn stop(self) {
        self.stop.cancel();
        self.pipeline.await.unwrap();
    }

    async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, String) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        (head.status.as_u16(), head.headers, String::from_utf8(body).unwrap())
    }

    async fn json(&self, path: &str) -> Value {
        let (status, _, body) = self.ask(path, &[]).await;
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn csv(&self, path: &str) -> Vec<BTreeMap<String, String>> {
        let (status, headers, body) = self.ask(path, &[("accept", "text/csv")]).await;
        assert_eq!(status, 200, "{path}: {body}");
        assert_eq!(headers[header::CONTENT_TYPE], "text/csv; charset=utf-8; header=present");
        let mut reader = csv::Reader::from_reader(body.as_bytes());
        reader.deserialize().map(Result::unwrap).collect()
    }

    async fn post(&self, lines: String) {
        let request = Request::post("/v1/readings").body(Body::from(lines)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
    }

    /// Every line of a list by pages of `limit`.
    async fn pages(&self, path: &str, list: &str, limit: usize) -> Vec<Value> {
        let glue = if path.contains('?') { '&' } else { '?' };
        let mut next = format!("{path}{glue}limit={limit}");
        let mut lines = Vec::new();
        loop {
            let (status, headers, body) = self.ask(&next, &[]).await;
            assert_eq!(status, 200, "{next}: {body}");
            let mut page: Value = serde_json::from_str(&body).unwrap();
            let more = page["next"].as_str().map(str::to_owned);
            let link = headers.get(header::LINK).map(|link| link.to_str().unwrap().to_owned());
            assert_eq!(link, more.as_ref().map(|next| format!("<{next}>; rel=\"next\"")));
            let found = page[list].as_array_mut().unwrap();
            assert!(found.len() <= limit && (found.len() == limit || more.is_none()), "{body}");
            lines.append(found);
            match more {
                Some(more) => next = more,
                None => return lines,
            }
        }
    }
}

async fn stocked(name: &str) -> Store {
    let store = support::store(name).await;
    let document: Document = toml::from_str(INVENTORY).unwrap();
    store.put_inventory(&changes(&Document::default(), &document), 1, NOW, "test").await.unwrap();
    store
}

/// Readings of every port over `slots` slots that end at `end`: towards the server the rate of [`RATES`], from it half of that.
fn lines(end: i64, slots: i64) -> String {
    let mut lines = String::new();
    for slot in 0..=slots {
        for (device, interface, bps) in RATES {
            let (time, octets) = (end - (slots - slot) * SLOT_MS, slot * bps * SLOT_MS / 8_000);
            let line = format!(
                r#"{{"device":"{device}","interface":"{interface}","time":{time},"tx":{octets},"rx":{}}}"#,
                octets / 2
            );
            lines.push_str(&line);
            lines.push('\n');
        }
    }
    lines
}

fn ids(lines: &[Value]) -> String {
    let of = |line: &Value| line["server"].as_str().or(line["id"].as_str()).unwrap()[..1].to_owned();
    lines.iter().map(of).collect()
}

#[tokio::test]
async fn usage_is_told_by_pages_in_any_order() {
    let store = stocked("figures-usage").await;
    let service = Service::on(&store, now).await;
    // More than a twentieth of the month so far, so that something is left when that is discarded.
    service.post(lines(NOW.0, 400)).await;
    for (query, expected) in [
        ("", "abcdef"),
        ("?sort=server", "abcdef"),
        ("?sort=p95", "dabecf"),
        ("?sort=overage", "dabcef"),
        ("?sort=value", "dabecf"),
        ("?sort=burst_left", "abdcef"),
        ("?sort=amount", "abcdef"),
        ("?sort=customer", "deacfb"),
        ("?sort=region", "cdeabf"),
        ("?sort=plan", "adefbc"),
        ("?sort=in", "dabecf"),
        ("?sort=out", "dabecf"),
        ("?sort=allowance", "abcdef"),
        ("?sort=coverage", "fabcde"),
        ("?order=asc", "abcdef"),
        ("?order=desc", "fedcba"),
        ("?sort=p95&order=desc", "dabecf"),
        ("?sort=p95&order=asc", "cebadf"),
        ("?sort=overage&order=asc", "ecbadf"),
        ("?sort=value&order=asc", "cebadf"),
        ("?sort=in&order=asc", "cebadf"),
        ("?sort=out&order=asc", "cebadf"),
        ("?sort=burst_left&order=desc", "fecdba"),
        ("?sort=amount&order=asc", "cbadef"),
        ("?sort=customer&order=desc", "bfcaed"),
        ("?sort=region&order=desc&q=c1", "fac"),
        ("?sort=plan&order=desc", "cbfeda"),
        ("?q=", "abcdef"),
        ("?q=c1", "acf"),
        ("?q=C1%20TOKYO", "af"),
        ("?q=+us++c+", "bc"),
        ("?q=acme", "acf"),
        ("?q=%E6%A0%AA%E5%BC%8F+osaka", "c"),
        ("?q=csv&sort=p95", "c"),
        ("?q=c1&over=true", "a"),
        ("?q=c1&plan=us", "c"),
        ("?q=nothing", ""),
        ("?no_data=true", "f"),
        ("?no_data=false", "abcdef"),
        ("?no_data=true&over=true", ""),
        ("?no_data=true&q=us", ""),
        ("?region=tokyo", "abf"),
        ("?region=nowhere", ""),
        ("?customer=c1", "acf"),
        ("?customer=c1&region=tokyo", "af"),
        ("?customer=%3Dc3", "de"),
        ("?plan=us", "bc"),
        ("?over=true&sort=overage", "dab"),
        ("?over=false", "abcdef"),
        ("?server=b", "b"),
        ("?server=b&plan=jp", ""),
    ] {
        let path = format!("/v1/usage{query}");
        let whole = service.json(&path).await;
        let lines = whole["servers"].as_array().unwrap();
        assert_eq!(ids(lines), expected, "{path}");
        assert_eq!((&whole["count"], &whole["next"]), (&json!(expected.len()), &Value::Null), "{path}");
        let over = lines.iter().filter(|line| line["overage_bps"].as_u64() > Some(0)).count();
        assert_eq!(whole["over_count"], over, "{path}");
        for limit in [1, 2, 3, 6, 1_000] {
            assert_eq!(service.pages(&path, "servers", limit).await, *lines, "{path} by {limit}");
        }
        let glue = if path.contains('?') { '&' } else { '?' };
        for offset in [0, 1, 4, 10_000_000] {
            let from = format!("{path}{glue}offset={offset}");
            let page = service.json(&format!("{from}&limit=2")).await;
            let rest = lines.get(offset..).unwrap_or_default();
            assert_eq!(page["servers"].as_array().unwrap().as_slice(), &rest[..rest.len().min(2)], "{from}");
            for told in ["count", "over_count", "totals"] {
                assert_eq!(page[told], whole[told], "{from}");
            }
            assert_eq!(service.pages(&from, "servers", 2).await, rest, "{from}");
        }
        let as_csv = service.csv(&path).await;
        assert_eq!(as_csv.len(), lines.len(), "{path}");
        for (line, row) in lines.iter().zip(as_csv) {
            is_row(line, &row);
        }
    }
    let all = service.json("/v1/usage").await;
    let sums: Vec<(&Value, &Value)> =
        all["totals"].as_array().unwrap().iter().map(|s| (&s["currency"], &s["count"])).collect();
    assert_eq!(sums, [(&json!("JPY"), &json!(2)), (&json!("USD"), &json!(2))], "{all}");
    for sum in all["totals"].as_array().unwrap() {
        let of = all["servers"].as_array().unwrap().iter().filter(|line| line["currency"] == sum["currency"]);
        let billable: u64 = of.filter_map(|line| line["billable_bps"].as_u64()).sum();
        assert_eq!(sum["billable_bps"], billable);
    }
    service.stop().await;
}

/// Whether a row of CSV is this line.
fn is_row(line: &Value, row: &BTreeMap<String, String>) {
    let mut flat = BTreeMap::new();
    for (name, value) in line.as_object().unwrap() {
        match value {
            Value::Object(nested) => {
                flat.extend(nested.iter().map(|(field, value)| (format!("{name}_{field}"), value.clone())));
            }
            _ => drop(flat.insert(name.clone(), value.clone())),
        }
    }
    for (name, cell) in row {
        let value = flat.remove(name).unwrap_or(Value::Null);
        let text = match &value {
            Value::Null => String::new(),
            Value::String(text) if text.starts_with('=') => format!("'{text}"),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(*cell, text, "{name} of {line}");
    }
    // What is nested and not there is an empty cell each.
    let left: Vec<(&String, &Value)> = flat.iter().filter(|(_, value)| !value.is_null()).collect();
    assert!(left.is_empty(), "{left:?} are not in CSV");
}

#[tokio::test]
async fn answers_are_negotiated_and_what_can_not_be_is_named() {
    let store = stocked("figures-answers").await;
    let service = Service::on(&store, now).await;
    for (path, status, field, says) in [
        ("/v1/usage?limit=0", 400, "limit", "0 is not 1 to 1000"),
        ("/v1/usage?limit=1001", 400, "limit", "1001 is not 1 to 1000"),
        ("/v1/usage?limit=many", 400, "limit", "invalid digit"),
        ("/v1/usage?cursor=abc", 400, "cursor", "it is no cursor"),
        ("/v1/usage?sort=size", 400, "sort", "\"size\" is not server or overage"),
        ("/v1/usage?over=yes", 400, "over", "true"),
        ("/v1/usage?no_data=1", 400, "no_data", "\"1\" is not true or false"),
        ("/v1/usage?order=up", 400, "order", "\"up\" is not asc or desc"),
        ("/v1/usage?offset=-1", 400, "offset", "invalid digit"),
        ("/v1/usage?offset=10000001", 400, "offset", "10000001 is not 0 to 10000000"),
        (&format!("/v1/usage?q={}", "a".repeat(256)), 400, "q", "longer than 255 characters"),
        ("/v1/usage?server=nobody", 404, "", "no server \"nobody\""),
        ("/v1/servers?cursor=%20", 400, "cursor", "it is no cursor"),
        ("/v1/servers/a/samples?step=week", 400, "step", "\"week\" is not slot or hour or day"),
        ("/v1/servers/a/samples?step=day&from=0&until=34560000001", 400, "until", "longer than 400 days"),
        ("/v1/devices/nowhere", 404, "", "no device \"nowhere\""),
        ("/v1/statements.csv", 404, "", "nothing at /v1/statements.csv"),
    ] {
        let (found, _, body) = service.ask(path, &[]).await;
        assert_eq!(found, status, "{path}: {body}");
        let problem: Value = serde_json::from_str(&body).unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(says), "{path}: {body}");
        assert_eq!(problem.get("field").map_or("", |field| field.as_str().unwrap()), field, "{path}");
    }
    let page = service.json("/v1/usage?sort=p95&limit=1").await;
    let other = page["next"].as_str().unwrap().replace("sort=p95", "sort=value");
    assert_eq!(service.ask(&other, &[]).await.0, 400);
    let other = page["next"].as_str().unwrap().replace("sort=p95", "sort=p95&order=asc");
    assert_eq!(service.ask(&other, &[]).await.0, 400);
    let (status, _, body) = service.ask(&format!("{}&offset=1", page["next"].as_str().unwrap()), &[]).await;
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, &problem["field"], &problem["value"]),
        (400, &json!("offset"), &json!("1")),
        "{body}"
    );
    let other = page["next"].as_str().unwrap().replace("usage?sort=p95&", "servers?");
    assert_eq!(service.ask(&other, &[]).await.0, 400);

    let (status, headers, body) = service.ask("/v1/usage", &[("accept", "text/html")]).await;
    assert_eq!((status, &headers[header::CONTENT_TYPE]), (406, &"application/problem+json".parse().unwrap()));
    assert!(body.contains("there are application/json and text/csv"), "{body}");
    let lists =
        ["/v1/usage", "/v1/servers", "/v1/servers/a/samples", "/v1/uplinks", "/v1/devices", "/v1/collectors"];
    for path in lists {
        let by_suffix = service.ask(&format!("{path}.csv"), &[("accept", "application/json")]).await;
        let by_header = service.ask(path, &[("accept", "text/csv")]).await;
        assert_eq!((by_suffix.0, &by_suffix.2), (200, &by_header.2), "{path}");
        assert!(by_suffix.2.ends_with("\r\n"), "{path}: {}", by_suffix.2);
    }
    // A server of that name is no list, and has one.
    assert_eq!(service.json("/v1/servers/c.csv").await["id"], "c.csv");
    assert_eq!(service.json("/v1/servers/c.csv/samples").await["server"], "c.csv");
    let (status, headers, _) = service.ask("/v1/servers/c.csv/samples.csv", &[]).await;
    assert_eq!(
        (status, &headers[header::CONTENT_TYPE]),
        (200, &"text/csv; charset=utf-8; header=present".parse().unwrap())
    );
    let (_, headers, _) = service.ask("/v1/usage.csv?sort=p95&limit=1", &[]).await;
    let link = headers[header::LINK].to_str().unwrap();
    assert!(link.starts_with("</v1/usage.csv?sort=p95&limit=1&cursor="), "{link}");

    // As long as nothing changes, nothing is sent again; what is others' does not matter.
    service.post(lines(NOW.0 - SLOT_MS, 2)).await;
    let tag = |headers: &HeaderMap| headers[header::ETAG].to_str().unwrap().to_owned();
    let first = service.ask("/v1/usage?server=a", &[]).await;
    let all = service.ask("/v1/usage", &[]).await;
    assert_eq!(service.ask("/v1/usage", &[("if-none-match", &tag(&all.1))]).await.0, 304);
    service
        .post(r#"{"device":"sw1","interface":"ge-6","time":1795223100000,"rx":0,"tx":0}"#.to_owned())
        .await;
    service
        .post(r#"{"device":"sw1","interface":"ge-6","time":1795223400000,"rx":9,"tx":9}"#.to_owned())
        .await;
    assert_eq!(service.ask("/v1/usage", &[("if-none-match", &tag(&all.1))]).await.0, 200);
    assert_eq!(service.ask("/v1/usage?server=a", &[("if-none-match", &tag(&first.1))]).await.0, 304);
    service.stop().await;
}

#[tokio::test]
async fn servers_devices_and_uplinks_are_listed() {
    let store = stocked("figures-lists").await;
    let service = Service::on(&store, now).await;
    service.post(lines(NOW.0, 4)).await;
    for slot in 0..=2 {
        let time = NOW.0 - (2 - slot) * SLOT_MS;
        let port = |device: &str, interface: &str, bps: i64| {
            let octets = slot * bps * SLOT_MS / 8_000;
            format!(r#"{{"device":"{device}","interface":"{interface}","time":{time},"rx":{octets},"tx":0}}"#)
                + "\n"
        };
        // Ends in an open slot, so that something flows there now.
        service.post(port("core", "xe-1", 8_000_000) + &port("sw9", "ge-9", 1)).await;
    }
    let later = NOW.0 + 60_000;
    let line = format!(r#"{{"device":"sw9","interface":"ge-9","time":{later},"rx":99999999,"tx":0}}"#);
    service.post(line).await;

    for (query, expected) in [
        ("", "abcdef"),
        ("?region=osaka", "cde"),
        ("?customer=c1", "acf"),
        ("?plan=us", "bc"),
        ("?q=SW2%20ge-", "cde"),
        ("?q=c.CSV", "c"),
        ("?q=ge-1+sw2", "c"),
        ("?q=Acme+TOKYO", "af"),
        ("?q=osaka+jp", "de"),
        ("?q=nothing", ""),
    ] {
        let path = format!("/v1/servers{query}");
        let whole = service.json(&path).await;
        assert_eq!(
            (ids(whole["servers"].as_array().unwrap()), &whole["count"]),
            (expected.to_owned(), &json!(expected.len()))
        );
        for limit in [1, 4] {
            assert_eq!(service.pages(&path, "servers", limit).await, *whole["servers"].as_array().unwrap());
        }
        let rows = service.csv(&path).await;
        assert_eq!(rows.iter().map(|row| &row["id"][..1]).collect::<String>(), expected);
    }
    assert_eq!(service.csv("/v1/servers?q=c.csv").await[0]["ports"], "sw2 ge-1");

    let uplinks = service.json("/v1/uplinks").await;
    let up = &uplinks["uplinks"][0];
    assert_eq!(
        (&up["id"], &up["state"], &up["share"]),
        (&json!("up-1"), &json!("tight"), &json!("0.8000")),
        "{up}"
    );
    assert_eq!(
        (&up["in_bps"], &up["out_bps"], &up["direction"]),
        (&json!(8_000_000), &json!(0), &json!("in"))
    );
    assert_eq!((&up["servers"], &up["by_servers_in_bps"]), (&json!(3), &json!(7_000_000)), "{up}");
    assert_eq!(service.json("/v1/uplinks?region=osaka").await["uplinks"], json!([]));

    let devices = service.json("/v1/devices").await;
    let names: Vec<&str> =
        devices["devices"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["core", "spare", "sw1", "sw2", "sw9"]);
    assert_eq!(service.pages("/v1/devices", "devices", 2).await, *devices["devices"].as_array().unwrap());
    let of = |name: &str| {
        devices["devices"].as_array().unwrap().iter().find(|d| d["name"] == name).unwrap().clone()
    };
    let sw1 = of("sw1");
    assert_eq!(
        (&sw1["state"], &sw1["region"], &sw1["lag_ms"]),
        (&json!("ok"), &json!("tokyo"), &json!(0)),
        "{sw1}"
    );
    assert_eq!((&sw1["ports_read"], &sw1["ports_used"], &sw1["snmp"]), (&json!(2), &json!(4), &Value::Null));
    assert_eq!((&sw1["in_inventory"], &sw1["unmapped_with_traffic"]), (&json!(true), &json!(0)));
    let core = of("core");
    assert_eq!(
        (&core["in_inventory"], &core["ports_read"], &core["ports_used"]),
        (&json!(true), &json!(1), &json!(1))
    );
    assert_eq!(of("spare")["state"], "never");
    let strange = of("sw9");
    assert_eq!(
        (&strange["in_inventory"], &strange["unmapped_with_traffic"]),
        (&json!(false), &json!(1)),
        "{strange}"
    );
    assert_eq!(service.csv("/v1/devices").await.len(), 5);

    let sw1 = service.json("/v1/devices/sw1").await;
    let ports = sw1["ports"].as_array().unwrap();
    let owned: Vec<(&Value, &Value)> = ports.iter().map(|p| (&p["interface"], &p["of"]["server"])).collect();
    assert_eq!(
        owned,
        [
            (&json!("ge-1"), &json!("a")),
            (&json!("ge-2"), &json!("b")),
            (&json!("ge-6"), &json!("f")),
            (&json!("ge-9"), &json!("a")),
        ],
        "what ended is nobody's"
    );
    let check_only: Vec<&Value> = ports.iter().map(|p| &p["of"]["check_only"]).collect();
    assert_eq!(check_only, [&json!(false), &json!(false), &json!(false), &json!(true)]);
    for name in ["core", "sw1", "sw2", "sw9"] {
        // By itself a device is told as it is in the list.
        let mut alone = service.json(&format!("/v1/devices/{name}")).await;
        alone.as_object_mut().unwrap().remove("ports");
        assert_eq!(alone, of(name));
    }
    assert_eq!((&ports[0]["disagreement"], &ports[2]["last_reading"]), (&Value::Null, &Value::Null));
    let core = service.json("/v1/devices/core").await;
    assert_eq!(
        core["ports"][0]["of"],
        json!({"server": null, "uplink": "up-1", "kind": null, "check_only": false})
    );
    let strange = service.json("/v1/devices/sw9").await;
    assert_eq!(strange["ports"][0]["of"], Value::Null);
    assert!(strange["ports"][0]["open_slot"]["rx_octets"].as_u64() > Some(0), "{strange}");
    service.stop().await;
}

#[tokio::test]
async fn a_month_that_is_over_is_told_as_it_ended() {
    let store = stocked("figures-month").await;
    let service = Service::on(&store, november_ends).await;
    // Over a tenth of the month, so that something is left after a twentieth is discarded, and to the end of it.
    service.post(lines(NOVEMBER_ENDS.0 + 1, 900)).await;
    let live = service.json("/v1/usage?sort=overage").await;
    assert_eq!((&live["period"], &live["count"]), (&json!("2026-11"), &json!(6)));
    assert!(live["servers"][0]["overage_bps"].as_u64() > Some(0), "{live}");
    service.stop().await;

    let service = Service::on(&store, december).await;
    for query in [
        "sort=overage",
        "sort=overage&region=tokyo",
        "sort=p95&over=true",
        "server=a",
        "plan=us",
        "customer=c1",
    ] {
        let path = format!("/v1/usage?period=2026-11&{query}");
        let over = service.json(&path).await;
        assert_eq!(over["as_of"], "2026-11-30T15:10:00Z");
        let told = over["servers"].as_array().unwrap();
        assert!(!told.is_empty(), "{path}");
        for line in told {
            let then =
                live["servers"].as_array().unwrap().iter().find(|l| l["server"] == line["server"]).unwrap();
            let (mut then, mut line) = (then.clone(), line.clone());
            // The newest sample is the running month's; projections end with the month.
            for line in [&mut then, &mut line] {
                line.as_object_mut().unwrap().remove("last");
                if line["server"] == "f" {
                    // For one that was never read the last slots wait for their grace, which is over a day later.
                    line.as_object_mut().unwrap().remove("expected_so_far");
                }
            }
            assert_eq!((line["projected"].take(), then["projected"].take()), (Value::Null, Value::Null));
            assert_eq!(line, then, "{path}");
        }
        for limit in [1, 2] {
            assert_eq!(service.pages(&path, "servers", limit).await, *told, "{path} by {limit}");
        }
        assert_eq!(service.json(&path).await, over, "{path}");
        assert_eq!(service.csv(&path).await.len(), told.len());
    }
    let whole = service.json("/v1/usage?period=2026-11&sort=overage").await;
    let figures =
        |usage: &Value| (usage["count"].clone(), usage["over_count"].clone(), usage["totals"].clone());
    assert_eq!(figures(&whole), figures(&live));
    // What comes late is in the next answer.
    let late = |octets: i64, time: i64| {
        format!(r#"{{"device":"sw1","interface":"ge-6","time":{time},"rx":{octets},"tx":0}}"#) + "\n"
    };
    let end = NOVEMBER_ENDS.0 + 1;
    service.post(late(0, end - 2 * SLOT_MS) + &late(99_999, end - SLOT_MS)).await;
    service.stop().await;
    let service = Service::on(&store, december).await;
    let f = service.json("/v1/usage?period=2026-11&server=f").await;
    assert_eq!(f["servers"][0]["samples"], 1, "{f}");
    service.stop().await;
}

#[tokio::test]
async fn where_the_month_may_end_is_told_from_whole_weeks() {
    let store = stocked("figures-weeks").await;
    let service = Service::on(&store, now).await;
    // Eight days up to now have the week up to the last midnight in them, and no other as a whole.
    service.post(lines(NOW.0, 8 * 288)).await;
    service.stop().await;
    let service = Service::on(&store, now).await;
    let usage = service.json("/v1/usage?sort=projected").await;
    let line =
        |id: &str| usage["servers"].as_array().unwrap().iter().find(|l| l["server"] == id).unwrap().clone();
    let a = line("a");
    // Every slot of the week had 4 Mbps. Of 8,640 slots 432 are forgiven and 2,304 have closed at 4 Mbps: it ends there, by
    // whatever the slots to come are.
    assert_eq!(
        a["projected"],
        json!({
            "low_p95_bps": 4_000_000, "high_p95_bps": 4_000_000, "low_overage_bps": 3_000_000, "high_overage_bps": 3_000_000,
            "weeks": 1, "rule": meter95::usage::PROJECTION_RULE,
        }),
        "{a}"
    );
    assert_eq!(line("f")["projected"], Value::Null);
    assert_eq!(ids(usage["servers"].as_array().unwrap()), "dabcef");
    service.stop().await;
}

#[tokio::test]
async fn samples_are_gathered_by_hours_and_days() {
    let store = stocked("figures-samples").await;
    let service = Service::on(&store, now).await;
    // Another rate in every slot.
    let mut octets = 0;
    let mut posted = String::new();
    for slot in 0..700_i64 {
        let time = NOW.0 - (699 - slot) * SLOT_MS;
        octets += slot * slot % 977 * 10_000;
        posted += &format!(
            r#"{{"device":"sw1","interface":"ge-1","time":{time},"tx":{octets},"rx":{}}}"#,
            octets / 3
        );
        posted.push('\n');
    }
    service.post(posted).await;
    service.stop().await;
    let service = Service::on(&store, now).await;
    let span = format!("from=2026-11-17T00:00:00Z&until={NOW}");
    let all = service.json(&format!("/v1/servers/a/samples?{span}")).await;
    let samples = all["samples"].as_array().unwrap();
    assert_eq!(samples.len(), 699);
    let at = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    for (step, ms) in [("hour", 3_600_000), ("day", 86_400_000)] {
        let path = format!("/v1/servers/a/samples?{span}&step={step}");
        let gathered = service.json(&path).await;
        assert_eq!((&gathered["step"], &gathered["allowances"]), (&json!(step), &all["allowances"]));
        let buckets = gathered["buckets"].as_array().unwrap();
        let counted: u64 = buckets.iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum();
        assert_eq!(counted, 699);
        for bucket in buckets {
            let (from, until) = (at(&bucket["from"]), at(&bucket["until"]));
            // Tokyo is nine hours ahead of UTC, all year.
            assert!(
                until - from <= ms && ((from + 32_400_000) % ms == 0 || bucket == &buckets[0]),
                "{bucket}"
            );
            for (field, of) in [("in", "in_bps"), ("out", "out_bps"), ("value", "value_bps")] {
                let inside = samples.iter().filter(|sample| (from..until).contains(&at(&sample["slot"])));
                let mut values: Vec<u64> = inside.map(|sample| sample[of].as_u64().unwrap()).collect();
                values.sort_unstable();
                assert_eq!(values.len() as u64, bucket["count"].as_u64().unwrap());
                let rank = (95 * values.len()).div_ceil(100);
                assert_eq!(bucket[format!("{field}_p95_bps")], values[rank - 1], "{bucket}");
                assert_eq!(bucket[format!("{field}_max_bps")], *values.last().unwrap(), "{bucket}");
            }
        }
        let rows = service.csv(&path).await;
        assert_eq!(rows.len(), buckets.len());
        buckets.iter().zip(&rows).for_each(|(bucket, row)| is_row(bucket, row));
    }
    let rows = service.csv(&format!("/v1/servers/a/samples?{span}")).await;
    assert_eq!(rows.len(), 699);
    samples.iter().zip(&rows).for_each(|(sample, row)| is_row(sample, row));
    service.stop().await;
}

#[tokio::test]
async fn the_last_day_is_told_by_the_largest_sample_of_each_hour() {
    let store = stocked("figures-recent").await;
    let service = Service::on(&store, now).await;
    // Another rate in every slot for a, since long before the day; for b but the hours before the last one, more out than in.
    let (mut posted, mut octets) = (String::new(), 0);
    for slot in 0..=400_i64 {
        let time = NOW.0 - (400 - slot) * SLOT_MS;
        octets += slot * slot % 977 * 10_000;
        posted += &format!(r#"{{"device":"sw1","interface":"ge-1","time":{time},"tx":{octets},"rx":0}}"#);
        posted.push('\n');
        if (300..380).contains(&slot) {
            posted += &format!(r#"{{"device":"sw1","interface":"ge-2","time":{time},"tx":7,"rx":{octets}}}"#);
            posted.push('\n');
        }
    }
    service.post(posted).await;
    service.stop().await;
    let service = Service::on(&store, now).await;
    let recent = service.json("/v1/recent?servers=f,a,nobody,b,a").await;
    assert_eq!(
        (&recent["from"], &recent["step_s"]),
        (&json!("2026-11-20T02:00:00Z"), &json!(3_600)),
        "{recent}"
    );
    let told = recent["servers"].as_array().unwrap();
    assert_eq!(ids(told), "fab", "each once, and those that there are");
    let from = NOW.0 - NOW.0 % 3_600_000 - 23 * 3_600_000;
    for line in told {
        let id = line["server"].as_str().unwrap();
        let span = format!("from={from}&until={}", from + 24 * 3_600_000);
        let samples = service.json(&format!("/v1/servers/{id}/samples?{span}")).await;
        let mut largest: Vec<Option<u64>> = vec![None; 24];
        for sample in samples["samples"].as_array().unwrap() {
            let at: jiff::Timestamp = sample["slot"].as_str().unwrap().parse().unwrap();
            let hour = usize::try_from((at.as_millisecond() - from) / 3_600_000).unwrap();
            largest[hour] = largest[hour].max(sample["value_bps"].as_u64());
        }
        assert_eq!(line["value_max_bps"], json!(largest), "{id}");
        let hours = largest.iter().flatten().count();
        assert_eq!(
            hours,
            match id {
                "a" => 24,
                "b" => 8,
                _ => 0,
            },
            "{id}: {line}"
        );
    }
    let many = |count: usize| vec!["x"; count].join(",");
    for (query, field, says) in [
        ("", "servers", "missing"),
        ("?servers=", "servers", "a value is empty"),
        (&format!("?servers={}", many(101)), "servers", "101 values, and at most 100 may be"),
        ("?server=a", "server", "this takes servers"),
    ] {
        let (status, _, body) = service.ask(&format!("/v1/recent{query}"), &[]).await;
        let problem: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{body}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{body}");
    }
    assert_eq!(service.json(&format!("/v1/recent?servers={}", many(100))).await["servers"], json!([]));
    service.stop().await;
}

/// A catalog of `count` servers in two regions, of three customers.
fn catalog(count: usize) -> Arc<Catalog> {
    let entry = |server: usize| {
        json!({
            "id": format!("s{server:03}"), "customer": format!("c{}", server % 3),
            "region": (["tokyo", "osaka"][server % 2]), "plan": (["jp", "us"][server / 2 % 2]),
        })
    };
    let document: Document = serde_json::from_value(json!({
        "plans": [
            { "id": "jp", "price_per_mbps": "900", "currency": "JPY" },
            { "id": "us", "price_per_mbps": "12.50", "currency": "USD" },
        ],
        "servers": (0..count).map(entry).collect::<Vec<_>>(),
    }))
    .unwrap();
    let inventory = Arc::new(Inventory::from_document(&document).unwrap());
    Arc::new(Catalog::new(&inventory, "2026-11".parse().unwrap(), |_| true))
}

/// A line with this overage, in Mbps, and so with an amount; none for a server without data.
fn row(catalog: &Catalog, row: u32, overage: Option<u64>) -> Row {
    let bps = overage.map(|mbps| Bps(mbps * 1_000_000));
    let terms = catalog.terms_of(row).unwrap();
    let billable = terms.billable(bps);
    Row {
        figures: Figures {
            samples: overage.unwrap_or(0),
            expected: 8_640,
            expected_so_far: 10,
            rank: None,
            p95: bps,
            p95_in: bps,
            p95_out: bps,
            overage: bps,
            locked_in_p95: bps,
            locked_in_overage: bps,
            burst_slots: 432,
            burst_left_slots: 432 - overage.unwrap_or(0),
        },
        allowance: Bps(1_000_000),
        last: bps.map(|bps| {
            let rates = Rates { in_bps: bps, out_bps: Bps(0) };
            (Slot(7), Sample { rates, partial: false })
        }),
        projected: None,
        billable,
        amount: terms.amount(billable),
    }
}

fn table(catalog: &Arc<Catalog>, overages: &[Option<u64>], since: i64) -> Table {
    let rows = (0..).zip(overages).map(|(number, overage)| row(catalog, number, *overage)).collect();
    Table::new(Arc::clone(catalog), rows, Timestamp(since))
}

/// An overage, small so that many have the same.
fn overage() -> impl Strategy<Value = Option<u64>> {
    prop::option::weighted(0.9, 0u64..6)
}

fn sort() -> impl Strategy<Value = (Sort, Direction)> {
    (prop::sample::select(Sort::ALL.to_vec()), prop::sample::select(vec![Direction::Asc, Direction::Desc]))
}

/// A page that begins after the end of another one, or at the beginning.
fn next_page(
    table: &Table,
    chosen: &Chosen,
    (sort, direction): (Sort, Direction),
    after: Option<&(u128, String)>,
    limit: usize,
) -> Page {
    let start = after.map_or(Start::Skipping(0), |(key, id)| Start::After(*key, id));
    table.page(chosen, sort, direction, start, limit)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Pages put together are the whole, which is in the order of the keys and ids.
    #[test]
    fn every_line_comes_once_in_its_order(
        overages in prop::collection::vec(overage(), 1..40),
        sort in sort(),
        limit in 1usize..45,
        region in prop::option::of(prop::sample::select(vec!["tokyo", "osaka"])),
        words in prop::sample::select(vec!["", "", "S00", "c1 US", "1 jp", "nowhere"]),
        no_data in prop::bool::weighted(0.2),
    ) {
        let catalog = catalog(overages.len());
        let table = table(&catalog, &overages, 5);
        let search = Search::try_from(words.to_owned()).unwrap();
        let filter = Filter { region: region.map(str::to_owned), search, no_data, ..Filter::default() };
        let chosen = filter.choose(&catalog, &Caller::anyone());
        let key = |row: &u32| sort.0.key(&table.rows()[*row as usize], &catalog, *row);
        let fits = |row: &u32| {
            let (server, plan) = (catalog.server(*row).unwrap(), &catalog.terms_of(*row).unwrap().plan.id);
            let text = format!("{} {} {} {plan}", server.id, server.customer, server.region);
            region.is_none_or(|r| server.region == r)
                && words.to_lowercase().split_whitespace().all(|word| text.contains(word))
                && (!no_data || overages[*row as usize].is_none())
        };
        let mut expected: Vec<u32> = catalog.rows().filter(fits).collect();
        expected.sort_by_key(|row| (key(row), *row));
        if sort.1 != sort.0.direction() {
            // Lines without the figure stay where they are.
            let without = expected.iter().position(|row| key(row) == u128::MAX).unwrap_or(expected.len());
            expected[..without].reverse();
        }
        for skipped in [0, 1, expected.len() / 2, expected.len(), 99] {
            let page = table.page(&chosen, sort.0, sort.1, Start::Skipping(skipped), limit);
            let rest = expected.get(skipped..).unwrap_or_default();
            prop_assert_eq!(page.rows.as_slice(), &rest[..rest.len().min(limit)]);
            prop_assert_eq!(page.more.is_some(), rest.len() > limit);
        }
        let mut found: Vec<u32> = Vec::new();
        let mut after: Option<(u128, String)> = None;
        loop {
            let page = next_page(&table, &chosen, sort, after.as_ref(), limit);
            prop_assert!(page.rows.len() <= limit);
            found.extend(&page.rows);
            match (page.more, page.rows.last()) {
                (Some(key), Some(last)) => after = Some((key, catalog.ids()[*last as usize].clone())),
                _ => break,
            }
        }
        prop_assert_eq!(&found, &expected);
        let summary = table.summary(&chosen);
        prop_assert_eq!(summary.count, expected.len() as u64);
        let billable: u64 = expected.iter().filter_map(|row| table.rows()[*row as usize].billable).map(|b| b.0).sum();
        prop_assert_eq!(summary.sums.iter().map(|sum| sum.billable_bps.0).sum::<u64>(), billable);
    }

    /// Figures that change between two pages: no line comes twice and none is left out but one that has changed.
    #[test]
    fn lines_that_stand_still_come_once(
        overages in prop::collection::vec(overage(), 1..40),
        moves in prop::collection::vec((0usize..40, overage()), 0..20),
        sort in sort(),
        limit in 1usize..6,
    ) {
        let catalog = catalog(overages.len());
        let chosen = Chosen::all(&catalog);
        let mut table = table(&catalog, &overages, 5);
        let mut moves = moves.into_iter().filter(|(row, _)| *row < overages.len());
        let mut moved = BTreeSet::new();
        let mut found: Vec<u32> = Vec::new();
        let mut after: Option<(u128, String)> = None;
        loop {
            let page = next_page(&table, &chosen, sort, after.as_ref(), limit);
            found.extend(&page.rows);
            match (page.more, page.rows.last()) {
                (Some(key), Some(last)) => after = Some((key, catalog.ids()[*last as usize].clone())),
                _ => break,
            }
            if let Some((number, overage)) = moves.next() {
                let number = u32::try_from(number).unwrap();
                moved.insert(number);
                table = table.followed_by(&[(number, row(&catalog, number, overage))], Timestamp(9));
            }
        }
        for number in catalog.rows() {
            let times = found.iter().filter(|row| **row == number).count();
            prop_assert!(times == 1 || moved.contains(&number), "{number}: {times}");
        }
    }

    /// A table that follows another is one that is made anew, but for what it says of when.
    #[test]
    fn a_table_that_follows_is_one_made_anew(
        before in prop::collection::vec(overage(), 1..40),
        moves in prop::collection::vec((0usize..40, overage()), 0..40),
    ) {
        let catalog = catalog(before.len());
        let old = table(&catalog, &before, 5);
        Sort::ALL.into_iter().for_each(|sort| assert_eq!(old.order(sort).len(), before.len()));
        let mut after = before.clone();
        let moves: BTreeMap<usize, Option<u64>> = moves.into_iter().filter(|(row, _)| *row < before.len()).collect();
        for (number, overage) in &moves {
            after[*number] = *overage;
        }
        let moved: Vec<(u32, Row)> = moves
            .iter()
            .map(|(number, overage)| {
                let number = u32::try_from(*number).unwrap();
                (number, row(&catalog, number, *overage))
            })
            .collect();
        let (followed, anew) = (old.followed_by(&moved, Timestamp(9)), table(&catalog, &after, 9));
        prop_assert_eq!(followed.rows(), anew.rows());
        for sort in Sort::ALL {
            prop_assert_eq!(followed.order(sort), anew.order(sort));
        }
        let all = Chosen::all(&catalog);
        prop_assert_eq!(&followed.summary(&all).sums, &anew.summary(&all).sums);
        let since = if moved.is_empty() { 5 } else { 9 };
        prop_assert_eq!(followed.summary(&all).since, Timestamp(since));
    }
}

#[test]
fn a_limited_caller_sees_its_own_lines_counts_and_sums() {
    let overages: Vec<Option<u64>> = (0..30).map(|i| Some(i % 4)).collect();
    let catalog = catalog(30);
    let table = table(&catalog, &overages, 5);
    let some = |text: &str| Some(text.to_owned());
    for (limit, asked) in [
        (Limit { customer: some("c1"), region: None }, Filter::default()),
        (Limit { customer: None, region: some("osaka") }, Filter::default()),
        (Limit { customer: some("c1"), region: some("osaka") }, Filter { over: true, ..Filter::default() }),
        (Limit { customer: some("c1"), region: None }, Filter { customer: some("c2"), ..Filter::default() }),
        (Limit { customer: some("c1"), region: None }, Filter { server: some("s000"), ..Filter::default() }),
        (Limit { customer: some("c1"), region: None }, Filter { server: some("s001"), ..Filter::default() }),
        (Limit { customer: some("nobody"), region: None }, Filter::default()),
    ] {
        let caller = Caller { limit, ..Caller::anyone() };
        let chosen = asked.choose(&catalog, &caller);
        let is = |asked: &Option<String>, found: &str| asked.as_deref().is_none_or(|asked| asked == found);
        let seen: Vec<u32> = catalog
            .rows()
            .filter(|row| {
                let server = catalog.server(*row).unwrap();
                caller.sees(&server.customer, &server.region)
                    && is(&asked.customer, &server.customer)
                    && is(&asked.server, &server.id)
                    && (!asked.over || overages[*row as usize] > Some(0))
            })
            .collect();
        assert_eq!(
            next_page(&table, &chosen, (Sort::Server, Direction::Asc), None, 100).rows,
            seen,
            "{asked:?} {caller:?}"
        );
        let usage = Usage::of(&table, &chosen, &seen, None);
        assert_eq!(usage.count, seen.len() as u64);
        let over = seen.iter().filter(|row| overages[**row as usize] > Some(0)).count();
        assert_eq!(usage.over_count, over as u64);
        let counted: u64 = usage.totals.iter().map(|sum| sum.count).sum();
        assert_eq!(counted, seen.len() as u64);
        assert!(usage.servers.iter().all(|line| caller.sees(&line.customer, &line.region)));
    }
}
