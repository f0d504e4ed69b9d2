//! When the next try comes after one that failed.

use std::time::Duration;

/// About how long after the first failure; twice as long after each that follows.
pub const FIRST: Duration = Duration::from_secs(1);

/// The pause after so many failures in a row: 1 s, 2 s, 4 s and so on up to `longest`, less up to half of that by
/// `chance`, 0 to 255, so that those who failed together do not come back together.
#[must_use]
pub fn pause(failures: u32, longest: Duration, chance: u8) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let whole = (FIRST * (1 << doublings)).min(longest);
    whole - whole / 2 * u32::from(chance) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let longest = Duration::from_secs(600);
        for (failures, longest_ms) in [
            (0, 1_000),
            (1, 1_000),
            (2, 2_000),
            (5, 16_000),
            (10, 512_000),
            (11, 600_000),
            (u32::MAX, 600_000),
        ] {
            assert_eq!(pause(failures, longest, 0), Duration::from_millis(longest_ms), "{failures}");
            assert_eq!(pause(failures, longest, 255), Duration::from_millis(longest_ms / 2), "{failures}");
            let some = pause(failures, longest, 100).as_millis();
            assert!(some > u128::from(longest_ms / 2) && some < u128::from(longest_ms), "{some}");
        }
    }
}
