//! One server's recommendation with its history: a fold of its steps, and what may come next (SPEC.md section 9).
//!
//! `open -> notified -> approved -> applied -> lifted`, or `dismissed` / `resolved`. No limit is approved or applied before
//! the customer was told since the case was opened or reopened, except where `flood` is among the rules that have held
//! in it. What has ended takes notes, and can be reopened.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};

use super::recommendation::Recommendation;
use super::step::{Attempt, Body, Channel, Step, StepError, StepKind};
use crate::inventory::instant::Instant;
use crate::metering::throttle::Rule;
use crate::metering::units::Bps;

/// How a case stands.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
    utoipa::ToSchema,
)]
#[schema(as = CaseState)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing was done so far
    Open,
    /// The customer was told
    Notified,
    /// A limit was approved
    Approved,
    /// A limit is on the ports
    Applied,
    /// The limit was taken off; it has ended
    Lifted,
    /// Nothing is done about it; it has ended
    Dismissed,
    /// No rule has held for long enough; it has ended
    Resolved,
}

impl State {
    /// The word under which it is known.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Notified => "notified",
            Self::Approved => "approved",
            Self::Applied => "applied",
            Self::Lifted => "lifted",
            Self::Dismissed => "dismissed",
            Self::Resolved => "resolved",
        }
    }

    /// Whether the case has ended.
    #[must_use]
    pub fn is_over(self) -> bool {
        match self {
            Self::Open | Self::Notified | Self::Approved | Self::Applied => false,
            Self::Lifted | Self::Dismissed | Self::Resolved => true,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A limit that was put on ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = CaseLimit)]
pub struct Limit {
    /// The limit, in bit/s.
    pub cap_bps: Bps,
    /// Until when it should stay.
    pub until: Instant,
}

/// A case, as its steps have made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its number.
    pub id: u64,
    /// How it stands.
    pub state: State,
    /// Since when it stands so.
    pub since: Timestamp,
    /// When it was opened, or reopened last.
    pub begun_at: Timestamp,
    /// How often it was reopened.
    pub reopenings: u32,
    /// The rules that hold, each with the slot since which it does, by its first instant.
    pub holding: BTreeMap<Rule, Instant>,
    /// The rules that hold or have held in it, ever.
    pub held: BTreeSet<Rule>,
    /// The slot in which a rule was let go last, by its first instant.
    pub released: Option<Instant>,
    /// The newest recommendation.
    pub recommendation: Arc<Recommendation>,
    /// When the customer was told, since it was begun.
    pub notified_at: Option<Timestamp>,
    /// The limit that is on the ports, or was when it ended.
    pub limit: Option<Limit>,
    /// Until when it is left alone.
    pub snoozed_until: Option<Instant>,
    /// Since when contacts may be tried: when it was begun, or woken since.
    pub contact_from: Timestamp,
    /// The attempts to reach somebody since it was begun, and when each was recorded.
    pub attempts: Vec<(Timestamp, Attempt)>,
    /// When the customer answered, since it was begun.
    pub answered_at: Option<Timestamp>,
    /// When every contact had been tried in every round, since it was begun.
    pub ready_at: Option<Timestamp>,
    /// All steps, in their order.
    pub steps: Vec<Step>,
}

impl Case {
    /// The case that a first step opens.
    ///
    /// # Errors
    /// When it is not one that opens, or can't be.
    pub fn open(step: Step) -> Result<Self, StepError> {
        step.check()?;
        let (case, number) = (step.case, step.number);
        let Body::Opened { slot, recommendation } = &step.body else {
            return Err(StepError::Order { case, number, of: case, expected: 1 });
        };
        if number != 1 {
            return Err(StepError::Order { case, number, of: case, expected: 1 });
        }
        Ok(Self {
            id: case,
            state: State::Open,
            since: step.at,
            begun_at: step.at,
            reopenings: 0,
            holding: recommendation.held().map(|rule| (rule, *slot)).collect(),
            held: recommendation.held().collect(),
            released: None,
            recommendation: Arc::new((**recommendation).clone()),
            notified_at: None,
            limit: None,
            snoozed_until: None,
            contact_from: step.at,
            attempts: Vec::new(),
            answered_at: None,
            ready_at: None,
            steps: vec![step],
        })
    }

    /// Takes the next step. A step that is refused changes nothing.
    ///
    /// # Errors
    /// When it does not follow, may not be taken now, or can't be.
    pub fn take(&mut self, step: Step) -> Result<(), StepError> {
        step.check()?;
        let expected = self.next_number();
        if (step.case, step.number) != (self.id, expected) {
            let Step { case, number, .. } = step;
            return Err(StepError::Order { case, number, of: self.id, expected });
        }
        self.permits(&step.body)?;
        self.fold(&step);
        self.steps.push(step);
        Ok(())
    }

    /// The number of the next step.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        u32::try_from(self.steps.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.recommendation.server
    }

    /// When it was opened for the first time.
    #[must_use]
    pub fn opened_at(&self) -> Timestamp {
        self.steps.first().map_or(self.begun_at, |step| step.at)
    }

    /// The newest step.
    #[must_use]
    pub fn last_step(&self) -> Option<&Step> {
        self.steps.last()
    }

    /// The newest round in which somebody was tried, from 1.
    #[must_use]
    pub fn round(&self) -> u32 {
        self.attempts.iter().map(|(_, attempt)| attempt.round).max().unwrap_or(1)
    }

    /// Whether it is left alone at `now`.
    #[must_use]
    pub fn is_snoozed(&self, now: Timestamp) -> bool {
        self.snoozed_until.is_some_and(|until| now < until.0)
    }

    /// The limit that is on the ports, or the one that is recommended.
    #[must_use]
    pub fn limit(&self) -> Limit {
        let Recommendation { cap, until, .. } = &*self.recommendation;
        self.limit.unwrap_or(Limit { cap_bps: cap.cap_bps, until: *until })
    }

    /// Whether the customer need not be told first: it is, or was, possible abuse rather than heavy use.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.held.contains(&Rule::Flood)
    }

    /// Whether this may be done next.
    ///
    /// # Errors
    /// When it may not, with what may be done instead.
    pub fn permits(&self, body: &Body) -> Result<(), StepError> {
        let (case, kind) = (self.id, body.kind());
        let no = |instead| Err(StepError::NotNow { case, state: self.state, kind, instead });
        let rule = |rule: Rule, says| Err(StepError::Rule { case, rule, says });
        let told = self.notified_at.is_some() || self.is_urgent();
        match (kind, self.state) {
            (StepKind::Noted, _) => return Ok(()),
            (StepKind::Opened, _) => return no("it was opened once and for all"),
            (StepKind::Reopened, state) if state.is_over() => return Ok(()),
            (StepKind::Reopened, _) => return no("it has not ended"),
            (_, state) if state.is_over() => return no("it has ended; `reopen` it first, or add a `note`"),
            _ => {}
        }
        match (body, self.state) {
            (Body::Fired { rule: fired, recommendation, .. }, _) => {
                if self.holding.contains_key(fired) {
                    return rule(*fired, "holds already");
                }
                if recommendation.server != self.server() {
                    let says = format!("it is of server {:?}", recommendation.server);
                    return Err(StepError::Value { field: "recommendation", says });
                }
            }
            (Body::Released { rule: released, .. }, _) if !self.holding.contains_key(released) => {
                return rule(*released, "does not hold");
            }
            (Body::Notified, _) if self.notified_at.is_some() => {
                return no("the customer was told; record a further contact with `attempt`");
            }
            (Body::Approved | Body::Applied { .. }, State::Applied) => {
                return no("a limit is on the ports; `lift` it first");
            }
            (Body::Approved | Body::Applied { .. }, _) if !told => {
                return Err(StepError::NotNotified { case, kind });
            }
            (Body::Approved, State::Approved) => {
                return no("it was approved; `apply` the limit or `dismiss` it");
            }
            (Body::Applied { .. }, State::Open | State::Notified) => return no("`approve` it first"),
            (Body::Lifted, State::Open | State::Notified | State::Approved) => {
                return no("no limit is on the ports; `dismiss` it to end it");
            }
            (Body::Dismissed | Body::Resolved { .. }, State::Applied) => {
                return no("a limit is on the ports; `lift` it to end the case");
            }
            (Body::Resolved { .. }, _) => {
                if let Some(holding) = self.holding.keys().next() {
                    return rule(*holding, "still holds");
                }
            }
            (Body::Woken, _) if self.snoozed_until.is_none() => return no("it is not snoozed"),
            (Body::Ready, _) if self.ready_at.is_some() || self.answered_at.is_some() => {
                return no("its rounds are over, or the customer answered");
            }
            (Body::Attempted(attempt), _) => return self.not_recorded(attempt),
            _ => {}
        }
        Ok(())
    }

    /// What comes of a mail or a webhook is recorded once; a person may be called as often as need be.
    fn not_recorded(&self, attempt: &Attempt) -> Result<(), StepError> {
        let Attempt { round, contact, channel, .. } = *attempt;
        let same =
            |(_, a): &(Timestamp, Attempt)| (a.round, a.contact, a.channel) == (round, contact, channel);
        if channel == Channel::Phone || contact == 0 || !self.attempts.iter().any(same) {
            return Ok(());
        }
        Err(StepError::Recorded { case: self.id, round, contact, channel })
    }

    /// What a step makes of the case. It was permitted.
    fn fold(&mut self, step: &Step) {
        match &step.body {
            Body::Opened { .. } | Body::Noted => {}
            Body::Fired { rule, slot, recommendation } => {
                self.holding.insert(*rule, *slot);
                self.held.insert(*rule);
                self.recommendation = Arc::new((**recommendation).clone());
            }
            Body::Released { rule, slot } => {
                self.holding.remove(rule);
                self.released = Some(*slot);
            }
            Body::Notified => {
                self.notified_at = Some(step.at);
                if self.state == State::Open {
                    self.enter(State::Notified, step.at);
                }
            }
            Body::Approved => self.enter(State::Approved, step.at),
            Body::Applied { cap_bps, until } => {
                self.limit = Some(Limit { cap_bps: *cap_bps, until: *until });
                self.enter(State::Applied, step.at);
            }
            Body::Lifted => self.end(State::Lifted, step.at),
            Body::Dismissed => self.end(State::Dismissed, step.at),
            Body::Resolved { .. } => self.end(State::Resolved, step.at),
            Body::Reopened => {
                self.reopenings = self.reopenings.saturating_add(1);
                (self.begun_at, self.contact_from) = (step.at, step.at);
                (self.notified_at, self.answered_at, self.ready_at) = (None, None, None);
                (self.limit, self.snoozed_until) = (None, None);
                self.attempts.clear();
                self.enter(State::Open, step.at);
            }
            Body::Snoozed { until } => {
                self.snoozed_until = Some(*until);
                self.contact_from = until.0;
            }
            Body::Woken => {
                self.snoozed_until = None;
                self.contact_from = step.at;
            }
            Body::Attempted(attempt) => self.attempts.push((step.at, attempt.clone())),
            Body::Answered => self.answered_at = Some(step.at),
            Body::Ready => self.ready_at = Some(step.at),
        }
    }

    /// No rule holds in what has ended: one that goes on does so in whatever comes after it.
    fn end(&mut self, state: State, at: Timestamp) {
        self.holding.clear();
        self.enter(state, at);
    }

    fn enter(&mut self, state: State, at: Timestamp) {
        self.state = state;
        self.since = at;
    }
}
