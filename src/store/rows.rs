//! The shapes of the tables' rows, and the way between them and what the rest of the service speaks of.

use clickhouse::Row;
use meter95_reading::{Counters, Timestamp, Width};
use serde::{Deserialize, Serialize};
use serde_repr::{Deserialize_repr, Serialize_repr};

use crate::aggregator::output::{BreakOut, PortId, PortSlotOut, Revised, SampleOut};
use crate::metering::delta::BreakKind;
use crate::metering::sample::{Rates, Sample};
use crate::metering::slot::PortSlot;
use crate::metering::units::{Bps, Slot};

/// A port and its number.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct PortRow {
    pub(super) port_id: u32,
    pub(super) device: String,
    pub(super) interface: String,
}

/// A server and its number.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct ServerRow {
    pub(super) server_id: u32,
    pub(super) id: String,
}

/// A reading.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct ReadingRow {
    pub(super) port_id: u32,
    pub(super) time: i64,
    pub(super) rx_octets: u64,
    pub(super) tx_octets: u64,
    pub(super) width: u8,
    pub(super) uptime_cs: Option<u32>,
    pub(super) discontinuity_cs: Option<u32>,
    pub(super) rx_packets: Option<u64>,
    pub(super) tx_packets: Option<u64>,
    pub(super) speed_bps: Option<u64>,
    pub(super) batch: u64,
}

impl ReadingRow {
    pub(super) fn new(port: PortId, counters: &Counters, batch: u64) -> Self {
        Self {
            port_id: port.0,
            time: counters.time.0,
            rx_octets: counters.rx_octets,
            tx_octets: counters.tx_octets,
            width: counters.width.bits(),
            uptime_cs: counters.uptime_cs,
            discontinuity_cs: counters.discontinuity_cs,
            rx_packets: counters.rx_packets,
            tx_packets: counters.tx_packets,
            speed_bps: counters.speed_bps,
            batch,
        }
    }

    pub(super) fn counters(&self) -> Option<(PortId, Counters)> {
        let counters = Counters {
            time: Timestamp(self.time),
            rx_octets: self.rx_octets,
            tx_octets: self.tx_octets,
            width: Width::from_bits(self.width)?,
            uptime_cs: self.uptime_cs,
            discontinuity_cs: self.discontinuity_cs,
            rx_packets: self.rx_packets,
            tx_packets: self.tx_packets,
            speed_bps: self.speed_bps,
        };
        Some((PortId(self.port_id), counters))
    }
}

/// A slot's start in Unix seconds, as the tables have it: those before 1970 and after 2106 as the first and the last.
pub(super) fn slot_s(slot: Slot) -> u32 {
    u32::try_from((slot.start().0 / 1_000).max(0)).unwrap_or(u32::MAX)
}

/// The slot that starts at `seconds`.
pub(super) fn slot_of_s(seconds: u32) -> Slot {
    Slot::of(Timestamp(i64::from(seconds) * 1_000))
}

/// What a port carried in a slot.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct PortSlotRow {
    pub(super) port_id: u32,
    pub(super) slot: u32,
    pub(super) rx_octets: u64,
    pub(super) tx_octets: u64,
    pub(super) rx_packets: u64,
    pub(super) tx_packets: u64,
    pub(super) covered_ms: u32,
    pub(super) revision: u8,
}

impl PortSlotRow {
    pub(super) fn new(out: &PortSlotOut) -> Self {
        let PortSlot { rx_octets, tx_octets, rx_packets, tx_packets, covered_ms } = out.carried;
        Self {
            port_id: out.port.0,
            slot: slot_s(out.slot),
            rx_octets,
            tx_octets,
            rx_packets,
            tx_packets,
            covered_ms,
            revision: if out.complete { 2 } else { 1 },
        }
    }

    pub(super) fn carried(&self) -> PortSlot {
        PortSlot {
            rx_octets: self.rx_octets,
            tx_octets: self.tx_octets,
            rx_packets: self.rx_packets,
            tx_packets: self.tx_packets,
            covered_ms: self.covered_ms,
        }
    }
}

/// What a sample's row says besides its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_repr, Deserialize_repr)]
#[repr(i8)]
pub(super) enum SampleState {
    Full = 0,
    Partial = 1,
    Withdrawn = 2,
}

/// A server's sample.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct SampleRow {
    pub(super) server_id: u32,
    pub(super) slot: u32,
    pub(super) in_bps: u64,
    pub(super) out_bps: u64,
    pub(super) state: SampleState,
    pub(super) revision: u16,
}

impl SampleRow {
    pub(super) fn new(out: &SampleOut) -> Self {
        let state = match out.sample {
            Some(Sample { partial: false, .. }) => SampleState::Full,
            Some(Sample { partial: true, .. }) => SampleState::Partial,
            None => SampleState::Withdrawn,
        };
        let rates = out.sample.map(|s| s.rates).unwrap_or_default();
        Self {
            server_id: out.server.0,
            slot: slot_s(out.slot),
            in_bps: rates.in_bps.0,
            out_bps: rates.out_bps.0,
            state,
            revision: out.revision,
        }
    }

    pub(super) fn revised(&self) -> Revised {
        let rates = Rates { in_bps: Bps(self.in_bps), out_bps: Bps(self.out_bps) };
        let sample = match self.state {
            SampleState::Full => Some(Sample { rates, partial: false }),
            SampleState::Partial => Some(Sample { rates, partial: true }),
            SampleState::Withdrawn => None,
        };
        Revised { sample, revision: self.revision }
    }
}

/// A break between two readings.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct BreakRow {
    pub(super) port_id: u32,
    pub(super) time: i64,
    pub(super) kind: String,
    pub(super) cause: String,
    pub(super) time_before: i64,
    pub(super) rx_octets_before: u64,
    pub(super) tx_octets_before: u64,
    pub(super) rx_octets: u64,
    pub(super) tx_octets: u64,
    pub(super) rx_octets_left_out: Option<u64>,
    pub(super) tx_octets_left_out: Option<u64>,
}

impl BreakRow {
    pub(super) fn new(out: &BreakOut) -> Self {
        let BreakOut { port, found } = out;
        let cause = match found.kind {
            BreakKind::Reset(cause) => cause.name(),
            BreakKind::Stale | BreakKind::Gap | BreakKind::Implausible => "",
        };
        Self {
            port_id: port.0,
            time: found.after.time.0,
            kind: found.kind.name().to_owned(),
            cause: cause.to_owned(),
            time_before: found.before.time.0,
            rx_octets_before: found.before.rx_octets,
            tx_octets_before: found.before.tx_octets,
            rx_octets: found.after.rx_octets,
            tx_octets: found.after.tx_octets,
            rx_octets_left_out: found.left_out.map(|(rx, _)| rx.0),
            tx_octets_left_out: found.left_out.map(|(_, tx)| tx.0),
        }
    }
}

/// A version of an entry of the inventory.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct InventoryRow {
    pub(super) version: u64,
    pub(super) at: i64,
    pub(super) by: String,
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) body: String,
    pub(super) removed: u8,
}

/// How far something has come.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct CheckpointRow {
    pub(super) name: String,
    pub(super) value: u64,
    pub(super) serial: u64,
}

/// How a collector stood when it was last heard of, or that it was forgotten then.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct CollectorRow {
    pub(super) name: String,
    pub(super) at: i64,
    pub(super) unsent: u64,
    pub(super) oldest_unsent: Option<i64>,
    pub(super) stopped: u8,
    pub(super) forgotten_by: String,
}
