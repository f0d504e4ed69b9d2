//! Events, letters and the attempts to deliver them, as they are stored.

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::Row;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};
use serde_repr::{Deserialize_repr, Serialize_repr};

use super::alerts::severity;
use super::connection::{Patience, Store, StoreError};
use crate::alerts::event::{Event, LETTER, Letter};
use crate::alerts::parcel::Item;

/// Ids in one question at most: a query's text has a limit.
const IDS_AT_ONCE: usize = 1_000;

/// An event or a letter with its number and where it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its number; what was put later has a higher one.
    pub seq: u64,
    /// When it was put.
    pub put_at: Timestamp,
    /// What it is.
    pub item: Item,
    /// The names of its destinations.
    pub destinations: Vec<String>,
}

/// How an attempt left a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_repr, Deserialize_repr)]
#[repr(i8)]
pub enum Fate {
    /// Nothing was tried yet, but it goes together with others.
    Joined = 1,
    /// It will be tried again.
    Failed = 2,
    /// The other side has taken it.
    Delivered = 3,
    /// The other side refused it for good.
    Refused = 4,
    /// It was tried for too long.
    GivenUp = 5,
}

/// An attempt to deliver something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// To which destination.
    pub destination: String,
    /// What, by number.
    pub seq: u64,
    /// Which attempt, from 1; 0 joins it to others.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub fate: Fate,
    /// What was said.
    pub answer: String,
    /// When the next is due.
    pub next_at: Timestamp,
    /// The message in which it goes with others; empty where it goes alone.
    pub lot: String,
}

/// A delivery that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What, by number.
    pub seq: u64,
    /// Its id.
    pub id: String,
    /// Whether it is a letter.
    pub letter: bool,
    /// When it was put.
    pub put_at: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next is due; `None` where there was none.
    pub next_at: Option<Timestamp>,
    /// The message in which it goes with others; empty where that is not settled, or it goes alone.
    pub lot: String,
}

/// A line of the log: an attempt, or that there was none yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// When the attempt was made, or the event was put.
    pub at: Timestamp,
    /// The event's id.
    pub event: String,
    /// Its kind.
    pub kind: String,
    /// Its line for people.
    pub summary: String,
    /// Where it goes.
    pub destination: String,
    /// Which attempt, from 1; 0 where there was none yet.
    pub attempt: u32,
    /// What came of it; `None` where there was none yet.
    pub fate: Option<Fate>,
    /// What the other side said.
    pub answer: String,
}

#[derive(Debug, Row, Serialize, Deserialize)]
struct EventRow {
    seq: u64,
    id: String,
    put_at: i64,
    at: i64,
    kind: String,
    severity: String,
    region: String,
    summary: String,
    data: String,
    recipient: String,
    text: String,
    destinations: Vec<String>,
}

#[derive(Debug, Row, Serialize, Deserialize)]
struct DeliveryRow {
    destination: String,
    seq: u64,
    attempt: u32,
    at: i64,
    outcome: Fate,
    answer: String,
    next_at: i64,
    lot: String,
}

#[derive(Debug, Row, Deserialize)]
struct WaitingRow {
    seq: u64,
    id: String,
    kind: String,
    put_at: i64,
    tried: u8,
    attempts: u32,
    next_at: i64,
    lot: String,
}

#[derive(Debug, Row, Deserialize)]
struct LogRow {
    at: i64,
    event: String,
    kind: String,
    summary: String,
    destination: String,
    attempt: u32,
    fate: i8,
    answer: String,
}

impl Fate {
    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::GivenUp => "given_up",
        }
    }
}

impl Store {
    /// The highest number of an event; 0 where there is none.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn events_last(&self) -> Result<u64, StoreError> {
        self.read("reading the number of the last event", |client| async move {
            client.query("SELECT max(seq) FROM events").fetch_one().await
        })
        .await
    }

    /// Those of `ids` that are stored.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn events_known(&self, ids: &[&str]) -> Result<BTreeSet<String>, StoreError> {
        let mut known = BTreeSet::new();
        for ids in ids.chunks(IDS_AT_ONCE) {
            let found: Vec<String> = self
                .read("looking for events", |client| async move {
                    client.query("SELECT id FROM events WHERE id IN ?").bind(ids).fetch_all().await
                })
                .await?;
            known.extend(found);
        }
        Ok(known)
    }

    /// Stores events that were put at one moment, all of them or none; when it returns they are durable.
    ///
    /// # Errors
    /// When ClickHouse does not take them; some other may have taken them all the same.
    pub async fn put_events(&self, events: &[Stored]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let rows: Vec<EventRow> = events.iter().map(row).collect();
        self.try_put("storing events", "events", &rows).await
    }

    /// The events of these numbers, in their order.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or one can't be understood.
    pub async fn events(&self, seqs: &[u64]) -> Result<Vec<Stored>, StoreError> {
        let rows: Vec<EventRow> = self
            .read("reading events", |client| async move {
                let sql = "SELECT ?fields FROM events WHERE seq IN ? ORDER BY seq LIMIT 1 BY seq";
                client.query(sql).bind(seqs).fetch_all().await
            })
            .await?;
        rows.into_iter().map(stored).collect()
    }

    /// The event of this id.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or it can't be understood.
    pub async fn event(&self, id: &str) -> Result<Option<Stored>, StoreError> {
        let row: Option<EventRow> = self
            .read("reading an event", |client| async move {
                let sql = "SELECT ?fields FROM events WHERE id = ? ORDER BY seq LIMIT 1";
                client.query(sql).bind(id).fetch_optional().await
            })
            .await?;
        row.map(stored).transpose()
    }

    /// The first `count` deliveries to `destination` that are not over, of events after number `after`.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn waiting(
        &self,
        destination: &str,
        after: u64,
        count: usize,
    ) -> Result<Vec<Waiting>, StoreError> {
        let rows: Vec<WaitingRow> = self
            .read("reading what is to be delivered", |client| async move {
                let sql = "SELECT e.seq AS seq, e.id AS id, e.kind AS kind, \
                               toUnixTimestamp64Milli(e.put_at) AS put_at, toUInt8(d.fate != 0) AS tried, \
                               d.attempts AS attempts, d.next_ms AS next_at, d.in_lot AS lot \
                           FROM (SELECT seq, id, kind, put_at FROM events \
                                 WHERE seq > ? AND has(destinations, ?) LIMIT 1 BY seq) AS e \
                           LEFT JOIN (SELECT seq, toInt8(argMax(outcome, attempt)) AS fate, max(attempt) AS attempts, \
                                 toUnixTimestamp64Milli(argMax(next_at, attempt)) AS next_ms, argMax(lot, attempt) AS in_lot \
                                 FROM deliveries WHERE destination = ? AND seq > ? GROUP BY seq) AS d ON e.seq = d.seq \
                           WHERE d.fate <= 2 ORDER BY seq LIMIT ? SETTINGS join_use_nulls = 0";
                let count = u64::try_from(count).unwrap_or(u64::MAX);
                let query = client.query(sql).bind(after).bind(destination).bind(destination);
                query.bind(after).bind(count).fetch_all().await
            })
            .await?;
        let waiting = |row: WaitingRow| Waiting {
            seq: row.seq,
            id: row.id,
            letter: row.kind == LETTER,
            put_at: Timestamp(row.put_at),
            attempts: row.attempts,
            next_at: (row.tried != 0).then_some(Timestamp(row.next_at)),
            lot: row.lot,
        };
        Ok(rows.into_iter().map(waiting).collect())
    }

    /// Stores attempts of one moment, all of them or none. It insists: when it returns they are durable.
    pub async fn put_attempts(&self, attempts: &[Attempt]) {
        let row = |attempt: &Attempt| {
            let Attempt { destination, seq, attempt, at, fate, answer, next_at, lot } = attempt.clone();
            DeliveryRow {
                destination,
                seq,
                attempt,
                at: at.0,
                outcome: fate,
                answer,
                next_at: next_at.0,
                lot,
            }
        };
        let rows: Vec<DeliveryRow> = attempts.iter().map(row).collect();
        let mut patience = Patience::new();
        while let Err(error) = self.try_put("storing attempts to deliver", "deliveries", &rows).await {
            patience.after(error).await;
        }
    }

    /// The last attempt at each destination to deliver the event of this number.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn last_attempts(&self, seq: u64) -> Result<BTreeMap<String, Attempt>, StoreError> {
        let rows: Vec<DeliveryRow> = self
            .read("reading the last attempts", |client| async move {
                let sql = "SELECT ?fields FROM deliveries WHERE seq = ? ORDER BY destination, attempt DESC \
                           LIMIT 1 BY destination";
                client.query(sql).bind(seq).fetch_all().await
            })
            .await?;
        let attempt = |row: DeliveryRow| {
            let DeliveryRow { destination, seq, attempt, at, outcome, answer, next_at, lot } = row;
            let (at, next_at) = (Timestamp(at), Timestamp(next_at));
            (
                destination.clone(),
                Attempt { destination, seq, attempt, at, fate: outcome, answer, next_at, lot },
            )
        };
        Ok(rows.into_iter().map(attempt).collect())
    }

    /// The newest `count` lines of the log, newest first; of one destination where it is named.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn delivery_log(
        &self,
        destination: Option<&str>,
        count: u32,
    ) -> Result<Vec<Logged>, StoreError> {
        let rows: Vec<LogRow> = self
            .read("reading the log of deliveries", |client| async move {
                let sql = "SELECT toUnixTimestamp64Milli(if(d.fate = 0, e.put_at, d.at)) AS at, e.id AS event, \
                               e.kind AS kind, e.summary AS summary, e.destination AS destination, d.attempt AS attempt, \
                               d.fate AS fate, d.answer AS answer \
                           FROM (SELECT seq, id, kind, summary, put_at, arrayJoin(destinations) AS destination \
                                 FROM events WHERE ? = '' OR has(destinations, ?) LIMIT 1 BY seq, destination) AS e \
                           LEFT JOIN (SELECT destination, seq, attempt, at, toInt8(outcome) AS fate, answer \
                                 FROM deliveries FINAL WHERE outcome != 'joined') AS d \
                           ON e.destination = d.destination AND e.seq = d.seq \
                           WHERE ? = '' OR e.destination = ? ORDER BY at DESC, e.seq DESC, attempt DESC LIMIT ? \
                           SETTINGS join_use_nulls = 0";
                let to = destination.unwrap_or_default();
                let query = client.query(sql).bind(to).bind(to).bind(to).bind(to);
                query.bind(count).fetch_all().await
            })
            .await?;
        let logged = |row: LogRow| Logged {
            at: Timestamp(row.at),
            event: row.event,
            kind: row.kind,
            summary: row.summary,
            destination: row.destination,
            attempt: row.attempt,
            fate: [Fate::Failed, Fate::Delivered, Fate::Refused, Fate::GivenUp]
                .into_iter()
                .find(|fate| *fate as i8 == row.fate),
            answer: row.answer,
        };
        Ok(rows.into_iter().map(logged).collect())
    }
}

fn row(stored: &Stored) -> EventRow {
    let Stored { seq, put_at, item, destinations } = stored;
    let (seq, put_at, destinations) = (*seq, put_at.0, destinations.clone());
    match item.clone() {
        Item::Event(Event { id, at, kind, severity, region, summary, data }) => EventRow {
            seq,
            id,
            put_at,
            at: at.0,
            kind,
            severity: severity.name().to_owned(),
            region: region.unwrap_or_default(),
            summary,
            data: data.to_string(),
            recipient: String::new(),
            text: String::new(),
            destinations,
        },
        Item::Letter(Letter { id, at, to, subject, text, data }) => EventRow {
            seq,
            id,
            put_at,
            at: at.0,
            kind: LETTER.to_owned(),
            severity: "info".to_owned(),
            region: String::new(),
            summary: subject,
            data: data.to_string(),
            recipient: serde_json::to_string(&to).unwrap_or_default(),
            text,
            destinations,
        },
    }
}

fn stored(row: EventRow) -> Result<Stored, StoreError> {
    let contents = |e: serde_json::Error| StoreError::Contents(format!("event {:?}: {e}", row.id));
    let (at, put_at) = (Timestamp(row.at), Timestamp(row.put_at));
    let data = serde_json::from_str(&row.data).map_err(contents)?;
    let item = if row.recipient.is_empty() {
        Item::Event(Event {
            severity: severity(&row.severity)?,
            id: row.id,
            at,
            kind: row.kind,
            region: (!row.region.is_empty()).then_some(row.region),
            summary: row.summary,
            data,
        })
    } else {
        let to = serde_json::from_str(&row.recipient).map_err(contents)?;
        Item::Letter(Letter { id: row.id, at, to, subject: row.summary, text: row.text, data })
    };
    Ok(Stored { seq: row.seq, put_at, item, destinations: row.destinations })
}
