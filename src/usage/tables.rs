//! The table to ask for each month, for many who ask at once.
//!
//! **The running month.** A site of up to [`AT_ONCE_MAX`] servers is looked at with every question, which costs a
//! comparison a server: what was posted a moment ago is in the answer. On a larger one a table answers for a second without
//! a look at the live state. After that the next question still gets it at once, and has the one that follows made beside;
//! one that is older than two seconds, for nobody asked meanwhile, is waited for. So no question waits for readings that
//! are being taken in, and no answer is more than two seconds behind them. While revisions that reach further than
//! memory are being read again, which takes moments, the last table stands; without one the store is asked.
//!
//! **Any other month** comes out of the store. One of all servers is kept, for the [`MONTHS_MAX`] months that were asked for
//! last, until the inventory in force or any sample of a month gone by changes. What may still be on its way to the store
//! is: a table made within [`SETTLED_MS`] of such a change, or of the month's end, is kept no longer than it took to make.
//! A question for few servers is answered from theirs alone.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex as Lock, MutexGuard, PoisonError};
use std::time::Duration;

use meter95_reading::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use super::UsageError;
use super::catalog::Catalog;
use super::filter::Filter;
use super::keeper::{Keeper, NotKept};
use super::table::Table;
use super::weeks::{Known, Unknown, Weeks};
use crate::access::Caller;
use crate::aggregator::output::ServerId;
use crate::aggregator::pipeline::Live;
use crate::aggregator::state::Times;
use crate::inventory::{Inventory, Server};
use crate::metering::period::Month;
use crate::metering::units::Slot;
use crate::store::connection::{Store, StoreError};

/// Up to so many servers every question looks at the live state itself: that takes a millisecond.
pub const AT_ONCE_MAX: usize = 2_000;

/// How long a table of a larger site answers before the next one is made.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// How old a table may be; an older one is not told.
const OLD_AFTER: Duration = Duration::from_secs(2);

/// How old a table may be while tallies are being read again.
const OLD_AFTER_STALE: Duration = Duration::from_secs(60);

/// Tables of other months that are kept: of 100,000 servers each is some 40 MB.
const MONTHS_MAX: usize = 3;

/// Up to so many servers of another month are read for one question and not kept.
const FEW_SERVERS: usize = 1_000;

/// How long after a change of a month gone by all of it is surely stored, in ms: rows wait for 2 s at most where the store
/// keeps up.
const SETTLED_MS: i64 = 60_000;

/// How long after the store failed to tell what is usual it is asked again.
const WEEKS_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The tables. Cheap to clone.
#[derive(Clone)]
pub struct Tables(Arc<Inner>);

struct Inner {
    live: Live,
    store: Store,
    times: Times,
    now: fn() -> Timestamp,
    newest: Lock<Option<Newest>>,
    keeping: Arc<Mutex<Keeping>>,
    months: Lock<VecDeque<Kept>>,
    /// Held while a whole month is read: one at a time, for each takes much memory.
    reading: Mutex<()>,
}

/// The running month's table, and when it was so for certain.
#[derive(Clone)]
struct Newest {
    table: Arc<Table>,
    looked: Instant,
}

#[derive(Default)]
struct Keeping {
    keeper: Keeper,
    weeks: Weeks,
    /// For which catalog, and which end, the weeks are known or being read.
    weeks_for: Option<(Arc<Catalog>, Slot)>,
    /// When reading them failed last.
    weeks_failed: Option<Instant>,
}

/// Another month's table of all servers.
struct Kept {
    table: Arc<Table>,
    /// How many changes of months gone by are in it.
    gone_by: u64,
    /// When it was made; for good, where nothing was on its way.
    made: Instant,
    took: Duration,
    settled: bool,
}

impl Tables {
    /// The tables of what `live` and `store` have, by the clock `now`. Makes none yet.
    #[must_use]
    pub fn new(live: Live, store: Store, times: Times, now: fn() -> Timestamp) -> Self {
        let (newest, keeping) = (Lock::default(), Arc::default());
        let (months, reading) = (Lock::default(), Mutex::default());
        Self(Arc::new(Inner { live, store, times, now, newest, keeping, months, reading }))
    }

    /// A month's table, the running one's unless another is asked for. It has at least the lines that `filter` asks for
    /// and `caller` sees.
    ///
    /// # Errors
    /// When the store can't be read, or the clock is in no month.
    pub async fn month(
        &self,
        period: Option<Month>,
        filter: &Filter,
        caller: &Caller,
    ) -> Result<Arc<Table>, UsageError> {
        let running = self.running().await?;
        match period {
            Some(period) if period != running.catalog().period => self.stored(period, filter, caller).await,
            _ => Ok(running),
        }
    }

    /// The running month's table.
    ///
    /// # Errors
    /// As [`Tables::month`].
    pub async fn running(&self) -> Result<Arc<Table>, UsageError> {
        if let Some(Newest { table, looked }) = self.newest()
            && is_large(&table)
            && looked.elapsed() < OLD_AFTER
        {
            if looked.elapsed() >= FRESH_FOR
                && let Ok(keeping) = Arc::clone(&self.0.keeping).try_lock_owned()
            {
                let tables = self.clone();
                // If it can't be made now, whoever finds the old one too old is told so.
                drop(tokio::task::spawn_blocking(move || tables.keep(keeping)));
            }
            return Ok(table);
        }
        let keeping = Arc::clone(&self.0.keeping).lock_owned().await;
        let kept = if self.0.live.read().inventory().servers.len() > AT_ONCE_MAX {
            if let Some(Newest { table, looked }) = self.newest()
                && looked.elapsed() < FRESH_FOR
            {
                // Somebody else waited for it, too.
                return Ok(table);
            }
            let tables = self.clone();
            let made = tokio::task::spawn_blocking(move || tables.keep(keeping)).await;
            made.map_err(|_| UsageError::Ended)?
        } else {
            self.keep_at_once(keeping).await
        };
        match kept {
            Ok(table) => Ok(table),
            Err(NotKept::NoMonth) => Err(UsageError::NoMonth),
            Err(NotKept::Stale) => match self.newest() {
                Some(Newest { table, looked }) if looked.elapsed() < OLD_AFTER_STALE => Ok(table),
                _ => self.running_as_stored().await,
            },
        }
    }

    fn newest(&self) -> Option<Newest> {
        self.0.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the table of this moment the newest one.
    fn made(&self, keeping: &mut Keeping) -> Result<Arc<Table>, NotKept> {
        let looked = Instant::now();
        let table = keeping.keeper.keep(&self.0.live, &keeping.weeks)?;
        let newest = Newest { table: Arc::clone(&table), looked };
        *self.0.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(newest);
        Ok(table)
    }

    /// Makes the table of this moment, and has what is usual read beside where that is not known.
    fn keep(&self, mut keeping: OwnedMutexGuard<Keeping>) -> Result<Arc<Table>, NotKept> {
        let table = self.made(&mut keeping)?;
        if let Some(unknown) = self.unknown(&mut keeping, &table) {
            let tables = self.clone();
            tokio::spawn(async move {
                let read = unknown.read(&tables.0.store).await;
                tables.0.keeping.lock().await.learn(&unknown, read);
            });
        }
        Ok(table)
    }

    /// Makes the table of this moment, with all that is usual.
    async fn keep_at_once(&self, mut keeping: OwnedMutexGuard<Keeping>) -> Result<Arc<Table>, NotKept> {
        let table = self.made(&mut keeping)?;
        let Some(unknown) = self.unknown(&mut keeping, &table) else {
            return Ok(table);
        };
        let read = unknown.read(&self.0.store).await;
        keeping.learn(&unknown, read);
        self.made(&mut keeping)
    }

    /// What is usual and not known, once for each catalog and day.
    fn unknown(&self, keeping: &mut Keeping, table: &Table) -> Option<Unknown> {
        let until = Weeks::end(self.0.live.read().grace_over_until());
        let catalog = table.catalog();
        let known = keeping.weeks_for.as_ref();
        if known.is_some_and(|(known, end)| Arc::ptr_eq(known, catalog) && *end == until) {
            return None;
        }
        if keeping.weeks_failed.is_some_and(|failed| failed.elapsed() < WEEKS_AGAIN_AFTER) {
            return None;
        }
        keeping.weeks_for = Some((Arc::clone(catalog), until));
        let unknown = keeping.weeks.unknown(catalog, keeping.keeper.servers(), until);
        (!unknown.is_empty()).then_some(unknown)
    }

    /// The running month as the store has it.
    async fn running_as_stored(&self) -> Result<Arc<Table>, UsageError> {
        let (inventory, period) = {
            let state = self.0.live.read();
            let inventory = state.shared_inventory();
            let period = Month::of(state.clock(), &inventory.timezone).ok_or(UsageError::NoMonth)?;
            (inventory, period)
        };
        Ok(Arc::new(self.read(&inventory, period, None).await?))
    }

    /// A month as the store has it.
    async fn stored(
        &self,
        period: Month,
        filter: &Filter,
        caller: &Caller,
    ) -> Result<Arc<Table>, UsageError> {
        let (inventory, gone_by, gone_by_at) = {
            let state = self.0.live.read();
            let (gone_by, at) = state.changes().gone_by();
            (state.shared_inventory(), gone_by, at)
        };
        if let Some(table) = self.known(&inventory, period, gone_by) {
            return Ok(table);
        }
        let is = |asked: &Option<String>, found: &str| asked.as_deref().is_none_or(|asked| asked == found);
        let (asked, caller) = (filter.clone(), caller.clone());
        let wanted = move |server: &Server| {
            is(&asked.server, &server.id)
                && is(&asked.customer, &server.customer)
                && is(&asked.region, &server.region)
                && caller.sees(&server.customer, &server.region)
        };
        let few = inventory.servers.values().filter(|server| wanted(server)).take(FEW_SERVERS + 1).count();
        if few <= FEW_SERVERS && few < inventory.servers.len() {
            return Ok(Arc::new(self.read(&inventory, period, Some(&wanted)).await?));
        }
        let tables = self.clone();
        // Goes on when whoever asks gives up, so that he finds it made when he comes again.
        let made =
            tokio::spawn(async move { tables.stored_whole(inventory, period, gone_by, gone_by_at).await });
        made.await.map_err(|_| UsageError::Ended)?
    }

    fn months(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.0.months.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table of another month that is kept, where it is still so.
    fn known(&self, inventory: &Arc<Inventory>, period: Month, gone_by: u64) -> Option<Arc<Table>> {
        let months = self.months();
        let kept = months.iter().find(|kept| kept.is_so(inventory, period, gone_by))?;
        Some(Arc::clone(&kept.table))
    }

    async fn stored_whole(
        &self,
        inventory: Arc<Inventory>,
        period: Month,
        gone_by: u64,
        gone_by_at: Option<Timestamp>,
    ) -> Result<Arc<Table>, UsageError> {
        let _reading = self.0.reading.lock().await;
        if let Some(table) = self.known(&inventory, period, gone_by) {
            // Somebody else waited for it, too.
            return Ok(table);
        }
        let made = Instant::now();
        let table = Arc::new(self.read(&inventory, period, None).await?);
        let over = period.span(&inventory.timezone).1.plus_ms(self.0.times.grace_ms);
        let last_change = gone_by_at.map_or(over, |at| at.max(over));
        let settled = (self.0.now)().ms_since(last_change) > SETTLED_MS;
        let mut months = self.months();
        months.retain(|kept| kept.table.catalog().period != period);
        months.truncate(MONTHS_MAX - 1);
        let table_kept = Arc::clone(&table);
        months.push_front(Kept { table: table_kept, gone_by, made, took: made.elapsed(), settled });
        Ok(table)
    }

    async fn read(
        &self,
        inventory: &Arc<Inventory>,
        period: Month,
        wanted: Option<&(dyn Fn(&Server) -> bool + Send + Sync)>,
    ) -> Result<Table, UsageError> {
        let Inner { store, times, now, .. } = &*self.0;
        Table::stored(store, inventory, period, now(), *times, wanted).await
    }
}

impl Keeping {
    fn learn(&mut self, unknown: &Unknown, read: Result<HashMap<ServerId, Known>, StoreError>) {
        match read {
            Ok(read) => self.weeks.learn(unknown, read),
            Err(error) => {
                tracing::warn!(error = %error, "what is usual can't be read, figures have no projection yet");
                self.weeks_for = None;
                self.weeks_failed = Some(Instant::now());
            }
        }
    }
}

impl Kept {
    /// Whether it tells `period` as it is.
    fn is_so(&self, inventory: &Arc<Inventory>, period: Month, gone_by: u64) -> bool {
        let catalog = self.table.catalog();
        catalog.period == period
            && Arc::ptr_eq(&catalog.inventory, inventory)
            && self.gone_by == gone_by
            && (self.settled || self.made.elapsed() < self.took * 2)
    }
}

fn is_large(table: &Table) -> bool {
    table.catalog().len() > AT_ONCE_MAX
}
