//! The two meters of one server against each other: what its switch ports counted and what its own interfaces did.
//!
//! The same packets pass both, so the two show the same within what can be told apart:
//! - **framing**: a switch may count the checksum (4 octets) and a VLAN tag (4 octets) of every packet that an
//!   interface does not, or the other way round: [`FRAMING_OCTETS_MAX`] a packet. Where neither side tells packets
//!   they are taken to be the smallest there are, 64 octets;
//! - **2 % of the larger**, for counters that an interface brings up to date only every second or so;
//! - **20 kbit/s**, for what an idle link says by itself, and says to one of the two only;
//! - **when they were read**: readings a minute apart are spread evenly, so of a burst across the boundary of two
//!   slots one meter may date octets into the slot before and the other into the one after. What is shifted is not
//!   lost: it is too much in one slot and too little in the next. So a slot disagrees only where it does by itself
//!   *and* together with the up to three compared ones before it, whose boundaries inside cancel out.
//!
//! At 100 Mbit/s and 12,000 packets a second, 64 bit each are 768,000, 2 % are 2,000,000, and with 20,000 the two
//! may be 2,788,000 bit/s apart.

mod compare;

use std::collections::VecDeque;

use meter95_reading::Width;
use serde::{Deserialize, Serialize};

use super::sample::{Direction, Rates};
use super::slot::PortSlot;
use super::units::Slot;
use compare::Totals;

/// The most octets of a packet that one of the two counts and the other does not.
pub const FRAMING_OCTETS_MAX: u64 = 8;

/// What the two may be apart besides framing, in percent of the larger.
pub const SLACK_PERCENT: u64 = 2;

/// What the two may be apart in any case, in bit/s; at or below it a side carries next to nothing.
pub const SLACK_BPS: u64 = 20_000;

/// Disagreement is raised after this many slots that disagree,
pub const RAISED_AFTER_SLOTS: usize = 3;

/// of this many compared ones; over so many, too, octets that were dated differently cancel out.
pub const WINDOW_SLOTS: usize = 4;

/// It is cleared after so many slots in a row that agree.
pub const CLEARED_AFTER_SLOTS: u32 = 6;

/// One of a server's two meters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Meter {
    /// The switch's interfaces towards the server.
    Switch,
    /// The server's own interfaces.
    Nic,
}

/// What one port carried in a slot, and how wide the counters were that told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// As the interface itself counts.
    pub slot: PortSlot,
    /// The width of its octet counters.
    pub width: Width,
}

/// What both meters show of one slot.
#[derive(Debug, Clone, Copy)]
pub struct Both<'a> {
    /// One for every switch port that the inventory has for the server in the slot, all members of a LAG among
    /// them; `None` where it has nothing. Like a rate, a port counts when half of the slot is covered.
    pub switch: &'a [Option<Carried>],
    /// The same of the server's own interfaces.
    pub nic: &'a [Option<Carried>],
}

/// What a slot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The two show the same.
    Agree,
    /// They do not.
    Disagree(Disagreement),
}

/// Two meters that do not show the same, with the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// The slot.
    pub slot: Slot,
    /// The likely reason.
    pub reason: Reason,
    /// What the switch's side shows, seen from the server; `None` where it has no figure.
    pub switch: Option<Rates>,
    /// What the server's side shows.
    pub nic: Option<Rates>,
    /// How far the two may be apart, by direction.
    pub allowed: Rates,
}

/// Why two meters probably disagree: the first of these that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// One side has no figure at all: whatever reads it is down.
    AgentDown(Meter),
    /// One side lacks a member of a LAG: a port of it has no figure, or with n ports on either side it shows
    /// (n-1)/n of the other or less.
    MissingMember(Meter),
    /// Octets are missing by a whole multiple of 2^32 in this direction, and one side has 32-bit counters: they
    /// wrapped unseen.
    Wrap(Direction),
    /// What one calls in is out for the other: a port is recorded with the wrong kind.
    Swapped,
    /// One side shows next to nothing while the other does not, or less than half of it: it is the port of
    /// something else.
    WrongPort(Meter),
    /// None of these.
    Unexplained,
}

/// What a slot changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// What the slot shows; `None` where neither side has a figure.
    pub verdict: Option<Verdict>,
    /// What begins or ends with it.
    pub change: Option<Change>,
}

/// Disagreement that begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The meters of the server disagree. The newest slot is told, with the reason that most of the slots have.
    Raised(Disagreement),
    /// They agree again.
    Cleared,
}

/// The agreement of one server's meters over time.
#[derive(Debug, Clone, Default)]
pub struct Agreement {
    /// The newest compared slots, the last one last, at most [`WINDOW_SLOTS`].
    verdicts: VecDeque<Verdict>,
    /// The newest slots in which both sides have figures, the last one last, fewer than [`WINDOW_SLOTS`].
    totals: VecDeque<(Totals, Totals)>,
    /// How many slots in a row have agreed.
    agreed: u32,
    /// Whether it is raised that the two disagree.
    raised: bool,
}

impl Agreement {
    /// One that goes on after a stop: whether disagreement was raised and not cleared. The slots are counted anew.
    #[must_use]
    pub fn resume(raised: bool) -> Self {
        Self { raised, ..Self::default() }
    }

    /// Whether it is raised that the two disagree.
    #[must_use]
    pub fn disagrees(&self) -> bool {
        self.raised
    }

    /// Takes in the next closed slot, in order. A slot of which neither side has a figure tells nothing, nor does
    /// one in which the server has ports on one side only.
    pub fn observe(&mut self, slot: Slot, both: Both<'_>) -> Outcome {
        let Some(verdict) = self.compare(slot, both) else {
            return Outcome::default();
        };
        if self.verdicts.len() == WINDOW_SLOTS {
            self.verdicts.pop_front();
        }
        self.verdicts.push_back(verdict);
        let change = match verdict {
            Verdict::Agree => {
                self.agreed = self.agreed.saturating_add(1);
                let cleared = self.raised && self.agreed >= CLEARED_AFTER_SLOTS;
                cleared.then_some(Change::Cleared)
            }
            Verdict::Disagree(newest) => {
                self.agreed = 0;
                let reasons = self.verdicts.iter().filter_map(|verdict| match verdict {
                    Verdict::Agree => None,
                    Verdict::Disagree(disagreement) => Some(disagreement.reason),
                });
                let enough = reasons.clone().count() >= RAISED_AFTER_SLOTS;
                // Of equally frequent ones the later.
                let most =
                    reasons.clone().max_by_key(|reason| reasons.clone().filter(|r| r == reason).count());
                let raised = Disagreement { reason: most.unwrap_or(newest.reason), ..newest };
                (!self.raised && enough).then_some(Change::Raised(raised))
            }
        };
        match change {
            Some(Change::Raised(_)) => self.raised = true,
            Some(Change::Cleared) => self.raised = false,
            None => {}
        }
        Outcome { verdict: Some(verdict), change }
    }

    fn compare(&mut self, slot: Slot, both: Both<'_>) -> Option<Verdict> {
        if both.switch.is_empty() || both.nic.is_empty() {
            return None;
        }
        let (switch, nic) = (Totals::of(both.switch, Meter::Switch), Totals::of(both.nic, Meter::Nic));
        let disagree = |reason, allowed| {
            let rates = |totals: Option<Totals>| totals.map(|totals| totals.rates());
            Verdict::Disagree(Disagreement { slot, reason, switch: rates(switch), nic: rates(nic), allowed })
        };
        let (a, b) = match (switch, nic) {
            (Some(a), Some(b)) => (a, b),
            (None, None) => return None,
            (None, Some(_)) => return Some(disagree(Reason::AgentDown(Meter::Switch), Rates::default())),
            (Some(_), None) => return Some(disagree(Reason::AgentDown(Meter::Nic), Rates::default())),
        };
        let before = self.totals.iter();
        let (all_a, all_b) = before.fold((a, b), |(sum_a, sum_b), (a, b)| (sum_a.plus(a), sum_b.plus(b)));
        if self.totals.len() + 1 == WINDOW_SLOTS {
            self.totals.pop_front();
        }
        self.totals.push_back((a, b));
        let apart = Direction::BOTH
            .into_iter()
            .any(|direction| a.is_apart(&b, direction) && all_a.is_apart(&all_b, direction));
        Some(if apart { disagree(compare::reason(&a, &b, both), a.allowed(&b)) } else { Verdict::Agree })
    }
}

#[cfg(test)]
mod tests;
