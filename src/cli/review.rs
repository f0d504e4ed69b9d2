//! `meter95 review`: statements that a person looks at before they count.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::show::{self, Format, mbps_or_dash};
use super::site::{SiteArgs, audited, user};
use crate::audit::{Act, action};
use crate::clock;
use crate::closing::desk::{Desk, Word};
use crate::closing::review::queue;
use crate::closing::what_if::Figures;
use crate::metering::period::Month;
use crate::store::statements::Filed;

/// What to do with the review queue.
#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// List the statements that are held, with the reasons
    #[command(after_help = "Example:\n  meter95 review list --period 2026-10")]
    List(ListArgs),
    /// Issue a held statement
    #[command(after_help = "Example:\n  meter95 review approve --period 2026-10 --server web01 \\\n    \
                            --note 'switch was replaced, agreed with the customer' --by alice")]
    Approve(ApproveArgs),
}

/// Options of `meter95 review list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The month, as in 2026-10
    #[arg(long, value_name = "MONTH")]
    period: Month,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Options of `meter95 review approve`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The month, as in 2026-10
    #[arg(long, value_name = "MONTH")]
    period: Month,
    /// The server or pool
    #[arg(long, value_name = "ID")]
    server: String,
    /// Why it is right as it is
    #[arg(long, value_name = "TEXT")]
    note: String,
    /// Who answers for it [default: the user by the system's word]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// A held statement in a line.
#[derive(Serialize)]
struct Held<'a> {
    server: &'a str,
    customer: &'a str,
    region: &'a str,
    revision: u32,
    samples: u64,
    expected: u64,
    coverage: Option<rust_decimal::Decimal>,
    p95_bps: Option<u64>,
    overage_bps: Option<u64>,
    amount: Option<rust_decimal::Decimal>,
    currency: Option<&'a str>,
    reasons: String,
}

/// Carries the command out.
///
/// # Errors
/// When there is no such statement, or the store can't be used.
pub async fn run(site: &SiteArgs, command: ReviewCommand) -> anyhow::Result<()> {
    let site = site.site()?;
    let store = site.store().await?;
    match command {
        ReviewCommand::List(args) => {
            let held = queue(&store, args.period).await?;
            store.close().await?;
            let lines: Vec<Held<'_>> = held.iter().map(Held::of).collect();
            match args.format {
                Format::Json => show::json(&lines),
                Format::Csv => show::csv(lines),
                Format::Table => {
                    print(args.period, &held);
                    Ok(())
                }
            }
        }
        ReviewCommand::Approve(args) => {
            let desk = Desk::new(store.clone(), &site.data_dir, site.config.times());
            let word = Word { by: args.by.unwrap_or_else(user), now: clock::now(), reason: args.note };
            let act = Act::new(action::REVIEW_APPROVE, format!("{} {}", args.period, args.server));
            let act = act.by(&word.by).before(json!({ "state": "held", "note": word.reason }));
            let approving = async { Ok(desk.approve(args.period, &args.server, &word).await?) };
            let statement = audited(&store, act, approving, |it| json!(Figures::of(it))).await?;
            drop(desk);
            store.close().await?;
            let amount = statement.amount.zip(statement.currency.as_ref());
            let amount =
                amount.map_or_else(String::new, |(amount, currency)| format!(", {amount} {currency}"));
            show::line(format_args!(
                "Issued the statement of {} for {}: p95 {} Mbps, overage {} Mbps{amount}.",
                statement.server,
                statement.period,
                mbps_or_dash(statement.p95_bps),
                mbps_or_dash(statement.overage_bps),
            ));
            Ok(())
        }
    }
}

fn print(period: Month, held: &[Filed]) {
    if held.is_empty() {
        show::line(format_args!("Nothing of {period} waits for review."));
        return;
    }
    let columns = [
        ("Server", false),
        ("Customer", false),
        ("p95 Mbps", true),
        ("Overage", true),
        ("Amount", true),
        ("Why", false),
    ];
    let rows = held.iter().map(|filed| {
        let statement = &filed.statement;
        let amount = statement.amount.zip(statement.currency.as_ref());
        vec![
            statement.server.clone(),
            statement.customer.clone(),
            mbps_or_dash(statement.p95_bps),
            mbps_or_dash(statement.overage_bps),
            amount.map_or_else(|| "-".to_owned(), |(amount, currency)| format!("{amount} {currency}")),
            reasons(filed, "\n"),
        ]
    });
    show::line(show::table(&columns, rows));
    show::line(format_args!(
        "Issue one: meter95 review approve --period {period} --server ID --note WHY --by NAME"
    ));
}

fn reasons(filed: &Filed, between: &str) -> String {
    filed.statement.review.as_ref().map(|review| review.reasons.join(between)).unwrap_or_default()
}

impl<'a> Held<'a> {
    fn of(filed: &'a Filed) -> Self {
        let statement = &filed.statement;
        Self {
            server: &statement.server,
            customer: &statement.customer,
            region: &statement.region,
            revision: statement.revision,
            samples: statement.samples,
            expected: statement.expected,
            coverage: statement.coverage,
            p95_bps: statement.p95_bps.map(|bps| bps.0),
            overage_bps: statement.overage_bps.map(|bps| bps.0),
            amount: statement.amount,
            currency: statement.currency.as_deref(),
            reasons: reasons(filed, "; "),
        }
    }
}
