//! What comes back out of the store: the state from which the aggregator goes on, and a server's samples.

use std::collections::BTreeMap;

use clickhouse::Row;
use meter95_reading::{Counters, PortKey, Timestamp};
use serde::Deserialize;

use super::connection::{Store, StoreError};
use super::rows::{CheckpointRow, PortRow, PortSlotRow, ReadingRow, SampleRow, ServerRow, slot_of_s, slot_s};
use super::write::Checkpoint;
use crate::aggregator::output::{PortId, Revised, ServerId};
use crate::metering::period::SlotSpan;
use crate::metering::sample::Sample;
use crate::metering::slot::PortSlot;
use crate::metering::units::{Bps, Slot};

/// Numbers of servers or ports in one query at most: what they ask for must fit in memory, and in ClickHouse's limit
/// on the length of a query.
pub(super) const NUMBERS_MAX: usize = 500;

/// How far the stored readings of a port go.
#[derive(Debug, Clone, Copy, Row, Deserialize)]
pub struct PortProgress {
    /// The port's number.
    pub port_id: u32,
    /// The instant of the last reading, in Unix ms.
    pub last_ms: i64,
    /// The instant of the last reading from which everything followed, in Unix ms.
    pub applied_ms: Option<i64>,
    /// The instant of the first reading from which nothing may have followed yet, in Unix ms.
    pub pending_ms: Option<i64>,
}

/// What is stored and has not been followed by all that follows from it: where no service runs, or it has just begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Pending {
    /// Another inventory was put in force, with this version.
    #[error("samples are not yet made by version {0} of the inventory")]
    Inventory(u64),
    /// The last slots have not closed.
    #[error("the last slots of the period have not closed")]
    Slots,
    /// So many readings were taken of which no samples are stored.
    #[error("{0} readings are stored of which samples are not")]
    Readings(u64),
}

/// What a port carried, by the slot and the port.
pub type StoredSlots = BTreeMap<(Slot, PortId), PortSlot>;

/// A server's samples by slot, withdrawn ones among them.
pub type StoredSamples = BTreeMap<Slot, Revised>;

impl Store {
    /// All ports, in the order of their numbers.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or numbers are missing.
    pub async fn ports(&self) -> Result<Vec<PortKey>, StoreError> {
        let rows: Vec<PortRow> = self
            .read("reading ports", |client| async move {
                client.query("SELECT ?fields FROM ports FINAL ORDER BY port_id").fetch_all().await
            })
            .await?;
        let numbered = rows.iter().zip(0..).all(|(row, number)| row.port_id == number);
        let key = |row: PortRow| PortKey::new(&row.device, &row.interface);
        match rows.into_iter().map(key).collect() {
            Ok(keys) if numbered => Ok(keys),
            Ok(_) => Err(StoreError::Contents("ports are not numbered from 0 without holes".to_owned())),
            Err(e) => Err(StoreError::Contents(format!("a stored port has a name that is none: {e}"))),
        }
    }

    /// All servers that there ever were, in the order of their numbers.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or numbers are missing.
    pub async fn servers(&self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<ServerRow> = self
            .read("reading servers", |client| async move {
                client.query("SELECT ?fields FROM servers FINAL ORDER BY server_id").fetch_all().await
            })
            .await?;
        if rows.iter().zip(0..).any(|(row, number)| row.server_id != number) {
            return Err(StoreError::Contents("servers are not numbered from 0 without holes".to_owned()));
        }
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// How far what follows from readings has been stored.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        let rows: Vec<CheckpointRow> = self
            .read("reading the checkpoint", |client| async move {
                client.query("SELECT ?fields FROM checkpoints FINAL").fetch_all().await
            })
            .await?;
        let value = |name: &str| rows.iter().find(|row| row.name == name).map_or(0, |row| row.value);
        let [batch, clock_ms, inventory] = Checkpoint::NAMES.map(value);
        let own = rows.iter().filter(|row| Checkpoint::NAMES.contains(&row.name.as_str()));
        let serial = own.map(|row| row.serial).max().unwrap_or(0);
        Ok(Checkpoint { batch, clock_ms, inventory, serial })
    }

    /// The highest number of a batch of readings; 0 before the first.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn last_batch(&self) -> Result<u64, StoreError> {
        self.read("reading the last batch", |client| async move {
            client.query("SELECT max(batch) FROM readings").fetch_one().await
        })
        .await
    }

    /// What has not followed yet of that which is stored and may matter between `from` and `until`; `None` where the
    /// samples of that time are complete as far as anybody knows. `closed_at` is when its last slot closes.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn pending(
        &self,
        from: Timestamp,
        until: Timestamp,
        closed_at: Timestamp,
    ) -> Result<Option<Pending>, StoreError> {
        // In this order: a checkpoint of meanwhile is of nothing older.
        let inventory = self.inventory_version().await?;
        let checkpoint = self.checkpoint().await?;
        if checkpoint.inventory < inventory {
            return Ok(Some(Pending::Inventory(inventory)));
        }
        if i64::try_from(checkpoint.clock_ms).is_ok_and(|clock| clock < closed_at.0) {
            return Ok(Some(Pending::Slots));
        }
        let readings: u64 = self
            .read("looking for readings from which nothing followed", |client| async move {
                let sql = "SELECT count() FROM readings WHERE time >= fromUnixTimestamp64Milli(?) \
                           AND time < fromUnixTimestamp64Milli(?) AND batch > ?";
                client.query(sql).bind(from.0).bind(until.0).bind(checkpoint.batch).fetch_one().await
            })
            .await?;
        Ok((readings > 0).then_some(Pending::Readings(readings)))
    }

    /// How far each port's readings go, and from where on nothing followed yet from batches after `batch`.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn port_progress(&self, batch: u64) -> Result<Vec<PortProgress>, StoreError> {
        self.read("reading how far readings go", |client| async move {
            let sql = "SELECT port_id, max(toUnixTimestamp64Milli(time)) AS last_ms, \
                       maxOrNullIf(toUnixTimestamp64Milli(time), batch <= ?) AS applied_ms, \
                       minOrNullIf(toUnixTimestamp64Milli(time), batch > ?) AS pending_ms \
                       FROM readings GROUP BY port_id ORDER BY port_id";
            client.query(sql).bind(batch).bind(batch).fetch_all().await
        })
        .await
    }

    /// Hands every reading of `ports` from each one's instant on to `each`, port by port and in the order of time.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a row can't be understood.
    pub async fn readings_since(
        &self,
        ports: &[(PortId, i64)],
        mut each: impl FnMut(PortId, Counters),
    ) -> Result<(), StoreError> {
        for part in ports.chunks(NUMBERS_MAX) {
            let (numbers, since): (Vec<u32>, Vec<u64>) =
                part.iter().map(|(id, ms)| (id.0, u64::try_from(*ms).unwrap_or(0))).unzip();
            let first = since.iter().min().copied().unwrap_or(0);
            let (numbers, since) = (&numbers, &since);
            let rows: Vec<ReadingRow> = self
                .read("reading readings", |client| async move {
                    // The first condition finds the partitions, the second is each port's own.
                    let sql = "SELECT ?fields FROM readings FINAL \
                               WHERE port_id IN ? AND time >= fromUnixTimestamp64Milli(?) \
                               AND toUnixTimestamp64Milli(time) >= toInt64(transform(port_id, ?, ?, toUInt64(0))) \
                               ORDER BY port_id, time";
                    let query = client.query(sql).bind(numbers).bind(first);
                    query.bind(numbers).bind(since).fetch_all().await
                })
                .await?;
            for row in rows {
                let (id, counters) = row.counters().ok_or_else(|| {
                    StoreError::Contents(format!(
                        "a reading of port {} has a width of {}",
                        row.port_id, row.width
                    ))
                })?;
                each(id, counters);
            }
        }
        Ok(())
    }

    /// What `ports` carried in the slots of `span`.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn port_slots(&self, ports: &[PortId], span: SlotSpan) -> Result<StoredSlots, StoreError> {
        let numbers: Vec<u32> = ports.iter().map(|id| id.0).collect();
        let mut slots = StoredSlots::new();
        for part in numbers.chunks(NUMBERS_MAX) {
            let rows: Vec<PortSlotRow> = self
                .read("reading slots of ports", |client| async move {
                    let sql = "SELECT ?fields FROM port_slots FINAL WHERE port_id IN ? \
                               AND slot >= fromUnixTimestamp(?) AND slot < fromUnixTimestamp(?)";
                    let query = client.query(sql).bind(part).bind(slot_s(span.from)).bind(slot_s(span.until));
                    query.fetch_all().await
                })
                .await?;
            let key = |row: PortSlotRow| ((slot_of_s(row.slot), PortId(row.port_id)), row.carried());
            slots.extend(rows.into_iter().map(key));
        }
        Ok(slots)
    }

    /// The samples of `servers` in the slots of `span`, withdrawn ones among them.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn samples(
        &self,
        servers: &[ServerId],
        span: SlotSpan,
    ) -> Result<BTreeMap<ServerId, StoredSamples>, StoreError> {
        let numbers: Vec<u32> = servers.iter().map(|id| id.0).collect();
        let mut samples: BTreeMap<ServerId, StoredSamples> = BTreeMap::new();
        for part in numbers.chunks(NUMBERS_MAX) {
            let rows: Vec<SampleRow> = self
                .read("reading samples", |client| async move {
                    let sql = "SELECT ?fields FROM samples FINAL WHERE server_id IN ? \
                               AND slot >= fromUnixTimestamp(?) AND slot < fromUnixTimestamp(?)";
                    let query = client.query(sql).bind(part).bind(slot_s(span.from)).bind(slot_s(span.until));
                    query.fetch_all().await
                })
                .await?;
            for row in rows {
                samples
                    .entry(ServerId(row.server_id))
                    .or_default()
                    .insert(slot_of_s(row.slot), row.revised());
            }
        }
        Ok(samples)
    }

    /// By each server and hour of `span`, an hour by its first slot: the largest of the hour's samples, each the larger of in
    /// and out. Hours without a sample are left out.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn hourly_maxima(
        &self,
        servers: &[ServerId],
        span: SlotSpan,
    ) -> Result<BTreeMap<ServerId, BTreeMap<Slot, Bps>>, StoreError> {
        let numbers: Vec<u32> = servers.iter().map(|id| id.0).collect();
        let mut maxima: BTreeMap<ServerId, BTreeMap<Slot, Bps>> = BTreeMap::new();
        for part in numbers.chunks(NUMBERS_MAX) {
            let rows: Vec<(u32, u32, u64)> = self
                .read("reading the largest samples by hours", |client| async move {
                    let sql = "SELECT server_id, toStartOfHour(slot) AS hour, max(greatest(in_bps, out_bps)) \
                               FROM samples FINAL WHERE server_id IN ? \
                               AND slot >= fromUnixTimestamp(?) AND slot < fromUnixTimestamp(?) \
                               AND state != 'withdrawn' GROUP BY server_id, hour";
                    let query = client.query(sql).bind(part).bind(slot_s(span.from)).bind(slot_s(span.until));
                    query.fetch_all().await
                })
                .await?;
            for (server, hour, bps) in rows {
                maxima.entry(ServerId(server)).or_default().insert(slot_of_s(hour), Bps(bps));
            }
        }
        Ok(maxima)
    }

    /// The newest slot from `since` on for which each server ever had a sample.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn newest_slots(&self, since: Slot) -> Result<BTreeMap<ServerId, Slot>, StoreError> {
        let rows: Vec<(u32, u32)> = self
            .read("reading the newest slots", |client| async move {
                let sql = "SELECT server_id, max(slot) FROM samples WHERE slot >= fromUnixTimestamp(?) GROUP BY server_id";
                client.query(sql).bind(slot_s(since)).fetch_all().await
            })
            .await?;
        Ok(rows.into_iter().map(|(server, slot)| (ServerId(server), slot_of_s(slot))).collect())
    }

    /// The newest sample of every server with one since `since`.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn newest_samples(
        &self,
        since: Slot,
    ) -> Result<BTreeMap<ServerId, (Slot, Sample)>, StoreError> {
        let rows: Vec<SampleRow> = self
            .read("reading the newest samples", |client| async move {
                let sql = "SELECT ?fields FROM samples FINAL WHERE slot >= fromUnixTimestamp(?) AND state != 'withdrawn' \
                           ORDER BY server_id, slot DESC LIMIT 1 BY server_id";
                client.query(sql).bind(slot_s(since)).fetch_all().await
            })
            .await?;
        let newest =
            |row: SampleRow| Some((ServerId(row.server_id), (slot_of_s(row.slot), row.revised().sample?)));
        Ok(rows.into_iter().filter_map(newest).collect())
    }
}
