//! Cases on the real store: through a restart, from two processes at once, over the HTTP API and on the command line.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use meter95::aggregator::intake::Intake;
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api;
use meter95::closing::desk::Word;
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::inventory::instant::Instant;
use meter95::metering::throttle::Rule;
use meter95::metering::units::{Bps, Slot};
use meter95::throttle::case::{Case, State};
use meter95::throttle::desk::{CaseError, Cases, Filter, Observation};
use meter95::throttle::evaluate::Evaluator;
use meter95::throttle::recommendation::Recommendation;
use meter95::throttle::standing::{Resumed, standings};
use meter95::throttle::step::{Attempt, Channel, Outcome, SERVICE};
use meter95_reading::{Counters, PortKey, Reading, Timestamp, Width};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{self, complains, prints};

/// 2026-11-26T03:00:00+09:00.
const NOW: Timestamp = Timestamp(1_795_629_600_000);

const DAY_MS: i64 = 86_400_000;

const INVENTORY: &str = r#"
[[customers]]
id = "c001"
contacts = [{ name = "Sato", email = "sato@example.com", phone = "+81-3-0000-0000", language = "ja" }]

[[plans]]
id = "jp"
allowance_bps = 1000000

[[servers]]
id = "web01"
customer = "c001"
region = "tokyo"
plan = "jp"
ports = [{ device = "sw1", interface = "ge-0/0/1" }, { device = "web01", interface = "eth0", kind = "nic" }]

[[servers]]
id = "web02"
customer = "c001"
region = "tokyo"
plan = "jp"
ports = [{ device = "sw1", interface = "ge-0/0/2; request system zeroize" }]
"#;

fn now() -> Timestamp {
    NOW
}

fn slot(at: Timestamp) -> Instant {
    Instant(Timestamp(at.0 - at.0.rem_euclid(300_000) - 300_000))
}

/// What is recommended for a server by a rule.
pub(crate) fn recommendation(server: &str, rule: Rule) -> Box<Recommendation> {
    let mut finding = match rule {
        Rule::Flood => json!({
            "rule": "flood", "direction": "out", "at_percent": 100, "packets_per_second_threshold": 100_000,
            "mean_octets_limit": 128,
            "slots": [{ "slot": "2026-11-25T17:55:00Z", "packets_per_second": 140_000, "mean_octets": 64 }],
        }),
        _ => json!({
            "rule": "sustained", "factor": 10, "at_percent": 100, "slots": 10, "of": 12, "sampled": 12,
            "fired": [{
                "slot": "2026-11-25T17:55:00Z", "value_bps": 94_200_000, "allowance_bps": 1_000_000,
                "threshold_bps": 10_000_000,
            }],
        }),
    };
    finding["began"] = json!("2026-11-25T17:55:00Z");
    let outcome = |p95: u64, amount: &str| {
        json!({
            "p95_bps": p95, "overage_bps": p95 - 1_000_000, "billable_bps": p95 - 1_000_000, "amount": amount,
            "currency": "JPY",
        })
    };
    let value = json!({
        "server": server, "customer": "c001", "region": "tokyo", "plan": "jp", "at": "2026-11-25T18:00:00Z",
        "timezone": "Asia/Tokyo", "allowance_bps": 1_000_000, "in_bps": 12_000_000, "out_bps": 94_100_000,
        "rules": [finding],
        "slots": [{"slot": "2026-11-25T17:55:00Z", "in_bps": 12_000_000, "out_bps": 94_100_000}],
        "cap": {
            "cap_bps": 1_000_000, "computed_bps": 1_000_000, "floor_bps": 1_000_000,
            "by": {"by": "allowance", "slots_to_come": 1_404, "burst_left_slots": 30, "allowance_bps": 1_000_000},
        },
        "until": "2099-01-01T00:00:00Z",
        "outlook": {
            "period": "2026-11", "assumption": "as_in_the_last_hour", "without": outcome(94_100_000, "83790"),
            "with": outcome(1_000_000, "0"),
        },
        "relief": [{
            "uplinks": ["up1"], "direction": "out", "freed_bps": 93_100_000, "load_bps": 820_000_000,
            "speed_bps": 1_000_000_000,
        }],
        "others": {"servers": [{"server": "web09", "in_bps": 1, "out_bps": 2_000_000}], "more": 3},
    });
    Box::new(serde_json::from_value(value).unwrap())
}

fn opens(server: &str, rule: Rule, at: Timestamp) -> Observation {
    Observation::Opens { slot: slot(at), recommendation: recommendation(server, rule) }
}

fn word(why: &str, at: Timestamp) -> Word {
    Word { by: "alice".to_owned(), now: at, reason: why.to_owned() }
}

async fn observed(cases: &Cases, observation: Observation, at: Timestamp) -> Result<Arc<Case>, CaseError> {
    cases.observe(vec![observation], at).await.unwrap().pop().unwrap()
}

fn mail(round: u32, outcome: Outcome) -> Attempt {
    let (name, detail) = ("Sato".to_owned(), "sato@example.com".to_owned());
    Attempt { round, contact: 1, name, channel: Channel::Mail, outcome, detail }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_survives_a_restart_as_it_was() {
    let (store, dir) = support::store_and_dir("cases-restart").await;
    let cases = Cases::new(store.clone(), &dir);
    let at = |minutes: i64| NOW.plus_ms(minutes * 60_000);
    let case = observed(&cases, opens("web01", Rule::Sustained, NOW), NOW).await.unwrap();
    assert_eq!((case.id, case.state, case.steps[0].by.as_str()), (1, State::Open, SERVICE));
    let error = cases.approve(1, &word("at once", at(1))).await.unwrap_err();
    assert!(error.to_string().contains("before the customer is told"), "{error}");

    // What failed tells nobody; the first mail that was taken does, and at once.
    let failed = cases.attempt(1, mail(1, Outcome::Failed), &word("no route", at(2))).await.unwrap();
    assert_eq!((failed.state, failed.steps.len()), (State::Open, 2));
    let told = cases.attempt(1, mail(2, Outcome::Sent), &word("250 queued", at(3))).await.unwrap();
    assert_eq!((told.state, told.steps.len(), told.notified_at), (State::Notified, 4, Some(at(3))));
    let again = cases.attempt(1, mail(2, Outcome::Sent), &word("again", at(4))).await.unwrap_err();
    assert!(again.to_string().contains("recorded already"), "{again}");
    cases.approve(1, &word("no answer", at(5))).await.unwrap();
    let flood = Observation::Fires {
        case: 1,
        rule: Rule::Flood,
        slot: slot(at(6)),
        recommendation: recommendation("web01", Rule::Flood),
    };
    let released = Observation::Releases { case: 1, rule: Rule::Sustained, slot: slot(at(6)) };
    let both = cases.observe(vec![flood.clone(), released, flood], at(6)).await.unwrap();
    assert!(both[0].is_ok() && both[1].is_ok());
    assert!(both[2].as_ref().unwrap_err().to_string().contains("holds already"));
    let applied = cases.apply(1, None, None, &word("put on sw1", at(7))).await.unwrap();
    assert_eq!((applied.state, applied.limit().cap_bps), (State::Applied, Bps(1_000_000)));
    assert_eq!(applied.steps.iter().map(|step| step.serial).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    let resolves = Observation::Resolves { case: 1, slot: slot(at(8)) };
    let error = observed(&cases, resolves, at(8)).await.unwrap_err();
    assert!(error.to_string().contains("`lift` it to end the case"), "{error}");

    cases.stop().await;
    drop(cases);
    store.close().await.unwrap();
    let store = support::open(&dir).await;
    let cases = Cases::new(store.clone(), &dir);
    assert_eq!(*cases.get(1).await.unwrap(), *applied, "after a restart it is as it was");
    assert!(matches!(cases.get(2).await, Err(CaseError::Unknown(2))));
    let resumed = resumed(&cases).await;
    assert_eq!((resumed.open, resumed.standing.applied), (Some(1), true));
    assert_eq!(resumed.standing.holding.keys().collect::<Vec<_>>(), [&Rule::Flood]);
    assert_eq!(resumed.looked_at, Some(Slot::of(slot(at(6)).0)));
    let lifted = cases.lift(1, &word("over", at(9))).await.unwrap();
    assert_eq!(lifted.steps.last().unwrap().serial, 9);
    let after = self::resumed(&cases).await;
    assert_eq!((after.open, after.standing.evidence_from), (None, Some(Slot::of(at(9)).next())));
    let next = observed(&cases, opens("web01", Rule::Sustained, at(10)), at(10)).await.unwrap();
    assert_eq!(next.id, 2, "numbers go on");
    let reopened = cases.reopen(1, &word("again", at(11))).await.unwrap_err();
    assert!(matches!(reopened, CaseError::OpenAlready { case: 2, .. }), "{reopened}");
    let dismissed = cases.dismiss(2, &word("agreed", at(12))).await.unwrap();
    assert!(cases.reopen(1, &word("again", at(13))).await.unwrap().steps.len() == 10);
    let after = self::resumed(&cases).await;
    assert_eq!((after.open, after.standing.evidence_from), (Some(1), Some(Slot::of(at(12)).next())));
    assert!(after.standing.spent.is_empty(), "a person has taken it up again");
    let open = Filter { open: Some(true), ..Filter::default() };
    let ids = |cases: Vec<Arc<Case>>| cases.iter().map(|case| case.id).collect::<Vec<_>>();
    assert_eq!(ids(cases.list(&open).await.unwrap()), [1]);
    assert_eq!(ids(cases.list(&Filter::default()).await.unwrap()), [2, 1]);
    assert_eq!(dismissed.state, State::Dismissed);
}

/// How web01 stands by the log.
async fn resumed(cases: &Cases) -> Resumed {
    let all = cases.list(&Filter::default()).await.unwrap();
    standings(all.iter().map(|case| &**case)).remove("web01").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_desks_never_open_two_cases_and_see_each_others_steps() {
    let (store, dir) = support::store_and_dir("cases-two-desks").await;
    // What they know is apart, as in two processes; the lock's file and the store are the same.
    let desks = [Cases::new(store.clone(), &dir), Cases::new(store.clone(), &dir)];
    for server in ["a", "b", "c", "d"] {
        let (one, two) = tokio::join!(
            observed(&desks[0], opens(server, Rule::Sustained, NOW), NOW),
            observed(&desks[1], opens(server, Rule::Flood, NOW), NOW),
        );
        let (opened, refused) = if one.is_ok() { (one, two) } else { (two, one) };
        let (opened, refused) = (opened.unwrap(), refused.unwrap_err());
        assert!(matches!(refused, CaseError::OpenAlready { case, .. } if case == opened.id), "{refused}");
    }
    let notes = (0..20).map(|i| {
        let desk = desks[i % 2].clone();
        tokio::spawn(async move { desk.note(1, &word(&format!("note {i}"), NOW)).await.unwrap().steps.len() })
    });
    let mut lengths: Vec<usize> = Vec::new();
    for note in notes.collect::<Vec<_>>() {
        lengths.push(note.await.unwrap());
    }
    lengths.sort_unstable();
    assert_eq!(lengths, (2..=21).collect::<Vec<_>>(), "each comes after another");
    let [one, two] = [desks[0].get(1).await.unwrap(), desks[1].get(1).await.unwrap()];
    assert_eq!(one, two);
    let all = Filter::default();
    assert_eq!(desks[0].list(&all).await.unwrap(), desks[1].list(&all).await.unwrap());
    let steps = store.case_steps(0).await.unwrap();
    assert!(steps.iter().map(|step| step.serial).eq(1..=24), "every step has a number of its own");
    desks[0].snooze(2, Instant(NOW.plus_ms(1)), &word("later", NOW)).await.unwrap();
    assert!(desks[1].wake(2, &word("now", NOW)).await.unwrap().snoozed_until.is_none());
    assert_eq!(desks[1].open_of("b").await.unwrap().unwrap().server(), "b");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_long_ago_is_read_when_it_is_asked_for() {
    let (store, dir) = support::store_and_dir("cases-long-ago").await;
    let cases = Cases::new(store.clone(), &dir);
    let long_ago = NOW.plus_ms(-100 * DAY_MS);
    observed(&cases, opens("web01", Rule::Sustained, long_ago), long_ago).await.unwrap();
    observed(&cases, opens("web02", Rule::Sustained, long_ago), long_ago).await.unwrap();
    let dismissed = cases.dismiss(1, &word("agreed", long_ago)).await.unwrap();
    let other = Cases::new(store.clone(), &dir);
    assert_eq!(other.list(&Filter::default()).await.unwrap().len(), 2, "nothing newer was done");
    let newest = observed(&cases, opens("web03", Rule::Sustained, NOW), NOW).await.unwrap();
    let fresh = Cases::new(store.clone(), &dir);
    for desk in [&other, &fresh] {
        let listed = desk.list(&Filter::default()).await.unwrap();
        assert_eq!(
            listed.iter().map(|case| case.id).collect::<Vec<_>>(),
            [3, 2],
            "an open one stays in mind"
        );
        assert_eq!(desk.get(1).await.unwrap(), dismissed);
        assert_eq!(desk.of_server("web01").await.unwrap(), std::slice::from_ref(&dismissed));
    }
    let reopened = fresh.reopen(1, &word("after all", NOW)).await.unwrap();
    assert_eq!((reopened.state, reopened.steps.len()), (State::Open, 3));
    assert_eq!(other.get(1).await.unwrap(), reopened, "also where it was not in mind");
    assert_eq!(other.list(&Filter::default()).await.unwrap().len(), 3);
    assert_eq!(newest.id, 3);
}

/// A service with its inventory.
struct Site {
    router: Router,
    cases: Cases,
    dir: PathBuf,
}

impl Site {
    async fn new(name: &str) -> Self {
        let (store, dir) = support::store_and_dir(name).await;
        let document: Document = toml::from_str(INVENTORY).unwrap();
        let changes = changes(&Document::default(), &document);
        store.put_inventory(&changes, 1, NOW, "test").await.unwrap();
        let times = Times::default();
        let pipeline = Pipeline::open(store.clone(), times, Clock::Machine(NOW)).await.unwrap();
        let (intake, _) = Intake::new();
        let app = support::app(&store, &dir, pipeline.live(), intake, now).await;
        let cases = app.cases.clone();
        Self { router: api::router(app), cases, dir }
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let request =
            Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, text) = self.ask("GET", path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Takes a step of case 1.
    async fn post(&self, action: &str, body: Value) -> Value {
        let (status, text) = self.ask("POST", &format!("/v1/cases/1/{action}"), &body).await;
        assert_eq!(status, 200, "{action}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// How asking for `path` is refused.
    async fn refused(&self, method: &str, path: &str, body: Value, status: u16, says: &str) {
        let (found, text) = self.ask(method, path, &body).await;
        assert_eq!(found, status, "{path}: {text}");
        let problem: Value = serde_json::from_str(&text).unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{path}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_all_the_way_over_the_api() {
    let site = Site::new("cases-api").await;
    assert_eq!(site.get("/v1/cases").await, json!({"cases": []}));
    for server in ["web01", "web02"] {
        observed(&site.cases, opens(server, Rule::Sustained, NOW), NOW).await.unwrap();
    }
    let said = |why: &str| json!({"by": "ben", "why": why});
    let listed = site.get("/v1/cases?open=true&server=web01").await;
    assert_eq!(listed["cases"][0]["state"], "open");
    assert_eq!(listed["cases"][0]["rules"][0]["rule"], "sustained");
    assert!(listed["cases"][0].get("steps").is_none());
    for (query, count) in [
        ("", 2),
        ("?open=false", 0),
        ("?state=open&customer=c001&region=tokyo", 2),
        ("?state=applied", 0),
        ("?server=web02", 1),
        ("?server=nobody", 0),
    ] {
        assert_eq!(
            site.get(&format!("/v1/cases{query}")).await["cases"].as_array().unwrap().len(),
            count,
            "{query}"
        );
    }
    let recommended = site.get("/v1/recommendations").await;
    assert_eq!(recommended["recommendations"][0]["case"], 2, "the newest first");
    assert_eq!(recommended["recommendations"][1]["recommendation"]["rules"][0]["of"], 12);
    let text = recommended["recommendations"][1]["text"]["en"].as_str().unwrap();
    assert!(text.starts_with("Limit server web01 of customer c001 to 1 Mbps until"), "{text}");

    let case = "/v1/cases/1";
    site.refused("GET", "/v1/cases/9", Value::Null, 404, "there is no case 9").await;
    site.refused("GET", "/v1/cases/x", Value::Null, 400, "\"x\" is not a whole number").await;
    site.refused("GET", "/v1/cases?state=closed", Value::Null, 400, "closed").await;
    site.refused("POST", "/v1/cases/1/close", said("x"), 400, "\"close\" is not notify or approve").await;
    for (action, body, status, says) in [
        ("approve", said("x"), 409, "can't be approved before the customer is told"),
        ("apply", said("x"), 409, "can't be applied before the customer is told"),
        ("lift", said("x"), 409, "no limit is on the ports; `dismiss` it to end it"),
        ("note", said(" "), 400, "say why"),
        ("note", json!({"by": "", "why": "x"}), 400, "a name can't be empty"),
        ("note", json!({"by": "meter95", "why": "x"}), 400, "the service's own name"),
        ("note", json!({"by": "ben", "why": "x", "until": 1}), 400, "until"),
        ("snooze", json!({"by": "ben", "why": "x", "until": 1}), 400, "it lies in the past"),
        (
            "attempt",
            json!({"by": "ben", "why": "x", "contact": 2, "channel": "phone", "outcome": "sent"}),
            400,
            "the customer has 1 contacts",
        ),
    ] {
        site.refused("POST", &format!("{case}/{action}"), body, status, says).await;
    }
    let call = json!({"by": "ben", "why": "called", "contact": 1, "channel": "phone", "outcome": "sent"});
    let told = site.post("attempt", call).await;
    assert_eq!((&told["state"], &told["steps"][1]["name"]), (&json!("notified"), &json!("Sato")));
    assert_eq!(told["steps"][2]["kind"], "notified");
    site.post("snooze", json!({"by": "ben", "why": "x", "until": "2098-01-01T00:00:00Z"})).await;
    site.post("wake", said("x")).await;
    site.post("answer", said("will look into it")).await;
    site.refused(
        "GET",
        "/v1/cases/1/snippet?for=tc",
        Value::Null,
        409,
        "for a case that is approved or applied",
    )
    .await;
    site.post("approve", said("nothing happened")).await;
    site.refused("POST", "/v1/cases/1/approve", said("x"), 409, "`apply` the limit or `dismiss` it").await;
    let limit = json!({"by": "ben", "why": "on", "cap_bps": 20_000_000, "until": "2098-01-01T00:00:00Z"});
    let applied = site.post("apply", limit).await;
    assert_eq!(applied["limit"], json!({"cap_bps": 20_000_000, "until": "2098-01-01T00:00:00Z"}));

    let (status, junos) = site.ask("GET", "/v1/cases/1/snippet?for=junos", &Value::Null).await;
    assert_eq!(status, 200, "{junos}");
    assert!(junos.contains("set class-of-service interfaces ge-0/0/1 shaping-rate 20000000\n"), "{junos}");
    let (_, tc) = site.ask("GET", "/v1/cases/1/snippet?for=tc&lift=true", &Value::Null).await;
    assert!(tc.contains("tc qdisc del dev eth0 root"), "its own interface goes before the switch's:\n{tc}");
    site.refused("GET", "/v1/cases/1/snippet", Value::Null, 400, "eos, ios, junos, tc").await;
    site.refused("GET", "/v1/cases/1/snippet?for=vyos", Value::Null, 400, "there is for eos, ios, junos, tc")
        .await;
    site.post("lift", said("off")).await;
    site.refused("POST", "/v1/cases/1/dismiss", said("x"), 409, "`reopen` it first").await;
    assert_eq!(site.post("reopen", said("again")).await["reopenings"], 1);
    assert_eq!(site.post("dismiss", said("agreed")).await["open"], false);
    assert_eq!(site.post("note", said("all is well")).await["steps"].as_array().unwrap().len(), 12);

    // An interface whose name would be a command.
    site.cases.notify(2, &word("told", NOW)).await.unwrap();
    site.cases.approve(2, &word("yes", NOW)).await.unwrap();
    site.refused("GET", "/v1/cases/2/snippet?for=junos", Value::Null, 409, "can't go into a configuration")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_all_the_way_on_the_command_line() {
    let site = Site::new("cases-cli").await;
    // Commands ask the clock.
    let at = meter95::clock::now();
    observed(&site.cases, opens("web01", Rule::Sustained, at), at).await.unwrap();
    let dir = site.dir.clone();
    let case = tokio::task::spawn_blocking(move || {
        let dir = &dir;
        let step =
            |args: &[&str]| prints(dir, &[&["cases"], args, &["--why", "because", "--by", "alice"]].concat());
        assert!(prints(dir, &["cases", "list", "--open"]).contains("sustained"));
        let listed: Value =
            serde_json::from_str(&prints(dir, &["cases", "list", "--format", "json"])).unwrap();
        assert_eq!((&listed[0]["id"], &listed[0]["server"]), (&json!(1), &json!("web01")));
        assert!(prints(dir, &["cases", "list", "--format", "csv"]).contains("1,web01,c001,tokyo,open,"));
        let shown = prints(dir, &["cases", "show", "1"]);
        for says in ["Limit server web01 of customer c001 to 1 Mbps", "83,790 JPY", "opened by sustained"] {
            assert!(shown.contains(says), "{says}\n{shown}");
        }
        assert!(prints(dir, &["cases", "show", "1", "--lang", "ja"]).contains("制限することを推奨します"));
        let next = prints(dir, &["cases", "contact", "1"]);
        assert!(next.contains("contact-1-1-1-mail"), "{next}");
        let approve = &["cases", "approve", "1", "--why", "x", "--by", "alice"];
        assert!(complains(dir, approve).contains("before the customer is told"));
        let tried = &["attempt", "1", "--contact", "1", "--channel", "mail", "--outcome", "sent"];
        assert!(step(tried).contains("is notified"));
        assert!(
            complains(
                dir,
                &[
                    "cases",
                    "attempt",
                    "1",
                    "--contact",
                    "5",
                    "--channel",
                    "phone",
                    "--outcome",
                    "sent",
                    "--why",
                    "x"
                ]
            )
            .contains("the customer has 1 contact; say --contact N")
        );
        assert!(step(&["approve", "1"]).contains("Case 1 of server web01 is approved"));
        assert!(step(&["apply", "1", "--cap-bps", "5000000"]).contains("applied 5 Mbps until 2099-01-01"));
        assert!(
            prints(dir, &["cases", "snippet", "1", "--for", "junos"]).contains("bandwidth-limit 5000000")
        );
        assert!(step(&["note", "1"]).contains("is applied (noted)"));
        assert!(step(&["lift", "1"]).contains("is lifted"));
        assert!(
            complains(dir, &["cases", "note", "1", "--why", "x", "--by", "meter95"]).contains("own name")
        );
        assert!(complains(dir, &["cases", "show", "7"]).contains("there is no case 7"));
        assert!(step(&["reopen", "1"]).contains("is open"));
        for action in ["notify", "answer"] {
            step(&[action, "1"]);
        }
        step(&["snooze", "1", "--until", "2098-01-01T00:00:00Z"]);
        step(&["wake", "1"]);
        step(&["dismiss", "1"])
    });
    assert!(case.await.unwrap().contains("is dismissed"));
    let seen = site.cases.get(1).await.unwrap();
    assert_eq!((seen.state, seen.steps.len()), (State::Dismissed, 13), "the service sees it all");
    let templates = site.dir.join("templates");
    std::fs::create_dir(&templates).unwrap();
    std::fs::write(templates.join("tc.txt"), "{{ nonsense }}").unwrap();
    let config = site.dir.join("meter95.toml");
    std::fs::write(&config, format!("[throttle]\ntemplates = {templates:?}\n")).unwrap();
    let config = config.to_str().unwrap().to_owned();
    let output =
        support::meter95(&site.dir).args(["--config", &config, "check", "--offline"]).output().unwrap();
    let says = String::from_utf8_lossy(&output.stdout);
    assert!(
        !output.status.success() && says.contains("template tc.txt, line 1: there is no nonsense"),
        "{says}"
    );
}

/// web01's two ports, read each minute for an hour and a half up to `until`, with 20 Mbps towards the server on one of them.
fn busy(until: Timestamp) -> Vec<Reading> {
    let reading = |device: &str, interface: &str, minute: i64, octets: u64| Reading {
        port: PortKey::new(device, interface).unwrap(),
        counters: Counters {
            time: until.plus_ms((minute - 90) * 60_000),
            rx_octets: 0,
            tx_octets: octets,
            width: Width::Bits64,
            uptime_cs: None,
            discontinuity_cs: None,
            rx_packets: None,
            tx_packets: None,
            speed_bps: None,
        },
    };
    let octets = |minute: i64| 20_000_000 / 8 * 60 * minute.unsigned_abs();
    let both = |minute: i64| {
        [reading("sw1", "ge-0/0/1", minute, octets(minute)), reading("web01", "eth0", minute, 0)]
    };
    (0..=90).flat_map(both).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_go_on_with_what_people_did() {
    let (store, dir) = support::store_and_dir("cases-rules").await;
    let document: Document = toml::from_str(INVENTORY).unwrap();
    let changes = changes(&Document::default(), &document);
    store.put_inventory(&changes, 1, NOW, "test").await.unwrap();
    let mut pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Machine(NOW)).await.unwrap();
    assert_eq!(pipeline.take(vec![busy(NOW)]).await[0].taken, 182);
    pipeline.flush().await.unwrap();
    let cases = Cases::new(store.clone(), &dir);
    let kinds = async || {
        let case = cases.get(1).await.unwrap();
        case.steps.iter().map(|step| step.body.kind().name()).collect::<Vec<_>>()
    };
    let mut rules = Evaluator::open(pipeline.live(), cases.clone(), store.clone()).await.unwrap();
    rules.look(NOW).await.unwrap();
    assert_eq!(kinds().await, ["opened"]);
    rules.look(NOW).await.unwrap();
    assert_eq!(kinds().await.len(), 1, "nothing has closed since");

    // A person dismisses it and takes it up again: the rule that still holds begins anew in it with the next slot.
    cases.dismiss(1, &word("agreed", NOW.plus_ms(60_000))).await.unwrap();
    cases.reopen(1, &word("not agreed after all", NOW.plus_ms(120_000))).await.unwrap();
    let later = NOW.plus_ms(3_600_000);
    assert!(pipeline.take(vec![busy(later)]).await[0].taken > 0);
    let looks = async {
        for _ in 0..3 {
            rules.look(later).await.unwrap();
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), looks).await.expect("it goes round in circles");
    assert_eq!(kinds().await, ["opened", "dismissed", "reopened", "fired"]);

    // After a restart it goes on as if nothing had been.
    let mut rules = Evaluator::open(pipeline.live(), cases.clone(), store.clone()).await.unwrap();
    rules.look(later).await.unwrap();
    assert_eq!(kinds().await.len(), 4);
    assert_eq!(cases.list(&Filter::default()).await.unwrap().len(), 1);
}
