//! Putting a document in force: checked, compared with what is in force, and stored as the next version.

use meter95_reading::Timestamp;
use serde_json::{Value, json};

use super::Inventory;
use super::check::{InventoryError, Problem};
use super::diff::{Change, changes, forgotten};
use super::document::Document;
use super::warnings::warnings;
use crate::store::connection::{Store, StoreError};

/// The longest name of who applies a document, in octets: it is kept with every change.
const BY_OCTETS_MAX: usize = 255;

/// Changes of which the audit has a line; the others are counted.
const LINES_TOLD_MAX: usize = 100;

/// How a document is applied.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// By whom.
    pub by: &'a str,
    /// When.
    pub now: Timestamp,
    /// Only tell what would change.
    pub dry_run: bool,
    /// Servers may go whose service has not ended.
    pub remove: bool,
    /// The version that the document was made from, where that is known.
    pub seen: Option<u64>,
}

/// What was changed, or would be.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The version in force afterwards.
    pub version: u64,
    /// What was changed; none where the document is what is in force already.
    pub changes: Vec<Change>,
    /// What of the changed entries may be a mistake.
    pub warnings: Vec<Problem>,
}

/// Why a document is not put in force; nothing of it is then.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The name of who applies it is none.
    #[error(
        "{0:?} is no name of who applies this: it is empty, longer than {BY_OCTETS_MAX} octets, or not in a line"
    )]
    By(String),
    /// It contradicts itself, or would lose servers.
    #[error(transparent)]
    Refused(#[from] InventoryError),
    /// Somebody else has changed the inventory, or the store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Outcome {
    /// What was changed, as the audit keeps it; the inventory's history has all of it.
    #[must_use]
    pub fn told(&self) -> Value {
        let lines: Vec<String> = self.changes.iter().take(LINES_TOLD_MAX).map(Change::line).collect();
        json!({ "version": self.version, "changes": self.changes.len(), "lines": lines })
    }
}

/// Puts `document` in force as the whole inventory.
///
/// # Errors
/// When it contradicts itself, takes out a server whose service has not ended, or is not made from the version in
/// force; and when the store can't be used.
pub async fn apply(store: &Store, document: &Document, options: Options<'_>) -> Result<Outcome, ApplyError> {
    let Options { by, .. } = options;
    if by.trim().is_empty() || by.len() > BY_OCTETS_MAX || by.chars().any(char::is_control) {
        return Err(ApplyError::By(by.chars().take(BY_OCTETS_MAX).collect()));
    }
    Inventory::from_document(document)?;
    let (version, before) = store.inventory().await?;
    if let Some(expected) = options.seen.filter(|seen| *seen != version) {
        return Err(StoreError::Outdated { expected, found: version }.into());
    }
    let mut changes = changes(&before, document);
    if version == 0 && changes.is_empty() {
        // The very first one says at least in which time zone months begin.
        changes.extend(document.entries().into_iter().take(1).map(|entry| Change {
            kind: entry.kind,
            id: entry.id,
            before: None,
            after: Some(entry.body),
        }));
    }
    if !options.remove {
        let problems = forgotten(&changes, options.now);
        if !problems.is_empty() {
            return Err(InventoryError { problems }.into());
        }
    }
    let mut warnings = warnings(document);
    // What was put in force before is not told again and again.
    warnings.retain(|w| changes.iter().any(|change| (change.kind, &change.id) == (w.at.kind, &w.at.id)));
    if changes.is_empty() || options.dry_run {
        return Ok(Outcome { version, changes, warnings });
    }
    store.put_inventory(&changes, version + 1, options.now, by).await?;
    Ok(Outcome { version: version + 1, changes, warnings })
}
