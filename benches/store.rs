//! The store on a real engine: rows per second in, octets per stored sample beside RRD, and a month's usage of 10,000
//! servers. `cargo bench --bench store [-- SERVERS]`; rrdtool, where it is installed, is measured on the same samples.

mod traffic;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context;
use meter95::aggregator::output::{Output, PortId, SampleOut, ServerId};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::inventory::Inventory;
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::metering::period::Month;
use meter95::metering::sample::Sample;
use meter95::metering::units::Slot;
use meter95::store::connection::Store;
use meter95::store::engine;
use meter95::store::write::Checkpoint;
use meter95::usage::Usage;
use meter95_reading::{Counters, Timestamp, Width};

use crate::traffic::month;

/// Rows in one insert.
const BATCH: usize = 200_000;

/// Servers of which rrdtool keeps the month, for its size and nothing else: every file is as large.
const RRD_SERVERS: u32 = 3;

fn main() -> anyhow::Result<()> {
    // `cargo bench` passes `--bench`, and `cargo test --benches` nothing.
    let servers: u32 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(10_000);
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(());
    }
    tokio::runtime::Runtime::new()?.block_on(run(servers))
}

async fn run(servers: u32) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let child_exe = Some(env!("CARGO_BIN_EXE_meter95").into());
    let store = Store::open(dir.path(), engine::Options { child_exe, ..Default::default() }).await?;
    let entries: Vec<_> = (0..servers).map(|s| serde_json::json!({ "id": format!("s{s:05}") })).collect();
    let document: Document = serde_json::from_value(serde_json::json!({ "servers": entries }))?;
    let inventory = Inventory::from_document(&document)?;
    store.put_inventory(&changes(&Document::default(), &document), 1, Timestamp(1), "bench").await?;
    store.put_servers(document.servers.iter().zip(0..).map(|(s, id)| (ServerId(id), s.id.as_str()))).await;

    readings(&store).await;

    let period: Month = "2026-10".parse()?;
    let span = period.slots(&inventory.timezone);
    let slots = i64::try_from(span.len())?;
    let (mut rows, mut took) = (0u64, std::time::Duration::ZERO);
    let mut output = Output::default();
    for server in 0..servers {
        for (slot, rates) in (span.from.0..).zip(month(server, slots)) {
            let sample = Some(Sample { rates, partial: false });
            output.samples.push(SampleOut {
                server: ServerId(server),
                slot: Slot(slot),
                sample,
                revision: 1,
            });
        }
        if output.samples.len() >= BATCH || server + 1 == servers {
            let started = Instant::now();
            store.put_output(&output).await;
            took += started.elapsed();
            rows += output.samples.len() as u64;
            output.samples.clear();
        }
    }
    println!(
        "samples in: {:.2} million rows/s ({rows} rows in {took:.1?}, batches of {BATCH})",
        rate(rows, took)
    );

    let client = client(&store).await?;
    client.query("OPTIMIZE TABLE samples FINAL").execute().await?;
    let size = "SELECT sum(data_compressed_bytes) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'samples'";
    let octets: u64 = client.query(size).fetch_one().await?;
    println!("samples stored: {:.2} octets per (in, out) sample, merged", octets as f64 / rows as f64);
    match rrd_octets_per_sample(dir.path(), span.from, slots) {
        Ok(rrd) => println!("rrdtool on the same samples: {rrd:.2} octets per (in, out) sample"),
        Err(e) => println!("rrdtool was not measured: {e:#}"),
    }

    let now = period.next().span(&inventory.timezone).0.plus_ms(3_600_000);
    for run in ["first", "second"] {
        let started = Instant::now();
        let usage = Usage::stored(&store, &inventory, period, now, Times::default()).await?;
        println!("usage of {} servers from storage, {run}: {:.2?}", usage.servers.len(), started.elapsed());
    }

    let last = period.span(&inventory.timezone).1.plus_ms(-1);
    // As a stop in order leaves it: everything was made by the inventory in force.
    let clock_ms = u64::try_from(last.0)?;
    store.put_checkpoint(Checkpoint { batch: 10, clock_ms, inventory: 1, serial: 1 }).await;
    let started = Instant::now();
    let pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Machine(last)).await?;
    println!("live state of {servers} servers restored from storage: {:.2?}", started.elapsed());
    let started = Instant::now();
    let usage = Usage::live(&pipeline.live().read(), period).context("no live figures")?;
    let text = serde_json::to_string(&usage)?;
    println!(
        "usage of {} servers from the live state: {:.2?}, as JSON of {} octets",
        usage.servers.len(),
        started.elapsed(),
        text.len()
    );
    pipeline.close().await?;
    drop(client);
    store.close().await?;
    Ok(())
}

/// Readings in, each batch on the disk before the next: what an acknowledgement waits for.
async fn readings(store: &Store) {
    let (batches, ports) = (10u64, 200_000u64);
    let mut took = std::time::Duration::ZERO;
    for batch in 1..=batches {
        let reading = |port: u64| {
            let time = 1_790_780_400_000 + i64::try_from(batch * 60_000 + port % 60_000).unwrap_or(0);
            let octets = batch * (port * 104_729 % 7_500_000);
            let counters = Counters {
                time: Timestamp(time),
                rx_octets: octets,
                tx_octets: octets / 3,
                width: Width::Bits64,
                uptime_cs: u32::try_from(batch * 6_000).ok(),
                discontinuity_cs: Some(0),
                rx_packets: Some(octets / 800),
                tx_packets: Some(octets / 900),
                speed_bps: Some(1_000_000_000),
            };
            (PortId(u32::try_from(port).unwrap_or(0)), counters)
        };
        let rows: Vec<_> = (0..ports).map(reading).collect();
        let started = Instant::now();
        store.put_readings(&rows, batch).await;
        took += started.elapsed();
    }
    let rows = batches * ports;
    println!(
        "readings in, on the disk: {:.2} million rows/s ({rows} rows in {took:.1?}, batches of {ports})",
        rate(rows, took)
    );
}

fn rate(rows: u64, took: std::time::Duration) -> f64 {
    rows as f64 / took.as_secs_f64() / 1e6
}

async fn client(store: &Store) -> anyhow::Result<clickhouse::Client> {
    let endpoint = store.endpoint().await?;
    let client = clickhouse::Client::default().with_url(endpoint.url).with_user(endpoint.user);
    Ok(client.with_password(endpoint.password.expose()).with_database(store.database_name()))
}

/// What rrdtool needs for a month of in and out of a server, kept as they are.
fn rrd_octets_per_sample(dir: &Path, from: Slot, slots: i64) -> anyhow::Result<f64> {
    let start = from.start().0 / 1_000;
    let mut octets = 0;
    for server in 0..RRD_SERVERS {
        let file = dir.join(format!("{server}.rrd"));
        let rrd = |args: Vec<String>| -> anyhow::Result<()> {
            let status = Command::new("rrdtool").args(args).status().context("rrdtool can't be run")?;
            anyhow::ensure!(status.success(), "rrdtool failed");
            Ok(())
        };
        let name = file.display().to_string();
        let sources = ["DS:in:GAUGE:600:0:U", "DS:out:GAUGE:600:0:U"].map(str::to_owned);
        let mut args: Vec<String> = vec![
            "create".into(),
            name.clone(),
            "--start".into(),
            (start - 300).to_string(),
            "--step".into(),
            "300".into(),
        ];
        args.extend(sources);
        args.push(format!("RRA:AVERAGE:0.5:1:{slots}"));
        rrd(args)?;
        let updates: Vec<String> = (0..slots)
            .zip(month(server, slots))
            .map(|(slot, rates)| format!("{}:{}:{}", start + slot * 300, rates.in_bps, rates.out_bps))
            .collect();
        for part in updates.chunks(1_000) {
            let mut args = vec!["update".to_owned(), name.clone()];
            args.extend_from_slice(part);
            rrd(args)?;
        }
        octets += std::fs::metadata(&file)?.len();
    }
    Ok(octets as f64 / f64::from(RRD_SERVERS) / slots as f64)
}
