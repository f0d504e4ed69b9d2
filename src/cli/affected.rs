//! `meter95 affected`: what a month's figures would be without some of a device's readings, or with others instead.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use meter95_reading::{Reading, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;

use super::import::{decompressed, read_line};
use super::show::{self, Format, mbps_or_dash};
use super::site::{self, SiteArgs};
use crate::clock;
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::period::Month;
use crate::ndjson;
use crate::rebuild::affected::{Affected, Doubt, affected};

/// Options of `meter95 affected`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meter95 affected --period 2026-10 --device sw1 --from 2026-10-12T03:00:00+09:00 --until 2026-10-12T09:00:00+09:00\n  \
                        meter95 affected --period 2026-10 --device sw1 --interface ge-0/0/1 --from 1791741600000 --until 1791763200000 --with reread.ndjson.gz\n\n\
                        Nothing is written."
)]
pub struct AffectedArgs {
    /// The month, as in 2026-10
    #[arg(long, value_name = "MONTH")]
    period: Month,
    /// The device whose readings are in doubt
    #[arg(long, value_name = "NAME")]
    device: String,
    /// One of its interfaces only
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// The first instant in doubt: RFC 3339 with a zone, or Unix milliseconds
    #[arg(long, value_name = "INSTANT")]
    from: Instant,
    /// The first instant after it
    #[arg(long, value_name = "INSTANT")]
    until: Instant,
    /// Readings to put in their place, as NDJSON: plain, .gz or .zst [default: they are left out]
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// Servers too whose figures do not change
    #[arg(long)]
    all: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Amounts of one currency, of all servers that are listed.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Sum {
    amount_before: Decimal,
    amount_after: Decimal,
    difference: Decimal,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    period: Month,
    device: &'a str,
    interface: Option<&'a str>,
    from: Instant,
    until: Instant,
    servers: &'a [Affected],
    sums: BTreeMap<String, Sum>,
}

/// Prints what would change.
///
/// # Errors
/// When the device or the time is not in the month, the file has a line that is no reading, or the store can't be read.
pub async fn run(site: &SiteArgs, args: AffectedArgs) -> anyhow::Result<()> {
    let mut doubt = Doubt::new(args.device.clone(), args.interface.clone(), args.from.0, args.until.0)?;
    let mut taken = 0;
    if let Some(path) = &args.with {
        let (lines, used) = take_file(&mut doubt, path, clock::now())
            .with_context(|| format!("can't use {}", path.display()))?;
        if used == 0 {
            bail!("none of the {lines} readings in {} is of the ports and the time in doubt", path.display());
        }
        if used < lines {
            eprintln!(
                "{} of the {lines} readings in {} are of other ports or times and were left out",
                lines - used,
                path.display()
            );
        }
        taken = used;
    }
    let site = site.site()?;
    let store = site.store().await?;
    let (_, _, inventory) = site::inventory(&store).await?;
    let mut servers =
        affected(&store, &inventory, args.period, &doubt, site.config.times(), clock::now()).await?;
    store.close().await?;
    let looked_at = servers.len();
    let changed = servers.iter().filter(|server| server.changes()).count();
    if !args.all {
        servers.retain(Affected::changes);
    }
    match args.format {
        Format::Json => show::json(&Answer {
            period: args.period,
            device: &args.device,
            interface: args.interface.as_deref(),
            from: args.from,
            until: args.until,
            sums: sums(&servers),
            servers: &servers,
        }),
        Format::Csv => show::csv(&servers),
        Format::Table => {
            let [from, until] = [args.from.0, args.until.0].map(rfc3339);
            let interface = args.interface.map_or_else(String::new, |name| format!(" {name}"));
            let how = match args.with {
                Some(path) => format!("with {taken} readings of {} in their place", path.display()),
                None => "left out".to_owned(),
            };
            show::line(format_args!(
                "{}: readings of {}{interface} from {from} to {until}, {how}",
                args.period, args.device
            ));
            show::line(format_args!(
                "{changed} of {looked_at} servers with a port of it would have other figures."
            ));
            print(&servers);
            Ok(())
        }
    }
}

/// Reads a file's readings into `doubt`: how many there are, and how many of them count.
fn take_file(doubt: &mut Doubt, path: &Path, now: Timestamp) -> anyhow::Result<(u64, u64)> {
    let mut input = decompressed(File::open(path)?)?;
    let (mut line, mut number, mut lines) = (Vec::new(), 0_u64, 0);
    let mut readings: Vec<Reading> = Vec::new();
    while read_line(&mut input, &mut line)? {
        number += 1;
        let reading = ndjson::reading(&line, now).map_err(|why| anyhow::anyhow!("line {number}: {why}"))?;
        lines += u64::from(reading.is_some());
        // What is of no use is not kept: a file may have every port of a month.
        readings.extend(reading.filter(|reading| doubt.is_about(reading)));
    }
    Ok((lines, doubt.instead(readings)))
}

fn sums(servers: &[Affected]) -> BTreeMap<String, Sum> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for server in servers {
        if let (Some(currency), Some(difference)) = (&server.currency, server.difference) {
            let sum = sums.entry(currency.clone()).or_default();
            sum.amount_before += server.amount_before.unwrap_or_default();
            sum.amount_after += server.amount_after.unwrap_or_default();
            sum.difference += difference;
        }
    }
    sums
}

fn print(servers: &[Affected]) {
    if servers.is_empty() {
        return;
    }
    let columns = [
        ("Server", false),
        ("Customer", false),
        ("Slots", true),
        ("p95 Mbps", true),
        ("would be", true),
        ("Overage", true),
        ("would be", true),
        ("Billable", true),
        ("would be", true),
        ("Amount", true),
        ("would be", true),
        ("Difference", true),
    ];
    let pooled = |line: &Affected| line.pool.as_ref().map(|pool| format!("in {pool}"));
    let amount = |amount: Option<Decimal>| amount.map_or_else(|| "-".to_owned(), |a| a.to_string());
    let rows = servers.iter().map(|line| {
        let difference = line.difference.zip(line.currency.as_ref());
        vec![
            line.server.clone(),
            line.customer.clone(),
            line.slots_changed.to_string(),
            mbps_or_dash(line.p95_before_bps),
            mbps_or_dash(line.p95_after_bps),
            mbps_or_dash(line.overage_before_bps),
            mbps_or_dash(line.overage_after_bps),
            mbps_or_dash(line.billable_before_bps),
            mbps_or_dash(line.billable_after_bps),
            pooled(line).unwrap_or_else(|| amount(line.amount_before)),
            pooled(line).unwrap_or_else(|| amount(line.amount_after)),
            difference.map_or_else(|| "-".to_owned(), |(d, currency)| format!("{} {currency}", signed(d))),
        ]
    });
    show::line(show::table(&columns, rows));
    for (currency, sum) in sums(servers) {
        let Sum { amount_before, amount_after, difference } = sum;
        show::line(format_args!(
            "Sum: {amount_before} {currency} would be {amount_after} {currency}, {} {currency}",
            signed(difference)
        ));
    }
}

/// An amount with its sign, for it is a difference.
fn signed(amount: Decimal) -> String {
    if amount > Decimal::ZERO { format!("+{amount}") } else { amount.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_summed_by_currency() {
        let server = |currency: Option<&str>, before: Option<i64>, after: i64| Affected {
            server: String::new(),
            customer: String::new(),
            pool: None,
            slots_changed: 1,
            p95_before_bps: None,
            p95_after_bps: None,
            overage_before_bps: None,
            overage_after_bps: None,
            billable_before_bps: None,
            billable_after_bps: None,
            amount_before: before.map(Decimal::from),
            amount_after: Some(after.into()),
            difference: currency.map(|_| Decimal::from(after - before.unwrap_or(0))),
            currency: currency.map(str::to_owned),
        };
        let servers = [
            server(Some("JPY"), Some(100), 40),
            server(Some("JPY"), None, 5),
            server(Some("EUR"), Some(1), 3),
            server(None, Some(7), 7),
        ];
        let sums = sums(&servers);
        let of = |currency: &str| {
            let sum = &sums[currency];
            [sum.amount_before, sum.amount_after, sum.difference].map(signed)
        };
        assert_eq!(of("JPY"), ["+100", "+45", "-55"]);
        assert_eq!(of("EUR"), ["+1", "+3", "+2"]);
        assert_eq!(sums.len(), 2);
    }
}
