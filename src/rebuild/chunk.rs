//! A month's readings a few servers at a time, so that it is never in memory as a whole.

use hashbrown::HashMap;
use meter95_reading::PortKey;

use super::derive::{Carried, Replay, Window};
use crate::aggregator::output::{PortId, ServerId};
use crate::metering::allowance::Grant;
use crate::metering::period::SlotSpan;
use crate::store::connection::{Store, StoreError};

/// Servers, or ports without one, that are handled at once. Their readings of a month go by one by one, a million or
/// more of them; ClickHouse sorts as many at a time, and what their ports carried takes some 20 MiB.
pub(super) const AT_ONCE_MAX: usize = 25;

/// The numbers under which the store knows ports and servers.
#[derive(Debug)]
pub(super) struct Numbers {
    /// Every port at the place of its number.
    pub(super) ports: Vec<PortKey>,
    port_ids: HashMap<PortKey, PortId>,
    server_ids: HashMap<String, ServerId>,
}

impl Numbers {
    pub(super) async fn read(store: &Store) -> Result<Self, StoreError> {
        let ports = store.ports().await?;
        let port_ids = ports.iter().cloned().zip((0..).map(PortId)).collect();
        let server_ids = store.servers().await?.into_iter().zip((0..).map(ServerId)).collect();
        Ok(Self { ports, port_ids, server_ids })
    }

    pub(super) fn port(&self, key: &PortKey) -> Option<PortId> {
        self.port_ids.get(key).copied()
    }

    pub(super) fn server(&self, name: &str) -> Option<ServerId> {
        self.server_ids.get(name).copied()
    }

    pub(super) fn key(&self, id: PortId) -> Option<&PortKey> {
        self.ports.get(id.index())
    }
}

/// By which rules readings become slots.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    /// The slots that are asked for.
    pub(super) span: SlotSpan,
    /// The longest stretch between two readings that is spread, in ms.
    pub(super) max_gap_ms: i64,
    /// The ports' speeds by the operator's word.
    pub(super) speeds: HashMap<&'a PortKey, Vec<Grant>>,
}

impl Rules<'_> {
    /// A port before its first reading.
    pub(super) fn replay(&self, port: Option<&PortKey>) -> Replay<'_> {
        let speeds = port.and_then(|key| self.speeds.get(key)).map_or(&[][..], Vec::as_slice);
        Replay::new(self.span, speeds, self.max_gap_ms)
    }

    /// What `ports` carried, by the readings that are stored.
    pub(super) async fn carried(
        &self,
        store: &Store,
        numbers: &Numbers,
        ports: &[PortId],
    ) -> Result<HashMap<PortId, Carried>, StoreError> {
        let Window { from, until } = Window::around(self.span, self.max_gap_ms);
        let replays: HashMap<PortId, Replay<'_>> = store
            .fold_readings(ports, from, until, HashMap::new, |replays, id, counters| {
                replays.entry(id).or_insert_with(|| self.replay(numbers.key(id))).observe(counters);
            })
            .await?;
        Ok(replays.into_iter().map(|(id, replay)| (id, replay.finish())).collect())
    }
}
