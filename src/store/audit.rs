//! The audit as it is stored: rows that are only ever added.

use clickhouse::Row as _;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_repr::{Deserialize_repr, Serialize_repr};

use super::connection::{Store, StoreError};
use crate::audit::{Asked, Through, first_id};

/// Greater than every id.
const AFTER_ALL: &str = "g";

/// What is noted of an act, before or after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The act's.
    pub id: String,
    /// When it was begun; of an outcome, when it had ended.
    pub at: Timestamp,
    /// Who it is said to be by.
    pub by: String,
    /// By which token, or which user of the system.
    pub who: String,
    /// Through what.
    pub through: Through,
    /// From where.
    pub from: String,
    /// The id of the request.
    pub request: String,
    /// What is done.
    pub action: String,
    /// To what.
    pub target: String,
    /// What was so before.
    pub before: Value,
    /// What is so after it.
    pub after: Value,
    /// `None`: it is about to be done. Empty: it was done. Else why not.
    pub outcome: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize_repr, Deserialize_repr)]
#[repr(i8)]
enum Phase {
    Intent = 1,
    Outcome = 2,
}

#[derive(Debug, Clone, Copy, Serialize_repr, Deserialize_repr)]
#[repr(i8)]
enum ThroughCode {
    Api = 1,
    Command = 2,
    Service = 3,
}

#[derive(Debug, clickhouse::Row, Serialize, Deserialize)]
struct AuditRow {
    id: String,
    phase: Phase,
    at: i64,
    by: String,
    who: String,
    through: ThroughCode,
    origin: String,
    request: String,
    action: String,
    target: String,
    before: String,
    after: String,
    refusal: String,
}

impl Store {
    /// Adds a row; when it returns that is durable.
    ///
    /// # Errors
    /// When ClickHouse does not take it.
    pub async fn put_audit(&self, row: &Row) -> Result<(), StoreError> {
        let row = row.clone();
        let row = AuditRow {
            id: row.id,
            phase: if row.outcome.is_some() { Phase::Outcome } else { Phase::Intent },
            at: row.at.0,
            by: row.by,
            who: row.who,
            through: match row.through {
                Through::Api => ThroughCode::Api,
                Through::Command => ThroughCode::Command,
                Through::Service => ThroughCode::Service,
            },
            origin: row.from,
            request: row.request,
            action: row.action,
            target: row.target,
            before: row.before.to_string(),
            after: row.after.to_string(),
            refusal: row.outcome.unwrap_or_default(),
        };
        self.try_put("storing the audit", "audit", &[row]).await
    }

    /// So many acts, the newest first, each with when it had ended.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or one can't be understood.
    pub async fn audit(
        &self,
        asked: &Asked,
        limit: u32,
    ) -> Result<Vec<(Row, Option<Timestamp>)>, StoreError> {
        let from = asked.from.map(first_id).unwrap_or_default();
        let mut until = asked.until.map_or_else(|| AFTER_ALL.to_owned(), first_id);
        if let Some(cursor) = asked.cursor.as_ref().filter(|cursor| **cursor < until) {
            until.clone_from(cursor);
        }
        let [who, action, target] =
            [&asked.who, &asked.action, &asked.target].map(|text| text.as_deref().unwrap_or_default());
        // Both rows of an act, where there are two, stand together; what both say is the same.
        let condition = "id >= ? AND id < ? AND (? = '' OR who = ? OR by = ?) AND (? = '' OR target = ?) \
                         AND (action = ? OR (? = '' OR endsWith(?, '.')) AND startsWith(action, ?))";
        let columns = AuditRow::COLUMN_NAMES.join(", ");
        let sql = &format!(
            "SELECT {columns} FROM audit WHERE id IN (SELECT DISTINCT id FROM audit WHERE {condition} ORDER BY id DESC \
             LIMIT ?) ORDER BY id DESC, phase"
        );
        let (from, until) = (from.as_str(), until.as_str());
        let rows: Vec<AuditRow> = self
            .read("reading the audit", |client| async move {
                let query = client.query(sql).bind(from).bind(until).bind(who).bind(who).bind(who);
                let query =
                    query.bind(target).bind(target).bind(action).bind(action).bind(action).bind(action);
                query.bind(limit).fetch_all().await
            })
            .await?;
        let mut acts: Vec<(Row, Option<Timestamp>)> = Vec::new();
        for row in rows {
            match acts.last_mut() {
                Some((act, ended_at)) if act.id == row.id => {
                    *ended_at = Some(Timestamp(row.at));
                    act.after = value(&row.id, &row.after)?;
                    act.outcome = Some(row.refusal);
                }
                _ => acts.push(of(row)?),
            }
        }
        Ok(acts)
    }
}

fn of(row: AuditRow) -> Result<(Row, Option<Timestamp>), StoreError> {
    let (at, ended) = (Timestamp(row.at), matches!(row.phase, Phase::Outcome));
    let (before, after) = (value(&row.id, &row.before)?, value(&row.id, &row.after)?);
    let act = Row {
        id: row.id,
        at,
        by: row.by,
        who: row.who,
        through: match row.through {
            ThroughCode::Api => Through::Api,
            ThroughCode::Command => Through::Command,
            ThroughCode::Service => Through::Service,
        },
        from: row.origin,
        request: row.request,
        action: row.action,
        target: row.target,
        before,
        after,
        outcome: ended.then_some(row.refusal),
    };
    Ok((act, ended.then_some(at)))
}

fn value(id: &str, text: &str) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Contents(format!("act {id} of the audit: {e}")))
}
