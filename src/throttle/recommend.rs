//! Makes a recommendation of what the rules found: the limit, what the month ends with, and whom it relieves.

use meter95_reading::Timestamp;

use super::recommendation::{
    Assumption, Finding, Fired, NEIGHBOURS_MAX, Neighbour, Others, Outcome, Outlook, Recommendation, Relief,
};
use super::uplinks::{Group, Loads};
use crate::aggregator::server::Server;
use crate::aggregator::state::Aggregator;
use crate::inventory::instant::Instant;
use crate::inventory::{Inventory, Server as Entry};
use crate::metering::period::{Month, SlotSpan};
use crate::metering::sample::{Direction, Rates};
use crate::metering::tally::Figures;
use crate::metering::throttle::cap::{Cap, suggest};
use crate::metering::throttle::evidence::Evidence;
use crate::metering::throttle::outlook::{mean, outlook};
use crate::metering::throttle::policy::Policy;
use crate::metering::throttle::rules::Seen;
use crate::metering::units::{Bps, Slot};

/// The slots whose mean a server is taken to go on at: the last hour.
const LAST_HOUR: usize = 12;

/// How long a limit stays that is not about the month, in ms: a day, in which somebody looks at it again.
const UNTIL_MS: i64 = 86_400_000;

/// What is known of a server on which rules hold.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// The newest slot.
    pub slot: Slot,
    /// What is extreme.
    pub policy: &'a Policy,
    /// What was granted in the slot.
    pub allowance: Bps,
    /// The newest samples up to the slot, ascending.
    pub seen: &'a [Seen],
    /// What each rule found, with the slot in which it began to hold.
    pub evidence: &'a [(Slot, Evidence)],
    /// What shared lines carried in the slot.
    pub loads: &'a Loads,
}

/// The recommendation for `server`.
#[must_use]
pub fn recommend(state: &Aggregator, entry: &Entry, server: &Server, found: Found<'_>) -> Recommendation {
    let Found { slot, policy, allowance, seen, evidence, loads } = found;
    let inventory = state.inventory();
    // The tally has all slots that have closed, also those after this one where several closed at once.
    let closed_until = state.closed_until(server).max(slot.next());
    let last_hour = &seen[seen.len().saturating_sub(LAST_HOUR)..];
    let rates = mean(last_hour).unwrap_or_default();
    // Not known for a moment after large revisions: nothing is told of the month then.
    let figures = server.tally.figures(closed_until).ok();
    let plain: Vec<Evidence> = evidence.iter().map(|(_, evidence)| evidence.clone()).collect();
    let cap = suggest(policy, allowance, &figures.unwrap_or_else(nothing_known), &plain);
    let month = server.tally.rules().span;
    let ending = |cap: Option<Bps>| {
        let figures = outlook(&server.tally, closed_until, rates, cap).ok();
        outcome(inventory, entry, month, figures.as_ref())
    };
    let now = slot.end();
    Recommendation {
        server: entry.id.clone(),
        customer: entry.customer.clone(),
        region: entry.region.clone(),
        plan: inventory.plan_at(entry, slot.start()).id,
        at: Instant(now),
        timezone: inventory.timezone_name.clone(),
        allowance_bps: allowance,
        in_bps: rates.in_bps,
        out_bps: rates.out_bps,
        rules: evidence
            .iter()
            .map(|(began, evidence)| Finding { began: Instant(began.start()), evidence: evidence.clone() })
            .collect(),
        slots: slots(seen, &plain),
        until: Instant(until(&cap, month, now)),
        outlook: Outlook {
            period: Month::of(month.from.start(), &inventory.timezone)
                .map_or_else(String::new, |m| m.to_string()),
            assumption: Assumption::AsInTheLastHour,
            without: ending(None),
            with: ending(Some(cap.cap_bps)),
        },
        relief: loads.of_server(server.id).filter_map(|group| relief(group, rates, cap.cap_bps)).collect(),
        others: others(state, server, loads),
        cap,
    }
}

/// The samples of the slots by which the rules hold, ascending. A locked-in p95 is made by more of them than anybody reads.
fn slots(seen: &[Seen], evidence: &[Evidence]) -> Vec<Fired> {
    let named = |slot: Slot| {
        evidence.iter().any(|evidence| match evidence {
            Evidence::Sustained(found) => found.fired.iter().any(|fired| fired.slot == slot),
            Evidence::Flood(found) => found.slots.iter().any(|flooded| flooded.slot == slot),
            Evidence::Uplink(found) => found.slot == slot,
            Evidence::LockedIn(_) => false,
        })
    };
    let fired = |seen: &Seen| {
        let Rates { in_bps, out_bps } = seen.rates;
        Fired { slot: Instant(seen.slot.start()), in_bps, out_bps }
    };
    seen.iter().filter(|seen| named(seen.slot)).map(fired).collect()
}

/// To the period's end where the month decides the limit; the budget is whole again then. A day otherwise.
fn until(cap: &Cap, month: SlotSpan, now: Timestamp) -> Timestamp {
    if cap.by.is_about_the_month() { month.until.start().max(now) } else { now.plus_ms(UNTIL_MS) }
}

/// The figures of a period of which nothing is known.
fn nothing_known() -> Figures {
    Figures {
        samples: 0,
        expected: 1,
        expected_so_far: 0,
        rank: None,
        p95: None,
        p95_in: None,
        p95_out: None,
        overage: None,
        locked_in_p95: None,
        locked_in_overage: None,
        burst_slots: 0,
        burst_left_slots: 0,
    }
}

/// What a month ends with, in money as well where the server has a price of its own: a pool's amount is the pool's.
fn outcome(inventory: &Inventory, entry: &Entry, month: SlotSpan, figures: Option<&Figures>) -> Outcome {
    let plan = inventory.terms_of(entry, month);
    let tariff = plan.tariff.as_ref().filter(|_| inventory.pool_of(&entry.id, month).is_none());
    let overage = figures.and_then(|figures| figures.overage);
    let billable = tariff.zip(overage).map(|(tariff, overage)| tariff.billable(overage));
    Outcome {
        p95_bps: figures.and_then(|figures| figures.p95),
        overage_bps: overage,
        billable_bps: billable,
        amount: tariff.zip(billable).map(|(tariff, billable)| tariff.amount(billable)),
        currency: tariff.map(|tariff| tariff.currency().to_string()),
    }
}

/// What a limit frees of shared lines, in the direction in which the server uses more; `None` where that is nothing.
fn relief(group: &Group, rates: Rates, cap: Bps) -> Option<Relief> {
    let direction = if rates.out_bps >= rates.in_bps { Direction::Out } else { Direction::In };
    let freed_bps = rates.towards(direction).above(cap);
    let uplinks = &group.shared.uplinks;
    let by_ports = uplinks.iter().try_fold(Rates::default(), |sum, uplink| Some(sum.plus(uplink.by_port?)));
    (freed_bps > Bps(0)).then(|| Relief {
        uplinks: uplinks.iter().map(|uplink| uplink.id.clone()).collect(),
        direction,
        freed_bps,
        load_bps: by_ports.unwrap_or(group.shared.by_servers).towards(direction),
        speed_bps: uplinks.iter().fold(Bps(0), |sum, uplink| sum.plus(uplink.speed)),
    })
}

/// Who else is on the same lines, the largest first.
fn others(state: &Aggregator, server: &Server, loads: &Loads) -> Others {
    let mut all: Vec<_> =
        loads.of_server(server.id).flat_map(|group| group.members.iter().copied()).collect();
    all.retain(|(id, _)| *id != server.id);
    all.sort_unstable_by_key(|(id, rates)| (std::cmp::Reverse(rates.value()), *id));
    // One that is on two groups of lines is one server.
    all.dedup_by_key(|(id, _)| *id);
    let more = all.len().saturating_sub(NEIGHBOURS_MAX);
    let neighbour = |(id, rates): &(crate::aggregator::output::ServerId, Rates)| {
        let server = state.servers().get(id.index())?.name.clone();
        Some(Neighbour { server, in_bps: rates.in_bps, out_bps: rates.out_bps })
    };
    let servers = all.iter().take(NEIGHBOURS_MAX).filter_map(neighbour).collect();
    Others { servers, more: u64::try_from(more).unwrap_or(u64::MAX) }
}
