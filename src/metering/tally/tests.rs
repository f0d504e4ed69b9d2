//! The tally against the plainest computation, and the laws of percentiles.

use meter95_reading::Timestamp;
use proptest::prelude::*;

use super::super::allowance::Grant;
use super::super::percentile;
use super::*;

const METHODS: [Method; 5] = [Method::Max, Method::In, Method::Out, Method::Sum, Method::Separate];

fn rules(method: Method, missing: Missing, slots: i64, addon_from: Option<i64>) -> Rules {
    let mut grants = vec![Grant { bps: Bps(20), from: None, until: None }];
    if let Some(slot) = addon_from {
        grants.push(Grant { bps: Bps(15), from: Some(Slot(slot).start()), until: None });
    }
    let span = SlotSpan { from: Slot(0), until: Slot(slots) };
    Rules { span, method, missing, allowance: Allowance::new(grants) }
}

/// SPEC.md sections 5 to 7 as plainly as can be: sort everything, every time.
fn plainly(rules: &Rules, samples: &[Option<Rates>], closed: usize) -> Figures {
    let count = |n: usize| u64::try_from(n).unwrap();
    let p95 = |quantity: &dyn Fn(usize, Rates) -> u64, all: &[Option<Rates>], to_come: usize| {
        let mut values: Vec<u64> = Vec::new();
        for (i, rates) in all.iter().enumerate() {
            match (rates, rules.missing) {
                (Some(rates), _) => values.push(quantity(i, *rates)),
                (None, Missing::Zero) => values.push(0),
                (None, Missing::Exclude) => {}
            }
        }
        if all.iter().flatten().count() == 0 {
            return None;
        }
        values.extend(std::iter::repeat_n(0, to_come));
        percentile::p95(&mut values).map(Bps)
    };
    let allowance = |i: usize| rules.allowance.at(Timestamp(i64::try_from(i).unwrap() * Slot::MS));
    let done = &samples[..closed];
    let to_come = samples.len() - closed;
    let larger = |over: bool, to_come: usize| {
        let nth = |k: usize| {
            let quantity = |i: usize, r: Rates| {
                let bps = rules.method.ranked(r)[k].unwrap_or_default();
                if over { bps.above(allowance(i)).0 } else { bps.0 }
            };
            p95(&quantity, done, to_come)
        };
        nth(0).max(if rules.method == Method::Separate { nth(1) } else { None })
    };
    let n = done.iter().flatten().count();
    let (ranked, whole) = match rules.missing {
        Missing::Zero => (closed, samples.len()),
        Missing::Exclude => (n, n + to_come),
    };
    let bursts = done
        .iter()
        .enumerate()
        .filter(|(i, r)| r.is_some_and(|r| rules.method.excess(r, allowance(*i)) > Bps(0)));
    Figures {
        samples: count(n),
        expected: count(samples.len()),
        expected_so_far: count(closed),
        rank: if n == 0 { None } else { percentile::rank(count(ranked)) },
        p95: larger(false, 0),
        p95_in: p95(&|_, r| r.in_bps.0, done, 0),
        p95_out: p95(&|_, r| r.out_bps.0, done, 0),
        overage: larger(true, 0),
        locked_in_p95: larger(false, to_come),
        locked_in_overage: larger(true, to_come),
        burst_slots: count(whole / 20),
        burst_left_slots: count(whole / 20).saturating_sub(count(bursts.count())),
    }
}

fn rates() -> impl Strategy<Value = Option<Rates>> {
    prop::option::weighted(
        0.9,
        (0u64..60, 0u64..60).prop_map(|(i, o)| Rates { in_bps: Bps(i), out_bps: Bps(o) }),
    )
}

fn filled(rules: Rules, samples: &[Option<Rates>]) -> Tally {
    let mut tally = Tally::new(rules);
    for (i, rates) in samples.iter().enumerate() {
        tally.change(Slot(i64::try_from(i).unwrap()), None, *rates);
    }
    tally
}

proptest! {
    #[test]
    fn it_equals_the_plain_computation(
        samples in prop::collection::vec(rates(), 1..130),
        closed_share in 0usize..=100,
        addon in prop::option::of(0i64..130),
        revisions in prop::collection::vec((0usize..130, rates()), 0..12),
    ) {
        let slots = i64::try_from(samples.len()).unwrap();
        let closed = samples.len() * closed_share / 100;
        for method in METHODS {
            for missing in [Missing::Zero, Missing::Exclude] {
                let rules = rules(method, missing, slots, addon);
                let mut now = samples.clone();
                now[closed..].fill(None);
                let mut tally = filled(rules.clone(), &now);
                for (i, rates) in revisions.iter().filter(|(i, _)| *i < closed) {
                    tally.change(Slot(i64::try_from(*i).unwrap()), now[*i], *rates);
                    now[*i] = *rates;
                }
                let until = Slot(i64::try_from(closed).unwrap());
                let figures = tally.figures(until).unwrap();
                let locked_in = tally.locked_in(until).unwrap();
                prop_assert_eq!(locked_in.p95, figures.locked_in_p95);
                prop_assert_eq!(locked_in.burst_slots, figures.burst_slots);
                prop_assert_eq!(figures, plainly(&rules, &now, closed), "{:?} {:?}", method, missing);
            }
        }
    }

    #[test]
    fn the_laws_hold(samples in prop::collection::vec(rates(), 1..200), closed_share in 0usize..=100, addon in prop::option::of(0i64..200)) {
        let slots = i64::try_from(samples.len()).unwrap();
        let closed = samples.len() * closed_share / 100;
        let mut so_far = samples.clone();
        so_far[closed..].fill(None);
        let closed = Slot(i64::try_from(closed).unwrap());
        let figures = |method, missing| filled(rules(method, missing, slots, addon), &so_far).figures(closed).unwrap();
        for method in METHODS {
            let zero = figures(method, Missing::Zero);
            prop_assert!(zero.p95 <= figures(method, Missing::Exclude).p95, "zero is never above exclude");
            prop_assert!(zero.locked_in_p95 <= zero.p95, "what is locked in is never above month to date");
            for missing in [Missing::Zero, Missing::Exclude] {
                let f = figures(method, missing);
                let used_up = f.burst_left_slots == 0 && f.locked_in_overage > Some(Bps(0));
                if method != Method::Separate {
                    let bursts = so_far.iter().enumerate().filter(|(i, r)| {
                        let slot = Slot(i64::try_from(*i).unwrap());
                        let allowance = rules(method, missing, slots, addon).allowance.in_slot(slot);
                        r.is_some_and(|r| method.excess(r, allowance) > Bps(0))
                    });
                    let over = u64::try_from(bursts.count()).unwrap() > f.burst_slots;
                    prop_assert_eq!(over, f.locked_in_overage > Some(Bps(0)), "burst budget and locked-in overage agree");
                    prop_assert_eq!(over, used_up);
                }
            }
        }
        let p95 = |method| figures(method, Missing::Zero).p95;
        prop_assert!(p95(Method::Separate) <= p95(Method::Max));
        prop_assert!(p95(Method::Max) <= p95(Method::Sum));
        let constant = filled(rules(Method::Max, Missing::Zero, slots, None), &so_far).figures(closed).unwrap();
        prop_assert_eq!(constant.overage, constant.p95.map(|p| p.above(Bps(20))));
    }
}

#[test]
fn a_restored_tally_is_as_good_as_one_that_saw_every_sample() {
    let samples: Vec<Option<Rates>> = (0..8_928u64)
        .map(|i| {
            (i % 11 != 0).then_some(Rates { in_bps: Bps(i * 7_919 % 1_000), out_bps: Bps(i * 104_729 % 900) })
        })
        .collect();
    let rules = rules(Method::Max, Missing::Zero, 8_928, None);
    let seen = filled(rules.clone(), &samples);
    let keep = TopSet::keep_for(8_928);
    let largest = |of: &dyn Fn(Rates) -> Bps| {
        let mut all: Vec<u64> = samples.iter().flatten().map(|r| of(*r).0).collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.truncate(keep);
        all
    };
    let stored = Stored {
        samples: samples.iter().flatten().count().try_into().unwrap(),
        bursts: samples.iter().flatten().filter(|r| r.value() > Bps(20)).count().try_into().unwrap(),
        largest_in: largest(&|r| r.in_bps),
        largest_out: largest(&|r| r.out_bps),
        largest_combined: largest(&|r| r.value()),
    };
    let restored = Tally::restore(rules, stored).unwrap();
    assert_eq!(restored.figures(Slot(8_928)), seen.figures(Slot(8_928)));
    assert_eq!(restored.figures(Slot(5_000)).unwrap().expected_so_far, 5_000);
}
