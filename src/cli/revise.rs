//! `meter95 revise`: corrects issued statements by new revisions.

use clap::Args;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use super::show::{self, Format, mbps_or_dash};
use super::site::{SiteArgs, audited, user};
use crate::audit::{Act, action};
use crate::clock;
use crate::closing::desk::{Desk, Word};
use crate::closing::revise::{Correction, Revision, told};
use crate::metering::period::Month;

/// Options of `meter95 revise`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  meter95 revise --period 2026-10 --reason 'late readings' --dry-run\n  \
                        meter95 revise --period 2026-10 --server web01 --reason 'add-on was missing' --by alice\n\n\
                        What was issued stays readable; exports carry the difference as a credit or a debit.")]
pub struct ReviseArgs {
    /// The month, as in 2026-10
    #[arg(long, value_name = "MONTH")]
    period: Month,
    /// One server or pool only
    #[arg(long, value_name = "ID")]
    server: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who answers for it [default: the user by the system's word]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A correction in a line.
#[derive(Serialize)]
struct Line<'a> {
    server: &'a str,
    customer: &'a str,
    revision: u32,
    p95_bps_before: Option<u64>,
    p95_bps: Option<u64>,
    overage_bps_before: Option<u64>,
    overage_bps: Option<u64>,
    amount_before: Option<Decimal>,
    amount: Option<Decimal>,
    currency: Option<&'a str>,
    strange: String,
}

/// Corrects.
///
/// # Errors
/// When there is nothing of this name, the two computations differ, or the store can't be used.
pub async fn run(site: &SiteArgs, args: ReviseArgs) -> anyhow::Result<()> {
    let site = site.site()?;
    let store = site.store().await?;
    let desk = Desk::new(store.clone(), &site.data_dir, site.config.times());
    let correction = Correction { period: args.period, server: args.server, dry_run: args.dry_run };
    let word = Word { by: args.by.unwrap_or_else(user), now: clock::now(), reason: args.reason };
    let revising = async { anyhow::Ok(desk.revise(&correction, &word).await?) };
    let revisions = if args.dry_run {
        revising.await?
    } else {
        let server = correction.server.as_ref();
        let target =
            server.map_or_else(|| args.period.to_string(), |server| format!("{} {server}", args.period));
        let act = Act::new(action::STATEMENT_REVISE, target).by(&word.by);
        let act = act.before(json!({ "reason": word.reason }));
        audited(&store, act, revising, |revisions: &Vec<Revision>| told(revisions)).await?
    };
    drop(desk);
    store.close().await?;
    match args.format {
        Format::Json => show::json(&revisions.iter().map(Line::of).collect::<Vec<_>>()),
        Format::Csv => show::csv(revisions.iter().map(Line::of)),
        Format::Table => {
            print(args.period, &revisions, args.dry_run);
            Ok(())
        }
    }
}

fn print(period: Month, revisions: &[Revision], dry_run: bool) {
    if revisions.is_empty() {
        show::line(format_args!("Every issued statement of {period} still says what is right."));
        return;
    }
    let columns = [
        ("Server", false),
        ("Revision", true),
        ("p95 before", true),
        ("p95 Mbps", true),
        ("Overage before", true),
        ("Overage", true),
        ("Amount before", true),
        ("Amount", true),
        ("To look at", false),
    ];
    let amount = |statement: &crate::closing::statement::Statement| {
        let amount = statement.amount.zip(statement.currency.as_ref());
        amount.map_or_else(|| "-".to_owned(), |(amount, currency)| format!("{amount} {currency}"))
    };
    let rows = revisions.iter().map(|Revision { before, after, reasons }| {
        vec![
            after.server.clone(),
            after.revision.to_string(),
            mbps_or_dash(before.p95_bps),
            mbps_or_dash(after.p95_bps),
            mbps_or_dash(before.overage_bps),
            mbps_or_dash(after.overage_bps),
            amount(before),
            amount(after),
            reasons.join("\n"),
        ]
    });
    show::line(show::table(&columns, rows));
    let new = show::counted(revisions.len() as u64, "new revision");
    show::line(if dry_run {
        format!("{new} would be issued (--dry-run).")
    } else {
        format!("{new} issued.")
    });
}

impl<'a> Line<'a> {
    fn of(Revision { before, after, reasons }: &'a Revision) -> Self {
        Self {
            server: &after.server,
            customer: &after.customer,
            revision: after.revision,
            p95_bps_before: before.p95_bps.map(|bps| bps.0),
            p95_bps: after.p95_bps.map(|bps| bps.0),
            overage_bps_before: before.overage_bps.map(|bps| bps.0),
            overage_bps: after.overage_bps.map(|bps| bps.0),
            amount_before: before.amount,
            amount: after.amount,
            currency: after.currency.as_deref(),
            strange: reasons.join("; "),
        }
    }
}
