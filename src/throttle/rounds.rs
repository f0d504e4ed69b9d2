//! Carries out what is due to reach customers: writes letters, sees what became of them, and records it in the case.
//!
//! What is due follows from the case's steps ([`contact`]), and a letter has the same id however often it is written. So a
//! stop at any moment loses no contact and makes none twice.

use std::time::Duration;

use meter95_reading::Timestamp;
use serde_json::json;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::case::Case;
use super::contact::{Next, Planned, Rounds, plan};
use super::desk::{CaseError, Cases, Filter, by_service};
use super::letter::{Message, To};
use super::step::{Attempt, Channel, Outcome};
use super::templates::Templates;
use crate::aggregator::pipeline::Live;
use crate::alerts::event::{Letter, Recipient};
use crate::alerts::outbox::{self, Outbox, OutboxError};
use crate::inventory::instant::Instant;
use crate::inventory::{Contact, Language};

/// How often is looked what is due and what became of it.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How the service contacts customers.
#[derive(Clone)]
pub struct Contacts {
    /// The inventory in force, which has the customers.
    pub live: Live,
    /// The cases.
    pub cases: Cases,
    /// Where letters are put.
    pub outbox: Outbox,
    /// The words of letters.
    pub templates: Templates,
    /// How contacts are tried.
    pub rounds: Rounds,
    /// Whether the service writes by itself; otherwise people do, and only the end of the rounds is recorded here.
    pub automatic: bool,
}

/// Why a case's contacts were not dealt with.
#[derive(Debug, thiserror::Error)]
pub enum ContactError {
    /// The case can't be written.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The letter can't be put.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
}

impl Contacts {
    /// Looks what is due until `stop`.
    pub async fn run(self, now: impl Fn() -> Timestamp, stop: CancellationToken) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.look(now()).await {
                tracing::error!(error = %error, "cases can't be read for their contacts");
            }
        }
    }

    /// Does what is due at `now` for every case that has not ended. What fails for one delays no other.
    ///
    /// # Errors
    /// When the cases can't be read.
    pub async fn look(&self, now: Timestamp) -> Result<(), CaseError> {
        for case in self.cases.list(&Filter { open: Some(true), ..Filter::default() }).await? {
            if let Err(error) = self.contact(&case, now).await {
                let case = case.id;
                tracing::warn!(case, error = %error, "customer of a case could not be contacted, trying again");
            }
        }
        Ok(())
    }

    async fn contact(&self, case: &Case, now: Timestamp) -> Result<(), ContactError> {
        let customer = &case.recommendation.customer;
        let contacts = {
            let live = self.live.read();
            live.inventory().customers.get(customer).map_or_else(Vec::new, |found| found.contacts.clone())
        };
        let plan = plan(case, &contacts, self.rounds, now);
        if self.automatic {
            for attempt in &plan.attempts {
                let at = usize::try_from(attempt.contact).unwrap_or(usize::MAX).wrapping_sub(1);
                if let Some(contact) = contacts.get(at) {
                    self.attempt(case, attempt, contact, now).await?;
                }
            }
        }
        let why = match plan.next {
            Next::Ready => "every contact was told in every round, and nobody answered",
            Next::NobodyReached => "every contact was tried in every round, and nobody was reached",
            Next::Nothing(_) | Next::Wait { .. } | Next::Call { .. } | Next::NoContact => return Ok(()),
        };
        self.cases.ready(case.id, why, now).await?;
        Ok(())
    }

    /// Writes the letter, or records what became of it.
    async fn attempt(
        &self,
        case: &Case,
        planned: &Planned,
        contact: &Contact,
        now: Timestamp,
    ) -> Result<(), ContactError> {
        let to = match planned.channel {
            Channel::Mail => contact.email.clone().map(|address| Recipient::Mail { address }),
            Channel::Webhook => contact.webhook.clone().map(|name| Recipient::Webhook { name }),
            Channel::Phone => None,
        };
        let Some(to) = to else { return Ok(()) };
        let detail = match &to {
            Recipient::Mail { address } => address.clone(),
            Recipient::Webhook { name } => name.clone(),
        };
        let outcome = match self.outbox.outcome(&planned.id).await.map_err(OutboxError::from)? {
            None => {
                let Rounds { rounds, answer_ms, .. } = self.rounds;
                let (lang, answer_by) =
                    (contact.language.unwrap_or(Language::En), Instant(now.plus_ms(answer_ms)));
                let to_whom = To { contact: &contact.name, lang, round: planned.round, rounds, answer_by };
                let letter = super::letter::Letter::new(case, &to_whom);
                let Message { subject, text } = match self.templates.letter(lang, &letter) {
                    Ok(message) => message,
                    // A template that can't be used for this one must not keep the others from being told.
                    Err(error) => {
                        return self
                            .record(case, planned, Outcome::Failed, format!("{detail}: {error}"), now)
                            .await;
                    }
                };
                let data = json!({ "case": case.id, "round": planned.round, "recommendation": &*case.recommendation });
                let letter = Letter { id: planned.id.clone(), at: now, to, subject, text, data };
                match self.outbox.post(letter, now).await {
                    Ok(()) => return Ok(()),
                    // No way to this contact: that is what came of it, and the next one has their turn.
                    Err(error @ (OutboxError::NoWay(_) | OutboxError::Unsendable(_))) => {
                        (Outcome::Failed, format!("{detail}: {error}"))
                    }
                    Err(error @ OutboxError::Store(_)) => return Err(error.into()),
                }
            }
            Some(outbox::Outcome::Pending { .. }) => return Ok(()),
            Some(outbox::Outcome::Delivered { .. }) => (Outcome::Sent, detail),
            Some(outbox::Outcome::Failed { reason, .. }) => (Outcome::Failed, format!("{detail}: {reason}")),
        };
        let (outcome, detail) = outcome;
        self.record(case, planned, outcome, detail, now).await
    }

    /// Records what came of an attempt.
    async fn record(
        &self,
        case: &Case,
        planned: &Planned,
        outcome: Outcome,
        detail: String,
        now: Timestamp,
    ) -> Result<(), ContactError> {
        let Planned { round, contact, name, channel, .. } = planned.clone();
        let attempt = Attempt { round, contact, name, channel, outcome, detail };
        let word = by_service(&format!("round {round} of contacting the customer"), now);
        self.cases.attempt(case.id, attempt, &word).await?;
        Ok(())
    }
}
