//! The figures of all servers of a catalog at one instant, as numbers: what an order, a filter or a sum needs.
//!
//! A table is never changed, so whoever has one may take its time, and all that it says belongs together. Orders are made
//! when they are first asked for; a table that follows another one takes over those that the other was asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use meter95_reading::Timestamp;
use rust_decimal::Decimal;

use super::catalog::{Catalog, Terms, index};
use super::filter::Chosen;
use super::order::{Direction, LAST, Sort, order, reorder};
use super::{ServerUsage, Sum, UsageError};
use crate::aggregator::output::ServerId;
use crate::aggregator::state::{Aggregator, Times};
use crate::inventory::{Inventory, Server};
use crate::metering::period::{Month, SlotSpan};
use crate::metering::sample::Sample;
use crate::metering::tally::projection::{Projection, Usual};
use crate::metering::tally::{Figures, Rules, Tally};
use crate::metering::units::{Bps, Slot};
use crate::store::connection::Store;

/// One server's figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Of the whole period.
    pub figures: Figures,
    /// The allowance in force at the newest closed slot.
    pub allowance: Bps,
    /// The newest sample.
    pub last: Option<(Slot, Sample)>,
    /// Where the period may end.
    pub projected: Option<Projection>,
    /// Overage in whole units.
    pub billable: Option<Bps>,
    /// What that costs.
    pub amount: Option<Decimal>,
}

/// The figures of a catalog's servers.
#[derive(Debug)]
pub struct Table {
    catalog: Arc<Catalog>,
    rows: Vec<Row>,
    /// Since when each row has been so.
    since: Vec<Timestamp>,
    /// Since when the catalog has been so.
    catalog_since: Timestamp,
    orders: [OnceLock<Vec<u32>>; Sort::ALL.len()],
    whole: OnceLock<Summary>,
}

/// What chosen lines come to.
#[derive(Debug, Clone)]
pub struct Summary {
    /// How many there are.
    pub count: u64,
    /// How many of them have overage.
    pub over_count: u64,
    /// A currency at a time, in the order of the codes.
    pub sums: Vec<Sum>,
    /// Since when all of them have been so.
    pub since: Timestamp,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<'a> {
    /// After so many of the chosen lines.
    Skipping(usize),
    /// After the end of another page: a line's key and id. That line need not be there any more.
    After(u128, &'a str),
}

/// Some lines of a table, one after the other.
#[derive(Debug, Clone)]
pub struct Page {
    /// Their rows.
    pub rows: Vec<u32>,
    /// The key of the last of them, where more follow.
    pub more: Option<u128>,
}

impl Row {
    /// The figures of a server by `rules`, closed up to `closed_until`.
    #[must_use]
    pub fn new(
        terms: &Terms,
        rules: &Rules,
        figures: &Figures,
        closed_until: Slot,
        last: Option<(Slot, Sample)>,
        projected: Option<Projection>,
    ) -> Self {
        let billable = terms.billable(figures.overage);
        Self {
            figures: *figures,
            allowance: newest_allowance(rules, closed_until),
            last,
            projected,
            billable,
            amount: terms.amount(billable),
        }
    }

    /// The figures of a server as they are now; `None` where its tally must be read again.
    #[must_use]
    pub fn live(
        state: &Aggregator,
        catalog: &Catalog,
        row: u32,
        number: ServerId,
        usual: Option<Usual>,
    ) -> Option<Self> {
        let server = state.servers().get(number.index())?;
        let closed_until = state.closed_until(server);
        let fresh;
        let tally = if server.month == catalog.month {
            &server.tally
        } else {
            // None of the month's slots has closed yet.
            fresh = Tally::new(catalog.inventory.rules_of(catalog.server(row)?, catalog.month));
            &fresh
        };
        let figures = tally.figures(closed_until).ok()?;
        let projected = match usual {
            Some(usual) => tally.projected(closed_until, usual).ok()?,
            None => None,
        };
        let terms = catalog.terms_of(row)?;
        Some(Self::new(terms, tally.rules(), &figures, closed_until, server.newest(), projected))
    }
}

impl Table {
    /// A table of `rows`, one for each server of `catalog`, as they have been since `since`.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>, rows: Vec<Row>, since: Timestamp) -> Self {
        let all_since = vec![since; rows.len()];
        Self::with(catalog, rows, all_since, since)
    }

    fn with(catalog: Arc<Catalog>, rows: Vec<Row>, since: Vec<Timestamp>, catalog_since: Timestamp) -> Self {
        let orders = std::array::from_fn(|_| OnceLock::new());
        Self { catalog, rows, since, catalog_since, orders, whole: OnceLock::new() }
    }

    /// The table that follows this one when the rows of `moved`, ascending, are others since `now`. Orders that this one
    /// was asked for are put right rather than made anew.
    #[must_use]
    pub fn followed_by(&self, moved: &[(u32, Row)], now: Timestamp) -> Self {
        let (mut rows, mut since) = (self.rows.clone(), self.since.clone());
        let mut is_moved = vec![false; rows.len()];
        for (row, new) in moved {
            let at = index(*row);
            if let (Some(row), Some(since), Some(is_moved)) =
                (rows.get_mut(at), since.get_mut(at), is_moved.get_mut(at))
            {
                (*row, *since, *is_moved) = (*new, now, true);
            }
        }
        let numbers: Vec<u32> = moved.iter().map(|(row, _)| *row).collect();
        let next = Self::with(Arc::clone(&self.catalog), rows, since, self.catalog_since);
        for sort in Sort::ALL {
            let place = sort.place();
            if let (Some(before), Some(after)) =
                (self.orders.get(place).and_then(OnceLock::get), next.orders.get(place))
            {
                let is_moved = |row: u32| is_moved.get(index(row)).copied().unwrap_or(false);
                after.get_or_init(|| reorder(before, &numbers, is_moved, |row| next.key(sort, row)));
            }
        }
        next
    }

    /// The running month out of the live state; `None` for any other month, and for a moment after revisions that
    /// reach further than memory.
    #[must_use]
    pub fn live(state: &Aggregator, period: Month) -> Option<Self> {
        let catalog = Catalog::new(&state.shared_inventory(), period, |_| true);
        if state.month_at(state.clock()) != catalog.month || state.has_stale_tallies() {
            return None;
        }
        let row = |(row, id): (u32, &String)| Row::live(state, &catalog, row, state.server(id)?.id, None);
        let rows = (0..).zip(catalog.ids()).map(row).collect::<Option<Vec<Row>>>()?;
        Some(Self::new(Arc::new(catalog), rows, state.clock()))
    }

    /// Any month out of the store, as of `now`: of all servers, or of those that are `wanted`.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn stored(
        store: &Store,
        inventory: &Arc<Inventory>,
        period: Month,
        now: Timestamp,
        times: Times,
        wanted: Option<&(dyn Fn(&Server) -> bool + Send + Sync)>,
    ) -> Result<Self, UsageError> {
        let catalog = Catalog::new(inventory, period, |server| wanted.is_none_or(|wanted| wanted(server)));
        let month = catalog.month;
        let grace_over = Slot::of(now.plus_ms(-times.grace_ms));
        let numbers: BTreeMap<String, ServerId> =
            store.servers().await?.into_iter().zip((0..).map(ServerId)).collect();
        let newest = if month.contains(grace_over) {
            let recent = crate::aggregator::server::RECENT_SLOTS;
            store.newest_samples(Slot(grace_over.0.saturating_sub(recent))).await?
        } else {
            BTreeMap::new()
        };
        let rules = |id: &String| {
            let number = *numbers.get(id)?;
            Some((number, inventory.rules_of(inventory.servers.get(id)?, month)))
        };
        let asked: Vec<(ServerId, Rules)> = catalog.ids().iter().filter_map(rules).collect();
        let tallies: BTreeMap<ServerId, Tally> = store.tallies(asked).await?.into_iter().collect();
        let mut rows = Vec::with_capacity(catalog.len());
        for (row, id) in (0..).zip(catalog.ids()) {
            let (Some(server), Some(terms)) = (catalog.server(row), catalog.terms_of(row)) else { continue };
            let number = numbers.get(id);
            let empty;
            let tally = match number.and_then(|number| tallies.get(number)) {
                Some(tally) => tally,
                None => {
                    empty = Tally::new(inventory.rules_of(server, month));
                    &empty
                }
            };
            let last = number.and_then(|number| newest.get(number)).copied();
            let closed_until = last.map_or(grace_over, |(slot, _)| slot.next().max(grace_over));
            let figures = tally.figures(closed_until).map_err(|e| UsageError::Exhausted(id.clone(), e))?;
            rows.push(Row::new(terms, tally.rules(), &figures, closed_until, last, None));
        }
        let over = period.span(&inventory.timezone).1.plus_ms(times.grace_ms);
        Ok(Self::new(Arc::new(catalog), rows, now.min(over)))
    }

    /// Whose figures these are.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// All of them, in the order of the ids.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// A line in words.
    #[must_use]
    pub fn line(&self, row: u32) -> Option<ServerUsage> {
        let (server, terms) = (self.catalog.server(row)?, self.catalog.terms_of(row)?);
        Some(ServerUsage::told(server, terms, self.rows.get(index(row))?))
    }

    fn key(&self, sort: Sort, row: u32) -> u128 {
        self.rows.get(index(row)).map_or(LAST, |line| sort.key(line, &self.catalog, row))
    }

    /// All rows in an order, its own way round.
    #[must_use]
    pub fn order(&self, sort: Sort) -> &[u32] {
        let made = self.orders.get(sort.place());
        made.map_or(&[], |made| made.get_or_init(|| order(self.catalog.rows(), |row| self.key(sort, row))))
    }

    /// Up to `limit` of the chosen lines by `sort`, `direction` round, from `start` on.
    #[must_use]
    pub fn page(
        &self,
        chosen: &Chosen,
        sort: Sort,
        direction: Direction,
        start: Start<'_>,
        limit: usize,
    ) -> Page {
        let order = self.order(sort);
        let before =
            |rows: &[u32], end: (u128, u32)| rows.partition_point(|row| (self.key(sort, *row), *row) < end);
        // The other way round, lines with the figure are walked from their end, and those without still come after.
        let turned = if direction == sort.direction() { 0 } else { before(order, (LAST, 0)) };
        let (mut back, mut on) = order.split_at(turned);
        let mut skipped = 0;
        match start {
            Start::Skipping(lines) => skipped = lines,
            Start::After(key, id) if turned > 0 && key != LAST => {
                back = &back[..before(back, (key, self.catalog.row_from(id)))];
            }
            Start::After(key, id) => (back, on) = (&[], &on[before(on, (key, self.catalog.row_after(id)))..]),
        }
        let all = back.iter().rev().chain(on).copied();
        let mut rest = all.filter(|row| chosen.takes(self, *row)).skip(skipped);
        let rows: Vec<u32> = rest.by_ref().take(limit).collect();
        let more = rows.last().filter(|_| rest.next().is_some()).map(|row| self.key(sort, *row));
        Page { rows, more }
    }

    /// What the chosen lines come to.
    #[must_use]
    pub fn summary(&self, chosen: &Chosen) -> std::borrow::Cow<'_, Summary> {
        if chosen.is_everything() {
            return std::borrow::Cow::Borrowed(self.whole.get_or_init(|| self.sum_up(chosen)));
        }
        std::borrow::Cow::Owned(self.sum_up(chosen))
    }

    fn sum_up(&self, chosen: &Chosen) -> Summary {
        let terms = self.catalog.all_terms();
        // By terms first: a line is then some whole numbers, and a currency is looked up a few times.
        let mut by_terms = vec![(0_u64, 0_u64, Decimal::ZERO); terms.len()];
        let (mut count, mut over_count, mut since) = (0, 0, self.catalog_since);
        for row in chosen.candidates(self).filter(|row| chosen.takes(self, *row)) {
            let Some(figures) = self.rows.get(index(row)) else { continue };
            count += 1;
            over_count += u64::from(figures.figures.overage > Some(Bps(0)));
            since = since.max(self.since.get(index(row)).copied().unwrap_or(since));
            let number = self.catalog.terms_number(row).and_then(|number| by_terms.get_mut(number));
            if let Some((lines, billable, amount)) = number {
                *lines += 1;
                *billable = billable.saturating_add(figures.billable.unwrap_or_default().0);
                *amount = amount.saturating_add(figures.amount.unwrap_or_default());
            }
        }
        let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
        for (terms, (lines, billable, amount)) in terms.iter().zip(by_terms) {
            let Some(tariff) = terms.tariff().filter(|_| lines > 0) else { continue };
            let currency = tariff.currency().to_string();
            let sum = sums.entry(currency.clone()).or_insert_with(|| Sum {
                currency,
                count: 0,
                billable_bps: Bps(0),
                amount: Decimal::ZERO,
            });
            sum.count += lines;
            sum.billable_bps = sum.billable_bps.plus(Bps(billable));
            sum.amount = sum.amount.saturating_add(amount);
        }
        Summary { count, over_count, sums: sums.into_values().collect(), since }
    }
}

/// The allowance in the newest closed slot of the period, or in its first where none has closed.
fn newest_allowance(rules: &Rules, closed_until: Slot) -> Bps {
    let SlotSpan { from, until } = rules.span;
    rules.allowance.in_slot(closed_until.min(until).previous().max(from))
}
