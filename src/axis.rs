//! Figures at the edges of a chart: few, round, and where the eye looks for them.

use jiff::tz::TimeZone;
use meter95_reading::Timestamp;

use crate::closing::explain::layout::divided;
use crate::metering::units::Slot;

/// Steps of a values' axis at most.
const STEPS_MAX: u64 = 5;

/// Figures below a chart at most.
const TIMES_MAX: i64 = 14;

/// An hour in ms.
const HOUR_MS: i64 = 3_600_000;

/// A values' axis from 0 to a whole number of round steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    /// The value at the upper end.
    pub(crate) top: u64,
    step: u64,
}

impl Scale {
    /// The axis for values up to `largest`: in steps of 1, 2 or 5 times a power of ten.
    pub(crate) fn up_to(largest: u64) -> Self {
        let mut power = 1_u64;
        loop {
            for factor in [1, 2, 5] {
                let step = power.saturating_mul(factor);
                if largest <= step.saturating_mul(STEPS_MAX) {
                    let steps = largest.div_ceil(step).max(1);
                    return Self { top: step.saturating_mul(steps), step };
                }
            }
            power = power.saturating_mul(10);
        }
    }

    /// The same steps, as many as `largest` needs and at least one.
    pub(crate) fn reaching(self, largest: u64) -> Self {
        Self { top: self.step.saturating_mul(largest.div_ceil(self.step).max(1)), ..self }
    }

    /// The values that are named, from 0 up.
    pub(crate) fn ticks(self) -> impl Iterator<Item = u64> {
        (0..=self.top / self.step).map(move |i| i * self.step)
    }
}

/// A value in few characters: `2.5 M`.
pub(crate) fn short(value: u64) -> String {
    let units = [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    match units.into_iter().find(|(unit, _)| value >= *unit) {
        Some((unit, letter)) => format!("{} {letter}", divided(value, unit, 2).0),
        None => value.to_string(),
    }
}

/// The instants that are named below a chart, with their names: hours of a day, or days.
pub(crate) fn ticks_of_time(
    zone: &TimeZone,
    (from, until): (Timestamp, Timestamp),
) -> Vec<(Timestamp, String)> {
    let hours = until.ms_since(from) / HOUR_MS;
    let apart = [1, 2, 3, 6, 12].into_iter().find(|apart| hours / apart <= TIMES_MAX);
    let every_days = (hours / 24).div_euclid(TIMES_MAX) + 1;
    let (mut ticks, mut days) = (Vec::new(), 0);
    let slots = (Slot::starting_from(from).0..Slot::starting_from(until).0).map(Slot);
    for slot in slots {
        let at = jiff::Timestamp::from_millisecond(slot.start().0).unwrap_or_default();
        let at = zone.to_datetime(at);
        if at.minute() != 0 {
            continue;
        }
        match (apart, i64::from(at.hour())) {
            (_, 0) => {
                if apart.is_some() || days % every_days == 0 {
                    ticks.push((slot.start(), at.strftime("%m-%d").to_string()));
                }
                days += 1;
            }
            (Some(apart), hour) if hour % apart == 0 => {
                ticks.push((slot.start(), at.strftime("%H:%M").to_string()));
            }
            _ => {}
        }
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_named_in_round_steps() {
        for (largest, top, steps) in [
            (0, 1, 2),
            (1, 1, 2),
            (5, 5, 6),
            (6, 6, 4),
            (11, 15, 4),
            (40_100_000, 50_000_000, 6),
            (999_999, 1_000_000, 6),
        ] {
            let scale = Scale::up_to(largest);
            assert_eq!((scale.top, scale.ticks().count()), (top, steps), "{largest}");
        }
        let scale = Scale::up_to(11);
        assert_eq!([0, 5, 6, 11].map(|largest| scale.reaching(largest).top), [5, 5, 10, 15]);
        assert!(Scale::up_to(u64::MAX).ticks().count() <= 7, "it ends");
        assert_eq!(short(2_500_000), "2.5 M");
        assert_eq!(short(999), "999");
    }

    #[test]
    fn times_are_hours_or_days_of_the_zone() {
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        // 2026-10-01T00:00:00+09:00.
        let midnight = Timestamp(1_790_780_400_000);
        for (from_h, until_h, expected) in [
            (0, 3, "10-01 01:00 02:00"),
            (-1, 5, "23:00 10-01 01:00 02:00 03:00 04:00"),
            (0, 72, "10-01 06:00 12:00 18:00 10-02 06:00 12:00 18:00 10-03 06:00 12:00 18:00"),
            (6, 24 * 4, "12:00 10-02 12:00 10-03 12:00 10-04 12:00"),
            (0, 24 * 30, "10-01 10-04 10-07 10-10 10-13 10-16 10-19 10-22 10-25 10-28"),
        ] {
            let span = (midnight.plus_ms(from_h * HOUR_MS), midnight.plus_ms(until_h * HOUR_MS));
            let names: Vec<String> = ticks_of_time(&zone, span).into_iter().map(|(_, name)| name).collect();
            assert_eq!(names.join(" "), expected);
        }
    }
}
