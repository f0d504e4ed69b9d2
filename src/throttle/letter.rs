//! What a mail to a customer's contact says, before it is put into the words of a template.

use serde::Serialize;

use super::case::Case;
use super::recommendation::words::{mbps, time};
use crate::inventory::Language;
use crate::inventory::instant::Instant;

/// What a mail to a contact says, in the contact's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// The case's number.
    pub case: u64,
    /// The server.
    pub server: String,
    /// The customer's id.
    pub customer: String,
    /// The contact's name.
    pub contact: String,
    /// The plan's id.
    pub plan: String,
    /// What was measured: a sentence without its full stop, as all that follow.
    pub measured: String,
    /// Why this is extreme, a sentence a rule.
    pub reasons: Vec<String>,
    /// What is included, such as "1 Mbps".
    pub included: String,
    /// The limit that is proposed, such as "1 Mbps".
    pub cap: String,
    /// How the limit is found.
    pub limit: String,
    /// Until when it should stay.
    pub until: String,
    /// How the month ends without it.
    pub outlook_without: String,
    /// How the month ends with it.
    pub outlook_with: String,
    /// Until when an answer is expected.
    pub answer_by: String,
    /// The round of contacts, from 1.
    pub round: u32,
    /// How many rounds there are.
    pub rounds: u32,
}

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its subject: one line.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// Which message to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct To<'a> {
    /// The contact's name.
    pub contact: &'a str,
    /// In which language.
    pub lang: Language,
    /// The round, from 1.
    pub round: u32,
    /// How many rounds there are.
    pub rounds: u32,
    /// Until when an answer is expected.
    pub answer_by: Instant,
}

impl Letter {
    /// What there is to tell a contact about a case.
    #[must_use]
    pub fn new(case: &Case, to: &To<'_>) -> Self {
        let recommendation = &*case.recommendation;
        let zone = &recommendation.timezone;
        let To { contact, lang, round, rounds, answer_by } = *to;
        let [outlook_without, outlook_with] = recommendation.outlook_words(lang);
        Self {
            case: case.id,
            server: recommendation.server.clone(),
            customer: recommendation.customer.clone(),
            contact: contact.to_owned(),
            plan: recommendation.plan.clone(),
            measured: recommendation.measured(lang),
            reasons: recommendation.reasons(lang),
            included: mbps(recommendation.allowance_bps),
            cap: mbps(recommendation.cap.cap_bps),
            limit: recommendation.cap.words(lang),
            until: time(recommendation.until, zone),
            outlook_without,
            outlook_with,
            answer_by: time(answer_by, zone),
            round,
            rounds,
        }
    }
}

/// A letter with which templates are tried out.
pub(super) fn example(round: u32) -> Letter {
    let text = |text: &str| text.to_owned();
    Letter {
        case: 12,
        server: text("web01"),
        customer: text("c001"),
        contact: text("Sato"),
        plan: text("jp"),
        measured: text("It sent 94.1 Mbps"),
        reasons: vec![text("It was over 10 Mbps"), text("Uplink up1 is tight")],
        included: text("1 Mbps"),
        cap: text("1 Mbps"),
        limit: text("The limit is what is included"),
        until: text("2026-12-01 00:00 (Asia/Tokyo)"),
        outlook_without: text("2026-11 ends with 94.1 Mbps"),
        outlook_with: text("With the limit it ends with 1 Mbps"),
        answer_by: text("2026-11-27 03:00 (Asia/Tokyo)"),
        round,
        rounds: 2,
    }
}
