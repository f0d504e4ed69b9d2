//! The one door to everything that closing writes: one act at a time for a data directory, whoever asks, the command
//! line, the API or the schedule.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::acts::Trail;
use super::close::{self, CloseError, Order, Outcome};
use super::exclusions::{self, Declared};
use super::review;
use super::revise::{self, Correction, Revision};
use super::statement::{Exclusion, Statement};
use crate::aggregator::state::Times;
use crate::metering::period::Month;
use crate::signal::Signal;
use crate::store::connection::Store;
use crate::store::engine::lock::Lock;

/// The file whose lock is held during an act.
const LOCK: &str = "closing.lock";

/// Statements that were issued, held, or not issued because the two computations differ, by state.
const STATEMENTS: &str = "meter95_closing_statements_total";

/// Who acts, when, and why.
#[derive(Debug, Clone)]
pub struct Word {
    /// By whom.
    pub by: String,
    /// Now.
    pub now: meter95_reading::Timestamp,
    /// Why, or what there is to say.
    pub reason: String,
}

/// How far a close has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ClosingProgress)]
pub struct Progress {
    /// Servers and pools that have been dealt with.
    pub done: usize,
    /// How many there are to deal with; 0 while that is being found out.
    pub total: usize,
}

/// Where acts of closing are done. Cheap to clone; clones know of each other.
#[derive(Clone)]
pub struct Desk {
    store: Store,
    lock: PathBuf,
    times: Times,
    under_way: Arc<Mutex<Option<(Month, Progress)>>>,
    acts: TaskTracker,
    stopping: CancellationToken,
    changed: Signal,
    /// The number of the next act as far as it is known here; 0 before anybody looked.
    next_act: Arc<AtomicU64>,
}

/// Forgets how far a close has come when that is over, however it ended.
struct UnderWay<'a>(&'a Desk);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.tell(None);
    }
}

impl Word {
    /// Refuses an act of nobody, or for no reason.
    ///
    /// # Errors
    /// When either is empty.
    pub fn check(&self) -> Result<(), CloseError> {
        for (name, text) in [("by", &self.by), ("reason", &self.reason)] {
            if text.trim().is_empty() {
                return Err(CloseError::Nameless(name));
            }
        }
        Ok(())
    }
}

impl Desk {
    /// The desk of a data directory, whose metering goes by `times`; does nothing yet.
    #[must_use]
    pub fn new(store: Store, data_dir: &Path, times: Times) -> Self {
        Self {
            store,
            lock: data_dir.join(LOCK),
            times,
            under_way: Arc::default(),
            acts: TaskTracker::new(),
            stopping: CancellationToken::new(),
            changed: Signal::default(),
            next_act: Arc::default(),
        }
    }

    /// Says that something was done: at once where it was here, and with the next look at the [`Desk::trail`] where it
    /// was done by another process.
    #[must_use]
    pub fn changed(&self) -> &Signal {
        &self.changed
    }

    /// Says so, and takes note of it, so that the next look does not say it again.
    async fn done(&self) {
        self.changed.raise();
        if let Ok(trail) = Trail::load(&self.store).await {
            self.next_act.store(trail.next_serial(), Ordering::Relaxed);
        }
    }

    /// How far a close of `period` has come that goes on at this desk.
    #[must_use]
    pub fn progress(&self, period: Month) -> Option<Progress> {
        let under_way = *self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.filter(|(month, _)| *month == period).map(|(_, progress)| progress)
    }

    fn tell(&self, under_way: Option<(Month, Progress)>) {
        *self.under_way.lock().unwrap_or_else(PoisonError::into_inner) = under_way;
    }

    /// Carries an act out to its end, whether or not anybody waits for it.
    pub fn carry_out<T: Send + 'static>(
        &self,
        act: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.acts.spawn(act)
    }

    /// Breaks a close off that goes on at this desk, and returns when every act of [`Desk::carry_out`] has ended.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.acts.close();
        self.acts.wait().await;
    }

    /// The store that it writes to.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    fn lock(&self) -> Result<Lock, CloseError> {
        let using = |e| CloseError::DataDir(self.lock.clone(), e);
        if let Some(folder) = self.lock.parent() {
            std::fs::create_dir_all(folder).map_err(using)?;
        }
        Lock::try_take(&self.lock).map_err(using)?.ok_or(CloseError::Busy)
    }

    /// Closes a month, as [`close::close`].
    ///
    /// # Errors
    /// When it can't be closed, another act is under way, or the desk is stopping.
    pub async fn close(
        &self,
        order: &Order,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Outcome, CloseError> {
        let _lock = self.lock()?;
        let _under_way = UnderWay(self);
        let tell = |done, total| {
            self.tell(Some((order.period, Progress { done, total })));
            progress(done, total);
        };
        self.tell(Some((order.period, Progress { done: 0, total: 0 })));
        let outcome = tokio::select! {
            outcome = close::close(&self.store, order, self.times, tell) => outcome?,
            () = self.stopping.cancelled() => return Err(CloseError::Stopping),
        };
        count("issued", outcome.issued);
        count("held", outcome.held);
        count("differing", outcome.differing.len() as u64);
        self.done().await;
        Ok(outcome)
    }

    /// Issues a held statement, as [`review::approve`].
    ///
    /// # Errors
    /// When it is not held, or another act is under way.
    pub async fn approve(&self, period: Month, server: &str, word: &Word) -> Result<Statement, CloseError> {
        word.check()?;
        let _lock = self.lock()?;
        let statement = review::approve(&self.store, period, server, word, self.times).await?;
        count("issued", 1);
        self.done().await;
        Ok(statement)
    }

    /// Corrects issued statements, as [`revise::revise`].
    ///
    /// # Errors
    /// When there is none, or another act is under way.
    pub async fn revise(&self, correction: &Correction, word: &Word) -> Result<Vec<Revision>, CloseError> {
        word.check()?;
        let _lock = self.lock()?;
        let revisions = revise::revise(&self.store, correction, word, self.times).await?;
        if !correction.dry_run {
            count("issued", revisions.len() as u64);
            self.done().await;
        }
        Ok(revisions)
    }

    /// Declares an incident, as [`exclusions::exclude`].
    ///
    /// # Errors
    /// When it can't be, or another act is under way.
    pub async fn exclude(&self, declared: &Declared, word: &Word) -> Result<Exclusion, CloseError> {
        word.check()?;
        let _lock = self.lock()?;
        let exclusion = exclusions::exclude(&self.store, declared, word).await?;
        self.done().await;
        Ok(exclusion)
    }

    /// Takes an incident back, as [`exclusions::include`].
    ///
    /// # Errors
    /// When there is none of this number, or another act is under way.
    pub async fn include(&self, id: u64, word: &Word) -> Result<Exclusion, CloseError> {
        word.check()?;
        let _lock = self.lock()?;
        let exclusion = exclusions::include(&self.store, id, word).await?;
        self.done().await;
        Ok(exclusion)
    }

    /// Everything that was done so far.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn trail(&self) -> Result<Trail, CloseError> {
        let trail = Trail::load(&self.store).await?;
        let next = trail.next_serial();
        let known = self.next_act.swap(next, Ordering::Relaxed);
        if known != 0 && known != next {
            self.changed.raise();
        }
        Ok(trail)
    }
}

fn count(state: &'static str, statements: u64) {
    metrics::counter!(STATEMENTS, "state" => state).increment(statements);
}
