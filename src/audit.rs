//! The audit: what was done, by whom, through what and from where. It is written twice: before an act what is about to
//! be done, or it is not done; and after it what came of it. An act without the second was broken off, and nobody
//! knows how far it came. Nothing of it is ever changed or deleted, and no secret is in it.

pub mod action;

use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::inventory::instant::Instant;
use crate::store::audit::Row;
use crate::store::connection::{Store, StoreError};
use crate::store::engine::hash::hex;

/// The longest `before` or `after` as JSON, in octets: some hundred changes. Of a longer one only the length is kept.
const VALUE_OCTETS_MAX: usize = 64 << 10;

/// The longest of the other texts, in characters: a reason's. What is longer is cut.
const TEXT_CHARS_MAX: usize = 4_000;

/// Octets of chance in an act's id, after its time: no two of a millisecond are the same.
const CHANCE_OCTETS: usize = 6;

/// How long an act may be under way before it is taken to be broken off, in ms: the longest closes and rebuilds.
const UNDER_WAY_MS: i64 = 3_600_000;

/// Entries told at once, unless given and at most.
pub const ENTRIES_DEFAULT: u32 = 100;
/// See [`ENTRIES_DEFAULT`].
pub const ENTRIES_MAX: u32 = 1_000;

/// Through what something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Through {
    /// The HTTP API, or the dashboard, which uses it
    Api,
    /// The command line
    Command,
    /// The service by itself
    Service,
}

/// Who is at it, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The name of the token, or the user by the system's word.
    pub who: String,
    /// Through what.
    pub through: Through,
    /// From where: an address, or the host of the command line.
    pub from: String,
    /// The id of the request; empty where there is none.
    pub request: String,
}

/// What is about to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// One of [`action`].
    pub action: String,
    /// To what.
    pub target: String,
    /// Who it is said to be by.
    pub by: String,
    /// What was so before, and what is wished.
    pub before: Value,
}

/// An act that was noted and has not ended.
#[must_use = "what comes of it is to be noted"]
#[derive(Debug)]
pub struct Noted {
    audit: Audit,
    row: Row,
}

/// Why an audited act was not done.
#[derive(Debug, thiserror::Error)]
pub enum Undone<E> {
    /// It could not be noted.
    #[error("what is to be audited can't be noted, and so it is not done: {0}")]
    Unnoted(#[source] StoreError),
    /// It was refused.
    #[error("{0}")]
    Refused(E),
}

/// What the audit is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Acts from this instant on.
    pub from: Option<Timestamp>,
    /// Acts before this instant.
    pub until: Option<Timestamp>,
    /// By this token or user, or said to be by them.
    pub who: Option<String>,
    /// Of this kind; `case.` takes all that begin so.
    pub action: Option<String>,
    /// To this.
    pub target: Option<String>,
    /// How many, the newest first.
    pub limit: u32,
    /// Those before the act of this id.
    pub cursor: Option<String>,
}

/// An act as it is told.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = AuditEntry)]
pub struct Entry {
    /// Its own, in the order of time.
    pub id: String,
    /// When it was begun.
    pub at: Instant,
    /// When it had ended.
    pub ended_at: Option<Instant>,
    /// By which token, or which user of the system.
    pub who: String,
    /// Who it is said to be by.
    pub by: String,
    /// Through what.
    pub through: Through,
    /// From which address or host.
    pub from: String,
    /// The id of the request; empty where there was none.
    pub request: String,
    /// What was done, such as `period.close`.
    pub action: String,
    /// To what.
    pub target: String,
    /// What was so before, and what was wished.
    pub before: Value,
    /// What is so after it.
    pub after: Value,
    /// What came of it.
    pub outcome: Ended,
    /// Why it was not done, where it was refused; what to think of it, where nobody knows.
    pub says: String,
}

/// What came of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It was done.
    Ok,
    /// It was not done.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// Where acts are noted. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    store: Store,
    now: fn() -> Timestamp,
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Audit")
    }
}

impl Origin {
    /// The service by itself.
    #[must_use]
    pub fn service() -> Self {
        Self {
            who: "meter95".to_owned(),
            through: Through::Service,
            from: String::new(),
            request: String::new(),
        }
    }
}

impl Act {
    /// An act on `target`, of which nothing is to be said besides.
    #[must_use]
    pub fn new(action: impl Into<String>, target: impl ToString) -> Self {
        Self { action: action.into(), target: target.to_string(), by: String::new(), before: Value::Null }
    }

    /// The same, said to be by somebody.
    #[must_use]
    pub fn by(self, by: &str) -> Self {
        Self { by: by.to_owned(), ..self }
    }

    /// The same, with what was so before and what is wished.
    #[must_use]
    pub fn before(self, before: Value) -> Self {
        Self { before, ..self }
    }
}

impl Audit {
    /// The audit in `store`, by the clock `now`.
    #[must_use]
    pub fn new(store: Store, now: fn() -> Timestamp) -> Self {
        Self { store, now }
    }

    /// Notes what is about to be done; when it returns that is durable.
    ///
    /// # Errors
    /// When it can't be noted. Then it is not to be done.
    pub async fn begin(&self, origin: &Origin, act: Act) -> Result<Noted, StoreError> {
        let at = (self.now)();
        let row = Row {
            id: new_id(at),
            at,
            by: cut(act.by),
            who: cut(origin.who.clone()),
            through: origin.through,
            from: cut(origin.from.clone()),
            request: cut(origin.request.clone()),
            action: cut(act.action),
            target: cut(act.target),
            before: bounded(act.before),
            after: Value::Null,
            outcome: None,
        };
        self.store.put_audit(&row).await?;
        Ok(Noted { audit: self.clone(), row })
    }

    /// Does something: notes it, does it, and notes what came of it, with what `tell` says is so after it.
    ///
    /// # Errors
    /// When it can't be noted, and so is not done; or is refused.
    pub async fn act<T, E: std::fmt::Display>(
        &self,
        origin: &Origin,
        act: Act,
        doing: impl Future<Output = Result<T, E>>,
        tell: impl FnOnce(&T) -> Value,
    ) -> Result<T, Undone<E>> {
        let noted = self.begin(origin, act).await.map_err(Undone::Unnoted)?;
        match doing.await {
            Ok(value) => {
                noted.done(tell(&value)).await;
                Ok(value)
            }
            Err(error) => {
                noted.refused(format!("{error:#}")).await;
                Err(Undone::Refused(error))
            }
        }
    }

    /// Notes what was refused before anything was done. What can't be noted is in the log alone.
    pub async fn refusal(&self, origin: &Origin, act: Act, says: String) {
        match self.begin(origin, act).await {
            Ok(noted) => noted.refused(says).await,
            Err(error) => tracing::error!(error = %error, says, "refusal can't be audited"),
        }
    }

    /// Acts, the newest first; and whether there are more.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn entries(&self, asked: &Asked) -> Result<(Vec<Entry>, bool), StoreError> {
        let limit = asked.limit.clamp(1, ENTRIES_MAX);
        let mut rows = self.store.audit(asked, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let now = (self.now)();
        Ok((rows.into_iter().map(|(row, ended_at)| entry(row, ended_at, now)).collect(), more))
    }
}

impl Noted {
    /// Notes that it was done, and what is so now.
    pub async fn done(self, after: Value) {
        self.end(after, String::new()).await;
    }

    /// Notes that it was not done, and why.
    pub async fn refused(self, says: String) {
        let says = if says.is_empty() { "refused".to_owned() } else { says };
        self.end(Value::Null, says).await;
    }

    async fn end(self, after: Value, refusal: String) {
        let Self { audit, mut row } = self;
        row.at = (audit.now)().max(row.at);
        row.after = bounded(after);
        row.outcome = Some(cut(refusal));
        if let Err(error) = audit.store.put_audit(&row).await {
            // It was done, or refused, all the same; the audit says that nobody knows.
            let (id, action) = (row.id, row.action);
            tracing::error!(error = %error, id, action, "what came of an act can't be audited");
        }
    }
}

fn entry(row: Row, ended_at: Option<Timestamp>, now: Timestamp) -> Entry {
    let (outcome, says) = match row.outcome {
        Some(refusal) if refusal.is_empty() => (Ended::Ok, refusal),
        Some(refusal) => (Ended::Refused, refusal),
        None if now.ms_since(row.at) < UNDER_WAY_MS => {
            (Ended::Unknown, "unknown: under way, or broken off".to_owned())
        }
        None => (Ended::Unknown, "unknown: broken off".to_owned()),
    };
    Entry {
        id: row.id,
        at: Instant(row.at),
        ended_at: ended_at.map(Instant),
        who: row.who,
        by: row.by,
        through: row.through,
        from: row.from,
        request: row.request,
        action: row.action,
        target: row.target,
        before: row.before,
        after: row.after,
        outcome,
        says,
    }
}

/// The smallest id of an act at `at`, and so the first after all that came before.
#[must_use]
pub fn first_id(at: Timestamp) -> String {
    format!("{:012x}", at.0.clamp(0, 0xffff_ffff_ffff))
}

fn new_id(at: Timestamp) -> String {
    format!("{}{}", first_id(at), hex(&rand::random::<[u8; CHANCE_OCTETS]>()))
}

fn cut(text: String) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

fn bounded(value: Value) -> Value {
    let octets = value.to_string().len();
    if octets > VALUE_OCTETS_MAX { json!({ "left_out_octets": octets }) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_the_order_of_time() {
        let ids = [0, 1, 1_790_780_400_000, 1_790_780_400_001].map(|ms| new_id(Timestamp(ms)));
        assert!(ids.is_sorted());
        assert!(first_id(Timestamp(1_790_780_400_001)) > ids[2]);
        assert!(ids.iter().all(|id| id.len() == 24));
    }

    #[test]
    fn what_is_long_is_cut() {
        assert_eq!(cut("ä".repeat(4_001)).chars().count(), 4_003);
        assert_eq!(bounded(json!("a".repeat(70_000))), json!({ "left_out_octets": 70_002 }));
        assert_eq!(bounded(json!({"a": 1})), json!({"a": 1}));
    }
}
