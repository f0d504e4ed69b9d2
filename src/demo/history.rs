//! The past of the simulated site, as the readings that collectors would have shipped.

use std::sync::Arc;

use meter95_reading::{Reading, Timestamp};

use super::habit::mix;
use super::site::{Site, Unread};
use super::view::View;

/// Switches are read one after the other; each at most this much after the step began.
const PHASE_MS_MAX: u64 = 4_000;
/// And up to this much later still, differently each time.
const JITTER_MS_MAX: u64 = 700;
/// The shortest step, longer than all lateness together, so that steps do not overlap.
const STEP_MS_MIN: i64 = 10_000;

/// A history of this length at most is read by parts of curves instead of days, and how long those are: a tenth of
/// the memory, for sites of 100,000 servers.
const SHORT_MS_MAX: i64 = 4 * 3_600_000;
const SHORT_PART_SLOTS: usize = 24;

/// Readings of all ports, a batch a step, in time order.
#[derive(Debug)]
pub struct History {
    view: View,
    from: Timestamp,
    until: Timestamp,
    step_ms: i64,
    /// The next step; `None` after the last.
    next: Option<i64>,
}

impl Site {
    /// The readings from `from` to `until`, both included, every `step_ms` (at least 10,000).
    ///
    /// The first batch is at `from` and the last at `until`, exactly; between them each switch is read a little
    /// after the step, as a collector would, but what is [`Site::unread`]. Within a batch readings are in time order, and no reading of a
    /// batch is before one of the batch before it. Empty when `until` is before `from`.
    #[must_use]
    pub fn history(self: &Arc<Self>, from: Timestamp, until: Timestamp, step_ms: i64) -> History {
        let view = View::new(Arc::clone(self));
        let view = if until.ms_since(from) > SHORT_MS_MAX { view } else { view.in_parts(SHORT_PART_SLOTS) };
        let next = (from <= until).then_some(0);
        History { view, from, until, step_ms: step_ms.max(STEP_MS_MIN), next }
    }
}

impl Iterator for History {
    type Item = Vec<Reading>;

    fn next(&mut self) -> Option<Vec<Reading>> {
        let step = self.next?;
        let start = self.from.plus_ms(step.saturating_mul(self.step_ms));
        let latest = i64::try_from(PHASE_MS_MAX + JITTER_MS_MAX).unwrap_or(STEP_MS_MIN);
        // A step so close to the end that its readings might be after it is the last, at the end itself.
        let last = start.plus_ms(latest) >= self.until && (step > 0 || self.from == self.until);
        let (start, late) = if last { (self.until, false) } else { (start, step > 0) };
        self.next = if last { None } else { Some(step + 1) };
        let switches = self.view.site().switches.len();
        let mut times: Vec<(Timestamp, usize)> = (0..switches)
            .map(|switch| (if late { start.plus_ms(self.lateness_ms(switch, step)) } else { start }, switch))
            .collect();
        times.sort_unstable();
        let site = Arc::clone(self.view.site());
        let was_read = |reading: &Reading| {
            let at = reading.counters.time;
            let unread = |gap: &Unread| (gap.from..gap.until).contains(&at) && gap.port == reading.port;
            !site.unread.iter().any(unread)
        };
        let passes = times.into_iter().flat_map(|(at, switch)| self.view.pass(switch, at));
        Some(passes.filter(was_read).collect())
    }
}

impl History {
    fn lateness_ms(&self, switch: usize, step: i64) -> i64 {
        let seed = mix(self.view.site().seed, u64::try_from(switch).unwrap_or(0));
        let phase = seed % PHASE_MS_MAX;
        let jitter = mix(seed, step.unsigned_abs()) % JITTER_MS_MAX;
        i64::try_from(phase + jitter).unwrap_or(0)
    }
}
