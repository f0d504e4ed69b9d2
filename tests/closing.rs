//! Closing: the worked months to the last bit per second, the two computations against each other, a month in which
//! everything happens at once, and what becomes of a close that is refused, or dies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;

use futures::future::{Either, select};
use meter95::aggregator::output::{Output, SampleOut, ServerId};
use meter95::aggregator::state::Times;
use meter95::closing::close::{CloseError, Order};
use meter95::closing::desk::{Desk, Word};
use meter95::closing::export::{Filter, lines};
use meter95::closing::revise::Correction;
use meter95::closing::settle::{excluded_slots, summed};
use meter95::closing::statement::{Exclusion, Statement};
use meter95::collectors::{CollectorName, CollectorReport};
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::inventory::instant::Instant;
use meter95::metering::allowance::{Allowance, Grant};
use meter95::metering::overage::{Method, Missing};
use meter95::metering::period::SlotSpan;
use meter95::metering::sample::{Rates, Sample};
use meter95::metering::statement::Account;
use meter95::metering::tally::Rules;
use meter95::metering::units::{Bps, Slot};
use meter95::store::connection::Store;
use meter95::store::cross_check::{Asked, Question};
use meter95::store::load::Pending;
use meter95::store::statements::{Filed, State};
use meter95::store::write::Checkpoint;
use meter95_reading::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::support::{complains, prints, store_and_dir};

const PERIOD: [&str; 2] = ["--period", "2026-10"];

/// 2026-11-01T12:00:00 in Tokyo: October can be closed.
const NOVEMBER: Timestamp = Timestamp(1_793_502_000_000);

fn months(name: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/months").join(name).join(file)
}

fn with<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, &PERIOD[..], more].concat()
}

fn statements(dir: &Path, more: &[&str]) -> Vec<Value> {
    let args = [&["statements", "--format", "json"], &PERIOD[..], more].concat();
    serde_json::from_str(&prints(dir, &args)).unwrap()
}

/// Writes the bundles of all issued statements, verifies each, and finds one octet changed in the first.
fn proved(dir: &Path, folder: &Path) -> usize {
    let name = folder.display().to_string();
    prints(dir, &[&["statements", "--all-revisions", "--bundle", &name], &PERIOD[..]].concat());
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    prints(dir, &[&["verify"], &words[..]].concat());
    let mut octets = std::fs::read(&files[0]).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    let changed = dir.join("changed.meter95").display().to_string();
    std::fs::write(&changed, octets).unwrap();
    assert!(complains(dir, &["verify", &changed]).contains("1 of 1 bundles"));
    files.len()
}

async fn a_worked_month_closes(month: &str) {
    let (_store, dir) = store_and_dir(&format!("closing-{month}")).await;
    prints(&dir, &["inventory", "apply", &months(month, "inventory.json").display().to_string()]);
    prints(&dir, &["import", &months(month, "readings.ndjson.gz").display().to_string()]);
    let refused = complains(&dir, &with(&["statements"], &[]));
    assert!(refused.contains("2026-10 has no statements yet"), "{refused}");
    prints(&dir, &with(&["close"], &["--by", "aiko"]));

    let printed = prints(&dir, &with(&["statements", "--format", "json"], &[]));
    let found: Vec<Value> = serde_json::from_str(&printed).unwrap();
    let expected = std::fs::read(months(month, "expect.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let expected = expected["statements"].as_array().unwrap();
    assert_eq!(found.len(), expected.len());
    for expected in expected {
        let found = found.iter().find(|line| line["server"] == expected["server"]).unwrap();
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&found[field], value, "{} {field}", expected["server"]);
        }
    }

    let again = prints(&dir, &with(&["close"], &["--by", "someone else"]));
    assert!(again.starts_with("2026-10: 0 statements issued"), "{again}");
    assert_eq!(prints(&dir, &with(&["statements", "--format", "json"], &[])), printed, "the same octets");
    let issued = found.iter().filter(|line| line["state"] == "issued").count();
    assert_eq!(proved(&dir, &dir.join("proofs")), issued);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plain_month_closes_to_the_bit() {
    a_worked_month_closes("october-plain").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_faulty_month_closes_to_the_bit() {
    a_worked_month_closes("october-faults").await;
}

/// A unit as the two computations are asked about it: method, rule for missing slots, add-on from a slot on, slots
/// excluded for its first server, and of each server the first slot in which it counts and its samples.
type Drawn = (usize, bool, Option<i64>, Option<(i64, i64)>, Vec<(i64, Vec<Option<(u64, u64)>>)>);

const METHODS: [Method; 5] = [Method::Max, Method::In, Method::Out, Method::Sum, Method::Separate];

/// The first slot of what is drawn, and how many slots it has: no whole number of twenties.
const FIRST: i64 = 5_969_268;
const SLOTS: i64 = 69;

fn drawn() -> impl Strategy<Value = Drawn> {
    let sample = prop::option::weighted(0.85, (0u64..50, 0u64..50));
    let server = (0i64..30, prop::collection::vec(sample, 0..usize::try_from(SLOTS).unwrap()));
    let excluded = prop::option::of((0i64..SLOTS, 1i64..20));
    (0usize..5, any::<bool>(), prop::option::of(0i64..SLOTS), excluded, prop::collection::vec(server, 1..4))
}

fn account((method, exclude, addon, _, servers): &Drawn) -> Account {
    let mut grants = vec![Grant { bps: Bps(20), from: None, until: None }];
    grants.extend(addon.map(|slot| Grant {
        bps: Bps(9),
        from: Some(Slot(FIRST + slot).start()),
        until: None,
    }));
    // A server by itself is billed from its first slot on, a pool from that of its first server.
    let first = servers.iter().map(|(first, _)| *first).min().unwrap_or(0);
    let span = SlotSpan { from: Slot(FIRST + first), until: Slot(FIRST + SLOTS) };
    let missing = if *exclude { Missing::Exclude } else { Missing::Zero };
    let rules = Rules { span, method: METHODS[*method], missing, allowance: Allowance::new(grants) };
    Account { rules, tariff: None }
}

/// A server's samples, those before it counts among them.
fn samples((_, server): &(i64, Vec<Option<(u64, u64)>>)) -> Vec<(Slot, Sample)> {
    let sample = |(slot, rates): (i64, &Option<(u64, u64)>)| {
        let (in_bps, out_bps) = (*rates)?;
        let rates = Rates { in_bps: Bps(in_bps), out_bps: Bps(out_bps) };
        Some((Slot(slot), Sample { rates, partial: false }))
    };
    (FIRST..).zip(server).filter_map(sample).collect()
}

fn excluded(drawn: &Drawn) -> Vec<SlotSpan> {
    let span =
        |(from, slots): (i64, i64)| SlotSpan { from: Slot(FIRST + from), until: Slot(FIRST + from + slots) };
    drawn.3.map(span).into_iter().collect()
}

/// The law of closing: what is computed from all samples at once is what SQL says, whatever is billed and how.
#[tokio::test(flavor = "multi_thread")]
async fn both_computations_agree() {
    let (store, _) = store_and_dir("closing-sql").await;
    let mut runner = TestRunner::new(Config::default());
    let units: Vec<Drawn> = (0..400).map(|_| drawn().new_tree(&mut runner).unwrap().current()).collect();
    let mut output = Output::default();
    let mut questions = Vec::new();
    let mut server = 0;
    for unit in &units {
        let account = account(unit);
        let mut members = Vec::new();
        for (place, of_server) in unit.4.iter().enumerate() {
            let id = ServerId(server);
            server += 1;
            for (slot, sample) in samples(of_server) {
                output.samples.push(SampleOut { server: id, slot, sample: Some(sample), revision: 1 });
            }
            let excluded = if place == 0 { excluded(unit) } else { Vec::new() };
            let span = SlotSpan { from: Slot(FIRST + of_server.0), until: Slot(FIRST + SLOTS) };
            members.push(Asked { server: id, span, excluded });
        }
        questions.push(Question { account, members });
    }
    store.put_output(&output).await;
    let answers = store.cross_check(&questions).await.unwrap();
    for ((unit, question), answer) in units.iter().zip(&questions).zip(answers) {
        let excluded = excluded(unit);
        let from = |server: &(i64, Vec<_>)| Slot(FIRST + server.0);
        let counted = |server: &(i64, Vec<_>)| -> Vec<(Slot, Sample)> {
            samples(server).into_iter().filter(|(slot, _)| *slot >= from(server)).collect()
        };
        let counted: Vec<Vec<(Slot, Sample)>> = unit.4.iter().map(counted).collect();
        let first: Vec<(Slot, Sample)> = counted[0]
            .iter()
            .filter(|(slot, _)| !excluded.iter().any(|out| out.contains(*slot)))
            .copied()
            .collect();
        let span = question.account.rules.span;
        let all: Vec<_> =
            std::iter::once(&first).chain(&counted[1..]).map(|s| (span, s.as_slice())).collect();
        let closed = question.account.close(&summed(&all));
        assert_eq!(
            (answer.samples, answer.p95, answer.overage),
            (closed.samples, closed.p95, closed.overage),
            "{unit:?}"
        );
    }
    store.close().await.unwrap();
}

#[test]
fn exclusions_that_meet_are_one() {
    let exclusion = |from: i64, until: i64| Exclusion {
        id: 1,
        server: "a".to_owned(),
        from: Instant(Slot(from).start()),
        until: Instant(Slot(until).start()),
        why: "why".to_owned(),
        by: "aiko".to_owned(),
        at: Instant(NOVEMBER),
    };
    let span = |from, until| SlotSpan { from: Slot(from), until: Slot(until) };
    for (declared, slots) in [
        (vec![(5, 7), (1, 3)], vec![span(1, 3), span(5, 7)]),
        (vec![(1, 3), (2, 9), (9, 10)], vec![span(1, 10)]),
        (vec![], vec![]),
    ] {
        let declared: Vec<Exclusion> =
            declared.into_iter().map(|(from, until)| exclusion(from, until)).collect();
        assert_eq!(excluded_slots(&declared), slots);
    }
}

/// Two days of October in Tokyo, 576 slots, of which 28 are forgiven.
const START: i64 = 1_791_126_000_000;
const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;
const TWO_DAYS: i64 = 576;

fn at(ms: i64) -> String {
    meter95::inventory::instant::rfc3339(Timestamp(ms))
}

/// What port `port` carries out in its `i`th slot, in bit/s: a multiple of 8 kbit/s, all over 0 to 8 Mbps.
fn out_bps(port: u64, i: i64) -> u64 {
    let i = i.unsigned_abs() + 1;
    (i * 7_919 + port * 104_729 + (i * i) % 613) % 1_000 * 8_000
}

/// Readings of a port on the slots' boundaries, from the `first` slot to before the `end`th.
fn readings(device: &str, port: u64, slots: std::ops::Range<i64>) -> String {
    let mut octets = 1_000_000;
    let mut lines = String::new();
    for i in slots.start..=slots.end {
        let time = START + i * Slot::MS;
        let (rx, tx) = (octets, octets / 2);
        let line = json!({ "device": device, "interface": "p1", "time": time, "rx": rx, "tx": tx });
        lines.push_str(&format!("{line}\n"));
        octets += out_bps(port, i) * 300 / 8;
    }
    lines
}

/// SPEC.md sections 5 and 6 by sorting: the overage of values against allowances.
fn overage(values: &[u64], allowance: impl Fn(i64) -> u64) -> u64 {
    let mut excess: Vec<u64> =
        (0..).zip(values).map(|(i, value)| value.saturating_sub(allowance(i))).collect();
    excess.sort_unstable();
    let rank = (95 * excess.len()).div_ceil(100);
    excess[rank - 1]
}

/// The inventory of the eventful month, `version` after version.
fn inventory(version: u32) -> Value {
    let (start, end) = (at(START), at(START + 2 * DAY));
    let moved = at(START + DAY);
    let mut m01 = json!({
        "id": "m01", "customer": "kita", "region": "tokyo", "plan": "one",
        "service_start": start, "service_end": end, "ports": [{ "device": "sw1", "interface": "p1" }],
    });
    if version >= 2 {
        m01["ports"] = json!([
            { "device": "sw1", "interface": "p1", "until": moved },
            { "device": "sw2", "interface": "p1", "from": moved },
        ]);
        let more = if version >= 3 { 2_000_000 } else { 1_000_000 };
        m01["addons"] = json!([{ "bps": more, "from": at(START + DAY + 12 * HOUR) }]);
        m01["plan_changes"] = json!([{ "plan": "two", "from": at(START + DAY + 6 * HOUR) }]);
    }
    let member = |id: &str, device: &str| {
        json!({ "id": id, "customer": "kita", "region": "nagoya", "plan": "one", "service_start": start,
                "service_end": end, "ports": [{ "device": device, "interface": "p1" }] })
    };
    let mut m03 = member("m03", "sw4");
    if version >= 4 {
        m03["ports"].as_array_mut().unwrap().push(json!({ "device": "sw5", "interface": "p1" }));
    }
    json!({
        "plans": [
            { "id": "one", "allowance_bps": 1_000_000, "price_per_mbps": "1500", "currency": "JPY" },
            { "id": "two", "allowance_bps": 2_000_000, "price_per_mbps": "1200", "currency": "JPY" },
        ],
        "servers": [m01, member("m02", "sw3"), m03],
        "pools": [{ "id": "kita-all", "customer": "kita", "plan": "one",
                    "servers": [{ "server": "m02" }, { "server": "m03" }] }],
    })
}

fn apply(dir: &Path, version: u32) {
    let file = dir.join(format!("inventory-{version}.json"));
    std::fs::write(&file, inventory(version).to_string()).unwrap();
    prints(dir, &["inventory", "apply", &file.display().to_string(), "--by", "aiko"]);
}

fn import(dir: &Path, name: &str, lines: &str) {
    let file = dir.join(name);
    std::fs::write(&file, lines).unwrap();
    prints(dir, &["import", &file.display().to_string()]);
}

/// The sum of the exported lines of each server.
fn exported(dir: &Path) -> BTreeMap<String, Decimal> {
    let lines = prints(dir, &with(&["export", "--format", "json"], &[]));
    let lines: Vec<Value> = serde_json::from_str(&lines).unwrap();
    let mut sums = BTreeMap::new();
    for line in lines {
        let amount: Decimal = line["amount"].as_str().unwrap().parse().unwrap();
        *sums.entry(line["server"].as_str().unwrap().to_owned()).or_default() += amount;
    }
    sums
}

/// The amount of the newest statement of each server.
fn final_amounts(dir: &Path) -> BTreeMap<String, Decimal> {
    let amount = |line: &Value| {
        (line["server"].as_str().unwrap().to_owned(), line["amount"].as_str().unwrap().parse().unwrap())
    };
    statements(dir, &[]).iter().map(amount).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_in_which_everything_happens_adds_up() {
    let (_store, dir) = store_and_dir("closing-events").await;
    let dir = dir.as_path();
    apply(dir, 1);
    let half = TWO_DAYS / 2;
    let lines =
        [("sw1", 1, 0..half), ("sw3", 3, 0..TWO_DAYS), ("sw4", 4, 0..TWO_DAYS), ("sw5", 5, 0..TWO_DAYS)];
    let lines: Vec<String> =
        lines.into_iter().map(|(device, port, slots)| readings(device, port, slots)).collect();
    import(dir, "first.ndjson", &lines.concat());
    // The server moves to another switch, buys an add-on and changes its plan, each at a time of its own.
    apply(dir, 2);
    import(dir, "second.ndjson", &readings("sw2", 2, half..TWO_DAYS));
    let incident = [START + 30 * HOUR, START + 33 * HOUR];
    let [from, until] = incident.map(at);
    let declare =
        ["exclusions", "add", "--server", "m01", "--from", &from, "--until", &until, "--why", "DDoS"];
    prints(dir, &[&declare[..], &["--by", "aiko"]].concat());

    prints(dir, &with(&["close"], &["--by", "aiko"]));
    let queue = prints(dir, &with(&["review", "list"], &[]));
    assert!(queue.contains("port sw2 p1 became the server's at"), "{queue}");
    let states = |dir| -> Vec<String> {
        let state = |s: &Value| format!("{} {} {}", s["server"], s["revision"], s["state"]).replace('"', "");
        statements(dir, &[]).iter().map(state).collect()
    };
    assert_eq!(states(dir), ["kita-all 1 issued", "m01 1 held"]);
    assert_eq!(exported(dir).keys().collect::<Vec<_>>(), ["kita-all"], "what is held is not exported");
    prints(dir, &with(&["review", "approve"], &["--server", "m01", "--note", "new switch", "--by", "ken"]));

    // By plain sorting: which port counts when, what is granted when, and the incident's slots as 0.
    let slot = |ms: i64| (ms - START) / Slot::MS;
    let measured: Vec<u64> = (0..TWO_DAYS).map(|i| out_bps(if i < half { 1 } else { 2 }, i)).collect();
    let granted = |addon: u64| {
        move |i: i64| {
            let plan = if i < slot(START + DAY + 6 * HOUR) { 1_000_000 } else { 2_000_000 };
            plan + if i < slot(START + DAY + 12 * HOUR) { 0 } else { addon }
        }
    };
    let calm: Vec<u64> = (0..)
        .zip(&measured)
        .map(|(i, bps)| if (slot(incident[0])..slot(incident[1])).contains(&i) { 0 } else { *bps })
        .collect();
    let m01 = |dir| statements(dir, &["--server", "m01"]).remove(0);
    let with_incident = overage(&calm, granted(1_000_000));
    let statement = m01(dir);
    assert_eq!(statement["overage_bps"], with_incident);
    assert_eq!(statement["measured"]["overage_bps"], overage(&measured, granted(1_000_000)));
    assert_eq!((&statement["plan"], &statement["review"]["approved_by"]), (&json!("two"), &json!("ken")));
    let pooled: Vec<u64> = (0..TWO_DAYS).map(|i| out_bps(3, i) + out_bps(4, i)).collect();
    let pool = statements(dir, &["--server", "kita-all"]).remove(0);
    assert_eq!(pool["overage_bps"], overage(&pooled, |_| 2_000_000));
    let shares = pool["members"].as_array().unwrap().iter().map(|m| m["share_out_bps"].as_u64().unwrap());
    assert_eq!(shares.sum::<u64>(), pool["p95_bps"].as_u64().unwrap());

    // A server of a pool has no amount of its own.
    let usage = prints(dir, &with(&["usage", "--format", "json"], &["--server", "m02"]));
    let usage: Value = serde_json::from_str(&usage).unwrap();
    assert_eq!((&usage[0]["pool"], &usage[0]["amount"]), (&json!("kita-all"), &Value::Null));

    // Corrections: the incident was none, the add-on was larger, and a server of the pool has one more port.
    prints(dir, &["exclusions", "withdraw", "1", "--why", "other server", "--by", "aiko"]);
    let revise =
        |reason: &str| prints(dir, &[&["revise", "--by", "ken", "--reason", reason], &PERIOD[..]].concat());
    revise("the incident was another server's");
    assert_eq!(m01(dir)["overage_bps"], overage(&measured, granted(1_000_000)));
    assert_eq!(m01(dir)["measured"], Value::Null);
    apply(dir, 3);
    revise("the add-on was of 2 Mbps");
    assert_eq!(m01(dir)["overage_bps"], overage(&measured, granted(2_000_000)));
    apply(dir, 4);
    revise("m03 has a second port");
    let pooled: Vec<u64> = (0..TWO_DAYS).map(|i| out_bps(3, i) + out_bps(4, i) + out_bps(5, i)).collect();
    assert_eq!(statements(dir, &["--server", "kita-all"])[0]["overage_bps"], overage(&pooled, |_| 2_000_000));
    assert_eq!(states(dir), ["kita-all 2 issued", "m01 3 issued"]);
    assert!(revise("nothing").contains("still says what is right"));

    assert_eq!(exported(dir), final_amounts(dir));
    let again = prints(dir, &with(&["close"], &[]));
    assert!(again.contains("0 statements issued, 2 were before"), "{again}");
    // Every revision can be proved, of the samples that were revised since too.
    assert_eq!(proved(dir, &dir.join("proofs")), 5);
}

fn order(now: Timestamp) -> Order {
    let period = "2026-10".parse().unwrap();
    Order { period, by: "aiko".to_owned(), now, override_reason: None }
}

async fn desk(name: &str, servers: usize) -> (Store, Desk) {
    let (store, dir) = store_and_dir(name).await;
    let servers: Vec<Value> = (0..servers).map(|i| json!({ "id": format!("s{i:04}") })).collect();
    let document: Document = serde_json::from_value(json!({ "servers": servers })).unwrap();
    let changes = changes(&Document::default(), &document);
    store.put_inventory(&changes, 1, Timestamp(1), "aiko").await.unwrap();
    let clock_ms = u64::try_from(NOVEMBER.0).unwrap();
    let checkpoint = Checkpoint { batch: 0, clock_ms, inventory: 1, serial: 1 };
    store.put_checkpoint(checkpoint).await;
    let desk = Desk::new(store.clone(), &dir, Times::default());
    (store, desk)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_not_closed_before_its_time() {
    let (store, desk) = desk("closing-refused", 1).await;
    let close = |order: Order| {
        let desk = desk.clone();
        async move { desk.close(&order, |_, _| {}).await }
    };
    let end = 1_793_458_800_000;
    let early = close(order(Timestamp(end + 599_999))).await.unwrap_err();
    assert_eq!(
        early.to_string(),
        "2026-10 ends at 2026-10-31T15:00:00Z and can be closed from 2026-10-31T15:10:00Z on; it is \
         2026-10-31T15:09:59.999Z now"
    );
    let nobody = close(Order { by: " ".to_owned(), ..order(NOVEMBER) }).await.unwrap_err();
    assert!(matches!(nobody, CloseError::Nameless("by")), "{nobody}");

    // A collector was last heard of before the end.
    let report = CollectorReport {
        name: CollectorName::new("tokyo-2").unwrap(),
        at: Timestamp(end - 1),
        unsent: 0,
        oldest_unsent: None,
        stopped: false,
    };
    store.put_collectors(&[report]).await.unwrap();
    let held_back = close(order(NOVEMBER)).await.unwrap_err();
    assert!(matches!(held_back, CloseError::HeldBack(_)), "{held_back}");
    assert!(held_back.to_string().contains("tokyo-2"), "{held_back}");
    assert!(store.statements(order(NOVEMBER).period).await.unwrap().is_empty());
    let answered = Order { override_reason: Some("burnt down".to_owned()), ..order(NOVEMBER) };
    let outcome = close(answered).await.unwrap();
    assert_eq!((outcome.issued, outcome.held), (0, 1), "without any sample it waits for a person");
    let trail = desk.trail().await.unwrap();
    let acts: Vec<(&str, &str)> = trail.acts().iter().map(|act| (&*act.act, &*act.reason)).collect();
    assert_eq!(acts, [("override", "burnt down"), ("close", "")]);

    // What was changed since the last sample was made has to be followed first.
    let document = serde_json::from_value(json!({ "servers": [{ "id": "s0001" }] })).unwrap();
    let changes = changes(&Document::default(), &document);
    store.put_inventory(&changes, 2, Timestamp(2), "aiko").await.unwrap();
    let unfollowed = close(order(NOVEMBER)).await.unwrap_err();
    assert!(matches!(unfollowed, CloseError::Unfollowed(Pending::Inventory(2))), "{unfollowed}");
    drop(desk);
    store.close().await.unwrap();
}

/// A close that is cut off amid its lots, and run again, leaves what one that ran through leaves.
#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_dies_is_finished_by_running_it_again() {
    const SERVERS: usize = 900;
    let (whole_store, whole) = desk("closing-whole", SERVERS).await;
    whole.close(&order(NOVEMBER), |_, _| {}).await.unwrap();
    let (store, desk) = desk("closing-cut", SERVERS).await;
    let (first_lot, cut) = tokio::sync::oneshot::channel();
    let mut first_lot = Some(first_lot);
    {
        let order = order(NOVEMBER);
        let dying = pin!(desk.close(&order, |done, _| {
            if done > 0
                && let Some(first_lot) = first_lot.take()
            {
                first_lot.send(()).unwrap();
            }
        }));
        // Biased to the left, so that it is dropped at once.
        let Either::Left(_) = select(cut, dying).await else { panic!("it was not cut off") };
    }
    let period = order(NOVEMBER).period;
    let some = store.statements(period).await.unwrap().len();
    assert!(0 < some && some < SERVERS, "{some}");
    assert!(desk.trail().await.unwrap().closed(period).is_none());
    let outcome = desk.close(&order(NOVEMBER), |_, _| {}).await.unwrap();
    assert_eq!(outcome.held, SERVERS as u64);
    assert_eq!(store.statements(period).await.unwrap(), whole_store.statements(period).await.unwrap());
    let trails = [desk.trail().await.unwrap(), whole.trail().await.unwrap()];
    assert_eq!(trails[0].acts(), trails[1].acts());
    drop((desk, whole));
    store.close().await.unwrap();
    whole_store.close().await.unwrap();
}

/// Closes October on NOVEMBER, and tells what became of whom: `issued` or `held` with the reasons.
async fn closed(desk: &Desk) -> BTreeMap<String, String> {
    desk.close(&order(NOVEMBER), |_, _| {}).await.unwrap();
    let filed = desk.store().statements(order(NOVEMBER).period).await.unwrap();
    let told = |filed: &Filed| {
        let reasons = filed.statement.review.as_ref().map(|review| review.reasons.join("; "));
        let state = if filed.state == State::Issued { "issued" } else { "held" };
        (filed.statement.server.clone(), format!("{state} {}", reasons.unwrap_or_default()))
    };
    filed.iter().map(told).collect()
}

/// A store in which every server of `first` has a sample of 3 Mbps in every slot of October, and the inventories
/// `first`, in force when the month began, and `then`, of the middle of November.
async fn sold(name: &str, first: &Value, then: &Value) -> Desk {
    let (store, dir) = store_and_dir(name).await;
    let read = |value: &Value| -> Document { serde_json::from_value(value.clone()).unwrap() };
    let (first, then) = (read(first), read(then));
    store.put_inventory(&changes(&Document::default(), &first), 1, Timestamp(1), "aiko").await.unwrap();
    let mut names: Vec<&str> = first.servers.iter().chain(&then.servers).map(|server| &*server.id).collect();
    names.sort_unstable();
    names.dedup();
    store.put_servers(names.iter().zip(0..).map(|(name, id)| (ServerId(id), *name))).await;
    let rates = Rates { in_bps: Bps(3_000_000), out_bps: Bps(1) };
    let sample = Some(Sample { rates, partial: false });
    let mut output = Output::default();
    for id in (0..).map(ServerId).take(names.len()) {
        let slots = (FIRST..FIRST + 31 * 288).map(Slot);
        output.samples.extend(slots.map(|slot| SampleOut { server: id, slot, sample, revision: 1 }));
    }
    store.put_output(&output).await;
    put(&store, &first, &then).await;
    Desk::new(store, &dir, Times::default())
}

/// Puts another inventory in force, as one that samples follow.
async fn put(store: &Store, before: &Document, after: &Document) {
    let changes = changes(before, after);
    let mut inventory = store.inventory_version().await.unwrap();
    if !changes.is_empty() {
        inventory += 1;
        store.put_inventory(&changes, inventory, NOVEMBER, "aiko").await.unwrap();
    }
    let clock_ms = u64::try_from(NOVEMBER.0).unwrap();
    store.put_checkpoint(Checkpoint { batch: 0, clock_ms, inventory, serial: inventory }).await;
}

/// What was changed without a date, or went, never bills a month gone by without a person's word.
#[tokio::test(flavor = "multi_thread")]
async fn undated_changes_wait_for_a_person() {
    let plan = |price: &str| json!({ "id": "p", "price_per_mbps": price, "currency": "JPY" });
    let server = |id: &str, customer: &str| json!({ "id": id, "customer": customer, "plan": "p", "ports": [{ "device": "d", "interface": id }] });
    let site = |plan: Value, servers: Vec<Value>| json!({ "plans": [plan], "servers": servers });
    let mut dated = server("a", "kita");
    dated["addons"] = json!([{ "bps": 1_000_000, "from": "2026-10-20T00:00:00+09:00" }]);
    let mut granted = server("a", "kita");
    granted["addons"] = json!([{ "bps": 1_000_000 }]);
    let a = || server("a", "kita");
    // Who is extreme is no matter of billing, nor is a port that is only compared.
    let mut compared = a();
    let nic = json!({ "device": "a", "interface": "eth0", "kind": "nic", "check_only": true });
    compared["ports"].as_array_mut().unwrap().push(nic);
    let mut watched = site(plan("1500"), vec![compared]);
    watched["policies"] = json!([{ "id": "p", "off": ["flood"] }]);
    watched["exemptions"] =
        json!([{ "id": "e", "server": "a", "reason": "r", "until": "2026-12-01T00:00:00+09:00" }]);
    for (number, (then, id, says)) in [
        (site(plan("1500"), vec![dated]), "a", "issued "),
        (watched, "a", "issued "),
        (site(plan("1500"), vec![granted]), "a", "without a date: what was granted when it began"),
        (site(plan("1600"), vec![a()]), "a", "without a date: the terms of plan \"p\""),
        (site(plan("1500"), vec![server("a", "minami")]), "a", "the customer, who was \"kita\""),
        (site(plan("1500"), vec![a(), server("b", "kita")]), "b", "was not there, and has no service_start"),
        (
            site(plan("1500"), vec![]),
            "a",
            "the server was removed from the inventory at 2026-11-01T03:00:00Z",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let desk = sold(&format!("closing-undated-{number}"), &site(plan("1500"), vec![a()]), &then).await;
        let found = closed(&desk).await;
        assert!(found[id].contains(says), "{says}: {found:?}");
        assert_eq!(says == "issued ", found[id] == says, "{found:?}");
        let statement =
            desk.store().statements_of(order(NOVEMBER).period, id).await.unwrap().remove(0).statement;
        assert!(statement.amount.is_some(), "by the plan that it had: {statement:?}");
    }
}

/// A server that is billed by itself and one of a pool change places after the month was closed.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_billed_twice_when_a_pool_changes() {
    let server = |id: &str| json!({ "id": id, "customer": "kita", "plan": "p", "ports": [{ "device": "d", "interface": id }] });
    let site = |pooled: &[&str]| {
        let members: Vec<Value> = pooled.iter().map(|id| json!({ "server": id })).collect();
        let pools = if members.is_empty() {
            json!([])
        } else {
            json!([{ "id": "p1", "customer": "kita", "plan": "p", "servers": members }])
        };
        json!({ "plans": [{ "id": "p", "price_per_mbps": "1500", "currency": "JPY" }], "servers": [server("a"), server("b")], "pools": pools })
    };
    let document = |pooled: &[&str]| -> Document { serde_json::from_value(site(pooled)).unwrap() };
    let desk = sold("closing-pools", &site(&["b"]), &site(&["b"])).await;
    let issued = |pairs: &[&str]| -> BTreeMap<String, String> {
        pairs.iter().map(|id| ((*id).to_owned(), "issued ".to_owned())).collect()
    };
    assert_eq!(closed(&desk).await, issued(&["a", "p1"]));
    let word = Word { by: "ken".to_owned(), now: NOVEMBER, reason: "they are one".to_owned() };
    let period = order(NOVEMBER).period;
    let correct = async |server: Option<&str>| {
        let correction = Correction { period, server: server.map(str::to_owned), dry_run: false };
        desk.revise(&correction, &word).await
    };

    // The server goes into the pool: its own statement is taken back with the same act.
    put(desk.store(), &document(&["b"]), &document(&["a", "b"])).await;
    let twice = correct(Some("p1")).await.unwrap_err();
    assert!(matches!(twice, CloseError::BilledElsewhere { .. }), "{twice}");
    let revisions = correct(None).await.unwrap();
    let amounts = |statement: &Statement| statement.amount.map(|amount| amount.to_string());
    let told: Vec<_> =
        revisions.iter().map(|r| (&*r.after.server, amounts(&r.before), amounts(&r.after))).collect();
    let yen = |amount: &str| Some(amount.to_owned());
    assert_eq!(told, [("a", yen("3000"), None), ("p1", yen("3000"), yen("6000"))]);

    // The pool is dissolved: it is taken back, and its servers are billed by themselves again.
    put(desk.store(), &document(&["a", "b"]), &document(&[])).await;
    let waiting = closed(&desk).await;
    assert!(waiting["b"].contains("held b was billed with the statement of p1"), "{waiting:?}");
    let refused = desk.approve(period, "b", &word).await.unwrap_err();
    assert!(matches!(refused, CloseError::BilledElsewhere { .. }), "{refused}");
    assert_eq!(correct(None).await.unwrap().len(), 2, "the pool goes, and the server comes back");
    assert_eq!(closed(&desk).await["b"], "issued ");
    let filed = desk.store().statements(period).await.unwrap();
    let lines = lines(&filed, &Filter::default());
    let sum: Decimal = lines.iter().filter_map(|line| line.amount).sum();
    assert_eq!(sum, Decimal::from(6_000), "two servers of 2 Mbps above their allowance");

    // What is held and not billed any more is withdrawn; what is issued is never written again.
    let again: Vec<Filed> =
        filed.iter().filter(|filed| filed.state == State::Issued).take(1).cloned().collect();
    let refused = desk.store().put_statements(&again, 99).await.unwrap_err();
    assert!(refused.to_string().contains("was issued already"), "{refused}");
}
