//! Where a period may end: the projected p95 and overage of SPEC.md section 7, as a band.
//!
//! The rule: **the slots to come have, taken together, a p95 that is neither below the lowest nor above the highest one
//! of the server's last weeks.** Of `R` slots to come that leaves at most `floor(R/20)` above the highest, however high
//! they are, and at least `floor(R/20) + 1` at or above the lowest. Every period that ends in one of these ways ends
//! within the band, and each end of the band is one of them: it holds exactly, whatever the server does in detail.
//!
//! 30 Mbps were the lowest, 40 Mbps the highest p95 of the last weeks. Of a month of 8,640 slots 6,640 have closed, of
//! them 400 at 90 Mbps and the others at 35 Mbps. Of the 2,000 to come 100 may be higher than all, which with those 400
//! are 500 of 432 that are forgiven: the month ends at 90 Mbps at most. With 101 at 30 Mbps and silence else it ends at
//! 35 Mbps, the lowest. Were there only 300 at 90 Mbps, it would end at 40 Mbps at most: 100 + 300 are forgiven.

use super::Tally;
use crate::metering::overage::{Method, Missing};
use crate::metering::period::SlotSpan;
use crate::metering::top_set::{Exhausted, TopSet};
use crate::metering::units::{Bps, Slot};

/// The p95s of a server's last weeks, of each quantity that its method ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// Of how many weeks; more than 0.
    pub weeks: u8,
    /// By ranked quantity; the second counts for `separate` only.
    pub p95: [Band; 2],
}

/// From the lowest to the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Band {
    /// The lowest.
    pub low: Bps,
    /// The highest; not below the lowest.
    pub high: Bps,
}

/// With what a period can end when the slots to come are as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Projection {
    /// Its p95.
    pub p95: Band,
    /// Its overage.
    pub overage: Band,
    /// How many weeks say what is usual.
    pub weeks: u8,
}

/// Slots to come that have the same value.
#[derive(Debug, Clone, Copy)]
struct Alike {
    value: u64,
    count: u64,
}

impl Band {
    /// The smallest band around two.
    fn larger(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.max(other.high) }
    }
}

impl Tally {
    /// The band in which the period ends when the slots before `closed_until` have closed and those to come are as
    /// `usual`; `None` when none is to come.
    ///
    /// # Errors
    /// When revisions have taken away more large samples than are kept in reserve: the tally must be restored.
    pub fn projected(&self, closed_until: Slot, usual: Usual) -> Result<Option<Projection>, Exhausted> {
        let span = self.rules.span;
        let so_far = self.closed(closed_until);
        let to_come = span.len() - so_far;
        if to_come == 0 {
            return Ok(None);
        }
        let ranked = match self.rules.missing {
            Missing::Zero => span.len(),
            Missing::Exclude => self.directions[0].total() + to_come,
        };
        let ending = Ending { discarded: ranked / 20, above: to_come / 20 };
        let free = [(Bps(0), to_come)];
        let p95 = self.band(usual, |set, _, band| ending.band(set, band, &free))?;
        let overage = match self.constant {
            Some(allowance) => Band { low: p95.low.above(allowance), high: p95.high.above(allowance) },
            None => {
                let granted = self.granted(SlotSpan { from: closed_until.max(span.from), ..span });
                self.band(usual, |set, excess, band| ending.band(excess.unwrap_or(set), band, &granted))?
            }
        };
        Ok(Some(Projection { p95, overage, weeks: usual.weeks }))
    }

    /// The larger band over the quantities that the method ranks; `of` is given the set of each and that of its excess.
    fn band(
        &self,
        usual: Usual,
        of: impl Fn(&TopSet, Option<&TopSet>, Band) -> Result<Band, Exhausted>,
    ) -> Result<Band, Exhausted> {
        let [towards, from] = &self.directions;
        let [first, second] = &self.excess;
        let [usual_first, usual_second] = usual.p95;
        match (self.rules.method, &self.combined) {
            (Method::Max | Method::Sum, Some(set)) => of(set, first.as_ref(), usual_first),
            (Method::In, _) => of(towards, first.as_ref(), usual_first),
            (Method::Out, _) => of(from, first.as_ref(), usual_first),
            (Method::Separate | Method::Max | Method::Sum, _) => {
                let towards = of(towards, first.as_ref(), usual_first)?;
                Ok(towards.larger(of(from, second.as_ref(), usual_second)?))
            }
        }
    }

    /// What is granted in how many slots of `span`, the largest first.
    fn granted(&self, span: SlotSpan) -> Vec<(Bps, u64)> {
        let steps = self.rules.allowance.steps(span);
        let ends = steps.iter().skip(1).map(|(slot, _)| *slot).chain([span.until]);
        let mut granted: Vec<(Bps, u64)> = steps
            .iter()
            .zip(ends)
            .map(|((from, bps), until)| (*bps, SlotSpan { from: *from, until }.len()))
            .collect();
        granted.sort_unstable_by_key(|(bps, _)| std::cmp::Reverse(*bps));
        granted
    }
}

/// Of how many slots the p95 is made.
#[derive(Debug, Clone, Copy)]
struct Ending {
    /// How many are forgiven in the whole period.
    discarded: u64,
    /// How many of those to come may be above what is usual.
    above: u64,
}

impl Ending {
    /// The lowest and the highest p95 of what `set` has and of the slots to come, whose own p95 is within `usual` before
    /// what is `granted` is taken off: so much in so many slots, the largest first.
    fn band(self, set: &TopSet, usual: Band, granted: &[(Bps, u64)]) -> Result<Band, Exhausted> {
        // The fewest at the lowest, and all of them where the most is granted; the others are silent.
        let (low, _) = split(granted, self.above + 1);
        let low = levels(usual.low, &low);
        // The most above all, where the most is granted anyway; the others at the highest.
        let (_, high) = split(granted, self.above);
        let mut high = levels(usual.high, &high);
        high.insert(0, Alike { value: u64::MAX, count: self.above });
        Ok(Band { low: self.p95(set, &low)?, high: self.p95(set, &high)? })
    }

    /// The p95 of what `set` has and of `others`, descending; what is in neither is 0.
    ///
    /// When `n` of the larger ones are `others`, the value with `k` before it is the smaller of the nth of them and of
    /// what `set` has with `k - n` before it: the largest of these over all `n` is it. Of others that are alike as many
    /// as there are serve best.
    fn p95(self, set: &TopSet, others: &[Alike]) -> Result<Bps, Exhausted> {
        let k = self.discarded;
        let mut found = set.largest_but(k)?;
        let mut before = 0;
        for Alike { value, count } in others.iter().filter(|alike| alike.count > 0) {
            before += count;
            let own = k.checked_sub(before).map_or(Ok(u64::MAX), |k| set.largest_but(k))?;
            found = found.max(own.min(*value));
        }
        Ok(Bps(found))
    }
}

/// The first `count` slots, and the others.
#[allow(clippy::type_complexity, reason = "two of what comes in")]
fn split(granted: &[(Bps, u64)], count: u64) -> (Vec<(Bps, u64)>, Vec<(Bps, u64)>) {
    let (mut first, mut others, mut left) = (Vec::new(), Vec::new(), count);
    for (bps, slots) in granted {
        let taken = left.min(*slots);
        left -= taken;
        first.push((*bps, taken));
        others.push((*bps, slots - taken));
    }
    (first, others)
}

/// What is left of `value` in each slot, descending: where the least is granted first.
fn levels(value: Bps, granted: &[(Bps, u64)]) -> Vec<Alike> {
    let over = granted.iter().rev();
    over.map(|(granted, count)| Alike { value: value.above(*granted).0, count: *count }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metering::allowance::{Allowance, Grant};
    use crate::metering::percentile;
    use crate::metering::sample::Rates;
    use crate::metering::tally::Rules;

    fn rates(bps: u64) -> Rates {
        Rates { in_bps: Bps(bps), out_bps: Bps(bps / 2) }
    }

    fn rules(slots: i64, missing: Missing, grants: Vec<Grant>) -> Rules {
        let span = SlotSpan { from: Slot(0), until: Slot(slots) };
        Rules { span, method: Method::Max, missing, allowance: Allowance::new(grants) }
    }

    fn plan(bps: u64) -> Grant {
        Grant { bps: Bps(bps), from: None, until: None }
    }

    fn usual(low: u64, high: u64) -> Usual {
        Usual { weeks: 4, p95: [Band { low: Bps(low), high: Bps(high) }; 2] }
    }

    fn tally(rules: Rules, so_far: &[u64]) -> Tally {
        let mut tally = Tally::new(rules);
        for (slot, bps) in (0..).zip(so_far) {
            tally.change(Slot(slot), None, Some(rates(*bps)));
        }
        tally
    }

    /// With what the period ends after these slots.
    fn ends(tally: &Tally, from: i64, endings: &[u64]) -> (Bps, Bps) {
        let mut ended = tally.clone();
        for (slot, bps) in (from..).zip(endings) {
            ended.change(Slot(slot), None, Some(rates(*bps)));
        }
        let figures = ended.figures(tally.rules().span.until).unwrap();
        (figures.p95.unwrap_or_default(), figures.overage.unwrap_or_default())
    }

    fn is_usual(ending: &[u64], low: u64, high: u64) -> bool {
        let p95 = percentile::p95(&mut ending.to_vec()).unwrap();
        (low..=high).contains(&p95)
    }

    /// Every way to fill `slots` with one of `values`.
    fn all(values: &[u64], slots: usize) -> Vec<Vec<u64>> {
        (0..slots).fold(vec![Vec::new()], |ways, _| {
            let with = |way: &Vec<u64>, value: u64| way.iter().copied().chain([value]).collect();
            ways.iter().flat_map(|way| values.iter().map(move |value| with(way, *value))).collect()
        })
    }

    #[test]
    fn the_example_holds() {
        for (bursts, low, high) in [(400, 35, 90), (300, 35, 40)] {
            let so_far: Vec<u64> = (0..6_640).map(|i| if i < bursts { 90 } else { 35 }).collect();
            let tally = tally(rules(8_640, Missing::Zero, vec![plan(10)]), &so_far);
            let found = tally.projected(Slot(6_640), usual(30, 40)).unwrap().unwrap();
            assert_eq!(found.p95, Band { low: Bps(low), high: Bps(high) }, "{bursts}");
            assert_eq!(found.overage, Band { low: Bps(low - 10), high: Bps(high - 10) }, "{bursts}");
            assert_eq!(tally.projected(Slot(8_640), usual(30, 40)).unwrap(), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// A few slots to come: the band is what the lowest and the highest of all endings have, also where an add-on
        /// comes or goes in the middle of them.
        #[test]
        fn the_band_is_that_of_all_endings(
            so_far in prop::collection::vec(0u64..12, 0..70),
            to_come in 1usize..6,
            (low, more) in (0u64..10, 0u64..4),
            exclude in any::<bool>(),
            addon in prop::option::of((0i64..76, 0i64..76, 1u64..5)),
        ) {
            let high = low + more;
            let closed = i64::try_from(so_far.len()).unwrap();
            let slots = closed + i64::try_from(to_come).unwrap();
            let missing = if exclude { Missing::Exclude } else { Missing::Zero };
            let mut grants = vec![plan(3)];
            grants.extend(addon.map(|(from, slots, bps)| Grant {
                bps: Bps(bps),
                from: Some(Slot(from).start()),
                until: Some(Slot(from + slots + 1).start()),
            }));
            let tally = tally(rules(slots, missing, grants), &so_far);
            let found = tally.projected(Slot(closed), usual(low, high)).unwrap().unwrap();
            let mut values = vec![0, low, high, 1_000];
            values.sort_unstable();
            values.dedup();
            let endings = all(&values, to_come);
            let ended: Vec<(Bps, Bps)> = endings
                .iter()
                .filter(|ending| is_usual(ending, low, high))
                .map(|ending| ends(&tally, closed, ending))
                .collect();
            let band = |of: fn(&(Bps, Bps)) -> Bps| Band {
                low: ended.iter().map(of).min().unwrap(),
                high: ended.iter().map(of).max().unwrap(),
            };
            prop_assert_eq!(found.p95, band(|(p95, _)| *p95));
            prop_assert_eq!(found.overage, band(|(_, overage)| *overage));
        }

        /// Many slots to come, some of which may be above what is usual: by how many there are of each value, since
        /// with one allowance their order is none of it.
        #[test]
        fn the_band_is_that_of_all_long_endings(
            so_far in prop::collection::vec(0u64..12, 0..90),
            to_come in 20u64..44,
            (low, more) in (0u64..10, 0u64..4),
        ) {
            let high = low + more;
            let closed = i64::try_from(so_far.len()).unwrap();
            let slots = closed + to_come.cast_signed();
            let tally = tally(rules(slots, Missing::Zero, vec![plan(3)]), &so_far);
            let found = tally.projected(Slot(closed), usual(low, high)).unwrap().unwrap();
            let mut ended = Vec::new();
            for above in 0..=to_come.min(4) {
                for at_high in 0..=to_come - above {
                    for at_low in (0..=to_come - above - at_high).filter(|n| *n < 5 || *n + above + at_high == to_come) {
                        let silent = to_come - above - at_high - at_low;
                        let counts = [(1_000, above), (high, at_high), (low, at_low), (0, silent)];
                        let ending: Vec<u64> = counts
                            .iter()
                            .flat_map(|(value, count)| (0..*count).map(|_| *value))
                            .collect();
                        if is_usual(&ending, low, high) {
                            ended.push(ends(&tally, closed, &ending).0);
                        }
                    }
                }
            }
            prop_assert_eq!(found.p95.low, *ended.iter().min().unwrap());
            prop_assert_eq!(found.p95.high, *ended.iter().max().unwrap());
        }
    }
}
