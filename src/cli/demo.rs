//! `meter95 demo`: a simulated site, from nothing to a live dashboard.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use meter95_reading::Timestamp;
use meter95_snmp::{Credentials, Device, Options, Poller, Secret};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::serve;
use super::show;
use super::site::{Site as Configured, SiteArgs};
use super::stop;
use crate::aggregator::pipeline::Pipeline;
use crate::aggregator::recovery::Clock;
use crate::clock;
use crate::demo::agent::{Agents, COMMUNITY};
use crate::demo::site::Site;
use crate::inventory::Inventory;
use crate::inventory::diff::changes;
use crate::inventory::document::Document;
use crate::inventory::instant::Instant;
use crate::metering::period::Month;
use crate::service::Service;
use crate::sources::Sources;
use crate::store::connection::Store;

/// How far apart the readings of the past are, in ms: one a slot.
const PAST_STEP_MS: i64 = 300_000;

/// How often the switches are read from then on: more often than in earnest, so that something is seen to happen.
const LIVE_EVERY: Duration = Duration::from_secs(20);

/// Readings that go through the pipeline at once.
const LOT_READINGS: usize = 100_000;

/// Options of `meter95 demo`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  meter95 demo --servers 1000")]
pub struct DemoArgs {
    /// How many servers the site has
    #[arg(long, value_name = "N", default_value_t = 200)]
    servers: usize,
    /// What it is drawn from; the same seed gives the same site
    #[arg(long, value_name = "N", default_value_t = 95)]
    seed: u64,
    /// Where the API and the dashboard listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9595")]
    listen: SocketAddr,
}

/// Fills the month so far, goes on live, and stops when it is told to.
///
/// # Errors
/// When a part can't start.
pub async fn run(site: &SiteArgs, args: DemoArgs) -> anyhow::Result<()> {
    let stop = stop::on_signal()?;
    let listener = serve::listen(serve::address(args.listen, false)).await?;
    // Without a data directory of one's own, nothing is left behind.
    let scratch = if site.data_dir.is_none() { Some(Scratch::new()?) } else { None };
    let mut configured = site.site()?;
    if let Some(scratch) = &scratch {
        configured.data_dir.clone_from(&scratch.0);
    }
    let writer = configured.writer("stop it first")?;
    let store = configured.store().await?;

    let now = clock::now();
    let site = Arc::new(Site::new(args.seed, args.servers, now)?);
    let inventory = sell(&store, &site, now).await?;
    let month =
        Month::of(now, &inventory.timezone).context("this machine's clock is outside the calendar")?;
    show::line(format_args!(
        "A hosting site of {} servers on {} switches in {} regions, simulated.",
        site.servers.len(),
        site.switches.len(),
        site.regions.len()
    ));
    let filled = fill(&store, &configured, &site, month.span(&inventory.timezone).0, &stop).await?;
    show::line(filled);

    let outcome = if stop.is_cancelled() {
        store.close().await.map_err(anyhow::Error::from)
    } else {
        let agents = Agents::bind(&site, clock::now, &stop).await?;
        let sources = sources(&agents)?;
        let service = Service::start(store, writer, &configured, listener, sources.board()).await?;
        let data_dir = &configured.data_dir;
        show::line(format_args!("Extreme servers: meter95 --data-dir {} cases list", data_dir.display()));
        live(service, agents, sources, stop).await
    };
    drop(scratch);
    outcome
}

/// Puts the site's plans and servers in force.
async fn sell(store: &Store, site: &Site, now: Timestamp) -> anyhow::Result<Inventory> {
    let plans = site.plans.iter().map(|plan| {
        json!({
            "id": plan.id, "allowance_bps": plan.allowance_bps,
            "price_per_mbps": plan.price_per_mbps, "currency": plan.currency,
        })
    });
    let servers = site.servers.iter().map(|server| {
        let addons = server.addons.iter().map(|addon| {
            json!({ "bps": addon.bps, "from": Instant(addon.from), "until": addon.until.map(Instant) })
        });
        let ports =
            server.ports.iter().map(|port| json!({ "device": port.device(), "interface": port.interface() }));
        json!({
            "id": server.id, "customer": server.customer, "region": server.region, "plan": server.plan,
            "service_start": server.service_start.map(Instant),
            "addons": addons.collect::<Vec<_>>(), "ports": ports.collect::<Vec<_>>(),
        })
    });
    let customers = site.customers.iter().map(|customer| {
        let language = if customer.japanese { "ja" } else { "en" };
        let contact = json!({ "name": "NOC", "email": customer.email, "language": language });
        json!({ "id": customer.id, "name": customer.name, "contacts": [contact] })
    });
    let devices = site.switches.iter().map(|switch| json!({ "id": switch.name, "region": switch.region }));
    let uplinks = site.uplinks.iter().map(|uplink| {
        let (device, interface) = (uplink.port.device(), uplink.port.interface());
        json!({
            "id": format!("{device} {interface}"), "region": uplink.region, "device": device, "interface": interface,
            "speed_bps": uplink.speed_bps, "devices": uplink.carries,
        })
    });
    let document = json!({
        "customers": customers.collect::<Vec<_>>(),
        "regions": site.regions.iter().map(|region| json!({ "id": region.id })).collect::<Vec<_>>(),
        "devices": devices.collect::<Vec<_>>(),
        "plans": plans.collect::<Vec<_>>(),
        "uplinks": uplinks.collect::<Vec<_>>(),
        "servers": servers.collect::<Vec<_>>(),
    });
    let document: Document = serde_json::from_value(document)?;
    let inventory = Inventory::from_document(&document)?;
    let (version, before) = store.inventory().await?;
    store.put_inventory(&changes(&before, &document), version + 1, now, "demo").await?;
    Ok(inventory)
}

/// Takes the month's past through the real pipeline.
async fn fill(
    store: &Store,
    configured: &Configured,
    site: &Arc<Site>,
    from: Timestamp,
    stop: &CancellationToken,
) -> anyhow::Result<String> {
    let mut pipeline = Pipeline::open(store.clone(), configured.config.times(), Clock::Readings).await?;
    let now = clock::now();
    let bar = bar(now.ms_since(from));
    let started = std::time::Instant::now();
    let (mut lot, mut taken) = (Vec::with_capacity(LOT_READINGS), 0);
    for step in site.history(from, now, PAST_STEP_MS) {
        lot.extend(step);
        let newest = lot.last().map_or(from, |reading| reading.counters.time);
        if lot.len() >= LOT_READINGS || newest >= now {
            for receipt in pipeline.take(vec![std::mem::take(&mut lot)]).await {
                taken += receipt.taken;
            }
            pipeline.tick(newest).await?;
            bar.set_position(newest.ms_since(from).unsigned_abs());
        }
        if stop.is_cancelled() {
            break;
        }
    }
    pipeline.close().await?;
    bar.finish_and_clear();
    let took = started.elapsed().as_secs_f64();
    Ok(format!("The month so far: {taken} readings taken through the pipeline in {took:.1} s."))
}

fn bar(ms: i64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(ms.unsigned_abs()).with_message("filling the month so far");
    match ProgressStyle::with_template("{msg} {wide_bar} {percent} %") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What polls the simulated switches.
fn sources(agents: &Agents) -> anyhow::Result<Sources> {
    let devices: Vec<Device> = agents
        .addresses()
        .map(|(name, address)| {
            let credentials = Credentials::V2c { community: Secret::new(COMMUNITY)? };
            Device::new(name, address, credentials)?.with_interval(LIVE_EVERY)
        })
        .collect::<Result<_, _>>()?;
    Ok(Sources::of_devices(Poller::new(devices, Options::default(), clock::now)?))
}

/// Polls the simulated switches over real SNMP until it is told to stop.
async fn live(
    service: Service,
    agents: Agents,
    sources: Sources,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let answering = tokio::spawn(agents.run());
    show::line(format_args!("\n  Open http://{} in a browser. Ctrl-C ends everything.\n", service.address));
    let sink = service.sink();
    tokio::select! {
        outcome = sources.run(sink, stop.clone()) => outcome.context("collecting ended")?,
        ended = service.failed() => ended?,
    }
    stop.cancel();
    answering.await.context("the simulated switches ended unexpectedly")??;
    service.stop().await?;
    show::line("Stopped.");
    Ok(())
}

/// A folder that goes with the command.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("meter95-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("can't make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), error = %error, "could not remove the demo's data");
        }
    }
}
