//! What the API says of itself holds: its document is the one that is kept in the repository, and Schemathesis, which
//! makes requests up from it, finds no answer that it does not allow.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::Path;
use std::process::Command;

use axum::body::Body;
use axum::http::Request;
use meter95::aggregator::intake::Intake;
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::api;
use meter95::clock;
use tower::ServiceExt;

use crate::support::{self, Serving, prints};

/// The document as it was when somebody last looked at it.
const GOLDEN: &str = "tests/golden/openapi.json";

/// Where `make` puts Schemathesis.
const SCHEMATHESIS: &str = "target/schemathesis/bin/schemathesis";

/// Requests that are made up for each operation, besides those at the edges of every value.
const EXAMPLES: &str = "20";

/// The month of which the service has figures, and where they come from.
const PERIOD: &str = "2026-10";
const MONTH: &str = "tests/vectors/months/october-plain";

fn top(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[tokio::test]
async fn the_document_is_the_one_that_is_kept() {
    let (store, dir) = support::store_and_dir("document").await;
    let pipeline =
        Pipeline::open(store.clone(), Times::default(), Clock::Machine(clock::now())).await.unwrap();
    let (intake, _queue) = Intake::new();
    let app = support::app(&store, &dir, pipeline.live(), intake, clock::now).await;
    let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
    let answer = api::router(app).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let now = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let kept = std::fs::read(top(GOLDEN)).unwrap_or_default();
    if now != kept {
        let new = top("target/openapi.json");
        std::fs::write(&new, &now).unwrap();
        panic!(
            "the API's document changed: look at `diff {GOLDEN} target/openapi.json`, and if it is meant, copy it there"
        );
    }
}

#[test]
fn schemathesis_finds_nothing() {
    let program = top(SCHEMATHESIS);
    assert!(program.exists(), "Schemathesis is missing: `make schemathesis` puts it under target/");
    let dir = support::data_dir("contract");
    let month = top(MONTH);
    let file = |name: &str| month.join(name).to_string_lossy().into_owned();
    prints(&dir, &["inventory", "apply", &file("inventory.json"), "--by", "tester"]);
    prints(&dir, &["import", &file("readings.ndjson.gz")]);
    prints(&dir, &["close", "--period", PERIOD, "--by", "tester"]);
    let token = prints(&dir, &["token", "create", "tester", "--role", "admin"]);
    let serving = Serving::start(&dir, None);
    let output = Command::new(program)
        .current_dir(top("tests/schemathesis"))
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", ".")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["run", &format!("{}/openapi.json", serving.url)])
        .args(["--header", &format!("Authorization: Bearer {}", token.trim())])
        .args(["--checks", "all", "--max-examples", EXAMPLES, "--continue-on-failure", "--workers", "2"])
        .args(["--request-timeout", "60", "--no-color"])
        .output()
        .unwrap();
    let says = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{says}\n{}", String::from_utf8_lossy(&output.stderr));
}
