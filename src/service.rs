//! The parts of the service that work together whatever feeds them: what `serve` and the demo run.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::access::Guard;
use crate::aggregator::intake::{self, Intake};
use crate::aggregator::pipeline::Pipeline;
use crate::aggregator::recovery::Clock;
use crate::alerts::Alerts;
use crate::alerts::deliver::Deliverer;
use crate::alerts::destinations::Destinations;
use crate::alerts::lookout::Lookout;
use crate::api;
use crate::api::events::streams::Streams;
use crate::audit::Audit;
use crate::cli::site::{Site, Writer};
use crate::clock;
use crate::closing::desk::Desk;
use crate::closing::schedule::Schedule;
use crate::collectors::registry::Collectors;
use crate::sources::Sink;
use crate::store::connection::Store;
use crate::throttle::announce::Announcer;
use crate::throttle::desk::Cases;
use crate::throttle::evaluate::Evaluator;
use crate::throttle::rounds::Contacts;
use crate::throttle::templates::Templates;
use crate::tls::server::{LOOK_EVERY, Server};
use crate::usage::tables::Tables;

/// Tasks that are told to stop together.
struct Tasks {
    stop: CancellationToken,
    running: Vec<(&'static str, JoinHandle<anyhow::Result<()>>)>,
    /// Cancelled as soon as any task of any such group has ended.
    ended: CancellationToken,
}

impl Tasks {
    fn new(ended: &CancellationToken) -> Self {
        Self { stop: CancellationToken::new(), running: Vec::new(), ended: ended.clone() }
    }

    /// Starts what goes on until the token that it is given is cancelled.
    fn start<F>(&mut self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let ended = self.ended.clone().drop_guard();
        let task = task(self.stop.clone());
        let running = tokio::spawn(async move {
            let _ended = ended;
            task.await
        });
        self.running.push((name, running));
    }

    /// Stops them, and returns when each has ended.
    async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        let mut outcome = Ok(());
        for (name, task) in self.running {
            let ended = task.await.with_context(|| format!("{name} ended unexpectedly"));
            outcome = outcome.and(ended.and_then(|ended| ended));
        }
        outcome
    }
}

/// A running service.
pub struct Service {
    /// Where the API listens.
    pub address: SocketAddr,
    intake: Intake,
    collectors: Collectors,
    desk: Desk,
    cases: Cases,
    alerts: Alerts,
    store: Store,
    /// Those that look at what is metered and act on it.
    watching: Tasks,
    answering: Tasks,
    metering: Tasks,
    delivering: Tasks,
    ended: CancellationToken,
    _writer: Writer,
}

impl Service {
    /// Goes on from what `store` has, and answers on `listener`. `board` is how the devices do that this process polls.
    ///
    /// # Errors
    /// When the store can't be read, or a destination of alerts is none.
    pub async fn start(
        store: Store,
        writer: Writer,
        site: &Site,
        listener: TcpListener,
        board: Option<meter95_snmp::Board>,
    ) -> anyhow::Result<Self> {
        let (config, since) = (&site.config, clock::now());
        let (times, address) = (config.times(), listener.local_addr()?);
        let destinations = Destinations::new(&config.alerts)?;
        let tls = config.http.tls.as_ref().map(|tls| Server::open(tls.places(), tls.client_certificates));
        let (tls, seen) = tls.transpose().context("TLS can't begin")?.unzip();
        let (templates, problems) = Templates::read(config.throttle.templates.as_deref());
        for problem in problems {
            tracing::error!(problem = %problem, "template can't be used; the one that comes with meter95 is, if any");
        }
        let pipeline = Pipeline::open(store.clone(), times, Clock::Machine(since)).await?;
        let live = pipeline.live();
        let guard = Guard::open(store.clone(), config.http.requests_per_s).await?;
        let registry = guard.registry.clone();
        let (intake, queue) = Intake::new();
        let collectors = Collectors::open(store.clone()).await?;
        let desk = Desk::new(store.clone(), &site.data_dir, times);
        let cases = Cases::new(store.clone(), &site.data_dir);
        let alerts = Alerts::open(&store, &destinations, since).await?;
        let evaluator = Evaluator::open(live.clone(), cases.clone(), store.clone()).await?;
        let announcer = Announcer::open(cases.clone(), alerts.clone()).await?;
        let contacts = Contacts {
            live: live.clone(),
            cases: cases.clone(),
            outbox: alerts.outbox.clone(),
            templates: templates.clone(),
            rounds: config.throttle.rounds(),
            automatic: config.throttle.automatic,
        };
        let lookout = Lookout {
            live: live.clone(),
            collectors: collectors.clone(),
            store: store.clone(),
            board: alerts.board.clone(),
            since,
        };
        let audit = Audit::new(store.clone(), clock::now);
        let schedule = Schedule {
            audit: audit.clone(),
            desk: desk.clone(),
            collectors: collectors.clone(),
            live: live.clone(),
            times,
            after_ms: config.closing.after_ms(),
        };
        let app = api::App {
            usage: Tables::new(live.clone(), store.clone(), times, clock::now),
            board,
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
            access: guard,
            audit,
            streams: Streams::default(),
            metrics: api::metrics::install(),
        };

        let ended = CancellationToken::new();
        let [mut metering, mut watching, mut delivering, mut answering] =
            [(); 4].map(|()| Tasks::new(&ended));
        metering.start("the aggregator", |stop| async move {
            Ok(intake::run(pipeline, queue, clock::now, stop).await?)
        });
        watching.start("automatic closing", |stop| done(schedule.run(clock::now, stop)));
        watching.start("watching the rules", |stop| done(evaluator.run(clock::now, stop)));
        watching.start("telling cases", |stop| done(announcer.run(clock::now, stop)));
        watching.start("contacting customers", |stop| done(contacts.run(clock::now, stop)));
        watching.start("looking out", |stop| done(lookout.run(clock::now, stop)));
        watching.start("looking at tokens", |stop| done(registry.run(stop)));
        let deliverer = Deliverer::new(&alerts, destinations);
        delivering.start("delivering", |stop| done(deliverer.run(clock::now, stop)));
        if let Some((tls, seen)) = tls.clone().zip(seen) {
            answering.start("looking at the certificate", |stop| {
                done(tls.run(seen, LOOK_EVERY, clock::now, stop))
            });
        }
        answering.start("the API", |stop| async move {
            match tls {
                Some(tls) => Ok(api::serve_over_tls(listener, tls, app, stop).await?),
                None => Ok(api::serve(listener, app, stop).await?),
            }
        });
        Ok(Self {
            address,
            intake,
            collectors,
            desk,
            cases,
            alerts,
            store,
            watching,
            answering,
            metering,
            delivering,
            ended,
            _writer: writer,
        })
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

    /// Stops everything in order: nothing more is begun, requests are answered, everything is stored, what was to be told
    /// may still go out, and then the store.
    ///
    /// # Errors
    /// The first part's that did not end in order; the others are stopped all the same.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self {
            intake,
            collectors,
            desk,
            cases,
            alerts,
            store,
            watching,
            answering,
            metering,
            delivering,
            ..
        } = self;
        // A close that is under way is broken off first, so that nobody waits for it.
        answering.stop.cancel();
        let mut outcome = watching.stop().await;
        desk.stop().await;
        outcome = outcome.and(answering.stop().await);
        // Once more, for what came in meanwhile.
        desk.stop().await;
        drop(desk);
        cases.stop().await;
        drop(cases);
        if let Err(error) = collectors.flush().await {
            // What is stored makes collectors look silent for longer than they are, and that is all.
            tracing::warn!(error = %error, "collectors' newest reports are not stored");
        }
        drop((collectors, intake));
        outcome = outcome.and(metering.stop().await);
        outcome = outcome.and(delivering.stop().await);
        drop(alerts);
        outcome.and(store.close().await.map_err(anyhow::Error::from))
    }
}

/// What can't fail.
async fn done(task: impl Future<Output = ()>) -> anyhow::Result<()> {
    task.await;
    Ok(())
}
