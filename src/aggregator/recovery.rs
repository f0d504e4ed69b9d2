//! Puts the live state back together from what is stored, so that a restart, or a crash, loses no slot and doubles none.
//!
//! Everything that follows from readings is a function of them, so whatever a crash left out is made again: readings
//! after the last checkpoint are replayed together with those that reach into their slots, and every server's closed
//! slots from there on are settled against what the store has. Rows that were stored before the crash come out the same.

use std::collections::BTreeMap;

use meter95_reading::Timestamp;

use super::output::{PortId, ServerId};
use super::state::{Aggregator, Times};
use crate::inventory::Inventory;
use crate::metering::period::SlotSpan;
use crate::metering::units::Slot;
use crate::store::connection::{Store, StoreError};
use crate::store::load::{PortProgress, StoredSamples};

/// Ports whose slots are read back at once: some 250,000 rows.
const RECALLED_AT_ONCE_MAX: usize = 10_000;

/// Which clock closes slots whose ports are silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// This machine's, which stands here.
    Machine(Timestamp),
    /// The newest reading's: for readings of another time.
    Readings,
}

/// The state from which to go on.
#[derive(Debug)]
pub struct Recovered {
    /// Every port and server.
    pub aggregator: Aggregator,
    /// The highest number of a batch of readings so far.
    pub batch: u64,
    /// The version of the inventory in force.
    pub inventory_version: u64,
    /// The number of the last checkpoint.
    pub checkpoint: u64,
}

/// Reads the state back.
///
/// # Errors
/// When the store can't be read, or what it has makes no sense.
pub async fn recover(store: &Store, times: Times, clock: Clock) -> Result<Recovered, StoreError> {
    let checkpoint = store.checkpoint().await?;
    let batch = store.last_batch().await?.max(checkpoint.batch);
    let progress = store.port_progress(checkpoint.batch).await?;
    let newest = progress.iter().map(|port| port.last_ms).max().unwrap_or(0);
    let clock = match clock {
        Clock::Machine(now) => now,
        Clock::Readings => Timestamp(newest),
    };

    let mut aggregator = Aggregator::new(times, clock);
    for key in store.ports().await? {
        aggregator.port_id(&key);
    }
    for name in store.servers().await? {
        aggregator.server_id(&name);
    }
    let (inventory_version, document) = store.inventory().await?;
    let inventory = Inventory::from_document(&document)
        .map_err(|e| StoreError::Contents(format!("the stored inventory contradicts itself: {e}")))?;
    if inventory_version == checkpoint.inventory {
        aggregator.set_inventory(inventory);
        aggregator.take_cold();
    } else {
        // Samples were made by the inventory of then: only what has changed since is to be settled, or all of it where
        // that can't be told any more.
        let (_, then) = store.inventory_of(checkpoint.inventory).await?;
        if let Ok(then) = Inventory::from_document(&then) {
            aggregator.set_inventory(then);
            aggregator.take_cold();
        }
        aggregator.set_inventory(inventory);
    }

    let grace_over = aggregator.grace_over_until();
    let starts: BTreeMap<PortId, Start> =
        progress.iter().map(|port| (PortId(port.port_id), Start::of(port, times, grace_over))).collect();
    let since: Vec<(PortId, i64)> = starts.iter().map(|(id, start)| (*id, start.since_ms)).collect();
    store
        .readings_since(&since, |id, counters| {
            if let Some(start) = starts.get(&id) {
                aggregator.replay(id, &counters, start.known_from);
            }
        })
        .await?;
    let changed_from = starts.iter().filter_map(|(id, start)| Some((*id, start.changed_from?))).collect();
    let clock_then = Timestamp(i64::try_from(checkpoint.clock_ms).unwrap_or(0));
    let closed_then = Slot::of(clock_then.plus_ms(-times.grace_ms));
    let stored = store.newest_slots(grace_over).await?;
    aggregator.resume(&changed_from, closed_then, &stored);

    let all: Vec<ServerId> = aggregator.servers().iter().map(|server| server.id).collect();
    recall(store, &mut aggregator, &all).await?;
    recall_ports(store, &mut aggregator).await?;
    aggregator.take_stale_tallies();
    let (month, rules) = aggregator.rules_now(all);
    for (id, tally) in store.tallies(rules).await? {
        aggregator.set_tally(id, month, tally);
    }
    Ok(Recovered { aggregator, batch, inventory_version, checkpoint: checkpoint.serial })
}

/// Where to go on with a port.
struct Start {
    /// The first reading that is needed, in Unix ms.
    since_ms: i64,
    /// From this slot on, replaying tells everything that the port carried.
    known_from: Slot,
    /// The first slot that may have got something from readings of which nothing may have followed yet; `None` without
    /// such readings.
    changed_from: Option<Slot>,
}

impl Start {
    fn of(port: &PortProgress, times: Times, grace_over: Slot) -> Self {
        let slot = |ms: i64| Slot::of(Timestamp(ms));
        // The slot of the last reading that was applied may still be open: it is made again.
        let base_ms = match (port.applied_ms, port.pending_ms) {
            (Some(applied), Some(pending)) => applied.min(pending),
            (_, Some(pending)) => pending,
            (_, None) => port.last_ms,
        };
        let known_from = slot(base_ms).min(grace_over.previous());
        let changed_from = port.pending_ms.map(|pending| match port.applied_ms {
            // Nothing is spread over a longer stretch.
            Some(applied) if pending.saturating_sub(applied) <= times.max_gap_ms => {
                slot(applied.min(pending))
            }
            _ => slot(pending),
        });
        // The first reading in the window has its predecessor at most this far before.
        let since_ms = known_from.start().plus_ms(-times.max_gap_ms).0.min(base_ms);
        Self { since_ms, known_from, changed_from }
    }
}

/// Reads the newest samples of `servers` back.
async fn recall(store: &Store, aggregator: &mut Aggregator, servers: &[ServerId]) -> Result<(), StoreError> {
    let begun = aggregator.servers().iter().filter(|server| server.closed_until.is_some());
    let spans = begun.map(|server| server.recent_span());
    let Some(span) = spans.reduce(|a, b| SlotSpan { from: a.from.min(b.from), until: a.until.max(b.until) })
    else {
        return Ok(());
    };
    let samples = store.samples(servers, span).await?;
    for id in servers {
        aggregator.recall(*id, samples.get(id).unwrap_or(&StoredSamples::new()));
    }
    Ok(())
}

/// Reads the newest slots of ports back.
async fn recall_ports(store: &Store, aggregator: &mut Aggregator) -> Result<(), StoreError> {
    let forgotten = aggregator.forgotten();
    let spans = forgotten.iter().map(|(_, span)| *span);
    let Some(span) = spans.reduce(|a, b| SlotSpan { from: a.from.min(b.from), until: a.until.max(b.until) })
    else {
        return Ok(());
    };
    for part in forgotten.chunks(RECALLED_AT_ONCE_MAX) {
        let ids: Vec<PortId> = part.iter().map(|(id, _)| *id).collect();
        let mut stored = store.slots_by_port(&ids, span).await?;
        for (id, lacks) in part {
            let slots = stored.remove(id).unwrap_or_default();
            aggregator.recall_port(*id, lacks.from, slots.into_iter().map(|row| (row.slot, row.carried)));
        }
    }
    Ok(())
}
