//! Statements of a worked month through the real command line: listed, exported, explained, bundled and verified.

use std::path::{Path, PathBuf};
use std::process::Command;

use meter95::aggregator::state::Times;
use meter95::closing::close::Order;
use meter95::closing::desk::{Desk, Word};
use meter95::closing::revise::Correction;
use meter95::store::connection::Store;
use meter95_reading::Timestamp;
use serde_json::{Value, json};

use crate::support::{complains, prints, store_and_dir};

fn month() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/months/october-faults"))
}

fn read(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(month().join(name)).unwrap()).unwrap()
}

/// The worked month with its statements issued, one of them corrected and another one held.
async fn closed(name: &str) -> (Store, PathBuf) {
    let (store, dir) = store_and_dir(name).await;
    let mut inventory = read("inventory.json");
    // More than was measured of flaky02, whose plan it is.
    let plans = inventory["plans"].as_array_mut().unwrap();
    plans.iter_mut().find(|plan| plan["id"] == "jp6x").unwrap()["min_coverage"] = json!("0.99");
    apply(&dir, &inventory);
    prints(&dir, &["import", &month().join("readings.ndjson.gz").display().to_string()]);
    let (period, now) = ("2026-10".parse().unwrap(), Timestamp(1_793_502_000_000));
    let order = Order { period, by: "aiko".to_owned(), now, override_reason: None };
    let desk = Desk::new(store.clone(), &dir, Times::default());
    desk.close(&order, |_, _| {}).await.unwrap();
    // flaky01 had a plan of its own.
    let mut plan = read("inventory.json")["plans"][0].clone();
    plan["id"] = json!("two");
    plan["allowance_bps"] = json!(2_000_000);
    inventory["plans"].as_array_mut().unwrap().push(plan);
    let servers = inventory["servers"].as_array_mut().unwrap();
    servers.iter_mut().find(|server| server["id"] == "flaky01").unwrap()["plan"] = json!("two");
    apply(&dir, &inventory);
    let word = Word { by: "ken".to_owned(), now, reason: "2 Mbps were sold".to_owned() };
    let correction = Correction { period, server: None, dry_run: false };
    assert_eq!(desk.revise(&correction, &word).await.unwrap().len(), 1);
    (store, dir)
}

fn apply(dir: &Path, inventory: &Value) {
    let file = dir.join("inventory.json");
    std::fs::write(&file, inventory.to_string()).unwrap();
    prints(dir, &["inventory", "apply", &file.display().to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_listed_exported_explained_and_proved() {
    let (store, dir) = closed("statements").await;
    let dir = dir.as_path();
    let period = ["--period", "2026-10"];
    let with = |command: &'static str, more: &[&'static str]| [&[command], &period[..], more].concat();

    // Listed: the figures of the worked month, to the last bit per second.
    let all = prints(dir, &with("statements", &["--all-revisions", "--format", "json"]));
    let all: Vec<Value> = serde_json::from_str(&all).unwrap();
    for expected in read("expect.json")["statements"].as_array().unwrap() {
        let found = all.iter().find(|s| s["server"] == expected["server"] && s["revision"] == 1).unwrap();
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&found[field], value, "{} {field}", expected["server"]);
        }
    }
    let listed = |more| prints(dir, &with("statements", more));
    let newest: Vec<Value> = serde_json::from_str(&listed(&["--format", "json"])).unwrap();
    let shown = |s: &Value| format!("{} {} {}", s["server"], s["revision"], s["state"]).replace('"', "");
    let states: Vec<String> = newest.iter().map(shown).collect();
    assert_eq!(states, ["flaky01 2 issued", "flaky02 1 held", "old01 1 issued"]);
    assert!(listed(&[]).contains("1 held for review"));
    assert_eq!(listed(&["--customer", "c010", "--format", "csv"]).lines().count(), 2);
    assert!(listed(&["--region", "osaka"]).contains("No statement of the month is such."));

    // Exported: by line and by customer, to a file too.
    let columns = "period,kind,server,customer,region,plan,revision,corrects_revision,line,reason";
    let csv = prints(dir, &with("export", &[]));
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 4, "{csv}");
    assert!(lines[0].starts_with(columns));
    assert!(
        lines[1]
            .starts_with("2026-10,server,flaky01,c011,tokyo,jp6,1,,charge,,max,8576,8928,0.9605,13637842,")
    );
    assert!(lines[1].ends_with(",,18960,18960,JPY,2026-11-01T03:00:00Z"), "{csv}");
    assert!(lines[2].contains(",2,1,credit,2 Mbps were sold,"), "{csv}");
    assert!(lines[2].contains(",-1000000,10000,1500,18960,17460,-1500,JPY,"), "{csv}");
    let file = dir.join("october.csv").display().to_string();
    prints(dir, &["export", "--period", "2026-10", "--output", &file]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), csv);
    let ja = prints(dir, &with("export", &["--summary", "--headings", "ja"]));
    let expected = "\u{feff}対象月,区分,顧客,明細書数,サーバー数,課金対象帯域(bit/s),金額,通貨\r\n\
        2026-10,customer,c010,1,1,5800000,8700,JPY\r\n\
        2026-10,customer,c011,1,1,11640000,17460,JPY\r\n\
        2026-10,total,,2,2,17440000,26160,JPY\r\n";
    assert_eq!(ja, expected);
    let json = prints(dir, &with("export", &["--format", "json", "--since-revision", "1"]));
    assert_eq!(serde_json::from_str::<Vec<Value>>(&json).unwrap()[0]["amount"], "-1500");

    // Explained.
    let explain = |more: &[&'static str]| prints(dir, &with("explain", more));
    let en = explain(&["--server", "old01"]);
    let steps = [
        "  1. 8,928 values / 20 = 446.4, rounded down: 446 are discarded, number 447 decides",
        "  2. Its value less the allowance: 6,790,604 - 1,000,000 = 5,790,604 bit/s of overage",
        "5,790,604 / 10,000 = 579.0604, rounded up: 580 x 10,000 = 5,800,000 bit/s = 5.8 Mbps billable",
        "  4. 5.8 Mbps x 1,500 JPY per Mbps = 8,700 JPY",
        "8,700 JPY to pay",
    ];
    for step in steps {
        assert!(en.contains(step), "{step}\n{en}");
    }
    let ja = explain(&["--server", "flaky01", "--lang", "ja"]);
    assert!(ja.contains("ご請求額: 17,460 JPY"), "{ja}");
    assert!(ja.contains("2 Mbps were sold"), "{ja}");
    let first = explain(&["--server", "flaky01", "--revision", "1", "--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&first).unwrap()["statement"]["amount"], "18960");
    let held = explain(&["--server", "flaky02"]);
    assert!(held.contains("not issued yet"), "{held}");

    proved(dir);

    // What does not exist is said.
    for (args, says) in [
        (&["statements", "--period", "2026-09"][..], "2026-09 has no statements yet"),
        (&["statements", "--period", "2026-9"], "is not a billing period"),
        (
            &["export", "--period", "2026-10", "--server", "web99"],
            "no statement of a server or pool \"web99\"",
        ),
        (
            &["explain", "--period", "2026-10", "--server", "web99"],
            "no statement of a server or pool \"web99\"",
        ),
        (
            &["explain", "--period", "2026-10", "--server", "flaky01", "--revision", "9"],
            "no such revision, only 1, 2",
        ),
    ] {
        let error = complains(dir, args);
        assert!(error.contains(says), "{args:?}: {error}");
    }
    store.close().await.unwrap();
}

/// Bundles are written once, and verified where no store is.
fn proved(dir: &Path) {
    let folder = dir.join("proofs").display().to_string();
    let bundles = ["statements", "--period", "2026-10", "--all-revisions", "--bundle", &folder];
    let said = prints(dir, &bundles);
    assert!(said.contains("flaky02: held for review, no bundle"), "{said}");
    let names = ["2026-10_flaky01_r1.meter95", "2026-10_flaky01_r2.meter95", "2026-10_old01_r1.meter95"];
    let paths = names.map(|name| Path::new(&folder).join(name));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), names.len());
    let again = prints(dir, &bundles);
    assert_eq!(again.matches(": unchanged").count(), 3, "{again}");

    let verify = |paths: &[&PathBuf]| {
        let nowhere = Path::new("there-is-no-store-here");
        let output = Command::new(env!("CARGO_BIN_EXE_meter95"))
            .env("METER95_DATA_DIR", nowhere)
            .arg("verify")
            .args(paths)
            .output()
            .unwrap();
        assert!(!nowhere.exists());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = verify(&[&paths[0], &paths[2]]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("8598 samples make every figure again: p95 6790604 bit/s, 8700 JPY"), "{said}");

    let honest = std::fs::read_to_string(&paths[2]).unwrap();
    std::fs::write(&paths[2], honest.replacen("6790604", "6790603", 1)).unwrap();
    let (code, said) = verify(&[&paths[2], &paths[0]]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("FAIL") && said.contains("the SHA-256 of its contents is"), "{said}");
    let error = complains(dir, &bundles);
    assert!(error.contains("is there with other contents"), "{error}");
}
