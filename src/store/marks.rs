//! How far something has come that goes on from there after a restart: one number each, of which the highest counts.

use super::connection::{Store, StoreError};
use super::rows::CheckpointRow;

/// What a mark is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The number of the last step of a case that was put into the outbox.
    StepsTold,
    /// The first slot at which the rules of extreme use have not looked, by its number.
    RulesLooked,
}

impl Mark {
    /// The name under which it is stored, beside the aggregator's checkpoint.
    fn name(self) -> &'static str {
        match self {
            Self::StepsTold => "steps_told",
            Self::RulesLooked => "rules_looked",
        }
    }
}

impl Store {
    /// Where a mark is; `None` before it was set.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn mark(&self, mark: Mark) -> Result<Option<u64>, StoreError> {
        let name = mark.name();
        self.read("reading a mark", |client| async move {
            let sql = "SELECT max(value) FROM checkpoints WHERE name = ? HAVING count() > 0";
            client.query(sql).bind(name).fetch_optional().await
        })
        .await
    }

    /// Moves a mark on; when it returns that is durable.
    ///
    /// # Errors
    /// When ClickHouse does not take it.
    pub async fn put_mark(&self, mark: Mark, value: u64) -> Result<(), StoreError> {
        let row = CheckpointRow { name: mark.name().to_owned(), value, serial: value };
        self.try_put("storing a mark", "checkpoints", &[row]).await
    }
}
