//! What figures can be proved from: samples as they were at any revision, and readings to make them again.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use meter95_reading::{Counters, Timestamp};

use super::connection::{Store, StoreError};
use super::load::NUMBERS_MAX;
use super::rows::{BreakRow, PortSlotRow, ReadingRow, SampleRow, slot_of_s, slot_s};
use crate::aggregator::output::{PortId, ServerId};
use crate::inventory::instant::rfc3339;
use crate::metering::period::SlotSpan;
use crate::metering::sample::Sample;
use crate::metering::slot::PortSlot;
use crate::metering::units::Slot;

/// What the store has of a slot of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredPortSlot {
    /// The slot.
    pub slot: Slot,
    /// What the port carried.
    pub carried: PortSlot,
    /// Whether no more can follow.
    pub complete: bool,
}

/// A break between two readings of a port, with what both had counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBreak {
    /// The port.
    pub port: PortId,
    /// `reset`, `gap` or `implausible`.
    pub kind: String,
    /// What showed it, for a reset; empty for the others.
    pub cause: String,
    /// The earlier reading.
    pub before: Counted,
    /// The later reading.
    pub after: Counted,
    /// Octets received and sent in between by the counters that are not counted, where the counters tell them.
    pub left_out: Option<(u64, u64)>,
}

/// What an interface had counted at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// When.
    pub at: Timestamp,
    /// Octets received.
    pub rx_octets: u64,
    /// Octets sent.
    pub tx_octets: u64,
}

impl Store {
    /// The samples of `server` in `span` as they were: at the revision that `revisions` names, at revision 1 where it
    /// names none; slots in `gaps` have none, nor have those that were withdrawn at that revision.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a sample is not there at the revision asked for.
    pub async fn samples_at(
        &self,
        server: ServerId,
        span: SlotSpan,
        revisions: &BTreeMap<Slot, u16>,
        gaps: &[SlotSpan],
    ) -> Result<BTreeMap<Slot, Sample>, StoreError> {
        let in_gaps: BTreeSet<Slot> = gaps.iter().flat_map(|gap| slots_of(gap.intersect(span))).collect();
        let newest = self.samples(&[server], span).await?.remove(&server).unwrap_or_default();
        let mut samples = BTreeMap::new();
        let mut superseded = Vec::new();
        for slot in slots_of(span).filter(|slot| !in_gaps.contains(slot)) {
            let revision = revisions.get(&slot).copied().unwrap_or(1);
            match newest.get(&slot) {
                Some(found) if found.revision == revision => {
                    samples.extend(found.sample.map(|sample| (slot, sample)));
                }
                _ => superseded.push((slot, revision)),
            }
        }
        let Some(((first, _), (last, _))) = superseded.first().zip(superseded.last()) else {
            return Ok(samples);
        };
        let older = self.superseded(server, SlotSpan { from: *first, until: last.next() }).await?;
        for (slot, revision) in superseded {
            let Some(sample) = older.get(&(slot, revision)) else {
                let name = self.servers().await?.into_iter().nth(server.index());
                return Err(StoreError::Contents(format!(
                    "server {:?} has no sample of revision {revision} for the slot of {}",
                    name.unwrap_or_else(|| format!("number {}", server.0)),
                    rfc3339(slot.start())
                )));
            };
            samples.extend(sample.map(|sample| (slot, sample)));
        }
        Ok(samples)
    }

    /// The samples of `server` in `span` in whose place later revisions stand, by slot and revision; `None` where that
    /// revision withdrew one.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn superseded(
        &self,
        server: ServerId,
        span: SlotSpan,
    ) -> Result<BTreeMap<(Slot, u16), Option<Sample>>, StoreError> {
        let rows: Vec<SampleRow> = self
            .read("reading superseded samples", |client| async move {
                let sql = "SELECT ?fields FROM samples_superseded FINAL WHERE server_id = ? \
                           AND slot >= fromUnixTimestamp(?) AND slot < fromUnixTimestamp(?)";
                let query = client.query(sql).bind(server.0);
                query.bind(slot_s(span.from)).bind(slot_s(span.until)).fetch_all().await
            })
            .await?;
        let entry = |row: SampleRow| ((slot_of_s(row.slot), row.revision), row.revised().sample);
        Ok(rows.into_iter().map(entry).collect())
    }

    /// Hands the readings of `ports` from `from` to before `until` to `each`, port by port and in the order of time,
    /// and returns what it made of `start`. They are never all in memory; where ClickHouse goes away meanwhile,
    /// all begins anew.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a row can't be understood.
    pub async fn fold_readings<S>(
        &self,
        ports: &[PortId],
        from: Timestamp,
        until: Timestamp,
        start: impl Fn() -> S,
        each: impl Fn(&mut S, PortId, &Counters),
    ) -> Result<S, StoreError> {
        let numbers: Vec<u32> = ports.iter().map(|id| id.0).collect();
        let bound = |time: Timestamp| u64::try_from(time.0).unwrap_or(0);
        let (numbers, start, each) = (&numbers, &start, &each);
        let (state, strange) = self
            .read("reading readings", |client| async move {
                let sql = "SELECT ?fields FROM readings FINAL WHERE port_id IN ? \
                           AND time >= fromUnixTimestamp64Milli(?) AND time < fromUnixTimestamp64Milli(?) \
                           ORDER BY port_id, time";
                let query = client.query(sql).bind(numbers).bind(bound(from)).bind(bound(until));
                let mut rows = query.fetch::<ReadingRow>()?;
                let (mut state, mut strange) = (start(), None);
                while let Some(row) = rows.next().await? {
                    match row.counters() {
                        Some((id, counters)) => each(&mut state, id, &counters),
                        None => strange = Some((row.port_id, row.width)),
                    }
                }
                Ok((state, strange))
            })
            .await?;
        match strange {
            None => Ok(state),
            Some((port, width)) => {
                Err(StoreError::Contents(format!("a reading of port {port} has a width of {width}")))
            }
        }
    }

    /// How many readings from `from` to before `until` came with a batch after `batch`.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn readings_after_batch(
        &self,
        batch: u64,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<u64, StoreError> {
        let bound = |time: Timestamp| u64::try_from(time.0).unwrap_or(0);
        self.read("counting new readings", |client| async move {
            let sql = "SELECT count() FROM readings WHERE batch > ? \
                       AND time >= fromUnixTimestamp64Milli(?) AND time < fromUnixTimestamp64Milli(?)";
            client.query(sql).bind(batch).bind(bound(from)).bind(bound(until)).fetch_one().await
        })
        .await
    }

    /// What the store has of `ports` in the slots of `span`, each port's ascending.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn slots_by_port(
        &self,
        ports: &[PortId],
        span: SlotSpan,
    ) -> Result<HashMap<PortId, Vec<StoredPortSlot>>, StoreError> {
        let numbers: Vec<u32> = ports.iter().map(|id| id.0).collect();
        let mut slots: HashMap<PortId, Vec<StoredPortSlot>> = HashMap::new();
        for part in numbers.chunks(NUMBERS_MAX) {
            let rows: Vec<PortSlotRow> = self
                .read("reading slots of ports", |client| async move {
                    let sql = "SELECT ?fields FROM port_slots FINAL WHERE port_id IN ? \
                               AND slot >= fromUnixTimestamp(?) AND slot < fromUnixTimestamp(?) \
                               ORDER BY port_id, slot";
                    let query = client.query(sql).bind(part).bind(slot_s(span.from)).bind(slot_s(span.until));
                    query.fetch_all().await
                })
                .await?;
            for row in rows {
                let stored = StoredPortSlot {
                    slot: slot_of_s(row.slot),
                    carried: row.carried(),
                    complete: row.revision > 1,
                };
                slots.entry(PortId(row.port_id)).or_default().push(stored);
            }
        }
        Ok(slots)
    }

    /// The breaks of `ports` of which any part lies from `from` to before `until`, in the order of time.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn breaks_between(
        &self,
        ports: &[PortId],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<StoredBreak>, StoreError> {
        let numbers: Vec<u32> = ports.iter().map(|id| id.0).collect();
        let mut breaks = Vec::new();
        for part in numbers.chunks(NUMBERS_MAX) {
            let rows: Vec<BreakRow> = self
                .read("reading breaks", |client| async move {
                    let sql = "SELECT ?fields FROM breaks FINAL WHERE port_id IN ? \
                               AND time > fromUnixTimestamp64Milli(?) AND time_before < fromUnixTimestamp64Milli(?)";
                    client.query(sql).bind(part).bind(from.0).bind(until.0).fetch_all().await
                })
                .await?;
            breaks.extend(rows.into_iter().map(StoredBreak::from));
        }
        breaks.sort_by_key(|found| (found.after.at, found.port));
        Ok(breaks)
    }
}

impl From<BreakRow> for StoredBreak {
    fn from(row: BreakRow) -> Self {
        let (time_before, time) = (Timestamp(row.time_before), Timestamp(row.time));
        Self {
            port: PortId(row.port_id),
            kind: row.kind,
            cause: row.cause,
            before: Counted {
                at: time_before,
                rx_octets: row.rx_octets_before,
                tx_octets: row.tx_octets_before,
            },
            after: Counted { at: time, rx_octets: row.rx_octets, tx_octets: row.tx_octets },
            left_out: row.rx_octets_left_out.zip(row.tx_octets_left_out),
        }
    }
}

fn slots_of(span: SlotSpan) -> impl Iterator<Item = Slot> {
    (span.from.0..span.until.0).map(Slot)
}
