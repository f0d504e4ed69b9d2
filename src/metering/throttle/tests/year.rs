//! A simulated year of random habits, held slot by slot against a reference that knows the whole history and
//! computes every rule as plainly as it can.
//!
//! The figures are small whole numbers, so that often one is exactly at a threshold.

use std::collections::VecDeque;

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::*;
use crate::metering::overage::{Method, Missing};
use meter95_reading::Timestamp;
use packets::{Flow, Packets};
use policy::Policy;
use standing::{Event, Standing};
use watch::{Change, Facts, Watch};

/// Slots of a year, and of the twelve equal months that it is cut into.
const YEAR: i64 = 105_120;
const MONTH: i64 = YEAR / 12;

/// Everything that is ranked is below this.
const VALUES: usize = 128;

/// What an uplink carries at most.
const SPEED: u64 = 100;

/// The same numbers from the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// How a server behaves for a while.
#[derive(Clone, Copy)]
enum Habit {
    /// Below the allowance.
    Calm,
    /// Around ten times the allowance.
    Heavy,
    /// Heavy for some slots and calm for some, over and over.
    Waves { on: i64, off: i64 },
    /// Nothing is measured.
    Unread,
}

/// What was in one slot.
#[derive(Clone, Copy)]
struct Was {
    rates: Option<Rates>,
    allowance: u64,
    /// By the uplink's own port where it is known, and by the servers.
    load: (Option<Rates>, Rates),
    flow: [(u64, u64); 2],
}

/// The server's life, and what the reference thinks of it.
struct Life {
    random: Random,
    habit: (Habit, i64),
    flooded_until: i64,
    busy_until: i64,
    rules: Rules,
    policy: Policy,
    exempt: RuleSet,
    was: Vec<Was>,
    evidence_from: i64,
    spent: RuleSet,
    held: RuleSet,
    /// The first slot since which nothing has held while a case was open.
    quiet_from: i64,
    open: bool,
    applied: bool,
    resolved: Vec<i64>,
    /// How often each ranked value was there this month: in all, and since evidence counts.
    counts: [[[u64; VALUES]; 2]; 2],
    samples: u64,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let methods = [Method::Max, Method::In, Method::Out, Method::Sum, Method::Separate];
        let method = methods[usize::try_from(random.below(5)).unwrap()];
        let missing = if random.one_in(2) { Missing::Zero } else { Missing::Exclude };
        let mut grants = vec![Grant { bps: Bps(random.below(3)), from: None, until: None }];
        for _ in 0..random.below(6) {
            let from = random.below(YEAR.unsigned_abs()).cast_signed();
            let until = from + random.below(20_000).cast_signed();
            let slot = |slot: i64| Some(Timestamp(slot * Slot::MS));
            grants.push(Grant { bps: Bps(1 + random.below(2)), from: slot(from), until: slot(until) });
        }
        let span = SlotSpan { from: Slot(0), until: Slot(MONTH) };
        Self {
            random,
            habit: (Habit::Calm, 0),
            flooded_until: 0,
            busy_until: 0,
            rules: Rules { span, method, missing, allowance: Allowance::new(grants) },
            policy: Policy::default(),
            exempt: RuleSet::NONE,
            was: Vec::new(),
            evidence_from: i64::MIN,
            spent: RuleSet::NONE,
            held: RuleSet::NONE,
            quiet_from: 0,
            open: false,
            applied: false,
            resolved: Vec::new(),
            counts: [[[0; VALUES]; 2]; 2],
            samples: 0,
        }
    }

    /// What the next slot brings.
    fn live(&mut self, slot: i64) -> Was {
        let random = &mut self.random;
        if self.habit.1 <= slot {
            let waves = Habit::Waves {
                on: 1 + random.below(30).cast_signed(),
                off: 1 + random.below(40).cast_signed(),
            };
            let habit = match random.below(8) {
                0..3 => Habit::Calm,
                3..5 => Habit::Heavy,
                5..7 => waves,
                _ => Habit::Unread,
            };
            let longest = if random.one_in(4) { 2_000 } else { 100 };
            self.habit = (habit, slot + 1 + random.below(longest).cast_signed());
        }
        if random.one_in(700) {
            self.flooded_until = slot + random.below(40).cast_signed();
        }
        if random.one_in(500) {
            self.busy_until = slot + random.below(60).cast_signed();
        }
        let allowance = self.rules.allowance.in_slot(Slot(slot)).0;
        let heavy = match self.habit.0 {
            Habit::Calm | Habit::Unread => false,
            Habit::Heavy => true,
            Habit::Waves { on, off } => slot.rem_euclid(on + off) < on,
        };
        let rate = |random: &mut Random| match heavy {
            true => (allowance * (7 + random.below(6)) + random.below(2)).min(63),
            false => random.below(2 * allowance + 2),
        };
        let rates = bps(rate(random), rate(random));
        let measured = !matches!(self.habit.0, Habit::Unread) && !random.one_in(50);
        let others = if slot < self.busy_until { 40 + random.below(60) } else { random.below(30) };
        let load = bps((others + rates.in_bps.0 / 2).min(SPEED), others / 2 + rates.out_bps.0 / 2);
        let by_port = (!random.one_in(10)).then_some(load);
        let flow = [0, 1].map(|_| {
            if slot < self.flooded_until {
                (70_000 + 10_000 * random.below(6), 90 + 10 * random.below(8))
            } else {
                (random.below(2) * 1_000, 700)
            }
        });
        if random.one_in(3_000) {
            let rule = Rule::ALL[usize::try_from(random.below(4)).unwrap()];
            let off = self.exempt.contains(rule);
            self.exempt = if off { self.exempt.without(rule) } else { self.exempt.with(rule) };
        }
        if random.one_in(20_000) {
            self.policy = match random.below(3) {
                0 => Policy::default(),
                1 => Policy { quiet_slots: 10, release_percent: 60, ..Policy::default() },
                _ => Policy::default().without(Rule::ALL[usize::try_from(random.below(4)).unwrap()]),
            };
        }
        Was { rates: measured.then_some(rates), allowance, load: (by_port, load), flow }
    }

    fn count(&mut self, slot: i64, rates: Option<Rates>, add: bool) {
        let Some(rates) = rates else { return };
        for (k, value) in self.rules.method.ranked(rates).into_iter().flatten().enumerate() {
            let value = usize::try_from(value.0).unwrap();
            for (since, counts) in self.counts.iter_mut().enumerate() {
                if since == 0 || slot >= self.evidence_from {
                    counts[k][value] = if add { counts[k][value] + 1 } else { counts[k][value] - 1 };
                }
            }
        }
        self.samples = if add { self.samples + 1 } else { self.samples - 1 };
    }

    /// SPEC.md section 9, read off the history.
    fn met(&self, rule: Rule, percent: u64, from: i64, slot: i64) -> bool {
        let at = |slot: i64| usize::try_from(slot).ok().and_then(|slot| self.was.get(slot));
        let now = at(slot).unwrap();
        if !self.policy.has(rule) || self.exempt.contains(rule) {
            return false;
        }
        match rule {
            Rule::Sustained => {
                let over = |slot: &i64| {
                    let was = at(*slot);
                    was.and_then(|was| Some((was.allowance, was.rates?))).is_some_and(|(allowance, rates)| {
                        let value = rates.in_bps.0.max(rates.out_bps.0);
                        allowance > 0 && value * 100 >= 10 * allowance * percent
                    })
                };
                (slot - 11..=slot).filter(|slot| *slot >= from).filter(over).count() >= 10
            }
            Rule::LockedIn => {
                let to_come = (self.rules.span.until.0 - slot - 1).unsigned_abs();
                let ranked = match self.rules.missing {
                    Missing::Zero => MONTH.unsigned_abs(),
                    Missing::Exclude => self.samples + to_come,
                };
                let since = usize::from(from > self.rules.span.from.0);
                let over = |counts: &[u64; VALUES]| {
                    let least = (10 * now.allowance * percent).div_ceil(100);
                    counts.iter().skip(usize::try_from(least).unwrap()).sum::<u64>()
                };
                now.allowance > 0 && self.counts[since].iter().any(|counts| over(counts) > ranked / 20)
            }
            Rule::Uplink => {
                let Some(rates) = now.rates else { return false };
                let load = now.load.0.unwrap_or(now.load.1);
                let full = |load: u64, rate: u64| {
                    load * 10_000 >= SPEED * 80 * percent && rate * 10_000 >= load * 20 * percent
                };
                let (towards, back) =
                    (full(load.in_bps.0, rates.in_bps.0), full(load.out_bps.0, rates.out_bps.0));
                slot >= from && (towards || back)
            }
            Rule::Flood => [0, 1].into_iter().any(|direction| {
                [slot - 1, slot].into_iter().all(|slot| {
                    let flow = at(slot).map(|was| was.flow[direction]);
                    slot >= from
                        && flow.is_some_and(|(packets, size)| {
                            packets * 100 >= 100_000 * percent && size * percent < 128 * 100
                        })
                })
            }),
        }
    }

    /// What the slot must have led to; checks what did happen.
    fn judge(&mut self, slot: i64, change: &Change, standing: &Standing) {
        let release = self.policy.release_percent.into();
        let mut allowed = RuleSet::NONE;
        let mut hold = RuleSet::NONE;
        for rule in Rule::ALL {
            if self.spent.contains(rule) {
                if self.met(rule, release, i64::MIN, slot) {
                    continue;
                }
                self.spent = self.spent.without(rule);
            }
            let plain = self.met(rule, 100, self.evidence_from, slot);
            allowed = if plain { allowed.with(rule) } else { allowed };
            let lingers = self.held.contains(rule) && self.met(rule, release, self.evidence_from, slot);
            hold = if plain || lingers { hold.with(rule) } else { hold };
        }
        for event in &change.events {
            match event {
                Event::Opened => {
                    assert!(!self.open && !allowed.is_empty(), "{slot}: opened without a rule");
                    (self.open, self.applied) = (true, false);
                }
                Event::Began(rule) => assert!(allowed.contains(*rule), "{slot}: {rule} began unmet"),
                Event::LetGo(rule) => assert!(!hold.contains(*rule), "{slot}: {rule} was let go"),
                Event::Freed(rule) => assert!(!self.spent.contains(*rule), "{slot}: {rule} was freed"),
                Event::Resolved => {
                    let quiet = slot - self.quiet_from + 1;
                    let needed = i64::from(self.policy.quiet_slots);
                    assert!(quiet >= needed && hold.is_empty(), "{slot}: resolved after {quiet}");
                    assert!(self.open && !self.applied, "{slot}: nothing to resolve");
                    self.open = false;
                    self.resolved.push(slot);
                    let a_day = self.resolved.iter().rev().take_while(|earlier| slot - **earlier < 288);
                    assert!(a_day.count() <= 2, "{slot}: flaps, resolved in {:?}", self.resolved);
                }
                Event::Applied | Event::Lifted | Event::Dismissed | Event::Reopened => {
                    panic!("nobody did this")
                }
            }
        }
        assert!(allowed.is_empty() || self.open, "{slot}: {allowed:?} was missed");
        assert_eq!(standing.open, self.open, "{slot}");
        assert_eq!(standing.held(), hold, "{slot}");
        assert_eq!(standing.spent, self.spent, "{slot}");
        let evidence: RuleSet = change.evidence.iter().map(evidence::Evidence::rule).collect();
        assert_eq!(evidence, hold, "{slot}: all that holds has its evidence");
        if !hold.is_empty() || !self.open {
            self.quiet_from = slot + 1;
        } else if !self.applied {
            let quiet = slot - self.quiet_from + 1;
            let recent = self.resolved.iter().rev().take_while(|earlier| slot - **earlier < 288).count();
            let due = quiet >= i64::from(self.policy.quiet_slots) && recent < 2;
            assert!(!due, "{slot}: quiet for {quiet} and not resolved");
        }
        self.held = hold;
    }

    /// Something that a person does now and then.
    fn act(&mut self, slot: i64) -> Option<(i64, Event)> {
        let random = &mut self.random;
        let at = slot + random.below(3).cast_signed();
        let event = match (self.open, self.applied) {
            (true, false) => match random.below(400) {
                0..4 => Event::Applied,
                4..6 => Event::Dismissed,
                6 => Event::Lifted,
                _ => return None,
            },
            (true, true) if random.one_in(200) => Event::Lifted,
            (false, _) if random.one_in(3_000) => Event::Reopened,
            (true, true) | (false, _) => return None,
        };
        match event {
            Event::Applied => self.applied = true,
            Event::Reopened => {
                (self.open, self.applied, self.spent) = (true, false, RuleSet::NONE);
                self.quiet_from = at;
            }
            _ => {
                (self.open, self.applied) = (false, false);
                self.spent = if event == Event::Dismissed { self.spent.union(self.held) } else { self.spent };
                self.held = RuleSet::NONE;
                self.evidence_from = self.evidence_from.max(at + 1);
                self.counts[1] = [[0; VALUES]; 2];
            }
        }
        Some((at, event))
    }
}

/// A year of one server, from its seed: what happened in it.
fn year(seed: u64) -> Vec<(Slot, Event)> {
    let mut life = Life::new(seed);
    let mut tally = Tally::new(life.rules.clone());
    let mut watch = Watch::default();
    let mut undisturbed = Watch::default();
    let mut log: Vec<(Slot, Event)> = Vec::new();
    let mut window: VecDeque<Seen> = VecDeque::new();
    let mut capped = 0;
    for slot in 0..YEAR {
        if slot == life.rules.span.until.0 {
            life.rules.span = SlotSpan { from: Slot(slot), until: Slot(slot + MONTH) };
            tally = Tally::new(life.rules.clone());
            life.counts = [[[0; VALUES]; 2]; 2];
            life.samples = 0;
        }
        let was = life.live(slot);
        life.was.push(was);
        life.count(slot, was.rates, true);
        tally.change(Slot(slot), None, was.rates);
        if let Some(rates) = was.rates {
            window.push_back(seen(slot, rates, was.allowance));
        }
        if window.len() > 24 {
            window.pop_front();
        }
        // Now and then a sample is revised, or comes late.
        let late = slot - life.random.below(10).cast_signed();
        if life.random.one_in(300) && late < slot && life.rules.span.contains(Slot(late)) {
            let at = usize::try_from(late).unwrap();
            let (old, new) = (life.was[at].rates, Some(bps(life.random.below(50), life.random.below(50))));
            life.count(late, old, false);
            life.was[at].rates = new;
            life.count(late, new, true);
            tally.change(Slot(late), old, new);
            watch.revise(&life.rules, Slot(late), old, new);
            undisturbed.revise(&life.rules, Slot(late), old, new);
            window.retain(|seen| seen.slot != Slot(late));
            window.extend(new.map(|rates| seen(late, rates, life.was[at].allowance)));
            window.make_contiguous().sort_by_key(|seen| seen.slot);
        }
        let uplink = Uplink { id: String::new(), speed: Bps(SPEED), by_port: was.load.0 };
        let shared = Shared { uplinks: vec![uplink], by_servers: was.load.1 };
        let flows = |slot: i64| {
            let was = usize::try_from(slot).ok().and_then(|slot| life.was.get(slot))?;
            let [towards, from] = was.flow.map(|(packets, size)| Flow {
                packets_per_second: packets,
                packets: packets * 300,
                octets: packets * 300 * size,
            });
            Some(Packets { slot: Slot(slot), towards, from })
        };
        let packets: Vec<Packets> = [slot - 1, slot].into_iter().filter_map(flows).collect();
        let facts = Facts {
            slot: Slot(slot),
            allowance: Bps(was.allowance),
            seen: window.make_contiguous(),
            tally: &tally,
            shared: Some(&shared),
            packets: &packets,
        };
        let change = watch.observe(&life.policy, life.exempt, &facts);
        assert_eq!(change, undisturbed.observe(&life.policy, life.exempt, &facts), "{slot}: a restart shows");
        life.judge(slot, &change, watch.standing());
        log.extend(change.events.iter().map(|event| (Slot(slot), *event)));
        if change.events.contains(&Event::Opened) && capped < 5 {
            capped += 1;
            let figures = tally.figures(Slot(slot + 1)).unwrap();
            let cap = cap::suggest(&life.policy, facts.allowance, &figures, &change.evidence);
            assert!(cap.cap_bps >= facts.allowance && cap.cap_bps > Bps(0), "{slot}: {cap:?}");
        }
        if let Some((at, event)) = life.act(slot) {
            log.push((Slot(at), event));
            watch.take(Slot(at), event);
            undisturbed.take(Slot(at), event);
        }
        if life.random.one_in(400) {
            let mut standing = Standing::CALM;
            log.iter().for_each(|(slot, event)| standing.take(*slot, *event));
            assert_eq!(&standing, watch.standing(), "{slot}: the log tells how the server stands");
            let json = serde_json::to_string(&standing).unwrap();
            assert_eq!(serde_json::from_str::<Standing>(&json).unwrap(), standing, "{json}");
            let from =
                standing.counts_from(&life.rules).map_or(slot + 1, |from| from.0.max(life.rules.span.from.0));
            let samples = (from..=slot)
                .filter_map(|slot| Some((Slot(slot), life.was[usize::try_from(slot).unwrap()].rates?)));
            watch = Watch::resume(standing, &life.rules, samples);
        }
    }
    log
}

proptest! {
    #![proptest_config(Config { cases: 24, max_shrink_iters: 0, ..Config::default() })]

    #[test]
    fn no_case_is_missed_and_none_flaps_in_a_year(seed in any::<u64>()) {
        year(seed);
    }
}

#[test]
fn in_such_years_everything_happens() {
    let happened: Vec<Event> = (1..=6).flat_map(year).map(|(_, event)| event).collect();
    let of_rules =
        Rule::ALL.into_iter().flat_map(|rule| [Event::Began(rule), Event::LetGo(rule), Event::Freed(rule)]);
    let by_people = [Event::Applied, Event::Lifted, Event::Dismissed, Event::Reopened];
    for event in of_rules.chain(by_people).chain([Event::Opened, Event::Resolved]) {
        assert!(happened.contains(&event), "{event:?}");
    }
}
