//! `meter95 discover`: a device's ports as lines for an inventory.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use meter95_snmp::{AuthProtocol, Credentials, Device, Options, PortInfo, PrivacyProtocol, Secret, User};
use serde::Serialize;

use super::show;
use crate::config::first_line;
use crate::metering::units::Bps;
use crate::sources;

/// ifType of an Ethernet interface (IANAifType-MIB, ethernetCsmacd).
const ETHERNET: u32 = 6;

/// Options of `meter95 discover`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meter95 discover 192.0.2.10 --community public --name sw1 > inventory.toml\n  \
                  METER95_AUTH_PASSWORD=... METER95_PRIVACY_PASSWORD=... \\\n    \
                  meter95 discover 192.0.2.10 --user meter95 --auth sha256 --privacy aes128 --name sw1"
)]
pub struct DiscoverArgs {
    /// The device's address, with a port unless that is 161
    address: String,
    /// The community, for SNMP v2c, which is spoken unless a user is given
    #[arg(long, env = "METER95_COMMUNITY", default_value = "public", hide_env_values = true)]
    community: String,
    /// The user, for SNMPv3
    #[arg(long)]
    user: Option<String>,
    /// How messages are signed: sha1, sha224, sha256, sha384 or sha512
    #[arg(long, requires = "user", default_value_t = AuthProtocol::Sha256)]
    auth: AuthProtocol,
    /// How messages are encrypted: aes128, aes192, aes256, or aes192c and aes256c as Cisco's devices do
    #[arg(long, requires = "user", default_value_t = PrivacyProtocol::Aes128)]
    privacy: PrivacyProtocol,
    /// Ask in messages that are signed but not encrypted
    #[arg(long, requires = "user", conflicts_with_all = ["privacy", "privacy_password_file"])]
    no_privacy: bool,
    /// A file with the password for signing in its first line; otherwise METER95_AUTH_PASSWORD holds it
    #[arg(long, requires = "user", value_name = "FILE")]
    auth_password_file: Option<PathBuf>,
    /// A file with the password for encrypting in its first line; otherwise METER95_PRIVACY_PASSWORD holds it
    #[arg(long, requires = "user", value_name = "FILE")]
    privacy_password_file: Option<PathBuf>,
    /// What the inventory calls the device [default: its address]
    #[arg(long)]
    name: Option<String>,
    /// How to print the ports
    #[arg(long, value_enum, default_value_t = DiscoverFormat::Toml)]
    format: DiscoverFormat,
}

/// How ports are printed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum DiscoverFormat {
    /// Lines for an inventory
    Toml,
    /// For people
    Table,
    /// For programs
    Json,
}

/// Asks the device and prints its ports.
///
/// # Errors
/// When it does not answer, or answers nonsense.
pub async fn run(args: DiscoverArgs) -> anyhow::Result<()> {
    let address = sources::address(&args.address).await?;
    let name = args.name.clone().unwrap_or_else(|| args.address.clone());
    let device = Device::new(&name, address, credentials(&args)?)?;
    let ports = meter95_snmp::ports(&device, &Options::default())
        .await
        .with_context(|| format!("{address} gave no list of its ports"))?;
    match args.format {
        DiscoverFormat::Toml => show::line(toml(&name, &ports).trim_end()),
        DiscoverFormat::Table => table(&ports),
        DiscoverFormat::Json => show::json(&ports.iter().map(Line::of).collect::<Vec<_>>())?,
    }
    Ok(())
}

/// Who asks.
fn credentials(args: &DiscoverArgs) -> anyhow::Result<Credentials> {
    let Some(name) = &args.user else {
        return Ok(Credentials::V2c { community: Secret::new(args.community.as_str())? });
    };
    let password = |file: &Option<PathBuf>, variable: &str| match (file, std::env::var(variable)) {
        (Some(path), _) => Ok(Secret::new(first_line(path)?)?),
        (None, Ok(password)) => Ok(Secret::new(password)?),
        (None, Err(_)) => bail!("a password is missing: set {variable}, or name a file with it"),
    };
    let auth_password = password(&args.auth_password_file, "METER95_AUTH_PASSWORD")?;
    let auth = (args.auth, &auth_password);
    let user = if args.no_privacy {
        User::without_privacy(name, auth)?
    } else {
        let password = password(&args.privacy_password_file, "METER95_PRIVACY_PASSWORD")?;
        User::new(name, auth, (args.privacy, &password))?
    };
    Ok(Credentials::V3 { user })
}

/// A port without anything nested.
#[derive(Serialize)]
struct Line<'a> {
    index: u32,
    interface: Option<&'a str>,
    alias: Option<&'a str>,
    r#type: Option<u32>,
    status: Option<&'static str>,
    speed_bps: Option<u64>,
    counter_bits: Option<u8>,
    problem: Option<&'static str>,
}

impl<'a> Line<'a> {
    fn of(port: &'a PortInfo) -> Self {
        Self {
            index: port.index,
            interface: port.name.as_deref(),
            alias: port.alias.as_deref(),
            r#type: port.kind,
            status: port.status.map(|status| status.as_str()),
            speed_bps: port.speed_bps,
            counter_bits: port.width.map(meter95_reading::Width::bits),
            problem: port.problem.map(|problem| problem.as_str()),
        }
    }
}

fn table(ports: &[PortInfo]) {
    let columns = [
        ("Interface", false),
        ("Alias", false),
        ("Status", false),
        ("Speed Mbps", true),
        ("Counters", true),
        ("Problem", false),
    ];
    let dash = || "-".to_owned();
    let rows = ports.iter().map(Line::of).map(|port| {
        vec![
            port.interface.map_or_else(dash, str::to_owned),
            port.alias.unwrap_or_default().to_owned(),
            port.status.unwrap_or("-").to_owned(),
            port.speed_bps.map_or_else(dash, |bps| show::mbps(Bps(bps))),
            port.counter_bits.map_or_else(dash, |bits| format!("{bits} bit")),
            port.problem.unwrap_or_default().to_owned(),
        ]
    });
    show::line(show::table(&columns, rows));
}

/// A server for every Ethernet port, to be given its real name, customer and plan by whoever knows them.
fn toml(device: &str, ports: &[PortInfo]) -> String {
    let mut text = format!(
        "# Ports of {device}. Give each server its name, customer and plan; delete what is not a server.\n"
    );
    for port in ports.iter().map(Line::of) {
        let Some(interface) = port.interface else { continue };
        let mut about: Vec<String> = vec![port.status.unwrap_or("unknown").to_owned()];
        about.extend(port.speed_bps.map(|bps| format!("{} Mbps", bps / 1_000_000)));
        about.extend(port.counter_bits.filter(|bits| *bits == 32).map(|_| "32-bit counters only".to_owned()));
        about.extend(port.alias.filter(|alias| !alias.is_empty()).map(|alias| format!("{alias:?}")));
        about.extend(port.problem.map(|problem| format!("not metered: {problem}")));
        let comment =
            if port.r#type.is_none_or(|kind| kind == ETHERNET) && port.problem.is_none() { "" } else { "# " };
        let id = toml::Value::String(id(device, interface, port.alias));
        let [device, interface] = [device, interface].map(|name| toml::Value::String(name.to_owned()));
        text.push_str(&format!(
            "\n# {}\n{comment}[[servers]]\n{comment}id = {id}\n\
             {comment}ports = [{{ device = {device}, interface = {interface} }}]\n",
            about.join(", ")
        ));
    }
    text
}

/// A server's name to begin with: the port's description where it is a single word, otherwise device and interface.
fn id(device: &str, interface: &str, alias: Option<&str>) -> String {
    let word = alias.filter(|alias| {
        !alias.is_empty() && alias.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    });
    word.map_or_else(|| format!("{device}-{}", interface.replace(['/', ' ', ':'], "-")), str::to_owned)
}

#[cfg(test)]
mod tests {
    use crate::inventory::Inventory;
    use crate::inventory::document::Document;

    use super::*;

    fn port(name: &str, alias: &str, kind: u32) -> PortInfo {
        PortInfo {
            index: 1,
            name: Some(name.to_owned()),
            alias: Some(alias.to_owned()),
            kind: Some(kind),
            speed_bps: Some(1_000_000_000),
            status: None,
            width: None,
            problem: None,
        }
    }

    #[test]
    fn what_is_discovered_can_be_applied() {
        let ports = [port("ge-0/0/1", "web01", 6), port("ge-0/0/2", "rack \"7\"\nx", 6), port("lo0", "", 24)];
        let document: Document = toml::from_str(&toml("sw1", &ports)).unwrap();
        let inventory = Inventory::from_document(&document).unwrap();
        assert_eq!(inventory.servers.keys().collect::<Vec<_>>(), ["sw1-ge-0-0-2", "web01"]);
        assert_eq!(inventory.servers["web01"].ports[0].port.interface(), "ge-0/0/1");
    }
}
