//! The rules of SPEC.md section 9, each a pure function from what is known to what it found.
//!
//! Every rule is asked at a share of its thresholds: at 100 % to begin to hold, at the policy's release share to go
//! on holding. What meets a rule at 100 % meets it at any lower share as well. Products are taken in 128 bits and
//! thresholds round up to whole figures, so that `figure >= threshold` is the rule exactly.

use super::evidence;
use super::packets::{Flow, Packets};
use super::policy::{Flood, LockedIn, Sustained, UplinkShare, multiple, share};
use crate::metering::sample::{Direction, Rates};
use crate::metering::tally;
use crate::metering::top_set::AtOrOver;
use crate::metering::units::{Bps, Slot};

/// How a rule is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// At which share of its thresholds, in percent, 1 to 100.
    pub at_percent: u32,
    /// Slots before this one are no evidence.
    pub from: Slot,
}

/// A closed slot's sample beside what was granted in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The slot.
    pub slot: Slot,
    /// The sample.
    pub rates: Rates,
    /// The allowance at the slot's start.
    pub allowance: Bps,
}

/// The uplinks that a server shares, which back each other up, and what they carried in a slot. Directions are seen
/// from the servers: what an uplink's port receives from outside goes *in*.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shared {
    /// Each of them.
    pub uplinks: Vec<Uplink>,
    /// The sum of the samples of all servers behind them.
    pub by_servers: Rates,
}

/// One uplink in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// Its name.
    pub id: String,
    /// What it can carry in each direction.
    pub speed: Bps,
    /// What it carried by its own port; `None` where that does not count in the slot.
    pub by_port: Option<Rates>,
}

/// *sustained*: `value >= factor x allowance` of the slot, in enough of the last slots up to `newest`.
///
/// `seen` is ascending and may reach further back. A slot without a sample does not count, nor does one in which
/// nothing is granted: no value is a multiple of 0.
#[must_use]
pub fn sustained(rule: Sustained, ask: Ask, newest: Slot, seen: &[Seen]) -> Option<evidence::Sustained> {
    let from = window_start(newest, rule.of, ask.from);
    let window = &seen[seen.partition_point(|seen| seen.slot < from)..];
    let window = window.iter().take_while(|seen| seen.slot <= newest);
    let over = |seen: &&Seen| {
        let multiple = u128::from(rule.factor).saturating_mul(seen.allowance.0.into());
        seen.allowance > Bps(0) && reaches(seen.rates.value().0, multiple, ask.at_percent.into(), 100)
    };
    if window.clone().filter(over).count() < usize::try_from(rule.slots).unwrap_or(usize::MAX) {
        return None;
    }
    let fired = window.clone().filter(over).filter_map(|seen| {
        let threshold_bps = multiple(rule.factor, seen.allowance, ask.at_percent)?;
        let Seen { slot, rates, allowance } = *seen;
        Some(evidence::Fired { slot, value_bps: rates.value(), allowance_bps: allowance, threshold_bps })
    });
    Some(evidence::Sustained {
        factor: rule.factor,
        at_percent: ask.at_percent,
        slots: rule.slots,
        of: rule.of,
        sampled: u32::try_from(window.count()).unwrap_or(u32::MAX),
        fired: fired.collect(),
    })
}

/// *locked-in*: `locked-in p95 >= factor x allowance`, the allowance being that of the newest closed slot. Where it
/// is 0 the rule does not apply.
///
/// `at_or_over` tells how many slots of the period are at or over a rate; `since` is the first slot that counts,
/// where it is not all of them.
#[must_use]
pub fn locked_in(
    rule: LockedIn,
    at_percent: u32,
    allowance: Bps,
    period: tally::LockedIn,
    since: Option<Slot>,
    at_or_over: impl FnOnce(Bps) -> AtOrOver,
) -> Option<evidence::LockedIn> {
    let threshold_bps = multiple(rule.factor, allowance, at_percent)?;
    let locked_in_p95_bps = period.p95.filter(|p95| *p95 >= threshold_bps)?;
    Some(evidence::LockedIn {
        factor: rule.factor,
        at_percent,
        locked_in_p95_bps,
        allowance_bps: allowance,
        threshold_bps,
        expected: period.expected,
        burst_slots: period.burst_slots,
        slots_at_or_over: at_or_over(threshold_bps),
        since,
    })
}

/// *uplink*: an uplink that the server shares is at `load_percent` of its speed or more in the newest slot, and the
/// server makes up `share_percent` or more of what the group carries in that direction.
///
/// An uplink is measured by its own port. Where one of the group has no figure of its own, the sum of the servers is
/// held against the speed of the whole group as well: how the sum spreads over the uplinks is not known. Of several
/// that meet the rule the fullest is told. With one uplink this is SPEC.md's text to the letter.
#[must_use]
pub fn uplink(
    rule: UplinkShare,
    ask: Ask,
    slot: Slot,
    rates: Rates,
    shared: &Shared,
) -> Option<evidence::Uplink> {
    if slot < ask.from {
        return None;
    }
    let by_ports = shared.by_ports();
    let found = Direction::BOTH.into_iter().flat_map(|direction| {
        let each = shared.uplinks.iter().filter_map(move |uplink| {
            let load = uplink.by_port?.towards(direction);
            Some(Load { direction, uplink: Some(uplink), speed: uplink.speed, by_port: Some(load), load })
        });
        let load = shared.by_servers.towards(direction);
        let all = Load { direction, uplink: None, speed: shared.speed(), by_port: None, load };
        each.chain(by_ports.is_none().then_some(all))
    });
    let found = found.filter_map(|load| load.found(rule, ask.at_percent, slot, rates, shared, by_ports));
    found.reduce(|fullest, other| if other.fuller_than(&fullest) { other } else { fullest })
}

/// What is held against a speed.
#[derive(Debug, Clone, Copy)]
struct Load<'a> {
    direction: Direction,
    /// `None`: the group.
    uplink: Option<&'a Uplink>,
    speed: Bps,
    by_port: Option<Bps>,
    load: Bps,
}

impl Load<'_> {
    fn found(
        self,
        rule: UplinkShare,
        at_percent: u32,
        slot: Slot,
        rates: Rates,
        shared: &Shared,
        by_ports: Option<Rates>,
    ) -> Option<evidence::Uplink> {
        let Self { direction, uplink, speed, by_port, load } = self;
        let total_bps = by_ports.unwrap_or(shared.by_servers).towards(direction);
        let rate_bps = rates.towards(direction);
        let of = |percent: u32| u128::from(percent) * u128::from(at_percent);
        let (full, large) = (of(rule.load_percent), of(rule.share_percent));
        let met = reaches(load.0, speed.0.into(), full, 10_000)
            && reaches(rate_bps.0, total_bps.0.into(), large, 10_000);
        if !met {
            return None;
        }
        Some(evidence::Uplink {
            slot,
            direction,
            at_percent,
            uplink: uplink.map(|uplink| uplink.id.clone()),
            group: shared.uplinks.iter().map(|uplink| uplink.id.clone()).collect(),
            speed_bps: speed,
            by_port_bps: by_port,
            by_servers_bps: shared.by_servers.towards(direction),
            measured: if by_port.is_some() { evidence::Measured::Port } else { evidence::Measured::Servers },
            load_bps: load,
            // An uplink without a speed can't be nearly full, nor can there be a share of nothing.
            load_percent: percent_of(load, speed)?,
            load_threshold_bps: share(speed.0.into(), full, 10_000)?,
            total_bps,
            rate_bps,
            share_percent: percent_of(rate_bps, total_bps)?,
            share_threshold_bps: share(total_bps.0.into(), large, 10_000)?,
        })
    }
}

impl evidence::Uplink {
    /// By the share of the speed that is used.
    fn fuller_than(&self, other: &Self) -> bool {
        let across = |a: Bps, b: Bps| u128::from(a.0) * u128::from(b.0);
        across(self.load_bps, other.speed_bps) > across(other.load_bps, self.speed_bps)
    }
}

impl Shared {
    /// What they carry together by their own ports, where each of them has a figure.
    fn by_ports(&self) -> Option<Rates> {
        self.uplinks.iter().try_fold(Rates::default(), |sum, uplink| Some(sum.plus(uplink.by_port?)))
    }

    /// How much of its speed the fullest of them uses, in thousandths, rounded down; of the sum of the servers where no port tells.
    #[must_use]
    pub fn used_permille(&self) -> u64 {
        let used = |rates: Rates, speed: Bps| {
            let used = (u128::from(rates.value().0) * 1_000).checked_div(u128::from(speed.0));
            used.map_or(0, |used| u64::try_from(used).unwrap_or(u64::MAX))
        };
        let by_ports = self.uplinks.iter().filter_map(|uplink| Some(used(uplink.by_port?, uplink.speed)));
        by_ports.max().unwrap_or_else(|| used(self.by_servers, self.speed()))
    }

    /// What they can carry together.
    fn speed(&self) -> Bps {
        self.uplinks.iter().fold(Bps(0), |sum, uplink| sum.plus(uplink.speed))
    }
}

/// *flood*: in one direction, packets a second at or over the limit and of a mean size below another, in each of
/// the last slots up to `newest`. A direction of which no packets are known never meets it.
///
/// Asked at 80 % of the thresholds it is 80 % of the packets, and a mean size below `mean_octets / 80 %`.
#[must_use]
pub fn flood(rule: Flood, ask: Ask, newest: Slot, packets: &[Packets]) -> Option<evidence::Flood> {
    let (percent, limit) = (u128::from(ask.at_percent.max(1)), u128::from(rule.packets_per_second));
    let small = u128::from(rule.mean_octets) * 100;
    let meets = |flow: Flow| {
        reaches(flow.packets_per_second, limit, percent, 100)
            && flow.packets > 0
            && u128::from(flow.octets) * percent < small.saturating_mul(flow.packets.into())
    };
    let from = window_start(newest, rule.slots, ask.from);
    let window = packets.iter().filter(|packets| from <= packets.slot && packets.slot <= newest);
    let direction = Direction::BOTH.into_iter().find(|direction| {
        let met = window.clone().filter(|packets| meets(packets.flow(*direction)));
        met.count() >= usize::try_from(rule.slots).unwrap_or(usize::MAX)
    })?;
    let slots = window.map(|packets| {
        let flow = packets.flow(direction);
        evidence::Flooded {
            slot: packets.slot,
            packets_per_second: flow.packets_per_second,
            mean_octets: flow.mean_octets().unwrap_or_default(),
        }
    });
    Some(evidence::Flood {
        direction,
        at_percent: ask.at_percent,
        packets_per_second_threshold: u64::try_from((limit * percent).div_ceil(100)).unwrap_or(u64::MAX),
        mean_octets_limit: u64::try_from(small.div_ceil(percent)).unwrap_or(u64::MAX),
        slots: slots.collect(),
    })
}

/// The first of the last `slots` slots up to `newest`, and not before `from`.
fn window_start(newest: Slot, slots: u32, from: Slot) -> Slot {
    Slot(newest.0.saturating_sub(i64::from(slots)).saturating_add(1)).max(from)
}

/// Whether `figure >= full x numerator / denominator`, exactly and without a division: every server is asked in
/// every slot.
fn reaches(figure: u64, full: u128, numerator: u128, denominator: u128) -> bool {
    u128::from(figure) * denominator >= full.saturating_mul(numerator)
}

/// Rounded down; `None` of nothing.
fn percent_of(part: Bps, whole: Bps) -> Option<u64> {
    let percent = (u128::from(part.0) * 100).checked_div(u128::from(whole.0))?;
    Some(u64::try_from(percent).unwrap_or(u64::MAX))
}
