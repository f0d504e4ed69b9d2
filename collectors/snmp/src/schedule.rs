//! When a device is visited. Pure: instants are Unix milliseconds.

use std::time::Duration;

/// Where in its interval a device's passes begin, so that those of many devices are spread evenly and each
/// keeps its place over restarts.
pub(crate) fn phase_ms(device: &str, interval_ms: i64) -> i64 {
    let interval = u64::try_from(interval_ms).unwrap_or(1).max(1);
    i64::try_from(hash(device) % interval).unwrap_or(0)
}

/// The pause before the next visit to a device that was silent in `silent` passes in a row: the interval, then
/// twice that and so on, at most `max` or the interval if that is longer.
pub(crate) fn pause(interval: Duration, silent: u32, max: Duration) -> Duration {
    let doublings = silent.saturating_sub(1).min(16);
    interval.saturating_mul(1 << doublings).min(max.max(interval))
}

/// The next visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Next {
    /// How long from now.
    pub(crate) wait_ms: i64,
    /// How many visits are left out because of lateness.
    pub(crate) skipped: u64,
}

/// The visit after one that began at `last_ms`: at the device's phase, at about `pause_ms` from there, not
/// before `now_ms`.
pub(crate) fn next(last_ms: i64, now_ms: i64, interval_ms: i64, phase_ms: i64, pause_ms: i64) -> Next {
    let interval_ms = interval_ms.max(1);
    let half = interval_ms / 2;
    // Where the clock was set back, the last visit is not in the future.
    let last_ms = last_ms.min(now_ms);
    let not_before = now_ms.max(last_ms.saturating_add(pause_ms - half));
    let late = (phase_ms - not_before).rem_euclid(interval_ms);
    let due = not_before.saturating_add(late);
    let intervals = |ms: i64| (ms + half) / interval_ms;
    let skipped = intervals(due - last_ms) - intervals(pause_ms);
    Next { wait_ms: due - now_ms, skipped: u64::try_from(skipped).unwrap_or(0) }
}

/// FNV-1a with a final mix. Fixed, unlike the standard library's, so that a device keeps its phase.
pub(crate) fn hash(name: &str) -> u64 {
    let mut hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_spread_over_the_interval() {
        let mut tenths = [0; 10];
        for device in 0..10_000 {
            let phase = phase_ms(&format!("sw{device}"), 60_000);
            tenths[usize::try_from(phase / 6_000).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| (900..1_100).contains(count)), "{tenths:?}");
        assert_eq!(phase_ms("sw1", 60_000), phase_ms("sw1", 60_000));
    }

    #[test]
    fn silent_devices_are_visited_ever_more_rarely_up_to_a_limit() {
        let minutes =
            |silent| pause(Duration::from_secs(60), silent, Duration::from_secs(300)).as_secs() / 60;
        assert_eq!([0, 1, 2, 3, 4, u32::MAX].map(minutes), [1, 1, 2, 4, 5, 5]);
        let long = pause(Duration::from_secs(300), 9, Duration::from_secs(60));
        assert_eq!(long, Duration::from_secs(300));
    }

    #[test]
    fn visits_keep_their_phase() {
        for (last, now, pause, expected) in [
            // On time, and late by less than an interval.
            (60_007, 60_100, 60_000, (120_007, 0)),
            (60_007, 119_000, 60_000, (120_007, 0)),
            // The first visit, out of phase, is not followed at once by another.
            (59_000, 59_100, 60_000, (120_007, 0)),
            (10_000, 10_100, 60_000, (60_007, 0)),
            // Two visits are left out.
            (60_007, 200_000, 60_000, (240_007, 2)),
            // A silent device: left out on purpose.
            (60_007, 66_000, 240_000, (300_007, 0)),
            // The clock was set back by an hour.
            (3_660_007, 60_107, 60_000, (120_007, 0)),
        ] {
            let next = next(last, now, 60_000, 7, pause);
            assert_eq!((now + next.wait_ms, next.skipped), expected, "last {last}, now {now}");
        }
    }
}
