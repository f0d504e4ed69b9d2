//! The `meter95` command: reads the command line and calls one function of `cli`.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use meter95::cli;
use meter95::store::engine::child::child_main;
use tracing_subscriber::EnvFilter;

/// What is logged unless RUST_LOG says otherwise: by a service, and by a command that prints its outcome anyway.
const LOG_OF_SERVICE: &str = "warn,async_snmp=error,meter95=info,meter95_snmp=info,meter95_nic=info";
const LOG_OF_COMMAND: &str = "warn,async_snmp=error";

/// Bandwidth metering and 95th-percentile accounting for dedicated servers
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    site: cli::site::SiteArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything: collectors, aggregator, store, API and dashboard
    Serve(cli::serve::ServeArgs),
    /// Run collectors alone, posting to a service elsewhere
    Collect(cli::collect::CollectArgs),
    /// List collectors elsewhere and what each still holds, or forget one that is gone
    Collectors(cli::collectors::CollectorsArgs),
    /// Show everything on a simulated site, from nothing to a live dashboard
    Demo(cli::demo::DemoArgs),
    /// List a device's ports as lines for an inventory
    Discover(cli::discover::DiscoverArgs),
    /// Say what is sold and metered: plans, servers, their ports
    #[command(subcommand)]
    Inventory(cli::inventory::InventoryCommand),
    /// Take readings from files through the real pipeline
    Import(cli::import::ImportArgs),
    /// Tell a month's figures: p95, overage, burst left
    Usage(cli::usage::UsageArgs),
    /// Close a month: issue every statement, or hold it for review
    Close(cli::close::CloseArgs),
    /// Statements that a person looks at before they count
    #[command(subcommand)]
    Review(cli::review::ReviewCommand),
    /// List the statements of a closed month, or write them with their samples into files
    Statements(cli::statements::StatementsArgs),
    /// Tell a customer why a statement says what it says
    Explain(cli::explain::ExplainArgs),
    /// Write a page a server for customers: the month's chart, its figures and the rule, as PDF or HTML
    Report(cli::report::ReportArgs),
    /// Write a month's lines for a billing system, or the amounts by customer
    Export(cli::export::ExportArgs),
    /// Make every figure of statements again from files, without any database
    Verify(cli::verify::VerifyArgs),
    /// Incidents for which a server is not billed
    #[command(subcommand)]
    Exclusions(cli::exclusions::ExclusionsCommand),
    /// Correct issued statements by new revisions
    Revise(cli::revise::ReviseArgs),
    /// Tell what a month would have been under other terms
    WhatIf(cli::what_if::WhatIfArgs),
    /// Tell what a month's figures would be without some readings, or with others instead
    Affected(cli::affected::AffectedArgs),
    /// What is the matter now, what was told of it, and whether anybody would hear
    #[command(subcommand)]
    Alerts(cli::alerts::AlertsCommand),
    /// Pack what was measured of a server for those who investigate an intrusion or an abuse
    Evidence(cli::evidence::EvidenceArgs),
    /// Make a month's samples again from the readings, compare, and put right what differs
    Rebuild(cli::rebuild::RebuildArgs),
    /// Servers that use far more than they should, and what is done about them
    #[command(subcommand)]
    Cases(cli::cases::args::CasesCommand),
    /// Who may do what over the API: make tokens, list and revoke them
    #[command(subcommand)]
    Token(cli::token::TokenCommand),
    /// Tell who did what, when and from where, and what came of it
    Audit(cli::audit::AuditArgs),
    /// Validate the configuration and what it points at
    Check(cli::check::CheckArgs),
    /// The embedded ClickHouse: fetch it, look at it
    #[command(subcommand)]
    Engine(cli::engine::EngineCommand),
    #[command(hide = true)]
    EngineChild(cli::engine::ChildArgs),
}

fn main() -> ExitCode {
    let Cli { site, command } = Cli::parse();
    let command = match command {
        // Before any runtime and any thread: it is another program from here on.
        Command::EngineChild(args) => return child_main(&args.into()),
        command => command,
    };
    match run(&site, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {}", cli::show::error(&e));
            ExitCode::FAILURE
        }
    }
}

fn run(site: &cli::site::SiteArgs, command: Command) -> anyhow::Result<()> {
    let log = match command {
        Command::Serve(_) | Command::Collect(_) => LOG_OF_SERVICE,
        _ => LOG_OF_COMMAND,
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(log));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match command {
            Command::Serve(args) => cli::serve::run(site, args).await,
            Command::Collect(args) => cli::collect::run(site, args).await,
            Command::Collectors(args) => cli::collectors::run(site, args).await,
            Command::Demo(args) => cli::demo::run(site, args).await,
            Command::Discover(args) => cli::discover::run(args).await,
            Command::Check(args) => cli::check::run(site, args).await,
            Command::Inventory(command) => cli::inventory::run(site, command).await,
            Command::Import(args) => cli::import::run(site, args).await,
            Command::Usage(args) => cli::usage::run(site, args).await,
            Command::Close(args) => cli::close::run(site, args).await,
            Command::Review(command) => cli::review::run(site, command).await,
            Command::Statements(args) => cli::statements::run(site, args).await,
            Command::Explain(args) => cli::explain::run(site, args).await,
            Command::Report(args) => cli::report::run(site, args).await,
            Command::Export(args) => cli::export::run(site, args).await,
            Command::Verify(args) => cli::verify::run(args),
            Command::Exclusions(command) => cli::exclusions::run(site, command).await,
            Command::Revise(args) => cli::revise::run(site, args).await,
            Command::WhatIf(args) => cli::what_if::run(site, args).await,
            Command::Affected(args) => cli::affected::run(site, args).await,
            Command::Alerts(command) => cli::alerts::run(site, command).await,
            Command::Evidence(args) => cli::evidence::run(site, args).await,
            Command::Rebuild(args) => cli::rebuild::run(site, args).await,
            Command::Cases(command) => cli::cases::run(site, command).await,
            Command::Token(command) => cli::token::run(site, command).await,
            Command::Audit(args) => cli::audit::run(site, args).await,
            Command::Engine(command) => cli::engine::run(site, command).await,
            Command::EngineChild(_) => Ok(()),
        }
    })
}
