//! Looks for what somebody should know of, and tells the board what is true now. Each file knows one kind of thing, and
//! finds it in the live state without I/O where it can.

pub mod burst;
pub mod health;
pub mod meters;
pub mod reviews;
pub mod silence;
pub mod uplinks;

use std::collections::BTreeSet;
use std::time::Duration;

use meter95_reading::Timestamp;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::board::Board;
use super::outbox::OutboxError;
use crate::aggregator::pipeline::Live;
use crate::collectors::registry::Collectors;
use crate::store::connection::{Store, StoreError};
use health::Health;
use meters::Meters;
use uplinks::Uplinks;

/// How often is looked: silence is told within a minute, and a slot is twenty of these.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// The source of alerts about silent ports and devices.
const PORTS: &str = "ports";

/// What of the service is looked at.
pub struct Lookout {
    /// The live state.
    pub live: Live,
    /// Collectors elsewhere.
    pub collectors: Collectors,
    /// Statements.
    pub store: Store,
    /// Who is told.
    pub board: Board,
    /// Since when the service has been running: what was read before can't be missed yet.
    pub since: Timestamp,
}

/// Why a look was not finished.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The board can't be told.
    #[error(transparent)]
    Board(#[from] OutboxError),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is remembered from look to look.
struct Memory {
    uplinks: Uplinks,
    meters: Meters,
    health: Health,
}

impl Lookout {
    /// Looks until `stop`. What fails is looked at again with the next look.
    pub async fn run(self, now: impl Fn() -> Timestamp, stop: CancellationToken) {
        let raised = self.board.raised();
        let mut memory = Memory {
            uplinks: Uplinks::resume(&raised),
            meters: Meters::resume(&raised),
            health: Health::resume(&raised),
        };
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = look.tick() => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.look(&mut memory, now()).await {
                tracing::error!(error = %error, "alerts can't be told, trying again");
            }
        }
    }

    /// Tells the board everything that is true at `now`.
    async fn look(&self, memory: &mut Memory, now: Timestamp) -> Result<(), LookError> {
        let silent = self.board.raised().into_iter().filter(|notice| notice.source == PORTS);
        let silent: BTreeSet<String> = silent.map(|notice| notice.alert.key).collect();
        let (burst, uplinks, silence, meters, health) = {
            let state = self.live.read();
            (
                burst::alerts(&state),
                memory.uplinks.look(&state),
                silence::alerts(&state, self.since, now, &silent),
                memory.meters.look(&state),
                memory.health.look(&state, self.live.vitals().report(now), self.since, now),
            )
        };
        let board = &self.board;
        board.set("burst", burst, now).await?;
        board.set("uplinks", uplinks, now).await?;
        board.set(PORTS, silence, now).await?;
        board.set("meters", meters, now).await?;
        board.set("health", health, now).await?;
        board.set("collectors", silence::collectors(&self.collectors.list().await?, now), now).await?;
        board.set("reviews", reviews::alerts(self.store.held_statements().await?), now).await?;
        Ok(())
    }
}
