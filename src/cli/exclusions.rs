//! `meter95 exclusions`: incidents for which a server is not billed.

use clap::{Args, Subcommand};
use serde_json::json;

use super::show::{self, Format};
use super::site::{SiteArgs, audited, user};
use crate::audit::{Act, action};
use crate::clock;
use crate::closing::desk::{Desk, Word};
use crate::closing::exclusions::Declared;
use crate::closing::statement::Exclusion;
use crate::inventory::instant::{Instant, rfc3339};

/// What to do with exclusions.
#[derive(Debug, Subcommand)]
pub enum ExclusionsCommand {
    /// Declare an incident: the server's slots in it count as ones without a sample
    #[command(
        after_help = "Example:\n  meter95 exclusions add --server web01 --from 2026-10-12T03:00:00+09:00 \\\n    \
                            --until 2026-10-12T05:00:00+09:00 --why 'DDoS, ticket 4711' --by alice\n\n\
                            What was measured stays. A statement shows both figures; one that was issued already is \
                            corrected by `meter95 revise`."
    )]
    Add(AddArgs),
    /// List the incidents in force
    List(ListArgs),
    /// Take an incident back
    #[command(
        after_help = "Example:\n  meter95 exclusions withdraw 12 --why 'was another server' --by alice"
    )]
    Withdraw(WithdrawArgs),
}

/// Options of `meter95 exclusions add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The server
    #[arg(long, value_name = "ID")]
    server: String,
    /// From when, in RFC 3339 with a zone or in Unix milliseconds
    #[arg(long, value_name = "INSTANT")]
    from: Instant,
    /// Until before when
    #[arg(long, value_name = "INSTANT")]
    until: Instant,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Who says so [default: the user by the system's word]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Options of `meter95 exclusions list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Options of `meter95 exclusions withdraw`.
#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// Its number, as `meter95 exclusions list` has it
    id: u64,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Who says so [default: the user by the system's word]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Carries the command out.
///
/// # Errors
/// When an incident can't be, or the store can't be used.
pub async fn run(site: &SiteArgs, command: ExclusionsCommand) -> anyhow::Result<()> {
    let site = site.site()?;
    let store = site.store().await?;
    let desk = Desk::new(store.clone(), &site.data_dir, site.config.times());
    let word =
        |by: Option<String>, reason: String| Word { by: by.unwrap_or_else(user), now: clock::now(), reason };
    match command {
        ExclusionsCommand::Add(args) => {
            let declared = Declared { server: args.server, from: args.from, until: args.until };
            let word = word(args.by, args.why);
            let act = Act::new(action::EXCLUSION_DECLARE, &declared.server).by(&word.by);
            let wish = json!({ "from": declared.from, "until": declared.until, "why": word.reason });
            let declaring = async { Ok(desk.exclude(&declared, &word).await?) };
            let exclusion = audited(&store, act.before(wish), declaring, |it| json!(it)).await?;
            show::line(format_args!("Declared {}.", words(&exclusion)));
            show::line(
                "A statement that was issued already is corrected by: meter95 revise --period MONTH --reason TEXT",
            );
        }
        ExclusionsCommand::List(args) => {
            let all: Vec<Exclusion> = desk.trail().await?.exclusions()?.into_values().flatten().collect();
            match args.format {
                Format::Json => show::json(&all)?,
                Format::Csv => show::csv(&all)?,
                Format::Table => print(&all),
            }
        }
        ExclusionsCommand::Withdraw(args) => {
            let word = word(args.by, args.why);
            let act = Act::new(action::EXCLUSION_WITHDRAW, args.id).by(&word.by);
            let act = act.before(json!({ "why": word.reason }));
            let withdrawing = async { Ok(desk.include(args.id, &word).await?) };
            let exclusion = audited(&store, act, withdrawing, |it| json!(it)).await?;
            show::line(format_args!("Took back {}.", words(&exclusion)));
        }
    }
    drop(desk);
    store.close().await?;
    Ok(())
}

fn words(exclusion: &Exclusion) -> String {
    let Exclusion { id, server, from, until, .. } = exclusion;
    format!("exclusion {id}: server {server}, {} to {}", rfc3339(from.0), rfc3339(until.0))
}

fn print(all: &[Exclusion]) {
    if all.is_empty() {
        show::line("No exclusion is in force.");
        return;
    }
    let columns = [
        ("Id", true),
        ("Server", false),
        ("From", false),
        ("Until", false),
        ("Why", false),
        ("By", false),
        ("Declared", false),
    ];
    let row = |e: &Exclusion| {
        vec![
            e.id.to_string(),
            e.server.clone(),
            rfc3339(e.from.0),
            rfc3339(e.until.0),
            e.why.clone(),
            e.by.clone(),
            rfc3339(e.at.0),
        ]
    };
    show::line(show::table(&columns, all.iter().map(row)));
}
