//! The options of `meter95 cases`.

use clap::{Args, Subcommand};

use crate::cli::show::Format;
use crate::closing::explain::text::Lang;
use crate::inventory::instant::Instant;
use crate::throttle::case::State;
use crate::throttle::step::{Channel, Outcome};

/// What to do with cases.
#[derive(Debug, Subcommand)]
pub enum CasesCommand {
    /// List cases: those that have not ended or had a step in the last 90 days; of one server all that there ever were
    #[command(
        after_help = "Examples:\n  meter95 cases list --open\n  meter95 cases list --server web01 --format json"
    )]
    List(ListArgs),
    /// Show a case: what is recommended and why, then everything that was done
    #[command(after_help = "Example:\n  meter95 cases show 12 --lang ja")]
    Show(ShowArgs),
    /// Tell whom to contact next, and when
    #[command(after_help = "Example:\n  meter95 cases contact 12")]
    Contact(ShowArgs),
    /// Record that the customer was told
    #[command(after_help = "Example:\n  meter95 cases notify 12 --why 'told at the weekly call' --by alice")]
    Notify(ActArgs),
    /// Approve a limit; the customer must have been told, except in a case of flood
    #[command(
        after_help = "Example:\n  meter95 cases approve 12 --why 'no answer after two rounds' --by alice"
    )]
    Approve(ActArgs),
    /// Record that the limit is on the ports; it must have been approved
    ///
    /// The software never touches a device: `meter95 cases snippet` prints what to put into it.
    #[command(
        after_help = "Example:\n  meter95 cases apply 12 --cap-bps 20000000 --until 2026-12-01T00:00:00+09:00 \\\n    \
                      --why 'put on sw1' --by alice"
    )]
    Apply(ApplyArgs),
    /// Record that the limit was taken off, which ends the case
    #[command(after_help = "Example:\n  meter95 cases lift 12 --why 'month is over' --by alice")]
    Lift(ActArgs),
    /// End a case without a limit
    #[command(
        after_help = "Example:\n  meter95 cases dismiss 12 --why 'load test, agreed with sales' --by alice"
    )]
    Dismiss(ActArgs),
    /// Take up again a case that has ended
    #[command(after_help = "Example:\n  meter95 cases reopen 12 --why 'it went on after all' --by alice")]
    Reopen(ActArgs),
    /// Leave a case alone for a while: nobody is contacted
    #[command(
        after_help = "Example:\n  meter95 cases snooze 12 --until 2026-11-30T09:00:00+09:00 --why 'holiday' --by alice"
    )]
    Snooze(SnoozeArgs),
    /// Do not leave a case alone any longer
    #[command(after_help = "Example:\n  meter95 cases wake 12 --why 'back from holiday' --by alice")]
    Wake(ActArgs),
    /// Say something about a case
    #[command(
        after_help = "Example:\n  meter95 cases note 12 --why 'customer suspects a backup job' --by alice"
    )]
    Note(ActArgs),
    /// Record what came of an attempt to reach a contact; the first that reached one makes the case notified
    #[command(
        after_help = "Examples:\n  meter95 cases attempt 12 --contact 1 --channel phone --outcome no_answer \\\n    \
                      --why 'called the office' --by alice\n  \
                      meter95 cases attempt 12 --name 'night desk' --channel phone --outcome sent --why 'called back' \\\n    \
                      --by alice"
    )]
    Attempt(TriedArgs),
    /// Record that the customer answered: nobody is contacted any further
    #[command(
        after_help = "Example:\n  meter95 cases answer 12 --why 'will stop the job tonight' --by alice"
    )]
    Answer(ActArgs),
    /// Print the configuration that limits the server, or takes the limit off
    #[command(
        after_help = "Examples:\n  meter95 cases snippet 12 --for junos\n  meter95 cases snippet 12 --for tc --lift"
    )]
    Snippet(SnippetArgs),
}

/// Who takes a step, and why.
#[derive(Debug, Args)]
pub struct SaidArgs {
    /// Why, or what there is to say
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// Who says so [default: the user by the system's word]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// Options of most steps.
#[derive(Debug, Args)]
pub struct ActArgs {
    /// The case's number, as `meter95 cases list` has it
    pub id: u64,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would show it")]
    pub said: SaidArgs,
}

/// Options of `meter95 cases list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those that stand so
    #[arg(long, value_enum)]
    pub state: Option<State>,
    /// Only those that have not ended
    #[arg(long)]
    pub open: bool,
    /// Only those of a server
    #[arg(long, value_name = "ID")]
    pub server: Option<String>,
    /// Only those of a customer
    #[arg(long, value_name = "ID")]
    pub customer: Option<String>,
    /// Only those of a region
    #[arg(long, value_name = "ID")]
    pub region: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Options of `meter95 cases show` and `meter95 cases contact`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The case's number, as `meter95 cases list` has it
    pub id: u64,
    /// In which language the recommendation is told
    #[arg(long, value_enum, default_value_t = Lang::En)]
    pub lang: Lang,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Options of `meter95 cases apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The case's number, as `meter95 cases list` has it
    pub id: u64,
    /// The limit in bit/s [default: the one that is recommended]
    #[arg(long, value_name = "BPS")]
    pub cap_bps: Option<u64>,
    /// Until when it should stay [default: as recommended]
    #[arg(long, value_name = "INSTANT")]
    pub until: Option<Instant>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would show it")]
    pub said: SaidArgs,
}

/// Options of `meter95 cases snooze`.
#[derive(Debug, Args)]
pub struct SnoozeArgs {
    /// The case's number, as `meter95 cases list` has it
    pub id: u64,
    /// Until when, in RFC 3339 with a zone or in Unix milliseconds
    #[arg(long, value_name = "INSTANT")]
    pub until: Instant,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would show it")]
    pub said: SaidArgs,
}

/// Options of `meter95 cases attempt`.
#[derive(Debug, Args)]
pub struct TriedArgs {
    /// The case's number, as `meter95 cases list` has it
    pub id: u64,
    /// Which of the customer's contacts, from 1; 0 for somebody who is none of them
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub contact: u32,
    /// The name of whoever was to be reached [default: the contact's]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Which way
    #[arg(long, value_enum)]
    pub channel: Channel,
    /// What came of it
    #[arg(long, value_enum)]
    pub outcome: Outcome,
    /// In which round [default: the newest]
    #[arg(long, value_name = "N")]
    pub round: Option<u32>,
    /// More about it, such as the number that was called
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub detail: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would show it")]
    pub said: SaidArgs,
}

/// Options of `meter95 cases snippet`.
#[derive(Debug, Args)]
pub struct SnippetArgs {
    /// The case's number, as `meter95 cases list` has it
    pub id: u64,
    /// For which kind of device: tc, ios, junos, eos, or one of the site's own templates
    #[arg(long = "for", value_name = "KIND")]
    pub kind: String,
    /// Take the limit off
    #[arg(long)]
    pub lift: bool,
    /// What the interface is called where this is put in; for a server with several ports, once for each
    #[arg(long, value_name = "NAME")]
    pub interface: Vec<String>,
}
