//! Keeps the running month's table up to date, with work for what has changed only and without holding the live state.
//!
//! Lines are made in parts, between which readings are taken in; only the last part, after which nothing is left to be
//! made, decides of which instant the table is. So the live state is held for [`PART_ROWS`] lines at a time, some ms, however
//! many servers there are, and all lines of a table are still as of one instant.

use std::sync::Arc;

use meter95_reading::Timestamp;

use super::catalog::{Catalog, index};
use super::filter::Chosen;
use super::table::{Row, Table};
use super::weeks::Weeks;
use crate::aggregator::output::ServerId;
use crate::aggregator::pipeline::Live;
use crate::aggregator::state::Aggregator;
use crate::metering::period::Month;
use crate::metering::units::Slot;

/// Lines that are made while the live state is held: some 5 ms.
const PART_ROWS: usize = 4_000;

/// After so many parts what is left is made at once: lines change faster than they are made.
const PARTS_MAX: usize = 100;

/// Why there is no table of this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// Tallies are being read again from the store.
    #[error("the figures are being read again")]
    Stale,
    /// The clock is outside the years that a calendar covers.
    #[error("the clock is in no month")]
    NoMonth,
}

/// What the keeper knows of a line.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// The server's number; `None` for one that the live state does not know yet.
    number: Option<ServerId>,
    /// The last change that is in it; `None` before it was made.
    change: Option<u64>,
    /// Up to where its slots had closed.
    closed_until: Slot,
}

/// The newest table, and what of it is to be made again.
#[derive(Debug, Default)]
pub struct Keeper {
    table: Option<Arc<Table>>,
    seen: Vec<Seen>,
    weeks_version: u64,
}

/// A table that is being made.
struct Making {
    catalog: Arc<Catalog>,
    seen: Vec<Seen>,
    /// The new lines, by row.
    made: Vec<Option<Row>>,
}

impl Keeper {
    /// The newest table, whatever has happened since.
    #[must_use]
    pub fn newest(&self) -> Option<&Arc<Table>> {
        self.table.as_ref()
    }

    /// The rows of the newest table with their servers' numbers.
    pub fn servers(&self) -> impl Iterator<Item = (u32, ServerId)> + '_ {
        (0_u32..).zip(&self.seen).filter_map(|(row, seen)| Some((row, seen.number?)))
    }

    /// The table of this moment: the one before where nothing has changed.
    ///
    /// # Errors
    /// When there can't be one now.
    pub fn keep(&mut self, live: &Live, weeks: &Weeks) -> Result<Arc<Table>, NotKept> {
        loop {
            let (inventory, period) = {
                let state = live.read();
                (state.shared_inventory(), running_month(&state)?)
            };
            let before = self.table.clone().filter(|table| {
                let catalog = table.catalog();
                Arc::ptr_eq(&catalog.inventory, &inventory) && catalog.period == period
            });
            let catalog = match &before {
                Some(table) => Arc::clone(table.catalog()),
                None => Arc::new(Catalog::new(&inventory, period, |_| true)),
            };
            let seen = if before.is_some() { std::mem::take(&mut self.seen) } else { Vec::new() };
            let mut making = Making::new(live, catalog, seen);
            if self.weeks_version != weeks.version() {
                making.seen.iter_mut().for_each(|seen| seen.change = None);
            }
            let finished = making.finish(live, weeks);
            let Making { catalog, seen, made } = making;
            self.seen = seen;
            let now = match finished {
                Ok(Some(now)) => now,
                // Another inventory was put in force meanwhile, or another month has begun.
                Ok(None) => {
                    self.table = None;
                    continue;
                }
                Err(error) => {
                    self.forget_made(&made);
                    return Err(error);
                }
            };
            self.weeks_version = weeks.version();
            let table = match before {
                Some(table) => follow(table, made, now),
                None => Arc::new(Table::new(catalog, made.into_iter().flatten().collect(), now)),
            };
            // Off the way of whoever asks.
            let _ = table.summary(&Chosen::all(table.catalog()));
            self.table = Some(Arc::clone(&table));
            return Ok(table);
        }
    }

    /// What was made for nothing is made again next time.
    fn forget_made(&mut self, made: &[Option<Row>]) {
        for (seen, made) in self.seen.iter_mut().zip(made) {
            if made.is_some() {
                seen.change = None;
            }
        }
    }
}

/// The table after `table` when these lines were made; `table` itself where none of them is another one.
fn follow(table: Arc<Table>, made: Vec<Option<Row>>, now: Timestamp) -> Arc<Table> {
    let numbered = (0_u32..).zip(made).filter_map(|(row, made)| Some((row, made?)));
    let moved: Vec<(u32, Row)> =
        numbered.filter(|(row, made)| table.rows().get(index(*row)) != Some(made)).collect();
    if moved.is_empty() { table } else { Arc::new(table.followed_by(&moved, now)) }
}

/// The month in which the live state's clock stands.
fn running_month(state: &Aggregator) -> Result<Month, NotKept> {
    Month::of(state.clock(), &state.inventory().timezone).ok_or(NotKept::NoMonth)
}

impl Making {
    fn new(live: &Live, catalog: Arc<Catalog>, mut seen: Vec<Seen>) -> Self {
        if seen.len() != catalog.len() {
            let state = live.read();
            let unseen = |id: &String| Seen {
                number: state.server(id).map(|server| server.id),
                change: None,
                closed_until: Slot(0),
            };
            seen = catalog.ids().iter().map(unseen).collect();
        }
        let made = vec![None; seen.len()];
        Self { catalog, seen, made }
    }

    /// Makes all lines that are not up to date, and tells of which instant they are then; `None` where the catalog has
    /// become another one.
    fn finish(&mut self, live: &Live, weeks: &Weeks) -> Result<Option<Timestamp>, NotKept> {
        for part in 1.. {
            let state = live.read();
            if !Arc::ptr_eq(&state.shared_inventory(), &self.catalog.inventory)
                || running_month(&state)? != self.catalog.period
            {
                return Ok(None);
            }
            if state.has_stale_tallies() {
                return Err(NotKept::Stale);
            }
            let most = if part < PARTS_MAX { PART_ROWS } else { usize::MAX };
            if self.make_some(&state, weeks, most)? {
                return Ok(Some(state.clock()));
            }
        }
        Ok(None)
    }

    /// Makes up to `most` lines; returns whether all are up to date then.
    fn make_some(&mut self, state: &Aggregator, weeks: &Weeks, most: usize) -> Result<bool, NotKept> {
        let grace_over = state.grace_over_until();
        let mut left = most;
        for ((row, seen), made) in (0_u32..).zip(&mut self.seen).zip(&mut self.made) {
            let Some(number) = seen.number else {
                // The live state has a number for every server of its inventory.
                return Err(NotKept::Stale);
            };
            let change = state.changes().of(number);
            if seen.change == Some(change) && seen.closed_until >= grace_over {
                continue;
            }
            if left == 0 {
                return Ok(false);
            }
            left -= 1;
            let usual = weeks.usual(number);
            let new = Row::live(state, &self.catalog, row, number, usual).ok_or(NotKept::Stale)?;
            *made = Some(new);
            seen.change = Some(change);
            let server = state.servers().get(number.index());
            seen.closed_until = server.map_or(grace_over, |server| state.closed_until(server));
        }
        Ok(true)
    }
}
