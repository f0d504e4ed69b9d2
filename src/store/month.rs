//! A whole month's samples, column by column: what closing reads of thousands of servers.

use std::collections::BTreeMap;

use clickhouse::Row;
use meter95_reading::{PortKey, Timestamp};
use serde::Deserialize;

use super::connection::{Store, StoreError};
use super::load::NUMBERS_MAX;
use super::rows::{slot_of_s, slot_s};
use crate::aggregator::output::{PortId, ServerId};
use crate::closing::statement::BreakLine;
use crate::inventory::instant::Instant;
use crate::metering::period::SlotSpan;
use crate::metering::sample::{Rates, Sample};
use crate::metering::units::{Bps, Slot};

/// A server's samples of a month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MonthSamples {
    /// In the order of their slots.
    pub samples: Vec<(Slot, Sample)>,
    /// Slots whose sample is not the first one, with its revision.
    pub revised: Vec<(Slot, u16)>,
}

#[derive(Debug, Row, Deserialize)]
struct ColumnsRow {
    server_id: u32,
    slots: Vec<u32>,
    in_bps: Vec<u64>,
    out_bps: Vec<u64>,
    partial: Vec<u32>,
    revised: Vec<(u32, u16)>,
}

#[derive(Debug, Row, Deserialize)]
struct BreakColumns {
    port_id: u32,
    time: i64,
    time_before: i64,
    kind: String,
    cause: String,
    rx_octets_left_out: Option<u64>,
    tx_octets_left_out: Option<u64>,
}

impl Store {
    /// The samples of `servers` in the slots of `span`.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn month_samples(
        &self,
        servers: &[ServerId],
        span: SlotSpan,
    ) -> Result<BTreeMap<ServerId, MonthSamples>, StoreError> {
        let mut months = BTreeMap::new();
        for part in servers.chunks(NUMBERS_MAX) {
            let numbers = &part.iter().map(|id| id.0).collect::<Vec<u32>>();
            let rows: Vec<ColumnsRow> = self
                .read("reading months of samples", |client| async move {
                    let sql = "SELECT server_id, groupArray(slot) AS slots, groupArray(in_bps) AS in_bps, \
                               groupArray(out_bps) AS out_bps, groupArrayIf(slot, state = 'partial') AS partial, \
                               groupArrayIf((slot, revision), revision > 1) AS revised \
                               FROM (SELECT server_id, slot, in_bps, out_bps, state, revision FROM samples FINAL \
                               WHERE server_id IN ? AND slot >= fromUnixTimestamp(?) AND slot < fromUnixTimestamp(?) \
                               AND state != 'withdrawn') GROUP BY server_id";
                    // To validate costs more here than all the rest; lots are read side by side, a thread each.
                    let client = client.with_validation(false);
                    let query = client.query(sql).with_setting("max_threads", "1").bind(numbers);
                    query.bind(slot_s(span.from)).bind(slot_s(span.until)).fetch_all().await
                })
                .await?;
            for row in rows {
                let id = ServerId(row.server_id);
                let samples = row.samples(span).ok_or_else(|| {
                    StoreError::Contents(format!("the month of samples of server number {} is none", id.0))
                })?;
                months.insert(id, samples);
            }
        }
        Ok(months)
    }

    /// The breaks in the counters of `ports` that reach into the slots of `span`, in the order of time.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn breaks(
        &self,
        ports: &BTreeMap<PortId, PortKey>,
        span: SlotSpan,
    ) -> Result<BTreeMap<PortId, Vec<BreakLine>>, StoreError> {
        let numbers: Vec<u32> = ports.keys().map(|id| id.0).collect();
        let mut breaks: BTreeMap<PortId, Vec<BreakLine>> = BTreeMap::new();
        for part in numbers.chunks(NUMBERS_MAX) {
            let rows: Vec<BreakColumns> = self
                .read("reading breaks", |client| async move {
                    let sql = "SELECT ?fields FROM breaks FINAL WHERE port_id IN ? \
                               AND time > fromUnixTimestamp64Milli(?) AND time_before < fromUnixTimestamp64Milli(?) \
                               ORDER BY port_id, time";
                    let query = client.query(sql).bind(part);
                    query.bind(span.from.start().0).bind(span.until.start().0).fetch_all().await
                })
                .await?;
            for row in rows {
                let id = PortId(row.port_id);
                let Some(port) = ports.get(&id) else { continue };
                breaks.entry(id).or_default().push(row.line(port));
            }
        }
        Ok(breaks)
    }
}

impl ColumnsRow {
    /// `None` where the columns do not belong together, or a slot is not of `span`.
    fn samples(self, span: SlotSpan) -> Option<MonthSamples> {
        let Self { slots, in_bps, out_bps, partial, revised, .. } = self;
        if slots.len() != in_bps.len() || slots.len() != out_bps.len() {
            return None;
        }
        let partial: std::collections::BTreeSet<u32> = partial.into_iter().collect();
        let rates = in_bps.into_iter().zip(out_bps);
        let sample = |(seconds, (in_bps, out_bps)): (u32, (u64, u64))| {
            let rates = Rates { in_bps: Bps(in_bps), out_bps: Bps(out_bps) };
            (slot_of_s(seconds), Sample { rates, partial: !partial.is_empty() && partial.contains(&seconds) })
        };
        let mut samples: Vec<(Slot, Sample)> = slots.into_iter().zip(rates).map(sample).collect();
        let mut revised: Vec<(Slot, u16)> =
            revised.into_iter().map(|(seconds, revision)| (slot_of_s(seconds), revision)).collect();
        // They come in a few ordered runs, one of each thread that read.
        samples.sort_by_key(|(slot, _)| *slot);
        revised.sort_by_key(|(slot, _)| *slot);
        let inside = samples.first().is_none_or(|(slot, _)| span.contains(*slot))
            && samples.last().is_none_or(|(slot, _)| span.contains(*slot));
        inside.then_some(MonthSamples { samples, revised })
    }
}

impl BreakColumns {
    fn line(self, port: &PortKey) -> BreakLine {
        BreakLine {
            at: Instant(Timestamp(self.time)),
            after: Instant(Timestamp(self.time_before)),
            device: port.device().to_owned(),
            interface: port.interface().to_owned(),
            kind: self.kind,
            cause: self.cause,
            rx_octets_left_out: self.rx_octets_left_out,
            tx_octets_left_out: self.tx_octets_left_out,
        }
    }
}
