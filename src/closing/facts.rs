//! Everything that a month's statements are made of, except samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use meter95_reading::{PortKey, Timestamp};

use super::acts::Trail;
use super::close::CloseError;
use super::draft::Frame;
use super::statement::Exclusion;
use super::unit::{Sources, Unit};
use crate::aggregator::output::{PortId, ServerId};
use crate::inventory::document::Document;
use crate::inventory::{Inventory, PLAN_DEFAULT, Server};
use crate::metering::period::Month;
use crate::store::connection::Store;
use crate::store::inventory::RemovedServer;

/// What is sold, and what was declared, as of now.
#[derive(Debug)]
pub struct Facts {
    /// What all drafts have in common.
    pub frame: Arc<Frame>,
    /// What is sold.
    pub inventory: Inventory,
    /// What was sold when the month began; `None` where no inventory was written down yet.
    before: Option<Inventory>,
    /// Servers that are no longer in the inventory, each with the instant of its removal.
    removed: Vec<(Server, Timestamp)>,
    /// The servers' numbers in the store.
    ids: BTreeMap<String, ServerId>,
    /// Exclusions in force, by server.
    exclusions: BTreeMap<String, Vec<Exclusion>>,
}

impl Facts {
    /// The facts of `period`, by the inventory in force and the exclusions of `trail`.
    ///
    /// # Errors
    /// When the store can't be read, or what it has of the inventory contradicts itself.
    pub async fn load(store: &Store, period: Month, trail: &Trail) -> Result<Self, CloseError> {
        let (inventory_version, document) = store.inventory().await?;
        let inventory = checked(&document)?;
        let (start, _) = period.span(&inventory.timezone);
        let (before_version, before) = store.inventory_as_of(start).await?;
        let ids = store.servers().await?.into_iter().zip((0..).map(ServerId)).collect();
        let ports: BTreeMap<PortKey, PortId> =
            store.ports().await?.into_iter().zip((0..).map(PortId)).collect();
        let month = period.slots(&inventory.timezone);
        let timezone = inventory.timezone_name.clone();
        Ok(Self {
            frame: Arc::new(Frame { period, month, timezone, inventory_version, ports }),
            removed: removed(store, &document, &before, start).await?,
            before: if before_version > 0 { Some(checked(&before)?) } else { None },
            ids,
            exclusions: trail.exclusions()?,
            inventory,
        })
    }

    /// What is billed, in the order of ids.
    ///
    /// # Errors
    /// When two are of one id, as a pool and a server that was removed.
    pub fn units(&self) -> Result<Vec<Unit>, CloseError> {
        self.units_by(&self.inventory)
    }

    /// What would be billed by another inventory of the same servers.
    ///
    /// # Errors
    /// As [`Facts::units`].
    pub fn units_by(&self, inventory: &Inventory) -> Result<Vec<Unit>, CloseError> {
        let Self { before, removed, ids, exclusions, .. } = self;
        let before = before.as_ref();
        let units = Sources { inventory, before, removed, ids, exclusions }.units(self.frame.month);
        match units.windows(2).find(|pair| pair[0].id == pair[1].id) {
            Some(pair) => Err(CloseError::TwoUnits(pair[0].id.clone())),
            None => Ok(units),
        }
    }
}

fn checked(document: &Document) -> Result<Inventory, CloseError> {
    Inventory::from_document(document).map_err(|e| CloseError::Inventory(e.to_string()))
}

/// Servers that went since `start`, as they were.
async fn removed(
    store: &Store,
    document: &Document,
    before: &Document,
    start: Timestamp,
) -> Result<Vec<(Server, Timestamp)>, CloseError> {
    let mut removed = Vec::new();
    for RemovedServer { mut entry, at } in store.servers_removed_since(start).await? {
        // Its plan may have gone with it.
        let mut plans = document.plans.clone();
        let gone = before.plans.iter().filter(|plan| !document.plans.iter().any(|now| now.id == plan.id));
        plans.extend(gone.cloned());
        let known = |id: &str| id == PLAN_DEFAULT || plans.iter().any(|plan| plan.id == id);
        if !known(&entry.plan) || !entry.plan_changes.iter().all(|change| known(&change.plan)) {
            // It came and went within the month: a person looks at it anyway.
            entry.plan = PLAN_DEFAULT.to_owned();
            entry.plan_changes.clear();
        }
        let timezone = document.timezone.clone();
        let alone = Document { timezone, plans, servers: vec![entry], ..Document::default() };
        removed.extend(checked(&alone)?.servers.into_values().map(|server| (server, at)));
    }
    Ok(removed)
}
