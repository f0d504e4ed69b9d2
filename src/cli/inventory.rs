//! `meter95 inventory`: what is sold and metered.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::show;
use super::site::{self, Site, SiteArgs};
use crate::aggregator::pipeline::Pipeline;
use crate::aggregator::recovery::Clock;
use crate::clock;
use crate::inventory::Inventory;
use crate::inventory::diff::changes;
use crate::inventory::document::Document;
use crate::store::connection::Store;

/// What to do with the inventory.
#[derive(Debug, Subcommand)]
pub enum InventoryCommand {
    /// Put a file in force as the whole inventory, and show what that changes
    #[command(after_help = "Example:\n  meter95 inventory apply inventory.toml --dry-run")]
    Apply {
        /// TOML, or JSON where the name ends in .json
        file: PathBuf,
        /// Only show what would change
        #[arg(long)]
        dry_run: bool,
    },
    /// Print the inventory in force, in the form in which it can be applied
    #[command(after_help = "Example:\n  meter95 inventory show > inventory.toml")]
    Show(ShowArgs),
}

/// Options of `meter95 inventory show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// How to print it
    #[arg(long, value_enum, default_value_t = DocumentFormat::Toml)]
    format: DocumentFormat,
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
        InventoryCommand::Apply { file, dry_run } => {
            let document = Document::read(&file)?;
            Inventory::from_document(&document)
                .with_context(|| format!("{} is not applied", file.display()))?;
            let site = site.site()?;
            let store = site.store().await?;
            apply(&site, &store, &document, dry_run).await?;
            store.close().await?;
            Ok(())
        }
        InventoryCommand::Show(args) => {
            let store = site.site()?.store().await?;
            let (_, document, _) = site::inventory(&store).await?;
            store.close().await?;
            match args.format {
                DocumentFormat::Toml => show::line(toml::to_string(&document)?.trim_end()),
                DocumentFormat::Json => show::json(&document)?,
            }
            Ok(())
        }
    }
}

async fn apply(site: &Site, store: &Store, document: &Document, dry_run: bool) -> anyhow::Result<()> {
    let (version, before) = store.inventory().await?;
    let mut changes = changes(&before, document);
    if version == 0 && changes.is_empty() {
        // The very first one says at least in which time zone months begin.
        changes.extend(document.entries().into_iter().take(1).map(|entry| crate::inventory::diff::Change {
            kind: entry.kind,
            id: entry.id,
            before: None,
            after: Some(entry.body),
        }));
    }
    for change in &changes {
        show::line(change.line());
    }
    let count = changes.len();
    if count == 0 {
        show::line("Nothing changes.");
        return Ok(());
    }
    if dry_run {
        show::line(format_args!("{count} changes, not applied (--dry-run)."));
        return Ok(());
    }
    let writer = site.try_writer()?;
    store.put_inventory(&changes, version + 1, clock::now(), &user()).await?;
    match writer {
        Ok(_writer) => {
            // Samples follow from the inventory as well as from readings: those of ports that moved are made anew.
            Pipeline::open(store.clone(), site.config.times(), Clock::Readings).await?.close().await?;
            show::line(format_args!("{count} changes applied."));
        }
        Err(_) => show::line(format_args!(
            "{count} changes applied; the running service takes them up within seconds."
        )),
    }
    Ok(())
}

/// Who applies it, as far as the system says.
fn user() -> String {
    std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "unknown".to_owned())
}
