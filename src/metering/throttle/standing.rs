//! How one server stands: a fold of what has happened to its rules and its case, so that a log of the events is
//! enough to go on from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::Ask;
use super::{Rule, RuleSet};
use crate::metering::units::Slot;

/// Slots of a day: in any so many in a row a server's case resolves at most twice.
pub const DAY_SLOTS: i64 = 288;

/// What can happen to a server's rules and its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A case opens because a rule begins to hold and none was open.
    Opened,
    /// A rule begins to hold.
    Began(Rule),
    /// A rule no longer holds, not even at the release share of its thresholds.
    LetGo(Rule),
    /// A rule that was spent when a case was dismissed no longer holds: it counts again.
    Freed(Rule),
    /// The case closes by itself: no rule has held for long enough.
    Resolved,
    /// The cap is in force. Its doing is that the server is quiet, so the case does not resolve by itself.
    Applied,
    /// The cap is lifted and the case is closed: what was seen up to now never counts again.
    Lifted,
    /// A person closed the case: what was seen up to now never counts again, and the rules that hold are spent
    /// until they no longer do.
    Dismissed,
    /// A person opened the case again. No rule is spent any more.
    Reopened,
}

/// What of the past still matters for one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Whether a case is open.
    pub open: bool,
    /// Whether that case's cap is in force.
    pub applied: bool,
    /// The rules that hold, each with the slot in which it began to. Not empty only while a case is open.
    pub holding: BTreeMap<Rule, Slot>,
    /// The first slot since which no rule has held while the case is open.
    pub quiet_from: Option<Slot>,
    /// Slots before this one are no evidence; `None`: all are.
    pub evidence_from: Option<Slot>,
    /// Rules that held when a case was dismissed, and have held ever since.
    pub spent: RuleSet,
    /// The slots of the last two resolutions, the earlier one first.
    pub resolved: [Option<Slot>; 2],
}

impl Standing {
    /// That of a server to which nothing has happened.
    pub const CALM: Self = Self {
        open: false,
        applied: false,
        holding: BTreeMap::new(),
        quiet_from: None,
        evidence_from: None,
        spent: RuleSet::NONE,
        resolved: [None, None],
    };

    /// Takes in what happened in `slot`: for what a person did the slot in which it was done, which is no evidence
    /// any more after a lift or a dismissal.
    pub fn take(&mut self, slot: Slot, event: Event) {
        match event {
            Event::Opened => self.open_in(slot),
            Event::Began(rule) => {
                // A log may lack that it was freed before.
                self.spent = self.spent.without(rule);
                self.holding.insert(rule, slot);
                self.quiet_from = None;
            }
            Event::LetGo(rule) => {
                self.holding.remove(&rule);
                self.quiet_from = (self.open && self.holding.is_empty()).then_some(slot);
            }
            Event::Freed(rule) => self.spent = self.spent.without(rule),
            Event::Resolved => {
                self.resolved = [self.resolved[1], Some(slot)];
                self.close();
            }
            Event::Applied => self.applied = self.open,
            Event::Lifted => {
                self.evidence_from = self.evidence_from.max(Some(slot.next()));
                self.close();
            }
            Event::Dismissed => {
                self.evidence_from = self.evidence_from.max(Some(slot.next()));
                self.spent = self.spent.union(self.held());
                self.close();
            }
            Event::Reopened => {
                self.spent = RuleSet::NONE;
                self.open_in(slot);
            }
        }
    }

    fn open_in(&mut self, slot: Slot) {
        self.open = true;
        self.applied = false;
        self.quiet_from = self.holding.is_empty().then_some(slot);
    }

    fn close(&mut self) {
        self.open = false;
        self.applied = false;
        self.holding.clear();
        self.quiet_from = None;
    }

    /// The rules that hold.
    #[must_use]
    pub fn held(&self) -> RuleSet {
        self.holding.keys().copied().collect()
    }

    /// How `rule` is to be asked under a policy with `release_percent`. Whether a spent rule still holds is judged
    /// by all there is, or the dismissal itself would let go of it.
    #[must_use]
    pub fn ask(&self, rule: Rule, release_percent: u32) -> Ask {
        let ever = Slot(i64::MIN);
        let from = self.evidence_from.unwrap_or(ever);
        if self.spent.contains(rule) {
            Ask { at_percent: release_percent, from: ever }
        } else if self.holding.contains_key(&rule) {
            Ask { at_percent: release_percent, from }
        } else {
            Ask { at_percent: 100, from }
        }
    }

    /// What happens in `slot`, in which `met` are the rules that were met as [`Standing::ask`] says: in the order
    /// in which a log has it.
    #[must_use]
    pub fn next(&self, slot: Slot, met: RuleSet, quiet_slots: u32) -> Vec<Event> {
        let held = self.held();
        let hold = met.minus(self.spent);
        if !self.open && hold.is_empty() && self.spent.minus(met).is_empty() {
            return Vec::new();
        }
        let mut events: Vec<Event> = self.spent.minus(met).iter().map(Event::Freed).collect();
        events.extend(held.minus(hold).iter().map(Event::LetGo));
        if !self.open && !hold.is_empty() {
            events.push(Event::Opened);
        }
        events.extend(hold.minus(held).iter().map(Event::Began));
        if self.open && !self.applied && hold.is_empty() {
            let quiet_from = self.quiet_from.unwrap_or(slot);
            let quiet = slot.0.saturating_sub(quiet_from.0).saturating_add(1);
            let seldom = self.resolved[0].is_none_or(|earlier| slot.0.saturating_sub(earlier.0) >= DAY_SLOTS);
            if quiet >= i64::from(quiet_slots) && seldom {
                events.push(Event::Resolved);
            }
        }
        events
    }
}

impl Default for Standing {
    fn default() -> Self {
        Self::CALM
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_begins_anew_is_not_spent_any_more() {
        let mut standing = Standing::CALM;
        for (slot, event) in [
            (1, Event::Opened),
            (1, Event::Began(Rule::Sustained)),
            (5, Event::Dismissed),
            // That it was freed has no step in a log.
            (90, Event::Opened),
            (90, Event::Began(Rule::Sustained)),
        ] {
            standing.take(Slot(slot), event);
        }
        assert!(standing.spent.is_empty());
        let met = RuleSet::NONE.with(Rule::Sustained);
        assert_eq!(standing.next(Slot(91), met, 24), []);
    }
}
