//! Whom to tell next, and when: rounds through a customer's contacts, in their order. Pure; the service does what it can
//! do by itself, and a person the rest.
//!
//! A contact's turn comes when the one before was tried, and some time has passed for an answer. By mail and webhook they are
//! tried at once; one with a phone only waits for a person to record the call, and if nobody does its time passes. A round
//! is over when every contact had its turn; then there is time for an answer before the next one begins. What was tried
//! is what the case's steps say, so everything here can be asked again at any moment, also after a restart.

#[cfg(test)]
mod tests;

use meter95_reading::Timestamp;
use serde::Serialize;

use super::case::{Case, State};
use super::step::{Attempt, Channel};
use crate::inventory::Contact;
use crate::inventory::instant::Instant;

/// Rounds unless configured.
pub const ROUNDS_DEFAULT: u32 = 2;

/// From one contact to the next unless configured: half an hour.
pub const BETWEEN_CONTACTS_MS_DEFAULT: i64 = 1_800_000;

/// Time for an answer unless configured: a day.
pub const ANSWER_MS_DEFAULT: i64 = 86_400_000;

/// How contacts are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    /// How often all of them are.
    pub rounds: u32,
    /// How long after one contact the next is, in ms.
    pub between_contacts_ms: i64,
    /// How long after a round's last contact there is time for an answer, in ms; also how long an attempt of which nothing
    /// is known holds up the next contact.
    pub answer_ms: i64,
}

/// An attempt to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// Its id: the same however often it is asked for.
    pub id: String,
    /// In which round, from 1.
    pub round: u32,
    /// Which contact, from 1.
    pub contact: u32,
    /// The contact's name.
    pub name: String,
    /// Which way.
    pub channel: Channel,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Plan {
    /// Mails and webhooks whose turn has come and of which nothing was recorded so far, in the order of their turns.
    pub attempts: Vec<Planned>,
    /// What happens after that.
    #[serde(flatten)]
    pub next: Next,
}

/// What happens besides the attempts that are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(tag = "next", rename_all = "snake_case")]
pub enum Next {
    /// Nothing: nobody is to be contacted.
    Nothing(Why),
    /// Nothing until then, or until something more is recorded.
    Wait {
        /// The instant.
        until: Instant,
    },
    /// A person calls a contact and records what came of it.
    Call {
        /// In which round, from 1.
        round: u32,
        /// Which contact, from 1.
        contact: u32,
        /// When its time has passed.
        until: Instant,
    },
    /// All rounds are over and the customer, who was told, did not answer: a limit can be approved.
    Ready,
    /// A person has to find out whom to tell.
    #[default]
    NoContact,
    /// All rounds are over and nobody was reached: a person has to find another way.
    NobodyReached,
}

/// Why nobody is to be contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// The case has ended.
    Ended,
    /// The customer answered.
    Answered,
    /// The case is left alone for a while.
    Snoozed,
    /// The customer was told, and a limit was approved.
    Decided,
    /// The rounds are over, and that is recorded.
    Over,
}

impl Default for Rounds {
    fn default() -> Self {
        Self {
            rounds: ROUNDS_DEFAULT,
            between_contacts_ms: BETWEEN_CONTACTS_MS_DEFAULT,
            answer_ms: ANSWER_MS_DEFAULT,
        }
    }
}

/// The ways of a contact that need no person.
fn automatic(contact: &Contact) -> impl Iterator<Item = Channel> {
    let mail = contact.email.is_some().then_some(Channel::Mail);
    let webhook = contact.webhook.is_some().then_some(Channel::Webhook);
    mail.into_iter().chain(webhook)
}

/// What is due for `case` at `now`, of a customer with these contacts.
#[must_use]
pub fn plan(case: &Case, contacts: &[Contact], rounds: Rounds, now: Timestamp) -> Plan {
    let nothing = |why| Plan { attempts: Vec::new(), next: Next::Nothing(why) };
    if case.state.is_over() {
        return nothing(Why::Ended);
    }
    if case.answered_at.is_some() {
        return nothing(Why::Answered);
    }
    if case.is_snoozed(now) {
        return nothing(Why::Snoozed);
    }
    if matches!(case.state, State::Approved | State::Applied) && case.notified_at.is_some() {
        return nothing(Why::Decided);
    }
    if case.ready_at.is_some() {
        return nothing(Why::Over);
    }
    let reachable = |c: &Contact| automatic(c).next().is_some() || c.phone.is_some();
    if !contacts.iter().any(reachable) {
        return Plan { attempts: Vec::new(), next: Next::NoContact };
    }
    let mut attempts = Vec::new();
    let mut turn = case.begun_at;
    for round in 1..=rounds.rounds {
        let mut last_end = turn;
        for (contact, number) in contacts.iter().zip(1..).filter(|(contact, _)| reachable(contact)) {
            // Whoever's turn came while the case was left alone has it after that.
            let start = turn.max(case.contact_from.min(now));
            if now < start {
                return Plan { attempts, next: Next::Wait { until: Instant(start) } };
            }
            let Turn { missing, end, lapses } = one(case, contact, (round, number), start, rounds);
            let is_call = automatic(contact).next().is_none();
            attempts.extend(missing.into_iter().map(|channel| Planned {
                id: id(case, round, number, channel),
                round,
                contact: number,
                name: contact.name.clone(),
                channel,
            }));
            match end {
                Some(end) => (turn, last_end) = (end.plus_ms(rounds.between_contacts_ms), end),
                None if lapses <= now => (turn, last_end) = (lapses, lapses),
                None if is_call => {
                    return Plan {
                        attempts,
                        next: Next::Call { round, contact: number, until: Instant(lapses) },
                    };
                }
                None => return Plan { attempts, next: Next::Wait { until: Instant(lapses) } },
            }
        }
        turn = last_end.plus_ms(rounds.answer_ms);
        if now < turn {
            return Plan { attempts, next: Next::Wait { until: Instant(turn) } };
        }
    }
    let next = if case.notified_at.is_some() { Next::Ready } else { Next::NobodyReached };
    Plan { attempts, next }
}

/// One contact's turn in one round.
struct Turn {
    /// Mails and webhooks of which nothing is recorded.
    missing: Vec<Channel>,
    /// When the contact had been tried every way, if before its time had passed.
    end: Option<Timestamp>,
    /// When its time passes.
    lapses: Timestamp,
}

fn one(case: &Case, contact: &Contact, turn: (u32, u32), start: Timestamp, rounds: Rounds) -> Turn {
    let recorded = |channel: Channel| {
        let same = |a: &Attempt| (a.round, a.contact) == turn && a.channel == channel;
        case.attempts.iter().find(|(_, attempt)| same(attempt)).map(|(at, _)| *at)
    };
    let ways: Vec<(Channel, Option<Timestamp>)> =
        automatic(contact).map(|channel| (channel, recorded(channel))).collect();
    let missing = ways.iter().filter(|(_, at)| at.is_none()).map(|(channel, _)| *channel).collect();
    let (tried, lapses) = if ways.is_empty() {
        (recorded(Channel::Phone), start.plus_ms(rounds.between_contacts_ms))
    } else {
        let tried = ways.iter().map(|(_, at)| *at).collect::<Option<Vec<_>>>();
        let tried = tried.and_then(|tried| tried.into_iter().max());
        // What one way has told needs no waiting for the other; what nobody took for long holds nobody up.
        let first = ways.iter().filter_map(|(_, at)| *at).min();
        let held_up = start.plus_ms(rounds.answer_ms);
        (tried, first.map_or(held_up, |first| first.plus_ms(rounds.between_contacts_ms).min(held_up)))
    };
    Turn { missing, end: tried.filter(|at| *at <= lapses), lapses }
}

/// The id of an attempt: the same whenever it is asked for, and another one after a reopening.
#[must_use]
pub fn id(case: &Case, round: u32, contact: u32, channel: Channel) -> String {
    let Case { id, reopenings, .. } = case;
    match reopenings {
        0 => format!("contact-{id}-{round}-{contact}-{channel}"),
        again => format!("contact-{id}-{round}-{contact}-{channel}-reopened-{again}"),
    }
}
