//! `meter95 collect`: collectors alone, posting to a service.

use anyhow::Context;
use clap::Args;
use tokio_util::sync::CancellationToken;

use super::site::SiteArgs;
use super::stop;
use crate::clock;
use crate::collectors::CollectorName;
use crate::config::Ship;
use crate::sources::ship::Shipper;
use crate::sources::{Sink, Sources, require_some};
use crate::tls::outgoing::Outgoing;

/// Options of `meter95 collect`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  meter95 --config collector.toml collect --to http://meter95.example:9595"
)]
pub struct CollectArgs {
    /// The service to post to [default: the configuration's ship.to]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
}

/// Collects and ships until it is told to stop.
///
/// # Errors
/// When there is nothing to collect or nowhere to ship it.
pub async fn run(site: &SiteArgs, args: CollectArgs) -> anyhow::Result<()> {
    let site = site.site()?;
    let to = args.to.or_else(|| site.config.ship.to.clone());
    let to = to.context("say where to post readings: --to URL, or ship.to in the configuration")?;
    let sources = Sources::new(&site.config, clock::now).await?;
    require_some(&sources)?;
    let name = match &site.config.ship.name {
        Some(name) => name.clone(),
        None => {
            let host = meter95_nic::host_name();
            let unusable = || format!("the host's name {host:?} can't name a collector; say ship.name");
            CollectorName::new(&host).with_context(unusable)?
        }
    };
    tracing::info!(collector = %name, "started shipping");
    let token = site.config.ship.token()?;
    if token.is_some() && to.starts_with("http://") {
        tracing::warn!(
            to,
            "token is sent in the clear, as are readings; let the service be reached by https"
        );
    }
    let shipper = Shipper::new(&to, name).with_token(token).with_tls(tls(&site.config.ship, &to)?);
    let stop = stop::on_signal()?;
    let shipping_stop = CancellationToken::new();
    let shipping = tokio::spawn({
        let (shipper, stop) = (shipper.clone(), shipping_stop.clone());
        async move { shipper.run(stop).await }
    });
    let collected = sources.run(Sink::There(Box::new(shipper)), stop).await;
    shipping_stop.cancel();
    shipping.await.context("shipping ended unexpectedly")??;
    collected
}

/// How the service at `to` is reached, where that is over TLS.
fn tls(ship: &Ship, to: &str) -> anyhow::Result<Option<Outgoing>> {
    let places = ship.places();
    if !to.starts_with("https://") {
        let none = places.is_none() && ship.ca_file.is_none();
        anyhow::ensure!(none, "ship.ca_file, ship.certificate and ship.key are for https://, not for {to}");
        return Ok(None);
    }
    let own = places
        .map(|places| places.read())
        .transpose()
        .context("the collector's certificate can't be used")?;
    let outgoing = Outgoing::new(ship.ca_file.as_deref(), own.as_ref());
    outgoing.map(Some).context("the service can't be trusted")
}
