//! When a server began to behave unlike itself, by hand.

use super::*;

/// The first slot of the window: well after four weeks and an hour.
const START: i64 = 10_000;

/// Five weeks in which a server has between 2 and 9 Mbit/s in and a constant 1 Mbit/s out; `rates` changes the
/// window's slots.
fn samples(len: i64, rates: impl Fn(i64) -> Option<(u64, u64)>) -> Vec<(Slot, Rates)> {
    let usual = |slot: i64| 2_000_000 + slot.rem_euclid(8).unsigned_abs() * 1_000_000;
    let row = |slot: i64| {
        let (in_bps, out_bps) = if slot < START { (usual(slot), 1_000_000) } else { rates(slot - START)? };
        Some((Slot(slot), Rates { in_bps: Bps(in_bps), out_bps: Bps(out_bps) }))
    };
    (START - WEEKS * WEEK_SLOTS - AROUND_SLOTS..START + len).filter_map(row).collect()
}

fn changes(len: i64, rates: impl Fn(i64) -> Option<(u64, u64)>) -> [Option<(i64, Kind)>; 2] {
    let window = SlotSpan { from: Slot(START), until: Slot(START + len) };
    compare(&samples(len, rates), window)
        .map(|compared| compared.change.map(|change| (change.from.0 - START, change.kind)))
}

#[test]
fn a_change_is_told_from_its_first_slot_on() {
    const M: u64 = 1_000_000;
    let louder = |at| Some((at, Kind::Louder));
    // Twice the largest is 18 Mbit/s, which is not above it.
    assert_eq!(changes(100, |_| Some((18 * M, M))), [None, None]);
    assert_eq!(changes(100, |at| Some((if at < 40 { 18 * M } else { 19 * M }, M))), [louder(40), None]);
    assert_eq!(changes(100, |at| Some((5 * M, if at < 40 { M } else { 3 * M }))), [None, louder(40)]);
    // Every other slot: six of twelve.
    assert_eq!(changes(100, |at| Some((if at % 2 == 1 { 19 * M } else { M }, M))), [louder(1), None]);
    assert_eq!(changes(100, |at| Some((if at % 3 == 1 { 19 * M } else { M }, M))), [None, None]);
    // Five slots are no lasting change, and the first of six is told, not the chance one long before.
    assert_eq!(
        changes(100, |at| Some((if (20..25).contains(&at) { 99 * M } else { 5 * M }, M))),
        [None, None]
    );
    let chance = |at: i64| at == 3 || (50..56).contains(&at);
    assert_eq!(changes(100, |at| Some((if chance(at) { 99 * M } else { 5 * M }, M))), [louder(50), None]);
}

#[test]
fn silence_is_told_where_there_never_was_any_and_no_measuring_is_not_silence() {
    let silent = [Some((30, Kind::Silent)), Some((30, Kind::Silent))];
    assert_eq!(changes(60, |at| Some(if at < 30 { (5_000_000, 1_000_000) } else { (99_999, 10) })), silent);
    assert_eq!(
        changes(60, |at| Some(if at < 30 { (5_000_000, 1_000_000) } else { (100_000, 100_000) })),
        [None; 2]
    );
    assert_eq!(changes(60, |at| (at < 30).then_some((5_000_000, 1_000_000))), [None; 2]);
}

#[test]
fn the_figures_are_those_of_the_same_time_of_the_week() {
    let window = SlotSpan { from: Slot(START), until: Slot(START + 12) };
    let [towards, from] = compare(&samples(12, |_| Some((19_000_000, 1_000_000))), window);
    // Each week has 25 slots from an hour before to an hour after, a week being a whole number of the habit's
    // eights: 10,000 - 12 is 4 after one, so 6, 7, 8, 9, 2, 3, 4, 5 Mbit/s three times and then 6 again. Of 100 in
    // order 12 are each of 2 to 5, so the 50th is one of the 16 sixes.
    let usual = Usual {
        samples: 100,
        smallest_bps: Bps(2_000_000),
        median_bps: Bps(6_000_000),
        largest_bps: Bps(9_000_000),
    };
    let change =
        Change { from: Slot(START), kind: Kind::Louder, value_bps: Bps(19_000_000), usual, unlike_slots: 12 };
    assert_eq!(towards, Compared { direction: Direction::In, slots: 12, change: Some(change) });
    assert_eq!(from, Compared { direction: Direction::Out, slots: 12, change: None });
    let json = serde_json::to_string(&towards).unwrap();
    assert_eq!(serde_json::from_str::<Compared>(&json).unwrap(), towards, "{json}");
}

#[test]
fn without_enough_of_the_weeks_before_nothing_is_compared() {
    let window = SlotSpan { from: Slot(START), until: Slot(START + 20) };
    let all = samples(20, |_| Some((99_000_000, 99_000_000)));
    for (known, slots) in [(0, 0), (24, 0), (25, 1), (26, 2)] {
        // The newest of the comparable samples: those around the same time in the week before.
        let from = START - WEEK_SLOTS - AROUND_SLOTS;
        let kept = all.iter().filter(|(slot, _)| slot.0 >= START || (from..from + known).contains(&slot.0));
        let [towards, _] = compare(&kept.copied().collect::<Vec<_>>(), window);
        assert_eq!(towards.slots, slots, "{known}");
    }
}

#[test]
fn what_is_next_to_nothing_is_never_loud() {
    let quiet = |at: i64| if at < START { 1_000 } else { 99_000 };
    let all: Vec<(Slot, Rates)> = (0..START + 20)
        .map(|at| (Slot(at), Rates { in_bps: Bps(quiet(at)), out_bps: Bps(quiet(at)) }))
        .collect();
    let window = SlotSpan { from: Slot(START), until: Slot(START + 20) };
    assert!(compare(&all, window).iter().all(|compared| compared.change.is_none() && compared.slots == 20));
}
