//! Which quantity is ranked, and what of it is over the allowance (SPEC.md sections 5 and 6).

use serde::{Deserialize, Serialize};

use super::percentile::{Rank, rank};
use super::sample::Rates;
use super::units::Bps;

/// What of a sample is ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The larger of in and out, slot by slot.
    #[default]
    Max,
    /// Towards the server only.
    In,
    /// From the server only.
    Out,
    /// In and out together.
    Sum,
    /// In and out are ranked each by itself, and the larger result counts.
    Separate,
}

impl Method {
    /// The quantities that are ranked: two for `separate`, one for all others.
    #[must_use]
    pub fn ranked(self, rates: Rates) -> [Option<Bps>; 2] {
        match self {
            Self::Max => [Some(rates.value()), None],
            Self::In => [Some(rates.in_bps), None],
            Self::Out => [Some(rates.out_bps), None],
            Self::Sum => [Some(rates.in_bps.plus(rates.out_bps)), None],
            Self::Separate => [Some(rates.in_bps), Some(rates.out_bps)],
        }
    }

    /// How far a slot is over its allowance, in either quantity: what uses the burst budget when it is not 0.
    #[must_use]
    pub fn excess(self, rates: Rates, allowance: Bps) -> Bps {
        let over = self.ranked(rates).into_iter().flatten().map(|bps| bps.above(allowance));
        over.max().unwrap_or_default()
    }

    /// The word for it, as in a plan.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::In => "in",
            Self::Out => "out",
            Self::Sum => "sum",
            Self::Separate => "separate",
        }
    }
}

/// What a slot without a sample counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// As 0: a hole in the measuring never raises a bill.
    #[default]
    Zero,
    /// Not at all: only the samples that exist are ranked.
    Exclude,
}

impl Missing {
    /// The rank among `expected` slots of which `samples` have a sample; `None` without any sample, for then there
    /// is no data.
    #[must_use]
    pub fn rank(self, samples: u64, expected: u64) -> Option<Rank> {
        match self {
            _ if samples == 0 => None,
            Self::Zero => rank(expected.max(samples)),
            Self::Exclude => rank(samples),
        }
    }
}
