//! What a month's figures would be without some of a device's readings, or with others in their place. Nothing is
//! written.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use meter95_reading::{Counters, PortKey, Reading, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;

use super::chunk::{AT_ONCE_MAX, Numbers, Rules};
use super::derive::{Bound, Carried, Replay, Window, speeds};
use crate::aggregator::output::{PortId, ServerId};
use crate::aggregator::state::Times;
use crate::inventory::instant::rfc3339;
use crate::inventory::{Binding, Inventory};
use crate::metering::period::{Month, SlotSpan};
use crate::metering::sample::Sample;
use crate::metering::tally::Tally;
use crate::metering::units::{Bps, Slot};
use crate::store::connection::{Store, StoreError};
use crate::store::load::StoredSamples;
use crate::usage::{ServerUsage, UsageError};

/// Which readings are in doubt, and what would stand in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    device: String,
    interface: Option<String>,
    from: Timestamp,
    until: Timestamp,
    /// Ascending, all of the ports and the time in doubt.
    instead: BTreeMap<PortKey, Vec<Counters>>,
}

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub enum AffectedError {
    /// The span of time is none.
    #[error("the readings in doubt end at {until}, which is not after {from}, where they begin")]
    NoTime {
        /// The first instant, as RFC 3339.
        from: String,
        /// The first instant after them, as RFC 3339.
        until: String,
    },
    /// The span of time and the month have nothing in common.
    #[error("from {from} to {until} lies outside of {period}, which runs from {first} to {last}")]
    OtherTime {
        /// The first instant in doubt.
        from: String,
        /// The first instant after that.
        until: String,
        /// The month.
        period: Month,
        /// Where it begins.
        first: String,
        /// Where it ends.
        last: String,
    },
    /// No server has, or ever had, a port of this device.
    #[error("the inventory has no port of a device {0:?}")]
    Device(String),
    /// No server has, or ever had, this port.
    #[error("the inventory has no interface {interface:?} of device {device:?}")]
    Interface {
        /// The device.
        device: String,
        /// The interface.
        interface: String,
    },
    /// The ports were no server's in that month.
    #[error("no server has a port of device {device:?} in {period}")]
    Unbound {
        /// The device.
        device: String,
        /// The month.
        period: Month,
    },
    /// There are no figures to compare.
    #[error(transparent)]
    Usage(#[from] UsageError),
}

impl From<StoreError> for AffectedError {
    fn from(error: StoreError) -> Self {
        Self::Usage(error.into())
    }
}

impl Doubt {
    /// The readings of `device`, or of one interface of it, from `from` to before `until`.
    ///
    /// # Errors
    /// When `until` is not after `from`.
    pub fn new(
        device: String,
        interface: Option<String>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Self, AffectedError> {
        if until <= from {
            return Err(AffectedError::NoTime { from: rfc3339(from), until: rfc3339(until) });
        }
        Ok(Self { device, interface, from, until, instead: BTreeMap::new() })
    }

    /// Puts `readings` in the place of those in doubt. Returns how many of them are of their ports and their time; the
    /// others are left out.
    pub fn instead(&mut self, readings: impl IntoIterator<Item = Reading>) -> u64 {
        let mut taken = 0;
        for reading in readings {
            if self.is_about(&reading) {
                self.instead.entry(reading.port).or_default().push(reading.counters);
                taken += 1;
            }
        }
        for of_port in self.instead.values_mut() {
            of_port.sort_by_key(|counters| counters.time);
        }
        taken
    }

    /// Whether `reading` is of the ports and the time in doubt.
    #[must_use]
    pub fn is_about(&self, reading: &Reading) -> bool {
        self.concerns(&reading.port) && self.contains(reading.counters.time)
    }

    fn concerns(&self, port: &PortKey) -> bool {
        port.device() == self.device && self.interface.as_deref().is_none_or(|name| name == port.interface())
    }

    fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && time < self.until
    }

    /// The ids of the servers that have one of the ports at some time of the month.
    fn servers<'a>(
        &self,
        inventory: &'a Inventory,
        period: Month,
    ) -> Result<BTreeSet<&'a str>, AffectedError> {
        let (first, last) = period.span(&inventory.timezone);
        if self.until <= first || last <= self.from {
            let [from, until, first, last] = [self.from, self.until, first, last].map(rfc3339);
            return Err(AffectedError::OtherTime { from, until, period, first, last });
        }
        let bindings = || inventory.servers.values().flat_map(|s| s.ports.iter().map(move |b| (s, b)));
        if !bindings().any(|(_, binding)| binding.port.device() == self.device) {
            return Err(AffectedError::Device(self.device.clone()));
        }
        if let Some(interface) = &self.interface
            && !bindings().any(|(_, binding)| self.concerns(&binding.port))
        {
            let (device, interface) = (self.device.clone(), interface.clone());
            return Err(AffectedError::Interface { device, interface });
        }
        let in_month = |binding: &Binding| {
            binding.from.is_none_or(|from| from < last) && binding.until.is_none_or(|until| first < until)
        };
        let concerned = bindings().filter(|(_, binding)| self.concerns(&binding.port) && in_month(binding));
        let servers: BTreeSet<&str> = concerned.map(|(server, _)| server.id.as_str()).collect();
        if servers.is_empty() {
            return Err(AffectedError::Unbound { device: self.device.clone(), period });
        }
        Ok(servers)
    }
}

/// A server's figures as they are and as they would be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Affected {
    /// The server.
    pub server: String,
    /// Who pays for it.
    pub customer: String,
    /// The pool with which it is billed; then it has no amount of its own.
    pub pool: Option<String>,
    /// Slots whose sample would be another one.
    pub slots_changed: u64,
    /// The p95, as it is.
    pub p95_before_bps: Option<Bps>,
    /// The p95, as it would be.
    pub p95_after_bps: Option<Bps>,
    /// The overage, as it is.
    pub overage_before_bps: Option<Bps>,
    /// The overage, as it would be.
    pub overage_after_bps: Option<Bps>,
    /// Overage in whole units, as it is.
    pub billable_before_bps: Option<Bps>,
    /// Overage in whole units, as it would be.
    pub billable_after_bps: Option<Bps>,
    /// The amount, as it is.
    pub amount_before: Option<Decimal>,
    /// The amount, as it would be.
    pub amount_after: Option<Decimal>,
    /// By how much the amount would grow, negative where it would fall; `None` where the plan has no price.
    pub difference: Option<Decimal>,
    /// The currency of the amounts.
    pub currency: Option<String>,
}

impl Affected {
    fn of(before: ServerUsage, after: ServerUsage, slots_changed: u64) -> Self {
        let zero = Decimal::ZERO;
        let difference = after.amount.unwrap_or(zero) - before.amount.unwrap_or(zero);
        Self {
            server: before.server,
            customer: before.customer,
            pool: before.pool,
            slots_changed,
            p95_before_bps: before.p95_bps,
            p95_after_bps: after.p95_bps,
            overage_before_bps: before.overage_bps,
            overage_after_bps: after.overage_bps,
            billable_before_bps: before.billable_bps,
            billable_after_bps: after.billable_bps,
            amount_before: before.amount,
            amount_after: after.amount,
            difference: before.currency.is_some().then_some(difference),
            currency: before.currency,
        }
    }

    /// Whether any figure would be another one.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.p95_before_bps != self.p95_after_bps
            || self.overage_before_bps != self.overage_after_bps
            || self.billable_before_bps != self.billable_after_bps
            || self.amount_before != self.amount_after
    }
}

/// A port's readings as they are, and as they would be where it is one of those in doubt.
struct Pair<'a> {
    before: Replay<'a>,
    after: Option<(Replay<'a>, &'a [Counters])>,
}

impl Pair<'_> {
    fn observe(&mut self, counters: &Counters, doubt: &Doubt) {
        self.before.observe(counters);
        if let Some((after, instead)) = &mut self.after {
            let earlier = instead.partition_point(|other| other.time < counters.time);
            let (now, later) = instead.split_at(earlier);
            now.iter().for_each(|other| after.observe(other));
            *instead = later;
            if !doubt.contains(counters.time) {
                after.observe(counters);
            }
        }
    }

    fn finish(self) -> (Carried, Option<Carried>) {
        let after = self.after.map(|(mut after, instead)| {
            instead.iter().for_each(|other| after.observe(other));
            after.finish()
        });
        (self.before.finish(), after)
    }
}

/// What `doubt` would change in the figures of `period`, for every server with one of its ports in the month. The
/// figures before are those that the store tells; slots that have not closed at `now` count in neither.
///
/// # Errors
/// When no such server or time is in the month, or the store can't be read.
pub async fn affected(
    store: &Store,
    inventory: &Inventory,
    period: Month,
    doubt: &Doubt,
    times: Times,
    now: Timestamp,
) -> Result<Vec<Affected>, AffectedError> {
    let names = doubt.servers(inventory, period)?;
    let span = period.slots(&inventory.timezone);
    let numbers = Numbers::read(store).await?;
    let rules = Rules { span, max_gap_ms: times.max_gap_ms, speeds: speeds(inventory) };
    let window = Window::around(span, times.max_gap_ms);
    let servers = names.into_iter().filter_map(|name| inventory.servers.get(name));
    let bound: Vec<Bound<'_>> = servers.map(|s| Bound::new(s, |key| numbers.port(key))).collect();
    let mut affected = Vec::with_capacity(bound.len());
    for chunk in bound.chunks(AT_ONCE_MAX) {
        let ports: Vec<PortId> =
            chunk.iter().flat_map(Bound::ports).collect::<BTreeSet<_>>().into_iter().collect();
        let pair = |id: PortId| {
            let key = numbers.key(id);
            let instead = |key: &PortKey| doubt.instead.get(key).map_or(&[][..], Vec::as_slice);
            let concerned = key.filter(|key| doubt.concerns(key));
            let after = concerned.map(|key| (rules.replay(Some(key)), instead(key)));
            (id, Pair { before: rules.replay(key), after })
        };
        let pairs: HashMap<PortId, Pair<'_>> = store
            .fold_readings(
                &ports,
                window.from,
                window.until,
                || ports.iter().map(|id| pair(*id)).collect(),
                |pairs: &mut HashMap<PortId, Pair<'_>>, id, counters| {
                    if let Some(pair) = pairs.get_mut(&id) {
                        pair.observe(counters, doubt);
                    }
                },
            )
            .await?;
        let carried = pairs.into_iter().map(|(id, pair)| (id, pair.finish())).collect();
        let ids: Vec<ServerId> = chunk.iter().filter_map(|b| numbers.server(&b.server.id)).collect();
        let mut samples = store.samples(&ids, span).await?;
        for bound in chunk {
            let id = numbers.server(&bound.server.id);
            let stored = id.and_then(|id| samples.remove(&id)).unwrap_or_default();
            let newest = stored.iter().rev().find_map(|(slot, revised)| revised.sample.map(|_| slot.next()));
            let grace_over = Slot::of(now.plus_ms(-times.grace_ms));
            let closed_until = newest.map_or(grace_over, |slot| slot.max(grace_over));
            let closed = SlotSpan { from: span.from, until: span.until.min(closed_until) };
            let changed = changed(bound, &carried, closed);
            affected.push(compare(inventory, bound, &stored, &changed, span, closed_until)?);
        }
    }
    Ok(affected)
}

/// The slots of `closed` whose sample would be another one, with that sample.
fn changed(
    bound: &Bound<'_>,
    carried: &HashMap<PortId, (Carried, Option<Carried>)>,
    closed: SlotSpan,
) -> BTreeMap<Slot, Option<Sample>> {
    let of_ports = bound.ports().filter_map(|port| carried.get(&port));
    let slots =
        of_ports.flat_map(|(before, after)| before.slots().chain(after.iter().flat_map(Carried::slots)));
    let slots: BTreeSet<Slot> = slots.filter(|slot| closed.contains(*slot)).collect();
    let other = |slot: Slot| {
        let before = bound.sample(slot, |port| carried.get(&port)?.0.in_slot(slot));
        let after = bound.sample(slot, |port| {
            let (before, after) = carried.get(&port)?;
            after.as_ref().unwrap_or(before).in_slot(slot)
        });
        (before != after).then_some((slot, after))
    };
    slots.into_iter().filter_map(other).collect()
}

/// The figures of the samples that are stored, and those with `changed` in their place.
fn compare(
    inventory: &Inventory,
    bound: &Bound<'_>,
    stored: &StoredSamples,
    changed: &BTreeMap<Slot, Option<Sample>>,
    span: SlotSpan,
    closed_until: Slot,
) -> Result<Affected, UsageError> {
    let figures = |after: bool| -> Result<ServerUsage, UsageError> {
        let mut tally = Tally::new(inventory.rules_of(bound.server, span));
        let slots: BTreeSet<Slot> = stored.keys().chain(changed.keys()).copied().collect();
        for slot in slots {
            let stored = stored.get(&slot).and_then(|revised| revised.sample);
            let sample = if after { changed.get(&slot).copied().unwrap_or(stored) } else { stored };
            tally.change(slot, None, sample.map(|s| s.rates));
        }
        let id = &bound.server.id;
        let figures = tally.figures(closed_until).map_err(|e| UsageError::Exhausted(id.clone(), e))?;
        Ok(ServerUsage::new(inventory, bound.server, tally.rules(), &figures, closed_until, None))
    };
    let slots_changed = u64::try_from(changed.len()).unwrap_or(u64::MAX);
    Ok(Affected::of(figures(false)?, figures(true)?, slots_changed))
}
