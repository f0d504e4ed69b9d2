//! Samples gathered by hours or days of the billing time zone. The largest and the p95 are kept apart, in, out and the larger
//! of the two each by itself; nothing is averaged, so that no peak gets lost in a graph.
//!
//! The p95 is by the rank of SPEC.md section 5 over the samples that there are: with fewer than 20 nothing is discarded, so that an
//! hour's p95 is its largest sample. A day has 23 or 25 hours where the clocks change, and its own 276 or 300 slots.

use jiff::Zoned;
use jiff::tz::TimeZone;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::closing::table::Cell;
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::percentile::p95;
use crate::metering::period::SlotSpan;
use crate::metering::sample::Rates;
use crate::metering::units::{Bps, Slot};

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = SamplesStep)]
#[serde(rename_all = "lowercase")]
pub(super) enum Width {
    /// Every sample by itself.
    #[default]
    Slot,
    /// By hours.
    Hour,
    /// By days.
    Day,
}

/// Samples of an hour or a day.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SamplesBucket)]
pub(super) struct Bucket {
    /// When it begins, or the span that was asked for.
    from: Instant,
    /// When it ends, or the span that was asked for.
    until: Instant,
    /// How many slots it has.
    slots: u64,
    /// How many of them have a sample.
    count: u64,
    in_max_bps: Bps,
    in_p95_bps: Bps,
    out_max_bps: Bps,
    out_p95_bps: Bps,
    /// Of the larger of in and out, slot by slot.
    value_max_bps: Bps,
    value_p95_bps: Bps,
}

/// The columns of CSV.
pub(super) const COLUMNS: [&str; 10] = [
    "from",
    "until",
    "slots",
    "count",
    "in_max_bps",
    "in_p95_bps",
    "out_max_bps",
    "out_p95_bps",
    "value_max_bps",
    "value_p95_bps",
];

impl Bucket {
    /// As cells, in the order of [`COLUMNS`].
    pub(super) fn cells(&self) -> Vec<Cell> {
        let at = |Instant(at): Instant| Cell::Word(rfc3339(at));
        let rates = [
            self.in_max_bps,
            self.in_p95_bps,
            self.out_max_bps,
            self.out_p95_bps,
            self.value_max_bps,
            self.value_p95_bps,
        ];
        let counts = [self.slots, self.count].map(|count| Cell::Whole(count.into()));
        let rates = rates.map(|bps| Cell::bps(Some(bps)));
        [at(self.from), at(self.until)].into_iter().chain(counts).chain(rates).collect()
    }
}

/// The `samples`, ascending and within `span`, by buckets of `width`.
pub(super) fn gather(
    samples: impl Iterator<Item = (Slot, Rates)>,
    span: SlotSpan,
    width: Width,
    zone: &TimeZone,
) -> Vec<Bucket> {
    let mut buckets = Vec::new();
    let mut samples = samples.peekable();
    while let Some((first, _)) = samples.peek() {
        let whole = around(*first, width, zone);
        let slots = span.intersect(whole);
        let mut kept: [Vec<u64>; 3] = Default::default();
        while let Some((_, rates)) = samples.next_if(|(slot, _)| *slot < whole.until) {
            for (values, bps) in kept.iter_mut().zip([rates.in_bps, rates.out_bps, rates.value()]) {
                values.push(bps.0);
            }
        }
        let count = u64::try_from(kept[0].len()).unwrap_or(u64::MAX);
        let [towards, from, value] = kept.map(|mut values| {
            let largest = values.iter().max().copied().unwrap_or(0);
            (Bps(largest), Bps(p95(&mut values).unwrap_or(0)))
        });
        buckets.push(Bucket {
            from: Instant(slots.from.start()),
            until: Instant(slots.until.start()),
            slots: slots.len(),
            count,
            in_max_bps: towards.0,
            in_p95_bps: towards.1,
            out_max_bps: from.0,
            out_p95_bps: from.1,
            value_max_bps: value.0,
            value_p95_bps: value.1,
        });
    }
    buckets
}

/// The slots of the hour or day in which a slot starts; that slot alone where the calendar ends, and for no width.
fn around(slot: Slot, width: Width, zone: &TimeZone) -> SlotSpan {
    let alone = SlotSpan { from: slot, until: slot.next() };
    let found = || {
        let at = jiff::Timestamp::from_millisecond(slot.start().0).ok()?.to_zoned(zone.clone());
        let (from, until) = match width {
            Width::Slot => return None,
            // Of an hour that comes twice, the one in which the slot is.
            Width::Hour => {
                let from = at.with().minute(0).second(0).subsec_nanosecond(0).build().ok()?;
                let until = from.checked_add(jiff::SignedDuration::from_hours(1)).ok()?;
                (from, until)
            }
            Width::Day => (at.start_of_day().ok()?, at.tomorrow().ok()?.start_of_day().ok()?),
        };
        let slot_of = |at: &Zoned| Slot::starting_from(Timestamp(at.timestamp().as_millisecond()));
        Some(SlotSpan { from: slot_of(&from).min(slot), until: slot_of(&until).max(slot.next()) })
    };
    found().unwrap_or(alone)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    /// The slot of an instant.
    fn slot(text: &str) -> Slot {
        Slot::of(Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond()))
    }

    /// The slots of each bucket of a span that is sampled throughout.
    fn slots_of(from: &str, until: &str, width: Width, zone_name: &str) -> Vec<u64> {
        let span = SlotSpan { from: slot(from), until: slot(until) };
        let samples = (span.from.0..span.until.0).map(|slot| (Slot(slot), Rates::default()));
        let buckets = gather(samples, span, width, &zone(zone_name));
        assert!(buckets.iter().all(|bucket| bucket.slots == bucket.count));
        assert!(buckets.windows(2).all(|pair| pair[0].until.0 == pair[1].from.0));
        buckets.iter().map(|bucket| bucket.slots).collect()
    }

    #[test]
    fn days_are_as_long_as_they_are() {
        let tokyo = slots_of("2026-10-31T00:00:00Z", "2026-11-02T00:00:00Z", Width::Day, "Asia/Tokyo");
        assert_eq!(tokyo, [15 * 12, 288, 9 * 12]);
        for (from, until, slots) in [
            ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 276),
            ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 300),
        ] {
            assert_eq!(slots_of(from, until, Width::Day, "Europe/Berlin"), [slots]);
            let hours = slots_of(from, until, Width::Hour, "Europe/Berlin");
            assert_eq!(hours, vec![12; usize::try_from(slots / 12).unwrap()]);
        }
        // Where hours do not begin with those of UTC.
        let kolkata = slots_of("2026-10-31T00:00:00Z", "2026-10-31T02:00:00Z", Width::Hour, "Asia/Kolkata");
        assert_eq!(kolkata, [6, 12, 6]);
    }

    proptest! {
        /// Against sorting each bucket's samples and counting off.
        #[test]
        fn each_bucket_is_ranked_by_itself(
            values in prop::collection::vec(prop::option::of((0u64..50, 0u64..50)), 0..700),
            from in 0i64..600,
            by_days in any::<bool>(),
        ) {
            let start = slot("2026-10-23T22:00:00Z").0 + from;
            let span = SlotSpan { from: Slot(start), until: Slot(start + i64::try_from(values.len()).unwrap()) };
            let rates = |(towards, from)| Rates { in_bps: Bps(towards), out_bps: Bps(from) };
            let samples: Vec<(Slot, Rates)> = (start..)
                .zip(&values)
                .filter_map(|(slot, value)| Some((Slot(slot), rates((*value)?))))
                .collect();
            let width = if by_days { Width::Day } else { Width::Hour };
            let buckets = gather(samples.iter().copied(), span, width, &zone("Europe/Berlin"));
            let total: u64 = buckets.iter().map(|bucket| bucket.count).sum();
            prop_assert_eq!(total, samples.len() as u64);
            for bucket in buckets {
                let inside = |slot: Slot| bucket.from.0 <= slot.start() && slot.start() < bucket.until.0;
                let of = |value: fn(Rates) -> u64| {
                    let mut sorted: Vec<u64> =
                        samples.iter().filter(|(slot, _)| inside(*slot)).map(|(_, rates)| value(*rates)).collect();
                    sorted.sort_unstable_by(|a, b| b.cmp(a));
                    (Bps(sorted[0]), Bps(sorted[sorted.len() / 20]))
                };
                prop_assert_eq!((bucket.in_max_bps, bucket.in_p95_bps), of(|rates| rates.in_bps.0));
                prop_assert_eq!((bucket.out_max_bps, bucket.out_p95_bps), of(|rates| rates.out_bps.0));
                prop_assert_eq!((bucket.value_max_bps, bucket.value_p95_bps), of(|rates| rates.value().0));
            }
        }
    }
}
