//! Alerts as they are stored: when each was raised, and when it was cleared.

use clickhouse::Row;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};

use super::connection::{Store, StoreError};
use crate::alerts::alert::{Alert, Notice, Severity};
use crate::inventory::instant::Instant;

#[derive(Debug, Row, Serialize, Deserialize)]
struct AlertRow {
    source: String,
    key: String,
    raised_at: i64,
    cleared_at: Option<i64>,
    kind: String,
    severity: String,
    labels: Vec<(String, String)>,
    summary: String,
    details: String,
    version: u64,
}

/// Which alerts are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// Those that are raised.
    Raised,
    /// Those about a server that were raised at any time of a half-open span.
    Of {
        /// The server.
        server: &'a str,
        /// The span's first instant.
        from: Timestamp,
        /// The first instant after it.
        until: Timestamp,
    },
    /// Those that were raised or cleared at this instant or later.
    Since(Timestamp),
    /// So many of all, those that were raised last.
    Last(u32),
}

impl Store {
    /// Alerts, those that were raised last first.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or one can't be understood.
    pub async fn alerts(&self, which: Which<'_>) -> Result<Vec<Notice>, StoreError> {
        let (condition, bound) = match which {
            Which::Raised => ("cleared_at IS NULL", 0),
            Which::Since(_) => {
                ("greatest(raised_at, ifNull(cleared_at, raised_at)) >= fromUnixTimestamp64Milli(?)", 0)
            }
            Which::Of { .. } => (
                "labels['server'] = ? AND raised_at < fromUnixTimestamp64Milli(?) \
                 AND ifNull(cleared_at, raised_at + INTERVAL 100 YEAR) >= fromUnixTimestamp64Milli(?)",
                0,
            ),
            Which::Last(count) => ("1", count),
        };
        let limit = if bound > 0 { format!(" LIMIT {bound}") } else { String::new() };
        let sql = &format!(
            "SELECT ?fields FROM alerts FINAL WHERE {condition} ORDER BY raised_at DESC, source, key{limit}"
        );
        let rows: Vec<AlertRow> = self
            .read("reading alerts", |client| async move {
                let query = client.query(sql);
                match which {
                    Which::Since(at) => query.bind(at.0),
                    Which::Of { server, from, until } => query.bind(server).bind(until.0).bind(from.0),
                    Which::Raised | Which::Last(_) => query,
                }
                .fetch_all()
                .await
            })
            .await?;
        rows.into_iter().map(notice).collect()
    }

    /// When an alert was last raised or cleared.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn alerts_changed(&self) -> Result<Option<Timestamp>, StoreError> {
        let last: i64 = self
            .read("reading when alerts changed", |client| async move {
                let sql = "SELECT toUnixTimestamp64Milli(greatest(max(raised_at), ifNull(max(cleared_at), max(raised_at)))) \
                           FROM alerts";
                client.query(sql).fetch_one().await
            })
            .await?;
        Ok((last > 0).then_some(Timestamp(last)))
    }

    /// Stores alerts as they are at `now`, all of them or none; when it returns they are durable.
    ///
    /// # Errors
    /// When ClickHouse does not take them.
    pub async fn put_alerts(&self, notices: &[Notice], now: Timestamp) -> Result<(), StoreError> {
        if notices.is_empty() {
            return Ok(());
        }
        let row = |notice: &Notice| {
            let Alert { key, kind, severity, labels, summary, details } = notice.alert.clone();
            AlertRow {
                source: notice.source.clone(),
                key,
                raised_at: notice.raised_at.0.0,
                cleared_at: notice.cleared_at.map(|at| at.0.0),
                kind: kind.name().to_owned(),
                severity: severity.name().to_owned(),
                labels: labels.into_iter().collect(),
                summary,
                details: details.to_string(),
                version: u64::try_from(now.0).unwrap_or(0),
            }
        };
        let rows: Vec<AlertRow> = notices.iter().map(row).collect();
        self.try_put("storing alerts", "alerts", &rows).await
    }
}

/// A severity as it is stored.
pub(super) fn severity(word: &str) -> Result<Severity, StoreError> {
    serde_json::from_value(word.into()).map_err(|e| StoreError::Contents(format!("severity {word:?}: {e}")))
}

fn notice(row: AlertRow) -> Result<Notice, StoreError> {
    let AlertRow { source, key, raised_at, cleared_at, kind, severity, labels, summary, details, .. } = row;
    let contents = |e: &dyn std::fmt::Display| StoreError::Contents(format!("alert {key:?}: {e}"));
    let alert = Alert {
        kind: kind.parse().map_err(|e| contents(&e))?,
        severity: self::severity(&severity)?,
        labels: labels.into_iter().collect(),
        summary,
        details: serde_json::from_str(&details).map_err(|e| contents(&e))?,
        key: key.clone(),
    };
    let (raised_at, cleared_at) =
        (Instant(Timestamp(raised_at)), cleared_at.map(|at| Instant(Timestamp(at))));
    Ok(Notice { source, alert, raised_at, cleared_at })
}
