//! `meter95 export`: lines for billing systems.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::site::SiteArgs;
use super::statements::{FilterArgs, filed};
use super::{files, show};
use crate::closing::export::{columns, lines, summary};
use crate::closing::table::{Cell, Column, Headings, csv, json};
use crate::metering::period::Month;

/// Options of `meter95 export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  meter95 export --period 2026-10 --output october.csv\n  \
                  meter95 export --period 2026-10 --since-revision 1 --format json\n  \
                  meter95 export --period 2026-10 --summary --headings ja")]
pub struct ExportArgs {
    /// The month, as in 2026-10
    #[arg(long, value_name = "MONTH")]
    period: Month,
    #[command(flatten)]
    filter: FilterArgs,
    /// The final amounts by customer and currency, not every line
    #[arg(long)]
    summary: bool,
    /// In which words the columns of CSV are headed
    #[arg(long, value_enum, default_value_t = Headings::Plain)]
    headings: Headings,
    /// How to write them
    #[arg(long, value_enum, default_value_t = ExportFormat::Csv)]
    format: ExportFormat,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// As RFC 4180 has it
    Csv,
    /// A list of objects; amounts are strings
    Json,
}

/// Writes the lines.
///
/// # Errors
/// When the store can't be read, the month has no statements, or the file can't be written.
pub async fn run(site: &SiteArgs, args: ExportArgs) -> anyhow::Result<()> {
    let ExportArgs { period, filter, summary, headings, format, output } = args;
    let filter = filter.filter();
    let store = site.site()?.store().await?;
    let filed = filed(&store, period, filter.server.as_deref()).await?;
    store.close().await?;
    let (columns, rows): (&[Column], Vec<Vec<Cell>>) = if summary {
        let sums = summary::summary(&filed, &filter)?;
        (&summary::COLUMNS, sums.iter().map(summary::row).collect())
    } else {
        (&columns::COLUMNS, lines(&filed, &filter).iter().map(columns::row).collect())
    };
    let text = match format {
        ExportFormat::Csv => csv(columns, headings, &rows),
        ExportFormat::Json => json(columns, &rows)?,
    };
    match output {
        Some(path) => files::write(&path, text.as_bytes()),
        None => {
            show::text(&text);
            Ok(())
        }
    }
}
