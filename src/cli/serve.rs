//! `meter95 serve`: collectors, aggregator, store, API and dashboard in one process.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

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
    let store = site.store().await?;
    let (_, closed) = store.tokens_left().await?;
    let listener = self::listen(address(listen, closed)).await?;
    let service = Service::start(store, writer, &site, listener, sources.board()).await?;
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

/// Where to listen: on this machine only while no token was ever made, and everybody may do everything.
pub fn address(wanted: SocketAddr, closed: bool) -> SocketAddr {
    if closed || wanted.ip().to_canonical().is_loopback() {
        return wanted;
    }
    let loopback = match wanted {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, wanted.port())),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::LOCALHOST, wanted.port())),
    };
    show::line(format_args!(
        "No token was ever made, so everybody who reaches this service may do everything: it listens on {loopback}, and \
         not on {wanted}. Make a token with `meter95 token create NAME --role admin`, and start it again."
    ));
    loopback
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_token_only_this_machine_is_answered() {
        for (wanted, closed, address) in [
            ("0.0.0.0:9595", false, "127.0.0.1:9595"),
            ("0.0.0.0:9595", true, "0.0.0.0:9595"),
            ("[::]:80", false, "[::1]:80"),
            ("192.0.2.1:80", false, "127.0.0.1:80"),
            ("127.0.0.2:80", false, "127.0.0.2:80"),
            ("[::1]:80", false, "[::1]:80"),
            ("[::ffff:127.0.0.1]:80", false, "[::ffff:127.0.0.1]:80"),
        ] {
            assert_eq!(
                self::address(wanted.parse().unwrap(), closed).to_string(),
                address,
                "{wanted} {closed}"
            );
        }
    }
}
