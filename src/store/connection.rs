//! The way to ClickHouse, and how long to keep trying.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clickhouse::{Client, Compression};

use super::engine::{self, Endpoint, Engine, EngineError};

/// How long a read waits for a ClickHouse that does not answer before it fails: over an engine's restart.
const READ_PATIENCE: Duration = Duration::from_secs(30);

/// The pause before a second try, and the longest between two.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_LONGEST: Duration = Duration::from_secs(5);

/// Why the store can't be had.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The embedded engine does not run.
    #[error("the embedded ClickHouse is not available: {0}")]
    Engine(#[from] EngineError),
    /// ClickHouse refused, or can't be reached.
    #[error("{doing} failed: {source}")]
    ClickHouse {
        /// What was being done.
        doing: &'static str,
        /// What ClickHouse or the connection said.
        source: clickhouse::error::Error,
    },
    /// Somebody else has changed the inventory.
    #[error(
        "the inventory is at version {found}, not at {expected}: somebody else has changed it meanwhile; look at it and \
         apply again"
    )]
    Outdated {
        /// The version on which the change was made.
        expected: u64,
        /// The version in force.
        found: u64,
    },
    /// What is stored can't be understood.
    #[error("what is stored makes no sense: {0}")]
    Contents(String),
    /// A statement that was issued is never written again.
    #[error(
        "revision {revision} of the statement of {server:?} for {period} was issued already, and stays as it is"
    )]
    Issued {
        /// The month.
        period: String,
        /// The server or pool.
        server: String,
        /// The revision.
        revision: u32,
    },
}

enum Source {
    Server(Endpoint),
    Engine(Engine),
}

/// A ClickHouse, and the database in it that is ours. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    source: Arc<Source>,
    database: Arc<str>,
    client: Arc<Mutex<Option<(Endpoint, Client)>>>,
    /// Held by whoever of this process changes the inventory.
    pub(super) changing_inventory: Arc<tokio::sync::Mutex<()>>,
}

impl Store {
    /// The store of a data directory: its engine is joined, or started.
    ///
    /// # Errors
    /// When there is no engine to be had, or the schema can't be brought up to date.
    pub async fn open(data_dir: &Path, options: engine::Options) -> Result<Self, StoreError> {
        let engine = Engine::open(data_dir, options).await?;
        Self::with(Source::Engine(engine), engine::DATABASE).await
    }

    /// The database `database` of a ClickHouse server that runs by itself.
    ///
    /// # Errors
    /// When it can't be reached, or the schema can't be brought up to date.
    pub async fn connect(endpoint: Endpoint, database: &str) -> Result<Self, StoreError> {
        Self::with(Source::Server(endpoint), database).await
    }

    async fn with(source: Source, database: &str) -> Result<Self, StoreError> {
        let store = Self {
            source: Arc::new(source),
            database: database.into(),
            client: Arc::new(Mutex::new(None)),
            changing_inventory: Arc::default(),
        };
        store.migrate().await?;
        Ok(store)
    }

    /// The name of the database.
    #[must_use]
    pub fn database_name(&self) -> &str {
        &self.database
    }

    /// Where ClickHouse answers now.
    ///
    /// # Errors
    /// When the engine does not come back.
    pub async fn endpoint(&self) -> Result<Endpoint, StoreError> {
        match &*self.source {
            Source::Server(endpoint) => Ok(endpoint.clone()),
            Source::Engine(engine) => Ok(engine.endpoint().await?),
        }
    }

    /// A client of the ClickHouse that answers now.
    pub(super) async fn client(&self) -> Result<Client, StoreError> {
        let endpoint = self.endpoint().await?;
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, client)) = &*kept
            && *of == endpoint
        {
            return Ok(client.clone());
        }
        let local = endpoint.url.starts_with("http://127.0.0.1:");
        let client = Client::default()
            .with_url(&endpoint.url)
            .with_user(&endpoint.user)
            .with_password(endpoint.password.expose())
            .with_database(&*self.database)
            .with_compression(if local { Compression::None } else { Compression::Lz4 });
        *kept = Some((endpoint, client.clone()));
        Ok(client)
    }

    /// Runs `query` until it succeeds, for as long as ClickHouse can't be reached but at most [`READ_PATIENCE`].
    pub(super) async fn read<T, F>(
        &self,
        doing: &'static str,
        query: impl Fn(Client) -> F,
    ) -> Result<T, StoreError>
    where
        // Not AsyncFn: of its futures the compiler can't tell that a task may carry them to another thread.
        F: Future<Output = clickhouse::error::Result<T>>,
    {
        let started = tokio::time::Instant::now();
        let mut pause = PAUSE_FIRST;
        loop {
            let source = match query(self.client().await?).await {
                Ok(value) => return Ok(value),
                Err(e) => e,
            };
            if !unreachable_for_now(&source) || started.elapsed() > READ_PATIENCE {
                return Err(StoreError::ClickHouse { doing, source });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_LONGEST);
        }
    }

    /// Stops an engine that this process started; returns when it has stopped.
    ///
    /// # Errors
    /// When it does not stop in order.
    pub async fn close(self) -> Result<(), StoreError> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(self.client);
        match Arc::try_unwrap(self.source) {
            Ok(Source::Engine(engine)) => Ok(engine.stop().await?),
            // Another clone is still in use; the engine stops with the last of them.
            Ok(Source::Server(_)) | Err(_) => Ok(()),
        }
    }
}

/// Trying again, more and more seldom.
pub(super) struct Patience {
    pause: Duration,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { pause: PAUSE_FIRST }
    }

    /// Says why rows were not taken, and waits before the next try.
    pub(super) async fn after(&mut self, error: StoreError) {
        metrics::counter!("meter95_store_retries_total").increment(1);
        let pause_ms = self.pause.as_millis();
        tracing::warn!(error = %error, pause_ms, "store did not take rows, trying again");
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_LONGEST);
    }
}

/// Whether the same may succeed a little later, as while an engine is started again.
fn unreachable_for_now(error: &clickhouse::error::Error) -> bool {
    use clickhouse::error::Error;
    matches!(error, Error::Network(_) | Error::TimedOut)
}
