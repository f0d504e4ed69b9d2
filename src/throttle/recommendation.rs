//! Why a server should be limited and how: everything that convinces, as it is stored with a case and shown by the API.
//! [`words`] put it so that a person reads it.

pub mod words;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::inventory::instant::Instant;
use crate::metering::sample::Direction;
use crate::metering::throttle::Rule;
use crate::metering::throttle::cap::Cap;
use crate::metering::throttle::evidence::Evidence;
use crate::metering::units::Bps;

/// How many of those who share an uplink are named: more convince nobody.
pub const NEIGHBOURS_MAX: usize = 10;

/// A recommendation to limit a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Recommendation {
    /// The server.
    pub server: String,
    /// Who pays for it.
    pub customer: String,
    /// Where it stands.
    pub region: String,
    /// The id of the plan in force.
    pub plan: String,
    /// As of when: the end of the newest slot that was looked at.
    pub at: Instant,
    /// The billing time zone, in which times are told to people.
    pub timezone: String,
    /// What is included at that moment, in bit/s.
    pub allowance_bps: Bps,
    /// What it took in, the mean of the last hour, in bit/s.
    pub in_bps: Bps,
    /// What it sent, the mean of the last hour, in bit/s.
    pub out_bps: Bps,
    /// The rules that hold, at least one.
    pub rules: Vec<Finding>,
    /// The slots by which they hold, in the order of time.
    pub slots: Vec<Fired>,
    /// What to limit either direction to, with the arithmetic.
    pub cap: Cap,
    /// Until when the limit should stay.
    pub until: Instant,
    /// What the month ends with.
    pub outlook: Outlook,
    /// What gets better elsewhere.
    pub relief: Vec<Relief>,
    /// Who else is on these uplinks.
    pub others: Others,
}

/// A rule that holds, and by which figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Finding {
    /// The first instant of the slot in which it began to hold.
    pub began: Instant,
    /// Which, with all the figures that a person checks.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// A slot by which a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SlotRates)]
pub struct Fired {
    /// Its first instant.
    pub slot: Instant,
    /// What the server took in, in bit/s.
    pub in_bps: Bps,
    /// What it sent, in bit/s.
    pub out_bps: Bps,
}

/// What the month ends with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Outlook {
    /// The month, as in 2026-10.
    pub period: String,
    /// What the server is taken to do in the slots to come.
    pub assumption: Assumption,
    /// Without the limit.
    pub without: Outcome,
    /// With it.
    pub with: Outcome,
}

/// What a server is taken to do in the slots to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Assumption {
    /// The same as in the last hour.
    AsInTheLastHour,
}

/// How a month ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = OutlookOutcome)]
pub struct Outcome {
    /// The p95, in bit/s; `None` where there is no data.
    pub p95_bps: Option<Bps>,
    /// The overage, in bit/s; `None` where there is no data.
    pub overage_bps: Option<Bps>,
    /// What is billed of it, in bit/s; `None` where the plan has no price.
    pub billable_bps: Option<Bps>,
    /// What it costs; `None` where the plan has no price.
    pub amount: Option<Decimal>,
    /// The currency of that.
    pub currency: Option<String>,
}

/// What gets better on a shared line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Relief {
    /// The uplinks that the server's traffic spreads over: one, or several that back each other up.
    pub uplinks: Vec<String>,
    /// The direction, seen from the server.
    pub direction: Direction,
    /// What the limit frees, in bit/s.
    pub freed_bps: Bps,
    /// What goes over all of them now, in bit/s.
    pub load_bps: Bps,
    /// Their speed together, in bit/s.
    pub speed_bps: Bps,
}

/// Who else is on the same uplinks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Others {
    /// Those with the largest rates, the largest first; at most [`NEIGHBOURS_MAX`].
    pub servers: Vec<Neighbour>,
    /// How many there are besides.
    pub more: u64,
}

/// A server on the same uplinks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UplinkNeighbour)]
pub struct Neighbour {
    /// The server.
    pub server: String,
    /// What it takes in, in bit/s.
    pub in_bps: Bps,
    /// What it sends, in bit/s.
    pub out_bps: Bps,
}

impl Recommendation {
    /// The rules that hold.
    pub fn held(&self) -> impl Iterator<Item = Rule> + '_ {
        self.rules.iter().map(|finding| finding.evidence.rule())
    }
}

#[cfg(test)]
pub(crate) mod tests;
