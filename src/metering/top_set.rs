//! The largest values of a growing multiset, exactly: all that a p95 can ever need.
//!
//! At most `floor(E/20) + 1` of a month's E samples can decide its p95, so a server needs no more than that in
//! memory. A revision may take a value out again; some spare ones are kept for that. When the spare ones are used
//! up, the set says so instead of guessing, and its owner reads the month again.

use serde::{Deserialize, Serialize};

/// How many more values are kept than a rank can ask for, so that revisions seldom force a reload.
const SPARE: usize = 32;

/// The largest values that were added and not removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopSet {
    /// Ascending, at most `keep` of them: exactly the largest of all.
    held: Vec<u64>,
    /// How many are held at most.
    keep: usize,
    /// How many values there are in all, held or not.
    total: u64,
    /// A bound on every value that is not held; `None` when all are held.
    bound: Option<u64>,
}

/// Too many of the largest values were removed again: the set must be made anew from what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the largest values were revised away; the month must be read again")]
pub struct Exhausted;

/// How many values are at or over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtOrOver {
    /// So many.
    Exactly(u64),
    /// So many are held, and there may be more among those that are not.
    AtLeast(u64),
}

impl AtOrOver {
    /// The number that is known.
    #[must_use]
    pub fn known(self) -> u64 {
        match self {
            Self::Exactly(n) | Self::AtLeast(n) => n,
        }
    }
}

impl TopSet {
    /// An empty set that can answer for every rank of up to `n` values.
    #[must_use]
    pub fn for_values(n: u64) -> Self {
        Self { held: Vec::new(), keep: Self::keep_for(n), total: 0, bound: None }
    }

    /// How many of `n` values a set holds: `floor(n/20) + 1` and some spare ones.
    #[must_use]
    pub fn keep_for(n: u64) -> usize {
        usize::try_from(n / 20 + 1).unwrap_or(usize::MAX).saturating_add(SPARE)
    }

    /// The set of `total` values of up to `n`, of which `largest` are the `keep_for(n)` largest, in any order.
    #[must_use]
    pub fn restore(n: u64, mut largest: Vec<u64>, total: u64) -> Self {
        let keep = Self::keep_for(n);
        largest.sort_unstable();
        let all_held = u64::try_from(largest.len()).is_ok_and(|held| held >= total);
        let bound = if all_held { None } else { largest.first().copied().or(Some(u64::MAX)) };
        let surplus = largest.len().saturating_sub(keep);
        let mut set = Self { held: largest, keep, total, bound };
        for _ in 0..surplus {
            set.let_go_of_smallest();
        }
        set
    }

    /// How many values there are, held or not.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Adds a value.
    pub fn add(&mut self, value: u64) {
        self.total += 1;
        if self.bound.is_some_and(|bound| value < bound) {
            return;
        }
        let full = self.held.len() >= self.keep;
        match self.held.first() {
            Some(smallest) if full && value <= *smallest => {
                self.bound = Some(self.bound.map_or(value, |bound| bound.max(value)));
            }
            Some(_) if full => {
                // Shifts the smaller ones down over the smallest, which leaves room at the value's place.
                let place = self.held.partition_point(|held| *held < value);
                let smallest = self.held[0];
                self.held.copy_within(1..place, 0);
                self.held[place - 1] = value;
                self.bound = Some(self.bound.map_or(smallest, |bound| bound.max(smallest)));
            }
            _ => {
                let place = self.held.partition_point(|held| *held < value);
                self.held.insert(place, value);
            }
        }
    }

    /// Takes a value out that was added before.
    pub fn remove(&mut self, value: u64) {
        self.total = self.total.saturating_sub(1);
        if let Ok(place) = self.held.binary_search(&value) {
            self.held.remove(place);
        }
    }

    /// The value with `n` larger or equal ones before it (0: the largest); 0 past the last value, since what is
    /// missing counts as 0.
    ///
    /// # Errors
    /// When revisions have removed so many of the largest that the answer is not known.
    pub fn largest_but(&self, n: u64) -> Result<u64, Exhausted> {
        if n >= self.total {
            return Ok(0);
        }
        let held = u64::try_from(self.held.len()).unwrap_or(u64::MAX);
        let from_start = held.checked_sub(n + 1).ok_or(Exhausted)?;
        usize::try_from(from_start).ok().and_then(|i| self.held.get(i)).copied().ok_or(Exhausted)
    }

    /// How many values are `least` or larger, as far as those that are held tell.
    #[must_use]
    pub fn at_or_over(&self, least: u64) -> AtOrOver {
        let below = self.held.partition_point(|held| *held < least);
        let held = u64::try_from(self.held.len() - below).unwrap_or(u64::MAX);
        match self.bound {
            Some(bound) if bound >= least => AtOrOver::AtLeast(held),
            Some(_) | None => AtOrOver::Exactly(held),
        }
    }

    fn let_go_of_smallest(&mut self) {
        if !self.held.is_empty() {
            let smallest = self.held.remove(0);
            self.bound = Some(self.bound.map_or(smallest, |bound| bound.max(smallest)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a plain sorted list: every answer is right, or the set says that it does not know.
        #[test]
        fn it_answers_like_a_sorted_list(steps in prop::collection::vec((any::<bool>(), 0u64..40), 0..800)) {
            let n = 400;
            let mut set = TopSet::for_values(n);
            let mut all: Vec<u64> = Vec::new();
            for (remove, value) in steps {
                if remove && all.contains(&value) {
                    let at = all.iter().position(|v| *v == value).unwrap();
                    all.swap_remove(at);
                    set.remove(value);
                } else {
                    all.push(value);
                    set.add(value);
                }
                all.sort_unstable_by(|a, b| b.cmp(a));
                prop_assert_eq!(set.total(), all.len() as u64);
                for k in 0..=n / 20 {
                    if let Ok(got) = set.largest_but(k) {
                        prop_assert_eq!(got, all.get(usize::try_from(k).unwrap()).copied().unwrap_or(0));
                    }
                }
                for least in [0, 1, 20, 39] {
                    let over = all.iter().filter(|v| **v >= least).count() as u64;
                    match set.at_or_over(least) {
                        AtOrOver::Exactly(n) => prop_assert_eq!(n, over),
                        AtOrOver::AtLeast(n) => prop_assert!(n <= over),
                    }
                }
            }
        }

        /// Without removals it always knows, and a restored set is as good as one that saw every value.
        #[test]
        fn a_restored_set_goes_on(mut values in prop::collection::vec(any::<u64>(), 0..600), more in any::<u64>()) {
            let n = 600;
            let mut seen = TopSet::for_values(n);
            values.iter().for_each(|v| seen.add(*v));
            values.sort_unstable_by(|a, b| b.cmp(a));
            let total = values.len() as u64;
            let largest = values.iter().copied().take(TopSet::keep_for(n)).collect();
            let mut restored = TopSet::restore(n, largest, total);
            restored.add(more);
            seen.add(more);
            for k in 0..=n / 20 {
                prop_assert_eq!(restored.largest_but(k).unwrap(), seen.largest_but(k).unwrap());
            }
        }
    }

    #[test]
    fn it_says_when_it_does_not_know() {
        let mut set = TopSet::for_values(20);
        for value in 0..1_000 {
            set.add(value);
        }
        for value in (900..1_000).rev() {
            set.remove(value);
        }
        assert_eq!(set.largest_but(0), Err(Exhausted));
    }
}
