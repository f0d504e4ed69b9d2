//! The door through which readings from anywhere reach the pipeline: bounded, and answered only when they are durable.

use std::time::Duration;

use meter95_reading::{Reading, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::pipeline::{Pipeline, Receipt};
use super::vitals::Vitals;
use crate::store::connection::StoreError;

/// Handed-in lots of readings that wait at most; more are sent back with "busy", and come again.
const LOTS_WAITING_MAX: usize = 64;

/// Readings that are stored with one insert at most, over several lots.
const READINGS_AT_ONCE_MAX: usize = 200_000;

/// How often the clock is told when no readings come.
const TICK: Duration = Duration::from_secs(1);

/// How often is looked whether the inventory was changed by another command.
const INVENTORY_EVERY: Duration = Duration::from_secs(5);

/// How far ahead of this machine's clock a reading may be, in ms: collectors' clocks differ. A reading from further
/// ahead would close slots before their time.
pub const AHEAD_MS_MAX: i64 = 120_000;

/// A reading from too far ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("time {time} is {} s ahead of this machine's clock", .ahead_ms / 1_000)]
pub struct Ahead {
    /// The reading's time.
    pub time: Timestamp,
    /// How far ahead that is, in ms; above [`AHEAD_MS_MAX`].
    pub ahead_ms: i64,
}

/// Whether a reading of this time can be taken at `now`.
///
/// # Errors
/// When it is more than [`AHEAD_MS_MAX`] ahead.
pub fn check_time(time: Timestamp, now: Timestamp) -> Result<(), Ahead> {
    let ahead_ms = time.ms_since(now);
    if ahead_ms > AHEAD_MS_MAX { Err(Ahead { time, ahead_ms }) } else { Ok(()) }
}

/// Readings that were handed in together, and who waits for the receipt.
struct Lot {
    readings: Vec<Reading>,
    receipt: oneshot::Sender<Receipt>,
}

/// Why readings were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntakeError {
    /// Too many wait already; the same readings can be handed in again a little later.
    #[error("too many readings are waiting to be stored")]
    Busy,
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping,
}

/// A door to a pipeline. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    lots: mpsc::Sender<Lot>,
}

impl Intake {
    /// A door, and the queue behind it for [`run`].
    #[must_use]
    pub fn new() -> (Self, Queue) {
        let (lots, queue) = mpsc::channel(LOTS_WAITING_MAX);
        (Self { lots }, Queue { lots: queue })
    }

    /// Hands readings in; returns when those that were taken are durable. Waits while the queue is full.
    ///
    /// # Errors
    /// When the service is stopping; none of the readings counts as taken then.
    pub async fn submit(&self, readings: Vec<Reading>) -> Result<Receipt, IntakeError> {
        let (receipt, wait) = oneshot::channel();
        self.lots.send(Lot { readings, receipt }).await.map_err(|_| IntakeError::Stopping)?;
        wait.await.map_err(|_| IntakeError::Stopping)
    }

    /// As [`Intake::submit`], but does not wait for a place in the queue.
    ///
    /// # Errors
    /// When the queue is full or the service is stopping; none of the readings counts as taken then.
    pub async fn try_submit(&self, readings: Vec<Reading>) -> Result<Receipt, IntakeError> {
        let (receipt, wait) = oneshot::channel();
        self.lots.try_send(Lot { readings, receipt }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => IntakeError::Busy,
            mpsc::error::TrySendError::Closed(_) => IntakeError::Stopping,
        })?;
        wait.await.map_err(|_| IntakeError::Stopping)
    }
}

/// What waits behind an [`Intake`].
#[derive(Debug)]
pub struct Queue {
    lots: mpsc::Receiver<Lot>,
}

/// Carries what is handed in to the pipeline and tells it the time, until `stop`; then takes what still waits, stores
/// everything and ends.
///
/// # Errors
/// When the store can't be read where memory does not reach back.
pub async fn run(
    mut pipeline: Pipeline,
    mut queue: Queue,
    now: fn() -> Timestamp,
    stop: CancellationToken,
) -> Result<(), StoreError> {
    let vitals = pipeline.live().vitals().clone();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut inventory_at = Instant::now();
    loop {
        tokio::select! {
            lot = queue.lots.recv() => match lot {
                Some(lot) => take_with_others(&mut pipeline, &mut queue, lot, &vitals, now).await,
                None => break,
            },
            _ = tick.tick() => {}
            () = stop.cancelled() => {
                queue.lots.close();
                while let Some(lot) = queue.lots.recv().await {
                    take_with_others(&mut pipeline, &mut queue, lot, &vitals, now).await;
                }
                break;
            }
        }
        let told = pipeline.tick(now()).await;
        let reloaded = if inventory_at.elapsed() >= INVENTORY_EVERY {
            inventory_at = Instant::now();
            pipeline.reload_inventory().await.map(|_| ())
        } else {
            Ok(())
        };
        if let Err(e) = told.and(reloaded) {
            // Nothing is lost: what could not be read now is read at the next tick.
            tracing::error!(error = %e, "store can't be read");
        }
    }
    pipeline.close().await
}

/// Takes a lot together with others that wait already: one insert serves them all.
async fn take_with_others(
    pipeline: &mut Pipeline,
    queue: &mut Queue,
    first: Lot,
    vitals: &Vitals,
    now: fn() -> Timestamp,
) {
    let mut lots = vec![first];
    let mut waiting = lots[0].readings.len();
    while waiting < READINGS_AT_ONCE_MAX
        && let Ok(lot) = queue.lots.try_recv()
    {
        waiting += lot.readings.len();
        lots.push(lot);
    }
    let (readings, receipts): (Vec<Vec<Reading>>, Vec<_>) =
        lots.into_iter().map(|lot| (lot.readings, lot.receipt)).unzip();
    let came_at = now();
    for lot in &readings {
        vitals.came(lot, came_at);
    }
    let taken = pipeline.take(readings).await;
    vitals.took(&taken, now());
    for (receipt, answer) in taken.into_iter().zip(receipts) {
        // Whoever went away without waiting may hand the same in again: it is stale then.
        let _ = answer.send(receipt);
    }
}
