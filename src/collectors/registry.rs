//! The newest report of each collector: in memory, and in the store so that a restart forgets none.

use std::collections::BTreeMap;
use std::sync::Arc;

use meter95_reading::Timestamp;
use tokio::sync::Mutex;

use super::said::Said;
use super::{CollectorName, CollectorReport};
use crate::signal::Signal;
use crate::store::collectors::StoredReport;
use crate::store::connection::{Store, StoreError};

/// How many collectors may be known: what a faulty or hostile client could make up has an end.
pub const COLLECTORS_MAX: usize = 1_000;

/// How long reports that change nothing of weight wait before they are stored together, in ms. What is stored makes a
/// collector look silent for longer than it is, never the other way round.
const STORE_EVERY_MS: u64 = 30_000;

/// Why a collector can't be kept account of.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There are too many others.
    #[error(
        "{COLLECTORS_MAX} collectors are known already, and there may be no more; take those that are gone out of \
         account with `meter95 collectors forget`"
    )]
    Full,
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The newest report of each collector. Cheap to clone.
#[derive(Clone)]
pub struct Collectors {
    store: Store,
    known: Arc<Mutex<Known>>,
    changed: Signal,
}

#[derive(Default)]
struct Known {
    collectors: BTreeMap<CollectorName, Collector>,
    /// When reports that had waited were last stored.
    stored_at: Option<Timestamp>,
}

struct Collector {
    /// Its newest report.
    report: CollectorReport,
    /// Its newest report in the store; `None` where that is not sure, because it was not told whether one was taken.
    stored: Option<CollectorReport>,
}

impl Collectors {
    /// Goes on from what is stored.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        let reports = store.collectors().await?;
        let collector = |report: CollectorReport| {
            (report.name.clone(), Collector { stored: Some(report.clone()), report })
        };
        let known = Known { collectors: reports.into_iter().map(collector).collect(), stored_at: None };
        Ok(Self { store, known: Arc::new(Mutex::new(known)), changed: Signal::default() })
    }

    /// Says that a collector told how it does.
    #[must_use]
    pub fn changed(&self) -> &Signal {
        &self.changed
    }

    /// Whether a report of `name` can be taken: ask before its readings are, or they come again in vain. Requests at
    /// once may bring a few more in than [`COLLECTORS_MAX`].
    ///
    /// # Errors
    /// When there are too many others, or the store can't be read to see which of them have been forgotten.
    pub async fn admit(&self, name: &CollectorName) -> Result<(), RegistryError> {
        let mut known = self.known.lock().await;
        let full =
            |known: &Known| known.collectors.len() >= COLLECTORS_MAX && !known.collectors.contains_key(name);
        if full(&known) {
            let stored = self.store.collectors_and_forgotten().await?;
            known.collectors.retain(|name, collector| !forgotten_since(stored.get(name), &collector.report));
        }
        if full(&known) { Err(RegistryError::Full) } else { Ok(()) }
    }

    /// Takes what a collector said with a request that came at `now`, after the readings that came with it were taken. What it holds has
    /// weight when readings began or ceased to wait, when older ones wait than was known, and when it stops: then the
    /// report is durable when this returns.
    ///
    /// # Errors
    /// When ClickHouse does not take a report of weight; it does not count then.
    pub async fn take(&self, said: Said, now: Timestamp) -> Result<(), StoreError> {
        let mut known = self.known.lock().await;
        let before = known.collectors.get_mut(&said.name);
        // The latest counts, also when the clock was set back.
        let at = before.as_ref().map_or(now, |before| now.max(before.report.at.plus_ms(1)));
        let report = said.received(at);
        match before {
            Some(before) if before.stored.as_ref().is_some_and(|stored| !has_weight(stored, &report)) => {
                before.report = report;
                self.changed.raise();
            }
            before => {
                if let Some(before) = before {
                    before.stored = None;
                }
                self.store.put_collectors(std::slice::from_ref(&report)).await?;
                let collector = Collector { stored: Some(report.clone()), report };
                known.collectors.insert(collector.report.name.clone(), collector);
                self.changed.raise();
                return Ok(());
            }
        }
        let due = known.stored_at.is_none_or(|at| now.ms_since(at).unsigned_abs() >= STORE_EVERY_MS);
        if due {
            known.stored_at = Some(now);
            if let Err(error) = self.store_newest(&mut known).await {
                // The next ones bring it with them.
                tracing::warn!(error = %error, "collectors' reports are not stored yet");
            }
        }
        Ok(())
    }

    /// The newest report of each collector, in the order of the names; without those that somebody took out of
    /// account and that have not been heard of since.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn list(&self) -> Result<Vec<CollectorReport>, StoreError> {
        let stored = self.store.collectors_and_forgotten().await?;
        let known = self.known.lock().await;
        let newest = known.collectors.values().map(|collector| &collector.report);
        Ok(newest.filter(|report| !forgotten_since(stored.get(&report.name), report)).cloned().collect())
    }

    /// Stores all reports that wait for it.
    ///
    /// # Errors
    /// When ClickHouse does not take them.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.store_newest(&mut *self.known.lock().await).await
    }

    async fn store_newest(&self, known: &mut Known) -> Result<(), StoreError> {
        let waits = |collector: &&mut Collector| collector.stored.as_ref() != Some(&collector.report);
        let mut waiting: Vec<&mut Collector> = known.collectors.values_mut().filter(waits).collect();
        let reports: Vec<CollectorReport> =
            waiting.iter().map(|collector| collector.report.clone()).collect();
        for collector in &mut waiting {
            collector.stored = None;
        }
        self.store.put_collectors(&reports).await?;
        for (collector, report) in waiting.into_iter().zip(reports) {
            collector.stored = Some(report);
        }
        Ok(())
    }
}

/// Whether somebody took the collector out of account after this report.
fn forgotten_since(stored: Option<&StoredReport>, report: &CollectorReport) -> bool {
    stored.is_some_and(|stored| stored.forgotten_by.is_some() && stored.report.at >= report.at)
}

/// Whether `now` must be stored before it is acknowledged: what is stored would promise less than the collector holds,
/// or hold a period back that it does not hold back any more.
fn has_weight(stored: &CollectorReport, now: &CollectorReport) -> bool {
    let older = match (now.oldest_unsent, stored.oldest_unsent) {
        (Some(now), Some(stored)) => now < stored,
        (now, stored) => now != stored,
    };
    older || (stored.unsent == 0) != (now.unsent == 0) || stored.stopped != now.stopped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_whether_a_period_is_held_back_is_stored_at_once() {
        let report = |(unsent, oldest, stopped): (u64, i64, bool)| CollectorReport {
            name: CollectorName::new("tokyo-1").unwrap(),
            at: Timestamp(1_000),
            unsent,
            oldest_unsent: (unsent > 0).then_some(Timestamp(oldest)),
            stopped,
        };
        for (stored, now, weight) in [
            ((0, 0, false), (0, 0, false), false),
            ((0, 0, false), (1, 500, false), true),
            ((1, 500, false), (0, 0, false), true),
            ((9, 500, false), (4, 500, false), false),
            ((9, 500, false), (4, 700, false), false),
            ((9, 500, false), (9, 499, false), true),
            ((0, 0, false), (0, 0, true), true),
            ((0, 0, true), (0, 0, true), false),
            ((0, 0, true), (0, 0, false), true),
        ] {
            assert_eq!(has_weight(&report(stored), &report(now)), weight, "{stored:?} {now:?}");
        }
    }
}
