//! One server's rules over time: told of every closed slot, in order, it answers what happens.

use super::evidence::Evidence;
use super::packets::Packets;
use super::policy::Policy;
use super::rules::{self, Seen, Shared};
use super::standing::{Event, Standing};
use super::{Rule, RuleSet};
use crate::metering::overage::Method;
use crate::metering::period::SlotSpan;
use crate::metering::sample::Rates;
use crate::metering::tally::{LockedIn, Rules, Tally};
use crate::metering::top_set::{AtOrOver, Exhausted, TopSet};
use crate::metering::units::{Bps, Slot};

/// The watch over one server. Of one to which nothing has ever happened it takes a word of memory.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    state: Option<Box<State>>,
}

#[derive(Debug, Clone, Default)]
struct State {
    standing: Standing,
    /// What counts of the running period when a case was closed in the middle of it.
    counted: Option<Counted>,
}

/// The largest of what is ranked, of a period's slots from some slot on: all others are as if they were 0.
#[derive(Debug, Clone)]
struct Counted {
    period: SlotSpan,
    /// One for every quantity that the method ranks.
    ranked: Vec<TopSet>,
}

/// What is known of a server when a slot has closed.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The slot.
    pub slot: Slot,
    /// What was granted in it.
    pub allowance: Bps,
    /// Its newest samples, ascending: all of the last [`super::policy::WINDOW_SLOTS_MAX`] slots up to this one, or
    /// of as many as the policy looks back.
    pub seen: &'a [Seen],
    /// The period in which the slot lies, this slot's sample included. Outside of it *locked-in* does not hold.
    pub tally: &'a Tally,
    /// The uplinks that it shares in this slot, none in there where it shares none; `None` where that is not known.
    pub shared: Option<&'a Shared>,
    /// Its packets in as many slots as *flood* looks back, ascending.
    pub packets: &'a [Packets],
}

/// What a closed slot changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// What happened, in the order in which a log has it. Empty in nearly every slot of nearly every server.
    pub events: Vec<Event>,
    /// What each rule found that holds now, whether it began in this slot or before.
    pub evidence: Vec<Evidence>,
}

/// What the rules found in a slot.
#[derive(Debug, Clone, Default)]
struct Found {
    met: RuleSet,
    evidence: Vec<Evidence>,
}

impl Watch {
    /// Goes on from `standing`. `samples` are the running period's closed slots from [`Standing::counts_from`] on,
    /// in any order; none are needed where that is `None`.
    #[must_use]
    pub fn resume(
        standing: Standing,
        rules: &Rules,
        samples: impl IntoIterator<Item = (Slot, Rates)>,
    ) -> Self {
        if standing == Standing::CALM {
            return Self::default();
        }
        let mut state = State { standing, counted: None };
        for (slot, rates) in samples {
            state.count(rules, slot, None, Some(rates));
        }
        Self { state: Some(Box::new(state)) }
    }

    /// How the server stands.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        static CALM: Standing = Standing::CALM;
        self.state.as_ref().map_or(&CALM, |state| &state.standing)
    }

    /// Takes in the next closed slot: once each, in order. Rules in `exempt` don't hold, whatever is seen.
    pub fn observe(&mut self, policy: &Policy, exempt: RuleSet, facts: &Facts<'_>) -> Change {
        if let Some(state) = &mut self.state
            && let Some(newest) = facts.seen.iter().rev().find(|seen| seen.slot <= facts.slot)
            && newest.slot == facts.slot
        {
            state.count(facts.tally.rules(), newest.slot, None, Some(newest.rates));
        }
        let Found { met, mut evidence } = self.found(policy, exempt, facts);
        let standing = self.standing();
        let events = standing.next(facts.slot, met, policy.quiet_slots);
        evidence.retain(|evidence| !standing.spent.contains(evidence.rule()));
        for event in &events {
            self.take(facts.slot, *event);
        }
        Change { events, evidence }
    }

    /// Takes in what a person or the automation did in `slot`: [`Event::Applied`], [`Event::Lifted`],
    /// [`Event::Dismissed`] or [`Event::Reopened`].
    pub fn take(&mut self, slot: Slot, event: Event) {
        let state = self.state.get_or_insert_default();
        let from = state.standing.evidence_from;
        state.standing.take(slot, event);
        if state.standing.evidence_from != from {
            state.counted = None;
        }
    }

    /// Takes in that the sample of a slot that was observed before is now `new` instead of `old`.
    pub fn revise(&mut self, rules: &Rules, slot: Slot, old: Option<Rates>, new: Option<Rates>) {
        if let Some(state) = &mut self.state {
            state.count(rules, slot, old, new);
        }
    }

    fn found(&self, policy: &Policy, exempt: RuleSet, facts: &Facts<'_>) -> Found {
        let standing = self.standing();
        let Facts { slot, allowance, seen, tally, shared, packets } = *facts;
        let newest = seen.iter().rev().find(|seen| seen.slot <= slot).filter(|seen| seen.slot == slot);
        let mut found = Found::default();
        let asked = |rule| (!exempt.contains(rule)).then(|| standing.ask(rule, policy.release_percent));
        let mut put = |evidence: Evidence| {
            found.met = found.met.with(evidence.rule());
            found.evidence.push(evidence);
        };
        if let Some((rule, ask)) = policy.sustained.zip(asked(Rule::Sustained)) {
            rules::sustained(rule, ask, slot, seen).map(Evidence::Sustained).map(&mut put);
        }
        if let Some((rule, ask)) = policy.uplink.zip(asked(Rule::Uplink))
            && let Some((shared, newest)) = shared.zip(newest)
        {
            rules::uplink(rule, ask, slot, newest.rates, shared).map(Evidence::Uplink).map(&mut put);
        }
        let stands = |rule| standing.held().union(standing.spent).contains(rule);
        if shared.is_none() && !exempt.contains(Rule::Uplink) && stands(Rule::Uplink) {
            // What is not known lets go of nothing.
            found.met = found.met.with(Rule::Uplink);
        }
        let mut put = |evidence: Evidence| {
            found.met = found.met.with(evidence.rule());
            found.evidence.push(evidence);
        };
        if let Some((rule, ask)) = policy.flood.zip(asked(Rule::Flood)) {
            rules::flood(rule, ask, slot, packets).map(Evidence::Flood).map(&mut put);
        }
        let period = tally.rules().span;
        if let Some((rule, ask)) = policy.locked_in.zip(asked(Rule::LockedIn))
            && period.contains(slot)
        {
            let whole = ask.from <= period.from;
            let counted = self.state.as_ref().and_then(|state| state.counted.as_ref());
            let counted = counted.filter(|counted| counted.period == period);
            let locked_in = tally.locked_in(slot.next()).and_then(|all| match counted {
                _ if whole => Ok(all),
                Some(counted) => counted.locked_in(all),
                None => Ok(LockedIn { p95: None, ..all }),
            });
            match locked_in {
                Ok(locked_in) => {
                    let at_or_over = |least| match counted {
                        Some(counted) if !whole => counted.at_or_over(least),
                        Some(_) | None => tally.at_or_over(least),
                    };
                    let since = (!whole).then_some(ask.from);
                    rules::locked_in(rule, ask.at_percent, allowance, locked_in, since, at_or_over)
                        .map(Evidence::LockedIn)
                        .map(&mut put);
                }
                // Not known until the period is read again: it stands as it stood.
                Err(Exhausted) => {
                    found.met =
                        if stands(Rule::LockedIn) { found.met.with(Rule::LockedIn) } else { found.met };
                }
            }
        }
        found
    }
}

impl Standing {
    /// From which slot of the running period on samples count for *locked-in*; `None`: all of it does, and a tally
    /// tells it.
    #[must_use]
    pub fn counts_from(&self, rules: &Rules) -> Option<Slot> {
        self.evidence_from.filter(|from| *from > rules.span.from)
    }
}

impl State {
    fn count(&mut self, rules: &Rules, slot: Slot, old: Option<Rates>, new: Option<Rates>) {
        let Some(from) = self.standing.counts_from(rules) else {
            self.counted = None;
            return;
        };
        if slot < from || !rules.span.contains(slot) || old == new {
            return;
        }
        if self.counted.as_ref().is_none_or(|counted| counted.period != rules.span) {
            self.counted = Some(Counted::new(rules.method, rules.span));
        }
        if let Some(counted) = &mut self.counted {
            counted.change(rules.method, old, new);
        }
    }
}

impl Counted {
    fn new(method: Method, period: SlotSpan) -> Self {
        let quantities = method.ranked(Rates::default()).into_iter().flatten().count();
        Self { period, ranked: vec![TopSet::for_values(period.len()); quantities] }
    }

    fn change(&mut self, method: Method, old: Option<Rates>, new: Option<Rates>) {
        for (rates, put) in [(old, TopSet::remove as fn(&mut TopSet, u64)), (new, TopSet::add)] {
            let Some(rates) = rates else { continue };
            for (set, bps) in self.ranked.iter_mut().zip(method.ranked(rates).into_iter().flatten()) {
                put(set, bps.0);
            }
        }
    }

    /// The p95 over the whole period of `all`, with 0 for what is not counted.
    fn locked_in(&self, all: LockedIn) -> Result<LockedIn, Exhausted> {
        let mut p95 = None;
        for set in &self.ranked {
            p95 = p95.max(Some(Bps(set.largest_but(all.burst_slots)?)));
        }
        Ok(LockedIn { p95, ..all })
    }

    fn at_or_over(&self, least: Bps) -> AtOrOver {
        let counts = self.ranked.iter().map(|set| set.at_or_over(least.0));
        counts.max_by_key(|count| count.known()).unwrap_or(AtOrOver::Exactly(0))
    }
}
