//! What the aggregator lays down to be stored.

use crate::metering::delta::Break;
use crate::metering::sample::{Rates, Sample};
use crate::metering::slot::PortSlot;
use crate::metering::units::Slot;

/// A port's number in the store; ports are numbered from 0 without holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub u32);

/// A server's number in the store; servers are numbered from 0 without holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub u32);

impl PortId {
    /// Its place in a list of all ports.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ServerId {
    /// Its place in a list of all servers.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a port carried in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortSlotOut {
    /// The port.
    pub port: PortId,
    /// The slot.
    pub slot: Slot,
    /// What it carried.
    pub carried: PortSlot,
    /// Whether no more can follow; a slot that closed by grace may still fill.
    pub complete: bool,
}

/// A server's sample, or that there is none any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleOut {
    /// The server.
    pub server: ServerId,
    /// The slot.
    pub slot: Slot,
    /// The sample; `None` withdraws one that an earlier revision had.
    pub sample: Option<Sample>,
    /// 1 for a first sample; the highest revision counts.
    pub revision: u16,
}

/// A break between two readings of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakOut {
    /// The port.
    pub port: PortId,
    /// What happened between which readings.
    pub found: Break,
}

/// Everything that is to be stored, in the order in which it came about.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// Slots of ports.
    pub port_slots: Vec<PortSlotOut>,
    /// Samples of servers.
    pub samples: Vec<SampleOut>,
    /// Samples in whose place one of `samples` stands from now on. They are stored before it: what a statement was
    /// made of stays readable.
    pub superseded: Vec<SampleOut>,
    /// Breaks, other than stale readings.
    pub breaks: Vec<BreakOut>,
}

impl Output {
    /// How many rows it makes.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.port_slots.len() + self.samples.len() + self.superseded.len() + self.breaks.len()
    }

    /// Lays down a new revision of the sample of `slot`; `before` is what is stored of it, with a revision of 0 where
    /// that is nothing. Returns the new revision.
    pub fn revise(&mut self, server: ServerId, slot: Slot, before: Revised, sample: Option<Sample>) -> u16 {
        if before.revision > 0 {
            self.superseded.push(SampleOut {
                server,
                slot,
                sample: before.sample,
                revision: before.revision,
            });
        }
        let revision = before.revision.saturating_add(1);
        self.samples.push(SampleOut { server, slot, sample, revision });
        revision
    }
}

/// A sample as it is stored: its revision, and its figures unless it was withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revised {
    /// The figures.
    pub sample: Option<Sample>,
    /// The highest revision so far.
    pub revision: u16,
}

impl Revised {
    /// The rates, where there is a sample.
    #[must_use]
    pub fn rates(&self) -> Option<Rates> {
        self.sample.map(|sample| sample.rates)
    }
}
