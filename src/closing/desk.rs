//! The one door to everything that closing writes: one act at a time for a data directory, whoever asks, the command
//! line, the API or the schedule.

use std::path::{Path, PathBuf};

use super::acts::Trail;
use super::close::{self, CloseError, Order, Outcome};
use super::exclusions::{self, Declared};
use super::review;
use super::revise::{self, Correction, Revision};
use super::statement::{Exclusion, Statement};
use crate::aggregator::state::Times;
use crate::metering::period::Month;
use crate::store::connection::Store;
use crate::store::engine::lock::Lock;

/// The file whose lock is held during an act.
const LOCK: &str = "closing.lock";

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

/// Where acts of closing are done. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    store: Store,
    lock: PathBuf,
    times: Times,
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
        Self { store, lock: data_dir.join(LOCK), times }
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
    /// When it can't be closed, or another act is under way.
    pub async fn close(
        &self,
        order: &Order,
        progress: impl FnMut(usize, usize),
    ) -> Result<Outcome, CloseError> {
        let _lock = self.lock()?;
        close::close(&self.store, order, self.times, progress).await
    }

    /// Issues a held statement, as [`review::approve`].
    ///
    /// # Errors
    /// When it is not held, or another act is under way.
    pub async fn approve(&self, period: Month, server: &str, word: &Word) -> Result<Statement, CloseError> {
        word.check()?;
        let _lock = self.lock()?;
        review::approve(&self.store, period, server, word, self.times).await
    }

    /// Corrects issued statements, as [`revise::revise`].
    ///
    /// # Errors
    /// When there is none, or another act is under way.
    pub async fn revise(&self, correction: &Correction, word: &Word) -> Result<Vec<Revision>, CloseError> {
        word.check()?;
        let _lock = self.lock()?;
        revise::revise(&self.store, correction, word, self.times).await
    }

    /// Declares an incident, as [`exclusions::exclude`].
    ///
    /// # Errors
    /// When it can't be, or another act is under way.
    pub async fn exclude(&self, declared: &Declared, word: &Word) -> Result<Exclusion, CloseError> {
        word.check()?;
        let _lock = self.lock()?;
        exclusions::exclude(&self.store, declared, word).await
    }

    /// Takes an incident back, as [`exclusions::include`].
    ///
    /// # Errors
    /// When there is none of this number, or another act is under way.
    pub async fn include(&self, id: u64, word: &Word) -> Result<Exclusion, CloseError> {
        word.check()?;
        let _lock = self.lock()?;
        exclusions::include(&self.store, id, word).await
    }

    /// Everything that was done so far.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn trail(&self) -> Result<Trail, CloseError> {
        Ok(Trail::load(&self.store).await?)
    }
}
