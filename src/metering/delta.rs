//! From two readings to a delta (SPEC.md section 2).

use meter95_reading::{Counters, Timestamp, Width};

use super::units::{Bps, Octets};

/// The longest stretch between two readings that is still spread, in ms, unless configured: 900 s.
pub const MAX_GAP_MS_DEFAULT: i64 = 900_000;

/// What an uptime may be off before it means a restart, besides 1 % of the time between the readings: 5 s.
const UPTIME_SLACK_CS: i64 = 500;

/// The traffic of one port between two readings, every octet of it dated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The earlier reading's instant, not itself part of the stretch.
    pub from: Timestamp,
    /// The later reading's instant; after `from`.
    pub to: Timestamp,
    /// Octets that the interface received in between.
    pub rx: Octets,
    /// Octets that the interface sent in between.
    pub tx: Octets,
    /// Packets received in between; 0 where either reading does not say.
    pub rx_packets: u64,
    /// Packets sent in between; 0 where either reading does not say.
    pub tx_packets: u64,
}

/// Why two readings give no delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakKind {
    /// The later one is not later: it is ignored, and the earlier stays the last reading.
    Stale,
    /// The counters started anew, or can't be compared.
    Reset(ResetCause),
    /// Too long a time lies between them.
    Gap,
    /// More octets than the port's speed allows, by 25 %.
    Implausible,
}

impl BreakKind {
    /// The name under which SPEC.md section 2 records it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Reset(_) => "reset",
            Self::Gap => "gap",
            Self::Implausible => "implausible",
        }
    }
}

/// What showed that a counter started anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResetCause {
    /// ifCounterDiscontinuityTime changed.
    Discontinuity,
    /// sysUpTime is not where the time between the readings puts it.
    Uptime,
    /// The counters' width changed.
    Width,
    /// A counter fell, and nothing shows that it wrapped.
    CounterFell,
}

impl ResetCause {
    /// A word for it, as stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Discontinuity => "discontinuity",
            Self::Uptime => "uptime",
            Self::Width => "width",
            Self::CounterFell => "counter_fell",
        }
    }
}

/// Two readings that give no delta, and what is left out because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// Why.
    pub kind: BreakKind,
    /// The earlier reading.
    pub before: Counters,
    /// The later reading.
    pub after: Counters,
    /// Octets received and sent between the two that are not counted, where the counters tell them.
    pub left_out: Option<(Octets, Octets)>,
}

/// What two consecutive readings of a port give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delta {
    /// Traffic that is metered.
    Stretch(Stretch),
    /// Nothing, and why.
    Break(Break),
}

/// Compares two consecutive readings of one port by the rules of SPEC.md section 2, in their order.
///
/// `speed` is the port's speed where it is known, `max_gap_ms` the longest stretch that is spread.
#[must_use]
pub fn compare(before: &Counters, after: &Counters, speed: Option<Bps>, max_gap_ms: i64) -> Delta {
    let dt_ms = after.time.ms_since(before.time);
    let broken = |kind, left_out| Delta::Break(Break { kind, before: *before, after: *after, left_out });

    if dt_ms <= 0 {
        return broken(BreakKind::Stale, None);
    }
    if let (Some(a), Some(b)) = (before.discontinuity_cs, after.discontinuity_cs)
        && a != b
    {
        return broken(BreakKind::Reset(ResetCause::Discontinuity), None);
    }
    let uptimes = before.uptime_cs.zip(after.uptime_cs);
    if let Some((a, b)) = uptimes
        && uptime_off_cs(a, b, dt_ms) > UPTIME_SLACK_CS + dt_ms / 1_000
    {
        return broken(BreakKind::Reset(ResetCause::Uptime), None);
    }
    let dated = uptimes.is_some() || speed.is_some();
    if dt_ms > max_gap_ms {
        return broken(BreakKind::Gap, octets_between(before, after, dated).ok());
    }
    let (rx, tx) = match octets_between(before, after, dated) {
        Ok(octets) => octets,
        Err(cause) => return broken(BreakKind::Reset(cause), None),
    };
    if let Some(speed) = speed
        && [rx, tx].into_iter().any(|octets| implausible(octets, speed, dt_ms))
    {
        return broken(BreakKind::Implausible, Some((rx, tx)));
    }
    Delta::Stretch(Stretch {
        from: before.time,
        to: after.time,
        rx,
        tx,
        rx_packets: packets_between(before.rx_packets, after.rx_packets),
        tx_packets: packets_between(before.tx_packets, after.tx_packets),
    })
}

/// How far `after` is from where `dt_ms` puts it, on the circle of 2^32, in hundredths of a second.
fn uptime_off_cs(before: u32, after: u32, dt_ms: i64) -> i64 {
    const CIRCLE: i128 = 1 << 32;
    let expected = (i128::from(before) + i128::from(dt_ms / 10)).rem_euclid(CIRCLE);
    let ahead = (i128::from(after) - expected).rem_euclid(CIRCLE);
    i64::try_from(ahead.min(CIRCLE - ahead)).unwrap_or(i64::MAX)
}

/// Octets received and sent from `before` to `after`; `dated` when a fall of a 32-bit counter may be a wrap (rule 5).
fn octets_between(before: &Counters, after: &Counters, dated: bool) -> Result<(Octets, Octets), ResetCause> {
    if before.width != after.width {
        return Err(ResetCause::Width);
    }
    let direction = |a: u64, b: u64| match after.width {
        _ if b >= a => Ok(Octets(b - a)),
        Width::Bits32 if dated => Ok(Octets((b + (1 << 32)).saturating_sub(a))),
        Width::Bits32 | Width::Bits64 => Err(ResetCause::CounterFell),
    };
    Ok((direction(before.rx_octets, after.rx_octets)?, direction(before.tx_octets, after.tx_octets)?))
}

/// Whether `octets` in `dt_ms` are over 1.25 times `speed` (rule 6): `octets*8*1000 > 1.25 * speed * dt`.
fn implausible(octets: Octets, speed: Bps, dt_ms: i64) -> bool {
    let dt_ms = u128::from(dt_ms.unsigned_abs());
    u128::from(octets.0) * 8_000 * 4 > u128::from(speed.0) * 5 * dt_ms
}

fn packets_between(before: Option<u64>, after: Option<u64>) -> u64 {
    before.zip(after).and_then(|(a, b)| b.checked_sub(a)).unwrap_or(0)
}
