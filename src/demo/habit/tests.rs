//! Habits: monotone, continuous, and as they are described.

use super::*;

const HABITS: [Habit; 6] = [
    Habit::Quiet { mean_bps: 20_000 },
    Habit::Diurnal { peak_bps: 2_000_000, weekend_percent: 60 },
    Habit::Bursty { base_bps: 100_000, burst_bps: 9_000_000, bursts: 4 },
    Habit::NightBackup { base_bps: 200_000, backup_bps: 8_000_000, slots: 24 },
    Habit::Extreme { mean_bps: 90_000_000 },
    Habit::Down,
];

fn at_day(day: i64, ms: i64) -> Timestamp {
    EPOCH.plus_ms(day * DAY_MS + ms)
}

fn slot_bps(curve: &Curve, day: i64, slot: i64) -> u64 {
    let octets = curve.octets(at_day(day, (slot + 1) * SLOT_MS)) - curve.octets(at_day(day, slot * SLOT_MS));
    octets * 8 / 300
}

/// Four weeks of slot rates, by rising rate.
fn four_weeks(curve: &Curve) -> Vec<u64> {
    let mut rates: Vec<u64> = (1_050..1_078)
        .flat_map(|day| (0..288).map(move |slot| (day, slot)))
        .map(|(d, s)| slot_bps(curve, d, s))
        .collect();
    rates.sort_unstable();
    rates
}

#[test]
fn counters_never_fall_and_move_in_every_slot() {
    for habit in HABITS {
        let curve = Curve::new(habit, 7, 1, 100);
        let mut before = curve.octets(at_day(1_000, -1));
        for step in 0..3 * 288 * 3 {
            let octets = curve.octets(at_day(1_000, step * SLOT_MS / 3));
            match habit {
                Habit::Down => assert_eq!(octets, 0),
                _ => assert!(octets > before || step == 0 && octets == before, "{habit:?} at step {step}"),
            }
            before = octets;
        }
    }
}

#[test]
fn days_and_milliseconds_join_without_a_seam() {
    for habit in HABITS {
        let curve = Curve::new(habit, 11, 2, 100);
        for day in 0..15 {
            let (today, tomorrow) =
                (curve.part(at_day(day, 0), DAY_SLOTS), curve.part(at_day(day + 1, 0), DAY_SLOTS));
            assert_eq!(
                today.octets(at_day(day + 1, 0)),
                tomorrow.octets(at_day(day + 1, 0)),
                "{habit:?} day {day}"
            );
            let step = curve.octets(at_day(day + 1, 0)) - curve.octets(at_day(day + 1, -1));
            assert!(step <= 100_000, "{habit:?}: {step} octets in a millisecond");
        }
        assert_eq!(curve.octets(EPOCH), 0);
        assert_eq!(curve.octets(EPOCH.plus_ms(-1)), 0);
        assert_eq!(curve.octets(Timestamp(i64::MIN)), 0);
    }
}

#[test]
fn the_seed_decides() {
    let octets =
        |seed, direction| Curve::new(HABITS[1], seed, direction, 100).octets(at_day(900, 12_345_678));
    assert_eq!(octets(1, 1), octets(1, 1));
    assert_ne!(octets(1, 1), octets(2, 1));
    assert_ne!(octets(1, 1), octets(1, 2));
}

#[test]
fn shapes_are_what_their_names_say() {
    let mean =
        |curve: &Curve, hour: i64| (0..12).map(|k| slot_bps(curve, 1_001, hour * 12 + k)).sum::<u64>() / 12;
    let diurnal = Curve::new(HABITS[1], 3, 1, 100);
    assert!(mean(&diurnal, 21) > 2 * mean(&diurnal, 4));
    let working: u64 = diurnal.octets(at_day(1_002, 0)) - diurnal.octets(at_day(1_001, 0)); // 1,001 = 143 weeks, a Monday
    let sunday: u64 = diurnal.octets(at_day(1_008, 0)) - diurnal.octets(at_day(1_007, 0));
    assert!(sunday * 100 < working * 75, "{sunday} {working}");
    let backup = Curve::new(HABITS[3], 3, 1, 100);
    assert!(mean(&backup, 3) > 7_000_000 && mean(&backup, 5) < 400_000);
}

#[test]
fn what_is_billed_of_each_habit() {
    let p95 = |habit| {
        let rates = four_weeks(&Curve::new(habit, 5, 1, 100));
        rates[(95 * rates.len()).div_ceil(100) - 1]
    };
    for (habit, least, most) in [
        (HABITS[0], 10_000, 30_000),
        (HABITS[1], 1_700_000, 2_300_000),
        (HABITS[2], 60_000, 140_000), // 12 of 288 slots a day are discarded
        (Habit::Bursty { base_bps: 100_000, burst_bps: 9_000_000, bursts: 10 }, 7_000_000, 12_000_000),
        (HABITS[3], 7_000_000, 9_500_000),
        (HABITS[4], 80_000_000, 105_000_000),
        (HABITS[5], 0, 0),
    ] {
        let p95 = p95(habit);
        assert!((least..=most).contains(&p95), "{habit:?}: {p95}");
    }
}

#[test]
fn parts_of_a_day_say_what_the_day_says() {
    for habit in HABITS {
        let curve = Curve::new(habit, 7, 1, 100);
        let day = curve.part(at_day(1_000, 0), DAY_SLOTS);
        for slots in [0, 1, 7, 24, 287, 288, 1_000] {
            for ms in (0..DAY_MS).step_by(3_333_333).chain([DAY_MS - 1]) {
                let at = at_day(1_000, ms);
                let part = curve.part(at, slots);
                assert!(
                    part.holds(at) && !part.holds(at.plus_ms(DAY_MS)) && !part.holds(at.plus_ms(-DAY_MS))
                );
                assert_eq!(part.octets(at), day.octets(at), "{habit:?} {slots} {ms}");
            }
        }
    }
}
