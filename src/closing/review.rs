//! The review queue: statements that a person looks at before they count.

use super::acts::{ActKind, Trail};
use super::close::{CloseError, Filing, followed};
use super::desk::Word;
use super::draft::drafts;
use super::facts::Facts;
use super::statement::{Review, Statement};
use crate::aggregator::state::Times;
use crate::inventory::instant::Instant;
use crate::metering::period::Month;
use crate::store::connection::{Store, StoreError};
use crate::store::statements::{Filed, State};

/// The statements of `period` that are held, in the order of servers.
///
/// # Errors
/// When the store can't be read.
pub async fn queue(store: &Store, period: Month) -> Result<Vec<Filed>, StoreError> {
    let mut all = store.statements(period).await?;
    all.retain(|filed| filed.state == State::Held);
    Ok(all)
}

/// Issues a held statement; whoever approves answers for what was strange about it.
///
/// # Errors
/// When there is no held statement, it would say something else by what is stored now, its servers were billed with
/// another one, the two computations differ, or the store can't be used.
pub async fn approve(
    store: &Store,
    period: Month,
    server: &str,
    word: &Word,
    times: Times,
) -> Result<Statement, CloseError> {
    let unknown = || CloseError::Unknown { period, what: "held statement", server: server.to_owned() };
    let filing = Filing::load(store, period).await?;
    let held = filing.newest(server).filter(|filed| filed.state == State::Held).ok_or_else(unknown)?;
    let mut trail = Trail::load(store).await?;
    let facts = Facts::load(store, period, &trail).await?;
    followed(store, &facts.frame, times).await?;
    let unit = facts.units()?.into_iter().find(|unit| unit.id == server).ok_or_else(unknown)?;
    let mut drafted = drafts(store, &facts.frame, std::slice::from_ref(&unit)).await?;
    let mut draft = drafted.pop().ok_or_else(unknown)?;
    if let Some(difference) = draft.difference() {
        return Err(CloseError::Differs(difference));
    }
    if !held.statement.says_the_same(&draft.statement) {
        return Err(CloseError::Changed(server.to_owned()));
    }
    if let Some(says) = filing.billed_elsewhere(&draft.statement).pop() {
        return Err(CloseError::BilledElsewhere { server: server.to_owned(), says });
    }
    let mut reasons = held.statement.review.as_ref().map(|review| review.reasons.clone()).unwrap_or_default();
    draft.reasons.retain(|reason| !reasons.contains(reason));
    reasons.append(&mut draft.reasons);
    let review = Review {
        reasons,
        approved_by: Some(word.by.clone()),
        approved_at: Some(Instant(word.now)),
        note: Some(word.reason.clone()),
    };
    let statement = Statement {
        revision: held.statement.revision,
        issued_at: Instant(word.now),
        issued_by: word.by.clone(),
        review: Some(review),
        ..draft.statement
    };
    let mut act = trail.next(ActKind::Approve, word.now, &word.by, &word.reason);
    act.period = period.to_string();
    act.server = server.to_owned();
    let serial = act.serial;
    store.put_statements(&[Filed::new(State::Issued, statement.clone())], serial).await?;
    trail.add(store, act).await?;
    Ok(statement)
}
