//! Months over the HTTP API, without a socket and on the real store: from the readings of some hours to statements, their
//! proofs and corrections; how everything that can't be is refused; and a month that closes by itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use meter95::aggregator::intake::{self, Intake};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api::{self, App};
use meter95::closing::close::{Order, Outcome};
use meter95::closing::desk::Progress;
use meter95::closing::schedule::{BY, Schedule, Tried};
use meter95::collectors::CollectorName;
use meter95::collectors::said::Said;
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::metering::period::Month;
use meter95_reading::{Reading, Timestamp};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support;

/// 2026-11-01T00:00:00+09:00, when October ends in Tokyo.
const NOVEMBER: Timestamp = Timestamp(1_793_458_800_000);

/// 2026-10-05T00:00:00+09:00, when both servers' service begins; it ends five hours, 60 slots, later.
const BEGIN: i64 = 1_791_126_000_000;

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
service_start = "2026-10-05T00:00:00+09:00"
service_end = "2026-10-05T05:00:00+09:00"
ports = [{ device = "sw1", interface = "a" }]

[[servers]]
id = "web/02"
customer = "c002"
region = "osaka"
plan = "jp"
service_start = "2026-10-05T00:00:00+09:00"
service_end = "2026-10-05T05:00:00+09:00"
ports = [{ device = "sw1", interface = "b" }]
"#;

fn october() -> Month {
    "2026-10".parse().unwrap()
}

fn in_october() -> Timestamp {
    NOVEMBER.plus_ms(-1)
}

fn in_grace() -> Timestamp {
    NOVEMBER.plus_ms(599_999)
}

fn in_november() -> Timestamp {
    NOVEMBER.plus_ms(600_000)
}

/// What was read: web01 takes 100 kbps more in each slot than in the one before, from 100 kbps to 6 Mbps; web/02 takes
/// 2 Mbps for two and a half hours, and then nobody reads it.
fn readings() -> Vec<Reading> {
    let line = |interface: &str, slot: i64, tx: i64| {
        let time = BEGIN + slot * SLOT_MS;
        let line = json!({"device": "sw1", "interface": interface, "time": time, "rx": 0, "tx": tx});
        serde_json::from_value(line).unwrap()
    };
    let rising = (0..=60).map(|slot| line("a", slot, 3_750_000 * slot * (slot + 1) / 2));
    let level = (0..=30).map(|slot| line("b", slot, 75_000_000 * slot));
    rising.chain(level).collect()
}

/// A service that has taken all of it, and stored what follows from it.
struct Site {
    app: App,
    dir: PathBuf,
}

impl Site {
    async fn new(name: &str) -> Self {
        let (store, dir) = support::store_and_dir(name).await;
        let document: Document = toml::from_str(INVENTORY).unwrap();
        let changes = changes(&Document::default(), &document);
        store.put_inventory(&changes, 1, Timestamp(BEGIN), "test").await.unwrap();
        let times = Times::default();
        let pipeline = Pipeline::open(store.clone(), times, Clock::Machine(in_november())).await.unwrap();
        let live = pipeline.live();
        let (intake, queue) = Intake::new();
        let stop = CancellationToken::new();
        let running = tokio::spawn(intake::run(pipeline, queue, in_november, stop.clone()));
        assert_eq!(intake.submit(readings()).await.unwrap().taken, 92);
        stop.cancel();
        running.await.unwrap().unwrap();
        Self { app: support::app(&store, &dir, live, intake, in_november).await, dir }
    }

    fn at(&self, now: fn() -> Timestamp) -> Router {
        api::router(App { now, ..self.app.clone() })
    }

    async fn get(&self, path: &str) -> Answer {
        ask(&self.at(in_november), "GET", path, "").await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        ask(&self.at(in_november), "POST", path, &body.to_string()).await
    }

    /// What the collector "tokyo-1" holds of October, heard of in November.
    async fn holds(&self, unsent: u64) {
        let name = CollectorName::new("tokyo-1").unwrap();
        let oldest_unsent = (unsent > 0).then_some(Timestamp(BEGIN));
        let said = Said { name, unsent, oldest_unsent, stopping: false };
        self.app.collectors.take(said, in_november()).await.unwrap();
    }
}

/// An answer, complete.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A refusal with this status whose detail says `says`.
    fn refused(&self, status: u16, says: &str) -> Value {
        let text = self.text();
        assert_eq!(self.status, status, "{says}: {text}");
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json", "{text}");
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{says}: {detail}");
        problem
    }
}

async fn ask(router: &Router, method: &str, path: &str, body: &str) -> Answer {
    let request =
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: head.status.as_u16(), headers: head.headers, body }
}

/// The fields of `object` that `expected` has.
fn of(object: &Value, expected: &Value) -> Value {
    let names = expected.as_object().unwrap().keys();
    names.map(|name| (name.clone(), object[name].clone())).collect::<serde_json::Map<_, _>>().into()
}

fn has(object: &Value, expected: Value) {
    assert_eq!(of(object, &expected), expected, "{object}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_goes_all_the_way() {
    let site = Site::new("periods-all-the-way").await;
    let state = "/v1/periods/2026-10";
    for (now, phase) in
        [(in_october as fn() -> Timestamp, "running"), (in_grace, "grace"), (in_november, "open")]
    {
        let shown = ask(&site.at(now), "GET", state, "").await.ok();
        assert_eq!(
            shown,
            json!({
                "period": "2026-10", "from": "2026-09-30T15:00:00Z", "until": "2026-10-31T15:00:00Z",
                "timezone": "Asia/Tokyo", "closes_at": "2026-10-31T15:10:00Z", "state": phase,
                "closed_at": null, "closed_by": null, "issued": 0, "held": 0, "amounts": [], "held_back": [],
                "closing": null,
            })
        );
    }
    has(&site.get("/v1/periods/2026-12").await.ok(), json!({"state": "to_come"}));

    // A collector is in the way, until somebody answers for it.
    site.holds(3).await;
    let held_back = site.get(state).await.ok()["held_back"].take();
    assert!(held_back[0].as_str().unwrap().contains("collector \"tokyo-1\""), "{held_back}");
    let close = "/v1/periods/2026-10/close";
    let problem = site.post(close, &json!({"by": "aiko"})).await.refused(409, "say why in override");
    assert_eq!(problem["held_back"], held_back);
    let answered_for = json!({"by": "aiko", "override": "tokyo-1 burnt down"});
    assert_eq!(
        site.post(close, &answered_for).await.ok(),
        json!({"issued": 1, "issued_before": 0, "held": 1, "differing": []})
    );
    let sums = json!({
        "state": "closed", "closed_at": "2026-10-31T15:10:00Z", "closed_by": "aiko", "issued": 1, "held": 1,
        "amounts": [{"currency": "JPY", "amount": "4230"}], "held_back": held_back, "closing": null,
    });
    has(&site.get(state).await.ok(), sums);
    site.post(close, &json!({"by": "ben"})).await.refused(409, "tokyo-1");
    site.holds(0).await;
    let again = site.post(close, &json!({"by": "ben"})).await.ok();
    assert_eq!(again, json!({"issued": 0, "issued_before": 1, "held": 1, "differing": []}));

    // 57th of 60 ascending: 5.7 Mbps, 4.7 over the allowance, at 900.
    let web01 = site.get("/v1/periods/2026-10/statements/web01").await.ok();
    has(
        &web01,
        json!({
            "state": "issued", "server": "web01", "revision": 1, "samples": 60, "expected": 60, "rank": 57,
            "p95_bps": 5_700_000, "overage_bps": 4_700_000, "amount": "4230", "currency": "JPY",
            "issued_by": "aiko", "billable_slot": "2026-10-04T19:40:00Z",
        }),
    );
    assert_eq!(site.get("/v1/periods/2026-10/statements/web01?revision=1").await.ok(), web01);

    // Of the other one half is missing: a person looks at it.
    let reviews = site.get("/v1/periods/2026-10/reviews").await.ok();
    let held = &reviews["reviews"][0];
    has(held, json!({"state": "held", "server": "web/02", "p95_bps": 2_000_000, "amount": "900"}));
    assert!(held["review"]["reasons"][0].as_str().unwrap().contains("coverage 0.5"), "{held}");
    let bundle = "/v1/periods/2026-10/statements/web%2F02/bundle";
    site.get(bundle).await.refused(409, "waits for review");
    let approve = "/v1/periods/2026-10/reviews/web%2F02";
    let approved = site.post(approve, &json!({"by": "ben", "note": "switch was replaced"})).await.ok();
    has(&approved, json!({"state": "issued", "server": "web/02", "issued_by": "ben", "amount": "900"}));
    assert_eq!(approved["review"]["note"], "switch was replaced");
    site.post(approve, &json!({"by": "ben", "note": "x"})).await.refused(404, "no held statement");
    let sums =
        json!({"issued": 2, "held": 0, "held_back": [], "amounts": [{"currency": "JPY", "amount": "5130"}]});
    has(&site.get(state).await.ok(), sums);

    // What proves and explains it.
    let answer = site.get("/v1/periods/2026-10/statements/web01/bundle").await;
    assert_eq!(
        answer.header(header::CONTENT_DISPOSITION),
        "attachment; filename=\"2026-10_web01_r1.meter95\""
    );
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/plain; charset=utf-8");
    let verified = meter95::closing::bundle::verify(&answer.body).unwrap();
    assert_eq!(serde_json::to_value(&verified.statement).unwrap()["amount"], "4230");
    assert!(site.get(bundle).await.text().starts_with("meter95-bundle 1 sha256:"));
    let explanation = "/v1/periods/2026-10/statements/web01/explanation";
    let told = site.get(explanation).await.ok();
    assert_eq!((&told["statement"]["p95_bps"], &told["state"]), (&json!(5_700_000), &json!("issued")));
    for (lang, says) in [("en", "95th percentile"), ("ja", "95パーセンタイル")] {
        let answer = site.get(&format!("{explanation}?format=text&lang={lang}")).await;
        assert_eq!(answer.header(header::CONTENT_TYPE), "text/plain; charset=utf-8");
        assert!(answer.text().contains(says), "{lang}: {}", answer.text());
    }

    // An incident is declared, and the statement corrected.
    let wish = |dry_run: bool| json!({"by": "aiko", "reason": "DDoS of the 5th", "dry_run": dry_run});
    let revisions = "/v1/periods/2026-10/revisions";
    assert_eq!(site.post(revisions, &wish(false)).await.ok()["revisions"], json!([]));
    let incident = json!({
        "server": "web01", "from": "2026-10-05T04:00:00+09:00", "until": "2026-10-05T05:00:00+09:00",
        "why": "DDoS, ticket 4711", "by": "aiko",
    });
    let declared = site.post("/v1/exclusions", &incident).await.ok();
    has(&declared, json!({"server": "web01", "from": "2026-10-04T19:00:00Z", "why": "DDoS, ticket 4711"}));
    assert_eq!(site.get("/v1/exclusions").await.ok(), json!({"exclusions": [declared]}));
    let dry = site.post(revisions, &wish(true)).await.ok();
    let corrected = &dry["revisions"][0];
    has(corrected, json!({"server": "web01", "customer": "c001", "revision": 2, "kind": "server"}));
    assert_eq!(
        (&corrected["before"]["amount"], &corrected["after"]["amount"]),
        (&json!("4230"), &json!("3150"))
    );
    let all = "/v1/periods/2026-10/statements?server=web01&all_revisions=true";
    assert_eq!(site.get(all).await.ok()["statements"], json!([web01]), "nothing was issued by a dry run");
    let done = site.post(revisions, &wish(false)).await.ok();
    assert_eq!((&done["revisions"], &done["dry_run"]), (&dry["revisions"], &json!(false)));
    let both = site.get(all).await.ok();
    assert_eq!((&both["statements"][0], &both["statements"][1]["amount"]), (&web01, &json!("3150")));
    assert_eq!(site.get("/v1/periods/2026-10/statements/web01").await.ok(), both["statements"][1]);

    // What is listed and exported.
    let servers = |answer: &Value| {
        let list = answer["statements"].as_array().unwrap().iter();
        list.map(|s| format!("{} r{}", s["server"].as_str().unwrap(), s["revision"])).collect::<Vec<_>>()
    };
    for (query, found) in [
        ("", &["web/02 r1", "web01 r2"][..]),
        ("?all_revisions=true", &["web/02 r1", "web01 r1", "web01 r2"]),
        ("?customer=c002", &["web/02 r1"]),
        ("?region=tokyo&only_overage=true", &["web01 r2"]),
        ("?server=web%2F02", &["web/02 r1"]),
        ("?customer=nobody", &[]),
    ] {
        let listed = site.get(&format!("/v1/periods/2026-10/statements{query}")).await.ok();
        assert_eq!(servers(&listed), found, "{query}");
    }
    assert_eq!(site.get("/v1/periods/2026-09/statements").await.ok()["statements"], json!([]));
    let answer = site.get("/v1/periods/2026-10/export").await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/csv; charset=utf-8");
    assert_eq!(answer.header(header::CONTENT_DISPOSITION), "attachment; filename=\"2026-10_lines.csv\"");
    let csv = answer.text();
    assert_eq!((csv.lines().count(), csv.starts_with("period,kind,server,")), (4, true), "{csv}");
    let headed = site.get("/v1/periods/2026-10/export?headings=ja&customer=c001").await.text();
    assert_eq!((headed.lines().count(), headed.contains("超過帯域")), (3, true), "{headed}");
    let lines = site.get("/v1/periods/2026-10/export?format=json&since_revision=1").await.ok();
    assert_eq!(lines.as_array().unwrap().len(), 1);
    has(&lines[0], json!({"server": "web01", "line": "credit", "amount": "-1080", "revision": 2}));
    let summary = site.get("/v1/periods/2026-10/summary?format=json").await.ok();
    let total = summary.as_array().unwrap().last().unwrap();
    has(total, json!({"line": "total", "amount": "4050", "statements": 2, "currency": "JPY"}));

    let query = "/v1/periods/2026-10/what-if?allowance_bps=2000000";
    let other = site.get(query).await.ok();
    has(&other, json!({"compared": 2, "changed": 2, "amount_changes": {"JPY": "-1800"}}));
    has(&other["servers"][1]["then"], json!({"amount": "2250", "allowance_bps": 2_000_000}));
    let same = site.get("/v1/periods/2026-10/what-if?method=in&price=900&server=web01").await.ok();
    assert_eq!((&same["changed"], &same["servers"]), (&json!(0), &json!([])));
    let same = site.get("/v1/periods/2026-10/what-if?method=in&all=true").await.ok();
    assert_eq!(same["servers"].as_array().unwrap().len(), 2);

    let id = declared["id"].as_u64().unwrap();
    let withdraw = format!("/v1/exclusions/{id}/withdraw");
    let word = json!({"why": "was another server", "by": "ben"});
    assert_eq!(site.post(&withdraw, &word).await.ok(), declared);
    site.post(&withdraw, &word).await.refused(404, "no exclusion");
    assert_eq!(site.get("/v1/exclusions").await.ok(), json!({"exclusions": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_t_be_is_refused_in_words() {
    let site = Site::new("periods-refused").await;
    let post = |path: &'static str, body: Value| ("POST", path, body.to_string());
    let get = |path: &'static str| ("GET", path, String::new());
    let close = "/v1/periods/2026-10/close";
    let span = |from: &str, until: &str, server: &str| {
        let body = json!({"server": server, "from": from, "until": until, "why": "x", "by": "aiko"});
        post("/v1/exclusions", body)
    };
    let (two, four) = ("2026-10-05T02:00:00+09:00", "2026-10-05T04:00:00+09:00");
    for ((method, path, body), status, field, says) in [
        (get("/v1/periods/2026-13"), 400, "period", "is not a billing period"),
        (get("/v1/periods/october/statements"), 400, "period", "is not a billing period"),
        (get("/v1/periods/2026-10?colour=red"), 400, "colour", "no such query field; this takes none"),
        (get("/v1/periods/2026-10/statements?all_revisions=2"), 400, "all_revisions", "true"),
        (get("/v1/periods/2026-10/statements/web01"), 404, "", "no statement of a server or pool \"web01\""),
        (get("/v1/periods/2026-10/statements/web01/bundle"), 404, "", "2026-10 has no statement"),
        (
            get("/v1/periods/2026-10/statements/web01/explanation?lang=fr"),
            400,
            "lang",
            "\"fr\" is not en or ja",
        ),
        (get("/v1/periods/2026-10/statements/web01/explanation?format=csv"), 400, "format", "json or text"),
        (get("/v1/periods/2026-10/statements/web01?revision=-1"), 400, "revision", "is not a whole number"),
        (get("/v1/periods/2026-10/export"), 404, "", "2026-10 has no issued statement"),
        (get("/v1/periods/2026-10/summary?format=xml"), 400, "format", "\"xml\" is not csv or json"),
        (get("/v1/periods/2026-10/export?headings=fr"), 400, "headings", "plain or en or ja"),
        (get("/v1/periods/2026-10/what-if"), 400, "", "say what is to be otherwise"),
        (get("/v1/periods/2026-10/what-if?method=best"), 400, "method", "\"best\" is not max"),
        (get("/v1/periods/2026-10/what-if?price=-1"), 400, "price", ""),
        (get("/v1/periods/2026-10/what-if?allowance_bps=1&server=web09"), 404, "", "for \"web09\""),
        (get(close), 405, "", "GET can't be used"),
        (post("/v1/periods/2026-1/close", json!({"by": "aiko"})), 400, "period", "is not a billing period"),
        (post("/v1/periods/2026-10/close?by=aiko", json!({"by": "aiko"})), 400, "by", "this takes none"),
        (
            post("/v1/periods/2026-11/close", json!({"by": "aiko"})),
            409,
            "",
            "can be closed from 2026-11-30T15:10",
        ),
        (post(close, json!({})), 400, "by", "by: missing"),
        (post(close, json!({"by": ""})), 400, "by", "a name can't be empty"),
        (post(close, json!({"by": " aiko"})), 400, "by", "white space"),
        (post(close, json!({"by": "a".repeat(256)})), 400, "by", "longer than 255"),
        (post(close, json!({"by": 7})), 400, "by", "expected a string"),
        (post(close, json!({"by": "aiko", "force": true})), 400, "force", "unknown field `force`"),
        (post(close, json!({"by": "aiko", "override": " "})), 400, "override", "say why"),
        (post(close, json!({"by": "aiko", "override": "x".repeat(4_001)})), 400, "override", "4000"),
        (post(close, json!({"by": "x".repeat(70_000)})), 413, "", "at most 64 KiB"),
        (("POST", close, "{".to_owned()), 400, "", "EOF"),
        (("POST", close, r#"{"by":"aiko"} x"#.to_owned()), 400, "", "trailing characters"),
        (post("/v1/periods/2026-10/reviews/web01", json!({"by": "a", "note": ""})), 400, "note", "say why"),
        (
            post("/v1/periods/2026-10/reviews/web01", json!({"by": "a", "note": "b"})),
            404,
            "",
            "no held statement",
        ),
        (post("/v1/periods/2026-10/revisions", json!({"by": "a", "reason": ""})), 400, "reason", "say why"),
        (
            post("/v1/periods/2026-10/revisions", json!({"by": "a", "reason": "b", "server": "web09"})),
            404,
            "",
            "no issued statement for \"web09\"",
        ),
        (span(two, four, "web09"), 400, "", "no server \"web09\""),
        (span(four, two, "web01"), 400, "", "is not after from"),
        (span("2026-10-05", two, "web01"), 400, "from", ""),
        (
            post("/v1/exclusions/x/withdraw", json!({"why": "a", "by": "b"})),
            400,
            "id",
            "\"x\" is not a whole number",
        ),
        (
            post("/v1/exclusions/9/withdraw", json!({"why": "a", "by": "b"})),
            404,
            "",
            "no exclusion 9 in force",
        ),
    ] {
        let answer = ask(&site.at(in_november), method, path, &body).await;
        let problem = answer.refused(status, says);
        assert_eq!(problem["field"].as_str().unwrap_or_default(), field, "{method} {path} {body}: {problem}");
    }
    let by = json!({"by": "aiko"}).to_string();
    for now in [in_october as fn() -> Timestamp, in_grace] {
        let early = ask(&site.at(now), "POST", close, &by).await;
        early
            .refused(409, "2026-10 ends at 2026-10-31T15:00:00Z and can be closed from 2026-10-31T15:10:00Z");
        assert_eq!(early.header(header::RETRY_AFTER), "");
    }
    // As a form of another site would send it.
    let request = Request::post(close).header(header::CONTENT_TYPE, "text/plain");
    let form = site.at(in_november).oneshot(request.body(Body::from(by.clone())).unwrap()).await.unwrap();
    assert_eq!(form.status(), 415);

    let lock = std::fs::File::create(site.dir.join("closing.lock")).unwrap();
    lock.lock().unwrap();
    let busy = ask(&site.at(in_november), "POST", close, &by).await;
    busy.refused(409, "something is being closed");
    assert_eq!(busy.header(header::RETRY_AFTER), "2");
    drop(lock);

    // An inventory that the service has not taken up yet.
    let (version, before) = site.app.store.inventory().await.unwrap();
    let mut after = before.clone();
    after.servers[0].customer = "c003".to_owned();
    let changed = changes(&before, &after);
    site.app.store.put_inventory(&changed, version + 1, in_november(), "test").await.unwrap();
    let unfollowed = ask(&site.at(in_november), "POST", close, &by).await;
    unfollowed.refused(409, "samples are not yet made by version 2 of the inventory; try again in a moment");
    assert_eq!(unfollowed.header(header::RETRY_AFTER), "2");
    has(&site.get("/v1/periods/2026-10").await.ok(), json!({"state": "open", "issued": 0, "held": 0}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_goes_on_when_the_client_goes_away_and_tells_how_far_it_is() {
    let site = Site::new("periods-goes-on").await;
    let desk = &site.app.desk;
    let away = async {
        while desk.progress(october()).is_none() {
            tokio::task::yield_now().await;
        }
    };
    let body = json!({"by": "aiko"});
    let closing = site.post("/v1/periods/2026-10/close", &body);
    tokio::select! {
        biased;
        () = away => {}
        answer = closing => panic!("it was over before it began: {answer:?}"),
    }
    let begun = Instant::now();
    let closed = loop {
        let state = site.get("/v1/periods/2026-10").await.ok();
        if state["state"] == "closed" && state["closing"].is_null() {
            break state;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it did not go on: {state}");
    };
    has(&closed, json!({"issued": 1, "held": 1, "closed_by": "aiko"}));

    let by = "ben".to_owned();
    let order = Order { period: october(), by, now: in_november(), override_reason: None };
    let mut seen = Vec::new();
    desk.close(&order, |_, _| seen.push(desk.progress(october()).unwrap())).await.unwrap();
    assert_eq!(seen, [Progress { done: 0, total: 1 }, Progress { done: 1, total: 1 }], "the held one, again");
    assert_eq!(desk.progress(october()), None);

    desk.stop().await;
    let stopped = site.post("/v1/periods/2026-10/close", &body).await;
    stopped.refused(503, "the service is stopping");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_closes_by_itself_when_it_is_due() {
    let site = Site::new("periods-by-itself").await;
    let App { desk, collectors, live, audit, times, .. } = site.app.clone();
    let mut schedule = Schedule { desk, collectors, live, audit, times, after_ms: Some(86_400_000) };
    let due = in_november().plus_ms(86_400_000);
    assert_eq!(schedule.attempt(due.plus_ms(-1), true).await, Tried::Nothing, "it is not due");
    assert_eq!(schedule.attempt(due, false).await, Tried::Nothing, "it failed a moment ago");
    schedule.after_ms = None;
    assert_eq!(schedule.attempt(due, true).await, Tried::Nothing, "only people close");
    schedule.after_ms = Some(86_400_000);

    site.holds(3).await;
    match schedule.attempt(due, true).await {
        Tried::NotClosed { period, reason, says, passing } => {
            assert_eq!((period, reason.as_str(), passing), (october(), "held back by tokyo-1", false));
            assert!(says.contains("it holds 3 readings"), "{says}");
        }
        other => panic!("{other:?}"),
    }
    has(&site.get("/v1/periods/2026-10").await.ok(), json!({"state": "open", "issued": 0}));

    site.holds(0).await;
    let lock = std::fs::File::create(site.dir.join("closing.lock")).unwrap();
    lock.lock().unwrap();
    let busy = schedule.attempt(due, true).await;
    assert!(matches!(busy, Tried::NotClosed { passing: true, .. }), "{busy:?}");
    drop(lock);
    let outcome = Outcome { issued: 1, held: 1, ..Outcome::default() };
    assert_eq!(schedule.attempt(due, true).await, Tried::Closed(october(), outcome));
    has(
        &site.get("/v1/periods/2026-10").await.ok(),
        json!({"state": "closed", "closed_by": BY, "issued": 1}),
    );
    assert_eq!(schedule.attempt(due, true).await, Tried::Nothing, "it is closed");
}
