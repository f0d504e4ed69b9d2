//! Makes the folder of the dashboard's files, so that the service compiles before the dashboard was built, and is
//! compiled again when it was.

use std::fs;

/// Where `npm run build` puts the dashboard.
const DIST: &str = "dashboards/web/dist";

fn main() {
    println!("cargo::rerun-if-changed={DIST}");
    // Sources that can't be written to do without: nothing is embedded then.
    let _ = fs::create_dir_all(DIST);
}
