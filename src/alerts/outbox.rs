//! What waits to be carried out, durable from the moment in which it was taken.
//!
//! An event is stored once, with its number and its destinations; every attempt to deliver it is stored beside it. How a
//! delivery stands is what its last attempt says, so that nothing is ever changed and there is nothing that could
//! contradict. Events and attempts are kept for more than a year.

use std::collections::BTreeSet;
use std::sync::Arc;

use meter95_reading::Timestamp;
use tokio::sync::{Mutex, watch};

use super::event::{Event, LETTER, Letter, Recipient, Unsendable, check_id, check_kind};
use super::parcel::Item;
use super::route::{MAIL, Route};
use crate::store::connection::{Store, StoreError};
use crate::store::outbox::{Fate, Stored};

/// Why something can't be put into the outbox.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// It has a part that can't be sent.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// A letter is to go where nothing is configured.
    #[error("a letter is to go through {0:?}, but [alerts] of the configuration has no such destination")]
    NoWay(String),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of an event or a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is on its way.
    Pending {
        /// Attempts so far.
        attempts: u32,
        /// Why the last one failed; empty where there was none.
        reason: String,
    },
    /// All that it was to go to have taken it, or nobody wanted it.
    Delivered {
        /// When the last of them had.
        at: Timestamp,
    },
    /// It will not be tried again.
    Failed {
        /// Since when that is so.
        at: Timestamp,
        /// Attempts that were made.
        attempts: u32,
        /// Why.
        reason: String,
    },
}

/// What waits to be carried out. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    routes: Vec<Route>,
    ledger: Mutex<Ledger>,
    /// The number of the last event; who waits for more watches it.
    last: watch::Sender<u64>,
}

#[derive(Default)]
struct Ledger {
    last: u64,
    /// What the store was given and did not say that it took: it may have.
    unsure: Vec<Stored>,
}

impl Outbox {
    /// The outbox of a store, for these destinations.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn open(store: Store, routes: Vec<Route>) -> Result<Self, OutboxError> {
        let last = store.events_last().await?;
        let ledger = Mutex::new(Ledger { last, unsure: Vec::new() });
        Ok(Self { inner: Arc::new(Inner { store, routes, ledger, last: watch::Sender::new(last) }) })
    }

    /// Takes events, at `now`; they are durable when it returns. What is there already is left as it is.
    ///
    /// # Errors
    /// When one can't be sent, or the store does not take them: then put them again.
    pub async fn put(&self, events: Vec<Event>, now: Timestamp) -> Result<(), OutboxError> {
        for event in &events {
            check_id(&event.id)?;
            check_kind(&event.kind)?;
            if event.kind == LETTER {
                return Err(Unsendable::Kind(event.kind.clone()).into());
            }
        }
        let routed = |event: Event| {
            let wanted = self.inner.routes.iter().filter(|route| route.filter.takes(&event));
            let destinations = wanted.map(|route| route.name.clone()).collect();
            (Item::Event(event), destinations)
        };
        self.take(events.into_iter().map(routed).collect(), now).await
    }

    /// Takes a letter, at `now`; it is durable when this returns. One that is there already is left as it is.
    ///
    /// # Errors
    /// When it can't be sent, there is no way to its recipient, or the store does not take it.
    pub async fn post(&self, letter: Letter, now: Timestamp) -> Result<(), OutboxError> {
        check_id(&letter.id)?;
        let way = match &letter.to {
            Recipient::Mail { .. } => MAIL.to_owned(),
            Recipient::Webhook { name } => name.clone(),
        };
        if !self.inner.routes.iter().any(|route| route.name == way) {
            return Err(OutboxError::NoWay(way));
        }
        self.take(vec![(Item::Letter(letter), vec![way])], now).await
    }

    async fn take(&self, items: Vec<(Item, Vec<String>)>, now: Timestamp) -> Result<(), OutboxError> {
        let mut ledger = self.inner.ledger.lock().await;
        self.store_unsure(&mut ledger).await?;
        let ids: Vec<&str> = items.iter().map(|(item, _)| item.id()).collect();
        let mut known = self.inner.store.events_known(&ids).await?;
        let mut seq = ledger.last;
        for (item, destinations) in items {
            if known.insert(item.id().to_owned()) {
                seq += 1;
                ledger.unsure.push(Stored { seq, put_at: now, item, destinations });
            }
        }
        ledger.last = seq;
        self.store_unsure(&mut ledger).await
    }

    /// Stores what is not known to be stored: under its number, so that twice is the same as once.
    async fn store_unsure(&self, ledger: &mut Ledger) -> Result<(), OutboxError> {
        if ledger.unsure.is_empty() {
            return Ok(());
        }
        self.inner.store.put_events(&ledger.unsure).await?;
        ledger.unsure.clear();
        self.inner.last.send_replace(ledger.last);
        Ok(())
    }

    /// What became of the event or letter of this id; `None` where there is none.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn outcome(&self, id: &str) -> Result<Option<Outcome>, StoreError> {
        let Some(Stored { seq, put_at, destinations, .. }) = self.inner.store.event(id).await? else {
            return Ok(None);
        };
        let last = self.inner.store.last_attempts(seq).await?;
        let mut delivered = put_at;
        let (mut pending, mut failed) = (None, None);
        for destination in &destinations {
            let Some(attempt) = last.get(destination) else {
                pending = Some(Outcome::Pending { attempts: 0, reason: String::new() });
                continue;
            };
            let (at, attempts, reason) = (attempt.at, attempt.attempt, attempt.answer.clone());
            match attempt.fate {
                Fate::Joined | Fate::Failed => pending = Some(Outcome::Pending { attempts, reason }),
                Fate::Delivered => delivered = delivered.max(at),
                Fate::Refused | Fate::GivenUp => failed = Some(Outcome::Failed { at, attempts, reason }),
            }
        }
        Ok(failed.or(pending).or(Some(Outcome::Delivered { at: delivered })))
    }

    /// Those of these ids that are in the outbox.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn known(&self, ids: &[&str]) -> Result<BTreeSet<String>, StoreError> {
        self.inner.store.events_known(ids).await
    }

    /// The number of the last event, to be watched for more.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.last.subscribe()
    }

    /// The store in which it is.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }
}
