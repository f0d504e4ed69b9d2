//! Rounds of contacts, minute by minute.

use super::*;
use crate::metering::throttle::Rule;
use crate::metering::units::Bps;
use crate::throttle::recommendation::tests::recommendation;
use crate::throttle::step::{Body, Outcome, SERVICE, Step};

const BEGIN: i64 = 1_793_000_100_000;

/// Half an hour between contacts and a day for an answer, in minutes.
const DAY: i64 = 1_440;

fn minute(minute: i64) -> Timestamp {
    Timestamp(BEGIN + minute * 60_000)
}

fn contact(name: &str, ways: &str) -> Contact {
    let way = |way: char| ways.contains(way).then(|| format!("{way}@example.com"));
    let [email, phone, webhook] = ['m', 'p', 'w'].map(way);
    Contact { name: name.to_owned(), email, phone, webhook, language: None }
}

/// What came of trying a contact: `2 w1 sent` is the first contact by webhook in the second round.
fn attempt(text: &str) -> Body {
    let [round, who, outcome] = text.split(' ').collect::<Vec<_>>()[..] else { panic!("{text}") };
    let channel = match &who[..1] {
        "m" => Channel::Mail,
        "w" => Channel::Webhook,
        _ => Channel::Phone,
    };
    let outcome = match outcome {
        "sent" => Outcome::Sent,
        "failed" => Outcome::Failed,
        _ => Outcome::NoAnswer,
    };
    let (round, contact, name) = (round.parse().unwrap(), who[1..].parse().unwrap(), "x".to_owned());
    Body::Attempted(Attempt { round, contact, name, channel, outcome, detail: String::new() })
}

fn case(rule: Rule, steps: &[(i64, Body)]) -> Case {
    let opened =
        Body::Opened { slot: Instant(minute(-5)), recommendation: Box::new(recommendation(&[rule])) };
    let mut number = 1;
    let mut step = |at: i64, body: Body| {
        let service = matches!(body, Body::Opened { .. } | Body::Attempted(_) | Body::Notified | Body::Ready);
        let by = if service { SERVICE } else { "alice" }.to_owned();
        let step = Step { case: 12, number, serial: 1, at: minute(at), by, why: "why".to_owned(), body };
        number += 1;
        step
    };
    let mut case = Case::open(step(0, opened)).unwrap();
    for (at, body) in steps {
        case.take(step(*at, body.clone())).unwrap();
    }
    case
}

/// At `now` these attempts are due, as in `1 m1`, and then this.
fn check(case: &Case, contacts: &[Contact], now: i64, due: &[&str], next: Next) {
    let plan = plan(case, contacts, Rounds::default(), minute(now));
    let short =
        |planned: &Planned| format!("{} {}{}", planned.round, &planned.channel.name()[..1], planned.contact);
    let found: Vec<String> = plan.attempts.iter().map(short).collect();
    assert_eq!((found.as_slice(), plan.next), (due.map_strings().as_slice(), next), "at minute {now}");
}

trait MapStrings {
    fn map_strings(&self) -> Vec<String>;
}

impl MapStrings for [&str] {
    fn map_strings(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}

fn wait(until: i64) -> Next {
    Next::Wait { until: Instant(minute(until)) }
}

fn call(round: u32, contact: u32, until: i64) -> Next {
    Next::Call { round, contact, until: Instant(minute(until)) }
}

#[test]
fn two_rounds_through_all_contacts() {
    let contacts = [contact("Sato", "mw"), contact("nobody", ""), contact("Ito", "p"), contact("Abe", "mp")];
    let mut steps = Vec::new();
    let at = |steps: &[(i64, Body)], now, due: &[&str], next| {
        check(&case(Rule::Sustained, steps), &contacts, now, due, next);
    };
    at(&steps, 0, &["1 m1", "1 w1"], wait(DAY));
    steps.push((2, attempt("1 m1 sent")));
    steps.push((2, Body::Notified));
    at(&steps, 3, &["1 w1"], wait(32));
    steps.push((4, attempt("1 w1 failed")));
    at(&steps, 33, &[], wait(34));
    at(&steps, 34, &[], call(1, 3, 64));
    steps.push((50, attempt("1 p3 no_answer")));
    at(&steps, 51, &[], wait(80));
    at(&steps, 80, &["1 m4"], wait(80 + DAY));
    steps.push((81, attempt("1 m4 sent")));
    at(&steps, 82, &[], wait(81 + DAY));
    let second = 81 + DAY;
    at(&steps, second, &["2 m1", "2 w1"], wait(second + DAY));
    steps.push((second, attempt("2 m1 sent")));
    steps.push((second + 1, attempt("2 w1 sent")));
    at(&steps, second + 31, &[], call(2, 3, second + 61));
    at(&steps, second + 61, &["2 m4"], wait(second + 61 + DAY));
    steps.push((second + 62, attempt("2 m4 sent")));
    at(&steps, second + 63, &[], wait(second + 62 + DAY));
    at(&steps, second + 62 + DAY, &[], Next::Ready);
    let mut answered = steps.clone();
    answered.push((second + 63, Body::Answered));
    at(&answered, second + 64, &[], Next::Nothing(Why::Answered));
    steps.push((second + 62 + DAY, Body::Ready));
    at(&steps, second + 63 + DAY, &[], Next::Nothing(Why::Over));
}

#[test]
fn when_nobody_is_contacted() {
    let contacts = [contact("Sato", "m")];
    let until = Instant(minute(9_000_000));
    let applied = Body::Applied { cap_bps: Bps(1), until };
    let told = vec![(1, Body::Notified)];
    let and = |more: Vec<(i64, Body)>| [told.clone(), more].concat();
    for (rule, steps, next) in [
        (Rule::Sustained, vec![(1, Body::Dismissed)], Next::Nothing(Why::Ended)),
        (Rule::Sustained, vec![(1, Body::Answered)], Next::Nothing(Why::Answered)),
        (Rule::Sustained, vec![(1, Body::Snoozed { until })], Next::Nothing(Why::Snoozed)),
        (Rule::Sustained, and(vec![(2, Body::Approved)]), Next::Nothing(Why::Decided)),
        (Rule::Flood, and(vec![(2, Body::Approved), (3, applied)]), Next::Nothing(Why::Decided)),
    ] {
        check(&case(rule, &steps), &contacts, 5, &[], next);
    }
    // A flood is limited first, and the customer told nevertheless.
    check(&case(Rule::Flood, &[(1, Body::Approved)]), &contacts, 5, &["1 m1"], wait(DAY));
    for contacts in [vec![], vec![contact("nobody", "")]] {
        check(&case(Rule::Sustained, &[]), &contacts, 5, &[], Next::NoContact);
    }
}

#[test]
fn calls_that_nobody_makes_and_mails_that_nobody_takes_hold_nobody_up_for_ever() {
    let contacts = [contact("Ito", "p"), contact("Sato", "m")];
    let nothing = case(Rule::Sustained, &[]);
    check(&nothing, &contacts, 29, &[], call(1, 1, 30));
    check(&nothing, &contacts, 30, &["1 m2"], wait(30 + DAY));
    // Also after its time has passed: the attempt may be under way, and its outcome is wanted.
    check(&nothing, &contacts, 31 + DAY, &["1 m2"], wait(30 + 2 * DAY));
    let second = 30 + 2 * DAY;
    check(&nothing, &contacts, second, &["1 m2"], call(2, 1, second + 30));
    check(&nothing, &contacts, second + 30, &["1 m2", "2 m2"], wait(second + 30 + DAY));
    check(&nothing, &contacts, second + 30 + 2 * DAY, &["1 m2", "2 m2"], Next::NobodyReached);
}

#[test]
fn a_snooze_takes_no_ones_turn() {
    let contacts = [contact("Ito", "p"), contact("Sato", "m")];
    let until = Instant(minute(500));
    let snoozed = case(Rule::Sustained, &[(1, Body::Snoozed { until })]);
    check(&snoozed, &contacts, 499, &[], Next::Nothing(Why::Snoozed));
    check(&snoozed, &contacts, 500, &[], call(1, 1, 530));
    let woken = case(Rule::Sustained, &[(1, Body::Snoozed { until }), (100, Body::Woken)]);
    check(&woken, &contacts, 100, &[], call(1, 1, 130));
}

#[test]
fn an_attempt_has_one_id_and_another_after_a_reopening() {
    let again = case(Rule::Sustained, &[(1, Body::Dismissed), (2, Body::Reopened)]);
    assert_eq!(id(&case(Rule::Sustained, &[]), 2, 3, Channel::Webhook), "contact-12-2-3-webhook");
    assert_eq!(id(&again, 1, 1, Channel::Mail), "contact-12-1-1-mail-reopened-1");
    check(&again, &[contact("Sato", "m")], 2, &["1 m1"], wait(2 + DAY));
}
