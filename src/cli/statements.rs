//! `meter95 statements`: the statements of a closed month, and their bundles.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::files;
use super::show::{self, Format, mbps_or_dash};
use super::site::SiteArgs;
use crate::closing::export::Filter;
use crate::closing::table::{Headings, csv};
use crate::closing::{bundle, listing, proof};
use crate::metering::period::Month;
use crate::metering::statement::Samples;
use crate::store::connection::Store;
use crate::store::statements::{Filed, State};

/// Options of `meter95 statements`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  meter95 statements --period 2026-10 --only-overage\n  \
                  meter95 statements --period 2026-10 --server web01 --bundle proofs")]
pub struct StatementsArgs {
    /// The month, as in 2026-10
    #[arg(long, value_name = "MONTH")]
    period: Month,
    #[command(flatten)]
    filter: FilterArgs,
    /// Every revision, not only the newest
    #[arg(long)]
    all_revisions: bool,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write each with its samples into a file of this folder, for `meter95 verify`
    #[arg(long, value_name = "DIR", conflicts_with = "format")]
    bundle: Option<PathBuf>,
}

/// Options by which statements are chosen.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// One server or pool only
    #[arg(long, value_name = "ID")]
    server: Option<String>,
    /// One customer only
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
    /// One region only
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Only what has billable bandwidth, and corrections of it
    #[arg(long)]
    only_overage: bool,
    /// Only revisions above this one, such as what came after an export
    #[arg(long, value_name = "N", default_value_t = 0)]
    since_revision: u32,
}

impl FilterArgs {
    pub(super) fn filter(self) -> Filter {
        let Self { server, customer, region, only_overage, since_revision } = self;
        Filter { server, customer, region, only_overage, since_revision }
    }
}

/// Prints statements, or writes their bundles.
///
/// # Errors
/// When the store can't be read, the month has no statements, or a file can't be written.
pub async fn run(site: &SiteArgs, args: StatementsArgs) -> anyhow::Result<()> {
    let StatementsArgs { period, filter, all_revisions, format, bundle } = args;
    let filter = filter.filter();
    let store = site.site()?.store().await?;
    let filed = filed(&store, period, filter.server.as_deref()).await?;
    let chosen = listing::chosen(&filed, &filter, all_revisions);
    if let Some(folder) = bundle {
        bundles(&store, &chosen, &folder).await?;
        store.close().await?;
        return Ok(());
    }
    store.close().await?;
    match format {
        Format::Json => show::json(&chosen.into_iter().map(listing::stated).collect::<Vec<_>>())?,
        Format::Csv => {
            let rows: Vec<_> = chosen.into_iter().map(listing::row).collect();
            show::text(&csv(&listing::COLUMNS, Headings::Plain, &rows));
        }
        Format::Table => print(&chosen),
    }
    Ok(())
}

/// Every revision of the statements of a month, or of one server's or pool's.
pub(super) async fn filed(store: &Store, period: Month, server: Option<&str>) -> anyhow::Result<Vec<Filed>> {
    let filed = match server {
        Some(server) => store.statements_of(period, server).await?,
        None => store.statements(period).await?,
    };
    if !filed.is_empty() {
        return Ok(filed);
    }
    match server {
        Some(server) if !store.statements(period).await?.is_empty() => {
            bail!("{period} has no statement of a server or pool {server:?}")
        }
        _ => bail!("{period} has no statements yet; say: meter95 close --period {period}"),
    }
}

fn print(chosen: &[&Filed]) {
    let columns = [
        ("Server", false),
        ("Customer", false),
        ("Region", false),
        ("Revision", true),
        ("State", false),
        ("p95 Mbps", true),
        ("Overage", true),
        ("Billable", true),
        ("Amount", true),
        ("Coverage", true),
    ];
    let rows = chosen.iter().map(|filed| {
        let statement = &filed.statement;
        let amount = statement.amount.zip(statement.currency.as_ref());
        vec![
            statement.server.clone(),
            statement.customer.clone(),
            statement.region.clone(),
            statement.revision.to_string(),
            listing::state(filed.state).to_owned(),
            statement.p95_bps.map_or_else(|| "no data".to_owned(), show::mbps),
            mbps_or_dash(statement.overage_bps),
            mbps_or_dash(statement.billable_bps),
            amount.map_or_else(|| "-".to_owned(), |(amount, currency)| format!("{amount} {currency}")),
            statement.coverage.map_or_else(|| "-".to_owned(), show::percent),
        ]
    });
    if chosen.is_empty() {
        show::line("No statement of the month is such.");
        return;
    }
    show::line(show::table(&columns, rows));
    let held = chosen.iter().filter(|filed| filed.state == State::Held).count();
    if held > 0 {
        show::line(format_args!("{held} held for review: they are not final, and in no export."));
    }
}

/// Writes the bundle of each issued statement.
async fn bundles(store: &Store, chosen: &[&Filed], folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("can't use {}", folder.display()))?;
    for filed in chosen {
        let statement = &filed.statement;
        if filed.state == State::Held {
            show::line(format_args!("{}: held for review, no bundle", statement.server));
            continue;
        }
        let samples = proof::samples_of(store, statement).await?;
        let slices: Vec<&Samples> = samples.iter().map(Vec::as_slice).collect();
        let text = bundle::write(&filed.body, &statement.members, &slices);
        let path = folder.join(bundle::file_name(statement));
        let says = if files::write_once(&path, text.as_bytes())? { "written" } else { "unchanged" };
        show::line(format_args!("{}: {says}", path.display()));
    }
    Ok(())
}
