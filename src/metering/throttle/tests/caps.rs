//! The suggested cap and the month's outlook, by hand and by law.

use proptest::prelude::*;

use super::*;
use cap::{By, Cap, suggest};
use evidence::Evidence;
use outlook::{mean, outlook};
use packets::{Flow, Packets};
use policy::Policy;

/// A 30-day month in which `busy` slots were at 20 Mbit/s and then all until `closed` were silent.
fn month(allowance: u64, busy: usize, closed: i64) -> Cap {
    let tally = filled(period(8_640, Method::Max, allowance), std::iter::repeat_n(bps(20 * M, 0), busy));
    suggest(&Policy::default(), Bps(allowance), &tally.figures(Slot(closed)).unwrap(), &[])
}

#[test]
fn the_cap_is_what_the_month_allows() {
    let check = |cap: Cap, computed: u64, suggested: u64| {
        assert_eq!((cap.computed_bps, cap.cap_bps), (Bps(computed), Bps(suggested)), "{cap:?}");
        cap.by
    };
    let by = check(month(M, 0, 0), M, M);
    let allowance_bps = Bps(M);
    assert_eq!(by, By::Allowance { slots_to_come: 8_640, burst_left_slots: 432, allowance_bps });
    let by = check(month(M, 432, 500), M, M);
    assert_eq!(by, By::Allowance { slots_to_come: 8_140, burst_left_slots: 0, allowance_bps });
    let by = check(month(M, 433, 500), M, M);
    let (locked_in_p95_bps, locked_in_overage_bps) = (Bps(20 * M), Bps(19 * M));
    let expected =
        By::LockedIn { slots_to_come: 8_140, allowance_bps, locked_in_p95_bps, locked_in_overage_bps };
    assert_eq!(by, expected);
    // The last day: any rate ends the month at the allowance, so that the server is no longer extreme is enough.
    let by = check(month(M, 144, 8_640 - 288), 7_999_000, 7_999_000);
    let expected = By::Extreme {
        slots_to_come: 288,
        burst_left_slots: 288,
        factor: 10,
        release_percent: 80,
        allowance_bps,
        threshold_bps: Bps(8 * M),
    };
    assert_eq!(by, expected);
    assert!(matches!(check(month(M, 145, 8_640 - 288), M, M), By::Allowance { .. }));
    // Nothing is granted: what the default plan grants.
    check(month(0, 500, 600), 0, M);
    check(month(0, 0, 8_600), 0, M);
    let json = serde_json::to_string(&month(M, 433, 500)).unwrap();
    assert_eq!(serde_json::from_str::<Cap>(&json).unwrap(), month(M, 433, 500), "{json}");
}

#[test]
fn by_an_uplink_alone_the_cap_is_what_relieves_it() {
    let policy = Policy::default();
    let tally = filled(period(8_640, Method::Max, M), []);
    let figures = tally.figures(Slot(0)).unwrap();
    let one = |load| vec![Uplink { id: "u1".to_owned(), speed: Bps(1_000 * M), by_port: Some(bps(load, 0)) }];
    let mut two = one(900 * M);
    two.push(Uplink { id: "u2".to_owned(), speed: Bps(1_000 * M), by_port: Some(bps(300 * M, 0)) });
    for (uplinks, rate, computed) in [
        // 900 - 640 are 260 to give up of 400.
        (one(900 * M), 400 * M, 139_999_000),
        (one(900 * M), 400 * M + 1, 140 * M),
        (one(900 * M), 260 * M, 0),
        (one(900 * M), 200 * M, 0),
        // A quarter of the traffic goes over the other one: of 400 Mbit/s less only 300 are felt, so 260 x 1,200 /
        // 900.
        (two, 400 * M, 53_333_000),
    ] {
        let shared = Shared { uplinks, by_servers: Rates::default() };
        let rule = policy.uplink.unwrap();
        let found = rules::uplink(rule, PLAIN, Slot(0), bps(rate, 0), &shared).unwrap();
        let cap = suggest(&policy, Bps(M), &figures, &[Evidence::Uplink(found.clone())]);
        assert_eq!(cap.computed_bps, Bps(computed), "{cap:?}");
        assert_eq!(cap.cap_bps, Bps(computed.max(M)), "{cap:?}");
        let By::Uplink { threshold_bps, .. } = cap.by else { panic!("{cap:?}") };
        assert_eq!(threshold_bps, Bps(640 * M));
        // With another rule beside it the month decides.
        let twice = [Evidence::Uplink(found.clone()), Evidence::Uplink(found)];
        assert!(matches!(suggest(&policy, Bps(M), &figures, &twice).by, By::Allowance { .. }));
    }
}

#[test]
fn by_a_flood_alone_the_cap_is_what_ends_it() {
    let policy = Policy::default();
    let figures = filled(period(8_640, Method::Max, M), []).figures(Slot(0)).unwrap();
    let flow = Flow { packets_per_second: 200_000, packets: 60_000_000, octets: 60_000_000 * 70 };
    let packets = [0, 1].map(|slot| Packets { slot: Slot(slot), towards: flow, from: Flow::default() });
    let found = rules::flood(policy.flood.unwrap(), PLAIN, Slot(1), &packets).unwrap();
    let cap = suggest(&policy, Bps(M), &figures, &[Evidence::Flood(found)]);
    // 80,000 packets of 70 octets of 8 bit are 44,800,000 bit/s.
    assert_eq!(cap.by, By::Flood { packets_per_second: 80_000, mean_octets: 70 });
    assert_eq!(cap.cap_bps, Bps(44_799_000));
}

#[test]
fn an_outlook_ends_where_the_slots_to_come_take_it() {
    let tally = |busy| filled(period(20, Method::Max, M), std::iter::repeat_n(bps(50 * M, 0), busy));
    let ends = |busy: usize, cap: Option<u64>| {
        let closed = Slot(i64::try_from(busy).unwrap());
        let figures = outlook(&tally(busy), closed, bps(3 * M, 30 * M), cap.map(Bps)).unwrap();
        assert_eq!(figures.expected_so_far, 20);
        (figures.p95.unwrap().0 / M, figures.overage.unwrap().0 / M)
    };
    assert_eq!(ends(0, None), (30, 29));
    assert_eq!(ends(0, Some(2 * M)), (2, 1));
    assert_eq!(ends(1, Some(M)), (1, 0));
    assert_eq!(ends(3, None), (50, 49));
    assert_eq!(ends(3, Some(M)), (50, 49));
}

#[test]
fn the_mean_of_a_window_rounds_down() {
    assert_eq!(mean(&[]), None);
    let window = [seen(0, bps(1, 5), M), seen(2, bps(2, 6), M)];
    assert_eq!(mean(&window), Some(bps(1, 5)));
    assert_eq!(mean(&[seen(0, bps(u64::MAX, 0), M); 3]), Some(bps(u64::MAX, 0)));
}

proptest! {
    #[test]
    fn a_cap_is_never_below_the_allowance_and_never_raises_the_outlook(
        samples in prop::collection::vec((0u64..40, 0u64..40), 1..300),
        closed_share in 0usize..=100,
        allowance in 0u64..5,
        rates in (0u64..60, 0u64..60),
    ) {
        let slots = i64::try_from(samples.len()).unwrap();
        let closed = samples.len() * closed_share / 100;
        let until = Slot(i64::try_from(closed).unwrap());
        let rates = bps(rates.0 * M, rates.1 * M);
        for method in [Method::Max, Method::In, Method::Out, Method::Sum, Method::Separate] {
            let so_far = samples[..closed].iter().map(|(i, o)| bps(i * M, o * M));
            let tally = filled(period(slots, method, allowance * M), so_far);
            let now = tally.figures(until).unwrap();
            let cap = suggest(&Policy::default(), Bps(allowance * M), &now, &[]);
            prop_assert!(cap.cap_bps >= Bps(allowance * M) && cap.cap_bps > Bps(0));
            prop_assert_eq!(cap.cap_bps, cap.computed_bps.max(cap.floor_bps));
            let without = outlook(&tally, until, rates, None).unwrap();
            let with = outlook(&tally, until, rates, Some(cap.cap_bps)).unwrap();
            prop_assert!(with.p95 <= without.p95 && with.overage <= without.overage);
            prop_assert!(now.locked_in_overage <= with.overage, "what is locked in stays");
            // What the cap is for: the month ends with no more overage than is locked in already.
            if method != Method::Sum && allowance > 0 {
                prop_assert_eq!(with.overage.unwrap_or_default(), now.locked_in_overage.unwrap_or_default());
            }
        }
    }
}
