//! Reports of real months for customers: what they say is what the statement says, in both languages, as HTML and as PDF.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use meter95::aggregator::intake::Intake;
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api;
use meter95::closing::close::Order;
use meter95::closing::desk::{Desk, Word};
use meter95::closing::revise::Correction;
use meter95::store::connection::Store;
use meter95_reading::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{self, complains, prints, store_and_dir};

/// 2026-11-01T12:00:00 in Tokyo: October can be closed.
const NOVEMBER: Timestamp = Timestamp(1_793_502_000_000);

/// A name that no line holds, with letters that no font has, which tries to get out of the page.
const LONG: &str =
    "株式会社とても長い名前</title><script>alert('x')</script>\u{202e}👩‍💻 & 有限責任事業組合連合会";

fn month(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/months/october-faults").join(file)
}

fn november() -> Timestamp {
    NOVEMBER
}

/// 2026-10-14T00:00:00 in Tokyo.
const MIDNIGHT: Timestamp = Timestamp(1_791_903_600_000);

/// When the slots before midnight have had their grace.
fn on_the_fourteenth() -> Timestamp {
    MIDNIGHT.plus_ms(600_000)
}

/// The month with faults, for customers with names and languages; flaky02 is not to be issued without a person.
async fn site(name: &str) -> (Store, PathBuf) {
    let (store, dir) = store_and_dir(name).await;
    let mut inventory: Value =
        serde_json::from_slice(&std::fs::read(month("inventory.json")).unwrap()).unwrap();
    let plans = inventory["plans"].as_array_mut().unwrap();
    plans.iter_mut().find(|plan| plan["id"] == "jp6x").unwrap()["min_coverage"] = json!("0.99");
    let contact = |language: Option<&str>| json!([{"name": "NOC", "language": language}]);
    inventory["customers"] = json!([
        {"id": "c010", "name": "Old & Sons", "contacts": contact(None)},
        {"id": "c011", "name": LONG, "contacts": contact(Some("ja"))},
    ]);
    apply(&dir, &inventory);
    (store, dir)
}

/// Takes the month's readings, all of them or those from before an instant.
fn import(dir: &Path, before: Option<Timestamp>) {
    let mut file = month("readings.ndjson.gz");
    if let Some(before) = before {
        let packed = std::fs::File::open(&file).unwrap();
        let lines = BufReader::new(flate2::read::GzDecoder::new(packed)).lines().map(Result::unwrap);
        let is_before = |line: &String| {
            let reading: Value = serde_json::from_str(line).unwrap();
            reading["time"].as_i64().unwrap() < before.0
        };
        let lines: Vec<String> = lines.filter(is_before).collect();
        file = dir.join("readings.ndjson");
        std::fs::write(&file, lines.join("\n")).unwrap();
    }
    prints(dir, &["import", &file.display().to_string()]);
}

fn apply(dir: &Path, inventory: &Value) {
    let file = dir.join("inventory.json");
    std::fs::write(&file, inventory.to_string()).unwrap();
    prints(dir, &["inventory", "apply", &file.display().to_string()]);
}

async fn close(store: &Store, dir: &Path) -> Desk {
    let desk = Desk::new(store.clone(), dir, Times::default());
    let (period, now) = ("2026-10".parse().unwrap(), NOVEMBER);
    let order = Order { period, by: "aiko".to_owned(), now, override_reason: None };
    desk.close(&order, |_, _| {}).await.unwrap();
    desk
}

/// What `meter95 report` writes into a file.
fn report(dir: &Path, file: &str, more: &[&str]) -> Vec<u8> {
    let path = dir.join(file);
    let output = path.display().to_string();
    let printed = prints(dir, &[&["report", "--period", "2026-10", "--output", &output], more].concat());
    assert!(printed.contains(&output), "{printed}");
    std::fs::read(path).unwrap()
}

fn html(dir: &Path, more: &[&str]) -> String {
    let text = report(dir, "report.html", &[&["--format", "html"], more].concat());
    String::from_utf8(text).unwrap()
}

/// A PDF's pages as the text that a reader can copy.
fn pages(pdf: &[u8], dir: &Path) -> Vec<String> {
    assert!(pdf.starts_with(b"%PDF-"));
    let file = dir.join("read.pdf");
    std::fs::write(&file, pdf).unwrap();
    let read = Command::new("pdftotext").args(["-enc", "UTF-8"]).arg(&file).arg("-").output();
    let read = read.expect("pdftotext is needed to read PDFs (Debian's package poppler-utils)");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let text = String::from_utf8(read.stdout).unwrap();
    text.split_terminator('\u{c}').map(str::to_owned).collect()
}

fn all_in(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "{expected:?} is not in {text}");
    }
}

/// Nothing runs in the page, and nothing of it is elsewhere.
fn stands_alone(html: &str) {
    assert!(html.starts_with("<!DOCTYPE html>"));
    let html = html.replace("http://www.w3.org/2000/svg", "");
    for reaching_out in ["<script", "http:", "https:", "src=", "href=", "url(", "@import", "style=", "onload"]
    {
        assert!(!html.contains(reaching_out), "{reaching_out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_month_is_told_as_it_was_issued() {
    let (store, dir) = site("report-closed").await;
    import(&dir, None);
    let desk = close(&store, &dir).await;
    let dir = dir.as_path();
    let stated = prints(dir, &["statements", "--period", "2026-10", "--server", "old01", "--format", "json"]);
    let statement = &serde_json::from_str::<Vec<Value>>(&stated).unwrap()[0];
    let hash = statement["samples_sha256"].as_str().unwrap();
    assert_eq!((&statement["p95_bps"], &statement["amount"]), (&json!(6_790_604), &json!("8700")));

    // By what the customer's contacts read, or as is asked for.
    let en = html(dir, &["--customer", "c010"]);
    stands_alone(&en);
    all_in(
        &en,
        &[
            "<html lang=\"en\">",
            "<title>Bandwidth report of server old01, October 2026</title>",
            "<desc id=\"d1\">Allowance: 1 Mbps; 95th percentile: 6.790 Mbps; Billable overage: 5.8 Mbps; Amount: 8,700 JPY</desc>",
            ">Old &amp; Sons</text>",
            ">6,790,604 bit/s</text>",
            ">5,790,604 bit/s</text>",
            ">8,700</text>",
            ">JPY</text>",
            ">1,500 JPY per Mbps</text>",
            ">revision 1, 2026-11-01 12:00</text>",
            "rules meter95-1",
            hash,
            ">8,928 values / 20 = 446.4, rounded down: 446 are discarded, number 447 decides</text>",
            ">5.8 Mbps x 1,500 JPY per Mbps = 8,700 JPY</text>",
            "2026-10-13 20:20</text>",
            ">8,598</text>",
            ">96.30 %</text>",
            "No sample: 330 slots in 28 spans",
            "meter95 verify",
        ],
    );
    let ja = html(dir, &["--server", "old01", "--lang", "ja"]);
    stands_alone(&ja);
    all_in(
        &ja,
        &[
            "<html lang=\"ja\">",
            "<title>帯域利用レポート サーバー old01 2026年10月</title>",
            ">ご請求額</text>",
            ">8,700</text>",
            ">95パーセンタイル値</text>",
            ">6,790,604 bit/s</text>",
            ">第1版 2026-11-01 12:00</text>",
            hash,
            ">5.8 Mbps × 単価 1,500 JPY = 8,700 JPY</text>",
        ],
    );
    assert_eq!(html(dir, &["--customer", "c010"]), en, "the same octets");

    // A file a customer, a page a server, each in the customer's language.
    let folder = dir.join("reports");
    let to = ["report", "--period", "2026-10", "--output", &folder.display().to_string()];
    let printed = prints(dir, &to);
    let names = ["2026-10_c010.pdf", "2026-10_c011.pdf"].map(|name| folder.join(name));
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(
        lines,
        [format!("{}: 1 page", names[0].display()), format!("{}: 2 pages", names[1].display())]
    );
    let [old, flaky] = names.each_ref().map(|name| std::fs::read(name).unwrap());
    let old_pages = pages(&old, dir);
    assert_eq!(old_pages.len(), 1);
    all_in(&old_pages[0], &["Bandwidth report", "Old & Sons", "8,700 JPY", "6,790,604 bit/s", hash]);
    let flaky_pages = pages(&flaky, dir);
    assert_eq!(flaky_pages.len(), 2);
    all_in(&flaky_pages[0], &["帯域利用レポート", "flaky01", "ご請求額", "18,960", "株式会社とても長い名前"]);
    all_in(&flaky_pages[1], &["flaky02", "確認中", "未発行"]);
    assert!(!flaky_pages[0].contains("確認中"));
    for (page, place) in flaky_pages.iter().zip(["1/2", "2/2"]) {
        assert!(page.replace(' ', "").contains(place), "{page}");
    }
    prints(dir, &to);
    assert_eq!(std::fs::read(&names[1]).unwrap(), flaky, "the same octets");
    let page = html(dir, &["--customer", "c011"]);
    stands_alone(&page);
    assert_eq!(page.matches("<svg ").count(), 2);
    assert!(page.contains("&lt;/title&gt;") && !page.contains('\u{202e}'), "{page}");

    // A correction says so, and why; the customer has since got another name, the statement is the old one's.
    let mut inventory: Value =
        serde_json::from_slice(&std::fs::read(dir.join("inventory.json")).unwrap()).unwrap();
    inventory["customers"][0]["name"] = json!("Young & Daughters");
    apply(dir, &inventory);
    assert_eq!(html(dir, &["--customer", "c010"]), en);
    inventory["plans"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .for_each(|plan| plan["allowance_bps"] = json!(2_000_000));
    apply(dir, &inventory);
    let word = Word { by: "ken".to_owned(), now: NOVEMBER, reason: "2 Mbps were sold".to_owned() };
    let correction =
        Correction { period: "2026-10".parse().unwrap(), server: Some("old01".to_owned()), dry_run: false };
    assert_eq!(desk.revise(&correction, &word).await.unwrap().len(), 1);
    let corrected = html(dir, &["--customer", "c010"]);
    all_in(&corrected, &["revision 2", "2 Mbps were sold", ">7,200</text>", "Young &amp; Daughters"]);
    assert!(!corrected.contains("8,700"));
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_can_not_be_is_said() {
    let (store, dir) = site("report-errors").await;
    let dir = dir.as_path();
    import(dir, None);
    let file = dir.join("x.pdf").display().to_string();
    let ask = |period: &'static str, more: &[&'static str]| {
        complains(dir, &[&["report", "--output", &file, "--period", period], more].concat())
    };
    for closed in [false, true] {
        if closed {
            close(&store, dir).await;
        }
        for (period, more, says) in [
            (
                "2026-10",
                &["--server", "web99"][..],
                "2026-10 has no slot of a server or pool \"web99\" that has closed",
            ),
            ("2026-10", &["--server", "old01", "--server", "web99"], "server or pool \"web99\""),
            ("2026-10", &["--customer", "c099"], "no server or pool of 2026-10 is such"),
            ("2026-10", &["--server", "old01", "--region", "osaka"], "no server or pool of 2026-10 is such"),
            ("2126-10", &[], "2126-10 has no slot that has closed by"),
            ("2126-10", &["--server", "old01"], "2126-10 has no slot of a server or pool \"old01\""),
            ("2026-13", &[], "is not a billing period"),
        ] {
            let error = ask(period, more);
            assert!(error.contains(says), "{more:?}: {error}");
        }
    }
    assert!(!Path::new(&file).exists());
    let nowhere = dir.join("none").join("x.pdf").display().to_string();
    let args = ["report", "--period", "2026-10", "--customer", "c010", "--output", &nowhere];
    assert!(complains(dir, &args).contains("can't write"));
    store.close().await.unwrap();
}

/// The API of a store at an instant.
async fn router(store: &Store, dir: &Path, now: fn() -> Timestamp) -> Router {
    let pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Machine(now())).await.unwrap();
    let (intake, _queue) = Intake::new();
    api::router(support::app(store, dir, pipeline.live(), intake, now).await)
}

async fn get(router: &Router, path: &str) -> (u16, HeaderMap, Vec<u8>) {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    (head.status.as_u16(), head.headers, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_had_over_http() {
    let (store, dir) = site("report-http").await;
    import(&dir, Some(MIDNIGHT));

    // While the month runs: the part of it that has closed, and said so.
    let running = router(&store, &dir, on_the_fourteenth).await;
    let (status, _, body) = get(&running, "/v1/periods/2026-10/reports/old01").await;
    let page = String::from_utf8(body).unwrap();
    assert_eq!(status, 200, "{page}");
    let (_, _, usage) = get(&running, "/v1/usage?period=2026-10&server=old01").await;
    let usage: Value = serde_json::from_slice(&usage).unwrap();
    let [p95, expected, amount] =
        ["p95_bps", "expected_so_far", "amount"].map(|name| usage["servers"][0][name].clone());
    let mbps = p95.as_u64().unwrap() / 1_000;
    let figure = format!("95th percentile: {}.{:03} Mbps", mbps / 1_000, mbps % 1_000);
    all_in(
        &page,
        &[
            ">Preliminary, as of 2026-10-14 00:00</text>",
            "The month is not over.",
            ">Amount so far</text>",
            ">none yet</text>",
            "This is not final",
            &figure,
        ],
    );
    assert_eq!(expected, json!(13 * 288));
    all_in(&page, &[">3,744</text>"]);
    let amount = amount.as_str().unwrap().to_owned();
    let grouped = format!(">{},{}</text>", &amount[..amount.len() - 3], &amount[amount.len() - 3..]);
    all_in(&page, &[&grouped]);

    // Over, but not closed.
    import(&dir, None);
    let over = router(&store, &dir, november).await;
    let (_, _, body) = get(&over, "/v1/periods/2026-10/reports/old01").await;
    all_in(
        &String::from_utf8(body).unwrap(),
        &["Preliminary, as of 2026-11-01 00:00", "The month is over, but", ">8,700</text>"],
    );

    // Closed: under the same policy as everything else here, with looks that are beside the dashboard.
    close(&store, &dir).await;
    let (status, headers, body) = get(&over, "/v1/periods/2026-10/reports/old01").await;
    let page = String::from_utf8(body).unwrap();
    assert_eq!(
        (status, &headers[header::CONTENT_TYPE]),
        (200, &header::HeaderValue::from_static("text/html; charset=utf-8"))
    );
    assert!(!page.contains("reliminary") && page.contains(">8,700</text>"), "{page}");
    assert!(!page.contains("<style") && !page.contains("style=\"") && !page.contains("<script"), "{page}");
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    all_in(policy, &["default-src 'none'", "style-src 'self'", "font-src 'self'"]);
    let links: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links, ["../../../../fonts.css", "../../../../report.css"]);
    for path in [
        "/fonts.css",
        "/report.css",
        "/fonts/NotoSansJP-Regular.ttf",
        "/fonts/NotoSansJP-Bold.ttf",
        "/fonts/OFL.txt",
    ] {
        let (status, _, body) = get(&over, path).await;
        assert!(status == 200 && !body.is_empty(), "{path}");
    }
    let (status, headers, pdf) = get(&over, "/v1/periods/2026-10/reports/old01?format=pdf&lang=ja").await;
    assert_eq!(
        (status, &headers[header::CONTENT_TYPE]),
        (200, &header::HeaderValue::from_static("application/pdf"))
    );
    assert_eq!(headers[header::CONTENT_DISPOSITION], "attachment; filename=\"2026-10_old01.pdf\"");
    let pages = pages(&pdf, &dir);
    assert_eq!(pages.len(), 1);
    all_in(&pages[0], &["ご請求額", "8,700"]);
    let (_, _, held) = get(&over, "/v1/periods/2026-10/reports/flaky02").await;
    let held = String::from_utf8(held).unwrap();
    all_in(&held, &["<html lang=\"ja\">", ">確認中</text>"]);

    for (path, expected, says) in [
        ("/v1/periods/2026-10/reports/web99", 404, "no slot of a server or pool"),
        ("/v1/periods/2026-11/reports/old01?lang=ja", 200, "速報値"),
        ("/v1/periods/2026-12/reports/old01", 404, "no slot of a server or pool"),
        ("/v1/periods/2026-99/reports/old01", 400, "2026-99"),
        ("/v1/periods/2026-10/reports/old01?format=docx", 400, "docx"),
        ("/v1/periods/2026-10/reports/old01?lang=fr", 400, "fr"),
    ] {
        let (status, _, body) = get(&over, path).await;
        let body = String::from_utf8(body).unwrap();
        assert_eq!(status, expected, "{path}: {body}");
        assert!(body.contains(says), "{path}: {body}");
    }
    store.close().await.unwrap();
}
