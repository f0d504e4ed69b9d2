//! What a period ends with when the server goes on at assumed rates, with and without a limit.

use super::rules::Seen;
use crate::metering::sample::Rates;
use crate::metering::tally::{Figures, Tally};
use crate::metering::top_set::Exhausted;
use crate::metering::units::{Bps, Slot};

/// The figures at the period's end, when the slots before `closed_until` have closed and each one to come has
/// `rates`, none of them above `cap` in either direction. What happened counts as it did, and the allowance as it
/// is granted in the slots to come.
///
/// Three of 20 slots at 50 Mbps have closed and the 17 to come are at 30 Mbps: the p95 ends at 50 Mbps, for one
/// slot is forgiven. With none closed it ends at 30 Mbps, with a cap of 2 Mbps at 2 Mbps.
///
/// # Errors
/// When revisions have taken away more large samples than are kept in reserve: the tally must be restored.
pub fn outlook(
    tally: &Tally,
    closed_until: Slot,
    rates: Rates,
    cap: Option<Bps>,
) -> Result<Figures, Exhausted> {
    let span = tally.rules().span;
    let rates = cap.map_or(rates, |cap| rates.capped(cap));
    let mut to_the_end = tally.clone();
    let mut slot = closed_until.max(span.from);
    while slot < span.until {
        to_the_end.change(slot, None, Some(rates));
        slot = slot.next();
    }
    to_the_end.figures(span.until)
}

/// The mean of each direction over the samples of a window, rounded down: what a server that goes on as it is has
/// in the slots to come. `None` without a sample.
#[must_use]
pub fn mean(window: &[Seen]) -> Option<Rates> {
    let of = |bps: fn(Rates) -> Bps| {
        let sum: u128 = window.iter().map(|seen| u128::from(bps(seen.rates).0)).sum();
        let mean = sum.checked_div(u128::try_from(window.len()).ok()?)?;
        u64::try_from(mean).ok().map(Bps)
    };
    Some(Rates { in_bps: of(|rates| rates.in_bps)?, out_bps: of(|rates| rates.out_bps)? })
}
