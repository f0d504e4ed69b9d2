//! `meter95 check`: validates the configuration and what it points at.

use anyhow::bail;
use clap::Args;
use meter95_snmp::{Device, Options, PrivacyProtocol};

use super::show;
use super::site::{self, Site, SiteArgs};
use crate::alerts::destinations::Destinations;
use crate::clock;
use crate::config::dump::dump;
use crate::config::tls::Tls;
use crate::inventory::instant::rfc3339;
use crate::sources::credentials::Users;
use crate::throttle::templates::Templates;
use crate::tls::outgoing::Outgoing;

/// Options of `meter95 check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  meter95 --config /etc/meter95.toml check")]
pub struct CheckArgs {
    /// Look at the configuration only, not at what it points at
    #[arg(long)]
    offline: bool,
    /// Print the configuration as it takes effect, without secrets, and check nothing else
    #[arg(long, conflicts_with = "offline")]
    dump: bool,
}

/// Findings, printed as they come.
#[derive(Default)]
struct Findings {
    bad: u32,
}

impl Findings {
    /// Something that works, and should not stay so.
    fn warn(&self, what: &str, says: &str) {
        show::line(format_args!(" warn  {what}: {says}"));
    }

    fn note(&mut self, what: &str, outcome: anyhow::Result<String>) {
        match outcome {
            Ok(says) => show::line(format_args!("  ok   {what}: {says}")),
            Err(e) => {
                self.bad += 1;
                show::line(format_args!(" FAIL  {what}: {}", show::error(&e)));
            }
        }
    }
}

/// Checks everything and tells all that is wrong.
///
/// # Errors
/// When anything is wrong.
pub async fn run(site: &SiteArgs, args: CheckArgs) -> anyhow::Result<()> {
    let file =
        site.config.as_ref().map_or("none, all defaults".to_owned(), |path| path.display().to_string());
    let mut site = site.site()?;
    if args.dump {
        site.config.data_dir = Some(site.data_dir);
        show::line(dump(&site.config)?.trim_end());
        return Ok(());
    }
    let mut findings = Findings::default();
    findings.note("configuration", Ok(file));
    if let Some(folder) = &site.config.throttle.templates {
        let (templates, problems) = Templates::read(Some(folder));
        let kinds = templates.kinds().join(", ");
        findings.note("templates", Ok(format!("{}; configuration for {kinds}", folder.display())));
        for problem in problems {
            findings.note("template", Err(problem.into()));
        }
    }
    certificates(&site, &mut findings);
    let users = Users::new(&site.config.snmp);
    for (name, user) in users.iter() {
        let known = match user {
            Ok(user) => {
                let privacy = user.privacy().map_or("without privacy", PrivacyProtocol::as_str);
                Ok(format!("{}, {}, {privacy}", user.name(), user.auth()))
            }
            Err(error) => Err(anyhow::Error::msg(error.to_string())),
        };
        findings.note(&format!("user {name:?} of SNMPv3"), known);
    }
    let mut devices = Vec::new();
    for entry in &site.config.snmp.devices {
        let device = users.device(&site.config, entry).await;
        let known = device.map(|device| {
            let address = device.address().to_string();
            devices.push(device);
            address
        });
        findings.note(&format!("device {:?}", entry.name), known);
    }
    let destinations = Destinations::new(&site.config.alerts);
    let destinations = match destinations {
        Ok(destinations) => destinations,
        Err(error) => {
            findings.note("destinations of alerts", Err(error.into()));
            Destinations::default()
        }
    };
    if !args.offline {
        let store = store(&site).await;
        findings.note("store", store);
        for device in &devices {
            findings.note(&format!("device {:?} over SNMP", device.name()), answer(device).await);
        }
        for destination in &destinations.all {
            let answer = destination.way.reach().await.map_err(anyhow::Error::msg);
            findings.note(&format!("destination {:?} of alerts", destination.route.name), answer);
        }
        if site.config.nic.enabled {
            findings.note("interfaces of this host", interfaces());
        }
    }
    match findings.bad {
        0 => Ok(()),
        1 => bail!("one thing is wrong"),
        n => bail!("{n} things are wrong"),
    }
}

/// The service's certificate, and what a collector trusts and shows.
fn certificates(site: &Site, findings: &mut Findings) {
    let (http, ship) = (&site.config.http, &site.config.ship);
    let own = [("of the service", http.tls.as_ref().map(Tls::places)), ("of the collector", ship.places())];
    for (whose, places) in own {
        let Some(places) = places else { continue };
        let what = format!("certificate {whose}");
        let pair = places.read();
        match pair {
            Ok(pair) => {
                let until = rfc3339(pair.dates.until);
                findings.note(&what, Ok(format!("{}, until {until}", places.certificate.display())));
                if let Some(says) = pair.dates.warning(clock::now()) {
                    findings.warn(&what, &says);
                }
            }
            Err(error) => findings.note(&what, Err(error.into())),
        }
        if places.is_key_open_to_all() {
            let says = format!("everybody on this machine may read {}; chmod o-r", places.key.display());
            findings.warn(&format!("key {whose}"), &says);
        }
    }
    if let Some(path) = &ship.ca_file {
        let trusted = Outgoing::new(Some(path), None).map(|_| path.display().to_string());
        findings.note("certificates that the collector trusts", trusted.map_err(anyhow::Error::from));
    }
}

async fn store(site: &Site) -> anyhow::Result<String> {
    let store = site.store().await?;
    let (version, _, inventory) = site::inventory(&store).await?;
    let ports: usize = inventory.servers.values().map(|server| server.ports.len()).sum();
    let url = store.endpoint().await?.url;
    store.close().await?;
    let servers = inventory.servers.len();
    Ok(format!("ClickHouse at {url}; inventory version {version} with {servers} servers on {ports} ports"))
}

async fn answer(device: &Device) -> anyhow::Result<String> {
    let ports = meter95_snmp::ports(device, &Options::default()).await?;
    let narrow = ports.iter().filter(|port| port.width == Some(meter95_reading::Width::Bits32)).count();
    let narrow = if narrow > 0 { format!(", {narrow} with 32-bit counters only") } else { String::new() };
    Ok(format!("{} ports{narrow}", ports.len()))
}

fn interfaces() -> anyhow::Result<String> {
    let names: Vec<String> = meter95_nic::interfaces()?
        .into_iter()
        .filter(|interface| meter95_nic::Selection::Hardware.takes(&interface.name, interface.kind))
        .map(|interface| interface.name)
        .collect();
    Ok(if names.is_empty() { "no physical ones".to_owned() } else { names.join(", ") })
}
