//! `meter95 collectors`: the collectors elsewhere, and what each holds.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::show::{self, Format};
use super::site::{SiteArgs, audited};
use crate::audit::{Act, action};
use crate::clock;
use crate::collectors::{CollectorName, CollectorReport, check_name};
use crate::inventory::instant::rfc3339;

/// Options of `meter95 collectors`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  meter95 collectors --format json\n  meter95 collectors forget tokyo-1 --by alice"
)]
pub struct CollectorsArgs {
    #[command(subcommand)]
    command: Option<CollectorsCommand>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// What to do with collectors besides listing them.
#[derive(Debug, Subcommand)]
pub enum CollectorsCommand {
    /// Take a collector that is gone for good out of account, so that it holds no period back
    ///
    /// Readings that it may still hold are then missing from statements. It is back as soon as it is heard of again.
    #[command(after_help = "Example:\n  meter95 collectors forget tokyo-1 --by alice")]
    Forget {
        /// Its name, as in the list
        name: String,
        /// Who says so
        #[arg(long, value_name = "WHO")]
        by: String,
    },
}

/// Carries the command out.
///
/// # Errors
/// When the store can't be used, or there is no such collector.
pub async fn run(site: &SiteArgs, args: CollectorsArgs) -> anyhow::Result<()> {
    match args.command {
        None => list(site, args.format).await,
        Some(CollectorsCommand::Forget { name, by }) => forget(site, &name, &by).await,
    }
}

async fn list(site: &SiteArgs, format: Format) -> anyhow::Result<()> {
    let store = site.site()?.store().await?;
    let reports = store.collectors().await?;
    store.close().await?;
    match format {
        Format::Json => show::json(&reports),
        Format::Csv => show::csv(reports),
        Format::Table => {
            print(&reports);
            Ok(())
        }
    }
}

fn print(reports: &[CollectorReport]) {
    if reports.is_empty() {
        show::line("No collector elsewhere has reported yet: each does when `meter95 collect` runs.");
        return;
    }
    let columns = [
        ("Collector", false),
        ("Last heard of", false),
        ("Unsent", true),
        ("Oldest unsent", false),
        ("Stopped", false),
    ];
    let rows = reports.iter().map(|report| {
        vec![
            report.name.to_string(),
            rfc3339(report.at),
            report.unsent.to_string(),
            report.oldest_unsent.map_or_else(|| "-".to_owned(), rfc3339),
            if report.stopped { "yes" } else { "no" }.to_owned(),
        ]
    });
    show::line(show::table(&columns, rows));
    show::line("A running service stores what changes nothing but the time once or twice a minute.");
}

async fn forget(site: &SiteArgs, name: &str, by: &str) -> anyhow::Result<()> {
    let name = CollectorName::new(name).with_context(|| format!("{name:?} names no collector"))?;
    check_name(by).with_context(|| format!("--by {by:?} names nobody"))?;
    let store = site.site()?.store().await?;
    let forgetting = async {
        let Some(last) = store.forget_collector(&name, by, clock::now()).await? else {
            bail!("no collector {name:?} is known; `meter95 collectors` lists them");
        };
        Ok(last)
    };
    let act = Act::new(action::COLLECTOR_FORGET, &name).by(by);
    let last = audited(&store, act, forgetting, |last| json!({ "given_up": last })).await?;
    store.close().await?;
    let held = match last.oldest_unsent {
        Some(oldest) => {
            format!("{} readings that it held, the oldest of {}, are given up", last.unsent, rfc3339(oldest))
        }
        None => format!("it was last heard of at {}", rfc3339(last.at)),
    };
    show::line(format_args!("Collector {name:?} is out of account; {held}."));
    Ok(())
}
