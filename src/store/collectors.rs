//! Collectors' newest reports in the store, and taking a collector out of account.

use std::collections::BTreeMap;

use meter95_reading::Timestamp;

use super::connection::{Store, StoreError};
use super::rows::CollectorRow;
use crate::collectors::{CollectorName, CollectorReport};

/// A collector as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReport {
    /// Its newest report; of one that was forgotten `at` is when.
    pub report: CollectorReport,
    /// Who took it out of account; `None` where nobody did, or it has been heard of since.
    pub forgotten_by: Option<String>,
}

impl Store {
    /// The newest stored report of each collector, in the order of the names; without those that were taken out of
    /// account. A service that runs may have heard of one up to a minute later than is stored, with nothing changed
    /// in what it holds.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a row can't be understood.
    pub async fn collectors(&self) -> Result<Vec<CollectorReport>, StoreError> {
        let all = self.collectors_and_forgotten().await?.into_values();
        Ok(all.filter(|stored| stored.forgotten_by.is_none()).map(|stored| stored.report).collect())
    }

    /// As [`Store::collectors`], with those that were taken out of account.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a row can't be understood.
    pub async fn collectors_and_forgotten(
        &self,
    ) -> Result<BTreeMap<CollectorName, StoredReport>, StoreError> {
        let rows: Vec<CollectorRow> = self
            .read("reading collectors", |client| async move {
                client.query("SELECT ?fields FROM collectors FINAL").fetch_all().await
            })
            .await?;
        let entry = |row: CollectorRow| {
            let name = CollectorName::new(&row.name)
                .map_err(|e| StoreError::Contents(format!("collector {:?}: {e}", row.name)))?;
            let report = CollectorReport {
                name: name.clone(),
                at: Timestamp(row.at),
                unsent: row.unsent,
                oldest_unsent: row.oldest_unsent.map(Timestamp),
                stopped: row.stopped != 0,
            };
            let forgotten_by = (!row.forgotten_by.is_empty()).then_some(row.forgotten_by);
            Ok((name, StoredReport { report, forgotten_by }))
        };
        rows.into_iter().map(entry).collect()
    }

    /// Stores reports; when it returns they are durable.
    ///
    /// # Errors
    /// When ClickHouse does not take them.
    pub async fn put_collectors(&self, reports: &[CollectorReport]) -> Result<(), StoreError> {
        if reports.is_empty() {
            return Ok(());
        }
        let rows: Vec<CollectorRow> = reports.iter().map(|report| row(report, "")).collect();
        self.try_put("storing collectors", "collectors", &rows).await
    }

    /// Takes a collector out of account at `now`, by the word of `by`, until it is heard of again. Returns its last
    /// report, or `None` where no such collector is known.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or does not take it.
    pub async fn forget_collector(
        &self,
        name: &CollectorName,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<CollectorReport>, StoreError> {
        let known = self.collectors().await?;
        let Some(last) = known.into_iter().find(|report| report.name == *name) else {
            return Ok(None);
        };
        // The latest row counts, whatever this machine's clock says.
        let at = now.max(last.at.plus_ms(1));
        let rows = [row(&CollectorReport { at, ..last.clone() }, by)];
        self.try_put("forgetting a collector", "collectors", &rows).await?;
        Ok(Some(last))
    }
}

fn row(report: &CollectorReport, forgotten_by: &str) -> CollectorRow {
    CollectorRow {
        name: report.name.to_string(),
        at: report.at.0,
        unsent: report.unsent,
        oldest_unsent: report.oldest_unsent.map(|oldest| oldest.0),
        stopped: u8::from(report.stopped),
        forgotten_by: forgotten_by.to_owned(),
    }
}
