//! `meter95 explain`: why a statement says what it says.

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::show;
use super::site::SiteArgs;
use super::statements::filed;
use crate::closing::explain::Explanation;
use crate::closing::explain::text::{Lang, text};
use crate::closing::proof::samples_of;
use crate::metering::period::Month;

/// Options of `meter95 explain`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  meter95 explain --period 2026-10 --server web01\n  \
                  meter95 explain --period 2026-10 --server web01 --revision 1 --lang ja")]
pub struct ExplainArgs {
    /// The month, as in 2026-10
    #[arg(long, value_name = "MONTH")]
    period: Month,
    /// The server or pool
    #[arg(long, value_name = "ID")]
    server: String,
    /// Which revision [default: the newest]
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    /// In which language
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// How to print it
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    format: ExplainFormat,
}

/// How an explanation is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Prints the explanation.
///
/// # Errors
/// When there is no such statement, or the store has no longer the samples of which it was made.
pub async fn run(site: &SiteArgs, args: ExplainArgs) -> anyhow::Result<()> {
    let ExplainArgs { period, server, revision, lang, format } = args;
    let store = site.site()?.store().await?;
    let filed = filed(&store, period, Some(&server)).await?;
    let wanted = match revision {
        Some(revision) => filed.iter().find(|filed| filed.statement.revision == revision),
        None => filed.iter().max_by_key(|filed| filed.statement.revision),
    };
    let Some(wanted) = wanted else {
        let revisions: Vec<String> = filed.iter().map(|filed| filed.statement.revision.to_string()).collect();
        let revisions = revisions.join(", ");
        bail!("the statement of {server:?} for {period} has no such revision, only {revisions}");
    };
    let samples = samples_of(&store, &wanted.statement).await?;
    store.close().await?;
    let explanation = Explanation::new(wanted, &samples, &filed);
    match format {
        ExplainFormat::Text => show::text(&text(&explanation, lang)),
        ExplainFormat::Json => show::json(&explanation)?,
    }
    Ok(())
}
