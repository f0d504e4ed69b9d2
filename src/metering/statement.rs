//! A closed period's figures from all its samples (SPEC.md sections 5, 6 and 8): what a statement says, and where.
//!
//! A [`super::tally::Tally`] knows the largest values while the month runs. Here every sample is at hand, so that
//! besides the figures it can be told which slot decides them and which ones were forgiven.

use super::money::Tariff;
use super::overage::{Method, Missing};
use super::percentile::Rank;
use super::period::SlotSpan;
use super::sample::{Rates, Sample};
use super::tally::Rules;
use super::units::{Bps, Slot};
use rust_decimal::Decimal;

/// A version of the rules by which figures are made: that of SPEC.md. It changes when a figure could.
pub const RULES_VERSION: &str = "meter95-1";

/// A period's samples in the order of their slots, a slot at most once.
pub type Samples = [(Slot, Sample)];

/// What a statement's figures depend on besides the samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The slots, what is ranked, what a missing slot counts as, and what is granted.
    pub rules: Rules,
    /// How overage is priced; `None` where nothing has a price.
    pub tariff: Option<Tariff>,
}

/// The figures of a whole period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// N: slots with a sample.
    pub samples: u64,
    /// E: slots of the period.
    pub expected: u64,
    /// Where the p95 stands; `None` when there is no data.
    pub rank: Option<Rank>,
    /// The p95 of what the method ranks, the larger of two for `separate`.
    pub p95: Option<Bps>,
    /// The p95 of what flows towards the server.
    pub p95_in: Option<Bps>,
    /// The p95 of what flows from the server.
    pub p95_out: Option<Bps>,
    /// The p95 of excess.
    pub overage: Option<Bps>,
    /// Overage in whole units; `None` without a tariff.
    pub billable: Option<Bps>,
    /// What that costs; `None` without a tariff.
    pub amount: Option<Decimal>,
    /// The slot whose sample decides the overage, or the p95 where nothing is over the allowance; `None` where a slot
    /// without a sample does, which counts as 0.
    pub billable_slot: Option<Slot>,
    /// K: slots over the allowance that are forgiven.
    pub burst_slots: u64,
    /// Slots over their allowance.
    pub over_slots: u64,
}

/// One ranked sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked {
    /// Its place from the top, 1 for the largest.
    pub from_top: u64,
    /// Its slot.
    pub slot: Slot,
    /// The whole sample.
    pub sample: Sample,
    /// What is ranked of it.
    pub value: Bps,
    /// What was granted in the slot.
    pub allowance: Bps,
    /// How far it is over that.
    pub excess: Bps,
}

/// What one quantity is ranked by: how far it is over the allowance, then how large it is.
#[derive(Debug, Clone, Copy)]
struct Entry {
    excess: u64,
    value: u64,
    at: usize,
}

impl Account {
    /// The figures that `samples` make. Samples outside the period are none of its business.
    ///
    /// `[10; 19]` and one of 20 Mbps, 20 slots, an allowance of 1 Mbps: one is discarded, the p95 is 10 Mbps, the
    /// overage 9 Mbps.
    #[must_use]
    pub fn close(&self, samples: &Samples) -> Closed {
        let Rules { span, method, missing, allowance } = &self.rules;
        let samples = within(samples, *span);
        let n = len(samples.len());
        let rank = missing.rank(n, span.len());
        let mut values = Vec::with_capacity(samples.len());
        let mut p95_of = |value: fn(Rates) -> Bps| {
            values.clear();
            values.extend(samples.iter().map(|(_, sample)| value(sample.rates).0));
            rank.map(|rank| nth(&mut values, rank.discarded))
        };
        let (p95_in, p95_out) = (p95_of(|rates| rates.in_bps), p95_of(|rates| rates.out_bps));
        let p95 = match method {
            Method::Max => p95_of(Rates::value),
            Method::Sum => p95_of(|rates| rates.in_bps.plus(rates.out_bps)),
            Method::In => p95_in,
            Method::Out => p95_out,
            Method::Separate => p95_in.max(p95_out),
        };
        let steps = allowance.steps(*span);
        let (overage, billable_slot, over_slots) = match (rank.zip(p95), steps.as_slice()) {
            // One quantity under one allowance: what is larger exceeds by more, so the p95 decides.
            (Some((rank, p95)), [(_, granted)]) if *method != Method::Separate => {
                let values = samples.iter().map(|(slot, sample)| (*slot, method.ranked(sample.rates)[0]));
                let values = values.map(|(slot, value)| (slot, value.unwrap_or_default()));
                let over = values.clone().filter(|(_, value)| value > granted).count();
                let larger = len(values.clone().filter(|(_, value)| *value > p95).count());
                let equal = usize::try_from(rank.discarded.saturating_sub(larger)).ok();
                let mut at_p95 = values.filter(|(_, value)| *value == p95).map(|(slot, _)| slot);
                let slot = equal.and_then(|equal| at_p95.nth(equal));
                (Some(p95.above(*granted)), slot, len(over))
            }
            (Some((rank, _)), _) => {
                let counted = self.counted(samples);
                let (overage, at) = self.decisive(&counted, rank);
                let over = counted.iter().filter(|(_, rates, bps)| method.excess(*rates, *bps) > Bps(0));
                let slot = at.and_then(|at| counted.get(at)).map(|(slot, ..)| *slot);
                (Some(overage), slot, len(over.count()))
            }
            (None, _) => (None, None, 0),
        };
        let billable = self.tariff.as_ref().zip(overage).map(|(tariff, overage)| tariff.billable(overage));
        Closed {
            samples: n,
            expected: span.len(),
            rank,
            p95,
            p95_in,
            p95_out,
            overage,
            billable,
            amount: self.tariff.as_ref().zip(billable).map(|(tariff, billable)| tariff.amount(billable)),
            billable_slot,
            burst_slots: match missing {
                Missing::Zero => span.len() / 20,
                Missing::Exclude => n / 20,
            },
            over_slots,
        }
    }

    /// The samples that were ranked, in the order in which it was done: the first `discarded` ones are forgiven, the
    /// next one decides. For `separate` that of the direction with the larger result.
    #[must_use]
    pub fn ranking(&self, samples: &Samples) -> Vec<Ranked> {
        let counted = self.counted(within(samples, self.rules.span));
        let rank = self.rules.missing.rank(len(counted.len()), self.rules.span.len());
        let Some(rank) = rank else { return Vec::new() };
        let mut entries = self.entries(&counted, self.decisive_quantity(&counted, rank));
        entries.sort_unstable_by(order);
        let sample_of = |slot: Slot| {
            let at = samples.partition_point(|(s, _)| *s < slot);
            samples.get(at).map(|(_, sample)| *sample)
        };
        let ranked = entries.into_iter().zip(1..).filter_map(|(entry, from_top)| {
            let (slot, _, allowance) = *counted.get(entry.at)?;
            let (value, excess) = (Bps(entry.value), Bps(entry.excess));
            Some(Ranked { from_top, slot, sample: sample_of(slot)?, value, allowance, excess })
        });
        ranked.collect()
    }

    /// The samples that count, each with the allowance of its slot.
    fn counted(&self, samples: &Samples) -> Vec<(Slot, Rates, Bps)> {
        let mut steps = self.rules.allowance.steps(self.rules.span).into_iter().peekable();
        let mut granted = Bps(0);
        let mut counted = Vec::with_capacity(samples.len());
        for (slot, sample) in samples {
            while let Some((_, bps)) = steps.next_if(|(from, _)| from <= slot) {
                granted = bps;
            }
            counted.push((*slot, sample.rates, granted));
        }
        counted
    }

    /// The overage, and which counted sample decides it.
    fn decisive(&self, counted: &[(Slot, Rates, Bps)], rank: Rank) -> (Bps, Option<usize>) {
        let quantity = self.decisive_quantity(counted, rank);
        let mut entries = self.entries(counted, quantity);
        match nth_entry(&mut entries, rank.discarded) {
            Some(entry) => (Bps(entry.excess), Some(entry.at)),
            None => (Bps(0), None),
        }
    }

    /// Which of the ranked quantities has the larger result: the first unless the second is larger.
    fn decisive_quantity(&self, counted: &[(Slot, Rates, Bps)], rank: Rank) -> usize {
        if self.rules.method != Method::Separate {
            return 0;
        }
        let result = |quantity| {
            let found = nth_entry(&mut self.entries(counted, quantity), rank.discarded);
            found.map_or((0, 0), |entry| (entry.excess, entry.value))
        };
        usize::from(result(1) > result(0))
    }

    fn entries(&self, counted: &[(Slot, Rates, Bps)], quantity: usize) -> Vec<Entry> {
        let entry = |(at, (_, rates, granted)): (usize, &(Slot, Rates, Bps))| {
            let ranked = self.rules.method.ranked(*rates);
            let value = ranked.get(quantity).copied().flatten().unwrap_or_default();
            Entry { excess: value.above(*granted).0, value: value.0, at }
        };
        counted.iter().enumerate().map(entry).collect()
    }
}

/// The samples of a span.
fn within(samples: &Samples, span: SlotSpan) -> &Samples {
    let from = samples.partition_point(|(slot, _)| *slot < span.from);
    let until = samples.partition_point(|(slot, _)| *slot < span.until);
    samples.get(from..until).unwrap_or_default()
}

/// The largest first; of equal ones the earlier slot.
fn order(a: &Entry, b: &Entry) -> std::cmp::Ordering {
    (b.excess, b.value).cmp(&(a.excess, a.value)).then(a.at.cmp(&b.at))
}

/// The entry with `n` before it; `None` past the last.
fn nth_entry(entries: &mut [Entry], n: u64) -> Option<Entry> {
    let n = usize::try_from(n).ok().filter(|n| *n < entries.len())?;
    Some(*entries.select_nth_unstable_by(n, order).1)
}

/// The value with `n` larger or equal ones before it; 0 past the last, since what is missing counts as 0.
fn nth(values: &mut [u64], n: u64) -> Bps {
    let Some(n) = usize::try_from(n).ok().filter(|n| *n < values.len()) else {
        return Bps(0);
    };
    Bps(*values.select_nth_unstable_by(n, |a, b| b.cmp(a)).1)
}

fn len(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
