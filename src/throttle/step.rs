//! What somebody did about a case: who, when, what and why. Steps are the facts; they are only ever added to.

use std::fmt;

use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::case::State;
use super::recommendation::Recommendation;
use crate::collectors::check_name;
use crate::inventory::instant::Instant;
use crate::metering::throttle::Rule;
use crate::metering::units::Bps;

/// The name under which the service itself acts; nobody else does.
pub const SERVICE: &str = "meter95";

/// The longest reason, in characters: a page.
pub const WHY_CHARS_MAX: usize = 4_000;

/// The longest name of a contact and the longest detail of an attempt, in characters: what a mail server says fits.
pub const DETAIL_CHARS_MAX: usize = 1_000;

/// A step of a case.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = TakenStep)]
pub struct Step {
    /// The case's number.
    pub case: u64,
    /// Its number within the case, from 1.
    pub number: u32,
    /// Its number among all steps of all cases, from 1; 0 for whoever sees only some of the cases.
    pub serial: u64,
    /// When it was taken.
    #[serde(serialize_with = "instant")]
    #[schema(value_type = Instant)]
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why.
    pub why: String,
    /// What was done.
    #[serde(flatten)]
    pub body: Body,
}

/// What is done in a step. As JSON it is an object with a `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = StepBody)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// Rules began to hold, and a case was opened.
    Opened {
        /// The slot in which they did, by its first instant.
        slot: Instant,
        /// What is recommended.
        recommendation: Box<Recommendation>,
    },
    /// Another rule began to hold.
    Fired {
        /// Which.
        rule: Rule,
        /// The slot in which it did, by its first instant.
        slot: Instant,
        /// What is recommended now.
        recommendation: Box<Recommendation>,
    },
    /// A rule was let go.
    Released {
        /// Which.
        rule: Rule,
        /// The slot in which it was, by its first instant.
        slot: Instant,
    },
    /// The customer was told.
    Notified,
    /// A limit was approved.
    Approved,
    /// A limit was put on the ports.
    Applied {
        /// The limit, in bit/s.
        cap_bps: Bps,
        /// Until when it should stay.
        until: Instant,
    },
    /// The limit was taken off.
    Lifted,
    /// Nothing is done about it.
    Dismissed,
    /// No rule has held for long enough.
    Resolved {
        /// The slot after which that was found, by its first instant.
        slot: Instant,
    },
    /// It was taken up again after it had ended.
    Reopened,
    /// It is left alone for a while.
    Snoozed {
        /// Until when.
        until: Instant,
    },
    /// It is not left alone any longer.
    Woken,
    /// Something was said about it.
    Noted,
    /// Somebody tried to reach a contact.
    Attempted(Attempt),
    /// The customer answered.
    Answered,
    /// Every contact was tried in every round.
    Ready,
}

/// An attempt to reach a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ContactAttempt)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// In which round, from 1.
    pub round: u32,
    /// Which of the customer's contacts, from 1; 0 for somebody who is none of them.
    pub contact: u32,
    /// The contact's name.
    pub name: String,
    /// Which way.
    pub channel: Channel,
    /// What came of it.
    pub outcome: Outcome,
    /// More about that, such as the address, or what the other side said.
    #[serde(default)]
    pub detail: String,
}

/// A way to reach a contact.
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
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A mail
    Mail,
    /// A webhook of the customer's
    Webhook,
    /// A call, which a person makes
    Phone,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, utoipa::ToSchema)]
#[schema(as = AttemptOutcome)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The other side has taken it: a mail or message was accepted, a call was answered
    Sent,
    /// It could not be made
    Failed,
    /// Nobody answered the call
    NoAnswer,
}

/// What is done in a step, without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "said at Body")]
pub enum StepKind {
    Opened,
    Fired,
    Released,
    Notified,
    Approved,
    Applied,
    Lifted,
    Dismissed,
    Resolved,
    Reopened,
    Snoozed,
    Woken,
    Noted,
    Attempted,
    Answered,
    Ready,
}

/// Why a step can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The case is not where this step goes on from.
    #[error("case {case} is {state} and can't be {kind}: {instead}")]
    NotNow {
        /// The case.
        case: u64,
        /// How it stands.
        state: State,
        /// The step.
        kind: StepKind,
        /// What is possible instead.
        instead: &'static str,
    },
    /// The customer was not told.
    #[error(
        "case {case} can't be {kind} before the customer is told: contact them, then record that with `notify` or \
         `attempt`; only a case of flood may go without"
    )]
    NotNotified {
        /// The case.
        case: u64,
        /// The step.
        kind: StepKind,
    },
    /// A step that is not for whoever takes it.
    #[error("a case is {kind} {whose}, not by {by:?}")]
    NotTheirs {
        /// The step.
        kind: StepKind,
        /// By whom it is taken.
        whose: &'static str,
        /// Who would.
        by: String,
    },
    /// A part of the step that can't be.
    #[error("{field}: {says}")]
    Value {
        /// The part.
        field: &'static str,
        /// What is wrong with it.
        says: String,
    },
    /// A rule that holds already, or does not hold.
    #[error("rule {} {says} in case {case}", .rule.name())]
    Rule {
        /// The case.
        case: u64,
        /// The rule.
        rule: Rule,
        /// What is the matter with it.
        says: &'static str,
    },
    /// An attempt of which the outcome is known.
    #[error(
        "what came of contact {contact} by {channel} in round {round} of case {case} is recorded already; say `note` for \
         more about it"
    )]
    Recorded {
        /// The case.
        case: u64,
        /// The round.
        round: u32,
        /// The contact.
        contact: u32,
        /// Which way.
        channel: Channel,
    },
    /// Steps that do not follow one another.
    #[error("step {number} of case {case} does not follow: step {expected} of case {of} would")]
    Order {
        /// The step's case.
        case: u64,
        /// Its number.
        number: u32,
        /// The case that goes on.
        of: u64,
        /// The number of its next step.
        expected: u32,
    },
}

impl Body {
    /// What is done, without the details.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        match self {
            Self::Opened { .. } => StepKind::Opened,
            Self::Fired { .. } => StepKind::Fired,
            Self::Released { .. } => StepKind::Released,
            Self::Notified => StepKind::Notified,
            Self::Approved => StepKind::Approved,
            Self::Applied { .. } => StepKind::Applied,
            Self::Lifted => StepKind::Lifted,
            Self::Dismissed => StepKind::Dismissed,
            Self::Resolved { .. } => StepKind::Resolved,
            Self::Reopened => StepKind::Reopened,
            Self::Snoozed { .. } => StepKind::Snoozed,
            Self::Woken => StepKind::Woken,
            Self::Noted => StepKind::Noted,
            Self::Attempted(_) => StepKind::Attempted,
            Self::Answered => StepKind::Answered,
            Self::Ready => StepKind::Ready,
        }
    }
}

impl StepKind {
    /// The word under which it is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Fired => "fired",
            Self::Released => "released",
            Self::Notified => "notified",
            Self::Approved => "approved",
            Self::Applied => "applied",
            Self::Lifted => "lifted",
            Self::Dismissed => "dismissed",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
            Self::Snoozed => "snoozed",
            Self::Woken => "woken",
            Self::Noted => "noted",
            Self::Attempted => "attempted",
            Self::Answered => "answered",
            Self::Ready => "ready",
        }
    }

    /// Who takes such steps; `None`: anybody.
    fn taken_by(self) -> Option<Taker> {
        match self {
            Self::Opened | Self::Fired | Self::Released | Self::Resolved | Self::Ready => {
                Some(Taker::Service)
            }
            Self::Approved
            | Self::Applied
            | Self::Lifted
            | Self::Dismissed
            | Self::Reopened
            | Self::Snoozed
            | Self::Answered => Some(Taker::Person),
            Self::Notified | Self::Woken | Self::Noted | Self::Attempted => None,
        }
    }
}

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taker {
    Service,
    Person,
}

impl Channel {
    /// The word under which it is known.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::Phone => "phone",
        }
    }
}

impl Outcome {
    /// The word under which it is known.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::NoAnswer => "no_answer",
        }
    }
}

impl Attempt {
    /// Whether somebody has been told by it.
    #[must_use]
    pub fn reached(&self) -> bool {
        self.outcome == Outcome::Sent
    }

    fn check(&self) -> Result<(), StepError> {
        let value = |field, says: &str| Err(StepError::Value { field, says: says.to_owned() });
        if self.round == 0 {
            return value("round", "rounds count from 1");
        }
        if self.outcome == Outcome::NoAnswer && self.channel != Channel::Phone {
            return value("outcome", "only a call has no answer; a mail or a webhook is sent or failed");
        }
        if self.name.trim().is_empty() {
            return value("name", "say who was to be reached");
        }
        for (field, text) in [("name", &self.name), ("detail", &self.detail)] {
            if text.chars().nth(DETAIL_CHARS_MAX).is_some() {
                return value(field, &format!("longer than {DETAIL_CHARS_MAX} characters"));
            }
        }
        Ok(())
    }
}

impl Step {
    /// Looks at everything that does not depend on the case: who, why, and values that can't be.
    ///
    /// # Errors
    /// With the part that can't be.
    pub fn check(&self) -> Result<(), StepError> {
        let value = |field, says: String| Err(StepError::Value { field, says });
        if let Err(error) = check_name(&self.by) {
            return value("by", error.to_string());
        }
        if self.why.trim().is_empty() {
            return value("why", "this is kept with what is done: say why".to_owned());
        }
        if self.why.chars().nth(WHY_CHARS_MAX).is_some() {
            return value("why", format!("longer than {WHY_CHARS_MAX} characters"));
        }
        let kind = self.body.kind();
        let whose = match kind.taken_by() {
            Some(Taker::Service) if self.by != SERVICE => "by the service itself",
            Some(Taker::Person) if self.by == SERVICE => "by a person or by what acts for one",
            Some(Taker::Service | Taker::Person) | None => "",
        };
        if !whose.is_empty() {
            return Err(StepError::NotTheirs { kind, whose, by: self.by.clone() });
        }
        match &self.body {
            Body::Opened { recommendation, .. } if recommendation.rules.is_empty() => {
                value("recommendation", "no rule holds".to_owned())
            }
            Body::Applied { cap_bps: Bps(0), .. } => {
                value("cap_bps", "a limit of 0 cuts the server off".to_owned())
            }
            Body::Applied { until, .. } | Body::Snoozed { until } if until.0 <= self.at => {
                value("until", "it lies in the past".to_owned())
            }
            Body::Attempted(attempt) => attempt.check(),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn instant<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    Instant(*at).serialize(to)
}
