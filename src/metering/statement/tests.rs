//! A statement against the tally, and what it says of where its figures come from.

use proptest::prelude::*;

use super::super::allowance::{Allowance, Grant};
use super::super::tally::Tally;
use super::*;

const METHODS: [Method; 5] = [Method::Max, Method::In, Method::Out, Method::Sum, Method::Separate];

fn account(method: Method, missing: Missing, slots: i64, addon_from: Option<i64>) -> Account {
    let mut grants = vec![Grant { bps: Bps(20), from: None, until: None }];
    if let Some(slot) = addon_from {
        grants.push(Grant { bps: Bps(15), from: Some(Slot(slot).start()), until: None });
    }
    let span = SlotSpan { from: Slot(0), until: Slot(slots) };
    let rules = Rules { span, method, missing, allowance: Allowance::new(grants) };
    Account { rules, tariff: None }
}

fn sample(in_bps: u64, out_bps: u64) -> Sample {
    Sample { rates: Rates { in_bps: Bps(in_bps), out_bps: Bps(out_bps) }, partial: false }
}

/// Samples by slot, some slots without one.
fn samples() -> impl Strategy<Value = Vec<(Slot, Sample)>> {
    let one = prop::option::weighted(0.9, (0u64..60, 0u64..60).prop_map(|(i, o)| sample(i, o)));
    prop::collection::vec(one, 1..150).prop_map(|all| {
        let with_slot = (0..).map(Slot).zip(all);
        with_slot.filter_map(|(slot, sample)| Some((slot, sample?))).collect()
    })
}

proptest! {
    /// The two ways to a period's figures agree: all samples at once, and one after the other as they come.
    #[test]
    fn it_equals_the_tally(samples in samples(), more in 0i64..30, addon in prop::option::of(0i64..150)) {
        let slots = samples.last().map_or(0, |(slot, _)| slot.0 + 1) + more;
        for method in METHODS {
            for missing in [Missing::Zero, Missing::Exclude] {
                let account = account(method, missing, slots, addon);
                let mut tally = Tally::new(account.rules.clone());
                for (slot, sample) in &samples {
                    tally.change(*slot, None, Some(sample.rates));
                }
                let figures = tally.figures(Slot(slots)).unwrap();
                let closed = account.close(&samples);
                prop_assert_eq!(
                    (closed.samples, closed.expected, closed.rank),
                    (figures.samples, figures.expected, figures.rank)
                );
                prop_assert_eq!(
                    (closed.p95, closed.p95_in, closed.p95_out, closed.overage),
                    (figures.p95, figures.p95_in, figures.p95_out, figures.overage),
                    "{:?} {:?}", method, missing
                );
                prop_assert_eq!(closed.burst_slots, figures.burst_slots);
                prop_assert_eq!(closed.burst_slots.saturating_sub(closed.over_slots), figures.burst_left_slots);
            }
        }
    }

    /// The billable slot stands right behind the discarded ones, and its excess is the overage.
    #[test]
    fn the_ranking_shows_what_decides(samples in samples(), addon in prop::option::of(0i64..150)) {
        let slots = samples.last().map_or(1, |(slot, _)| slot.0 + 1);
        for method in METHODS {
            let account = account(method, Missing::Zero, slots, addon);
            let closed = account.close(&samples);
            let ranking = account.ranking(&samples);
            prop_assert_eq!(ranking.len(), samples.len());
            let Some(rank) = closed.rank else { continue };
            let decisive = ranking.get(usize::try_from(rank.discarded).unwrap());
            prop_assert_eq!(decisive.map(|ranked| ranked.slot), closed.billable_slot);
            prop_assert_eq!(decisive.map_or(Bps(0), |ranked| ranked.excess), closed.overage.unwrap());
            prop_assert!(ranking.windows(2).all(|pair| pair[0].excess >= pair[1].excess));
            if addon.is_none() {
                prop_assert_eq!(decisive.map_or(Bps(0), |ranked| ranked.value), closed.p95.unwrap());
            }
        }
    }
}

#[test]
fn the_billable_slot_is_the_earlier_of_equal_ones() {
    let account = account(Method::Max, Missing::Zero, 40, None);
    let all: Vec<(Slot, Sample)> = (0..40).map(|i| (Slot(i), sample(30, 0))).collect();
    let closed = account.close(&all);
    assert_eq!(closed.rank.unwrap().discarded, 2);
    assert_eq!((closed.billable_slot, closed.overage), (Some(Slot(2)), Some(Bps(10))));
}

#[test]
fn a_slot_without_a_sample_may_decide() {
    let account = account(Method::Max, Missing::Zero, 40, None);
    let closed = account.close(&[(Slot(3), sample(50, 1)), (Slot(9), sample(1, 50))]);
    assert_eq!((closed.p95, closed.billable_slot), (Some(Bps(0)), None));
    let nothing = account.close(&[]);
    assert_eq!((nothing.p95, nothing.overage, nothing.burst_slots), (None, None, 2));
}

#[test]
fn separate_is_decided_by_the_direction_with_the_larger_result() {
    let account = account(Method::Separate, Missing::Zero, 20, None);
    let mut all: Vec<(Slot, Sample)> = (0..20).map(|i| (Slot(i), sample(25, 5))).collect();
    all[7].1 = sample(25, 90);
    all[8].1 = sample(25, 80);
    let closed = account.close(&all);
    assert_eq!((closed.p95_in, closed.p95_out), (Some(Bps(25)), Some(Bps(80))));
    assert_eq!((closed.overage, closed.billable_slot), (Some(Bps(60)), Some(Slot(8))));
}
