//! `meter95 inventory`: what is sold and metered.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::show::{self, Format};
use super::site::{Site, SiteArgs, audited, user};
use crate::aggregator::pipeline::Pipeline;
use crate::aggregator::recovery::Clock;
use crate::audit::{Act, action};
use crate::clock;
use crate::inventory::apply::{ApplyError, Options, Outcome, apply};
use crate::inventory::diff::{Change, Recorded};
use crate::inventory::file::File;
use crate::inventory::instant::{Instant, rfc3339};
use crate::inventory::place::Kind;
use crate::store::connection::Store;
use crate::store::inventory::Filter;

/// What to do with the inventory.
#[derive(Debug, Subcommand)]
pub enum InventoryCommand {
    /// Put a file in force as the whole inventory, and show what that changes
    #[command(after_help = "Example:\n  meter95 inventory apply inventory.toml --dry-run")]
    Apply(ApplyArgs),
    /// Print the inventory in force, or of a past instant, in the form in which it can be applied
    #[command(after_help = "Examples:\n  meter95 inventory show > inventory.toml\n  \
                            meter95 inventory show --as-of 2026-10-01T00:00:00+09:00")]
    Show(ShowArgs),
    /// Tell who changed what and when
    #[command(after_help = "Example:\n  meter95 inventory history --kind server --id web01")]
    History(HistoryArgs),
}

/// Options of `meter95 inventory apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// TOML, or JSON where the name ends in .json
    file: PathBuf,
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
    /// Take servers out although their service has not ended
    #[arg(long)]
    remove: bool,
    /// Who applies it [default: the user by the system's word]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Options of `meter95 inventory show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// As it was at this instant, in RFC 3339 with a zone or in Unix milliseconds
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<Instant>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = DocumentFormat::Toml)]
    format: DocumentFormat,
}

/// Options of `meter95 inventory history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Entries of this kind only
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Entries of this id only
    #[arg(long)]
    id: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// How an inventory is written.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum DocumentFormat {
    /// As TOML
    Toml,
    /// As JSON
    Json,
}

/// Carries the command out.
///
/// # Errors
/// When the file is not an inventory, contradicts itself, or the store can't be used.
pub async fn run(site: &SiteArgs, command: InventoryCommand) -> anyhow::Result<()> {
    match command {
        InventoryCommand::Apply(args) => {
            let file = File::read(&args.file)?;
            // What needs no store is told without one.
            file.inventory()?;
            let site = site.site()?;
            let store = site.store().await?;
            put(&site, &store, &file, &args).await?;
            store.close().await?;
        }
        InventoryCommand::Show(args) => {
            let store = site.site()?.store().await?;
            let (_, document) = match args.as_of {
                Some(Instant(at)) => store.inventory_as_of(at).await?,
                None => store.inventory().await?,
            };
            store.close().await?;
            match args.format {
                DocumentFormat::Toml => show::line(toml::to_string(&document)?.trim_end()),
                DocumentFormat::Json => show::json(&document)?,
            }
        }
        InventoryCommand::History(args) => {
            let store = site.site()?.store().await?;
            let history = store.inventory_history(&Filter { kind: args.kind, id: args.id }).await?;
            store.close().await?;
            print(&history, args.format)?;
        }
    }
    Ok(())
}

async fn put(site: &Site, store: &Store, file: &File, args: &ApplyArgs) -> anyhow::Result<()> {
    let by = args.by.clone().unwrap_or_else(user);
    let &ApplyArgs { dry_run, remove, .. } = args;
    let options = Options { by: &by, now: clock::now(), dry_run, remove, seen: None };
    let writer = if dry_run { None } else { Some(site.try_writer()?) };
    let applying = async {
        apply(store, &file.document, options).await.map_err(|e| match e {
            ApplyError::Refused(refused) => anyhow::Error::from(file.wrong(&refused.problems)),
            other => other.into(),
        })
    };
    let outcome = if dry_run {
        applying.await?
    } else {
        let act = Act::new(action::INVENTORY_APPLY, "inventory").by(&by);
        let act = act.before(json!({ "remove": remove, "file": args.file.display().to_string() }));
        audited(store, act, applying, Outcome::told).await?
    };
    for change in &outcome.changes {
        show::line(change.line());
    }
    if !outcome.warnings.is_empty() {
        eprintln!("{}", file.warning(&outcome.warnings));
    }
    let count = match outcome.changes.len() {
        0 => {
            show::line("Nothing changes.");
            return Ok(());
        }
        1 => "1 change".to_owned(),
        n => format!("{n} changes"),
    };
    if dry_run {
        show::line(format_args!("{count}, not applied (--dry-run)."));
        return Ok(());
    }
    let version = outcome.version;
    match writer {
        Some(Ok(_writer)) => {
            // Samples follow from the inventory as well as from readings: those of ports that moved are made anew.
            let mut pipeline = Pipeline::open(store.clone(), site.config.times(), Clock::Readings).await?;
            pipeline.tick(clock::now()).await?;
            pipeline.close().await?;
            show::line(format_args!("{count} applied as version {version}."));
        }
        _ => show::line(format_args!(
            "{count} applied as version {version}; the running service takes them up within seconds."
        )),
    }
    Ok(())
}

/// A change as a spreadsheet has it.
#[derive(Serialize)]
struct Row<'a> {
    version: u64,
    at: Instant,
    by: &'a str,
    kind: Kind,
    id: &'a str,
    before: String,
    after: String,
}

fn print(history: &[Recorded], format: Format) -> anyhow::Result<()> {
    match format {
        Format::Table => {
            let columns = [("version", true), ("at", false), ("by", false), ("change", false)];
            let rows = history.iter().map(|recorded| {
                let Recorded { version, at, by, change } = recorded;
                vec![version.to_string(), rfc3339(at.0), by.clone(), change.line()]
            });
            show::line(show::table(&columns, rows));
        }
        Format::Json => show::json(&history)?,
        Format::Csv => show::csv(history.iter().map(|recorded| {
            let Recorded { version, at, by, change } = recorded;
            let Change { kind, id, before, after } = change;
            let [before, after] =
                [before, after].map(|body| body.as_ref().map(ToString::to_string).unwrap_or_default());
            Row { version: *version, at: *at, by, kind: *kind, id, before, after }
        }))?,
    }
    Ok(())
}
