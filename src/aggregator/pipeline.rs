//! The shell around the live state: makes readings durable before they count, and writes what follows from them.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use hashbrown::HashMap;
use meter95_reading::{Reading, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::output::{Output, PortId, ServerId};
use super::recovery::{self, Clock, Recovered};
use super::state::{Aggregator, Times};
use super::vitals::{Vitals, Writing};
use crate::inventory::Inventory;
use crate::metering::period::SlotSpan;
use crate::metering::slot::PortSlot;
use crate::metering::units::Slot;
use crate::signal::Signal;
use crate::store::connection::{Store, StoreError};
use crate::store::write::Checkpoint;

/// Rows that wait in memory before they are written: one insert of a good size.
const OUTPUT_ROWS_MAX: usize = 200_000;

/// How long rows wait at most before they are written, however few they are.
const OUTPUT_AGE_MAX: Duration = Duration::from_secs(2);

/// Outputs that wait for a slow store before readings have to wait as well.
const WRITES_WAITING_MAX: usize = 2;

/// How long servers wait at most that must be settled from the store: one read serves many late readings.
const SETTLE_AFTER: Duration = Duration::from_secs(20);

/// Servers that are settled with one read of the store.
const SETTLE_SERVERS_MAX: usize = 100;

/// How many ports there may be: what a faulty or hostile collector could make up has an end.
const PORTS_MAX: usize = 4_000_000;

/// What became of readings that were handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Stored, and on the disk.
    pub taken: u64,
    /// Not newer than what is known of their port (SPEC.md section 2, rule 1); ignored.
    pub stale: u64,
    /// Of a port over the number that there may be; refused.
    pub refused: u64,
}

/// The live state, readable from anywhere while the pipeline changes it, and how metering does. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    state: Arc<RwLock<Aggregator>>,
    vitals: Vitals,
    figures: Signal,
    readings: Signal,
    inventory: Signal,
}

impl Live {
    /// The state as it is now. Do not keep it: readings wait meanwhile.
    pub fn read(&self) -> RwLockReadGuard<'_, Aggregator> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How metering does.
    #[must_use]
    pub fn vitals(&self) -> &Vitals {
        &self.vitals
    }

    /// Says that samples of a server have changed.
    #[must_use]
    pub fn figures_changed(&self) -> &Signal {
        &self.figures
    }

    /// Says that readings were taken in.
    #[must_use]
    pub fn readings_came(&self) -> &Signal {
        &self.readings
    }

    /// Says that another inventory is in force.
    #[must_use]
    pub fn inventory_changed(&self) -> &Signal {
        &self.inventory
    }

    /// The live state from `state` on.
    fn of(state: Aggregator) -> Self {
        let (figures, readings, inventory) = (Signal::default(), Signal::default(), Signal::default());
        let (state, vitals) = (Arc::new(RwLock::new(state)), Vitals::default());
        Self { state, vitals, figures, readings, inventory }
    }

    fn write(&self) -> RwLockWriteGuard<'_, Aggregator> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Readings in, rows out. One per store.
pub struct Pipeline {
    store: Store,
    live: Live,
    batch: u64,
    ports_stored: usize,
    servers_stored: usize,
    inventory_version: u64,
    /// The number of the last checkpoint.
    checkpoint: u64,
    cold_since: Option<Instant>,
    output_since: Instant,
    writes: mpsc::Sender<Write>,
    writer: JoinHandle<()>,
}

/// What the writer is asked to do, in order.
struct Write {
    output: Output,
    checkpoint: Option<Checkpoint>,
    done: Option<oneshot::Sender<()>>,
    /// That it is on its way, until it is done.
    _waiting: Writing,
}

impl Pipeline {
    /// Goes on from what is stored.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn open(store: Store, times: Times, clock: Clock) -> Result<Self, StoreError> {
        let Recovered { aggregator, batch, inventory_version, checkpoint } =
            recovery::recover(&store, times, clock).await?;
        let (ports_stored, servers_stored) = (store.ports().await?.len(), store.servers().await?.len());
        let (writes, queue) = mpsc::channel(WRITES_WAITING_MAX);
        let writer = tokio::spawn(write(store.clone(), queue));
        let mut pipeline = Self {
            store,
            live: Live::of(aggregator),
            batch,
            ports_stored,
            servers_stored,
            inventory_version,
            checkpoint,
            cold_since: None,
            output_since: Instant::now(),
            writes,
            writer,
        };
        pipeline.number_all().await;
        pipeline.flush().await?;
        Ok(pipeline)
    }

    /// The live state.
    #[must_use]
    pub fn live(&self) -> Live {
        self.live.clone()
    }

    /// Takes lots of readings in, each in any order: when it returns they are durable and have been observed. Answers
    /// with a receipt for each lot.
    pub async fn take(&mut self, lots: Vec<Vec<Reading>>) -> Vec<Receipt> {
        let mut receipts = vec![Receipt::default(); lots.len()];
        let with_lot = lots
            .into_iter()
            .enumerate()
            .flat_map(|(lot, readings)| readings.into_iter().map(move |r| (lot, r)));
        let mut readings: Vec<(usize, Reading)> = with_lot.collect();
        // A port's readings must go forward in time; those of all its server's ports should go together.
        readings.sort_by_key(|(_, reading)| reading.counters.time);
        let mut accepted = Vec::with_capacity(readings.len());
        {
            let mut state = self.live.write();
            for (lot, reading) in readings {
                let receipt = &mut receipts[lot];
                let full = state.ports().len() >= PORTS_MAX;
                let Some(id) = state.find_or_number(&reading.port, !full) else {
                    receipt.refused += 1;
                    continue;
                };
                if state.accept(id, reading.counters.time) {
                    accepted.push((id, reading.counters));
                    receipt.taken += 1;
                } else {
                    receipt.stale += 1;
                }
            }
        }
        for receipt in &receipts {
            metrics::counter!("meter95_readings_taken_total").increment(receipt.taken);
            metrics::counter!("meter95_readings_stale_total").increment(receipt.stale);
            metrics::counter!("meter95_readings_refused_total").increment(receipt.refused);
        }
        if accepted.is_empty() {
            return receipts;
        }
        self.number_all().await;
        self.batch += 1;
        let waiting = self.live.vitals.writing(accepted.len());
        self.store.put_readings(&accepted, self.batch).await;
        drop(waiting);
        let changes = {
            let mut state = self.live.write();
            for (id, counters) in &accepted {
                state.observe(*id, counters);
            }
            state.changes().count()
        };
        self.live.readings.raise();
        self.live.figures.reach(changes);
        receipts
    }

    /// Tells the time: closes slots, puts late ones right, and writes what has waited long enough.
    ///
    /// # Errors
    /// When the store can't be read where memory does not reach back.
    pub async fn tick(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let (rows, cold, stale, changes) = {
            let mut state = self.live.write();
            state.advance(now);
            (state.output_rows(), state.has_cold(), state.has_stale_tallies(), state.changes().count())
        };
        self.live.figures.reach(changes);
        if stale {
            return self.flush().await;
        }
        if cold {
            let since = *self.cold_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= SETTLE_AFTER {
                return self.flush().await;
            }
        }
        if rows >= OUTPUT_ROWS_MAX || (rows > 0 && self.output_since.elapsed() >= OUTPUT_AGE_MAX) {
            self.write_output(None).await;
        }
        Ok(())
    }

    /// Stores everything that follows from what was taken, and returns when it is stored.
    ///
    /// # Errors
    /// When the store can't be read where memory does not reach back.
    pub async fn flush(&mut self) -> Result<(), StoreError> {
        self.write_output_and_wait().await;
        self.restore_stale_tallies().await?;
        let mut cold: Vec<(ServerId, Slot)> = self.live.write().take_cold().into_iter().collect();
        // Those that begin alike go together, so that one of long ago does not make all others be read from then on.
        cold.sort_unstable_by_key(|(_, from)| std::cmp::Reverse(*from));
        while !cold.is_empty() {
            let part = cold.split_off(cold.len().saturating_sub(SETTLE_SERVERS_MAX));
            if let Err(error) = self.settle(&part).await {
                self.live.write().give_back_cold(cold.into_iter().chain(part));
                return Err(error);
            }
        }
        self.cold_since = None;
        self.write_output_and_wait().await;
        let changes = self.live.read().changes().count();
        self.live.figures.reach(changes);
        Ok(())
    }

    /// Puts the stored inventory in force where it has changed. Returns whether it has.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn reload_inventory(&mut self) -> Result<bool, StoreError> {
        if self.store.inventory_version().await? == self.inventory_version {
            return Ok(false);
        }
        let (version, document) = self.store.inventory().await?;
        let inventory = Inventory::from_document(&document)
            .map_err(|e| StoreError::Contents(format!("the stored inventory contradicts itself: {e}")))?;
        self.live.write().set_inventory(inventory);
        self.number_all().await;
        self.flush().await?;
        self.inventory_version = version;
        self.write_output_and_wait().await;
        self.live.inventory.raise();
        tracing::info!(version, "put a new inventory in force");
        Ok(true)
    }

    /// Stores everything and ends.
    ///
    /// # Errors
    /// When the store can't be read where memory does not reach back.
    pub async fn close(mut self) -> Result<(), StoreError> {
        self.flush().await?;
        drop(self.writes);
        // The writer ends when the last order is carried out; it never panics.
        let _ = self.writer.await;
        Ok(())
    }

    /// Ends as a crash would: what has not been written is not.
    pub async fn crash(self) {
        self.writer.abort();
        // The error is that it was aborted.
        let _ = self.writer.await;
    }

    /// Stores the names and numbers of new ports and servers.
    async fn number_all(&mut self) {
        let (ports, servers) = {
            let state = self.live.read();
            let numbered = state.ports().iter().zip(0..).skip(self.ports_stored);
            let ports: Vec<_> = numbered.map(|(port, id)| (PortId(id), port.key.clone())).collect();
            let new = state.servers().iter().skip(self.servers_stored);
            let servers: Vec<_> = new.map(|server| (server.id, server.name.clone())).collect();
            (ports, servers)
        };
        let _waiting = self.live.vitals.writing(ports.len() + servers.len());
        if !ports.is_empty() {
            self.store.put_ports(ports.iter().map(|(id, key)| (*id, key))).await;
            self.ports_stored += ports.len();
        }
        if !servers.is_empty() {
            self.store.put_servers(servers.iter().map(|(id, name)| (*id, name.as_str()))).await;
            self.servers_stored += servers.len();
        }
    }

    /// Hands what has come about to the writer. What follows from all readings so far is stored with it, unless
    /// some servers still wait to be settled.
    async fn write_output(&mut self, done: Option<oneshot::Sender<()>>) {
        self.checkpoint += 1;
        let (output, checkpoint) = {
            let mut state = self.live.write();
            let checkpoint = Checkpoint {
                batch: self.batch,
                clock_ms: u64::try_from(state.clock().0).unwrap_or(0),
                inventory: self.inventory_version,
                serial: self.checkpoint,
            };
            (state.take_output(), (!state.has_cold()).then_some(checkpoint))
        };
        self.output_since = Instant::now();
        metrics::counter!("meter95_samples_closed_total").increment(output.samples.len() as u64);
        for found in &output.breaks {
            metrics::counter!("meter95_breaks_total", "kind" => found.found.kind.name()).increment(1);
        }
        // It can only fail when the writer is gone, that is after `close`.
        let _waiting = self.live.vitals.writing(output.rows());
        let _ = self.writes.send(Write { output, checkpoint, done, _waiting }).await;
    }

    async fn write_output_and_wait(&mut self) {
        let (done, wait) = oneshot::channel();
        self.live.write().advance(Timestamp(0));
        self.write_output(Some(done)).await;
        let _ = wait.await;
    }

    async fn restore_stale_tallies(&mut self) -> Result<(), StoreError> {
        let stale = self.live.write().take_stale_tallies();
        if stale.is_empty() {
            return Ok(());
        }
        let (month, wanted) = self.live.read().rules_now(stale.iter().copied());
        match self.store.tallies(wanted).await {
            Ok(tallies) => {
                let mut state = self.live.write();
                for (id, tally) in tallies {
                    state.set_tally(id, month, tally);
                }
                Ok(())
            }
            Err(error) => {
                self.live.write().give_back_stale_tallies(stale);
                Err(error)
            }
        }
    }

    /// Makes closed slots of `servers` anew from what the store has of their ports.
    async fn settle(&mut self, servers: &[(ServerId, Slot)]) -> Result<(), StoreError> {
        let (ids, ports, span) = {
            let state = self.live.read();
            let known: Vec<_> = servers
                .iter()
                .filter_map(|(id, from)| Some((state.servers().get(id.index())?, *from)))
                .collect();
            let ids: Vec<ServerId> = known.iter().map(|(server, _)| server.id).collect();
            let mut ports: Vec<PortId> =
                known.iter().flat_map(|(s, _)| s.bound.iter().map(|b| b.port)).collect();
            ports.sort_unstable();
            ports.dedup();
            let from = known.iter().map(|(_, from)| *from).min().unwrap_or(Slot(0));
            let until = known.iter().filter_map(|(server, _)| server.closed_until).max().unwrap_or(from);
            (ids, ports, SlotSpan { from, until: until.max(from) })
        };
        let slots = self.store.port_slots(&ports, span).await?;
        let mut samples = self.store.samples(&ids, span).await?;
        let mut by_port: HashMap<PortId, Vec<(Slot, PortSlot)>> = HashMap::new();
        for ((slot, port), carried) in slots {
            by_port.entry(port).or_default().push((slot, carried));
        }
        let mut state = self.live.write();
        for (id, from) in servers {
            let Some(server) = state.servers().get(id.index()) else { continue };
            let ports = server.bound.iter().map(|bound| bound.port);
            let of = |port: PortId| {
                let slots = by_port.get(&port).into_iter().flatten();
                slots.map(move |(slot, carried)| ((*slot, port), *carried))
            };
            let carried = ports.flat_map(of).collect();
            state.settle(*id, *from, &carried, &samples.remove(id).unwrap_or_default());
        }
        Ok(())
    }
}

/// Carries out what the pipeline orders, in order.
async fn write(store: Store, mut queue: mpsc::Receiver<Write>) {
    while let Some(Write { output, checkpoint, done, _waiting }) = queue.recv().await {
        if output.rows() > 0 {
            store.put_output(&output).await;
        }
        if let Some(checkpoint) = checkpoint {
            store.put_checkpoint(checkpoint).await;
        }
        if let Some(done) = done {
            // Nobody waits any more when the pipeline was dropped.
            let _ = done.send(());
        }
    }
}
