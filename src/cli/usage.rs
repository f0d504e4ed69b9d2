//! `meter95 usage`: a month's figures.

use anyhow::bail;
use clap::Args;
use rust_decimal::Decimal;
use serde::Serialize;

use super::show::{self, Format, hours, mbps, mbps_or_dash, percent};
use super::site::{self, SiteArgs};
use crate::clock;
use crate::metering::period::Month;
use crate::usage::{ServerUsage, Usage};

/// Options of `meter95 usage`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meter95 usage\n  meter95 usage --period 2026-10 --server web01 --format json"
)]
pub struct UsageArgs {
    /// The month, as in 2026-10 [default: the running one]
    #[arg(long, value_name = "MONTH")]
    period: Option<Month>,
    /// One server only
    #[arg(long, value_name = "ID")]
    server: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Prints the figures.
///
/// # Errors
/// When the store can't be read, or the server is not known.
pub async fn run(site: &SiteArgs, args: UsageArgs) -> anyhow::Result<()> {
    let site = site.site()?;
    let store = site.store().await?;
    let (_, _, inventory) = site::inventory(&store).await?;
    let now = clock::now();
    let Some(period) = args.period.or_else(|| Month::of(now, &inventory.timezone)) else {
        bail!("this machine's clock is outside the years of a calendar");
    };
    if let Some(id) = &args.server
        && !inventory.servers.contains_key(id)
    {
        bail!("there is no server {id:?} in the inventory");
    }
    let mut usage = Usage::stored(&store, &inventory, period, now, site.config.times()).await?;
    store.close().await?;
    if let Some(id) = &args.server {
        usage.servers.retain(|line| line.server == *id);
    }
    match args.format {
        Format::Json => show::json(&usage.servers),
        Format::Csv => show::csv(usage.servers.iter().map(Flat::of)),
        Format::Table => {
            print(&usage);
            Ok(())
        }
    }
}

fn print(usage: &Usage) {
    let columns = [
        ("Server", false),
        ("Customer", false),
        ("Region", false),
        ("p95 Mbps", true),
        ("Allowance", true),
        ("Overage", true),
        ("Amount", true),
        ("Locked in", true),
        ("Burst left h", true),
        ("Coverage", true),
    ];
    let mut lines: Vec<&ServerUsage> = usage.servers.iter().collect();
    lines.sort_by_key(|line| std::cmp::Reverse((line.overage_bps, line.p95_bps)));
    let rows = lines.into_iter().map(|line| {
        let amount =
            line.amount.zip(line.currency.as_ref()).map(|(amount, currency)| format!("{amount} {currency}"));
        vec![
            line.server.clone(),
            line.customer.clone(),
            line.region.clone(),
            line.p95_bps.map_or_else(|| "no data".to_owned(), mbps),
            mbps(line.allowance_bps),
            mbps_or_dash(line.overage_bps),
            amount
                .or_else(|| line.pool.as_ref().map(|pool| format!("in {pool}")))
                .unwrap_or_else(|| "-".to_owned()),
            mbps_or_dash(line.locked_in_overage_bps),
            hours(line.burst_left_slots),
            line.coverage.map_or_else(|| "-".to_owned(), percent),
        ]
    });
    let table = show::table(&columns, rows);
    let as_of = crate::inventory::instant::rfc3339(usage.as_of.0);
    show::line(format_args!("{} ({}), as of {as_of}", usage.period, usage.timezone));
    if usage.servers.is_empty() {
        show::line("No server is in the inventory yet. Write one down and say: meter95 inventory apply FILE");
        return;
    }
    show::line(table);
    show::line(
        "Overage: p95 of what is above the allowance so far. Locked in: the overage of the month even if nothing more flows.",
    );
}

/// A line without anything nested, for CSV.
#[derive(Serialize)]
struct Flat<'a> {
    server: &'a str,
    customer: &'a str,
    region: &'a str,
    plan: &'a str,
    pool: Option<&'a str>,
    method: &'a str,
    samples: u64,
    expected: u64,
    expected_so_far: u64,
    coverage: Option<Decimal>,
    ranked: u64,
    rank: Option<u64>,
    p95_bps: Option<u64>,
    p95_in_bps: Option<u64>,
    p95_out_bps: Option<u64>,
    allowance_bps: u64,
    overage_bps: Option<u64>,
    billable_bps: Option<u64>,
    amount: Option<Decimal>,
    currency: Option<&'a str>,
    locked_in_p95_bps: Option<u64>,
    locked_in_overage_bps: Option<u64>,
    locked_in_amount: Option<Decimal>,
    burst_slots: u64,
    burst_left_slots: u64,
}

impl<'a> Flat<'a> {
    fn of(line: &'a ServerUsage) -> Self {
        let bps = |bps: Option<crate::metering::units::Bps>| bps.map(|bps| bps.0);
        Self {
            server: &line.server,
            customer: &line.customer,
            region: &line.region,
            plan: &line.plan,
            pool: line.pool.as_deref(),
            method: line.method.name(),
            samples: line.samples,
            expected: line.expected,
            expected_so_far: line.expected_so_far,
            coverage: line.coverage,
            ranked: line.ranked,
            rank: line.rank,
            p95_bps: bps(line.p95_bps),
            p95_in_bps: bps(line.p95_in_bps),
            p95_out_bps: bps(line.p95_out_bps),
            allowance_bps: line.allowance_bps.0,
            overage_bps: bps(line.overage_bps),
            billable_bps: bps(line.billable_bps),
            amount: line.amount,
            currency: line.currency.as_deref(),
            locked_in_p95_bps: bps(line.locked_in_p95_bps),
            locked_in_overage_bps: bps(line.locked_in_overage_bps),
            locked_in_amount: line.locked_in_amount,
            burst_slots: line.burst_slots,
            burst_left_slots: line.burst_left_slots,
        }
    }
}
