//! In which order lines are told, and their keys: one whole number a line, so that orders are sorted and merged without
//! looking at anything else.

use serde::{Deserialize, Serialize};

use super::catalog::Catalog;
use super::table::Row;
use super::{COVERAGE_DECIMALS, coverage};

/// By what lines are ordered, the way round that is said here unless another is asked for. Lines without the figure come
/// last either way, and those that are equal in it in the order of their ids, or in the other one the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UsageSort)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// By id.
    #[default]
    Server,
    /// The largest overage so far first.
    Overage,
    /// The largest p95 so far first.
    P95,
    /// The largest overage that is certain first.
    LockedIn,
    /// The largest overage with which the month may end first.
    Projected,
    /// Those with the fewest slots left to burst first.
    BurstLeft,
    /// The largest amount first, one currency after the other.
    Amount,
    /// The largest newest sample first.
    Value,
    /// Those of which the least was measured first.
    Coverage,
    /// By the customer's id.
    Customer,
    /// By region.
    Region,
    /// By the plan's id.
    Plan,
    /// The largest newest sample towards the server first.
    In,
    /// The largest newest sample from the server first.
    Out,
    /// The largest allowance first.
    Allowance,
}

/// Which way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UsageOrder)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The smallest first, and texts from A on.
    Asc,
    /// The largest first, and texts from Z on.
    Desc,
}

impl Direction {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

/// Comes after every other key: of lines without the figure.
pub(super) const LAST: u128 = u128::MAX;

/// The most decimals that an amount has.
const AMOUNT_SCALE: u32 = 4;

impl Sort {
    /// All of them; each at the place that [`Sort::place`] says.
    pub const ALL: [Self; 15] = [
        Self::Server,
        Self::Overage,
        Self::P95,
        Self::LockedIn,
        Self::Projected,
        Self::BurstLeft,
        Self::Amount,
        Self::Value,
        Self::Coverage,
        Self::Customer,
        Self::Region,
        Self::Plan,
        Self::In,
        Self::Out,
        Self::Allowance,
    ];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Overage => "overage",
            Self::P95 => "p95",
            Self::LockedIn => "locked_in",
            Self::Projected => "projected",
            Self::BurstLeft => "burst_left",
            Self::Amount => "amount",
            Self::Value => "value",
            Self::Coverage => "coverage",
            Self::Customer => "customer",
            Self::Region => "region",
            Self::Plan => "plan",
            Self::In => "in",
            Self::Out => "out",
            Self::Allowance => "allowance",
        }
    }

    /// Which way round it is unless another is asked for.
    #[must_use]
    pub fn direction(self) -> Direction {
        match self {
            Self::Server | Self::Customer | Self::Region | Self::Plan | Self::BurstLeft | Self::Coverage => {
                Direction::Asc
            }
            Self::Overage
            | Self::P95
            | Self::LockedIn
            | Self::Projected
            | Self::Amount
            | Self::Value
            | Self::In
            | Self::Out
            | Self::Allowance => Direction::Desc,
        }
    }

    /// Its place among [`Sort::ALL`].
    #[must_use]
    pub fn place(self) -> usize {
        Self::ALL.iter().position(|sort| *sort == self).unwrap_or(0)
    }

    /// The key of a line of `catalog`: lines are told in the ascending order of it, its own way round.
    #[must_use]
    pub fn key(self, line: &Row, catalog: &Catalog, row: u32) -> u128 {
        let Row { figures, allowance, last, projected, amount, .. } = line;
        match self {
            Self::Server => 0,
            Self::Overage => descending(figures.overage.map(|bps| bps.0)),
            Self::P95 => descending(figures.p95.map(|bps| bps.0)),
            Self::LockedIn => descending(figures.locked_in_overage.map(|bps| bps.0)),
            Self::Projected => descending(projected.map(|projected| projected.overage.high.0)),
            Self::BurstLeft => figures.burst_left_slots.into(),
            Self::Amount => {
                let terms = catalog.terms_of(row);
                let currency = terms.and_then(|terms| Some(terms.tariff()?.currency().to_string()));
                currency.zip(*amount).map_or(LAST, |(currency, amount)| {
                    // At most 88 bits, as where amounts are made; what is in front is three letters.
                    let scaled = amount.mantissa().unsigned_abs()
                        * 10_u128.pow(AMOUNT_SCALE.saturating_sub(amount.scale()));
                    let letters = currency.bytes().fold(0_u128, |all, letter| all << 8 | u128::from(letter));
                    letters << 96 | ((1 << 96) - 1 - scaled.min((1 << 96) - 1))
                })
            }
            Self::Value => descending(last.map(|(_, sample)| sample.rates.value().0)),
            Self::Coverage => {
                let share = coverage(figures.samples, figures.expected_so_far);
                share.map_or(LAST, |mut share| {
                    share.rescale(COVERAGE_DECIMALS);
                    share.mantissa().unsigned_abs()
                })
            }
            Self::Customer | Self::Region | Self::Plan => catalog.key_of_row(self, row).unwrap_or(LAST),
            Self::In => descending(last.map(|(_, sample)| sample.rates.in_bps.0)),
            Self::Out => descending(last.map(|(_, sample)| sample.rates.out_bps.0)),
            Self::Allowance => descending(Some(allowance.0)),
        }
    }
}

/// The largest first, and nothing last.
fn descending(value: Option<u64>) -> u128 {
    value.map_or(LAST, |value| u128::from(u64::MAX - value))
}

/// The rows in the order of their keys, and of their numbers where those are the same.
#[must_use]
pub fn order(rows: impl Iterator<Item = u32>, key: impl Fn(u32) -> u128) -> Vec<u32> {
    let mut keyed: Vec<(u128, u32)> = rows.map(|row| (key(row), row)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// The order `before`, in which the rows `moved` (of which `is_moved` tells) have other keys now: put in where they
/// belong, the others left as they are.
#[must_use]
pub fn reorder(
    before: &[u32],
    moved: &[u32],
    is_moved: impl Fn(u32) -> bool,
    key: impl Fn(u32) -> u128,
) -> Vec<u32> {
    let moved = order(moved.iter().copied(), &key);
    let keys = moved.iter().map(|row| ((key(*row), *row), *row));
    let mut keys = keys.peekable();
    let mut merged = Vec::with_capacity(before.len());
    for row in before.iter().copied().filter(|row| !is_moved(*row)) {
        if keys.peek().is_some() {
            let own = (key(row), row);
            while let Some((_, earlier)) = keys.next_if(|(moved, _)| *moved < own) {
                merged.push(earlier);
            }
        }
        merged.push(row);
    }
    merged.extend(keys.map(|(_, row)| row));
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_has_its_place() {
        for (place, sort) in Sort::ALL.into_iter().enumerate() {
            assert_eq!(sort.place(), place);
            assert_eq!(serde_json::to_value(sort).unwrap(), sort.name());
            assert_eq!(serde_json::to_value(sort.direction()).unwrap(), sort.direction().name());
        }
    }

    proptest! {
        #[test]
        fn an_order_put_right_is_one_made_anew(
            before in prop::collection::vec(0u128..9, 0..60),
            moves in prop::collection::vec((0usize..60, 0u128..9), 0..20),
        ) {
            let rows = || 0..u32::try_from(before.len()).unwrap();
            let old = order(rows(), |row| before[row as usize]);
            let mut after = before.clone();
            let mut moved = Vec::new();
            for (row, key) in moves {
                if let Some(found) = after.get_mut(row) {
                    *found = key;
                    moved.push(u32::try_from(row).unwrap());
                }
            }
            moved.sort_unstable();
            moved.dedup();
            let key = |row: u32| after[row as usize];
            prop_assert_eq!(reorder(&old, &moved, |row| moved.contains(&row), key), order(rows(), key));
        }
    }
}
