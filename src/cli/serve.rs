//! `meter95 serve`: collectors, aggregator, store, API and dashboard in one process.

use std::net::SocketAddr;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::show;
use super::site::{Site, SiteArgs, Writer};
use super::stop;
use crate::aggregator::intake::{self, Intake};
use crate::aggregator::pipeline::Pipeline;
use crate::aggregator::recovery::Clock;
use crate::alerts::Alerts;
use crate::alerts::deliver::Deliverer;
use crate::alerts::destinations::Destinations;
use crate::api;
use crate::clock;
use crate::closing::desk::Desk;
use crate::closing::schedule::Schedule;
use crate::collectors::registry::Collectors;
use crate::sources::{Sink, Sources};
use crate::store::connection::{Store, StoreError};
use crate::throttle::desk::Cases;
use crate::throttle::templates::Templates;

/// Options of `meter95 serve`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  meter95 --config /etc/meter95.toml serve")]
pub struct ServeArgs {
    /// Where the API and the dashboard listen [default: the configuration's, or 127.0.0.1:9595]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// When a part can't start, or ends by itself.
pub async fn run(site: &SiteArgs, args: ServeArgs) -> anyhow::Result<()> {
    let site = site.site()?;
    let stop = stop::on_signal()?;
    let listen = args.listen.unwrap_or(site.config.http.listen);
    let sources = Sources::new(&site.config, clock::now).await?;
    let no_sources = sources.is_empty();
    let writer = site.writer("there is one meter95 serve for a data directory")?;
    let listener = self::listen(listen).await?;
    let store = site.store().await?;
    let service = Service::start(store, writer, &site, listener).await?;
    show::line(format_args!("meter95 is at http://{}", service.address));
    if no_sources {
        show::line("No device is configured: readings come by POST /v1/readings only.");
    }
    let sink = service.sink();
    tokio::select! {
        outcome = sources.run(sink, stop.clone()), if !no_sources => outcome.context("collecting ended")?,
        () = stop.cancelled() => {}
        ended = service.failed() => ended?,
    }
    service.stop().await
}

/// Listens on an address.
///
/// # Errors
/// When it is taken, or not this machine's.
pub async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("can't listen on {address}; say --listen ADDRESS for another"))
}

/// The parts of the service that work together whatever feeds them.
pub struct Service {
    /// Where the API listens.
    pub address: SocketAddr,
    intake: Intake,
    collectors: Collectors,
    desk: Desk,
    cases: Cases,
    store: Store,
    schedule_stop: CancellationToken,
    schedule: JoinHandle<()>,
    alerts: Alerts,
    deliveries_stop: CancellationToken,
    deliveries: JoinHandle<()>,
    /// Stops the API; then, when no request is under way any more, the intake.
    api_stop: CancellationToken,
    intake_stop: CancellationToken,
    api: JoinHandle<std::io::Result<()>>,
    intake_task: JoinHandle<Result<(), StoreError>>,
    ended: CancellationToken,
    _writer: Writer,
}

impl Service {
    /// Goes on from what `store` has, and answers on `listener`.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn start(
        store: Store,
        writer: Writer,
        site: &Site,
        listener: TcpListener,
    ) -> anyhow::Result<Self> {
        let times = site.config.times();
        let address = listener.local_addr()?;
        let destinations = Destinations::new(&site.config.alerts)?;
        let pipeline = Pipeline::open(store.clone(), times, Clock::Machine(clock::now())).await?;
        let live = pipeline.live();
        let collectors = Collectors::open(store.clone()).await?;
        let (intake, queue) = Intake::new();
        let (api_stop, intake_stop, ended) =
            (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
        let intake_task = tokio::spawn({
            let (stop, ended) = (intake_stop.clone(), ended.clone().drop_guard());
            async move {
                let _ended = ended;
                intake::run(pipeline, queue, clock::now, stop).await
            }
        });
        let desk = Desk::new(store.clone(), &site.data_dir, times);
        let cases = Cases::new(store.clone(), &site.data_dir);
        let (templates, problems) = Templates::read(site.config.throttle.templates.as_deref());
        for problem in problems {
            tracing::error!(problem = %problem, "template can't be used; the one that comes with meter95 is, if any");
        }
        let alerts = Alerts::open(&store, &destinations, clock::now()).await?;
        let (schedule_stop, deliveries_stop) = (CancellationToken::new(), CancellationToken::new());
        let schedule = Schedule {
            desk: desk.clone(),
            collectors: collectors.clone(),
            live: live.clone(),
            times,
            after_ms: site.config.closing.after_ms(),
        };
        let app = api::App {
            live,
            intake: intake.clone(),
            collectors: collectors.clone(),
            desk: desk.clone(),
            cases: cases.clone(),
            templates,
            alerts: alerts.clone(),
            store: store.clone(),
            now: clock::now,
            times,
            metrics: api::metrics::install(),
        };
        let schedule = tokio::spawn({
            let (stop, ended) = (schedule_stop.clone(), ended.clone().drop_guard());
            async move {
                let _ended = ended;
                schedule.run(clock::now, stop).await;
            }
        });
        let deliveries = tokio::spawn({
            let (stop, ended) = (deliveries_stop.clone(), ended.clone().drop_guard());
            let deliverer = Deliverer::new(&alerts, destinations);
            async move {
                let _ended = ended;
                deliverer.run(clock::now, stop).await;
            }
        });
        let api = tokio::spawn({
            let (stop, ended) = (api_stop.clone(), ended.clone().drop_guard());
            async move {
                let _ended = ended;
                api::serve(listener, app, stop).await
            }
        });
        Ok(Self {
            address,
            intake,
            collectors,
            desk,
            cases,
            store,
            schedule_stop,
            schedule,
            alerts,
            deliveries_stop,
            deliveries,
            api_stop,
            intake_stop,
            api,
            intake_task,
            ended,
            _writer: writer,
        })
    }

    /// Where alerts are raised and events are put.
    #[must_use]
    pub fn alerts(&self) -> Alerts {
        self.alerts.clone()
    }

    /// Where collectors of this process put their readings.
    #[must_use]
    pub fn sink(&self) -> Sink {
        Sink::Here(self.intake.clone())
    }

    /// Returns when a part has ended that should not have.
    ///
    /// # Errors
    /// Always: that is what it waits for.
    pub async fn failed(&self) -> anyhow::Result<()> {
        self.ended.cancelled().await;
        anyhow::bail!("a part of the service ended unexpectedly")
    }

    /// Stops everything in order: no more requests and no closing, then everything stored, then the store.
    ///
    /// # Errors
    /// When a part did not end in order.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.schedule_stop.cancel();
        self.api_stop.cancel();
        self.schedule.await.context("automatic closing ended unexpectedly")?;
        // First, so that no request waits for a close; and again for what came in meanwhile.
        self.desk.stop().await;
        self.api.await.context("the API ended unexpectedly")??;
        self.desk.stop().await;
        drop(self.desk);
        self.cases.stop().await;
        drop(self.cases);
        if let Err(error) = self.collectors.flush().await {
            // What is stored makes collectors look silent for longer than they are, and that is all.
            tracing::warn!(error = %error, "collectors' newest reports are not stored");
        }
        drop(self.collectors);
        self.intake_stop.cancel();
        drop(self.intake);
        self.intake_task.await.context("the aggregator ended unexpectedly")??;
        // Last, so that what the others had to tell may still go out.
        self.deliveries_stop.cancel();
        self.deliveries.await.context("delivering ended unexpectedly")?;
        drop(self.alerts);
        self.store.close().await?;
        Ok(())
    }
}
