//! Corrections: an issued statement is never changed; a new revision says what is right now, and why.

use std::pin::pin;

use futures::stream::TryStreamExt;
use serde::Serialize;

use super::acts::{ActKind, Trail};
use super::close::{CloseError, Filing};
use super::desk::Word;
use super::draft::in_lots;
use super::facts::Facts;
use super::statement::Statement;
use super::unit::Unit;
use crate::inventory::instant::Instant;
use crate::metering::period::Month;
use crate::store::connection::Store;
use crate::store::statements::{Filed, State};

/// What is to be corrected.
#[derive(Debug, Clone)]
pub struct Correction {
    /// The month.
    pub period: Month,
    /// One server or pool; all unless given.
    pub server: Option<String>,
    /// Only tell what would change.
    pub dry_run: bool,
}

/// A statement and the one that takes its place.
#[derive(Debug, Clone, Serialize)]
pub struct Revision {
    /// What was issued.
    pub before: Statement,
    /// What is right now.
    pub after: Statement,
    /// What a person would have to look at, were it a first statement.
    pub reasons: Vec<String>,
}

/// Issues a new revision of every statement that says something else by what is stored and declared now.
///
/// A server that is no longer billed by itself, or no longer at all, keeps its statement.
///
/// # Errors
/// When a server that was named has no issued statement, the two computations differ for one (then nothing is issued),
/// or the store can't be used.
pub async fn revise(
    store: &Store,
    correction: &Correction,
    word: &Word,
) -> Result<Vec<Revision>, CloseError> {
    let period = correction.period;
    let filing = Filing::load(store, period).await?;
    let issued = |id: &str| filing.newest(id).filter(|filed| filed.state == State::Issued);
    if let Some(server) = &correction.server
        && issued(server).is_none()
    {
        return Err(CloseError::Unknown { period, what: "issued statement", server: server.clone() });
    }
    let mut trail = Trail::load(store).await?;
    let facts = Facts::load(store, period, &trail).await?;
    let wanted = |unit: &Unit| {
        issued(&unit.id).is_some() && correction.server.as_ref().is_none_or(|server| *server == unit.id)
    };
    let units: Vec<Unit> = facts.units().into_iter().filter(wanted).collect();
    let mut revisions = Vec::new();
    let mut lots = pin!(in_lots(store, &facts.frame, units));
    while let Some(drafts) = lots.try_next().await? {
        for draft in drafts {
            if let Some(difference) = draft.difference() {
                return Err(CloseError::Differs(difference));
            }
            let Some(before) = issued(&draft.statement.server).map(|filed| &filed.statement) else {
                continue;
            };
            if before.says_the_same(&draft.statement) {
                continue;
            }
            let after = Statement {
                revision: before.revision + 1,
                reason: Some(word.reason.clone()),
                issued_at: Instant(word.now),
                issued_by: word.by.clone(),
                ..draft.statement
            };
            revisions.push(Revision { before: before.clone(), after, reasons: draft.reasons });
        }
    }
    if correction.dry_run || revisions.is_empty() {
        return Ok(revisions);
    }
    let mut act = trail.next(ActKind::Revise, word.now, &word.by, &word.reason);
    act.period = period.to_string();
    act.server = correction.server.clone().unwrap_or_default();
    let serial = act.serial;
    trail.add(store, act).await?;
    let filed: Vec<Filed> =
        revisions.iter().map(|revision| Filed::new(State::Issued, revision.after.clone())).collect();
    store.put_statements(&filed, serial).await?;
    Ok(revisions)
}
