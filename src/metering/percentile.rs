//! The 95th percentile by nearest rank (SPEC.md section 5).

/// Which of `n` ranked values is the p95.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rank {
    /// How many values are ranked.
    pub ranked: u64,
    /// The p95's place in ascending order, 1 to `ranked`: `ceil(95 * ranked / 100)`.
    pub rank: u64,
    /// How many larger ones are forgiven: `floor(ranked / 20)`.
    pub discarded: u64,
}

/// The rank among `n` values; `None` when there is none to rank.
///
/// Of 8,640 values 432 are discarded and the 8,208th ascending is the p95.
#[must_use]
pub fn rank(n: u64) -> Option<Rank> {
    let discarded = n / 20;
    (n > 0).then(|| Rank { ranked: n, rank: n - discarded, discarded })
}

/// The p95 of `values`, which it reorders; `None` when there is none.
#[must_use]
pub fn p95(values: &mut [u64]) -> Option<u64> {
    let rank = rank(u64::try_from(values.len()).ok()?)?;
    let index = usize::try_from(rank.rank - 1).ok()?;
    Some(*values.select_nth_unstable(index).1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rank_is_the_ceiling_of_95_percent() {
        for n in 1..=10_000 {
            let got = rank(n).unwrap();
            assert_eq!(got.rank, (95 * n).div_ceil(100), "{n}");
            assert_eq!(got.rank + got.discarded, n);
        }
        for (n, discarded) in [(8_640, 432), (8_064, 403), (8_352, 417), (8_928, 446)] {
            assert_eq!(rank(n).unwrap().discarded, discarded);
        }
        assert_eq!(rank(0), None);
    }

    proptest! {
        #[test]
        fn a_twentieth_and_no_more_lies_above(mut values in prop::collection::vec(0u64..50, 1..400)) {
            let p = p95(&mut values).unwrap();
            let n = values.len();
            prop_assert!(values.iter().filter(|v| **v > p).count() <= n / 20);
            prop_assert!(values.iter().filter(|v| **v >= p).count() > n / 20);
        }
    }
}
