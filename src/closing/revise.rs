//! Corrections: an issued statement is never changed; a new revision says what is right now, and why.

use std::pin::pin;

use futures::stream::TryStreamExt;
use serde::Serialize;
use serde_json::{Value, json};

use super::acts::{ActKind, Trail};
use super::close::{CloseError, Filing, followed};
use super::desk::Word;
use super::draft::in_lots;
use super::facts::Facts;
use super::statement::{Review, Statement};
use super::unit::Unit;
use super::what_if::Figures;
use crate::aggregator::state::Times;
use crate::inventory::instant::Instant;
use crate::metering::period::Month;
use crate::store::connection::Store;
use crate::store::statements::{Filed, State};

/// Corrections of which the audit has the figures; the others are counted.
const TOLD_MAX: usize = 100;

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

/// What was corrected, as the audit keeps it: how many, and of the first what changed.
#[must_use]
pub fn told(revisions: &[Revision]) -> Value {
    let line = |Revision { before, after, .. }: &Revision| {
        let figures = [before, after].map(Figures::of);
        let [before, after_figures] = &figures;
        json!({ "server": after.server, "revision": after.revision, "before": before, "after": after_figures })
    };
    let first: Vec<Value> = revisions.iter().take(TOLD_MAX).map(line).collect();
    json!({ "revisions": revisions.len(), "first": first })
}

/// Issues a new revision of every statement that says something else by what is stored and declared now.
///
/// What is no longer billed by itself, as a server that a pool has taken in, is taken back whole: its next revision has
/// no slots and no amount.
///
/// # Errors
/// When a server that was named has no issued statement, the two computations differ for one, or its servers were billed
/// with another one (then nothing is issued), or the store can't be used.
pub async fn revise(
    store: &Store,
    correction: &Correction,
    word: &Word,
    times: Times,
) -> Result<Vec<Revision>, CloseError> {
    let period = correction.period;
    let mut filing = Filing::load(store, period).await?;
    let issued = |filing: &Filing, id: &str| {
        filing.newest(id).filter(|filed| filed.state == State::Issued).map(|filed| filed.statement.clone())
    };
    if let Some(server) = &correction.server
        && issued(&filing, server).is_none()
    {
        return Err(CloseError::Unknown { period, what: "issued statement", server: server.clone() });
    }
    let mut trail = Trail::load(store).await?;
    let facts = Facts::load(store, period, &trail).await?;
    followed(store, &facts.frame, times).await?;
    let named = |id: &str| correction.server.as_deref().is_none_or(|server| server == id);
    let units = facts.units()?;
    let mut revisions = Vec::new();
    for before in gone(&filing, &units).into_iter().filter(|before| named(&before.server)) {
        let after = next(&before, before.void(), word, Vec::new());
        filing.take(Filed::new(State::Issued, after.clone()));
        revisions.push(Revision { before, after, reasons: Vec::new() });
    }
    let wanted = |unit: &Unit| named(&unit.id) && issued(&filing, &unit.id).is_some();
    let units: Vec<Unit> = units.into_iter().filter(wanted).collect();
    let mut lots = pin!(in_lots(store, &facts.frame, units));
    while let Some(drafts) = lots.try_next().await? {
        for draft in drafts {
            if let Some(difference) = draft.difference() {
                return Err(CloseError::Differs(difference));
            }
            let server = draft.statement.server.clone();
            let Some(before) = issued(&filing, &server) else { continue };
            if before.says_the_same(&draft.statement) {
                continue;
            }
            if let Some(says) = filing.billed_elsewhere(&draft.statement).pop() {
                return Err(CloseError::BilledElsewhere { server, says });
            }
            let after = next(&before, draft.statement, word, draft.reasons.clone());
            revisions.push(Revision { before, after, reasons: draft.reasons });
        }
    }
    if correction.dry_run || revisions.is_empty() {
        return Ok(revisions);
    }
    let mut act = trail.next(ActKind::Revise, word.now, &word.by, &word.reason);
    act.period = period.to_string();
    act.server = correction.server.clone().unwrap_or_default();
    let serial = act.serial;
    let filed: Vec<Filed> =
        revisions.iter().map(|revision| Filed::new(State::Issued, revision.after.clone())).collect();
    store.put_statements(&filed, serial).await?;
    trail.add(store, act).await?;
    Ok(revisions)
}

/// Issued statements of what is not billed by itself any more, and was not taken back yet.
fn gone(filing: &Filing, units: &[Unit]) -> Vec<Statement> {
    let there = |id: &str| units.iter().any(|unit| unit.id == id);
    let issued = filing.all().filter(|filed| filed.state == State::Issued).map(|filed| &filed.statement);
    issued.filter(|s| !there(&s.server) && !s.members.is_empty()).cloned().collect()
}

/// The revision after `before`. Whoever corrects answers for what a person would have to look at.
fn next(before: &Statement, statement: Statement, word: &Word, reasons: Vec<String>) -> Statement {
    let review = (!reasons.is_empty()).then(|| Review {
        reasons,
        approved_by: Some(word.by.clone()),
        approved_at: Some(Instant(word.now)),
        note: Some(word.reason.clone()),
    });
    Statement {
        revision: before.revision + 1,
        reason: Some(word.reason.clone()),
        issued_at: Instant(word.now),
        issued_by: word.by.clone(),
        review,
        ..statement
    }
}
