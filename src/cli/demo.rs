//! `meter95 demo`: a simulated site, from nothing to a live dashboard.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use meter95_reading::Timestamp;
use meter95_snmp::{Credentials, Device, Options, Poller, Secret};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use self::past::{Past, Span};
use super::serve;
use super::show;
use super::site::{Site as Configured, SiteArgs};
use super::stop;
use crate::clock;
use crate::demo::agent::{Agents, COMMUNITY};
use crate::demo::plan::{ASKED_SERVERS_MAX, SERVERS_MAX, SERVERS_MIN};
use crate::demo::site::Site;
use crate::inventory::Inventory;
use crate::inventory::diff::changes;
use crate::inventory::document::Document;
use crate::inventory::instant::Instant;
use crate::service::Service;
use crate::sources::Sources;
use crate::store::connection::Store;

mod past;

/// How often the switches are read from then on: more often than in earnest, so that something is seen to happen.
const LIVE_EVERY: Duration = Duration::from_secs(20);

/// Options of `meter95 demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meter95 demo --servers 1000\n  meter95 demo --servers 100000 --no-collect"
)]
pub struct DemoArgs {
    /// How many servers the site has: 10 to 5000, or to 100000 with --no-collect
    #[arg(long, value_name = "N", default_value_t = 200)]
    servers: usize,
    /// Start no switches and read nothing: what there is of the past stays all there is
    #[arg(long)]
    no_collect: bool,
    /// How much of the past to fill: `90m`, `1h`, `2d`, `month` (the month so far), or `last-month` (that and the month
    /// before, which is closed then) [default: last-month; with --no-collect the month so far, or an hour or more of
    /// it where that has more than 2.5 million readings]
    #[arg(long, value_name = "DURATION")]
    past: Option<Past>,
    /// What it is drawn from; the same seed gives the same site
    #[arg(long, value_name = "N", default_value_t = 95)]
    seed: u64,
    /// Where the API and the dashboard listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9595")]
    listen: SocketAddr,
}

/// Fills the past, goes on live, and stops when it is told to.
///
/// # Errors
/// When a part can't start.
pub async fn run(site: &SiteArgs, args: DemoArgs) -> anyhow::Result<()> {
    args.check()?;
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
    let span = args.span(&site, now)?;
    sell(&store, &site, span.opened, now).await?;
    show::line(format_args!(
        "A hosting site of {} servers on {} switches in {} regions, simulated.",
        site.servers.len(),
        site.switches.len(),
        site.regions.len()
    ));
    show::line(span.fill(&store, &configured, &site, &stop).await?);
    if let Some(month) = span.closes.filter(|_| !stop.is_cancelled()) {
        show::line(past::close(&store, &configured, month).await?);
    }

    let outcome = if stop.is_cancelled() {
        store.close().await.map_err(anyhow::Error::from)
    } else if args.no_collect {
        let service = Service::start(store, writer, &configured, listener, None).await?;
        say_where(&service, &configured);
        show::line("Nothing is read from now on.");
        still(service, stop).await
    } else {
        let agents = Agents::bind(&site, clock::now, &stop).await?;
        let sources = sources(&agents)?;
        let service = Service::start(store, writer, &configured, listener, sources.board()).await?;
        say_where(&service, &configured);
        live(service, agents, sources, stop).await
    };
    drop(scratch);
    outcome
}

impl DemoArgs {
    /// Refuses a site of a size that can't be shown.
    fn check(&self) -> anyhow::Result<()> {
        let (most, hint) = if self.no_collect {
            (SERVERS_MAX, "")
        } else {
            (ASKED_SERVERS_MAX, "; with --no-collect more can be shown")
        };
        anyhow::ensure!(
            (SERVERS_MIN..=most).contains(&self.servers),
            "--servers {}: the site can have {SERVERS_MIN} to {most}{hint}",
            self.servers
        );
        Ok(())
    }

    /// What of the past is filled.
    fn span(&self, site: &Site, now: Timestamp) -> anyhow::Result<Span> {
        let ports: usize = site.switches.iter().map(|switch| switch.ports.len()).sum();
        let past = match self.past {
            Some(past) => past,
            None if self.no_collect => Past::Quick(ports),
            None => Past::LastMonth,
        };
        // The site says nothing of its time zone.
        let timezone = Inventory::from_document(&Document::default())?.timezone;
        past.until(now, &timezone).context("this machine's clock is outside the calendar")
    }
}

fn say_where(service: &Service, configured: &Configured) {
    let data_dir = configured.data_dir.display();
    show::line(format_args!("Extreme servers: meter95 --data-dir {data_dir} cases list"));
    show::line(format_args!("\n  Open http://{} in a browser. Ctrl-C ends everything.\n", service.address));
}

/// Serves what there is until it is told to stop.
async fn still(service: Service, stop: CancellationToken) -> anyhow::Result<()> {
    tokio::select! {
        () = stop.cancelled() => {}
        ended = service.failed() => ended?,
    }
    service.stop().await?;
    show::line("Stopped.");
    Ok(())
}

/// Puts the site's plans and servers in force; where the site has `opened` amid a month, no server was sold before.
async fn sell(store: &Store, site: &Site, opened: Option<Timestamp>, now: Timestamp) -> anyhow::Result<()> {
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
            "service_start": server.service_start.max(opened).map(Instant),
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
    let (version, before) = store.inventory().await?;
    store.put_inventory(&changes(&before, &document), version + 1, now, "demo").await?;
    Ok(())
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
