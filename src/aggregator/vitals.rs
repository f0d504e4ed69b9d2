//! How metering itself does: what is taken and refused, whose clock goes ahead, which device is silent, and whether the
//! store keeps up. Counted where it happens, and told to whoever asks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::HashMap;
use meter95_reading::{Reading, Timestamp};
use tokio::time::Instant;

use super::pipeline::Receipt;
use super::state::Aggregator;

/// How many minutes are looked back over, the one that runs among them.
pub const MINUTES: i64 = 10;

/// A minute in ms.
const MINUTE_MS: i64 = 60_000;

/// How long rows are on their way before the store is behind: many times what an insert takes.
pub const BEHIND_AFTER: Duration = Duration::from_secs(5);

/// The counters, shared by all who fill them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Vitals(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// The last [`MINUTES`] by their number since 1970, ascending; those in which nothing happened are left out.
    minutes: VecDeque<(i64, Minute)>,
    refusal: Option<Refusal>,
    /// Rows on their way to the store, by when they set out.
    writes: BTreeMap<u64, (Instant, usize)>,
    next_write: u64,
}

#[derive(Debug, Default)]
struct Minute {
    taken: u64,
    stale: u64,
    refused: u64,
    skew: Option<Skew>,
}

/// A device whose clock goes ahead of this machine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skew {
    /// The device.
    pub device: String,
    /// By how much at least, in ms, above 0: a reading was that far ahead when it came.
    pub ahead_ms: i64,
}

/// A reading that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub at: Timestamp,
    /// Where it came from.
    pub from: String,
    /// Why.
    pub says: String,
}

/// Rows that the store has not taken in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// Since when the oldest of them are on their way.
    pub since: Timestamp,
    /// How many there are.
    pub rows: u64,
}

/// How metering does, over the last [`MINUTES`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Readings that were stored.
    pub taken: u64,
    /// Readings that were not newer than known ones.
    pub stale: u64,
    /// Readings, and lines that are none, that were refused.
    pub refused: u64,
    /// The newest refusal.
    pub refusal: Option<Refusal>,
    /// The device whose clock goes ahead the most.
    pub skew: Option<Skew>,
    /// Whether the store is behind now.
    pub behind: Option<Behind>,
}

/// Rows on their way to the store, until it is dropped.
#[derive(Debug)]
pub(super) struct Writing {
    vitals: Vitals,
    number: u64,
}

impl Vitals {
    /// What there is to tell at `now`.
    #[must_use]
    pub fn report(&self, now: Timestamp) -> Report {
        let mut kept = self.kept();
        kept.forget(now);
        let mut report = Report { refusal: kept.refusal.clone(), ..Report::default() };
        for (_, minute) in &kept.minutes {
            report.taken += minute.taken;
            report.stale += minute.stale;
            report.refused += minute.refused;
        }
        let skews = kept.minutes.iter().filter_map(|(_, minute)| minute.skew.as_ref());
        report.skew = skews.max_by_key(|skew| skew.ahead_ms).cloned();
        let oldest = kept.writes.values().map(|(since, _)| since.elapsed()).max();
        report.behind = oldest.filter(|oldest| *oldest >= BEHIND_AFTER).map(|oldest| Behind {
            since: now.plus_ms(-i64::try_from(oldest.as_millis()).unwrap_or(i64::MAX)),
            rows: kept.writes.values().map(|(_, rows)| *rows as u64).sum(),
        });
        report
    }

    /// Notes what became of readings, at `now`.
    pub fn took(&self, receipts: &[Receipt], now: Timestamp) {
        let mut kept = self.kept();
        let minute = kept.minute(now);
        for receipt in receipts {
            minute.taken += receipt.taken;
            minute.stale += receipt.stale;
            minute.refused += receipt.refused;
        }
    }

    /// Notes `count` refused readings that came from `from`, and what is wrong with the newest of them, at `now`.
    pub fn refused(&self, count: u64, from: &str, says: &str, now: Timestamp) {
        metrics::counter!("meter95_readings_refused_total").increment(count);
        let mut kept = self.kept();
        kept.minute(now).refused += count;
        kept.refusal = Some(Refusal { at: now, from: from.to_owned(), says: says.to_owned() });
    }

    /// Looks at the times of readings that come in at `now`.
    pub fn came(&self, readings: &[Reading], now: Timestamp) {
        if let Some(newest) = readings.iter().max_by_key(|reading| reading.counters.time) {
            self.ahead(newest.port.device(), newest.counters.time, now);
        }
    }

    /// Notes that a reading of `device` says `time` at `now`, where that is ahead.
    pub fn ahead(&self, device: &str, time: Timestamp, now: Timestamp) {
        let ahead_ms = time.ms_since(now);
        if ahead_ms <= 0 {
            return;
        }
        let mut kept = self.kept();
        let skew = &mut kept.minute(now).skew;
        if skew.as_ref().is_none_or(|skew| skew.ahead_ms < ahead_ms) {
            *skew = Some(Skew { device: device.to_owned(), ahead_ms });
        }
    }

    /// Notes that so many rows set out to the store.
    pub(super) fn writing(&self, rows: usize) -> Writing {
        let mut kept = self.kept();
        let number = kept.next_write;
        kept.next_write += 1;
        kept.writes.insert(number, (Instant::now(), rows));
        Writing { vitals: self.clone(), number }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Forgets what is longer ago than is looked back over.
    fn forget(&mut self, now: Timestamp) {
        let first = now.0.div_euclid(MINUTE_MS) - MINUTES + 1;
        self.minutes.retain(|(number, _)| *number >= first);
        self.refusal.take_if(|refusal| refusal.at.0.div_euclid(MINUTE_MS) < first);
    }

    /// The minute of `now`; the newest one where the clock has been put back.
    fn minute(&mut self, now: Timestamp) -> &mut Minute {
        let number = now.0.div_euclid(MINUTE_MS);
        if self.minutes.back().is_none_or(|(newest, _)| *newest < number) {
            self.forget(now);
            self.minutes.push_back((number, Minute::default()));
        }
        let newest = self.minutes.len() - 1;
        &mut self.minutes[newest].1
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.vitals.kept().writes.remove(&self.number);
    }
}

/// When each device was last read that the inventory has in use at `now`; `None` for one that never was. Whichever of a
/// device's interfaces was read tells that it answers.
#[must_use]
pub fn last_read(state: &Aggregator, now: Timestamp) -> BTreeMap<&str, Option<Timestamp>> {
    let mut newest: HashMap<&str, Timestamp> = HashMap::new();
    for port in state.ports() {
        if let Some(time) = port.accepted {
            let known = newest.entry(port.key.device()).or_insert(time);
            *known = time.max(*known);
        }
    }
    let inventory = state.inventory();
    let served = inventory.servers.values().filter(|server| server.is_served_at(now));
    let bindings = served.flat_map(|server| server.ports.iter().chain(&server.check_ports));
    let ports = bindings.filter(|binding| binding.holds_at(now)).map(|binding| &binding.port);
    let uplinks = inventory.uplinks.values().filter(|uplink| uplink.holds_at(now)).map(|uplink| &uplink.port);
    let devices = ports.chain(uplinks).map(|port| port.device());
    devices.map(|device| (device, newest.get(device).copied())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregator::state::Times;
    use crate::inventory::Inventory;
    use crate::inventory::document::Document;

    /// The start of a minute.
    const NOW: i64 = 1_790_780_400_000;

    fn at(minutes: i64) -> Timestamp {
        Timestamp(NOW + minutes * MINUTE_MS)
    }

    #[test]
    fn what_is_ten_minutes_ago_is_forgotten() {
        let vitals = Vitals::default();
        vitals.took(
            &[Receipt { taken: 5, stale: 1, refused: 0 }, Receipt { taken: 2, stale: 0, refused: 3 }],
            at(0),
        );
        vitals.refused(2, "collector tokyo-1", "line 7: no", at(0));
        vitals.ahead("sw1", at(0).plus_ms(700), at(0));
        vitals.ahead("sw2", at(0).plus_ms(900), at(0));
        vitals.ahead("sw3", at(0).plus_ms(800), at(0));
        vitals.took(&[Receipt { taken: 1, stale: 0, refused: 0 }], at(9));
        vitals.ahead("sw4", at(9).plus_ms(1), at(9));
        vitals.ahead("sw5", at(9), at(9));
        let skew = |device: &str, ahead_ms| Some(Skew { device: device.to_owned(), ahead_ms });
        let refusal =
            Refusal { at: at(0), from: "collector tokyo-1".to_owned(), says: "line 7: no".to_owned() };
        let early = Report {
            taken: 8,
            stale: 1,
            refused: 5,
            refusal: Some(refusal),
            skew: skew("sw2", 900),
            behind: None,
        };
        assert_eq!(vitals.report(at(10).plus_ms(-1)), early);
        let late = Report { taken: 1, skew: skew("sw4", 1), ..Report::default() };
        assert_eq!(vitals.report(at(10)), late);
        assert_eq!(vitals.report(at(19)), Report::default());
        // A clock that was put back costs nothing but precision.
        vitals.took(&[Receipt { taken: 1, ..Receipt::default() }], at(30));
        vitals.took(&[Receipt { taken: 1, ..Receipt::default() }], at(5));
        assert_eq!(vitals.report(at(30)).taken, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_store_is_behind_while_rows_are_long_on_their_way() {
        let vitals = Vitals::default();
        let first = vitals.writing(100);
        tokio::time::advance(Duration::from_secs(3)).await;
        let second = vitals.writing(20);
        assert_eq!(vitals.report(at(0)).behind, None);
        tokio::time::advance(Duration::from_secs(2)).await;
        let behind = |since_s: i64, rows| Some(Behind { since: at(0).plus_ms(-since_s * 1_000), rows });
        assert_eq!(vitals.report(at(0)).behind, behind(5, 120));
        drop(first);
        assert_eq!(vitals.report(at(0)).behind, None);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(vitals.report(at(0)).behind, behind(5, 20));
        drop(second);
        assert_eq!(vitals.report(at(0)).behind, None);
    }

    #[test]
    fn devices_in_use_tell_when_they_were_last_read() {
        let document: Document = toml::from_str(
            "servers = [\n\
               { id = 'a', ports = [{ device = 'sw1', interface = '1' }, { device = 'a', interface = 'eth0', check_only = true }] },\n\
               { id = 'b', ports = [{ device = 'gone', interface = '1', until = 1000 }] },\n\
               { id = 'c', service_end = 1000, ports = [{ device = 'ended', interface = '1' }] }]\n\
             uplinks = [{ id = 'u', region = 'r', device = 'core', interface = '1', speed_bps = 1 }]\n",
        )
        .unwrap();
        let mut state = Aggregator::new(Times::default(), at(0));
        state.set_inventory(Inventory::from_document(&document).unwrap());
        for (device, interface, time) in
            [("sw1", "1", 10), ("sw1", "unsold", 20), ("gone", "1", 30), ("a", "eth0", 5)]
        {
            let id = state.port_id(&meter95_reading::PortKey::new(device, interface).unwrap());
            assert!(state.accept(id, Timestamp(time)));
        }
        let found: Vec<(&str, Option<i64>)> =
            last_read(&state, at(0)).into_iter().map(|(device, time)| (device, time.map(|t| t.0))).collect();
        assert_eq!(found, [("a", Some(5)), ("core", None), ("sw1", Some(20))]);
    }
}
