//! What is stored of a month, held against what its readings give; and put right where the two differ.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use meter95_reading::{PortKey, Timestamp};

use super::chunk::{AT_ONCE_MAX, Numbers, Rules};
use super::derive::{Bound, Carried, Window, speeds};
use crate::aggregator::output::{Output, PortId, PortSlotOut, Revised, ServerId};
use crate::aggregator::state::Times;
use crate::inventory::Inventory;
use crate::metering::period::{Month, SlotSpan};
use crate::metering::sample::Sample;
use crate::metering::slot::PortSlot;
use crate::metering::units::Slot;
use crate::store::connection::{Store, StoreError};
use crate::store::load::StoredSamples;
use crate::store::proof::StoredPortSlot;

/// Differences that are kept to be shown, half of them of ports and half of servers; the others are counted.
pub const DIFFERENCES_MAX: usize = 20;

/// Why a month can't be made again.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Readings are stored of which nothing may have followed yet.
    #[error(
        "{readings} readings of {period} are stored whose samples are not yet; a running service makes them within \
         seconds, without one start it once: meter95 serve"
    )]
    NotFollowed {
        /// The month.
        period: Month,
        /// How many readings.
        readings: u64,
    },
    /// Samples were made by another inventory than the one in force.
    #[error(
        "the inventory changed to version {version} and samples are still those of version {followed}; a running service \
         makes them anew within seconds, without one start it once: meter95 serve"
    )]
    OtherInventory {
        /// The version in force.
        version: u64,
        /// The version by which samples were made.
        followed: u64,
    },
}

/// Servers, with the ports whose slots are looked at together with them.
#[derive(Debug)]
pub struct Chunk<'a> {
    servers: Vec<Bound<'a>>,
    /// All ports of the servers.
    ports: Vec<PortId>,
    /// Those of them that no chunk before this one looks at.
    own: BTreeSet<PortId>,
}

/// How many there are of something, and what came of holding them against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Stored, or made from readings.
    pub compared: u64,
    /// The same both ways.
    pub equal: u64,
    /// Left as they are stored, since their readings are no longer stored.
    pub left: u64,
}

impl Count {
    /// How many differ.
    #[must_use]
    pub fn differ(self) -> u64 {
        self.compared - self.equal - self.left
    }
}

/// What is stored and what readings give instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// What a port carried.
    Port {
        /// The port.
        port: PortKey,
        /// The slot.
        slot: Slot,
        /// What is stored.
        stored: Option<PortSlot>,
        /// What readings give.
        made: Option<PortSlot>,
    },
    /// A server's sample.
    Server {
        /// The server.
        server: String,
        /// The slot.
        slot: Slot,
        /// What is stored.
        stored: Option<Sample>,
        /// What readings give.
        made: Option<Sample>,
    },
}

/// What came of comparing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Slots of ports.
    pub port_slots: Count,
    /// Samples of servers.
    pub samples: Count,
    /// The first [`DIFFERENCES_MAX`] differences.
    pub first: Vec<Difference>,
    /// Ports and servers of which something was left as it is, with the number of slots.
    pub left: BTreeMap<String, u64>,
}

impl Comparison {
    /// How many slots and samples differ.
    #[must_use]
    pub fn differ(&self) -> u64 {
        self.port_slots.differ() + self.samples.differ()
    }

    fn note(&mut self, difference: Difference) {
        let is_port = |difference: &Difference| matches!(difference, Difference::Port { .. });
        let alike = self.first.iter().filter(|other| is_port(other) == is_port(&difference)).count();
        if alike < DIFFERENCES_MAX / 2 {
            self.first.push(difference);
        }
    }
}

/// A month that is to be made again.
#[derive(Debug)]
pub struct Rebuild<'a> {
    inventory: &'a Inventory,
    period: Month,
    numbers: Numbers,
    rules: Rules<'a>,
    /// The batch of readings up to which everything had followed.
    batch: u64,
    /// Of later readings than these a running service may not have made everything yet.
    followed_until: Timestamp,
}

impl<'a> Rebuild<'a> {
    /// Makes ready to look at `period` at the instant `now`: at the slots of it that had closed for good when the
    /// aggregator last said how far it was, which no reading that comes in time changes any more.
    ///
    /// # Errors
    /// When the store can't be read, or has readings or an inventory that were not followed yet.
    pub async fn open(
        store: &Store,
        inventory: &'a Inventory,
        period: Month,
        times: Times,
        now: Timestamp,
    ) -> Result<Self, RebuildError> {
        let checkpoint = store.checkpoint().await?;
        let version = store.inventory_version().await?;
        if version != checkpoint.inventory {
            return Err(RebuildError::OtherInventory { version, followed: checkpoint.inventory });
        }
        let clock = Timestamp(i64::try_from(checkpoint.clock_ms).unwrap_or(i64::MAX));
        let settled = Slot::of(clock.plus_ms(-times.grace_ms).plus_ms(-times.max_gap_ms).plus_ms(-Slot::MS));
        let month = period.slots(&inventory.timezone);
        let span = SlotSpan { from: month.from, until: month.until.min(settled).max(month.from) };
        let rebuild = Self {
            inventory,
            period,
            numbers: Numbers::read(store).await?,
            rules: Rules { span, max_gap_ms: times.max_gap_ms, speeds: speeds(inventory) },
            batch: checkpoint.batch,
            followed_until: Window::around(month, times.max_gap_ms).until.min(now.plus_ms(-times.grace_ms)),
        };
        rebuild.check_followed(store).await?;
        Ok(rebuild)
    }

    /// The slots that are compared: the closed ones of the month.
    #[must_use]
    pub fn span(&self) -> SlotSpan {
        self.rules.span
    }

    /// Asserts that everything has followed from the month's readings, but for those of the last minutes, as of the
    /// checkpoint that was read at the start.
    ///
    /// # Errors
    /// When it has not, or the store can't be read.
    pub async fn check_followed(&self, store: &Store) -> Result<(), RebuildError> {
        let Window { from, .. } = Window::around(self.rules.span, self.rules.max_gap_ms);
        match store.readings_after_batch(self.batch, from, self.followed_until).await? {
            0 => Ok(()),
            readings => Err(RebuildError::NotFollowed { period: self.period, readings }),
        }
    }

    /// The month in parts that fit in memory: every server with its ports and, unless only the server `only` is
    /// asked for, the ports of none.
    #[must_use]
    pub fn chunks(&self, only: Option<&str>) -> Vec<Chunk<'a>> {
        if self.rules.span.is_empty() {
            return Vec::new();
        }
        let wanted = self.inventory.servers.values().filter(|s| only.is_none_or(|id| id == s.id));
        let bound: Vec<Bound<'a>> = wanted.map(|s| Bound::new(s, |key| self.numbers.port(key))).collect();
        let mut seen = BTreeSet::new();
        let mut chunks = Vec::new();
        for servers in bound.chunks(AT_ONCE_MAX) {
            let ports: BTreeSet<PortId> = servers.iter().flat_map(Bound::ports).collect();
            let own = ports.difference(&seen).copied().collect();
            seen.extend(&ports);
            chunks.push(Chunk { servers: servers.to_vec(), ports: ports.into_iter().collect(), own });
        }
        if only.is_none() {
            let all = (0..).map(PortId).take(self.numbers.ports.len());
            let rest: Vec<PortId> = all.filter(|id| !seen.contains(id)).collect();
            chunks.extend(rest.chunks(AT_ONCE_MAX).map(|ports| Chunk {
                servers: Vec::new(),
                ports: ports.to_vec(),
                own: ports.iter().copied().collect(),
            }));
        }
        chunks
    }

    /// Makes the slots and samples of `chunk` again and holds what is stored against them. What differs goes to
    /// `into`, and into the store where `write` says so: slots in the place of those that are there, samples as new
    /// revisions.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn compare(
        &self,
        store: &Store,
        chunk: &Chunk<'_>,
        write: bool,
        into: &mut Comparison,
    ) -> Result<(), RebuildError> {
        let span = self.rules.span;
        let mut carried = self.rules.carried(store, &self.numbers, &chunk.ports).await?;
        let stored = store.slots_by_port(&chunk.ports, span).await?;
        let mut output = Output::default();
        for id in &chunk.ports {
            let made = carried.entry(*id).or_default();
            let stored = stored.get(id).map_or(&[][..], Vec::as_slice);
            // A port that another chunk looked at as well is not counted twice.
            let mut again = Comparison::default();
            let into = if chunk.own.contains(id) { &mut *into } else { &mut again };
            self.compare_port(*id, made, stored, into, &mut output);
        }
        let ids: Vec<ServerId> =
            chunk.servers.iter().filter_map(|b| self.numbers.server(&b.server.id)).collect();
        let mut samples = store.samples(&ids, span).await?;
        for (bound, id) in chunk.servers.iter().filter_map(|b| Some((b, self.numbers.server(&b.server.id)?)))
        {
            let stored = samples.remove(&id).unwrap_or_default();
            self.compare_server(id, bound, &carried, &stored, into, &mut output);
        }
        if write {
            store.put_output(&output).await;
        }
        Ok(())
    }

    /// Holds a port's slots against each other. Where the readings of some are gone, what is stored takes their place
    /// in `made`, so that samples are made from it.
    fn compare_port(
        &self,
        id: PortId,
        made: &mut Carried,
        stored: &[StoredPortSlot],
        into: &mut Comparison,
        output: &mut Output,
    ) {
        let Some(key) = self.numbers.key(id) else { return };
        let by_slot: BTreeMap<Slot, &StoredPortSlot> = stored.iter().map(|s| (s.slot, s)).collect();
        let slots: BTreeSet<Slot> = made.slots().chain(by_slot.keys().copied()).collect();
        for slot in slots {
            let row = by_slot.get(&slot);
            // A slot without anything stands where one was taken back.
            let before = row.map(|row| row.carried).filter(|carried| *carried != PortSlot::default());
            let after = made.in_slot(slot);
            let complete = made.is_complete(slot);
            if before.is_none() && (after.is_none() || !complete) {
                // The slot of a port's last reading is stored when a server's sample is made of it, or never.
                continue;
            }
            into.port_slots.compared += 1;
            if before == after {
                into.port_slots.equal += 1;
                continue;
            }
            let covered_ms = |carried: Option<PortSlot>| carried.map_or(0, |c| c.covered_ms);
            if let Some(before) = before.filter(|b| b.covered_ms > covered_ms(after) && !made.spans(slot)) {
                into.port_slots.left += 1;
                *into.left.entry(format!("port {key}")).or_default() += 1;
                made.set(slot, before);
                continue;
            }
            into.note(Difference::Port { port: key.clone(), slot, stored: before, made: after });
            let complete = complete || row.is_some_and(|row| row.complete);
            output.port_slots.push(PortSlotOut {
                port: id,
                slot,
                carried: after.unwrap_or_default(),
                complete,
            });
        }
    }

    /// Holds a server's samples against each other.
    fn compare_server(
        &self,
        id: ServerId,
        bound: &Bound<'_>,
        carried: &HashMap<PortId, Carried>,
        stored: &StoredSamples,
        into: &mut Comparison,
        output: &mut Output,
    ) {
        let name = &bound.server.id;
        let of_ports = bound.ports().filter_map(|port| carried.get(&port)).flat_map(Carried::slots);
        let slots: BTreeSet<Slot> = of_ports.chain(stored.keys().copied()).collect();
        for slot in slots {
            let before = stored.get(&slot).copied().unwrap_or(Revised { sample: None, revision: 0 });
            let made = bound.sample(slot, |port| carried.get(&port)?.in_slot(slot));
            if before.sample.is_none() && made.is_none() {
                continue;
            }
            into.samples.compared += 1;
            if before.sample == made {
                into.samples.equal += 1;
                continue;
            }
            let spans = |port: PortId| carried.get(&port).is_some_and(|c| c.spans(slot));
            let has_ports = bound.ports_in(slot).next().is_some();
            if made.is_none() && has_ports && !bound.ports_in(slot).any(spans) {
                into.samples.left += 1;
                *into.left.entry(format!("server {name}")).or_default() += 1;
                continue;
            }
            let stored = before.sample;
            into.note(Difference::Server { server: name.clone(), slot, stored, made });
            output.revise(id, slot, before, made);
        }
    }
}
