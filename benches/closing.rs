//! Closing a month from stored samples on a real engine: how long it takes, cross-check by SQL included, and how much
//! memory, in this process and in ClickHouse. `cargo bench --bench closing [-- SERVERS]`.

mod traffic;

use std::time::Instant;

use anyhow::Context;
use meter95::aggregator::output::{Output, SampleOut, ServerId};
use meter95::aggregator::state::Times;
use meter95::closing::close::Order;
use meter95::closing::desk::Desk;
use meter95::inventory::Inventory;
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::metering::period::Month;
use meter95::metering::sample::Sample;
use meter95::metering::units::Slot;
use meter95::store::connection::Store;
use meter95::store::engine;
use meter95::store::write::Checkpoint;
use meter95_reading::Timestamp;
use serde_json::json;

/// Rows in one insert.
const BATCH: usize = 200_000;

/// Every tenth server bought an add-on in mid-month, and every twentieth is one of five in a pool.
const ADDON_EVERY: u32 = 10;
const POOLED_EVERY: u32 = 20;
const POOL_SERVERS: usize = 5;

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
    let document = document(servers)?;
    let inventory = Inventory::from_document(&document)?;
    store.put_inventory(&changes(&Document::default(), &document), 1, Timestamp(1), "bench").await?;
    store.put_servers(document.servers.iter().zip(0..).map(|(s, id)| (ServerId(id), s.id.as_str()))).await;
    let period: Month = "2026-10".parse()?;
    fill(&store, servers, period, &inventory).await?;
    // As ClickHouse leaves a month by itself in the days in which it fills.
    client(&store).await?.query("OPTIMIZE TABLE samples FINAL").execute().await?;
    let now = period.span(&inventory.timezone).1.plus_ms(3_600_000);
    let clock_ms = u64::try_from(now.0)?;
    store.put_checkpoint(Checkpoint { batch: 0, clock_ms, inventory: 1, serial: 1 }).await;

    let desk = Desk::new(store.clone(), dir.path(), Times::default());
    let order = Order { period, by: "bench".to_owned(), now, override_reason: None };
    let engines = children()?;
    forget_peak("self")?;
    for engine in &engines {
        forget_peak(engine)?;
    }
    let cpu_s = || -> anyhow::Result<(f64, f64)> {
        Ok((cpu_s("self")?, engines.iter().map(|engine| cpu_s(engine)).sum::<anyhow::Result<f64>>()?))
    };
    let before = cpu_s()?;
    let started = Instant::now();
    let outcome = desk.close(&order, |_, _| {}).await?;
    println!(
        "closed {servers} servers' month: {:.2?} ({} issued, {} held, {} differing)",
        started.elapsed(),
        outcome.issued,
        outcome.held,
        outcome.differing.len()
    );
    let after = cpu_s()?;
    println!(
        "processor time: {:.1} s in this process, {:.1} s in ClickHouse",
        after.0 - before.0,
        after.1 - before.1
    );
    println!("peak memory: {} MiB of this process", peak_mib("self")?);
    for engine in &engines {
        println!("peak memory: {} MiB of ClickHouse", peak_mib(engine)?);
    }
    let started = Instant::now();
    let again = desk.close(&order, |_, _| {}).await?;
    println!("closed again, {} issued before: {:.2?}", again.issued_before, started.elapsed());
    drop(desk);
    store.close().await?;
    Ok(())
}

fn document(servers: u32) -> anyhow::Result<Document> {
    let id = |server: u32| format!("s{server:05}");
    let server = |server: u32| {
        let addons = if server % ADDON_EVERY == 1 {
            json!([{ "bps": 1_000_000, "from": "2026-10-15T00:00:00+09:00" }])
        } else {
            json!([])
        };
        json!({ "id": id(server), "customer": "c", "plan": "p", "addons": addons, "ports": [
            { "device": "sw", "interface": id(server) }
        ] })
    };
    let entries: Vec<_> = (0..servers).map(server).collect();
    let pooled: Vec<u32> = (0..servers).filter(|server| server % POOLED_EVERY == 0).collect();
    let pool = |(number, members): (usize, &[u32])| {
        let members: Vec<_> = members.iter().map(|server| json!({ "server": id(*server) })).collect();
        json!({ "id": format!("pool{number}"), "customer": "c", "plan": "p", "servers": members })
    };
    let pools: Vec<_> = pooled.chunks(POOL_SERVERS).enumerate().map(pool).collect();
    let plans = json!([{ "id": "p", "price_per_mbps": "1500", "currency": "JPY" }]);
    Ok(serde_json::from_value(json!({ "plans": plans, "servers": entries, "pools": pools }))?)
}

async fn fill(store: &Store, servers: u32, period: Month, inventory: &Inventory) -> anyhow::Result<()> {
    let span = period.slots(&inventory.timezone);
    let slots = i64::try_from(span.len())?;
    let mut output = Output::default();
    for server in 0..servers {
        for (slot, rates) in (span.from.0..).zip(traffic::month(server, slots)) {
            let sample = Some(Sample { rates, partial: false });
            output.samples.push(SampleOut {
                server: ServerId(server),
                slot: Slot(slot),
                sample,
                revision: 1,
            });
        }
        if output.samples.len() >= BATCH || server + 1 == servers {
            store.put_output(&output).await;
            output.samples.clear();
        }
    }
    Ok(())
}

async fn client(store: &Store) -> anyhow::Result<clickhouse::Client> {
    let endpoint = store.endpoint().await?;
    let client = clickhouse::Client::default().with_url(endpoint.url).with_user(endpoint.user);
    Ok(client.with_password(endpoint.password.expose()).with_database(store.database_name()))
}

/// The processes that this one started, by their numbers.
fn children() -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("children"))?;
        found.extend(text.split_ascii_whitespace().map(str::to_owned));
    }
    Ok(found)
}

/// Processor time that a process has used, in s; a tick is 1/100 s on Linux.
fn cpu_s(process: &str) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields = stat.rsplit_once(')').context("no name")?.1.split_ascii_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(str::parse::<u64>).sum::<Result<_, _>>()?;
    Ok(ticks as f64 / 100.0)
}

/// Begins the peak of a process' memory anew.
fn forget_peak(process: &str) -> anyhow::Result<()> {
    Ok(std::fs::write(format!("/proc/{process}/clear_refs"), "5")?)
}

fn peak_mib(process: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib / 1_024)
}
