//! `meter95 audit`: who did what, when and from where, and what came of it.

use clap::Args;
use serde::Serialize;

use super::show::{self, Format};
use super::site::SiteArgs;
use crate::audit::{Asked, Audit, ENTRIES_DEFAULT, ENTRIES_MAX, Ended, Entry, Through};
use crate::clock;
use crate::inventory::instant::{Instant, rfc3339};

/// Options of `meter95 audit`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meter95 audit --since 2026-11-01T00:00:00+09:00\n  meter95 audit --action case. --who alice\n  \
                  meter95 audit --action period.close --format json"
)]
pub struct AuditArgs {
    /// What was begun at or after this instant, in RFC 3339 with a zone or in Unix milliseconds
    #[arg(long, value_name = "INSTANT")]
    since: Option<Instant>,
    /// What was begun before this instant
    #[arg(long, value_name = "INSTANT")]
    until: Option<Instant>,
    /// What this token or user did, or is said to have done
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// What is of this kind, such as period.close; `case.` takes all that begin so
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// What was done to this
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,
    /// How many, the newest first
    #[arg(long, value_name = "COUNT", default_value_t = ENTRIES_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=i64::from(ENTRIES_MAX)))]
    limit: u32,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// An act as a spreadsheet has it.
#[derive(Serialize)]
struct Line {
    at: Instant,
    ended_at: Option<Instant>,
    action: String,
    target: String,
    who: String,
    by: String,
    through: Through,
    from: String,
    request: String,
    outcome: Ended,
    says: String,
    before: String,
    after: String,
}

/// Lists acts.
///
/// # Errors
/// When the store can't be used.
pub async fn run(site: &SiteArgs, args: AuditArgs) -> anyhow::Result<()> {
    let AuditArgs { since, until, who, action, target, limit, format } = args;
    let store = site.site()?.store().await?;
    let asked = Asked {
        from: since.map(|at| at.0),
        until: until.map(|at| at.0),
        who,
        action,
        target,
        limit,
        cursor: None,
    };
    let (entries, more) = Audit::new(store.clone(), clock::now).entries(&asked).await?;
    store.close().await?;
    match format {
        Format::Json => show::json(&entries)?,
        Format::Csv => show::csv(entries.into_iter().map(Line::from))?,
        Format::Table if entries.is_empty() => show::line("Nothing of that kind was done."),
        Format::Table => print(entries),
    }
    if more {
        eprintln!("There is more: say --limit, --since, --until, or what to look for.");
    }
    Ok(())
}

fn print(entries: Vec<Entry>) {
    let columns = ["At", "Action", "Target", "Who", "By", "From", "Outcome"].map(|column| (column, false));
    let rows = entries.into_iter().map(|entry| {
        let outcome = match entry.outcome {
            Ended::Ok => "ok".to_owned(),
            Ended::Refused => format!("refused: {}", entry.says),
            Ended::Unknown => entry.says,
        };
        vec![rfc3339(entry.at.0), entry.action, entry.target, entry.who, entry.by, entry.from, outcome]
    });
    show::line(show::table(&columns, rows));
}

impl From<Entry> for Line {
    fn from(entry: Entry) -> Self {
        let Entry { at, ended_at, who, by, through, from, request, action, target, outcome, says, .. } =
            entry;
        let (before, after) = (entry.before.to_string(), entry.after.to_string());
        Self { at, ended_at, action, target, who, by, through, from, request, outcome, says, before, after }
    }
}
