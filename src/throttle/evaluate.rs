//! Watches every server by the rules of SPEC.md section 9 as its slots close, and writes what they find into the cases.
//!
//! [`Round`] is the part without I/O: it looks at the live state, slot by slot, and says what happened. [`Evaluator`] is
//! the shell around it: it writes that, learns what people have done, and notes how far it has come, so that a restart goes
//! on as if nothing had been.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use meter95_reading::Timestamp;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::desk::{CaseError, Cases, Observation};
use super::recommend::{self, recommend};
use super::recommendation::Recommendation;
use super::standing::{Resumed, acts, standings};
use super::uplinks::Loads;
use crate::aggregator::output::ServerId;
use crate::aggregator::pipeline::Live;
use crate::aggregator::server::{RECENT_SLOTS, Server};
use crate::aggregator::state::Aggregator;
use crate::inventory::Server as Entry;
use crate::inventory::instant::Instant;
use crate::metering::period::SlotSpan;
use crate::metering::sample::Rates;
use crate::metering::throttle::evidence::Evidence;
use crate::metering::throttle::packets::Packets;
use crate::metering::throttle::policy::{Policy, WINDOW_SLOTS_MAX};
use crate::metering::throttle::rules::{Ask, Seen, Shared, uplink};
use crate::metering::throttle::standing::Event;
use crate::metering::throttle::watch::{Change, Facts, Watch};
use crate::metering::throttle::{Rule, RuleSet};
use crate::metering::units::Slot;
use crate::store::connection::{Store, StoreError};
use crate::store::marks::Mark;

/// How often is looked whether slots have closed.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long a slot waits after its end for servers that have not closed it before shared lines are looked at, in ms: two
/// passes. A device that is silent must not delay the others' figures for the whole grace.
const PATIENCE_MS: i64 = 120_000;

/// How many slots' shared lines are kept for servers that close late: the default grace, and two more.
const LOADS_KEPT: usize = 4;

/// How far back is looked at a start without a note of how far the last one came: as far as shared lines are known, for
/// what is long past is no reason to act.
const FIRST_SLOTS: i64 = 4;

/// Something that happened to a server's rules.
#[derive(Debug)]
pub struct Happened {
    /// The server.
    pub server: ServerId,
    /// In which slot.
    pub slot: Slot,
    /// What, in the order in which the log has it; not empty.
    pub events: Vec<Event>,
    /// Made where a case opens or a rule begins to hold.
    pub recommendation: Option<Box<Recommendation>>,
}

/// How far the rules have come with every server.
#[derive(Debug)]
pub struct Round {
    watches: Vec<Watch>,
    /// The next slot of each server; `None` before its first.
    next: Vec<Option<Slot>>,
    /// From where on servers are looked at for the first time; `None` before the first slot is ready.
    begin: Option<Slot>,
    /// Slots before this one are ready to be looked at.
    ready_until: Slot,
    /// What shared lines carried, of the newest slots that are ready.
    loads: VecDeque<(Slot, Loads)>,
    /// A server's newest samples; kept for its allocation.
    seen: Vec<Seen>,
    /// A server's newest packets; kept for its allocation.
    packets: Vec<Packets>,
}

impl Round {
    /// Before any slot was looked at; the last one came to `mark`, where there was one.
    #[must_use]
    pub fn new(mark: Option<Slot>) -> Self {
        Self {
            watches: Vec::new(),
            next: Vec::new(),
            begin: mark,
            ready_until: mark.unwrap_or(Slot(0)),
            loads: VecDeque::new(),
            seen: Vec::new(),
            packets: Vec::new(),
        }
    }

    /// Goes on with a server as its log says, from the slot `next` on; from where the rules have come otherwise.
    pub fn resume(&mut self, server: ServerId, watch: Watch, next: Option<Slot>) {
        self.make_room(server);
        self.watches[server.index()] = watch;
        self.next[server.index()] = next;
    }

    /// Takes in what a person has done about a server's case in `slot`.
    pub fn take(&mut self, server: ServerId, slot: Slot, event: Event) {
        self.make_room(server);
        self.watches[server.index()].take(slot, event);
    }

    fn make_room(&mut self, server: ServerId) {
        if self.watches.len() <= server.index() {
            self.watches.resize_with(server.index() + 1, Watch::default);
            self.next.resize(server.index() + 1, None);
        }
    }

    /// Looks at every slot that has closed since, of each server up to the first in which something happens: look again
    /// when that was written, until nothing is left.
    pub fn look(&mut self, state: &Aggregator) -> Vec<Happened> {
        self.prepare(state);
        let Some(begin) = self.begin else { return Vec::new() };
        let mut happened = Vec::new();
        for entry in state.inventory().servers.values() {
            let Some(server) = state.server(&entry.id) else { continue };
            let Some(closed_until) = server.closed_until else { continue };
            self.make_room(server.id);
            let until = closed_until.min(self.ready_until);
            let oldest = Slot(until.0.saturating_sub(RECENT_SLOTS));
            let mut slot = self.next[server.id.index()].unwrap_or(begin).max(oldest);
            while slot < until {
                let found = self.look_at(state, entry, server, slot);
                slot = slot.next();
                if let Some(found) = found {
                    happened.push(found);
                    break;
                }
            }
            self.next[server.id.index()] = Some(slot);
        }
        happened
    }

    /// Before which slot everything was looked at, of every server that is metered; `None` before the first.
    #[must_use]
    pub fn mark(&self, state: &Aggregator) -> Option<Slot> {
        let begun =
            state.servers().iter().filter(|server| server.closed_until.is_some() && !server.bound.is_empty());
        let next = begun.filter_map(|server| self.next.get(server.id.index()).copied().flatten());
        next.min()
    }

    /// Looks which slots are ready, and what shared lines carried in them.
    fn prepare(&mut self, state: &Aggregator) {
        let until = ready_until(state);
        if until == Slot(0) {
            return;
        }
        let begin = *self.begin.get_or_insert(Slot(until.0.saturating_sub(FIRST_SLOTS)));
        let kept = i64::try_from(LOADS_KEPT).unwrap_or(i64::MAX);
        let mut slot = self.ready_until.max(begin).max(Slot(until.0.saturating_sub(kept)));
        while slot < until {
            self.loads.push_back((slot, Loads::of(state, slot)));
            if self.loads.len() > LOADS_KEPT {
                self.loads.pop_front();
            }
            slot = slot.next();
        }
        self.ready_until = self.ready_until.max(until);
    }

    /// Looks at one slot of one server.
    fn look_at(
        &mut self,
        state: &Aggregator,
        entry: &Entry,
        server: &Server,
        slot: Slot,
    ) -> Option<Happened> {
        let inventory = state.inventory();
        let start = slot.start();
        let policy = inventory.policy_of(entry, start);
        let exempt = |rule: &Rule| inventory.exemption_of(entry, *rule, start).is_some();
        let exempt: RuleSet = Rule::ALL.into_iter().filter(exempt).collect();
        let granted = &server.tally.rules().allowance;
        self.seen.clear();
        let upto = server.newest_closed(WINDOW_SLOTS_MAX).take_while(|(closed, _)| *closed <= slot);
        self.seen.extend(upto.filter_map(|(slot, sample)| {
            Some(Seen { slot, rates: sample?.rates, allowance: granted.in_slot(slot) })
        }));
        self.packets.clear();
        if let Some(flood) = policy.flood {
            let first = Slot(slot.0.saturating_sub(i64::from(flood.slots)).saturating_add(1));
            let slots = std::iter::successors(Some(first), |slot| Some(slot.next()));
            self.packets.extend(slots.take_while(|s| *s <= slot).map(|slot| packets(state, server, slot)));
        }
        let loads = self.loads.iter().find(|(of, _)| *of == slot).map(|(_, loads)| loads);
        let none = Shared::default();
        let rates = self.seen.last().filter(|seen| seen.slot == slot).map(|seen| seen.rates);
        let shared = loads.map(|loads| most_used(loads, server.id, &policy, slot, rates).unwrap_or(&none));
        let allowance = granted.in_slot(slot);
        let facts =
            Facts { slot, allowance, seen: &self.seen, tally: &server.tally, shared, packets: &self.packets };
        let watch = &mut self.watches[server.id.index()];
        let Change { events, evidence } = watch.observe(&policy, exempt, &facts);
        if events.is_empty() {
            return None;
        }
        let begins = events.iter().any(|event| matches!(event, Event::Opened | Event::Began(_)));
        let recommendation = begins.then(|| {
            let since = |rule: Rule| watch.standing().holding.get(&rule).copied().unwrap_or(slot);
            let evidence: Vec<(Slot, Evidence)> =
                evidence.into_iter().map(|e| (since(e.rule()), e)).collect();
            let nothing = Loads::default();
            let loads = loads.unwrap_or(&nothing);
            let (policy, seen, evidence) = (&policy, self.seen.as_slice(), evidence.as_slice());
            let found = recommend::Found { slot, policy, allowance, seen, evidence, loads };
            Box::new(recommend(state, entry, server, found))
        });
        Some(Happened { server: server.id, slot, events, recommendation })
    }
}

/// Slots before this one are ready: every server has closed them, or has been waited for long enough.
fn ready_until(state: &Aggregator) -> Slot {
    let begun = state.servers().iter().filter(|server| !server.bound.is_empty());
    let closed = begun.filter_map(|server| server.closed_until);
    let (all, any) =
        closed.fold((Slot(i64::MAX), Slot(0)), |(all, any), until| (all.min(until), any.max(until)));
    // Not before anything has closed, and not past what has.
    all.max(Slot::of(state.clock().plus_ms(-PATIENCE_MS))).min(any)
}

/// A server's packets in a slot, over the ports that count.
fn packets(state: &Aggregator, server: &Server, slot: Slot) -> Packets {
    let carried = state.ports_of(server, slot);
    let carried: Vec<_> =
        carried.filter_map(|(bound, port)| Some((port.carried(slot)?, bound.binding.kind))).collect();
    Packets::of(slot, carried.iter().map(|(carried, kind)| (carried, *kind)))
}

/// Of the lines that a server shares, those by which *uplink* holds, or else would go on holding, or else the fullest.
fn most_used<'a>(
    loads: &'a Loads,
    server: ServerId,
    policy: &Policy,
    slot: Slot,
    rates: Option<Rates>,
) -> Option<&'a Shared> {
    let meets = |shared: &Shared, at_percent: u32| {
        let ask = Ask { at_percent, from: Slot(i64::MIN) };
        policy.uplink.zip(rates).is_some_and(|(rule, rates)| uplink(rule, ask, slot, rates, shared).is_some())
    };
    loads.of_server(server).map(|group| &group.shared).max_by_key(|shared| {
        (meets(shared, 100), meets(shared, policy.release_percent), shared.used_permille())
    })
}

/// The rules, and where what they find is written.
pub struct Evaluator {
    live: Live,
    cases: Cases,
    store: Store,
    round: Round,
    /// The open case of a server.
    open: HashMap<ServerId, u64>,
    /// People's steps up to this number have been taken in.
    serial: u64,
    /// What could not be written yet.
    pending: Vec<Happened>,
    /// Servers of which the log refused something, with the slot in which that was: what a person did was quicker. They go on
    /// from the log.
    overtaken: BTreeMap<ServerId, Slot>,
    /// How far the store knows that the rules have come.
    marked: Option<Slot>,
}

impl Evaluator {
    /// Goes on from what is stored.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn open(live: Live, cases: Cases, store: Store) -> Result<Self, CaseError> {
        let mark = store.mark(Mark::RulesLooked).await?;
        let marked = mark.and_then(|mark| i64::try_from(mark).ok()).map(Slot);
        let round = Round::new(marked);
        let (open, pending, overtaken) = (HashMap::new(), Vec::new(), BTreeMap::new());
        let mut evaluator = Self { live, cases, store, round, open, serial: 0, pending, overtaken, marked };
        evaluator.resume().await?;
        Ok(evaluator)
    }

    /// Watches until `stop`. What could not be written is tried again with the next look, before anything else.
    pub async fn run(mut self, now: impl Fn() -> Timestamp, stop: CancellationToken) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.look(now()).await {
                tracing::error!(error = %error, "cases can't be written, trying again");
            }
        }
    }

    /// Looks at what has closed, and writes what the rules find.
    ///
    /// # Errors
    /// When the store can't be used; nothing is lost then.
    pub async fn look(&mut self, now: Timestamp) -> Result<(), CaseError> {
        loop {
            self.go_on_from_the_log().await?;
            self.learn().await?;
            if self.pending.is_empty() {
                let live = self.live.read();
                self.pending = self.round.look(&live);
            }
            if self.pending.is_empty() {
                break;
            }
            self.write(now).await?;
            if !self.overtaken.is_empty() {
                // Whatever is refused is not asked for again at once.
                return Ok(());
            }
        }
        let mark = {
            let live = self.live.read();
            self.round.mark(&live)
        };
        if let Some(mark) = mark.filter(|mark| self.marked.is_none_or(|marked| marked < *mark)) {
            self.store.put_mark(Mark::RulesLooked, u64::try_from(mark.0).unwrap_or(0)).await?;
            self.marked = Some(mark);
        }
        Ok(())
    }

    /// Puts every watch back together from the log.
    async fn resume(&mut self) -> Result<(), CaseError> {
        let standings = standings(self.cases.list(&Default::default()).await?.iter().map(|case| &**case));
        self.serial = self.cases.last_serial();
        let mark = self.marked;
        for (server, resumed) in standings {
            self.resume_one(&server, resumed, mark).await?;
        }
        Ok(())
    }

    /// Goes on with overtaken servers as the log says.
    async fn go_on_from_the_log(&mut self) -> Result<(), CaseError> {
        while let Some((id, slot)) = self.overtaken.first_key_value().map(|(id, slot)| (*id, *slot)) {
            let name = self.live.read().servers().get(id.index()).map(|server| server.name.clone());
            if let Some(name) = name {
                let of_server = self.cases.of_server(&name).await?;
                let mut standings = standings(of_server.iter().map(|case| &**case));
                self.resume_one(&name, standings.remove(&name).unwrap_or_default(), Some(slot)).await?;
            }
            self.overtaken.remove(&id);
        }
        Ok(())
    }

    /// Goes on with a server as its log says, from where the log ends, but not before the slot `least`.
    async fn resume_one(
        &mut self,
        server: &str,
        resumed: Resumed,
        least: Option<Slot>,
    ) -> Result<(), CaseError> {
        let Resumed { standing, looked_at, open } = resumed;
        let (id, rules, closed_until) = {
            let live = self.live.read();
            let Some(server) = live.server(server) else { return Ok(()) };
            (server.id, server.tally.rules().clone(), live.closed_until(server))
        };
        let samples = match standing.counts_from(&rules) {
            None => Vec::new(),
            Some(from) => self.samples(id, SlotSpan { from, until: closed_until }).await?,
        };
        // Slots of which memory tells nothing any more are not looked at, but they count.
        let oldest = Slot(closed_until.0.saturating_sub(RECENT_SLOTS));
        let next = looked_at.map(Slot::next).max(least).map(|next| next.max(oldest));
        // What follows is observed, and counted then.
        let before = |(slot, _): &(Slot, Rates)| next.is_none_or(|next| *slot < next);
        let watch = Watch::resume(standing, &rules, samples.into_iter().filter(before));
        self.round.resume(id, watch, next);
        match open {
            Some(case) => self.open.insert(id, case),
            None => self.open.remove(&id),
        };
        Ok(())
    }

    async fn samples(&self, server: ServerId, span: SlotSpan) -> Result<Vec<(Slot, Rates)>, StoreError> {
        let stored = self.store.samples(&[server], span).await?.remove(&server).unwrap_or_default();
        Ok(stored.into_iter().filter_map(|(slot, revised)| Some((slot, revised.rates()?))).collect())
    }

    /// Takes in what people have done since.
    async fn learn(&mut self) -> Result<(), CaseError> {
        for (case, step) in self.cases.steps_since(self.serial).await? {
            self.serial = self.serial.max(step.serial);
            let Some(event) = acts(&step.body) else { continue };
            let Some(id) = self.live.read().server(case.server()).map(|server| server.id) else { continue };
            self.round.take(id, Slot::of(step.at), event);
            match event {
                Event::Reopened => drop(self.open.insert(id, step.case)),
                Event::Lifted | Event::Dismissed => drop(self.open.remove(&id)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes what waits, and notes of whom the log refused something.
    async fn write(&mut self, now: Timestamp) -> Result<(), CaseError> {
        let mut observations = Vec::new();
        let mut of = Vec::new();
        for happened in &self.pending {
            for observation in self.observations(happened) {
                observations.push(observation);
                of.push((happened.server, happened.slot));
            }
        }
        let written = self.cases.observe(observations, now).await?;
        self.pending.clear();
        for ((server, slot), outcome) in of.into_iter().zip(written) {
            match outcome {
                Ok(case) if case.state.is_over() => drop(self.open.remove(&server)),
                Ok(case) => drop(self.open.insert(server, case.id)),
                Err(error) => {
                    tracing::warn!(error = %error, "what a rule found was overtaken");
                    self.overtaken.entry(server).or_insert(slot);
                }
            }
        }
        Ok(())
    }

    /// What the log is told of something that happened.
    fn observations(&self, happened: &Happened) -> Vec<Observation> {
        let Happened { server, slot, events, recommendation } = happened;
        let slot = Instant(slot.start());
        if events.contains(&Event::Opened) {
            let opens =
                recommendation.clone().map(|recommendation| Observation::Opens { slot, recommendation });
            return opens.into_iter().collect();
        }
        let Some(case) = self.open.get(server).copied() else { return Vec::new() };
        let observation = |event: &Event| match event {
            Event::Began(rule) => {
                Some(Observation::Fires { case, rule: *rule, slot, recommendation: recommendation.clone()? })
            }
            Event::LetGo(rule) => Some(Observation::Releases { case, rule: *rule, slot }),
            Event::Resolved => Some(Observation::Resolves { case, slot }),
            Event::Opened
            | Event::Freed(_)
            | Event::Applied
            | Event::Lifted
            | Event::Dismissed
            | Event::Reopened => None,
        };
        events.iter().filter_map(observation).collect()
    }
}

#[cfg(test)]
mod tests;
