//! `meter95 engine`: the embedded ClickHouse, apart from the service.

use std::path::{Path, PathBuf};
use std::pin::pin;

use clap::{Args, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use super::site::SiteArgs;
use crate::store::engine::install::{Install, Installed};
use crate::store::engine::status::Status;
use crate::store::engine::{Engine, Options, child};

/// What to do with the engine.
#[derive(Debug, Subcommand)]
pub enum EngineCommand {
    /// Fetch the engine's library once, check it and keep it in the user's cache
    ///
    /// npm fetches the pinned package (178 MB); nothing is run from it. Every command then finds the library. A
    /// `clickhouse` 24.8 or newer on PATH makes it unnecessary.
    #[command(
        after_help = "Example:\n  meter95 engine install\n  meter95 engine install --from chdb-lib-linux-x64-gnu-26.7.3-stable.1.tgz"
    )]
    Install {
        /// The package as a file, fetched elsewhere with `npm pack`
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// The folder for the library [default: meter95/engine/VERSION in the user's cache]
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
    /// Tell which engine would be started, and whether one runs on a data directory
    #[command(after_help = "Example:\n  meter95 --data-dir /var/lib/meter95 engine status --format json")]
    Status {
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Keep the engine running on a data directory until Ctrl-C, to look at the data with other tools
    ///
    /// Prints the URL. User and password are in DIR/engine/endpoint.json, which only its owner can read; pass them in the
    /// headers X-ClickHouse-User and X-ClickHouse-Key. Where the configuration has clickhouse.reader_password_file, the
    /// user meter95_reader may read: for Grafana.
    #[command(after_help = "Example:\n  meter95 --data-dir /var/lib/meter95 engine run")]
    Run,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

/// The hidden command that is the engine's child process.
#[derive(Debug, Args)]
pub struct ChildArgs {
    #[arg(long)]
    dir: PathBuf,
    #[arg(long)]
    library: Option<PathBuf>,
    #[arg(long)]
    server: Option<PathBuf>,
    #[arg(long)]
    http_port: u16,
    #[arg(long)]
    parent: i32,
}

impl From<ChildArgs> for child::Args {
    fn from(args: ChildArgs) -> child::Args {
        let ChildArgs { dir, library, server, http_port, parent } = args;
        child::Args { dir, library, server, http_port, parent }
    }
}

/// Runs one of the commands.
pub async fn run(site: &SiteArgs, command: EngineCommand) -> anyhow::Result<()> {
    match command {
        EngineCommand::Install { from, to } => install(Install { from, to }),
        EngineCommand::Status { format } => status(&site.site()?.data_dir, format),
        EngineCommand::Run => {
            let site = site.site()?;
            hold(&site.data_dir, site.config.clickhouse.engine_options()?).await
        }
    }
}

fn install(install: Install) -> anyhow::Result<()> {
    match install.run()? {
        Installed::Before(path) => println!("the engine is there already: {}", path.display()),
        Installed::Now(path) => println!("the engine is installed: {}", path.display()),
    }
    Ok(())
}

fn status(data_dir: &Path, format: Format) -> anyhow::Result<()> {
    let status = Status::of(data_dir, None)?;
    if format == Format::Json {
        println!("{}", serde_json::to_string(&status)?);
        return Ok(());
    }
    let path = status.path.map(|path| format!(", {}", path.display())).unwrap_or_default();
    println!("program  {}{path}", status.program);
    match (status.owner, status.url) {
        (Some(pid), Some(url)) => println!("running  by process {pid}, {url}"),
        (Some(pid), None) => println!("running  by process {pid}, not answering yet"),
        (None, _) => println!("running  no"),
    }
    println!("data     {}", status.data_version.map_or("none yet".to_owned(), |v| format!("of engine {v}")));
    Ok(())
}

async fn hold(data_dir: &Path, options: Options) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut told_to_stop = pin!(async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    });
    let engine = tokio::select! {
        engine = Engine::open(data_dir, options) => engine?,
        () = &mut told_to_stop => return Ok(()),
    };
    println!("{}", engine.endpoint().await?.url);
    told_to_stop.await;
    engine.stop().await?;
    Ok(())
}
