//! Closing a month: every statement is drafted, computed twice, and issued, or held for a person's review.
//!
//! It may be run again at any time. What was issued stays as it is; what is missing, after a crash or because the two
//! computations differed, is issued then; what was held is looked at anew.

use std::collections::BTreeMap;
use std::pin::pin;

use futures::stream::TryStreamExt;
use meter95_reading::Timestamp;
use serde::Serialize;

use super::acts::{ActKind, Trail};
use super::draft::{Draft, Frame, in_lots};
use super::facts::Facts;
use super::statement::{Review, Statement};
use super::unit::Unit;
use crate::aggregator::state::Times;
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::period::Month;
use crate::store::connection::{Store, StoreError};
use crate::store::load::Pending;
use crate::store::statements::{Filed, State};

/// Who closes, when, and what they take upon themselves.
#[derive(Debug, Clone)]
pub struct Order {
    /// The month.
    pub period: Month,
    /// By whom.
    pub by: String,
    /// Now.
    pub now: Timestamp,
    /// Why it is closed though a collector may have unsent readings.
    pub override_reason: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Closed)]
pub struct Outcome {
    /// Statements that were issued now.
    pub issued: u64,
    /// Statements that had been issued before.
    pub issued_before: u64,
    /// Statements that wait in the review queue.
    pub held: u64,
    /// What was not issued because the two computations differ, in words.
    pub differing: Vec<String>,
}

/// Why a month can't be closed.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// It still runs, or its last slots may still change.
    #[error("{period} ends at {end} and can be closed from {from} on; it is {now} now")]
    TooEarly {
        /// The month.
        period: Month,
        /// Its end.
        end: String,
        /// When its last slots have had their grace.
        from: String,
        /// Now.
        now: String,
    },
    /// Something is stored from which not everything has followed.
    #[error("{0}: wait a moment if `meter95 serve` runs, else start it")]
    Unfollowed(Pending),
    /// Two units have one id.
    #[error("{0:?} is the id of a pool and of a server that was removed: give the pool another one")]
    TwoUnits(String),
    /// A statement is not issued, since its servers are billed with another one.
    #[error("{server:?} is not issued: {says}; correct that one first, or leave it out of this one")]
    BilledElsewhere {
        /// The server or pool.
        server: String,
        /// With which other one.
        says: String,
    },
    /// A held statement would not say any more what it said when it was held.
    #[error("the statement of {0:?} says something else by now: close the month again, and look at it again")]
    Changed(String),
    /// A collector may have readings of the month.
    #[error("collectors may have readings that were not sent:\n{}\nTo close all the same, say who answers for it and why: --override REASON --by NAME", .0.join("\n"))]
    HeldBack(Vec<String>),
    /// A person must be named.
    #[error("{0} is empty: say who does this, and why")]
    Nameless(&'static str),
    /// The stored inventory makes no sense.
    #[error("the stored inventory contradicts itself: {0}")]
    Inventory(String),
    /// Nothing of this name is billed in the month.
    #[error("{period} has no {what} for {server:?}")]
    Unknown {
        /// The month.
        period: Month,
        /// What was asked for.
        what: &'static str,
        /// The server or pool.
        server: String,
    },
    /// A statement is not issued because the two computations differ.
    #[error("the two computations differ, so nothing is issued: {0}")]
    Differs(String),
    /// Another act of closing is under way.
    #[error("another meter95 is closing or correcting something right now; try again when it is done")]
    Busy,
    /// The service stops, and what it was closing with it.
    #[error("the service is stopping: what was issued stays, and closing again goes on from there")]
    Stopping,
    /// The data directory can't be used.
    #[error("can't use {0}")]
    DataDir(std::path::PathBuf, #[source] std::io::Error),
    /// An exclusion that can't be.
    #[error("{0}")]
    Exclusion(String),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Closes the month: see the head of this file. `progress` hears how many units have been dealt with, and of how many.
///
/// # Errors
/// When it is too early, a collector may have unsent readings, or the store can't be used. What was issued until then
/// stays, and closing again goes on from there.
pub async fn close(
    store: &Store,
    order: &Order,
    times: Times,
    mut progress: impl FnMut(usize, usize),
) -> Result<Outcome, CloseError> {
    if order.by.trim().is_empty() {
        return Err(CloseError::Nameless("by"));
    }
    let mut trail = Trail::load(store).await?;
    let facts = Facts::load(store, order.period, &trail).await?;
    let (frame, units) = (&facts.frame, facts.units()?);
    in_time(frame, order, times)?;
    followed(store, frame, times).await?;

    let filed = Filing::load(store, order.period).await?;
    let mut outcome = Outcome::default();
    let gone = filed.held_but_gone(&units);
    let (done, todo): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(|unit| filed.is_issued(&unit.id));
    if !todo.is_empty() {
        nothing_unsent(store, frame, order, &mut trail).await?;
    }
    let serial = trail.next_serial();
    store.put_statements(&gone, serial).await?;
    outcome.issued_before = done.len() as u64;
    let total = todo.len();
    let mut dealt_with = 0;
    progress(0, total);
    let mut lots = pin!(in_lots(store, frame, todo));
    while let Some(drafts) = lots.try_next().await? {
        dealt_with += drafts.len();
        let statements = filed.settle(drafts, order, &mut outcome);
        store.put_statements(&statements, serial).await?;
        progress(dealt_with, total);
    }
    if trail.closed(order.period).is_none() && outcome.differing.is_empty() {
        let mut act = trail.next(ActKind::Close, order.now, &order.by, "");
        act.period = order.period.to_string();
        trail.add(store, act).await?;
    }
    Ok(outcome)
}

fn in_time(frame: &Frame, order: &Order, times: Times) -> Result<(), CloseError> {
    let end = frame.month.until.start();
    let from = end.plus_ms(times.grace_ms);
    if order.now >= from {
        return Ok(());
    }
    let [end, from, now] = [end, from, order.now].map(rfc3339);
    Err(CloseError::TooEarly { period: order.period, end, from, now })
}

/// Refuses while not everything has followed from what is stored of the month.
///
/// # Errors
/// When something is pending, or the store can't be read.
pub async fn followed(store: &Store, frame: &Frame, times: Times) -> Result<(), CloseError> {
    let [from, until] = [frame.month.from.start(), frame.month.until.start()];
    // A stretch over the end of the month is at most as long as the longest gap that is spread.
    let reach = times.max_gap_ms;
    let closed_at = until.plus_ms(times.grace_ms);
    match store.pending(from.plus_ms(-reach), until.plus_ms(reach), closed_at).await? {
        Some(pending) => Err(CloseError::Unfollowed(pending)),
        None => Ok(()),
    }
}

/// Refuses while a collector may have readings of the month, unless a person answers for it.
async fn nothing_unsent(
    store: &Store,
    frame: &Frame,
    order: &Order,
    trail: &mut Trail,
) -> Result<(), CloseError> {
    let reports = store.collectors().await?;
    let held_back = crate::collectors::holding_back(&reports, frame.month.until.start());
    if held_back.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = held_back.iter().map(ToString::to_string).collect();
    let Some(reason) = &order.override_reason else {
        return Err(CloseError::HeldBack(lines));
    };
    if reason.trim().is_empty() {
        return Err(CloseError::Nameless("override"));
    }
    let mut act = trail.next(ActKind::Override, order.now, &order.by, reason);
    act.period = order.period.to_string();
    act.body = lines.join("\n");
    Ok(trail.add(store, act).await?)
}

/// The statements of a month so far: the newest revision of each unit.
#[derive(Debug, Default)]
pub struct Filing(BTreeMap<String, Filed>);

impl Filing {
    /// As it is stored.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn load(store: &Store, period: Month) -> Result<Self, StoreError> {
        let all = store.statements(period).await?;
        // In the order of revisions: the last one stays.
        Ok(Self(all.into_iter().map(|filed| (filed.statement.server.clone(), filed)).collect()))
    }

    /// The newest statement of a unit.
    #[must_use]
    pub fn newest(&self, id: &str) -> Option<&Filed> {
        self.0.get(id)
    }

    fn is_issued(&self, id: &str) -> bool {
        self.newest(id).is_some_and(|filed| filed.state == State::Issued)
    }

    /// Every unit's newest statement.
    pub fn all(&self) -> impl Iterator<Item = &Filed> {
        self.0.values()
    }

    /// Takes a statement in place of the one that is known.
    pub fn take(&mut self, filed: Filed) {
        self.0.insert(filed.statement.server.clone(), filed);
    }

    /// What is held of units that are not billed any more, to be withdrawn.
    fn held_but_gone(&self, units: &[Unit]) -> Vec<Filed> {
        let there = |filed: &Filed| units.iter().any(|unit| unit.id == filed.statement.server);
        let gone = self.all().filter(|filed| filed.state == State::Held && !there(filed));
        gone.map(|filed| Filed { state: State::Withdrawn, ..filed.clone() }).collect()
    }

    /// Servers of a statement that were billed for the month with another one, as after a pool was made of them, in
    /// words.
    #[must_use]
    pub fn billed_elsewhere(&self, statement: &Statement) -> Vec<String> {
        let others = self
            .0
            .values()
            .filter(|filed| filed.state == State::Issued && filed.statement.server != statement.server);
        let billed = |filed: &Filed| {
            let other = &filed.statement;
            let here = |id: &str| statement.members.iter().any(|member| member.server == id);
            let both: Vec<&str> =
                other.members.iter().map(|m| m.server.as_str()).filter(|id| here(id)).collect();
            (!both.is_empty())
                .then(|| format!("{} was billed with the statement of {}", both.join(", "), other.server))
        };
        others.filter_map(billed).collect()
    }

    /// What is to be stored of drafts: issued where nothing is strange, else held; nothing where it already is.
    fn settle(&self, drafts: Vec<Draft>, order: &Order, outcome: &mut Outcome) -> Vec<Filed> {
        let mut statements = Vec::new();
        for mut draft in drafts {
            draft.reasons.extend(self.billed_elsewhere(&draft.statement));
            if let Some(difference) = draft.difference() {
                outcome.differing.push(difference);
                continue;
            }
            let filed = file(draft, order);
            let known = self.newest(&filed.statement.server);
            match filed.state {
                State::Issued => outcome.issued += 1,
                State::Held | State::Withdrawn => outcome.held += 1,
            }
            let same = |known: &Filed| {
                known.state == filed.state
                    && known.statement.says_the_same(&filed.statement)
                    && known.statement.review == filed.statement.review
            };
            if !known.is_some_and(same) {
                statements.push(filed);
            }
        }
        statements
    }
}

fn file(draft: Draft, order: &Order) -> Filed {
    let Draft { statement, reasons, .. } = draft;
    let state = if reasons.is_empty() { State::Issued } else { State::Held };
    let review =
        (!reasons.is_empty()).then_some(Review { reasons, approved_by: None, approved_at: None, note: None });
    let issued =
        Statement { issued_at: Instant(order.now), issued_by: order.by.clone(), review, ..statement };
    Filed::new(state, issued)
}
