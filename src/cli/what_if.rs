//! `meter95 what-if`: a month's samples under other terms.

use clap::Args;
use rust_decimal::Decimal;
use serde::Serialize;

use super::show::{self, Format, mbps, mbps_or_dash};
use super::site::SiteArgs;
use crate::closing::what_if::{Compared, Figures, Variation, compare};
use crate::metering::money::{Currency, Price, Rounding};
use crate::metering::overage::{Method, Missing};
use crate::metering::period::Month;
use crate::metering::units::Bps;

/// Options of `meter95 what-if`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  meter95 what-if --period 2026-10 --allowance-bps 2000000\n  \
                        meter95 what-if --period 2026-10 --server web01 --method sum --price 1200\n\n\
                        Nothing is changed. A month that still runs is told as if nothing more flowed.")]
pub struct WhatIfArgs {
    /// The month, as in 2026-10
    #[arg(long, value_name = "MONTH")]
    period: Month,
    /// One server or pool only
    #[arg(long, value_name = "ID")]
    server: Option<String>,
    /// What every plan would grant, in bit/s; add-ons come on top
    #[arg(long, value_name = "BPS")]
    allowance_bps: Option<u64>,
    /// What would be ranked: max, in, out, sum or separate
    #[arg(long, value_parser = word::<Method>)]
    method: Option<Method>,
    /// What a slot without a sample would count as: zero or exclude
    #[arg(long, value_parser = word::<Missing>)]
    missing: Option<Missing>,
    /// In what steps overage would be billed, in bit/s
    #[arg(long, value_name = "BPS")]
    unit_bps: Option<u64>,
    /// Which way overage would go between two steps: up, down or half_up
    #[arg(long, value_parser = word::<Rounding>)]
    rounding: Option<Rounding>,
    /// What 1 Mbps would cost, instead of any tiers
    #[arg(long, value_parser = word::<Price>)]
    price: Option<Price>,
    /// The currency of that price, by ISO 4217
    #[arg(long, value_parser = word::<Currency>)]
    currency: Option<Currency>,
    /// Also those for whom nothing changes
    #[arg(long)]
    all: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Compares.
///
/// # Errors
/// When nothing is varied, the terms can't be, or the store can't be read.
pub async fn run(site: &SiteArgs, args: WhatIfArgs) -> anyhow::Result<()> {
    let store = site.site()?.store().await?;
    let variation = Variation {
        allowance: args.allowance_bps.map(Bps),
        method: args.method,
        missing: args.missing,
        unit: args.unit_bps.map(Bps),
        rounding: args.rounding,
        price: args.price,
        currency: args.currency,
    };
    let mut compared = compare(&store, args.period, args.server.as_deref(), &variation).await?;
    store.close().await?;
    let all = compared.len();
    compared.retain(|line| args.all || line.changes());
    match args.format {
        Format::Json => show::json(&compared),
        Format::Csv => show::csv(compared.iter().map(Line::of)),
        Format::Table => {
            print(&compared, all);
            Ok(())
        }
    }
}

/// A word as a plan has it.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|e| e.to_string())
}

fn print(compared: &[Compared], all: usize) {
    if compared.is_empty() {
        show::line(format_args!("Nothing would change for any of {all}."));
        return;
    }
    let columns = [
        ("Server", false),
        ("Customer", false),
        ("p95 now", true),
        ("then", true),
        ("Allowance now", true),
        ("then", true),
        ("Overage now", true),
        ("then", true),
        ("Amount now", true),
        ("then", true),
        ("Change", true),
    ];
    let mut lines: Vec<&Compared> = compared.iter().collect();
    lines.sort_by_key(|line| (line.amount_change, line.server.clone()));
    let amount = |figures: &Figures| {
        let amount = figures.amount.zip(figures.currency.as_ref());
        amount.map_or_else(|| "-".to_owned(), |(amount, currency)| format!("{amount} {currency}"))
    };
    let rows = lines.into_iter().map(|line| {
        vec![
            line.server.clone(),
            line.customer.clone(),
            mbps_or_dash(line.now.p95_bps),
            mbps_or_dash(line.then.p95_bps),
            mbps(line.now.allowance_bps),
            mbps(line.then.allowance_bps),
            mbps_or_dash(line.now.overage_bps),
            mbps_or_dash(line.then.overage_bps),
            amount(&line.now),
            amount(&line.then),
            line.amount_change.map_or_else(|| "-".to_owned(), |change| format!("{change:+}")),
        ]
    });
    show::line(show::table(&columns, rows));
    show::line(format_args!("{} of {all} would change.", compared.len()));
    let mut sums: std::collections::BTreeMap<&str, Decimal> = std::collections::BTreeMap::new();
    for line in compared {
        if let Some((change, currency)) = line.amount_change.zip(line.now.currency.as_deref()) {
            *sums.entry(currency).or_default() += change;
        }
    }
    for (currency, change) in sums {
        show::line(format_args!("All together: {change:+} {currency}"));
    }
}

/// A line without anything nested, for CSV.
#[derive(Serialize)]
struct Line<'a> {
    server: &'a str,
    customer: &'a str,
    region: &'a str,
    p95_bps: Option<u64>,
    p95_bps_then: Option<u64>,
    allowance_bps: u64,
    allowance_bps_then: u64,
    overage_bps: Option<u64>,
    overage_bps_then: Option<u64>,
    billable_bps: Option<u64>,
    billable_bps_then: Option<u64>,
    amount: Option<Decimal>,
    amount_then: Option<Decimal>,
    currency: Option<&'a str>,
    currency_then: Option<&'a str>,
    amount_change: Option<Decimal>,
}

impl<'a> Line<'a> {
    fn of(line: &'a Compared) -> Self {
        let bps = |bps: Option<Bps>| bps.map(|bps| bps.0);
        let Compared { now, then, .. } = line;
        Self {
            server: &line.server,
            customer: &line.customer,
            region: &line.region,
            p95_bps: bps(now.p95_bps),
            p95_bps_then: bps(then.p95_bps),
            allowance_bps: now.allowance_bps.0,
            allowance_bps_then: then.allowance_bps.0,
            overage_bps: bps(now.overage_bps),
            overage_bps_then: bps(then.overage_bps),
            billable_bps: bps(now.billable_bps),
            billable_bps_then: bps(then.billable_bps),
            amount: now.amount,
            amount_then: then.amount,
            currency: now.currency.as_deref(),
            currency_then: then.currency.as_deref(),
            amount_change: line.amount_change,
        }
    }
}
