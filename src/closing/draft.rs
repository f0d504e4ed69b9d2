//! The statement that a unit makes as things stand, and what a person should look at before it is issued.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt};
use meter95_reading::{PortKey, Timestamp};
use rust_decimal::Decimal;

use super::gaps::{self, BREAKS_MAX};
use super::settle::digest;
use super::statement::{AllowanceStep, BreakLine, Gap, Member, PlanStep, RevisedSlot, Statement};
use super::unit::{Part, Unit};
use crate::aggregator::output::{PortId, ServerId};
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::period::{Month, SlotSpan};
use crate::metering::statement::{Account, RULES_VERSION, Samples};
use crate::metering::tally::Rules;
use crate::metering::units::Bps;
use crate::store::connection::{Store, StoreError};
use crate::store::cross_check::Answer;
use crate::store::month::MonthSamples;

/// Units that are drafted at once: 250 servers' months are some 70 MB.
pub const UNITS_AT_ONCE: usize = 250;

/// Lots of units that are drafted side by side.
const LOTS_AT_ONCE: usize = 2;

/// Gaps that a reason names; what is beyond is counted.
const GAPS_NAMED_MAX: usize = 3;

/// A statement that nobody has issued yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What it would say; its revision is 1 and nobody issued it.
    pub statement: Statement,
    /// What a person should look at first; empty where nothing is strange.
    pub reasons: Vec<String>,
    /// What SQL says of the same samples.
    pub check: Answer,
}

/// What all drafts of a month have in common.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The month.
    pub period: Month,
    /// Its slots.
    pub month: SlotSpan,
    /// The time zone in which it begins and ends.
    pub timezone: String,
    /// The version of the inventory by which drafts are made.
    pub inventory_version: u64,
    /// The ports' numbers in the store.
    pub ports: BTreeMap<PortKey, PortId>,
}

/// What is stored of a lot of units.
#[derive(Debug)]
pub struct Stored {
    samples: BTreeMap<ServerId, MonthSamples>,
    breaks: BTreeMap<PortKey, Vec<BreakLine>>,
}

impl Draft {
    /// Where the two computations differ; `None` where they agree to the bit.
    #[must_use]
    pub fn difference(&self) -> Option<String> {
        let Statement { samples, p95_bps, overage_bps, .. } = &self.statement;
        let Answer { samples: n, p95, overage } = self.check;
        if (*samples, *p95_bps, *overage_bps) == (n, p95, overage) {
            return None;
        }
        let show = |bps: Option<Bps>| bps.map_or_else(|| "none".to_owned(), |bps| bps.to_string());
        Some(format!(
            "{:?}: {samples} samples, p95 {}, overage {} by meter95; {n} samples, p95 {}, overage {} by SQL",
            self.statement.server,
            show(*p95_bps),
            show(*overage_bps),
            show(p95),
            show(overage),
        ))
    }
}

/// The drafts of many units, lot by lot: while one is computed, ClickHouse works on the next.
pub fn in_lots(
    store: &Store,
    frame: &Arc<Frame>,
    mut units: Vec<Unit>,
) -> impl Stream<Item = Result<Vec<Draft>, StoreError>> + use<> {
    let (store, frame) = (store.clone(), frame.clone());
    // Those about which SQL is asked alike come together: a query then serves a whole lot.
    units.sort_by_key(|unit| (unit.members.len() > 1, !unit.is_plain()));
    let mut units = units.into_iter().peekable();
    let lots = std::iter::from_fn(move || {
        units.peek()?;
        Some(units.by_ref().take(UNITS_AT_ONCE).collect::<Vec<Unit>>())
    });
    let spawned = lots.map(move |lot| {
        let (store, frame) = (store.clone(), frame.clone());
        // A task of its own, that lots are computed side by side.
        tokio::spawn(async move { drafts(&store, &frame, &lot).await })
    });
    let joined = |lot: tokio::task::JoinHandle<_>| async move {
        lot.await.unwrap_or_else(|e| Err(StoreError::Contents(format!("a lot of statements: {e}"))))
    };
    stream::iter(spawned.map(joined)).buffered(LOTS_AT_ONCE)
}

/// The drafts of some units, at most [`UNITS_AT_ONCE`], in their order.
///
/// # Errors
/// When the store can't be read.
pub async fn drafts(store: &Store, frame: &Frame, units: &[Unit]) -> Result<Vec<Draft>, StoreError> {
    let questions: Vec<_> = units.iter().map(Unit::question).collect();
    let (stored, answers) =
        tokio::try_join!(Stored::load(store, frame, units), store.cross_check(&questions))?;
    let drafted = units.iter().zip(answers).map(|(unit, check)| {
        let (statement, reasons) = stored.draft(frame, unit);
        Draft { statement, reasons, check }
    });
    Ok(drafted.collect())
}

impl Stored {
    /// What is stored of `units`, at most [`UNITS_AT_ONCE`].
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn load(store: &Store, frame: &Frame, units: &[Unit]) -> Result<Self, StoreError> {
        let parts = || units.iter().flat_map(|unit| &unit.members);
        let servers: Vec<ServerId> = parts().filter_map(|part| part.id).collect();
        let keys = parts().flat_map(|part| &part.ports).map(|binding| &binding.port);
        let ports: BTreeMap<PortId, PortKey> =
            keys.filter_map(|key| Some((*frame.ports.get(key)?, key.clone()))).collect();
        let (samples, mut breaks) =
            tokio::try_join!(store.month_samples(&servers, frame.month), store.breaks(&ports, frame.month))?;
        let breaks = ports.into_iter().filter_map(|(id, key)| Some((key, breaks.remove(&id)?))).collect();
        Ok(Self { samples, breaks })
    }

    /// What `unit`'s statement would say, and what a person should look at first.
    #[must_use]
    pub fn draft(&self, frame: &Frame, unit: &Unit) -> (Statement, Vec<String>) {
        let mut statement = blank(frame, unit);
        let reasons = fill(&mut statement, unit, self);
        (statement, reasons)
    }

    /// The samples of each member of `unit`, in their order.
    #[must_use]
    pub fn samples(&self, unit: &Unit) -> Vec<&Samples> {
        let of =
            |part: &Part| part.id.and_then(|id| self.samples.get(&id)).map(|month| cut(month, part.span));
        unit.members.iter().map(|part| of(part).unwrap_or_default()).collect()
    }
}

/// A statement of everything but what the samples say.
fn blank(frame: &Frame, unit: &Unit) -> Statement {
    let Unit { account: Account { rules, tariff }, plan, .. } = unit;
    let Rules { span, method, missing, allowance } = rules;
    let start = |slot: crate::metering::units::Slot| Instant(slot.start());
    let nothing = Instant(Timestamp(0));
    let steps = allowance.steps(*span).into_iter();
    Statement {
        rules: RULES_VERSION.to_owned(),
        period: frame.period,
        timezone: frame.timezone.clone(),
        kind: unit.kind,
        server: unit.id.clone(),
        customer: unit.customer.clone(),
        region: unit.region.clone(),
        revision: 1,
        reason: None,
        issued_at: nothing,
        issued_by: String::new(),
        inventory_version: frame.inventory_version,
        from: start(span.from),
        until: start(span.until),
        plan: plan.id.clone(),
        plans: unit
            .plans
            .iter()
            .map(|(slot, plan)| PlanStep { from: start(*slot), plan: plan.clone() })
            .collect(),
        method: *method,
        missing: *missing,
        min_coverage: plan.min_coverage,
        tariff: tariff.clone(),
        allowances: steps.map(|(slot, bps)| AllowanceStep { from: start(slot), bps }).collect(),
        samples: 0,
        expected: 0,
        coverage: None,
        ranked: 0,
        rank: None,
        discarded: 0,
        billable_slot: None,
        p95_bps: None,
        p95_in_bps: None,
        p95_out_bps: None,
        overage_bps: None,
        billable_bps: None,
        amount: None,
        currency: None,
        burst_slots: 0,
        burst_left_slots: 0,
        measured: None,
        exclusions: unit.exclusions.clone(),
        members: unit.members.iter().map(|part| member(part, &start)).collect(),
        breaks: Vec::new(),
        breaks_total: 0,
        review: None,
        samples_sha256: String::new(),
    }
}

fn member(part: &Part, start: &dyn Fn(crate::metering::units::Slot) -> Instant) -> Member {
    Member {
        server: part.server.clone(),
        from: start(part.span.from),
        until: start(part.span.until),
        samples: 0,
        p95_bps: None,
        share_in_bps: None,
        share_out_bps: None,
        gaps: Vec::new(),
        revised: Vec::new(),
    }
}

/// Writes down what the samples say, and returns what a person should look at.
fn fill(statement: &mut Statement, unit: &Unit, stored: &Stored) -> Vec<String> {
    let samples = stored.samples(unit);
    statement.settle(&samples);
    let names = unit.members.iter().map(|part| part.server.as_str());
    statement.samples_sha256 = digest(names.zip(samples.iter().copied()));

    let mut breaks: Vec<BreakLine> = Vec::new();
    for (part, samples) in unit.members.iter().zip(&samples) {
        let Some(member) = statement.members.iter_mut().find(|member| member.server == part.server) else {
            continue;
        };
        let of_ports: Vec<BreakLine> =
            part.ports.iter().flat_map(|b| of_binding(b, stored)).cloned().collect();
        let gaps = gaps::gaps(part.span, samples).into_iter();
        member.gaps = gaps.map(|gap| gaps::explained(gap, &of_ports, &part.ports)).collect();
        let revised = part.id.and_then(|id| stored.samples.get(&id)).map(|month| month.revised.as_slice());
        let revised = revised.unwrap_or_default().iter().filter(|(slot, _)| part.span.contains(*slot));
        member.revised = revised
            .map(|(slot, revision)| RevisedSlot { slot: Instant(slot.start()), revision: *revision })
            .collect();
        breaks.extend(of_ports);
    }
    breaks.sort_by(|a, b| (a.at, &a.device, &a.interface).cmp(&(b.at, &b.device, &b.interface)));
    statement.breaks_total = u64::try_from(breaks.len()).unwrap_or(u64::MAX);
    breaks.truncate(BREAKS_MAX);
    statement.breaks = breaks;

    let mut reasons = unit.reasons.clone();
    reasons.extend(thin(statement));
    let of_several = statement.members.len() > 1;
    reasons.extend(statement.members.iter().flat_map(|member| strange(member, of_several)));
    reasons
}

/// The samples of a part's span.
fn cut(month: &MonthSamples, span: SlotSpan) -> &Samples {
    let from = month.samples.partition_point(|(slot, _)| *slot < span.from);
    let until = month.samples.partition_point(|(slot, _)| *slot < span.until);
    month.samples.get(from..until).unwrap_or_default()
}

/// The breaks of a port while it was the server's.
fn of_binding<'s>(
    binding: &crate::inventory::Binding,
    stored: &'s Stored,
) -> impl Iterator<Item = &'s BreakLine> {
    let (from, until) = (binding.from, binding.until);
    let lines = stored.breaks.get(&binding.port).map(Vec::as_slice).unwrap_or_default();
    lines.iter().filter(move |line| {
        from.is_none_or(|from| from < line.at.0) && until.is_none_or(|until| line.after.0 < until)
    })
}

fn thin(statement: &Statement) -> Option<String> {
    let coverage = statement.coverage.unwrap_or(Decimal::ZERO);
    let least = statement.min_coverage;
    (coverage < least).then(|| format!("coverage {coverage} is below {least}"))
}

/// The member's gaps that a person should look at, in words: one reason for those of which nothing tells the cause, and
/// one for those in which it had no port.
fn strange(member: &Member, of_several: bool) -> Vec<String> {
    let strange: Vec<&Gap> = member.gaps.iter().filter(|gap| gaps::is_strange(gap)).collect();
    let (without_port, unknown): (Vec<&Gap>, Vec<&Gap>) =
        strange.into_iter().partition(|gap| gap.cause.is_some());
    let of = if of_several { format!("server {}: ", member.server) } else { String::new() };
    let told = [
        (unknown, "slots without a sample of unknown cause"),
        (without_port, "slots in which it had no port"),
    ];
    let told = told.into_iter().filter(|(gaps, _)| !gaps.is_empty());
    told.map(|(gaps, what)| {
        let slots: u64 = gaps.iter().map(|gap| gap.slots).sum();
        let named = gaps.iter().take(GAPS_NAMED_MAX);
        let named = named.map(|gap| format!("{} to {}", rfc3339(gap.from.0), rfc3339(gap.until.0)));
        let named = named.collect::<Vec<_>>().join(", ");
        let more = match gaps.len().saturating_sub(GAPS_NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more spans"),
        };
        format!("{of}{slots} {what}: {named}{more}")
    })
    .collect()
}
