//! Evidence packs on the real store: a server that behaved for five weeks and then does not, through the real commands.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use meter95::aggregator::intake::Intake;
use meter95::aggregator::output::PortId;
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api;
use meter95::closing::explain::text::Lang;
use meter95::evidence::facts::Facts;
use meter95::evidence::pack::{file_name, files, pack};
use meter95::evidence::report::{Records, Report, report};
use meter95::evidence::window::Window;
use meter95::inventory::instant::Instant;
use meter95::store::connection::Store;
use meter95_reading::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use crate::support::{self, complains, prints, store_and_dir};

const SLOT_MS: i64 = 300_000;
const DAY_MS: i64 = 86_400_000;

/// Names that try to get out of a page, of a table and of a folder.
const HOSTILE: &str = "<script>alert(1)</script>\"'&../../x,=1+1";

fn at(text: &str) -> Timestamp {
    text.parse::<Instant>().unwrap().0
}

/// Monday, five weeks before the window.
fn first() -> Timestamp {
    at("2026-10-05T00:00:00+09:00")
}

/// The window: Monday to Wednesday.
fn window() -> Window {
    Window::new(at("2026-11-09T00:00:00+09:00"), at("2026-11-12T00:00:00+09:00")).unwrap()
}

/// When somebody else begins to use the server: at night, 40 times as much, in small packets.
fn begun() -> Timestamp {
    at("2026-11-10T01:35:00+09:00")
}

/// A port that has carried some octets and packets.
#[derive(Default, Clone, Copy)]
struct Counters {
    rx: u64,
    tx: u64,
    rx_packets: u64,
    tx_packets: u64,
}

/// What a server sends in the slot at `time`, in bit/s, and the octets of its packets.
fn out(time: Timestamp) -> (u64, u64) {
    let hour = (time.0 + 9 * 3_600_000).rem_euclid(DAY_MS) / 3_600_000;
    // No two slots are alike: up to a tenth more, by the hash of the slot.
    let some = 1_000_000 + (time.0.unsigned_abs() / 300_000).wrapping_mul(2_654_435_761) % 100_000;
    match hour {
        1..5 if time >= begun() => (40 * some, 90),
        0..8 => (some, 900),
        _ => (2 * some, 1_100),
    }
}

/// Readings of the switch's port from the first day to the window's end, a line a slot: the switch restarts on Tuesday at
/// noon, and nobody reads it on Wednesday from noon to two.
fn readings(device: &str, interface: &str) -> String {
    let restart = at("2026-11-10T12:00:00+09:00");
    let silent = at("2026-11-11T12:00:00+09:00")..at("2026-11-11T14:00:00+09:00");
    let (mut counters, mut started) = (Counters::default(), first());
    let mut text = String::new();
    let slots = (window().until().0 - first().0) / SLOT_MS;
    for slot in 0..=slots {
        let time = first().plus_ms(slot * SLOT_MS);
        if slot > 0 {
            let (bps, size) = out(time.plus_ms(-SLOT_MS));
            let octets = bps * 300 / 8;
            // The switch receives what the server sends, and sends it a quarter of that.
            counters.rx += octets;
            counters.rx_packets += octets / size;
            counters.tx += octets / 4;
            counters.tx_packets += octets / 4 / 400;
        }
        if time == restart {
            (counters, started) = (Counters::default(), time.plus_ms(-60_000));
        }
        if !silent.contains(&time) {
            let Counters { rx, tx, rx_packets, tx_packets } = counters;
            let line = json!({
                "device": device, "interface": interface, "time": time.0, "rx": rx, "tx": tx,
                "rx_packets": rx_packets, "tx_packets": tx_packets, "uptime": time.ms_since(started) / 10,
            });
            text.push_str(&format!("{line}\n"));
        }
    }
    text
}

fn inventory(id: &str, device: &str) -> Value {
    json!({
        "plans": [{ "id": "jp" }, { "id": "jp5", "allowance_bps": 5_000_000 }],
        "servers": [{
            "id": id, "customer": HOSTILE, "region": "tokyo", "plan": "jp",
            "plan_changes": [{ "plan": "jp5", "from": "2026-11-10T00:00:00+09:00" }],
            "ports": [{ "device": device, "interface": "ge-0/0/1" }],
        }],
    })
}

fn apply(dir: &Path, inventory: &Value, more: &[&str]) {
    let file = dir.join("inventory.json");
    std::fs::write(&file, inventory.to_string()).unwrap();
    prints(dir, &[&["inventory", "apply", &file.display().to_string()], more].concat());
}

/// A store with one server that was measured as above.
async fn suspected(name: &str, id: &str, device: &str) -> (Store, PathBuf) {
    let (store, dir) = store_and_dir(name).await;
    apply(&dir, &inventory(id, device), &[]);
    let file = dir.join("readings.ndjson");
    std::fs::write(&file, readings(device, "ge-0/0/1")).unwrap();
    prints(&dir, &["import", &file.display().to_string()]);
    (store, dir)
}

/// The files of a pack, by name, in their order.
fn opened(octets: Vec<u8>) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(octets)).unwrap();
    let mut read = |i| {
        let mut file = zip.by_index(i).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        (file.name().unwrap().into_owned(), text)
    };
    (0..11).map(&mut read).collect()
}

fn file<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    &files.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name}")).1
}

/// The rows of a table, each by its headings.
fn rows(csv: &str) -> Vec<std::collections::HashMap<String, String>> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().map(Result::unwrap).collect()
}

fn sum(rows: &[std::collections::HashMap<String, String>], column: &str) -> u64 {
    rows.iter().map(|row| row[column].parse::<u64>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_tells_from_which_slot_a_server_is_another_one() {
    let (store, dir) = suspected("evidence", "web01", "sw1").await;
    let out = dir.join("web01.zip");
    let asked = ["--from", "2026-11-09T00:00:00+09:00", "--until", "2026-11-12T00:00:00+09:00"];
    let name = out.display().to_string();
    let command = [&["evidence", "--server", "web01", "--out", &name], &asked[..]].concat();
    let said = prints(&dir, &command);
    assert!(said.contains("864 slots, 2 breaks"), "{said}");
    assert!(said.contains("behaviour changed from 2026-11-09T16:35:00Z on: out"), "{said}");
    let octets = std::fs::read(&out).unwrap();

    // The same again is the same, and other programs can open it.
    prints(&dir, &command);
    assert_eq!(std::fs::read(&out).unwrap(), octets);
    let tested = Command::new("python3").args(["-m", "zipfile", "-t", &name]).output();
    let tested = tested.expect("python3 can't be started: install it with `apt-get install python3`");
    assert!(tested.status.success(), "{tested:?}");

    let files = opened(octets);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "README.txt",
        "index.html",
        "traffic.csv",
        "ports.csv",
        "breaks.csv",
        "change.json",
        "inventory.json",
        "cases.json",
        "alerts.json",
        "evidence.json",
        "SHA256SUMS",
    ];
    assert_eq!(names, expected);
    let sums: Vec<String> = files[..10]
        .iter()
        .map(|(name, text)| {
            let hash: String = Sha256::digest(text).iter().map(|octet| format!("{octet:02x}")).collect();
            format!("{hash}  {name}")
        })
        .collect();
    assert_eq!(file(&files, "SHA256SUMS").lines().collect::<Vec<_>>(), sums);

    figures_are_those_of_the_store(&store, &files).await;

    let traffic = rows(file(&files, "traffic.csv"));
    let slot = |local: &str| traffic.iter().find(|row| row["slot_local"] == local).unwrap();
    let before = slot("2026-11-10T01:30:00+09:00");
    let after = slot("2026-11-10T01:35:00+09:00");
    assert_eq!((&*before["out_mean_packet_octets"], &*after["out_mean_packet_octets"]), ("900", "90"));
    let bps = |row: &std::collections::HashMap<String, String>| row["out_bps"].parse::<u64>().unwrap();
    assert!(bps(after) > 30 * bps(before), "{before:?} {after:?}");
    let packets: u64 = after["out_packets"].parse().unwrap();
    assert_eq!(after["out_packets_per_second"], (packets / 300).to_string());
    assert_eq!(slot("2026-11-09T23:55:00+09:00")["allowance_bps"], "1000000");
    assert_eq!(slot("2026-11-10T00:00:00+09:00")["allowance_bps"], "5000000");
    let missing = slot("2026-11-11T13:00:00+09:00");
    assert_eq!((&*missing["state"], &*missing["out_bps"], &*missing["covered_s"]), ("missing", "", "0"));
    assert_eq!(before["covered_s"], "300");

    let change: Value = serde_json::from_str(file(&files, "change.json")).unwrap();
    let out = &change["habit"][1];
    assert_eq!(out["direction"], "out");
    assert_eq!(out["change"]["from"], "2026-11-09T16:35:00Z");
    assert_eq!(out["change"]["kind"], "louder");
    let hours: Vec<&str> =
        change["hours"].as_array().unwrap().iter().map(|h| h["from"].as_str().unwrap()).collect();
    // 02:00 to 05:00 in Tokyo on both nights are the worst.
    assert!(
        hours[..6]
            .iter()
            .all(|hour| ["T17:00", "T18:00", "T19:00", "T16:00"].iter().any(|h| hour.contains(h))),
        "{hours:?}"
    );

    let breaks = rows(file(&files, "breaks.csv"));
    let kinds: Vec<(&str, &str)> = breaks.iter().map(|row| (&*row["kind"], &*row["cause"])).collect();
    assert_eq!(kinds, [("reset", "uptime"), ("gap", "")]);
    assert_eq!(breaks[0]["after_local"], "2026-11-10T12:00:00+09:00");
    assert_eq!((&*breaks[0]["after_rx_octets"], &*breaks[0]["rx_octets_left_out"]), ("0", ""));
    assert!(breaks[0]["before_rx_octets"].parse::<u64>().unwrap() > 0);
    assert!(
        breaks[1]["rx_octets_left_out"].parse::<u64>().unwrap() > 0,
        "the counters tell what was not counted"
    );

    let sold: Value = serde_json::from_str(file(&files, "inventory.json")).unwrap();
    let plans: Vec<(&str, &str)> = sold["plans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["from"].as_str().unwrap(), p["plan"].as_str().unwrap()))
        .collect();
    assert_eq!(plans, [("2026-11-08T15:00:00Z", "jp"), ("2026-11-09T15:00:00Z", "jp5")]);

    let html = file(&files, "index.html");
    for part in [
        "2026-11-10 01:35",
        "class=\"reset\"",
        "class=\"gap\"",
        "path class=\"change\"",
        "<h1>Traffic of <bdi>web01",
    ] {
        assert!(html.contains(part), "{part}");
    }
    let evidence: Value = serde_json::from_str(file(&files, "evidence.json")).unwrap();
    assert_eq!((&evidence["format"], &evidence["version"]), (&json!("meter95-evidence"), &json!(1)));
    assert_eq!(evidence["slots"].as_array().unwrap().len(), 864);

    let error = complains(&dir, &[&["evidence", "--server", "web99"], &asked[..]].concat());
    assert!(error.contains("there is no server \"web99\""), "{error}");
    let error = complains(
        &dir,
        &[
            "evidence",
            "--server",
            "web01",
            "--from",
            "2026-01-01T00:00:00Z",
            "--until",
            "2026-11-01T00:00:00Z",
        ],
    );
    assert!(error.contains("longer than 93 days"), "{error}");

    // Taken out of the inventory, it can still be asked about.
    apply(&dir, &json!({ "plans": [{ "id": "jp" }] }), &["--remove"]);
    let command: Vec<&str> = command.iter().copied().chain(["--lang", "ja"]).collect();
    prints(&dir, &command);
    let gone = opened(std::fs::read(&name).unwrap());
    assert_eq!(file(&gone, "traffic.csv"), file(&files, "traffic.csv"));
    let sold: Value = serde_json::from_str(file(&gone, "inventory.json")).unwrap();
    assert!(sold["removed_at"].is_string() && sold["plans"].as_array().unwrap().len() == 2, "{sold}");
    assert!(file(&gone, "index.html").contains("台帳から削除されています"));
    assert!(file(&gone, "README.txt").contains("スロットの開始時刻"));
    store.close().await.unwrap();
}

/// What the tables have in octets is what the store has in slots.
async fn figures_are_those_of_the_store(store: &Store, files: &[(String, String)]) {
    let stored = store.port_slots(&[PortId(0)], window().slots()).await.unwrap();
    let rx: u64 = stored.values().map(|carried| carried.rx_octets).sum();
    let tx: u64 = stored.values().map(|carried| carried.tx_octets).sum();
    let packets: u64 = stored.values().map(|carried| carried.rx_packets).sum();
    assert!(rx > 0 && tx > 0 && packets > 0);
    for name in ["traffic.csv", "ports.csv"] {
        let rows = rows(file(files, name));
        assert_eq!((sum(&rows, "in_octets"), sum(&rows, "out_octets")), (tx, rx), "{name}");
    }
    assert_eq!(sum(&rows(file(files, "ports.csv")), "out_packets"), packets);
    let evidence: Value = serde_json::from_str(file(files, "evidence.json")).unwrap();
    assert_eq!(
        (&evidence["summary"]["in"]["octets"], &evidence["summary"]["out"]["octets"]),
        (&json!(tx), &json!(rx))
    );
}

async fn reported(store: &Store, id: &str, window: Window, records: Records) -> Report {
    let now = window.until().plus_ms(DAY_MS);
    report(&Facts::read(store, id, window, now, 600_000).await.unwrap(), records)
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_only_names() {
    let (store, _) = suspected("evidence-hostile", HOSTILE, "../sw<b>\"").await;
    let hostile = json!([{ "id": 1, "why": HOSTILE, HOSTILE: "x", "steps": [HOSTILE] }]);
    let records = Records { cases: hostile.clone(), alerts: hostile };
    let report = reported(&store, HOSTILE, window(), records).await;
    let name = file_name(&report);
    assert!(!name.contains(['/', '<', '"', '\'', '&', ',']), "{name}");
    for lang in [Lang::En, Lang::Ja] {
        let files = files(&report, lang).unwrap();
        let html = &files.iter().find(|(name, _)| *name == "index.html").unwrap().1;
        assert!(!html.contains("<script") && !html.contains("sw<b>"), "a name has become a tag");
        assert!(html.contains("&lt;script&gt;alert(1)"));
        for outside in ["http:", "https:", "src=", "href=", "url("] {
            let without = html.replace("http://www.w3.org/2000/svg", "");
            assert!(!without.contains(outside), "{outside}");
        }
        well_formed(html);
    }
    let octets = pack(&report, Lang::En).unwrap();
    let zip = zip::ZipArchive::new(Cursor::new(octets)).unwrap();
    assert!(
        zip.file_names().all(|name| name.unwrap().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'))
    );
    store.close().await.unwrap();
}

/// Every tag of a page is closed by the one that belongs to it.
fn well_formed(html: &str) {
    let mut open = Vec::new();
    for part in html.split('<').skip(1) {
        let tag = part.split('>').next().unwrap();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        let alone = tag.ends_with('/') || ["!DOCTYPE", "meta"].contains(&name);
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{part}"),
            None if alone => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_in_which_nothing_was_measured_is_told_as_that() {
    let (store, dir) = store_and_dir("evidence-empty").await;
    apply(&dir, &inventory("web01", "sw1"), &[]);
    let report = reported(&store, "web01", window(), Records::default()).await;
    assert_eq!(report.summary.states["missing"], 864);
    let files = files(&report, Lang::En).unwrap();
    let html = &files.iter().find(|(name, _)| *name == "index.html").unwrap().1;
    assert!(html.contains("can&#39;t be told: too little was measured"));
    well_formed(html);
    let one = Window::new(window().from(), window().from().plus_ms(1)).unwrap();
    let report = reported(&store, "web01", one, Records::default()).await;
    assert_eq!(report.slots.len(), 1);
    pack(&report, Lang::Ja).unwrap();
    store.close().await.unwrap();
}

fn now() -> Timestamp {
    window().until().plus_ms(60_000)
}

async fn router(store: Store) -> Router {
    let times = Times::default();
    let pipeline = Pipeline::open(store.clone(), times, Clock::Machine(now())).await.unwrap();
    let (intake, _queue) = Intake::new();
    api::router(support::app(&store, &std::env::temp_dir(), pipeline.live(), intake, now).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_is_had_over_http() {
    let (store, dir) = store_and_dir("evidence-api").await;
    apply(&dir, &inventory("web/01", "sw1"), &[]);
    let router = router(store.clone()).await;
    let get = async |uri: &str| {
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        (head, axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec())
    };
    let (head, body) = get("/v1/servers/web%2F01/evidence").await;
    assert_eq!(head.status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
    assert_eq!(head.headers[header::CONTENT_TYPE], "application/zip");
    let name = "attachment; filename=\"evidence_web%2F01_20261108T150000Z_20261111T150000Z.zip\"";
    assert_eq!(head.headers[header::CONTENT_DISPOSITION], name, "the three days before now");
    assert!(file(&opened(body), "index.html").contains("<html lang=\"en\">"));
    let (_, body) = get("/v1/servers/web%2F01/evidence?from=2026-11-01T00:00:00Z&lang=ja").await;
    assert!(file(&opened(body), "index.html").contains("<html lang=\"ja\">"));
    for (uri, status, says) in [
        ("/v1/servers/web99/evidence", 404, "there is no server \\\"web99\\\""),
        ("/v1/servers/web%2F01/evidence?from=2026-01-01T00:00:00Z", 400, "longer than 93 days"),
        ("/v1/servers/web%2F01/evidence?until=2026-11-01", 400, "is not an instant"),
        (
            "/v1/servers/web%2F01/evidence?from=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z",
            400,
            "is not after from",
        ),
        ("/v1/servers/web%2F01/evidence?lang=de", 400, "is not en or ja"),
        ("/v1/servers/web%2F01/evidence?format=pdf", 400, "there is no such query field"),
    ] {
        let (head, body) = get(uri).await;
        let body = String::from_utf8(body).unwrap();
        assert!(head.status == status && body.contains(says), "{uri}: {body}");
    }
    store.close().await.unwrap();
}
