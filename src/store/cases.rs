//! The steps of cases, as they are stored.

use clickhouse::Row;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};

use super::connection::{Store, StoreError};
use crate::throttle::step::{Body, Step};

/// In the order in which they were taken; where two processes that know nothing of each other gave one number twice,
/// always in the same.
const ORDER: &str = "ORDER BY serial, case_id, number, at, by, kind";

#[derive(Debug, Row, Serialize, Deserialize)]
struct StepRow {
    serial: u64,
    case_id: u64,
    number: u32,
    at: i64,
    by: String,
    kind: String,
    server: String,
    why: String,
    body: String,
}

impl Store {
    /// All steps after number `serial`, in their order.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a step can't be understood.
    pub async fn case_steps(&self, after_serial: u64) -> Result<Vec<Step>, StoreError> {
        let rows: Vec<StepRow> = self
            .read("reading the newest steps of cases", |client| async move {
                let sql = format!("SELECT ?fields FROM case_steps WHERE serial > ? {ORDER}");
                client.query(&sql).bind(after_serial).fetch_all().await
            })
            .await?;
        rows.into_iter().map(step).collect()
    }

    /// The steps of all cases that have not ended, or of which the last step is at most `keep_ms` older than the newest
    /// of all steps, in their order.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a step can't be understood.
    pub async fn case_steps_in_mind(&self, keep_ms: i64) -> Result<Vec<Step>, StoreError> {
        let rows: Vec<StepRow> = self
            .read("reading the steps of cases", |client| async move {
                // Of the steps after which a case has or has not ended, the last one decides.
                let sql = format!(
                    "WITH (SELECT max(toUnixTimestamp64Milli(at)) FROM case_steps) AS newest_ms \
                     SELECT ?fields FROM case_steps WHERE case_id IN (\
                       SELECT case_id FROM case_steps GROUP BY case_id \
                       HAVING max(toUnixTimestamp64Milli(at)) >= newest_ms - ? OR argMaxIf(kind, serial, \
                         kind IN ('lifted', 'dismissed', 'resolved', 'reopened')) \
                         NOT IN ('lifted', 'dismissed', 'resolved')) \
                     {ORDER}"
                );
                client.query(&sql).bind(keep_ms).fetch_all().await
            })
            .await?;
        rows.into_iter().map(step).collect()
    }

    /// The steps of one case, in their order.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a step can't be understood.
    pub async fn case_steps_of(&self, case: u64) -> Result<Vec<Step>, StoreError> {
        let rows: Vec<StepRow> = self
            .read("reading the steps of a case", |client| async move {
                let sql = format!("SELECT ?fields FROM case_steps WHERE case_id = ? {ORDER}");
                client.query(&sql).bind(case).fetch_all().await
            })
            .await?;
        rows.into_iter().map(step).collect()
    }

    /// The steps of every case of a server, in their order.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a step can't be understood.
    pub async fn case_steps_of_server(&self, server: &str) -> Result<Vec<Step>, StoreError> {
        let rows: Vec<StepRow> = self
            .read("reading the steps of a server's cases", |client| async move {
                let sql = format!("SELECT ?fields FROM case_steps WHERE server = ? {ORDER}");
                client.query(&sql).bind(server).fetch_all().await
            })
            .await?;
        rows.into_iter().map(step).collect()
    }

    /// The highest numbers given so far: of a step among all, and of a case; 0 before the first.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn case_numbers(&self) -> Result<(u64, u64), StoreError> {
        self.read("reading the numbers of cases", |client| async move {
            client.query("SELECT max(serial), max(case_id) FROM case_steps").fetch_one().await
        })
        .await
    }

    /// Stores steps, each with its case's server, all of them or none; when it returns they are durable.
    ///
    /// # Errors
    /// When ClickHouse does not take them.
    pub async fn put_case_steps(&self, steps: &[(Step, String)]) -> Result<(), StoreError> {
        if steps.is_empty() {
            return Ok(());
        }
        let row = |(step, server): &(Step, String)| {
            let body = serde_json::to_string(&step.body).map_err(|e| {
                StoreError::Contents(format!("step {} of case {}: {e}", step.number, step.case))
            })?;
            Ok(StepRow {
                serial: step.serial,
                case_id: step.case,
                number: step.number,
                at: step.at.0,
                by: step.by.clone(),
                kind: step.body.kind().name().to_owned(),
                server: server.clone(),
                why: step.why.clone(),
                body,
            })
        };
        let rows: Vec<StepRow> = steps.iter().map(row).collect::<Result<_, StoreError>>()?;
        self.try_put("storing steps of cases", "case_steps", &rows).await
    }
}

fn step(row: StepRow) -> Result<Step, StoreError> {
    let StepRow { serial, case_id: case, number, at, by, why, body, .. } = row;
    let body: Body = serde_json::from_str(&body)
        .map_err(|e| StoreError::Contents(format!("step {number} of case {case}: {e}")))?;
    Ok(Step { case, number, serial, at: Timestamp(at), by, why, body })
}
