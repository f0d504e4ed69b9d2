//! `meter95 serve`: collectors, aggregator, store, API and dashboard in one process.

use std::net::SocketAddr;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;

use super::show;
use super::site::SiteArgs;
use super::stop;
use crate::clock;
use crate::service::Service;
use crate::sources::Sources;

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
    let scheme = if site.config.http.tls.is_some() { "https" } else { "http" };
    show::line(format_args!("meter95 is at {scheme}://{}", service.address));
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
