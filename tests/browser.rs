//! The dashboard in a browser: Chromium, driven by Playwright, looks at services as they are. What holds of every view, and
//! what a reader does there, is written in `dashboards/web/tests/browser`, a file a scenario.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{self, Serving, prints};

/// Where the dashboard's sources are, its tests and what these need.
const WEB: &str = "dashboards/web";

/// Where pictures of what failed go.
const PICTURES: &str = "target/browser";

/// A month with figures of more customers than one, and not closed yet.
const MONTH: &str = "tests/vectors/months/october-plain";
const PERIOD: &str = "2026-10";

/// As many as the largest site that meter95 is built for.
const MANY: &str = "100000";

fn top(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs a scenario on a service; it must find nothing wrong. `told` is what it wants to know besides.
fn holds(scenario: &str, serving: &Serving, told: &[(&str, &str)]) {
    let chromium = std::env::var("METER95_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    assert!(
        Path::new(&chromium).exists(),
        "there is no {chromium}: install Chromium (`make test` does), or say in METER95_CHROMIUM where it is"
    );
    for (needed, how) in [("node_modules/playwright-core", "npm ci"), ("dist/index.html", "npm run build")] {
        assert!(top(WEB).join(needed).exists(), "{WEB}/{needed} is missing: `{how}` in {WEB} makes it");
    }
    let output = Command::new("node")
        .current_dir(top(WEB))
        .arg(format!("tests/browser/{scenario}.mjs"))
        .env("METER95_URL", &serving.url)
        .env("METER95_CHROMIUM", chromium)
        .env("METER95_PICTURES", top(PICTURES))
        .envs(told.iter().copied())
        .output()
        .unwrap_or_else(|e| panic!("node: {e}; install Node (`make test` does)"));
    let says = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{says}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_service_without_anything_shows_the_way() {
    let serving = Serving::start(&support::data_dir("browser-empty"), None);
    holds("empty", &serving, &[]);
}

#[test]
fn a_site_is_shown_and_used() {
    let serving = Serving::demo(&support::data_dir("browser-site"), &["--servers", "40"]);
    holds("site", &serving, &[]);
}

#[test]
fn a_hundred_thousand_servers_are_no_more_for_a_browser_than_ten() {
    let serving = Serving::demo(&support::data_dir("browser-large"), &["--servers", MANY, "--no-collect"]);
    holds("large", &serving, &[("METER95_SERVERS", MANY)]);
}

#[test]
fn people_log_in_and_see_what_is_theirs() {
    let dir = support::data_dir("browser-people");
    let file = |name: &str| top(MONTH).join(name).to_string_lossy().into_owned();
    prints(&dir, &["inventory", "apply", &file("inventory.json"), "--by", "tester"]);
    prints(&dir, &["import", &file("readings.ndjson.gz")]);
    let token = |args: &[&str]| prints(&dir, &[&["token", "create"], args].concat()).trim().to_owned();
    let viewer = token(&["screen", "--role", "viewer"]);
    let customer = token(&["portal", "--role", "viewer", "--customer", "c001"]);
    let billing = token(&["desk", "--role", "billing"]);
    let serving = Serving::start(&dir, None);
    let told = [
        ("METER95_VIEWER", &*viewer),
        ("METER95_CUSTOMER", &*customer),
        ("METER95_BILLING", &*billing),
        ("METER95_PERIOD", PERIOD),
    ];
    holds("people", &serving, &told);
}
