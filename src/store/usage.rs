//! A month's figures out of the store.
//!
//! ClickHouse counts and sends the largest values of each server; which of them is the p95 is for
//! [`Tally`] to say (SPEC.md section 5: no server of a database picks the rank).

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::Deserialize;

use super::connection::{Store, StoreError};
use super::load::NUMBERS_MAX;
use super::rows::slot_s;
use crate::aggregator::output::ServerId;
use crate::metering::overage::Method;
use crate::metering::period::SlotSpan;
use crate::metering::tally::{Rules, Stored, Tally};
use crate::metering::top_set::TopSet;
use crate::metering::units::Bps;

/// A server's counts and largest values, as ClickHouse sends them.
#[derive(Debug, Row, Deserialize)]
struct LargestRow {
    server_id: u32,
    samples: u64,
    bursts: u64,
    largest_in: Vec<u64>,
    largest_out: Vec<u64>,
    largest_combined: Vec<u64>,
}

/// Servers whose figures one query can tell: the same slots, the same allowance throughout, the same method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Alike {
    from: i64,
    until: i64,
    allowance: Bps,
    method: &'static str,
}

impl Store {
    /// The tallies of `servers`, as of all samples that are stored.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn tallies(
        &self,
        servers: Vec<(ServerId, Rules)>,
    ) -> Result<Vec<(ServerId, Tally)>, StoreError> {
        let mut alike: BTreeMap<Alike, Vec<(ServerId, Rules)>> = BTreeMap::new();
        let mut changing = Vec::new();
        for (id, rules) in servers {
            match rules.allowance.steps(rules.span).as_slice() {
                [(_, allowance)] => {
                    let SlotSpan { from, until } = rules.span;
                    let (from, until, method) = (from.0, until.0, rules.method.name());
                    alike
                        .entry(Alike { from, until, allowance: *allowance, method })
                        .or_default()
                        .push((id, rules));
                }
                _ => changing.push((id, rules)),
            }
        }
        let mut tallies = Vec::new();
        for (key, servers) in alike {
            for part in servers.chunks(NUMBERS_MAX) {
                tallies.extend(self.tallies_alike(key.allowance, part).await?);
            }
        }
        for part in changing.chunks(NUMBERS_MAX) {
            tallies.extend(self.tallies_sample_by_sample(part).await?);
        }
        Ok(tallies)
    }

    async fn tallies_alike(
        &self,
        allowance: Bps,
        servers: &[(ServerId, Rules)],
    ) -> Result<Vec<(ServerId, Tally)>, StoreError> {
        let Some((_, rules)) = servers.first() else {
            return Ok(Vec::new());
        };
        let numbers = &servers.iter().map(|(id, _)| id.0).collect::<Vec<u32>>();
        let keep = TopSet::keep_for(rules.span.len());
        // What is ranked, and what is compared with the allowance slot by slot.
        let (combined, compared) = match rules.method {
            Method::Max => ("greatest(in_bps, out_bps)", "combined"),
            Method::Sum => ("in_bps + out_bps", "combined"),
            Method::In => ("toUInt64(0)", "in_bps"),
            Method::Out => ("toUInt64(0)", "out_bps"),
            Method::Separate => ("toUInt64(0)", "greatest(in_bps, out_bps)"),
        };
        // Sorted ascending by the complement is sorted descending; `keep` of them are kept, never a whole month.
        let largest =
            |column: &str| format!("arrayMap(x -> bitNot(x), groupArraySorted({keep})(bitNot({column})))");
        let sql = &format!(
            "SELECT server_id, count() AS samples, countIf({compared} > ?) AS bursts, \
             {} AS largest_in, {} AS largest_out, {} AS largest_combined \
             FROM (SELECT server_id, in_bps, out_bps, {combined} AS combined FROM samples FINAL \
             WHERE server_id IN ? AND slot >= fromUnixTimestamp(?) AND slot < fromUnixTimestamp(?) AND state != 'withdrawn') \
             GROUP BY server_id",
            largest("in_bps"),
            largest("out_bps"),
            if crate::metering::tally::ranks_combined(rules.method) {
                largest("combined")
            } else {
                "emptyArrayUInt64()".to_owned()
            },
        );
        let span = rules.span;
        let rows: Vec<LargestRow> = self
            .read("reading the largest samples", |client| async move {
                let query = client.query(sql).bind(allowance.0).bind(numbers);
                query.bind(slot_s(span.from)).bind(slot_s(span.until)).fetch_all().await
            })
            .await?;
        let mut stored: BTreeMap<u32, Stored> =
            rows.into_iter().map(|row| (row.server_id, row.into())).collect();
        let tally = |(id, rules): &(ServerId, Rules)| {
            let stored = stored.remove(&id.0).unwrap_or_default();
            // The allowance is the same throughout, or the server would not be here.
            (*id, Tally::restore(rules.clone(), stored).unwrap_or_else(|| Tally::new(rules.clone())))
        };
        Ok(servers.iter().map(tally).collect())
    }

    async fn tallies_sample_by_sample(
        &self,
        servers: &[(ServerId, Rules)],
    ) -> Result<Vec<(ServerId, Tally)>, StoreError> {
        let ids: Vec<ServerId> = servers.iter().map(|(id, _)| *id).collect();
        let from = servers.iter().map(|(_, rules)| rules.span.from).min();
        let until = servers.iter().map(|(_, rules)| rules.span.until).max();
        let Some((from, until)) = from.zip(until) else {
            return Ok(Vec::new());
        };
        let mut samples = self.samples(&ids, SlotSpan { from, until }).await?;
        let tally = |(id, rules): &(ServerId, Rules)| {
            let mut tally = Tally::new(rules.clone());
            for (slot, revised) in samples.remove(id).unwrap_or_default() {
                tally.change(slot, None, revised.rates());
            }
            (*id, tally)
        };
        Ok(servers.iter().map(tally).collect())
    }
}

impl From<LargestRow> for Stored {
    fn from(row: LargestRow) -> Self {
        Self {
            samples: row.samples,
            bursts: row.bursts,
            largest_in: row.largest_in,
            largest_out: row.largest_out,
            largest_combined: row.largest_combined,
        }
    }
}
