//! Slots without a sample, and what is known of why.

use super::statement::{BreakLine, Gap};
use crate::inventory::Binding;
use crate::inventory::instant::Instant;
use crate::metering::period::SlotSpan;
use crate::metering::statement::Samples;
use crate::metering::units::Slot;

/// Breaks that a statement lists; what is beyond is counted.
pub const BREAKS_MAX: usize = 500;

/// The cause of a gap in which the server had no port.
pub const NO_PORT: &str = "no_port";

/// The spans of slots in `span` that have no sample.
#[must_use]
pub fn gaps(span: SlotSpan, samples: &Samples) -> Vec<SlotSpan> {
    let mut gaps = Vec::new();
    let mut from = span.from;
    for (slot, _) in samples.iter().filter(|(slot, _)| span.contains(*slot)) {
        if from < *slot {
            gaps.push(SlotSpan { from, until: *slot });
        }
        from = slot.next();
    }
    if from < span.until {
        gaps.push(SlotSpan { from, until: span.until });
    }
    gaps
}

/// A gap with its cause: the kinds of the breaks of the server's ports in which its slots lie, such as `reset` or `gap`,
/// or [`NO_PORT`]; none where nothing tells of one of them.
#[must_use]
pub fn explained(gap: SlotSpan, breaks: &[BreakLine], ports: &[Binding]) -> Gap {
    let (from, until) = (gap.from.start(), gap.until.start());
    let reaches = |line: &&BreakLine| line.after.0 < until && from < line.at.0;
    let reaching: Vec<&BreakLine> = breaks.iter().filter(reaches).collect();
    let told = |slot: Slot| reaching.iter().any(|line| line.after.0 < slot.end() && slot.start() < line.at.0);
    let all_told = (gap.from.0..gap.until.0).map(Slot).all(told);
    let mut kinds: Vec<&str> = reaching.iter().map(|line| line.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let bound = ports.iter().any(|binding| {
        binding.from.is_none_or(|start| start < until) && binding.until.is_none_or(|end| from < end)
    });
    let cause = match kinds.as_slice() {
        [] if !bound => Some(NO_PORT.to_owned()),
        // What is told of a part tells nothing of the rest.
        _ if !all_told => None,
        kinds => Some(kinds.join("+")),
    };
    Gap { from: Instant(from), until: Instant(until), slots: gap.len(), cause }
}

/// Whether a person should look at it: nothing tells why, or the inventory is at fault.
#[must_use]
pub fn is_strange(gap: &Gap) -> bool {
    gap.cause.as_deref().is_none_or(|cause| cause == NO_PORT)
}

#[cfg(test)]
mod tests {
    use meter95_reading::{PortKey, Timestamp};

    use super::*;
    use crate::metering::sample::{PortKind, Rates, Sample};

    fn span(from: i64, until: i64) -> SlotSpan {
        SlotSpan { from: Slot(from), until: Slot(until) }
    }

    #[test]
    fn gaps_are_what_the_samples_leave() {
        let sample = Sample { rates: Rates::default(), partial: false };
        for (slots, left) in [
            (vec![], vec![span(2, 9)]),
            (vec![2, 3, 4, 5, 6, 7, 8], vec![]),
            (vec![0, 3, 4, 7, 12], vec![span(2, 3), span(5, 7), span(8, 9)]),
        ] {
            let samples: Vec<(Slot, Sample)> = slots.into_iter().map(|slot| (Slot(slot), sample)).collect();
            assert_eq!(gaps(span(2, 9), &samples), left);
        }
    }

    #[test]
    fn a_gap_has_the_breaks_that_reach_into_it_as_its_cause() {
        let line = |after: i64, at: i64, kind: &str| BreakLine {
            at: Instant(Timestamp(at * Slot::MS)),
            after: Instant(Timestamp(after * Slot::MS)),
            device: "sw1".to_owned(),
            interface: "a".to_owned(),
            kind: kind.to_owned(),
            cause: String::new(),
            rx_octets_left_out: None,
            tx_octets_left_out: None,
        };
        let port = |from: Option<i64>| Binding {
            port: PortKey::new("sw1", "a").unwrap(),
            kind: PortKind::Switch,
            speed: None,
            from: from.map(|slot| Slot(slot).start()),
            until: None,
        };
        let breaks = [line(3, 6, "gap"), line(6, 7, "reset"), line(8, 9, "reset")];
        for (gap, ports, cause) in [
            (span(4, 5), vec![port(None)], Some("gap")),
            (span(5, 7), vec![port(None)], Some("gap+reset")),
            (span(6, 9), vec![port(None)], None),
            (span(2, 5), vec![port(None)], None),
            (span(1, 3), vec![port(None)], None),
            (span(1, 3), vec![port(Some(3))], Some(NO_PORT)),
            (span(1, 3), vec![], Some(NO_PORT)),
        ] {
            let found = explained(gap, &breaks, &ports);
            assert_eq!(found.cause.as_deref(), cause, "{gap:?}");
            assert_eq!(is_strange(&found), cause.is_none() || cause == Some(NO_PORT));
        }
    }
}
