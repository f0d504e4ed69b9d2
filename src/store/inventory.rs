//! The inventory in the store: rows of entries by version, of which none is ever changed or deleted.
//!
//! ClickHouse has no transactions. A version is one insert, so it counts whole or not at all; whoever adds one looks
//! right before and right after that nobody else has. Should two processes add the same version within the moment in
//! between, the rows of the one who was first by the clock count, everybody who reads leaves the others out, and the
//! second one is told.

use std::collections::HashMap;

use meter95_reading::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::connection::{Store, StoreError};
use super::rows::InventoryRow;
use crate::inventory::diff::{Change, Recorded};
use crate::inventory::document::site::CustomerEntry;
use crate::inventory::document::{Document, ServerEntry};
use crate::inventory::instant::Instant;
use crate::inventory::place::Kind;

/// The rows that count: of each version those of one writer.
const COUNTED: &str = "(version, at, by) IN (SELECT version, tupleElement(min((at, by)) AS first, 1), \
                       tupleElement(first, 2) FROM inventory GROUP BY version)";

/// What of the history is wanted; all of it by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Entries of this kind only.
    pub kind: Option<Kind>,
    /// Entries of this id only.
    pub id: Option<String>,
}

/// A server that was taken out of the inventory.
#[derive(Debug, Clone, PartialEq)]
pub struct RemovedServer {
    /// What it was last.
    pub entry: ServerEntry,
    /// When it was taken out.
    pub at: Timestamp,
}

impl Store {
    /// The version of the inventory in force; 0 before the first.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn inventory_version(&self) -> Result<u64, StoreError> {
        self.read("reading the inventory's version", |client| async move {
            client.query("SELECT max(version) FROM inventory").fetch_one().await
        })
        .await
    }

    /// The inventory in force, and its version.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or an entry can't be understood.
    pub async fn inventory(&self) -> Result<(u64, Document), StoreError> {
        self.inventory_of(u64::MAX).await
    }

    /// The inventory that was in force at `at`, and its version: 0, and nothing in it, before the first.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or an entry can't be understood.
    pub async fn inventory_as_of(&self, at: Timestamp) -> Result<(u64, Document), StoreError> {
        let version: u64 = self
            .read("reading the inventory's version", |client| async move {
                let sql = "SELECT max(version) FROM inventory WHERE toUnixTimestamp64Milli(at) <= ?";
                client.query(sql).bind(at.0).fetch_one().await
            })
            .await?;
        self.inventory_of(version).await
    }

    /// The inventory of the highest version up to `version`, and that version.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or an entry can't be understood.
    pub async fn inventory_of(&self, version: u64) -> Result<(u64, Document), StoreError> {
        let rows: Vec<InventoryRow> = self
            .read("reading the inventory", |client| async move {
                let sql = format!(
                    "SELECT ?fields FROM inventory WHERE {COUNTED} AND version <= ? \
                     ORDER BY kind, id, version DESC LIMIT 1 BY kind, id"
                );
                client.query(&sql).bind(version).fetch_all().await
            })
            .await?;
        let version = rows.iter().map(|row| row.version).max().unwrap_or(0);
        let mut document = Document::default();
        for row in rows.iter().filter(|row| row.removed == 0) {
            match kind(row)? {
                Kind::Settings => {
                    let settings: Value = body(row)?;
                    document.timezone = settings.get("timezone").and_then(Value::as_str).map(str::to_owned);
                }
                Kind::Customer => document.customers.push(body(row)?),
                Kind::Region => document.regions.push(body(row)?),
                Kind::Device => document.devices.push(body(row)?),
                Kind::Plan => document.plans.push(body(row)?),
                Kind::Uplink => document.uplinks.push(body(row)?),
                Kind::Server => document.servers.push(body(row)?),
                Kind::Pool => document.pools.push(body(row)?),
                Kind::Policy => document.policies.push(body(row)?),
                Kind::Exemption => document.exemptions.push(body(row)?),
            }
        }
        Ok((version, document))
    }

    /// The customers of the inventory of the highest version up to `version`.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or an entry can't be understood.
    pub async fn customers_of(&self, version: u64) -> Result<Vec<CustomerEntry>, StoreError> {
        let rows: Vec<InventoryRow> = self
            .read("reading the customers", |client| async move {
                let sql = format!(
                    "SELECT ?fields FROM inventory WHERE {COUNTED} AND kind = ? AND version <= ? \
                     ORDER BY id, version DESC LIMIT 1 BY id"
                );
                client.query(&sql).bind(Kind::Customer.name()).bind(version).fetch_all().await
            })
            .await?;
        rows.iter().filter(|row| row.removed == 0).map(body).collect()
    }

    /// Every change that was ever made of what `filter` wants, in the order of versions.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or an entry can't be understood.
    pub async fn inventory_history(&self, filter: &Filter) -> Result<Vec<Recorded>, StoreError> {
        let wanted_kind = filter.kind.map_or("", Kind::name);
        let (any_id, wanted_id) = (filter.id.is_none(), filter.id.as_deref().unwrap_or_default());
        let rows: Vec<InventoryRow> = self
            .read("reading the inventory's history", |client| async move {
                let sql = format!(
                    "SELECT ?fields FROM inventory WHERE {COUNTED} AND (kind = ? OR ? = '') AND (id = ? OR ?) \
                     ORDER BY version, kind, id"
                );
                let query = client.query(&sql).bind(wanted_kind).bind(wanted_kind);
                query.bind(wanted_id).bind(any_id).fetch_all().await
            })
            .await?;
        let mut newest: HashMap<(Kind, String), Value> = HashMap::new();
        let settings_default = Document::default().entries().swap_remove(0).body;
        let mut history = Vec::with_capacity(rows.len());
        for row in rows {
            let kind = kind(&row)?;
            let after: Option<Value> = if row.removed == 0 { Some(body(&row)?) } else { None };
            let key = (kind, row.id.clone());
            let mut before = match &after {
                Some(after) => newest.insert(key, after.clone()),
                None => newest.remove(&key),
            };
            if kind == Kind::Settings && before.is_none() {
                // There are settings from the first, if only those of a document that says nothing.
                before = Some(settings_default.clone()).filter(|settings| Some(settings) != after.as_ref());
            }
            history.push(Recorded {
                version: row.version,
                at: Instant(Timestamp(row.at)),
                by: row.by,
                change: Change { kind, id: row.id, before, after },
            });
        }
        // Of one version, in the order in which a document has the kinds.
        history.sort_by(|a, b| {
            (a.version, a.change.kind, &a.change.id).cmp(&(b.version, b.change.kind, &b.change.id))
        });
        Ok(history)
    }

    /// The servers that were taken out at or after `since` and are not listed now, each as it was last.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or an entry can't be understood.
    pub async fn servers_removed_since(&self, since: Timestamp) -> Result<Vec<RemovedServer>, StoreError> {
        let rows: Vec<InventoryRow> = self
            .read("reading which servers were removed", |client| async move {
                let sql = format!(
                    "SELECT ?fields FROM inventory WHERE {COUNTED} AND kind = 'server' AND id IN \
                     (SELECT id FROM inventory WHERE kind = 'server' AND removed != 0 \
                     AND toUnixTimestamp64Milli(at) >= ?) \
                     ORDER BY id, version DESC LIMIT 2 BY id"
                );
                client.query(&sql).bind(since.0).fetch_all().await
            })
            .await?;
        let gone = rows.windows(2).filter(|pair| {
            let [last, before] = pair else { return false };
            last.id == before.id && last.removed != 0 && before.removed == 0 && last.at >= since.0
        });
        gone.map(|pair| Ok(RemovedServer { entry: body(&pair[1])?, at: Timestamp(pair[0].at) })).collect()
    }

    /// Stores changes of the inventory as its version `version`, made at `at` by `by`: all of them or none.
    ///
    /// # Errors
    /// When ClickHouse does not take them, or the version in force is not the one before `version`.
    pub async fn put_inventory(
        &self,
        changes: &[Change],
        version: u64,
        at: Timestamp,
        by: &str,
    ) -> Result<(), StoreError> {
        let row = |change: &Change| InventoryRow {
            version,
            at: at.0,
            by: by.to_owned(),
            kind: change.kind.name().to_owned(),
            id: change.id.clone(),
            body: change.after.as_ref().map(ToString::to_string).unwrap_or_default(),
            removed: u8::from(change.after.is_none()),
        };
        let rows: Vec<InventoryRow> = changes.iter().map(row).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let _alone = self.changing_inventory.lock().await;
        let expected = version.saturating_sub(1);
        let found = self.inventory_version().await?;
        if found != expected {
            return Err(StoreError::Outdated { expected, found });
        }
        self.try_put("storing the inventory", "inventory", &rows).await?;
        let counted: Vec<(i64, String)> = self
            .read("reading who changed the inventory", |client| async move {
                let sql = "SELECT toUnixTimestamp64Milli(at) AS at_ms, by FROM inventory WHERE version = ? \
                           ORDER BY at, by LIMIT 1";
                client.query(sql).bind(version).fetch_all().await
            })
            .await?;
        match counted.first() {
            Some((first_at, first_by)) if (*first_at, first_by.as_str()) != (at.0, by) => {
                Err(StoreError::Outdated { expected, found: version })
            }
            _ => Ok(()),
        }
    }
}

fn kind(row: &InventoryRow) -> Result<Kind, StoreError> {
    row.kind.parse().map_err(|_| contents(row, &"this kind is not known; use a newer meter95"))
}

fn body<T: DeserializeOwned>(row: &InventoryRow) -> Result<T, StoreError> {
    serde_json::from_str(&row.body).map_err(|e| contents(row, &e))
}

fn contents(row: &InventoryRow, says: &dyn std::fmt::Display) -> StoreError {
    StoreError::Contents(format!("{} {:?} of the inventory: {says}", row.kind, row.id))
}
