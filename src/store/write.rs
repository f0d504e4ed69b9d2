//! What goes into the store. Every write insists: it returns when ClickHouse has taken the rows, not before.

use std::collections::BTreeMap;

use clickhouse::{Client, Row, RowOwned, RowWrite};
use meter95_reading::{Counters, PortKey, Timestamp};

use super::connection::{Patience, Store, StoreError};
use super::rows::{BreakRow, CheckpointRow, PortRow, PortSlotRow, ReadingRow, SampleRow, ServerRow};
use crate::aggregator::output::{Output, PortId, ServerId};

/// Rows in one insert at most: well below ClickHouse's `max_insert_block_size`, so that each is one block and counts
/// whole or not at all within a month.
const BATCH_ROWS_MAX: usize = 500_000;

/// How far what follows from readings has been stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checkpoint {
    /// Everything that follows from the readings of batches up to this one is stored.
    pub batch: u64,
    /// The aggregator's clock at that moment, in Unix ms.
    pub clock_ms: u64,
    /// The inventory's version by which samples were made.
    pub inventory: u64,
    /// Its own number; the highest counts.
    pub serial: u64,
}

impl Checkpoint {
    pub(super) const NAMES: [&'static str; 3] = ["batch", "clock_ms", "inventory"];
}

async fn insert<R>(client: &Client, table: &str, rows: &[R]) -> clickhouse::error::Result<()>
where
    R: RowOwned + RowWrite,
    for<'a> R: Row<Value<'a> = R>,
{
    let mut insert = client.insert::<R>(table).await?;
    for row in rows {
        insert.write(row).await?;
    }
    insert.end().await
}

impl Store {
    async fn put<R>(&self, doing: &'static str, table: &'static str, rows: &[R])
    where
        R: RowOwned + RowWrite,
        for<'a> R: Row<Value<'a> = R>,
    {
        for batch in rows.chunks(BATCH_ROWS_MAX) {
            let mut patience = Patience::new();
            while let Err(error) = self.try_put(doing, table, batch).await {
                patience.after(error).await;
            }
            metrics::counter!("meter95_store_rows_total", "table" => table).increment(batch.len() as u64);
        }
    }

    pub(super) async fn try_put<R>(
        &self,
        doing: &'static str,
        table: &'static str,
        rows: &[R],
    ) -> Result<(), StoreError>
    where
        R: RowOwned + RowWrite,
        for<'a> R: Row<Value<'a> = R>,
    {
        let client = self.client().await?;
        insert(&client, table, rows).await.map_err(|source| StoreError::ClickHouse { doing, source })
    }

    /// Stores ports' names and numbers.
    pub async fn put_ports<'a>(&self, ports: impl IntoIterator<Item = (PortId, &'a PortKey)>) {
        let row = |(id, key): (PortId, &PortKey)| PortRow {
            port_id: id.0,
            device: key.device().to_owned(),
            interface: key.interface().to_owned(),
        };
        let rows: Vec<PortRow> = ports.into_iter().map(row).collect();
        self.put("storing ports", "ports", &rows).await;
    }

    /// Stores servers' names and numbers.
    pub async fn put_servers<'a>(&self, servers: impl IntoIterator<Item = (ServerId, &'a str)>) {
        let row = |(id, name): (ServerId, &str)| ServerRow { server_id: id.0, id: name.to_owned() };
        let rows: Vec<ServerRow> = servers.into_iter().map(row).collect();
        self.put("storing servers", "servers", &rows).await;
    }

    /// Stores readings, in the order of time, as batch number `batch`; when it returns they are durable.
    ///
    /// An insert is whole or not at all within a month's partition. So a lot that spans months goes month by month: a
    /// crash between two leaves no later reading before an earlier one, which would be stale when it comes again.
    pub async fn put_readings(&self, readings: &[(PortId, Counters)], batch: u64) {
        for month in readings.chunk_by(|(_, a), (_, b)| same_month(a.time, b.time)) {
            let rows: Vec<ReadingRow> = month.iter().map(|(id, c)| ReadingRow::new(*id, c, batch)).collect();
            self.put("storing readings", "readings", &rows).await;
        }
    }

    /// Stores what the aggregator laid down: superseded samples first, so that none is lost between the two.
    pub async fn put_output(&self, output: &Output) {
        let slots = by_month(output.port_slots.iter().map(|out| (out.slot.start(), PortSlotRow::new(out))));
        let samples = by_month(output.samples.iter().map(|out| (out.slot.start(), SampleRow::new(out))));
        let superseded =
            by_month(output.superseded.iter().map(|out| (out.slot.start(), SampleRow::new(out))));
        let breaks = by_month(output.breaks.iter().map(|out| (out.found.after.time, BreakRow::new(out))));
        self.put_all("storing superseded samples", "samples_superseded", &superseded).await;
        tokio::join!(
            self.put_all("storing slots of ports", "port_slots", &slots),
            self.put_all("storing samples", "samples", &samples),
            self.put_all("storing breaks", "breaks", &breaks),
        );
    }

    /// Stores the rows of several months, an insert or more for each: ClickHouse refuses an insert into very many
    /// partitions, and outsiders choose the times of readings.
    async fn put_all<R>(&self, doing: &'static str, table: &'static str, months: &[Vec<R>])
    where
        R: RowOwned + RowWrite,
        for<'a> R: Row<Value<'a> = R>,
    {
        for rows in months {
            self.put(doing, table, rows).await;
        }
    }

    /// Notes how far what follows from readings has been stored.
    pub async fn put_checkpoint(&self, checkpoint: Checkpoint) {
        let Checkpoint { batch, clock_ms, inventory, serial } = checkpoint;
        let rows: Vec<CheckpointRow> = Checkpoint::NAMES
            .into_iter()
            .zip([batch, clock_ms, inventory])
            .map(|(name, value)| CheckpointRow { name: name.to_owned(), value, serial })
            .collect();
        self.put("storing a checkpoint", "checkpoints", &rows).await;
    }
}

/// A day in ms.
const DAY_MS: i64 = 86_400_000;

/// The calendar month of UTC in which an instant lies, by which the tables are partitioned.
fn month_of(time: Timestamp) -> (i16, i8) {
    let time = jiff::Timestamp::from_millisecond(time.0).unwrap_or(jiff::Timestamp::MAX);
    let date = jiff::tz::TimeZone::UTC.to_datetime(time).date();
    (date.year(), date.month())
}

/// Whether two instants lie in one calendar month of UTC.
fn same_month(a: Timestamp, b: Timestamp) -> bool {
    a.0.div_euclid(DAY_MS) == b.0.div_euclid(DAY_MS) || month_of(a) == month_of(b)
}

/// Rows month by month, each month's in the order in which they came.
fn by_month<R>(rows: impl Iterator<Item = (Timestamp, R)>) -> Vec<Vec<R>> {
    let mut months: BTreeMap<(i16, i8), Vec<R>> = BTreeMap::new();
    // Almost always it is the day of the row before.
    let mut known = None;
    for (time, row) in rows {
        let day = time.0.div_euclid(DAY_MS);
        let month = match known {
            Some((of, month)) if of == day => month,
            _ => month_of(time),
        };
        known = Some((day, month));
        months.entry(month).or_default().push(row);
    }
    months.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_utc() {
        let [last, first, later] = [1_793_491_199_999, 1_793_491_200_000, 1_793_600_000_000].map(Timestamp);
        assert!(!same_month(last, first), "October ends");
        assert!(same_month(first, later));
        let rows = [(first, 1), (last, 2), (later, 3)];
        assert_eq!(by_month(rows.into_iter()), [vec![2], vec![1, 3]]);
    }
}
