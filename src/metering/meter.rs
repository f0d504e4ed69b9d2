//! One port's way from readings to slots (SPEC.md sections 2 and 3).

use meter95_reading::Counters;

use super::delta::{Break, BreakKind, Delta, compare};
use super::slot::{PortSlot, spread};
use super::units::{Bps, Slot};

/// The state of one port between two readings: the last of them, and the slot that is not full yet.
///
/// A port's readings only go forward in time, so every slot before the one in which the last reading lies has all
/// that it will ever get.
#[derive(Debug, Clone, Default)]
pub struct PortMeter {
    last: Option<Counters>,
    open: Option<(Slot, PortSlot)>,
}

impl PortMeter {
    /// A meter that goes on from `last`, with nothing gathered yet in its slot.
    #[must_use]
    pub fn from_last(last: Counters) -> Self {
        Self { last: Some(last), open: None }
    }

    /// The last reading.
    #[must_use]
    pub fn last(&self) -> Option<&Counters> {
        self.last.as_ref()
    }

    /// The newest slot that got something; more may follow as long as the last reading lies in it.
    #[must_use]
    pub fn open(&self) -> Option<(Slot, PortSlot)> {
        self.open
    }

    /// Takes in the next reading. Every slot that is complete with it goes to `full`, in order; what stands between
    /// the two readings is returned where they give no delta.
    pub fn observe(
        &mut self,
        reading: &Counters,
        speed: Option<Bps>,
        max_gap_ms: i64,
        mut full: impl FnMut(Slot, PortSlot),
    ) -> Option<Break> {
        let Some(last) = &self.last else {
            self.last = Some(*reading);
            return None;
        };
        let speed = speed.or(reading.speed_bps.map(Bps));
        let found = match compare(last, reading, speed, max_gap_ms) {
            Delta::Break(found @ Break { kind: BreakKind::Stale, .. }) => return Some(found),
            Delta::Break(found) => Some(found),
            Delta::Stretch(stretch) => {
                for (slot, part) in spread(stretch) {
                    match &mut self.open {
                        Some((open, gathered)) if *open == slot => gathered.add(&part),
                        open => {
                            if let Some((before, gathered)) = open.replace((slot, part)) {
                                full(before, gathered);
                            }
                        }
                    }
                }
                None
            }
        };
        self.last = Some(*reading);
        if let Some((slot, gathered)) = self.open
            && slot.end() <= reading.time
        {
            self.open = None;
            full(slot, gathered);
        }
        found
    }
}
