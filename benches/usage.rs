//! `GET /v1/usage` of a large site over a real socket while readings come in: what one look costs, and then, with
//! `hey` (Debian has it), what those wait who ask a hundred times a second.
//! `cargo bench --bench usage [-- SERVERS [SECONDS]]`

mod traffic;

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use anyhow::Context;
use meter95::access::Guard;
use meter95::aggregator::intake::{self, Intake};
use meter95::aggregator::output::{Output, SampleOut, ServerId};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::alerts::Alerts;
use meter95::alerts::destinations::Destinations;
use meter95::api::events::streams::Streams;
use meter95::api::{self, App};
use meter95::audit::Audit;
use meter95::clock;
use meter95::closing::desk::Desk;
use meter95::collectors::registry::Collectors;
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::metering::period::Month;
use meter95::metering::sample::Sample;
use meter95::metering::units::Slot;
use meter95::store::connection::Store;
use meter95::store::engine;
use meter95::store::write::Checkpoint;
use meter95::throttle::desk::Cases;
use meter95::throttle::templates::Templates;
use meter95::usage::Usage;
use meter95::usage::tables::Tables;
use meter95_reading::{Counters, PortKey, Reading, Timestamp, Width};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::traffic::month;

/// Slots before now of which there are samples: more than decide a p95, and enough of a week for a projection.
const SLOTS: i64 = 1_100;

/// Rows in one insert.
const BATCH: usize = 200_000;

/// Every port is read once in so many lots, one a second.
const LOTS: usize = 60;

/// Requests in a second.
const RATE: u32 = 100;

/// Clients that share them.
const CLIENTS: u32 = 20;

/// What is asked, each by itself.
const QUESTIONS: [&str; 4] = [
    "/v1/usage?sort=overage&limit=100",
    "/v1/usage?sort=overage&limit=100&region=osaka&over=true",
    "/v1/usage?sort=amount&limit=100&customer=c00042",
    "/v1/usage?server=s00042",
];

fn main() -> anyhow::Result<()> {
    // `cargo bench` passes `--bench`, and `cargo test --benches` nothing.
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse().ok());
    let servers: u32 = numbers.next().unwrap_or(100_000);
    let seconds = numbers.next().unwrap_or(60);
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(());
    }
    tokio::runtime::Runtime::new()?.block_on(run(servers, seconds))
}

async fn run(servers: u32, seconds: u32) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let child_exe = Some(env!("CARGO_BIN_EXE_meter95").into());
    let store = Store::open(dir.path(), engine::Options { child_exe, ..Default::default() }).await?;
    let document = document(servers)?;
    store.put_inventory(&changes(&Document::default(), &document), 1, Timestamp(1), "bench").await?;
    store.put_servers(document.servers.iter().zip(0..).map(|(s, id)| (ServerId(id), s.id.as_str()))).await;
    let times = Times::default();
    let now = clock::now();
    fill(&store, servers, Slot::of(now.plus_ms(-times.grace_ms))).await;
    let clock_ms = u64::try_from(now.0)?;
    store.put_checkpoint(Checkpoint { batch: 0, clock_ms, inventory: 1, serial: 1 }).await;

    let started = Instant::now();
    let pipeline = Pipeline::open(store.clone(), times, Clock::Machine(clock::now())).await?;
    println!("live state restored: {:.1?}", started.elapsed());
    let live = pipeline.live();
    let (period, all) = {
        let state = live.read();
        let period = Month::of(state.clock(), &state.inventory().timezone).context("no month")?;
        let started = Instant::now();
        let usage = Usage::live(&state, period).context("no live figures")?;
        (period, (usage.servers.len(), started.elapsed()))
    };
    println!("{period}: every line of {} servers made at once, as before tables: {:.1?}", all.0, all.1);
    let tables = Tables::new(live.clone(), store.clone(), times, clock::now);
    let started = Instant::now();
    tables.running().await?;
    println!("the first table: {:.1?}", started.elapsed());

    let (intake, queue) = Intake::new();
    let app = App {
        usage: tables.clone(),
        live: live.clone(),
        intake: intake.clone(),
        board: None,
        collectors: Collectors::open(store.clone()).await?,
        desk: Desk::new(store.clone(), dir.path(), times),
        cases: Cases::new(store.clone(), dir.path()),
        templates: Templates::read(None).0,
        alerts: Alerts::open(&store, &Destinations::default(), now).await?,
        store: store.clone(),
        now: clock::now,
        times,
        access: Guard::open(store.clone(), NonZeroU32::new(1_000_000).context("0")?).await?,
        audit: Audit::new(store.clone(), clock::now),
        streams: Streams::default(),
        metrics: None,
    };
    let stop = CancellationToken::new();
    let metering = tokio::spawn(intake::run(pipeline, queue, clock::now, stop.clone()));
    let feeding = tokio::spawn(feed(intake, servers, stop.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let serving = tokio::spawn(api::serve(listener, app, stop.clone()));
    // What is usual is read beside; until then lines have no projection.
    let started = Instant::now();
    loop {
        let table = tables.running().await?;
        if table.rows().iter().any(|row| row.projected.is_some()) {
            println!("projections of all: {:.1?} after the first question", started.elapsed());
            break;
        }
        anyhow::ensure!(started.elapsed() < Duration::from_secs(1_800), "no projections came");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for question in QUESTIONS {
        println!("\n{question}");
        // Each of the clients asks `RATE / CLIENTS` times a second.
        let attack = format!("hey -z {seconds}s -c {CLIENTS} -q {} -t 20 '{url}{question}'", RATE / CLIENTS);
        println!("$ {attack}");
        let status = tokio::process::Command::new("sh").args(["-c", &attack]).status().await?;
        anyhow::ensure!(status.success(), "hey can't be run: apt-get install hey");
    }
    stop.cancel();
    serving.await??;
    let taken = feeding.await??;
    metering.await??;
    println!("\n{taken} readings were taken in meanwhile");
    store.close().await?;
    Ok(())
}

fn port(server: u32) -> Result<PortKey, meter95_reading::PortKeyError> {
    PortKey::new(&format!("sw{:05}", server / 48), &format!("ge-0/0/{}", server % 48))
}

fn document(servers: u32) -> anyhow::Result<Document> {
    let regions = ["tokyo", "osaka", "nagoya"];
    let entry = |server: u32| -> anyhow::Result<serde_json::Value> {
        let port = port(server)?;
        Ok(serde_json::json!({
            "id": format!("s{server:05}"), "customer": format!("c{:05}", server / 5),
            "region": regions[server as usize / 96 % 3], "plan": if server.is_multiple_of(3) { "usd" } else { "jpy" },
            "ports": [{ "device": port.device(), "interface": port.interface() }],
        }))
    };
    let entries = (0..servers).map(entry).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(serde_json::from_value(serde_json::json!({
        "plans": [
            { "id": "jpy", "price_per_mbps": "1500", "currency": "JPY" },
            { "id": "usd", "allowance_bps": 500_000, "price_per_mbps": "12.50", "currency": "USD" },
        ],
        "servers": entries,
    }))?)
}

/// Samples of [`SLOTS`] before `until`.
async fn fill(store: &Store, servers: u32, until: Slot) {
    let started = Instant::now();
    let mut output = Output::default();
    for server in 0..servers {
        for (slot, rates) in (until.0 - SLOTS..).zip(month(server, SLOTS)) {
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
    println!("{SLOTS} samples of each of {servers} servers stored: {:.0?}", started.elapsed());
}

/// A reading of every port each minute, in lots, until `stop`. Returns how many were taken.
async fn feed(intake: Intake, servers: u32, stop: CancellationToken) -> anyhow::Result<u64> {
    let (begin, mut taken) = (clock::now(), 0);
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    for lot in 0.. {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => break,
        }
        let time = clock::now();
        let ms = time.ms_since(begin).unsigned_abs();
        let of_lot = (0..servers).filter(|server| *server as usize % LOTS == lot % LOTS);
        let reading = |server: u32| -> anyhow::Result<Reading> {
            let octets = ms * (20 + u64::from(server) * 7_919 % 1_000);
            let counters = Counters {
                time,
                rx_octets: octets,
                tx_octets: octets / 7,
                width: Width::Bits64,
                uptime_cs: u32::try_from(ms / 10).ok(),
                discontinuity_cs: Some(0),
                rx_packets: Some(octets / 800),
                tx_packets: Some(octets / 900),
                speed_bps: Some(1_000_000_000),
            };
            Ok(Reading { port: port(server)?, counters })
        };
        let readings = of_lot.map(reading).collect::<anyhow::Result<Vec<_>>>()?;
        match intake.submit(readings).await {
            Ok(receipt) => taken += receipt.taken,
            Err(_) => break,
        }
    }
    Ok(taken)
}
