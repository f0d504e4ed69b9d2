//! Why a server should be limited and how: everything that convinces, as it is stored with a case and shown by the API.
//! [`words`] put it so that a person reads it.

pub mod words;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::inventory::instant::Instant;
use crate::metering::throttle::Rule;
use crate::metering::units::Bps;

/// How many of those who share an uplink are named: more convince nobody.
pub const NEIGHBOURS_MAX: usize = 10;

/// A recommendation to limit a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// What to limit it to.
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Which, with the figures that a person checks.
    #[serde(flatten)]
    pub figures: Figures,
    /// The first instant of the slot since which it holds.
    pub since: Instant,
    /// Everything that the rule looked at.
    #[serde(default)]
    pub evidence: Value,
}

/// The figures by which a rule holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Figures {
    /// `slots` of the last `of` slots were at or over the threshold.
    Sustained {
        /// How many times the allowance the threshold is.
        factor: u64,
        /// The threshold of the newest slot, in bit/s.
        threshold_bps: Bps,
        /// Slots at or over theirs.
        slots: u32,
        /// Slots that were looked at.
        of: u32,
        /// The largest value among them, in bit/s.
        highest_bps: Bps,
    },
    /// The month ends at or over the threshold even if the server falls silent now.
    LockedIn {
        /// How many times the allowance the threshold is.
        factor: u64,
        /// The threshold, in bit/s.
        threshold_bps: Bps,
        /// The locked-in p95, in bit/s.
        p95_bps: Bps,
    },
    /// A shared line is nearly full, and the server makes up much of it.
    Uplink {
        /// The line.
        uplink: String,
        /// The direction, seen from the server.
        direction: Direction,
        /// What goes over the line, in bit/s.
        load_bps: Bps,
        /// Its speed, in bit/s.
        speed_bps: Bps,
        /// The server's part of that, in bit/s.
        rate_bps: Bps,
        /// The share of its speed from which on a line is nearly full, in percent.
        load_percent: u32,
        /// The share of the load from which on a server makes up much of it, in percent.
        share_percent: u32,
    },
    /// Very many very small packets.
    Flood {
        /// The direction, seen from the server.
        direction: Direction,
        /// Packets a second in the newest slot.
        packets_per_second: u64,
        /// From how many on it is a flood.
        limit: u64,
        /// The mean size of these packets, in octets, rounded down.
        mean_octets: u64,
        /// The size below which packets are small, in octets.
        mean_octets_limit: u64,
        /// For how many slots.
        slots: u32,
    },
}

/// Which way, seen from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards the server.
    In,
    /// From the server.
    Out,
}

/// A slot by which a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// Its first instant.
    pub slot: Instant,
    /// What the server took in, in bit/s.
    pub in_bps: Bps,
    /// What it sent, in bit/s.
    pub out_bps: Bps,
}

/// The limit that is suggested, for either direction: the larger of what its arithmetic gives and of `floor_bps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// The limit, in bit/s; never 0.
    pub cap_bps: Bps,
    /// What the arithmetic gives, in bit/s.
    pub computed_bps: Bps,
    /// Below this no limit is suggested, in bit/s: what is included, or where that is nothing, what is needed to reach the
    /// server.
    pub floor_bps: Bps,
    /// The arithmetic.
    pub by: CapBy,
}

/// How a limit is found, with the numbers that go in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum CapBy {
    /// Whatever comes is within the slots that may be discarded, so the limit is just below where the server is no longer
    /// extreme.
    Extreme {
        /// Slots until the month ends.
        slots_to_come: u64,
        /// Slots that may still be discarded.
        burst_left_slots: u64,
        /// How many times the allowance is extreme.
        factor: u64,
        /// At which share of that a rule is let go, in percent.
        release_percent: u32,
        /// What is included, in bit/s.
        allowance_bps: Bps,
        /// `factor * allowance_bps * release_percent / 100`, in bit/s.
        threshold_bps: Bps,
    },
    /// The slots that may be discarded do not last: nothing is billed only at what is included.
    Allowance {
        /// Slots until the month ends.
        slots_to_come: u64,
        /// Slots that may still be discarded.
        burst_left_slots: u64,
        /// What is included, in bit/s.
        allowance_bps: Bps,
    },
    /// The month ends over what is included in any case: at what is included nothing more is billed.
    LockedIn {
        /// Slots until the month ends.
        slots_to_come: u64,
        /// What is included, in bit/s.
        allowance_bps: Bps,
        /// The p95 with which the month ends at least, in bit/s.
        locked_in_p95_bps: Bps,
        /// The overage with which it ends at least, in bit/s.
        locked_in_overage_bps: Bps,
    },
    /// What brings a shared line below where it is nearly full: just below `rate_bps - reduction_bps`, with
    /// `reduction_bps = (load_bps - threshold_bps) * total_bps / load_bps`.
    Uplink {
        /// The server's rate, in bit/s.
        rate_bps: Bps,
        /// What the line carries, in bit/s.
        load_bps: Bps,
        /// What it and those beside it carry, over which the server's traffic spreads, in bit/s.
        total_bps: Bps,
        /// The load at which it is no longer nearly full, in bit/s.
        threshold_bps: Bps,
        /// What the server must give up, in bit/s.
        reduction_bps: Bps,
    },
    /// So many packets of this size are no longer a flood: just below `packets_per_second * mean_octets * 8`.
    Flood {
        /// Packets a second at which the rule is let go.
        packets_per_second: u64,
        /// The mean size of a packet, in octets.
        mean_octets: u64,
    },
}

/// What the month ends with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assumption {
    /// The same as in the last hour.
    AsInTheLastHour,
}

/// How a month ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The p95, in bit/s; `None` where there is no data.
    pub p95_bps: Option<Bps>,
    /// The overage, in bit/s.
    pub overage_bps: Bps,
    /// What is billed of it, in bit/s; `None` where the plan has no price.
    pub billable_bps: Option<Bps>,
    /// What it costs; `None` where the plan has no price.
    pub amount: Option<Decimal>,
    /// The currency of that.
    pub currency: Option<String>,
}

/// What gets better on a shared line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relief {
    /// The line.
    pub uplink: String,
    /// The direction, seen from the server.
    pub direction: Direction,
    /// What the limit frees, in bit/s.
    pub freed_bps: Bps,
    /// What goes over it now, in bit/s.
    pub load_bps: Bps,
    /// Its speed, in bit/s.
    pub speed_bps: Bps,
}

/// Who else is on the same uplinks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Others {
    /// Those with the largest rates, the largest first; at most [`NEIGHBOURS_MAX`].
    pub servers: Vec<Neighbour>,
    /// How many there are besides.
    pub more: u64,
}

/// A server on the same uplinks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// The server.
    pub server: String,
    /// What it takes in, in bit/s.
    pub in_bps: Bps,
    /// What it sends, in bit/s.
    pub out_bps: Bps,
}

impl Figures {
    /// The rule that they are of.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            Self::Sustained { .. } => Rule::Sustained,
            Self::LockedIn { .. } => Rule::LockedIn,
            Self::Uplink { .. } => Rule::Uplink,
            Self::Flood { .. } => Rule::Flood,
        }
    }
}

impl Recommendation {
    /// The rules that hold.
    pub fn held(&self) -> impl Iterator<Item = Rule> + '_ {
        self.rules.iter().map(|finding| finding.figures.rule())
    }
}

#[cfg(test)]
pub(crate) mod tests;
