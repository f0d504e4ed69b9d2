//! `meter95 alerts`: what is the matter, what was told of it, and whether anybody would hear.

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::show::{self, Format};
use super::site::{SiteArgs, audited, user};
use crate::alerts::alert::Severity;
use crate::alerts::destinations::{Destination, Destinations};
use crate::alerts::event::{Event, TEST};
use crate::alerts::log::{AlertLine, DeliveryLine, LINES_DEFAULT, LINES_MAX};
use crate::alerts::parcel::{Item, Parcel, Verdict};
use crate::audit::{Act, action};
use crate::clock;
use crate::inventory::instant::{Instant, rfc3339};
use crate::store::alerts::Which;

/// What to do about alerts.
#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// List what is the matter now
    #[command(after_help = "Examples:\n  meter95 alerts list\n  meter95 alerts list --all --format json")]
    List(ListArgs),
    /// Tell what was sent where and when, and what the other side said
    #[command(after_help = "Examples:\n  meter95 alerts log\n  meter95 alerts log --to mail --limit 20")]
    Log(LogArgs),
    /// Send a message right now that says it is a test, and print what the other side says
    #[command(after_help = "Examples:\n  meter95 alerts test\n  meter95 alerts test --to mail")]
    Test(TestArgs),
}

/// Options of `meter95 alerts list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Those that are over too, the newest first
    #[arg(long)]
    all: bool,
    /// How many of those
    #[arg(long, value_name = "COUNT", default_value_t = LINES_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=i64::from(LINES_MAX)))]
    limit: u32,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Options of `meter95 alerts log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// To this destination only: a webhook's name, alertmanager or mail
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// How many, the newest first
    #[arg(long, value_name = "COUNT", default_value_t = LINES_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=i64::from(LINES_MAX)))]
    limit: u32,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Options of `meter95 alerts test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// To this destination only: a webhook's name, alertmanager or mail
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
}

/// Carries the command out.
///
/// # Errors
/// When the store or a destination can't be used.
pub async fn run(site: &SiteArgs, command: AlertsCommand) -> anyhow::Result<()> {
    match command {
        AlertsCommand::List(args) => list(site, &args).await,
        AlertsCommand::Log(args) => log(site, &args).await,
        AlertsCommand::Test(args) => test(site, &args).await,
    }
}

async fn list(site: &SiteArgs, args: &ListArgs) -> anyhow::Result<()> {
    let store = site.site()?.store().await?;
    let which = if args.all { Which::Last(args.limit) } else { Which::Raised };
    let notices = store.alerts(which).await?;
    store.close().await?;
    match args.format {
        Format::Json => show::json(&notices),
        Format::Csv => show::csv(notices.into_iter().map(AlertLine::from)),
        Format::Table if notices.is_empty() => {
            show::line(if args.all { "No alert was ever raised." } else { "No alert is raised." });
            Ok(())
        }
        Format::Table => {
            let columns = [
                ("Since", false),
                ("Until", false),
                ("Severity", false),
                ("Kind", false),
                ("About", false),
                ("Summary", false),
            ];
            let rows = notices.into_iter().map(AlertLine::from).map(|line| {
                let until = line.cleared_at.map_or_else(|| "-".to_owned(), |at| rfc3339(at.0));
                let words = [line.severity, line.kind].map(str::to_owned);
                let [severity, kind] = words;
                vec![rfc3339(line.raised_at.0), until, severity, kind, line.labels, line.summary]
            });
            show::line(show::table(&columns, rows));
            Ok(())
        }
    }
}

async fn log(site: &SiteArgs, args: &LogArgs) -> anyhow::Result<()> {
    let store = site.site()?.store().await?;
    let lines = store.delivery_log(args.to.as_deref(), args.limit).await?;
    store.close().await?;
    let lines: Vec<DeliveryLine> = lines.into_iter().map(DeliveryLine::from).collect();
    match args.format {
        Format::Json => show::json(&lines),
        Format::Csv => show::csv(lines),
        Format::Table if lines.is_empty() => {
            show::line("Nothing was sent, and nothing waits to be.");
            Ok(())
        }
        Format::Table => {
            let columns = [
                ("At", false),
                ("To", false),
                ("Event", false),
                ("Kind", false),
                ("Attempt", true),
                ("Outcome", false),
                ("Answer", false),
            ];
            let rows = lines.into_iter().map(|line| {
                let DeliveryLine { at, event, kind, destination, attempt, outcome, answer, .. } = line;
                let (at, attempt) = (rfc3339(at.0), attempt.to_string());
                vec![at, destination, event, kind, attempt, outcome.to_owned(), answer]
            });
            show::line(show::table(&columns, rows));
            Ok(())
        }
    }
}

async fn test(site: &SiteArgs, args: &TestArgs) -> anyhow::Result<()> {
    let site = site.site()?;
    let destinations = Destinations::new(&site.config.alerts)?.all;
    let named =
        |destination: &Destination| args.to.as_ref().is_none_or(|name| *name == destination.route.name);
    let (chosen, others): (Vec<_>, Vec<_>) = destinations.into_iter().partition(named);
    if chosen.is_empty() {
        let names: Vec<String> = others.into_iter().map(|destination| destination.route.name).collect();
        if names.is_empty() {
            bail!("[alerts] of the configuration names no destination");
        }
        let to = args.to.as_deref().unwrap_or_default();
        bail!("there is no destination {to:?}; there are: {}", names.join(", "));
    }
    let names: Vec<&str> = chosen.iter().map(|destination| &*destination.route.name).collect();
    let act = Act::new(action::ALERT_TEST, names.join(", ")).by(&user());
    let store = site.store().await?;
    let sent = audited(&store, act, send_test(chosen), |()| Value::Null).await;
    store.close().await?;
    sent
}

async fn send_test(chosen: Vec<Destination>) -> anyhow::Result<()> {
    let at = clock::now();
    let event = Event {
        id: format!("test-{}", at.0),
        at,
        kind: TEST.to_owned(),
        severity: Severity::Info,
        region: None,
        summary: format!("This is a test of meter95, sent by {}", user()),
        data: json!({ "by": user(), "at": Instant(at) }),
    };
    let mut failed = 0;
    for destination in chosen {
        let parcel = Parcel { id: event.id.clone(), items: vec![Item::Event(event.clone())] };
        let verdict = destination.way.send(&parcel, &[], clock::now()).await;
        let name = &destination.route.name;
        match &verdict {
            Verdict::Taken(answer) => show::line(format_args!("  ok   {name}: {answer}")),
            _ => {
                failed += 1;
                show::line(format_args!(" FAIL  {name}: {}", verdict.answer()));
            }
        }
    }
    if failed > 0 {
        bail!("{} did not take it", show::counted(failed, "destination"));
    }
    Ok(())
}
