//! Reads many ports of a device: as many to a datagram as the device can answer, two datagrams in flight.
//!
//! Ports are read with GET, not GETBULK, although its check of names costs the client some microseconds more:
//! both need the same number of datagrams, GET needs no fitting where some ports are not metered, and a column
//! that a row does not have comes back as such, where GETBULK would answer with the next row's.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use meter95_reading::Timestamp;
use tokio::time::Instant;

use crate::Failure;
use crate::exchange::Exchange;
use crate::mib::{self, Column, Columns, Oid, RX_PACKETS, TX_PACKETS, Value, Varbind};
use crate::row::{self, Row, Stamp};
use crate::transport::{Answer, Ask, Session};

/// A port to be read.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Whatever the caller knows it by.
    pub(crate) place: usize,
    /// Its name, which must come back.
    pub(crate) name: String,
    /// Its ifIndex.
    pub(crate) index: u32,
    /// The columns to ask for, that of names first.
    pub(crate) columns: Vec<Column>,
    /// Columns left out, since an answer with them was too big.
    dropped: Columns,
}

impl Wanted {
    /// A port to be read with all of `columns`.
    pub(crate) fn new(place: usize, name: &str, index: u32, columns: Vec<Column>) -> Self {
        Self { place, name: name.to_owned(), index, columns, dropped: Columns::default() }
    }

    /// Leaves the packet counters out. Returns whether there were any.
    fn drop_packets(&mut self) -> bool {
        let before = self.columns.len();
        let is_packets = |column: &Column| RX_PACKETS.contains(column) || TX_PACKETS.contains(column);
        for column in self.columns.iter().filter(|column| is_packets(column)) {
            self.dropped.insert(*column);
        }
        self.columns.retain(|column| !is_packets(column));
        self.columns.len() < before
    }
}

/// What a batch brought.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    /// By [`Wanted::place`], in no order; ports whose request failed are not in it.
    pub(crate) rows: Vec<(usize, Row)>,
    /// The highest sysUpTime seen, in hundredths of a second.
    pub(crate) uptime_cs: Option<u32>,
    /// How many names a request may have from now on.
    pub(crate) oids_per_request: usize,
}

/// Reads `wanted` with at most `oids_per_request` names in a datagram. `clock` tells the time.
pub(crate) async fn read<S: Session>(
    exchange: &Exchange<'_, S>,
    clock: &(dyn Fn() -> Timestamp + Send + Sync),
    wanted: Vec<Wanted>,
    oids_per_request: usize,
) -> Brought {
    let work = Work {
        queue: pack(wanted, oids_per_request),
        brought: Brought { oids_per_request, ..Brought::default() },
    };
    let batch = Batch { exchange, clock, work: Mutex::new(work) };
    // Two requests in flight: enough to hide half of the round trips, and little to a switch's CPU.
    tokio::join!(batch.work_off(), batch.work_off());
    batch.work.into_inner().unwrap_or_else(PoisonError::into_inner).brought
}

/// Groups ports into requests: the uptime and whole ports, at least one.
fn pack(wanted: Vec<Wanted>, oids_per_request: usize) -> VecDeque<Vec<Wanted>> {
    let mut queue = VecDeque::new();
    let mut chunk: Vec<Wanted> = Vec::new();
    let mut oids = 1;
    for port in wanted {
        if !chunk.is_empty() && oids + port.columns.len() > oids_per_request {
            queue.push_back(std::mem::take(&mut chunk));
            oids = 1;
        }
        oids += port.columns.len();
        chunk.push(port);
    }
    if !chunk.is_empty() {
        queue.push_back(chunk);
    }
    queue
}

struct Batch<'a, S> {
    exchange: &'a Exchange<'a, S>,
    clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    work: Mutex<Work>,
}

struct Work {
    queue: VecDeque<Vec<Wanted>>,
    brought: Brought,
}

impl<S: Session> Batch<'_, S> {
    async fn work_off(&self) {
        while let Some(chunk) = self.next() {
            let oids = oids(&chunk);
            match self.exchange.request(Ask::Get(&oids)).await {
                Ok(answer) => self.take(&chunk, &oids, &answer),
                Err(Failure::TooBig) => self.shrink(chunk, oids.len()),
                // Counted where it happened; its ports have no reading.
                Err(_) => {}
            }
        }
    }

    /// The next request, unless the device fell silent or the time is up.
    fn next(&self) -> Option<Vec<Wanted>> {
        let mut work = self.work();
        if self.exchange.is_silent() {
            work.queue.clear();
        } else if self.exchange.is_late() {
            self.exchange.count_many(Failure::Deadline, work.queue.len());
            work.queue.clear();
        }
        work.queue.pop_front()
    }

    fn take(&self, chunk: &[Wanted], oids: &[Oid], answer: &Answer) {
        let same = answer.varbinds.len() == oids.len()
            && answer.varbinds.iter().zip(oids).all(|(varbind, oid)| varbind.oid == *oid);
        let Some((uptime, mut cells)) = answer.varbinds.split_first().filter(|_| same) else {
            self.exchange.count(Failure::WrongShape);
            return;
        };
        let uptime_cs = match uptime {
            Varbind { value: Value::TimeTicks(uptime_cs), .. } => *uptime_cs,
            Varbind { value: Value::EndOfMibView, .. } => {
                self.exchange.count(Failure::EndOfMib);
                return;
            }
            _ => {
                self.exchange.count(Failure::WrongType);
                return;
            }
        };
        let stamp = Stamp { time: self.time(answer), uptime_cs };
        let mut work = self.work();
        for port in chunk {
            // The lengths are those of `oids`, which was made from the same chunk.
            let (own, rest) = cells.split_at(port.columns.len().min(cells.len()));
            cells = rest;
            let row = match row::read(&port.name, &port.columns, own, stamp) {
                Row::Read(counters, mut absent) => {
                    absent.extend(port.dropped);
                    Row::Read(counters, absent)
                }
                row => row,
            };
            work.brought.rows.push((port.place, row));
        }
        work.brought.uptime_cs = work.brought.uptime_cs.max(Some(uptime_cs));
    }

    /// The instant at which the values of an answer were true: half the round trip before it arrived.
    fn time(&self, answer: &Answer) -> Timestamp {
        let now = (self.clock)();
        let since: Duration = Instant::now().duration_since(answer.arrived) + answer.round_trip / 2;
        let since_ms = i64::try_from((since.as_micros() + 500) / 1_000).unwrap_or(i64::MAX);
        now.plus_ms(-since_ms)
    }

    /// Asks for less after an answer was too big: half of the ports, then one without its packet counters.
    fn shrink(&self, mut chunk: Vec<Wanted>, oids: usize) {
        let mut work = self.work();
        match chunk.as_mut_slice() {
            [port] => {
                if port.drop_packets() {
                    work.brought.oids_per_request = 1 + port.columns.len();
                    work.queue.push_front(chunk);
                }
            }
            _ => {
                work.brought.oids_per_request = work.brought.oids_per_request.min(oids / 2 + 1);
                let back = chunk.split_off(chunk.len() / 2);
                work.queue.push_front(back);
                work.queue.push_front(chunk);
            }
        }
        let rest = work.queue.drain(..).flatten().collect();
        work.queue = pack(rest, work.brought.oids_per_request);
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names that a chunk is asked by: sysUpTime.0, then each port's cells.
fn oids(chunk: &[Wanted]) -> Vec<Oid> {
    let cells = chunk.iter().flat_map(|port| port.columns.iter().map(|column| column.cell(port.index)));
    std::iter::once(mib::sys_up_time()).chain(cells).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(places: usize, columns: usize) -> Vec<Wanted> {
        let all =
            [Column::Name, Column::HcInOctets, Column::HcOutOctets, Column::HighSpeed, Column::Discontinuity];
        (0..places).map(|place| Wanted::new(place, "a", 1, all[..columns].to_vec())).collect()
    }

    #[test]
    fn ports_are_packed_whole() {
        for (ports, columns, oids_per_request, expected) in [
            (0, 5, 48, vec![]),
            (9, 5, 48, vec![9]),
            (10, 5, 48, vec![9, 1]),
            (3, 5, 12, vec![2, 1]),
            (2, 5, 1, vec![1, 1]),
        ] {
            let queue = pack(wanted(ports, columns), oids_per_request);
            assert_eq!(queue.iter().map(Vec::len).collect::<Vec<_>>(), expected, "{ports} ports");
        }
    }
}
