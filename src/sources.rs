//! The collectors that the configuration names, run as tasks, and the way of their readings to wherever they are stored.

pub mod credentials;
pub mod ship;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use meter95_nic::{Collector, Selection};
use meter95_reading::{Reading, Timestamp};
use meter95_snmp::{Board, Options, Poller};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::aggregator::intake::Intake;
use crate::config::Config;
use credentials::Users;
use ship::Shipper;

/// The port on which SNMP agents listen (RFC 3430).
const SNMP_PORT: u16 = 161;

/// Passes of devices that wait to be handed on: a slow store delays devices only after that many.
const PASSES_WAITING_MAX: usize = 256;

/// Where readings go.
#[derive(Debug, Clone)]
pub enum Sink {
    /// Into the pipeline of this very process.
    Here(Intake),
    /// To a service elsewhere.
    There(Box<Shipper>),
}

impl Sink {
    async fn put(&self, readings: Vec<Reading>) {
        if readings.is_empty() {
            return;
        }
        match self {
            // The only error is that the service stops; what was read last is read again after its start.
            Self::Here(intake) => drop(intake.submit(readings).await),
            Self::There(shipper) => shipper.add(readings),
        }
    }
}

/// The collectors of a configuration, before they are started.
pub struct Sources {
    snmp: Option<Poller>,
    nic: Option<Collector>,
    board: Option<Board>,
    devices: usize,
}

impl Sources {
    /// What `config` names. Names of hosts are looked up here, once.
    ///
    /// # Errors
    /// When an address, a name, an interval, a pattern or a password is none.
    pub async fn new(config: &Config, now: fn() -> Timestamp) -> anyhow::Result<Self> {
        let users = Users::new(&config.snmp);
        for (name, user) in users.iter() {
            if let Err(error) = user {
                bail!("SNMPv3 user {name:?}: {error}");
            }
        }
        let mut devices = Vec::new();
        for entry in &config.snmp.devices {
            let device = users.device(config, entry).await;
            devices.push(device.with_context(|| format!("device {:?}", entry.name))?);
        }
        let count = devices.len();
        let snmp =
            if devices.is_empty() { None } else { Some(Poller::new(devices, Options::default(), now)?) };
        let board = snmp.as_ref().map(Poller::board);
        let nic = if config.nic.enabled { Some(nic(config, now)?) } else { None };
        Ok(Self { snmp, nic, board, devices: count })
    }

    /// Devices alone.
    #[must_use]
    pub fn of_devices(poller: Poller) -> Self {
        let board = poller.board();
        Self { devices: board.devices().count(), board: Some(board), snmp: Some(poller), nic: None }
    }

    /// How the devices are doing; `None` where there are none.
    #[must_use]
    pub fn board(&self) -> Option<Board> {
        self.board.clone()
    }

    /// Whether there is nothing to collect.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.snmp.is_none() && self.nic.is_none()
    }

    /// Runs them until `stop`, and hands what they read to `sink`.
    ///
    /// # Errors
    /// When the socket for SNMP can't be opened.
    pub async fn run(self, sink: Sink, stop: CancellationToken) -> anyhow::Result<()> {
        tracing::info!(devices = self.devices, nic = self.nic.is_some(), "started collecting");
        let mut tasks: JoinSet<anyhow::Result<()>> = JoinSet::new();
        if let Some(poller) = self.snmp {
            let (out, mut passes) = mpsc::channel::<meter95_snmp::Pass>(PASSES_WAITING_MAX);
            let stop = stop.clone();
            tasks.spawn(async move { Ok(poller.run(out, stop).await?) });
            let sink = sink.clone();
            tasks.spawn(async move {
                while let Some(pass) = passes.recv().await {
                    count_snmp(&pass);
                    sink.put(pass.readings).await;
                }
                Ok(())
            });
        }
        if let Some(collector) = self.nic {
            let (out, mut passes) = mpsc::channel::<meter95_nic::Pass>(PASSES_WAITING_MAX);
            let stop = stop.clone();
            tasks.spawn(async move {
                collector.run(out, stop).await;
                Ok(())
            });
            tasks.spawn(async move {
                while let Some(pass) = passes.recv().await {
                    metrics::counter!("meter95_nic_passes_total").increment(1);
                    for failure in &pass.failures {
                        metrics::counter!("meter95_nic_failures_total", "failure" => failure.kind.label())
                            .increment(1);
                    }
                    sink.put(pass.readings).await;
                }
                Ok(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.context("a collector ended unexpectedly")??;
        }
        Ok(())
    }
}

fn count_snmp(pass: &meter95_snmp::Pass) {
    metrics::counter!("meter95_snmp_passes_total", "outcome" => pass.outcome.as_str()).increment(1);
    metrics::counter!("meter95_snmp_requests_total").increment(pass.requests.into());
    for (failure, count) in pass.failures.iter().filter(|(_, count)| *count > 0) {
        metrics::counter!("meter95_snmp_failures_total", "failure" => failure.as_str()).increment(count);
    }
    if let Some(round_trip) = pass.round_trip {
        metrics::histogram!("meter95_snmp_round_trip_seconds").record(round_trip);
    }
}

/// An address as people write it: a name or an IP address, with or without a port.
///
/// # Errors
/// When it is not one, or the name is not known.
pub async fn address(text: &str) -> anyhow::Result<SocketAddr> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address);
    }
    if let Ok(ip) = text.parse() {
        return Ok(SocketAddr::new(ip, SNMP_PORT));
    }
    let with_port = if text.contains(':') { text.to_owned() } else { format!("{text}:{SNMP_PORT}") };
    let mut found = tokio::net::lookup_host(&with_port)
        .await
        .with_context(|| format!("address {text:?} is not known"))?;
    found.next().with_context(|| format!("address {text:?} has no IP address"))
}

fn nic(config: &Config, now: fn() -> Timestamp) -> anyhow::Result<Collector> {
    let interfaces = if config.nic.interfaces.is_empty() {
        Selection::Hardware
    } else {
        Selection::Named(config.nic.interfaces.iter().cloned().collect::<BTreeSet<_>>())
    };
    let interval = Duration::from_secs(config.interval_s(config.nic.interval_s, None));
    let options = meter95_nic::Options { device: config.nic.device.clone(), interval, interfaces };
    Ok(Collector::new(options, now)?)
}

/// Refuses a configuration that would collect nothing.
///
/// # Errors
/// When there is neither a device nor a NIC in it.
pub fn require_some(sources: &Sources) -> anyhow::Result<()> {
    if sources.is_empty() {
        bail!("there is nothing to collect: name devices under [[snmp.devices]], or say nic.enabled = true");
    }
    Ok(())
}
