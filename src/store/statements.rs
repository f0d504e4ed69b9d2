//! Statements and the acts of closing, as they are stored.

use clickhouse::Row;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};
use serde_repr::{Deserialize_repr, Serialize_repr};

use super::connection::{Store, StoreError};
use crate::closing::statement::Statement;
use crate::metering::period::Month;

/// Statements that wait for a review and are told at once: more are seen in the review queue.
const HELD_MAX: u32 = 1_000;

/// Whether a statement counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_repr, Deserialize_repr)]
#[repr(i8)]
pub enum State {
    /// It waits for a person's review.
    Held = 0,
    /// It is final.
    Issued = 1,
    /// It was held, and there is nothing to bill any more.
    Withdrawn = 2,
}

/// A statement as it is stored, or is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Filed {
    /// Whether it counts.
    pub state: State,
    /// What it says.
    pub statement: Statement,
    /// The same, octet for octet as it was issued.
    pub body: String,
}

/// What was done about closing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Its number; acts are numbered upwards.
    pub serial: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What, as [`crate::closing::acts`] names them.
    pub act: String,
    /// The month; empty where it is about none.
    pub period: String,
    /// The server or pool; empty where it is about all.
    pub server: String,
    /// Why.
    pub reason: String,
    /// Details as JSON; may be empty.
    pub body: String,
}

#[derive(Debug, Row, Serialize, Deserialize)]
struct StatementRow {
    period: String,
    server: String,
    revision: u32,
    state: State,
    customer: String,
    region: String,
    body: String,
    serial: u64,
}

#[derive(Debug, Row, Serialize, Deserialize)]
struct ActRow {
    serial: u64,
    at: i64,
    by: String,
    act: String,
    period: String,
    server: String,
    reason: String,
    body: String,
}

impl Filed {
    /// A statement that is to be stored.
    #[must_use]
    pub fn new(state: State, statement: Statement) -> Self {
        let body = serde_json::to_string(&statement).unwrap_or_default();
        Self { state, statement, body }
    }
}

/// A statement that waits for a person's review.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct Held {
    /// The month.
    pub period: String,
    /// The server or pool.
    pub server: String,
    /// The revision.
    pub revision: u32,
    /// Who pays.
    pub customer: String,
    /// Where it stands.
    pub region: String,
}

impl Store {
    /// The statements of any month that wait for a review, the newest months first, and no more than anybody reads.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn held_statements(&self) -> Result<Vec<Held>, StoreError> {
        self.read("reading statements that are held", |client| async move {
            let sql = "SELECT ?fields FROM statements FINAL WHERE state = 'held' ORDER BY period DESC, server LIMIT ?";
            client.query(sql).bind(HELD_MAX).fetch_all().await
        })
        .await
    }

    /// Every revision of every statement of `period`, in the order of servers and revisions; without withdrawn ones.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a statement can't be understood.
    pub async fn statements(&self, period: Month) -> Result<Vec<Filed>, StoreError> {
        let period = &period.to_string();
        let rows: Vec<StatementRow> = self
            .read("reading statements", |client| async move {
                let sql = "SELECT ?fields FROM statements FINAL WHERE period = ? AND state != 'withdrawn' \
                           ORDER BY server, revision";
                client.query(sql).bind(period).fetch_all().await
            })
            .await?;
        rows.into_iter().map(filed).collect()
    }

    /// Every revision of one server's, or pool's, statement of `period`.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a statement can't be understood.
    pub async fn statements_of(&self, period: Month, server: &str) -> Result<Vec<Filed>, StoreError> {
        let period = &period.to_string();
        let rows: Vec<StatementRow> = self
            .read("reading a server's statements", |client| async move {
                let sql =
                    "SELECT ?fields FROM statements FINAL WHERE period = ? AND server = ? AND state != 'withdrawn' \
                           ORDER BY revision";
                client.query(sql).bind(period).bind(server).fetch_all().await
            })
            .await?;
        rows.into_iter().map(filed).collect()
    }

    /// Stores statements of one month, all of them or none, as act number `serial` leaves them.
    ///
    /// # Errors
    /// When one of them was issued already, by whomever, or two are of one server and revision; when ClickHouse does
    /// not take them.
    pub async fn put_statements(&self, statements: &[Filed], serial: u64) -> Result<(), StoreError> {
        let Some(first) = statements.first() else { return Ok(()) };
        let key = |filed: &Filed| (filed.statement.server.clone(), filed.statement.revision);
        let mut keys: Vec<(String, u32)> = statements.iter().map(key).collect();
        keys.sort_unstable();
        let twice = keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone());
        let (period, wanted) = (&first.statement.period.to_string(), &keys);
        // Where two machines use one ClickHouse no lock keeps them apart.
        let issued: Vec<(String, u32)> = self
            .read("looking for issued statements", |client| async move {
                let sql = "SELECT server, revision FROM statements FINAL WHERE period = ? AND state = 'issued' \
                           AND server IN ? AND revision IN ?";
                let (servers, revisions): (Vec<&str>, Vec<u32>) =
                    wanted.iter().map(|(server, revision)| (server.as_str(), *revision)).unzip();
                client.query(sql).bind(period).bind(servers).bind(revisions).fetch_all().await
            })
            .await?;
        let issued = issued.into_iter().find(|key| keys.binary_search(key).is_ok());
        if let Some((server, revision)) = twice.or(issued) {
            return Err(StoreError::Issued { period: period.clone(), server, revision });
        }
        let row = |filed: &Filed| StatementRow {
            period: filed.statement.period.to_string(),
            server: filed.statement.server.clone(),
            revision: filed.statement.revision,
            state: filed.state,
            customer: filed.statement.customer.clone(),
            region: filed.statement.region.clone(),
            body: filed.body.clone(),
            // Of one act, what is issued counts.
            serial: serial * 4 + u64::from(filed.state as u8),
        };
        let rows: Vec<StatementRow> = statements.iter().map(row).collect();
        self.try_put("storing statements", "statements", &rows).await
    }

    /// All acts of closing, in their order.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn closing_acts(&self) -> Result<Vec<Act>, StoreError> {
        let rows: Vec<ActRow> = self
            .read("reading the acts of closing", |client| async move {
                client.query("SELECT ?fields FROM closing_acts ORDER BY serial").fetch_all().await
            })
            .await?;
        let act = |row: ActRow| {
            let ActRow { serial, at, by, act, period, server, reason, body } = row;
            Act { serial, at: Timestamp(at), by, act, period, server, reason, body }
        };
        Ok(rows.into_iter().map(act).collect())
    }

    /// Stores an act.
    ///
    /// # Errors
    /// When ClickHouse does not take it.
    pub async fn put_closing_act(&self, act: &Act) -> Result<(), StoreError> {
        let Act { serial, at, by, act, period, server, reason, body } = act.clone();
        let row = ActRow { serial, at: at.0, by, act, period, server, reason, body };
        self.try_put("storing an act of closing", "closing_acts", &[row]).await
    }
}

fn filed(row: StatementRow) -> Result<Filed, StoreError> {
    let contents = |e| {
        let StatementRow { period, server, revision, .. } = &row;
        StoreError::Contents(format!("revision {revision} of the statement of {server:?} for {period}: {e}"))
    };
    let statement: Statement = serde_json::from_str(&row.body).map_err(contents)?;
    Ok(Filed { state: row.state, statement, body: row.body })
}
