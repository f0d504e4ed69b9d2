//! Each rule at its limits, and the figures it tells.

use super::*;
use crate::metering::sample::Direction;
use crate::metering::tally::LockedIn;
use crate::metering::top_set::AtOrOver;
use evidence::{Evidence, Fired, Flooded, Measured};
use packets::{Flow, Packets};
use policy::{Flood, Sustained, UplinkShare};

/// Of twelve slots, the last one 11: those given have 10 Mbit/s or what stands beside them, under 1 Mbit/s.
fn window(slots: &[(i64, u64)]) -> Vec<Seen> {
    slots.iter().map(|(slot, value)| seen(*slot, bps(*value, 0), M)).collect()
}

fn slots(of: std::ops::Range<i64>, value: u64) -> Vec<Seen> {
    window(&of.map(|slot| (slot, value)).collect::<Vec<_>>())
}

#[test]
fn sustained_takes_ten_of_the_last_twelve_slots() {
    let check = |seen: &[Seen], ask: Ask, fired: Option<usize>| {
        let found = rules::sustained(Sustained::default(), ask, Slot(11), seen);
        assert_eq!(found.map(|found| found.fired.len()), fired, "{seen:?} {ask:?}");
    };
    check(&slots(0..12, 10 * M), PLAIN, Some(12));
    check(&slots(2..12, 10 * M), PLAIN, Some(10));
    check(&slots(3..12, 10 * M), PLAIN, None);
    check(&slots(0..12, 10 * M - 1), PLAIN, None);
    check(&slots(0..12, 8 * M), RELEASE, Some(12));
    check(&slots(0..12, 8 * M - 1), RELEASE, None);
    // Slots before the window, after it, and from before the evidence counts.
    check(&slots(-9..9, 10 * M), PLAIN, None);
    check(&slots(3..20, 10 * M), PLAIN, None);
    check(&slots(0..12, 10 * M), Ask { from: Slot(2), ..PLAIN }, Some(10));
    check(&slots(0..12, 10 * M), Ask { from: Slot(3), ..PLAIN }, None);
    check(&[], PLAIN, None);
    // A slot without a sample does not count, and one in between is no break.
    let holes: Vec<Seen> = slots(0..12, 10 * M).into_iter().filter(|s| s.slot.0 % 6 != 3).collect();
    check(&holes, PLAIN, Some(10));
    // Either direction; where nothing is granted nothing is a multiple of it.
    let out: Vec<Seen> = (0..12).map(|slot| seen(slot, bps(0, 10 * M), M)).collect();
    check(&out, PLAIN, Some(12));
    let ungranted: Vec<Seen> = (0..12).map(|slot| seen(slot, bps(u64::MAX, 0), 0)).collect();
    check(&ungranted, PLAIN, None);
}

#[test]
fn sustained_holds_each_slot_against_its_own_allowance() {
    let mut seen = slots(0..12, 15 * M);
    seen[0].allowance = Bps(2 * M);
    seen[5].rates = bps(1, 2);
    let found = rules::sustained(Sustained::default(), PLAIN, Slot(11), &seen).unwrap();
    assert_eq!((found.sampled, found.fired.len()), (12, 10));
    let fired =
        Fired { slot: Slot(1), value_bps: Bps(15 * M), allowance_bps: Bps(M), threshold_bps: Bps(10 * M) };
    assert_eq!(found.fired[0], fired);
}

#[test]
fn locked_in_is_what_a_month_cannot_end_below() {
    let rule = policy::LockedIn::default();
    // Of 8,640 slots 432 are forgiven.
    for (method, sample, busy, expected) in [
        (Method::Max, bps(10 * M, 0), 432, None),
        (Method::Max, bps(10 * M, 0), 433, Some(433)),
        (Method::Max, bps(10 * M - 1, 0), 500, None),
        (Method::In, bps(0, 10 * M), 433, None),
        (Method::Out, bps(0, 10 * M), 433, Some(433)),
        (Method::Sum, bps(5 * M, 5 * M), 433, Some(433)),
        (Method::Separate, bps(5 * M, 5 * M), 433, None),
        (Method::Separate, bps(5 * M, 11 * M), 433, Some(433)),
    ] {
        let tally = filled(period(8_640, method, M), std::iter::repeat_n(sample, busy));
        let period = tally.locked_in(Slot(busy.try_into().unwrap())).unwrap();
        let found = rules::locked_in(rule, 100, Bps(M), period, None, |least| tally.at_or_over(least));
        let told = found.map(|found| (found.expected, found.burst_slots, found.slots_at_or_over));
        assert_eq!(told, expected.map(|n| (8_640, 432, AtOrOver::Exactly(n))), "{method:?} {busy}");
    }
    let period = LockedIn { p95: Some(Bps(8 * M)), expected: 20, burst_slots: 1 };
    let at = |percent, allowance| {
        rules::locked_in(rule, percent, Bps(allowance), period, None, |_| AtOrOver::Exactly(2))
    };
    assert!(at(100, M).is_none() && at(100, 0).is_none() && at(80, 0).is_none());
    assert_eq!(at(80, M).unwrap().threshold_bps, Bps(8 * M));
}

fn uplink(id: &str, speed: u64, by_port: Option<Rates>) -> Uplink {
    Uplink { id: id.to_owned(), speed: Bps(speed), by_port }
}

#[test]
fn uplink_takes_a_large_share_of_one_that_is_nearly_full() {
    let check =
        |uplinks: Vec<Uplink>, by_servers, rates, ask, expected: Option<(Option<&str>, Direction)>| {
            let shared = Shared { uplinks, by_servers };
            let found = rules::uplink(UplinkShare::default(), ask, Slot(7), rates, &shared);
            let told = found.as_ref().map(|found| (found.uplink.as_deref(), found.direction));
            assert_eq!(told, expected, "{shared:?} {rates:?} {found:?}");
        };
    let one = |load| vec![uplink("u1", 1_000 * M, Some(load))];
    let u1_in = Some((Some("u1"), Direction::In));
    let any = bps(0, 0);
    // 80 % of 1 Gbit/s, of which 20 % are 160 Mbit/s.
    check(one(bps(800 * M, 0)), any, bps(160 * M, 0), PLAIN, u1_in);
    check(one(bps(800 * M - 1, 0)), any, bps(800 * M, 0), PLAIN, None);
    check(one(bps(800 * M, 0)), any, bps(160 * M - 1, 0), PLAIN, None);
    check(one(bps(800 * M, 0)), any, bps(0, 160 * M), PLAIN, None);
    check(one(bps(0, 900 * M)), any, bps(0, 180 * M), PLAIN, Some((Some("u1"), Direction::Out)));
    // 64 % and 16 % to go on holding: 640 and, of them, 102.4 Mbit/s.
    check(one(bps(640 * M, 0)), any, bps(102_400_000, 0), RELEASE, u1_in);
    check(one(bps(640 * M - 1, 0)), any, bps(640 * M, 0), RELEASE, None);
    check(one(bps(640 * M, 0)), any, bps(102_399_999, 0), RELEASE, None);
    // The slot must be later than a lift.
    check(one(bps(800 * M, 0)), any, bps(160 * M, 0), Ask { from: Slot(8), ..PLAIN }, None);
    check(one(bps(800 * M, 0)), any, bps(160 * M, 0), Ask { from: Slot(7), ..PLAIN }, u1_in);
    // Without a figure of its port the sum of the servers is held against the speed.
    let unread = vec![uplink("u1", 1_000 * M, None)];
    check(unread.clone(), bps(800 * M, 0), bps(160 * M, 0), PLAIN, Some((None, Direction::In)));
    check(unread, bps(799 * M, 0), bps(160 * M, 0), PLAIN, None);
    // Two that back each other up: one is full, and the share is of what both carry.
    let two = |a, b| vec![uplink("u1", 1_000 * M, a), uplink("u2", 1_000 * M, b)];
    let both = two(Some(bps(700 * M, 0)), Some(bps(850 * M, 0)));
    check(both.clone(), any, bps(310 * M, 0), PLAIN, Some((Some("u2"), Direction::In)));
    check(both, any, bps(309 * M, 0), PLAIN, None);
    let fuller = two(Some(bps(900 * M, 0)), Some(bps(850 * M, 0)));
    check(fuller, any, bps(400 * M, 0), PLAIN, u1_in);
    // One without a figure: the other by its own, and the group by the servers.
    let half = two(Some(bps(850 * M, 0)), None);
    check(half, bps(1_000 * M, 0), bps(200 * M, 0), PLAIN, u1_in);
    let half = two(Some(bps(700 * M, 0)), None);
    check(half, bps(1_700 * M, 0), bps(340 * M, 0), PLAIN, Some((None, Direction::In)));
    // Nothing to share.
    check(Vec::new(), bps(800 * M, 0), bps(800 * M, 0), PLAIN, None);
    check(vec![uplink("u1", 0, Some(bps(1, 0)))], any, bps(1, 0), PLAIN, None);
}

#[test]
fn an_uplinks_figures_are_those_of_a_calculator() {
    let shared = Shared {
        uplinks: vec![uplink("u1", 1_000 * M, Some(bps(850 * M, 90 * M)))],
        by_servers: bps(845 * M, 89 * M),
    };
    let rule = UplinkShare::default();
    let found = rules::uplink(rule, PLAIN, Slot(7), bps(200 * M, 5 * M), &shared).unwrap();
    let expected = evidence::Uplink {
        slot: Slot(7),
        direction: Direction::In,
        at_percent: 100,
        uplink: Some("u1".to_owned()),
        group: vec!["u1".to_owned()],
        speed_bps: Bps(1_000 * M),
        by_port_bps: Some(Bps(850 * M)),
        by_servers_bps: Bps(845 * M),
        measured: Measured::Port,
        load_bps: Bps(850 * M),
        load_percent: 85,
        load_threshold_bps: Bps(800 * M),
        total_bps: Bps(850 * M),
        rate_bps: Bps(200 * M),
        share_percent: 23,
        share_threshold_bps: Bps(170 * M),
    };
    assert_eq!(found, expected);
}

fn flow(packets_per_second: u64, size: u64) -> Flow {
    let packets = packets_per_second * 300;
    Flow { packets_per_second, packets, octets: packets * size }
}

fn inbound(slot: i64, flow: Flow) -> Packets {
    Packets { slot: Slot(slot), towards: flow, from: Flow::default() }
}

#[test]
fn flood_takes_many_small_packets_in_each_of_two_slots() {
    let check = |packets: &[Packets], ask: Ask, expected: Option<Direction>| {
        let found = rules::flood(Flood::default(), ask, Slot(7), packets);
        assert_eq!(found.map(|found| found.direction), expected, "{packets:?} {ask:?}");
    };
    let two = |flow: Flow| [inbound(6, flow), inbound(7, flow)];
    let towards = Some(Direction::In);
    check(&two(flow(100_000, 64)), PLAIN, towards);
    check(&two(flow(100_000, 127)), PLAIN, towards);
    check(&two(flow(100_000, 128)), PLAIN, None);
    check(&two(flow(99_999, 64)), PLAIN, None);
    check(&two(Flow::default()), PLAIN, None);
    check(&[inbound(7, flow(100_000, 64))], PLAIN, None);
    check(&[inbound(5, flow(100_000, 64)), inbound(7, flow(100_000, 64))], PLAIN, None);
    check(&[inbound(6, flow(100_000, 64)), inbound(7, flow(10, 64))], PLAIN, None);
    // 80,000 packets of less than 160 octets to go on holding.
    check(&two(flow(80_000, 159)), RELEASE, towards);
    check(&two(flow(80_000, 160)), RELEASE, None);
    check(&two(flow(79_999, 64)), RELEASE, None);
    check(&two(flow(100_000, 64)), Ask { from: Slot(6), ..PLAIN }, towards);
    check(&two(flow(100_000, 64)), Ask { from: Slot(7), ..PLAIN }, None);
    let out = |slot| Packets { slot: Slot(slot), towards: Flow::default(), from: flow(200_000, 64) };
    check(&[out(6), out(7)], PLAIN, Some(Direction::Out));
    // One direction in each slot, not one after the other.
    check(&[inbound(6, flow(100_000, 64)), out(7)], PLAIN, None);

    let found = rules::flood(Flood::default(), RELEASE, Slot(7), &two(flow(150_000, 90))).unwrap();
    assert_eq!((found.packets_per_second_threshold, found.mean_octets_limit), (80_000, 160));
    let flooded = |slot| Flooded { slot: Slot(slot), packets_per_second: 150_000, mean_octets: 90 };
    assert_eq!(found.slots, [flooded(6), flooded(7)]);
}

#[test]
fn evidence_comes_back_from_json_as_it_was() {
    let sustained = rules::sustained(Sustained::default(), PLAIN, Slot(11), &slots(0..12, 10 * M)).unwrap();
    let tally = filled(period(20, Method::Max, M), [bps(30 * M, 0); 3]);
    let locked_in = tally.locked_in(Slot(3)).unwrap();
    let rule = policy::LockedIn::default();
    let since = Some(Slot(1));
    let locked_in = rules::locked_in(rule, 80, Bps(M), locked_in, since, |least| tally.at_or_over(least));
    let by_servers = bps(900 * M, 0);
    let shared = Shared { uplinks: vec![uplink("u1", 1_000 * M, None)], by_servers };
    let uplink = rules::uplink(UplinkShare::default(), PLAIN, Slot(7), by_servers, &shared).unwrap();
    let packets = [inbound(6, flow(200_000, 64)), inbound(7, flow(200_000, 64))];
    let flood = rules::flood(Flood::default(), PLAIN, Slot(7), &packets).unwrap();
    for (evidence, rule) in [
        (Evidence::Sustained(sustained), Rule::Sustained),
        (Evidence::LockedIn(locked_in.unwrap()), Rule::LockedIn),
        (Evidence::Uplink(uplink), Rule::Uplink),
        (Evidence::Flood(flood), Rule::Flood),
    ] {
        let json = serde_json::to_value(&evidence).unwrap();
        assert_eq!(json["rule"], rule.name());
        assert_eq!(evidence.rule(), rule);
        assert_eq!(serde_json::from_value::<Evidence>(json).unwrap(), evidence);
    }
}
