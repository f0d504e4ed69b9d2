//! How servers stand by the log of their cases: what the rules go on from after a restart.

use std::collections::BTreeMap;

use super::case::Case;
use super::step::{Body, Step};
use crate::metering::throttle::standing::{Event, Standing};
use crate::metering::units::Slot;

/// How a server stands by the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resumed {
    /// What of the past still matters.
    pub standing: Standing,
    /// The newest slot of which the log says that the rules looked at it; they may have looked at later ones, in which nothing
    /// happened.
    pub looked_at: Option<Slot>,
    /// The open case.
    pub open: Option<u64>,
}

/// How the servers of `cases` stand: the fold of all their steps, in the order in which they were taken.
///
/// A rule that was held against a server when a case was dismissed, and was let go since, has no step: it is let go again in
/// the first slot that is looked at, unless it holds anew just then.
#[must_use]
pub fn standings<'a>(cases: impl Iterator<Item = &'a Case>) -> BTreeMap<String, Resumed> {
    let mut steps: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for case in cases {
        steps.entry(case.server()).or_default().extend(&case.steps);
    }
    let resumed = |(server, mut steps): (&str, Vec<&Step>)| {
        steps.sort_unstable_by_key(|step| step.serial);
        let mut resumed = Resumed::default();
        for step in steps {
            resumed.take(step);
        }
        (server.to_owned(), resumed)
    };
    steps.into_iter().map(resumed).collect()
}

/// What a person's step is to the rules; `None` where it is nothing to them, or was written by the rules themselves.
#[must_use]
pub fn acts(body: &Body) -> Option<Event> {
    match body {
        Body::Applied { .. } => Some(Event::Applied),
        Body::Lifted => Some(Event::Lifted),
        Body::Dismissed => Some(Event::Dismissed),
        Body::Reopened => Some(Event::Reopened),
        Body::Opened { .. }
        | Body::Fired { .. }
        | Body::Released { .. }
        | Body::Resolved { .. }
        | Body::Notified
        | Body::Approved
        | Body::Snoozed { .. }
        | Body::Woken
        | Body::Noted
        | Body::Attempted(_)
        | Body::Answered
        | Body::Ready => None,
    }
}

impl Resumed {
    fn take(&mut self, step: &Step) {
        match &step.body {
            Body::Opened { slot, recommendation } => {
                let slot = Slot::of(slot.0);
                self.saw(slot, Event::Opened);
                for rule in recommendation.held() {
                    self.saw(slot, Event::Began(rule));
                }
                self.open = Some(step.case);
            }
            Body::Fired { rule, slot, .. } => self.saw(Slot::of(slot.0), Event::Began(*rule)),
            Body::Released { rule, slot } => self.saw(Slot::of(slot.0), Event::LetGo(*rule)),
            Body::Resolved { slot } => {
                self.saw(Slot::of(slot.0), Event::Resolved);
                self.open = None;
            }
            body => {
                let Some(event) = acts(body) else { return };
                self.standing.take(Slot::of(step.at), event);
                match event {
                    Event::Reopened => self.open = Some(step.case),
                    Event::Lifted | Event::Dismissed => self.open = None,
                    _ => {}
                }
            }
        }
    }

    /// Takes in what the rules wrote.
    fn saw(&mut self, slot: Slot, event: Event) {
        self.standing.take(slot, event);
        self.looked_at = self.looked_at.max(Some(slot));
    }
}
