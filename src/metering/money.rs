//! From overage to an amount of money (SPEC.md section 6): whole numbers throughout, rounded once, at the end.

mod currency;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use currency::{Currency, CurrencyError};

use super::units::Bps;

/// A unit of billing unless the plan says otherwise: 0.01 Mbps.
pub const UNIT_DEFAULT: Bps = Bps(10_000);

/// Digits after the point that a price may have; more are refused, never rounded.
const PRICE_SCALE_MAX: u32 = 9;

/// The highest price per Mbps: with it the largest rate there is still fits 128 bits.
const PRICE_MAX: u64 = 1_000_000_000;

/// Which way a figure goes that lies between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the step above.
    Up,
    /// To the step below.
    Down,
    /// To the nearer step, and from the middle to the one above.
    HalfUp,
}

impl Rounding {
    /// `numerator / denominator` as a whole number; `denominator` is not 0.
    fn divide(self, numerator: u128, denominator: u128) -> u128 {
        let (whole, rest) = (numerator / denominator, numerator % denominator);
        let up = match self {
            Self::Up => rest > 0,
            Self::Down => false,
            Self::HalfUp => rest >= denominator - rest,
        };
        whole + u128::from(up)
    }
}

/// What 1 Mbps of overage costs a month: 0 to 1,000,000,000 with at most nine digits after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Price(Decimal);

impl Price {
    /// In billionths of the currency.
    fn nanos(self) -> u128 {
        let scaled = self.0.mantissa().unsigned_abs();
        scaled * 10_u128.pow(PRICE_SCALE_MAX - self.0.scale().min(PRICE_SCALE_MAX))
    }
}

impl TryFrom<Decimal> for Price {
    type Error = MoneyError;

    fn try_from(price: Decimal) -> Result<Self, Self::Error> {
        let price = price.normalize();
        if price.is_sign_negative() && !price.is_zero() {
            return Err(MoneyError::Negative(price));
        }
        if price > Decimal::from(PRICE_MAX) {
            return Err(MoneyError::TooHigh(price));
        }
        if price.scale() > PRICE_SCALE_MAX {
            return Err(MoneyError::TooFine(price));
        }
        Ok(Self(price))
    }
}

impl From<Price> for Decimal {
    fn from(price: Price) -> Self {
        price.0
    }
}

/// The price of the part of billable bandwidth from a threshold up to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// From how much billable bandwidth on.
    #[serde(rename = "from_bps")]
    pub from: Bps,
    /// What 1 Mbps of that part costs.
    #[serde(rename = "price_per_mbps")]
    pub price: Price,
}

/// How overage is priced: in what steps, at what price, rounded how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "Written")]
pub struct Tariff {
    currency: Currency,
    #[serde(rename = "unit_bps")]
    unit: Bps,
    rounding: Rounding,
    amount_rounding: Rounding,
    /// The first from 0, ascending; one where the price is the same throughout.
    tiers: Vec<Tier>,
}

/// A tariff as it is written, before it is known to be one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    currency: Currency,
    unit_bps: Bps,
    rounding: Rounding,
    amount_rounding: Rounding,
    tiers: Vec<Tier>,
}

impl TryFrom<Written> for Tariff {
    type Error = MoneyError;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { currency, unit_bps, rounding, amount_rounding, tiers } = written;
        Self::new(currency, unit_bps, rounding, amount_rounding, tiers)
    }
}

/// A figure that can't be part of a tariff.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// A price below 0.
    #[error("a price of {0} is below 0")]
    Negative(Decimal),
    /// A price above the highest that is computed exactly.
    #[error("a price of {0} is above {PRICE_MAX}")]
    TooHigh(Decimal),
    /// A price with too many digits after the point.
    #[error("a price of {0} has more than {PRICE_SCALE_MAX} digits after the point")]
    TooFine(Decimal),
    /// A unit of 0 bit/s.
    #[error("unit_bps is 0")]
    NoUnit,
    /// No tier at all.
    #[error("there is neither a price nor a tier")]
    NoTier,
    /// The first tier leaves the bandwidth below it without a price.
    #[error("the first tier starts at {0} bit/s, not at 0")]
    FirstTier(Bps),
    /// A tier that does not start above the one before.
    #[error("a tier that starts at {1} bit/s follows one that starts at {0} bit/s")]
    TierOrder(Bps, Bps),
}

impl Tariff {
    /// A tariff of `tiers`, ascending and the first from 0.
    ///
    /// # Errors
    /// When `unit` is 0, or the tiers leave a part without a price or do not ascend.
    pub fn new(
        currency: Currency,
        unit: Bps,
        rounding: Rounding,
        amount_rounding: Rounding,
        tiers: Vec<Tier>,
    ) -> Result<Self, MoneyError> {
        if unit == Bps(0) {
            return Err(MoneyError::NoUnit);
        }
        match tiers.first() {
            None => return Err(MoneyError::NoTier),
            Some(first) if first.from != Bps(0) => return Err(MoneyError::FirstTier(first.from)),
            Some(_) => {}
        }
        for pair in tiers.windows(2) {
            if pair[1].from <= pair[0].from {
                return Err(MoneyError::TierOrder(pair[0].from, pair[1].from));
            }
        }
        Ok(Self { currency, unit, rounding, amount_rounding, tiers })
    }

    /// The currency of the amounts.
    #[must_use]
    pub fn currency(&self) -> &Currency {
        &self.currency
    }

    /// In what steps overage is billed.
    #[must_use]
    pub fn unit(&self) -> Bps {
        self.unit
    }

    /// Which way overage goes between two steps.
    #[must_use]
    pub fn rounding(&self) -> Rounding {
        self.rounding
    }

    /// Which way an amount goes between two of the currency's smallest units.
    #[must_use]
    pub fn amount_rounding(&self) -> Rounding {
        self.amount_rounding
    }

    /// The prices, each of the part of billable bandwidth from its threshold up to the next one.
    #[must_use]
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// Overage as a whole multiple of the unit.
    ///
    /// 9,999 bit/s are 10,000 in units of 10,000, rounded up.
    #[must_use]
    pub fn billable(&self, overage: Bps) -> Bps {
        let unit = u128::from(self.unit.0);
        let units = self.rounding.divide(u128::from(overage.0), unit);
        Bps(u64::try_from(units * unit).unwrap_or(u64::MAX))
    }

    /// What `billable` costs, to the currency's decimals.
    ///
    /// 5,800,000 bit/s at 1,500 JPY per Mbps are 8,700 JPY.
    #[must_use]
    pub fn amount(&self, billable: Bps) -> Decimal {
        const BPS_PER_MBPS: u128 = 1_000_000;
        let ends = self.tiers.iter().skip(1).map(|tier| tier.from).chain([Bps(u64::MAX)]);
        let parts = self.tiers.iter().zip(ends).map(|(tier, end)| {
            let part = billable.min(end).above(tier.from);
            u128::from(part.0) * tier.price.nanos()
        });
        let billionths: u128 = parts.sum();
        let decimals = self.currency.decimals();
        let per_minor = BPS_PER_MBPS * 10_u128.pow(PRICE_SCALE_MAX - decimals);
        let minor = self.amount_rounding.divide(billionths, per_minor);
        // At most 2^64 bit/s at 10^9 per Mbps: 1.9e22 whole units, 1.9e26 with four decimals; 96 bits hold 7.9e28.
        i128::try_from(minor)
            .ok()
            .and_then(|minor| Decimal::try_from_i128_with_scale(minor, decimals).ok())
            .unwrap_or(Decimal::MAX)
    }
}
