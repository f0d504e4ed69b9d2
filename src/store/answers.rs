//! Answers to what was done under an `Idempotency-Key`.

use clickhouse::Row;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};

use super::connection::{Store, StoreError};

/// An answer, and to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// A hash of all that was asked.
    pub asked: String,
    /// Its status.
    pub status: u16,
    /// What kind of body it has.
    pub kind: String,
    /// Its body.
    pub body: String,
}

/// As it is stored.
#[derive(Debug, Row, Serialize, Deserialize)]
struct AnswerRow {
    id: String,
    at: i64,
    asked: String,
    status: u16,
    kind: String,
    body: String,
}

impl Store {
    /// The answer that was kept under `id`, if any.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn answer(&self, id: &str) -> Result<Option<Answer>, StoreError> {
        let row: Option<AnswerRow> = self
            .read("reading an answer", |client| async move {
                let sql = "SELECT ?fields FROM answers WHERE id = ? ORDER BY at LIMIT 1";
                client.query(sql).bind(id).fetch_optional().await
            })
            .await?;
        Ok(row.map(|AnswerRow { asked, status, kind, body, .. }| Answer { asked, status, kind, body }))
    }

    /// Keeps an answer; when it returns that is durable.
    ///
    /// # Errors
    /// When ClickHouse does not take it.
    pub async fn put_answer(&self, id: &str, at: Timestamp, answer: &Answer) -> Result<(), StoreError> {
        let Answer { asked, status, kind, body } = answer.clone();
        let row = AnswerRow { id: id.to_owned(), at: at.0, asked, status, kind, body };
        self.try_put("keeping an answer", "answers", &[row]).await
    }
}
