//! What the store has of a server over a window: all that a pack is made of, and the only part that reads.

use meter95_reading::{PortKey, Timestamp};

use super::window::Window;
use crate::aggregator::output::{PortId, ServerId};
use crate::inventory::diff::Recorded;
use crate::inventory::place::Kind;
use crate::inventory::{Binding, Inventory, Server};
use crate::metering::period::SlotSpan;
use crate::store::connection::{Store, StoreError};
use crate::store::inventory::Filter;
use crate::store::load::StoredSamples;
use crate::store::proof::{StoredBreak, StoredPortSlot};

/// What is known of a server over a window.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The window.
    pub window: Window,
    /// Slots that end after this instant may still be without a sample because they have not closed.
    pub closed_at: Timestamp,
    /// The inventory in force, or the last one that had the server.
    pub inventory: Inventory,
    /// The server as that inventory has it.
    pub server: Server,
    /// When it was taken out of the inventory, where it was.
    pub removed: Option<Timestamp>,
    /// Its samples in the window and in the weeks before it, withdrawn ones among them.
    pub samples: StoredSamples,
    /// The ports that were its own at any time of the window, in the inventory's order.
    pub ports: Vec<PortFacts>,
    /// What was changed during the window of the server, its plans and its ports' devices, in the order of versions.
    pub changes: Vec<Recorded>,
}

/// A port over the window.
#[derive(Debug, Clone)]
pub struct PortFacts {
    /// The port, and for which time it is the server's.
    pub binding: Binding,
    /// Its slots in the window, ascending; also those in which it was not the server's.
    pub slots: Vec<StoredPortSlot>,
    /// The breaks of its counters that reach into the window and into the time for which it is the server's.
    pub breaks: Vec<StoredBreak>,
}

/// Why there are no facts.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// No inventory ever had such a server.
    #[error("there is no server {0:?}, and there never was")]
    UnknownServer(String),
    /// What is stored of the inventory can't be.
    #[error("the stored inventory contradicts itself: {0}")]
    Inventory(String),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Facts {
    /// Reads what there is of the server `id` over `window`. A slot closes `grace_ms` after its end at the latest; `now`
    /// tells which have.
    ///
    /// # Errors
    /// When no inventory ever had the server, or the store can't be read.
    pub async fn read(
        store: &Store,
        id: &str,
        window: Window,
        now: Timestamp,
        grace_ms: i64,
    ) -> Result<Self, FactsError> {
        let (inventory, removed) = inventory_with(store, id).await?;
        let Some(server) = inventory.servers.get(id).cloned() else {
            return Err(FactsError::UnknownServer(id.to_owned()));
        };
        let names = store.servers().await?;
        let number = names.iter().zip((0..).map(ServerId)).find(|(name, _)| *name == id);
        let span = SlotSpan { from: window.before().from, until: window.slots().until };
        let samples = match number {
            Some((_, number)) => store.samples(&[number], span).await?.remove(&number).unwrap_or_default(),
            None => StoredSamples::new(),
        };
        Ok(Self {
            window,
            closed_at: now.plus_ms(-grace_ms),
            ports: ports(store, &server, window).await?,
            changes: changes(store, &inventory, &server, window).await?,
            inventory,
            server,
            removed,
            samples,
        })
    }
}

/// The inventory in force, or where it does not have the server `id` the last one that had, with the instant from
/// which on it was not in force.
async fn inventory_with(store: &Store, id: &str) -> Result<(Inventory, Option<Timestamp>), FactsError> {
    let (_, mut document) = store.inventory().await?;
    let mut removed = None;
    if !document.servers.iter().any(|entry| entry.id == id) {
        let filter = Filter { kind: Some(Kind::Server), id: Some(id.to_owned()) };
        let history = store.inventory_history(&filter).await?;
        let Some(last) = history.last() else {
            return Err(FactsError::UnknownServer(id.to_owned()));
        };
        removed = Some(last.at.0);
        (_, document) = store.inventory_of(last.version.saturating_sub(1)).await?;
    }
    let inventory = Inventory::from_document(&document).map_err(|e| FactsError::Inventory(e.to_string()))?;
    Ok((inventory, removed))
}

async fn ports(store: &Store, server: &Server, window: Window) -> Result<Vec<PortFacts>, StoreError> {
    let keys: Vec<PortKey> = store.ports().await?;
    let number = |port: &PortKey| keys.iter().zip((0..).map(PortId)).find(|(key, _)| *key == port);
    let (from, until) = (window.from(), window.until());
    let bound: Vec<(Option<PortId>, &Binding)> = server
        .ports
        .iter()
        .filter(|binding| overlaps(binding, from, until))
        .map(|binding| (number(&binding.port).map(|(_, id)| id), binding))
        .collect();
    let ids: Vec<PortId> = bound.iter().filter_map(|(id, _)| *id).collect();
    let slots = store.slots_by_port(&ids, window.slots()).await?;
    let breaks = store.breaks_between(&ids, from, until).await?;
    let facts = |(id, binding): (Option<PortId>, &Binding)| {
        let is_its = |found: &&StoredBreak| {
            Some(found.port) == id && overlaps(binding, found.before.at, found.after.at)
        };
        PortFacts {
            binding: binding.clone(),
            slots: id.and_then(|id| slots.get(&id).cloned()).unwrap_or_default(),
            breaks: breaks.iter().filter(is_its).cloned().collect(),
        }
    };
    Ok(bound.into_iter().map(facts).collect())
}

/// Whether the port is the server's at any time from `from` to before `until`.
fn overlaps(binding: &Binding, from: Timestamp, until: Timestamp) -> bool {
    binding.from.is_none_or(|start| start < until) && binding.until.is_none_or(|end| from < end)
}

/// The changes during the window of what the server's figures depend on, and of where it is connected.
async fn changes(
    store: &Store,
    inventory: &Inventory,
    server: &Server,
    window: Window,
) -> Result<Vec<Recorded>, StoreError> {
    let plans = inventory.plan_steps(server, window.slots()).into_iter().map(|(_, plan)| plan.id);
    let devices = server.ports.iter().map(|binding| binding.port.device().to_owned());
    let mut entries = vec![(Kind::Server, server.id.clone())];
    entries.extend(plans.map(|id| (Kind::Plan, id)));
    entries.extend(devices.map(|id| (Kind::Device, id)));
    entries.sort_unstable();
    entries.dedup();
    let mut changes = Vec::new();
    for (kind, id) in entries {
        let history = store.inventory_history(&Filter { kind: Some(kind), id: Some(id) }).await?;
        let during = |change: &Recorded| window.from() <= change.at.0 && change.at.0 < window.until();
        changes.extend(history.into_iter().filter(during));
    }
    changes.sort_by(|a, b| {
        (a.version, a.change.kind, &a.change.id).cmp(&(b.version, b.change.kind, &b.change.id))
    });
    Ok(changes)
}
