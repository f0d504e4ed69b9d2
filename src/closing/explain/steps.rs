//! The arithmetic from the ranking to the final amount, a step at a time, with every number that it takes.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::Neighbour;
use crate::closing::statement::Statement;
use crate::metering::money::{Price, Rounding, Tariff};
use crate::metering::units::Bps;

/// Digits after the point of an amount before it is rounded: six of Mbps and nine of a price.
const EXACT_SCALE: usize = 15;

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ExplainedStep)]
#[serde(tag = "step", rename_all = "lowercase")]
pub enum Step {
    /// `ranked / 20`, rounded down, are discarded, and the next one decides.
    Rank {
        /// How many values are ranked.
        ranked: u64,
        /// How many of the largest are discarded.
        discarded: u64,
        /// The place of the one that decides, from the top.
        from_top: u64,
    },
    /// `value - allowance`, not below 0.
    Overage {
        /// What was ranked in the deciding slot.
        value_bps: Bps,
        /// What was granted in it.
        allowance_bps: Bps,
        /// The difference.
        overage_bps: Bps,
    },
    /// `overage / unit`, rounded to whole units.
    Units {
        /// What is above the allowance.
        overage_bps: Bps,
        /// The unit.
        unit_bps: Bps,
        /// Which way it is rounded.
        rounding: Rounding,
        /// How many whole units that is.
        units: u64,
        /// Units in bit/s.
        billable_bps: Bps,
    },
    /// What a part of the billable bandwidth costs; without tiers it is all of it.
    Price {
        /// From how much billable bandwidth on.
        from_bps: Bps,
        /// Up to how much; `None`: without end.
        until_bps: Option<Bps>,
        /// How much of the billable bandwidth lies in there.
        part_bps: Bps,
        /// What 1 Mbps of it costs.
        price: Price,
        /// The product.
        #[schema(value_type = String, format = "decimal")]
        cost: Exact,
        /// The currency.
        currency: String,
    },
    /// The sum of the parts, rounded to what the currency has.
    Amount {
        /// The sum.
        #[schema(value_type = String, format = "decimal")]
        cost: Exact,
        /// Digits after the point that the currency has.
        decimals: u32,
        /// Which way it is rounded.
        rounding: Rounding,
        /// What is to be paid.
        amount: Decimal,
        /// The currency.
        currency: String,
    },
}

/// An amount before it is rounded, in units of 10^-15: exact whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact(u128);

impl std::fmt::Display for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = format!("{:0width$}", self.0, width = EXACT_SCALE + 1);
        let (whole, rest) = digits.split_at(digits.len() - EXACT_SCALE);
        match rest.trim_end_matches('0') {
            "" => f.write_str(whole),
            rest => write!(f, "{whole}.{rest}"),
        }
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `bps` at `price` per Mbps.
fn cost(bps: Bps, price: Price) -> Exact {
    let price = Decimal::from(price);
    // A price has at most nine digits after the point and is at most 10^9: 2^64 * 10^18 is below 2^128.
    let nanos = price.mantissa().unsigned_abs() * 10_u128.pow(9 - price.scale().min(9));
    Exact(u128::from(bps.0) * nanos)
}

/// The steps to a statement's amount; `decisive` is the place in the ranking that decides.
pub(super) fn steps(statement: &Statement, decisive: Option<&Neighbour>) -> Vec<Step> {
    let (Some(decisive), Some(overage)) = (decisive, statement.overage_bps) else { return Vec::new() };
    let rank =
        Step::Rank { ranked: statement.ranked, discarded: statement.discarded, from_top: decisive.from_top };
    let mut steps = vec![rank];
    if let Some(allowance) = decisive.allowance_bps.or_else(|| statement.allowances.last().map(|a| a.bps)) {
        let value_bps = decisive.value_bps;
        steps.push(Step::Overage { value_bps, allowance_bps: allowance, overage_bps: overage });
    }
    if let Some(tariff) = &statement.tariff {
        steps.extend(priced(statement, tariff, overage));
    }
    steps
}

fn priced(statement: &Statement, tariff: &Tariff, overage: Bps) -> Vec<Step> {
    let (Some(billable), Some(amount)) = (statement.billable_bps, statement.amount) else {
        return Vec::new();
    };
    let currency = tariff.currency().to_string();
    let unit = tariff.unit();
    let mut steps = vec![Step::Units {
        overage_bps: overage,
        unit_bps: unit,
        rounding: tariff.rounding(),
        units: billable.0 / unit.0.max(1),
        billable_bps: billable,
    }];
    let ends = tariff.tiers().iter().skip(1).map(|tier| Some(tier.from)).chain([None]);
    let mut sum = 0_u128;
    for (tier, until_bps) in tariff.tiers().iter().zip(ends) {
        let part_bps = billable.min(until_bps.unwrap_or(Bps(u64::MAX))).above(tier.from);
        if part_bps == Bps(0) && tier.from > Bps(0) {
            continue;
        }
        let cost = cost(part_bps, tier.price);
        sum = sum.saturating_add(cost.0);
        let (from_bps, price, currency) = (tier.from, tier.price, currency.clone());
        steps.push(Step::Price { from_bps, until_bps, part_bps, price, cost, currency });
    }
    let (decimals, rounding) = (tariff.currency().decimals(), tariff.amount_rounding());
    steps.push(Step::Amount { cost: Exact(sum), decimals, rounding, amount, currency });
    steps
}
