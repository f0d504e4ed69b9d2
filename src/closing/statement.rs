//! A statement: a server's (or a pool's) closed month with all that defends it, as it is stored and handed out.
//!
//! It never changes once it is issued. With the samples it names, [`super::settle`] makes every figure in it again, and
//! the hash of those samples.

use meter95_reading::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::inventory::instant::Instant;
use crate::metering::money::Tariff;
use crate::metering::overage::{Method, Missing};
use crate::metering::period::{Month, SlotSpan};
use crate::metering::units::Bps;

/// What is billed as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = StatementKind)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One physical server.
    Server,
    /// Several servers of a customer, summed slot by slot.
    Pool,
}

/// A statement (SPEC.md section 8). Times are the starts of slots, spans half-open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The version of the rules by which it was made.
    pub rules: String,
    /// The month.
    pub period: Month,
    /// The time zone in which it begins and ends.
    pub timezone: String,
    /// Whether a server is billed, or a pool.
    pub kind: Kind,
    /// The server's id, or the pool's.
    pub server: String,
    /// Who pays.
    pub customer: String,
    /// Where it stands; empty for a pool over several regions.
    pub region: String,
    /// 1 for the first; a correction has the next number.
    pub revision: u32,
    /// Why there is a correction; `None` in the first.
    pub reason: Option<String>,
    /// When it was issued.
    pub issued_at: Instant,
    /// By whom.
    pub issued_by: String,
    /// The version of the inventory by which it was made.
    pub inventory_version: u64,
    /// The start of the first slot expected.
    pub from: Instant,
    /// The start of the first slot after the last one expected.
    pub until: Instant,
    /// The plan in force at the end, by whose terms the whole period is billed.
    pub plan: String,
    /// The plans in force, each from a slot on.
    pub plans: Vec<PlanStep>,
    /// What is ranked.
    pub method: Method,
    /// What a slot without a sample counts as.
    pub missing: Missing,
    /// Below this coverage a statement is held for a person's review.
    pub min_coverage: Decimal,
    /// How overage is priced; `None` where the plan has no price.
    pub tariff: Option<Tariff>,
    /// What was granted, each from a slot on.
    pub allowances: Vec<AllowanceStep>,
    /// N: slots with a sample.
    pub samples: u64,
    /// E: slots expected.
    pub expected: u64,
    /// Slots that were measured / slots expected, rounded down to four decimals; excluded ones were measured too.
    pub coverage: Option<Decimal>,
    /// How many values were ranked.
    pub ranked: u64,
    /// The p95's place among them, ascending.
    pub rank: Option<u64>,
    /// How many larger ones were forgiven.
    pub discarded: u64,
    /// The slot whose sample decides; `None` where one without a sample does, which counts as 0.
    pub billable_slot: Option<Instant>,
    /// The 95th percentile; `None`: no data.
    pub p95_bps: Option<Bps>,
    /// The same towards the server.
    pub p95_in_bps: Option<Bps>,
    /// The same from the server.
    pub p95_out_bps: Option<Bps>,
    /// The p95 of excess.
    pub overage_bps: Option<Bps>,
    /// Overage in whole units.
    pub billable_bps: Option<Bps>,
    /// What that costs.
    pub amount: Option<Decimal>,
    /// The currency of the amount.
    pub currency: Option<String>,
    /// Slots over the allowance that are forgiven.
    pub burst_slots: u64,
    /// How many of them were left at the end.
    pub burst_left_slots: u64,
    /// The figures without any exclusion, where there is one.
    pub measured: Option<Measured>,
    /// Incidents whose slots do not count.
    pub exclusions: Vec<Exclusion>,
    /// The servers that were summed; a server's own statement has itself alone.
    pub members: Vec<Member>,
    /// Breaks in the counters of their ports, the earliest first, at most [`super::gaps::BREAKS_MAX`].
    pub breaks: Vec<BreakLine>,
    /// How many breaks there were in all.
    pub breaks_total: u64,
    /// Why a person had to look at it, and who did.
    pub review: Option<Review>,
    /// The SHA-256 of the samples in their order, as [`super::settle::digest`] makes it.
    pub samples_sha256: String,
}

/// A plan from a slot on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanStep {
    /// The slot's start.
    pub from: Instant,
    /// The plan's id.
    pub plan: String,
}

/// An allowance from a slot on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowanceStep {
    /// The slot's start.
    pub from: Instant,
    /// What is granted.
    pub bps: Bps,
}

/// What would be billed without exclusions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MeasuredFigures)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// N: slots with a sample.
    pub samples: u64,
    /// The 95th percentile.
    pub p95_bps: Option<Bps>,
    /// The p95 of excess.
    pub overage_bps: Option<Bps>,
    /// Overage in whole units.
    pub billable_bps: Option<Bps>,
    /// What that would cost.
    pub amount: Option<Decimal>,
}

/// A declared incident: its slots count as ones without a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// Its number.
    pub id: u64,
    /// The server.
    pub server: String,
    /// From when: slots that start at or after it.
    pub from: Instant,
    /// Until before when.
    pub until: Instant,
    /// Why.
    pub why: String,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Instant,
}

/// A server whose samples a statement is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = StatementMember)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The server.
    pub server: String,
    /// The start of the first slot in which it counts.
    pub from: Instant,
    /// The start of the first slot after the last one in which it counts.
    pub until: Instant,
    /// Slots with a sample.
    pub samples: u64,
    /// Its own p95 by the statement's method.
    pub p95_bps: Option<Bps>,
    /// Its part in the slot that decides, towards it.
    pub share_in_bps: Option<Bps>,
    /// Its part in the slot that decides, from it.
    pub share_out_bps: Option<Bps>,
    /// Spans of slots without a sample.
    pub gaps: Vec<Gap>,
    /// Samples that are not the first of their slot.
    pub revised: Vec<RevisedSlot>,
}

/// A span of slots without a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The start of the first.
    pub from: Instant,
    /// The start of the first one after it that has a sample.
    pub until: Instant,
    /// How many slots.
    pub slots: u64,
    /// Why; `None` where nothing tells.
    pub cause: Option<String>,
}

/// A slot whose sample was revised before the statement was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevisedSlot {
    /// The slot's start.
    pub slot: Instant,
    /// The revision that counted.
    pub revision: u16,
}

/// A break in a port's counters (SPEC.md section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Break)]
#[serde(deny_unknown_fields)]
pub struct BreakLine {
    /// When the reading was made after which nothing could be told of the time before.
    pub at: Instant,
    /// When the reading before it was made.
    pub after: Instant,
    /// The port's device.
    pub device: String,
    /// The port's interface.
    pub interface: String,
    /// `reset`, `gap` or `implausible`.
    pub kind: String,
    /// What showed it, for a reset.
    pub cause: String,
    /// Octets that were received in between by the counters, and are left out.
    pub rx_octets_left_out: Option<u64>,
    /// Octets that were sent in between by the counters, and are left out.
    pub tx_octets_left_out: Option<u64>,
}

/// Why a statement was held, and who let it go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// What a person had to look at.
    pub reasons: Vec<String>,
    /// Who approved it; `None` while it is held.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<Instant>,
    /// What they said.
    pub note: Option<String>,
}

impl Statement {
    /// The slots expected.
    #[must_use]
    pub fn span(&self) -> SlotSpan {
        SlotSpan::starting_in(self.from.0, self.until.0)
    }

    /// Whether another statement says the same of the same samples, whoever issued it and when.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let plain = |statement: &Self| Self {
            revision: 0,
            reason: None,
            issued_at: Instant(Timestamp(0)),
            issued_by: String::new(),
            inventory_version: 0,
            review: None,
            ..statement.clone()
        };
        plain(self) == plain(other)
    }
}

impl Member {
    /// The slots in which it counts.
    #[must_use]
    pub fn span(&self) -> SlotSpan {
        SlotSpan::starting_in(self.from.0, self.until.0)
    }
}
