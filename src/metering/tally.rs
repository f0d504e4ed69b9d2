//! One server's billing period as it fills: the figures of SPEC.md sections 5 to 7, exact and up to date;
//! [`projection`] says where it may end.

pub mod projection;

use super::allowance::Allowance;
use super::overage::{Method, Missing};
use super::percentile::Rank;
use super::period::SlotSpan;
use super::sample::Rates;
use super::top_set::{AtOrOver, Exhausted, TopSet};
use super::units::{Bps, Slot};

/// What a period's figures depend on besides the samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The slots expected: those that start in the period and in the server's service span.
    pub span: SlotSpan,
    /// What is ranked.
    pub method: Method,
    /// What a slot without a sample counts as.
    pub missing: Missing,
    /// What is granted, slot by slot.
    pub allowance: Allowance,
}

/// The state of one server's period: its largest samples and some counts.
#[derive(Debug, Clone)]
pub struct Tally {
    rules: Rules,
    /// The allowance where it is the same all through, which saves ranking excess by itself.
    constant: Option<Bps>,
    /// Ranked in every method, for a statement shows them: in, then out.
    directions: [TopSet; 2],
    /// What `max` and `sum` rank; the other methods rank a direction.
    combined: Option<TopSet>,
    /// Excess by ranked quantity, where the allowance changes.
    excess: [Option<TopSet>; 2],
    /// Slots over their allowance.
    bursts: u64,
}

/// The figures of a period, complete or as far as it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// N: slots with a sample.
    pub samples: u64,
    /// E: slots of the whole period.
    pub expected: u64,
    /// Slots of the period that have closed.
    pub expected_so_far: u64,
    /// Where the p95 stands; `None` when there is no data.
    pub rank: Option<Rank>,
    /// The month-to-date p95 of what the method ranks, the larger of two for `separate`.
    pub p95: Option<Bps>,
    /// The same of the direction towards the server.
    pub p95_in: Option<Bps>,
    /// The same of the direction from the server.
    pub p95_out: Option<Bps>,
    /// The p95 of excess over the slots that have closed.
    pub overage: Option<Bps>,
    /// The p95 with which the period ends even if the server falls silent now.
    pub locked_in_p95: Option<Bps>,
    /// The overage with which the period ends even if the server falls silent now.
    pub locked_in_overage: Option<Bps>,
    /// K: slots over the allowance that are forgiven in the whole period.
    pub burst_slots: u64,
    /// How many of them are left.
    pub burst_left_slots: u64,
}

/// The p95 that a period can no longer fall below, with what makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockedIn {
    /// The p95 with which the period ends even if the server falls silent now; `None` without a sample.
    pub p95: Option<Bps>,
    /// E: slots of the whole period.
    pub expected: u64,
    /// K: the larger slots that are forgiven in the whole period.
    pub burst_slots: u64,
}

/// What a [`Tally`] is made from again: counts, and the largest values of every quantity that [`Tally::quantities`]
/// names, at least [`TopSet::keep_for`] of them where there are as many.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// N: slots with a sample.
    pub samples: u64,
    /// Slots over their allowance.
    pub bursts: u64,
    /// The largest in rates.
    pub largest_in: Vec<u64>,
    /// The largest out rates.
    pub largest_out: Vec<u64>,
    /// The largest of what `max` or `sum` ranks; of no meaning for other methods.
    pub largest_combined: Vec<u64>,
}

impl Tally {
    /// An empty period.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let expected = rules.span.len();
        let set = || TopSet::for_values(expected);
        let steps = rules.allowance.steps(rules.span);
        let constant = match steps.as_slice() {
            [] => Some(Bps(0)),
            [(_, bps)] => Some(*bps),
            _ => None,
        };
        let excess = match (constant, rules.method) {
            (Some(_), _) => [None, None],
            (None, Method::Separate) => [Some(set()), Some(set())],
            (None, _) => [Some(set()), None],
        };
        let combined = ranks_combined(rules.method).then(set);
        Self { constant, directions: [set(), set()], combined, excess, bursts: 0, rules }
    }

    /// The period as it stood when `stored` was read; `None` where the allowance changes within it, for then
    /// every sample is needed: add them one by one to a [`Tally::new`].
    #[must_use]
    pub fn restore(rules: Rules, stored: Stored) -> Option<Self> {
        let n = rules.span.len();
        let mut tally = Self::new(rules);
        tally.constant?;
        let set = |largest| TopSet::restore(n, largest, stored.samples);
        tally.directions = [set(stored.largest_in), set(stored.largest_out)];
        if tally.combined.is_some() {
            tally.combined = Some(set(stored.largest_combined));
        }
        tally.bursts = stored.bursts;
        Some(tally)
    }

    /// What the figures depend on besides the samples.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Takes in that the sample of `slot` is now `new`, where it was `old` before. Slots outside the period are
    /// none of its business.
    pub fn change(&mut self, slot: Slot, old: Option<Rates>, new: Option<Rates>) {
        if !self.rules.span.contains(slot) || old == new {
            return;
        }
        let allowance = self.constant.unwrap_or_else(|| self.rules.allowance.in_slot(slot));
        if let Some(rates) = old {
            self.each(rates, allowance, TopSet::remove);
            self.bursts = self.bursts.saturating_sub(u64::from(self.bursts_over(rates, allowance)));
        }
        if let Some(rates) = new {
            self.each(rates, allowance, TopSet::add);
            self.bursts += u64::from(self.bursts_over(rates, allowance));
        }
    }

    fn bursts_over(&self, rates: Rates, allowance: Bps) -> bool {
        self.rules.method.excess(rates, allowance) > Bps(0)
    }

    fn each(&mut self, rates: Rates, allowance: Bps, put: impl Fn(&mut TopSet, u64)) {
        let [towards, from] = &mut self.directions;
        put(towards, rates.in_bps.0);
        put(from, rates.out_bps.0);
        let ranked = self.rules.method.ranked(rates);
        if let (Some(set), Some(bps)) = (&mut self.combined, ranked[0]) {
            put(set, bps.0);
        }
        for (set, bps) in self.excess.iter_mut().zip(ranked) {
            if let (Some(set), Some(bps)) = (set, bps) {
                put(set, bps.above(allowance).0);
            }
        }
    }

    /// The figures when the slots before `closed_until` have closed.
    ///
    /// # Errors
    /// When revisions have taken away more large samples than are kept in reserve: the tally must be restored.
    pub fn figures(&self, closed_until: Slot) -> Result<Figures, Exhausted> {
        let samples = self.directions[0].total();
        let expected = self.rules.span.len();
        let so_far = self.closed(closed_until);
        let rank = self.rules.missing.rank(samples, so_far);
        let whole = self.ranked_at_the_end(so_far);
        let burst_slots = whole / 20;
        let at = |set: &TopSet, rank: Option<Rank>| match rank {
            Some(rank) => set.largest_but(rank.discarded).map(|bps| Some(Bps(bps))),
            None => Ok(None),
        };
        let locked_in = (samples > 0).then_some(()).and_then(|()| super::percentile::rank(whole));
        Ok(Figures {
            samples,
            expected,
            expected_so_far: so_far,
            rank,
            p95: self.of_ranked(|set| at(set, rank))?,
            p95_in: at(&self.directions[0], rank)?,
            p95_out: at(&self.directions[1], rank)?,
            overage: self.overage(|set| at(set, rank))?,
            locked_in_p95: self.of_ranked(|set| at(set, locked_in))?,
            locked_in_overage: self.overage(|set| at(set, locked_in))?,
            burst_slots,
            burst_left_slots: burst_slots.saturating_sub(self.bursts),
        })
    }

    /// The p95 with which the period ends even if the server falls silent now, when the slots before `closed_until`
    /// have closed: the same as in [`Tally::figures`], with less work.
    ///
    /// # Errors
    /// When revisions have taken away more large samples than are kept in reserve: the tally must be restored.
    pub fn locked_in(&self, closed_until: Slot) -> Result<LockedIn, Exhausted> {
        let burst_slots = self.ranked_at_the_end(self.closed(closed_until)) / 20;
        let p95 = match self.directions[0].total() {
            0 => None,
            _ => self.of_ranked(|set| set.largest_but(burst_slots).map(|bps| Some(Bps(bps))))?,
        };
        Ok(LockedIn { p95, expected: self.rules.span.len(), burst_slots })
    }

    /// In how many slots what is ranked is `least` or larger; for `separate` in the direction with more of them.
    #[must_use]
    pub fn at_or_over(&self, least: Bps) -> AtOrOver {
        let [towards, from] = &self.directions;
        let of = |set: &TopSet| set.at_or_over(least.0);
        match (self.rules.method, &self.combined) {
            (Method::Max | Method::Sum, Some(set)) => of(set),
            (Method::In, _) => of(towards),
            (Method::Out, _) => of(from),
            (Method::Separate | Method::Max | Method::Sum, _) => {
                let (towards, from) = (of(towards), of(from));
                if from.known() > towards.known() { from } else { towards }
            }
        }
    }

    /// How many slots of the period lie before `closed_until`.
    fn closed(&self, closed_until: Slot) -> u64 {
        let span = self.rules.span;
        SlotSpan { until: closed_until.clamp(span.from, span.until), ..span }.len()
    }

    /// How many values are ranked at the period's end when `so_far` slots have closed: what is still to come counts
    /// as 0 and is ranked with the rest.
    fn ranked_at_the_end(&self, so_far: u64) -> u64 {
        let expected = self.rules.span.len();
        match self.rules.missing {
            Missing::Zero => expected,
            Missing::Exclude => self.directions[0].total() + (expected - so_far),
        }
    }

    /// The larger result over the quantities that the method ranks.
    fn of_ranked<E>(&self, at: impl Fn(&TopSet) -> Result<Option<Bps>, E>) -> Result<Option<Bps>, E> {
        let [towards, from] = &self.directions;
        match (self.rules.method, &self.combined) {
            (Method::Max | Method::Sum, Some(set)) => at(set),
            (Method::In, _) => at(towards),
            (Method::Out, _) => at(from),
            (Method::Separate | Method::Max | Method::Sum, _) => Ok(at(towards)?.max(at(from)?)),
        }
    }

    fn overage<E>(&self, at: impl Fn(&TopSet) -> Result<Option<Bps>, E>) -> Result<Option<Bps>, E> {
        match self.constant {
            Some(allowance) => Ok(self.of_ranked(at)?.map(|p95| p95.above(allowance))),
            None => {
                let mut larger = None;
                for set in self.excess.iter().flatten() {
                    larger = larger.max(at(set)?);
                }
                Ok(larger)
            }
        }
    }
}

/// Whether a method ranks a quantity that is neither direction by itself.
#[must_use]
pub fn ranks_combined(method: Method) -> bool {
    match method {
        Method::Max | Method::Sum => true,
        Method::In | Method::Out | Method::Separate => false,
    }
}

#[cfg(test)]
mod tests;
