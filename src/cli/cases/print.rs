//! How cases are printed.

use std::sync::Arc;

use serde::Serialize;

use crate::cli::show;
use crate::inventory::instant::Instant;
use crate::inventory::{Contact, Language};
use crate::metering::throttle::Rule;
use crate::throttle::case::Case;
use crate::throttle::contact::{Next, Plan, Why};
use crate::throttle::recommendation::words::{mbps, time};
use crate::throttle::step::Outcome;
use crate::throttle::view::step_words;

/// A case in a line.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    id: u64,
    server: &'a str,
    customer: &'a str,
    region: &'a str,
    state: &'static str,
    since: Instant,
    opened_at: Instant,
    rules: String,
    cap_bps: u64,
    until: Instant,
    snoozed_until: Option<Instant>,
}

impl<'a> Line<'a> {
    pub(super) fn of(case: &'a Case) -> Self {
        let limit = case.limit();
        Self {
            id: case.id,
            server: case.server(),
            customer: &case.recommendation.customer,
            region: &case.recommendation.region,
            state: case.state.name(),
            since: Instant(case.since),
            opened_at: Instant(case.opened_at()),
            rules: rules(case),
            cap_bps: limit.cap_bps.0,
            until: limit.until,
            snoozed_until: case.snoozed_until,
        }
    }
}

/// The rules that hold, or those that held.
fn rules(case: &Case) -> String {
    let holding: Vec<&str> = case.holding.keys().copied().map(Rule::name).collect();
    if holding.is_empty() { "none".to_owned() } else { holding.join(", ") }
}

pub(super) fn list(cases: &[Arc<Case>]) {
    if cases.is_empty() {
        show::line("There is no such case.");
        return;
    }
    let columns = [
        ("Case", true),
        ("Server", false),
        ("Customer", false),
        ("Region", false),
        ("State", false),
        ("Since", false),
        ("Rules that hold", false),
        ("Limit", true),
        ("Until", false),
    ];
    let row = |case: &Arc<Case>| {
        let zone = &case.recommendation.timezone;
        let limit = case.limit();
        vec![
            case.id.to_string(),
            case.server().to_owned(),
            case.recommendation.customer.clone(),
            case.recommendation.region.clone(),
            case.state.to_string(),
            time(Instant(case.since), zone),
            rules(case),
            mbps(limit.cap_bps),
            time(limit.until, zone),
        ]
    };
    show::line(show::table(&columns, cases.iter().map(row)));
}

/// The recommendation as a person reads it, then the steps.
pub(super) fn whole(case: &Case, lang: Language) {
    let recommendation = &*case.recommendation;
    let zone = &recommendation.timezone;
    let since = time(Instant(case.since), zone);
    show::line(format_args!(
        "Case {}, {} since {since}; rules that hold: {}",
        case.id,
        case.state,
        rules(case)
    ));
    if let Some(until) = case.snoozed_until {
        show::line(format_args!("Snoozed until {}", time(until, zone)));
    }
    show::line("");
    show::line(recommendation.paragraph(lang));
    if let Some(slots) = recommendation.slots_words(lang) {
        show::line(slots);
    }
    show::line("");
    let columns = [("Step", true), ("When", false), ("By", false), ("What", false), ("Why", false)];
    let rows = case.steps.iter().map(|step| {
        vec![
            step.number.to_string(),
            time(Instant(step.at), zone),
            step.by.clone(),
            step_words(&step.body, zone),
            step.why.clone(),
        ]
    });
    show::line(show::table(&columns, rows));
}

/// How a case stands after a step.
pub(super) fn stands(case: &Case) {
    let did = case.last_step().map(|step| step_words(&step.body, &case.recommendation.timezone));
    let Case { id, state, .. } = case;
    show::line(format_args!(
        "Case {id} of server {} is {state} ({}).",
        case.server(),
        did.unwrap_or_default()
    ));
}

/// Whom to contact next.
pub(super) fn plan(case: &Case, contacts: &[Contact], plan: &Plan) {
    let zone = &case.recommendation.timezone;
    let columns = [("Round", true), ("Contact", true), ("Name", false), ("Way", false), ("Id", false)];
    if !plan.attempts.is_empty() {
        let rows = plan.attempts.iter().map(|planned| {
            vec![
                planned.round.to_string(),
                planned.contact.to_string(),
                planned.name.clone(),
                planned.channel.to_string(),
                planned.id.clone(),
            ]
        });
        show::line(show::table(&columns, rows));
        show::line("These are due, or under way: record what comes of each with `meter95 cases attempt`.");
    }
    show::line(match plan.next {
        Next::Nothing(Why::Ended) => "Nobody is to be contacted: the case has ended.".to_owned(),
        Next::Nothing(Why::Answered) => "Nobody is to be contacted: the customer answered.".to_owned(),
        Next::Nothing(Why::Snoozed) => "Nobody is to be contacted: the case is snoozed.".to_owned(),
        Next::Nothing(Why::Decided) => {
            "Nobody is to be contacted: the customer was told, and a limit is approved.".to_owned()
        }
        Next::Nothing(Why::Over) | Next::Ready => {
            format!("All rounds are over without an answer: `meter95 cases approve {}` can follow.", case.id)
        }
        Next::Wait { until } => format!("The next contact's turn is at {}.", time(until, zone)),
        Next::Call { round, contact, until } => {
            let at = usize::try_from(contact).unwrap_or(usize::MAX).checked_sub(1);
            let contact = at.and_then(|at| contacts.get(at));
            let name = contact.map(|contact| contact.name.as_str()).unwrap_or_default();
            let phone = contact.and_then(|contact| contact.phone.as_deref()).unwrap_or_default();
            let until = time(until, zone);
            let outcome = Outcome::NoAnswer;
            format!(
                "Round {round}: call {name} at {phone} by {until}, then record it with --channel phone and --outcome sent \
                 or {outcome}."
            )
        }
        Next::NoContact => {
            format!("No contact of customer {:?} can be reached: find one.", case.recommendation.customer)
        }
        Next::NobodyReached => {
            "All rounds are over and nobody was reached: find another way, and record it with `meter95 cases notify`."
                .to_owned()
        }
    });
}
