//! `meter95 close`: closes a month, and tells what waits for a person.

use std::io::IsTerminal;

use anyhow::bail;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use super::show::{self, Format};
use super::site::{SiteArgs, audited, user};
use crate::audit::{Act, action};
use crate::clock;
use crate::closing::close::{Order, Outcome};
use crate::closing::desk::Desk;
use crate::metering::period::Month;

/// Lines of what differs that are shown; the others are counted.
const SHOWN_MAX: usize = 10;

/// Options of `meter95 close`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  meter95 close --period 2026-10\n  \
                        meter95 close --period 2026-10 --override 'tokyo-2 burnt down' --by alice\n\n\
                        It may be run again at any time: what was issued stays, what is missing is issued.")]
pub struct CloseArgs {
    /// The month, as in 2026-10
    #[arg(long, value_name = "MONTH")]
    period: Month,
    /// Who closes it [default: the user by the system's word]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why it is closed though a collector may have readings that were not sent; needs --by
    #[arg(long = "override", value_name = "REASON", requires = "by")]
    override_reason: Option<String>,
    /// How to print what came of it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Closes the month.
///
/// # Errors
/// When it can't be closed yet, or a statement could not be issued because the two computations differ.
pub async fn run(site: &SiteArgs, args: CloseArgs) -> anyhow::Result<()> {
    let site = site.site()?;
    let store = site.store().await?;
    let desk = Desk::new(store.clone(), &site.data_dir, site.config.times());
    let order = Order {
        period: args.period,
        by: args.by.unwrap_or_else(user),
        now: clock::now(),
        override_reason: args.override_reason,
    };
    let bar = bar(args.period);
    let closing = async {
        let seen = |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        };
        Ok(desk.close(&order, seen).await?)
    };
    let act = Act::new(action::PERIOD_CLOSE, order.period).by(&order.by);
    let act = act.before(json!({ "override": order.override_reason }));
    let closed = audited(&store, act, closing, |outcome| json!(outcome)).await;
    bar.finish_and_clear();
    let outcome = closed?;
    drop(desk);
    store.close().await?;
    match args.format {
        Format::Table => print(args.period, &outcome),
        Format::Json => show::json(&outcome)?,
        Format::Csv => show::csv([Counts::of(&outcome)])?,
    }
    match outcome.differing.len() {
        0 => Ok(()),
        n => bail!(
            "{n} statements were not issued, since meter95 and SQL do not compute the same from the same samples. Close \
             again: samples may have been revised amid the two. If they still differ, please report it"
        ),
    }
}

fn bar(period: Month) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0).with_message(format!("closing {period}"));
    match ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn print(period: Month, outcome: &Outcome) {
    let Outcome { issued, issued_before, held, differing } = outcome;
    show::line(format_args!(
        "{period}: {} issued, {issued_before} were before, {held} held for review, {} not issued",
        show::counted(*issued, "statement"),
        differing.len()
    ));
    for difference in differing.iter().take(SHOWN_MAX) {
        show::line(format_args!("  {difference}"));
    }
    if differing.len() > SHOWN_MAX {
        show::line(format_args!("  and {} more", differing.len() - SHOWN_MAX));
    }
    if *held > 0 {
        show::line(format_args!("Look at what is held: meter95 review list --period {period}"));
    }
    if *issued + *issued_before > 0 {
        show::line(format_args!("See the statements: meter95 statements --period {period}"));
    }
}

/// The outcome in one line, for CSV.
#[derive(Serialize)]
struct Counts {
    issued: u64,
    issued_before: u64,
    held: u64,
    differing: usize,
}

impl Counts {
    fn of(outcome: &Outcome) -> Self {
        let Outcome { issued, issued_before, held, differing } = outcome;
        Self { issued: *issued, issued_before: *issued_before, held: *held, differing: differing.len() }
    }
}
