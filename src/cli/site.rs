//! What most commands begin with: the configuration, the store, and the right to write.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use crate::audit::{Act, Audit, Origin, Through, Undone};
use crate::clock;
use crate::config::Config;
use crate::inventory::Inventory;
use crate::inventory::document::Document;
use crate::store::connection::Store;
use crate::store::engine;
use crate::store::engine::lock::{Lock, holder};

/// The file whose lock is held by whoever turns readings into samples; there is one at a time.
const WRITER_LOCK: &str = "writer.lock";

/// Options of every command that uses data.
#[derive(Debug, Clone, Args)]
pub struct SiteArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = "METER95_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// Where data is kept [default: the configuration's, or ./meter95-data]
    #[arg(long, value_name = "DIR", env = "METER95_DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,
}

/// A configured site.
pub struct Site {
    /// The configuration.
    pub config: Config,
    /// Where data is kept.
    pub data_dir: PathBuf,
}

/// The right to turn readings into samples.
#[derive(Debug)]
pub struct Writer(#[expect(dead_code, reason = "held for its lock")] Lock);

impl SiteArgs {
    /// Reads the configuration.
    ///
    /// # Errors
    /// When it can't be read or is wrong.
    pub fn site(&self) -> anyhow::Result<Site> {
        let config = Config::read(self.config.as_deref())?;
        let data_dir = self.data_dir.clone().unwrap_or_else(|| config.data_dir());
        Ok(Site { config, data_dir })
    }
}

impl Site {
    /// Opens the store: the configured ClickHouse, or the embedded one of the data directory.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn store(&self) -> anyhow::Result<Store> {
        let store = match self.config.endpoint()? {
            Some(endpoint) => {
                let database = self.config.clickhouse.database.as_deref().unwrap_or(engine::DATABASE);
                Store::connect(endpoint, database).await?
            }
            None => Store::open(&self.data_dir, self.config.clickhouse.engine_options()?).await?,
        };
        Ok(store)
    }

    /// Becomes the one that turns readings into samples; `None`, with the process that is it, where another is.
    ///
    /// # Errors
    /// When the data directory can't be used.
    pub fn try_writer(&self) -> anyhow::Result<Result<Writer, Option<u32>>> {
        let using = || format!("can't use the data directory {}", self.data_dir.display());
        std::fs::create_dir_all(&self.data_dir).with_context(using)?;
        let path = self.data_dir.join(WRITER_LOCK);
        match Lock::try_take(&path).with_context(using)? {
            Some(lock) => Ok(Ok(Writer(lock))),
            None => Ok(Err(holder(&path))),
        }
    }

    /// As [`Site::try_writer`], but another one is an error that tells what to do instead.
    ///
    /// # Errors
    /// When there is another writer, or the data directory can't be used.
    pub fn writer(&self, instead: &str) -> anyhow::Result<Writer> {
        self.try_writer()?.map_err(|process| {
            let process = process.map_or_else(String::new, |id| format!(" (process {id})"));
            anyhow::anyhow!("another meter95{process} is writing to {}; {instead}", self.data_dir.display())
        })
    }
}

/// The inventory in force.
///
/// # Errors
/// When it can't be read.
pub async fn inventory(store: &Store) -> anyhow::Result<(u64, Document, Inventory)> {
    let (version, document) = store.inventory().await?;
    let inventory = Inventory::from_document(&document).context("the stored inventory contradicts itself")?;
    Ok((version, document, inventory))
}

/// Does something, and notes before and after in the audit that whoever runs the command did it.
///
/// # Errors
/// When it can't be noted, and so is not done; or is refused.
pub async fn audited<T>(
    store: &Store,
    act: Act,
    doing: impl Future<Output = anyhow::Result<T>>,
    tell: impl FnOnce(&T) -> Value,
) -> anyhow::Result<T> {
    let origin = Origin {
        who: user(),
        through: Through::Command,
        from: format!("command line on {}", meter95_nic::host_name()),
        request: String::new(),
    };
    let audit = Audit::new(store.clone(), clock::now);
    audit.act(&origin, act, doing, tell).await.map_err(|undone| match undone {
        Undone::Unnoted(_) => anyhow::anyhow!("{undone}"),
        Undone::Refused(error) => error,
    })
}

/// Who runs the command, as far as the system says.
#[must_use]
pub fn user() -> String {
    std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "unknown".to_owned())
}
