//! A case through every step in every order: what is accepted keeps the rules, what is refused changes nothing.

use proptest::prelude::*;

use super::*;
use crate::throttle::recommendation::tests::recommendation;
use crate::throttle::step::{Outcome, SERVICE};

const AT: Timestamp = Timestamp(1_793_000_100_000);

fn instant(ms: i64) -> Instant {
    Instant(Timestamp(ms))
}

fn step(number: u32, body: Body) -> Step {
    let person = matches!(
        body.kind(),
        StepKind::Approved
            | StepKind::Applied
            | StepKind::Lifted
            | StepKind::Dismissed
            | StepKind::Reopened
            | StepKind::Snoozed
            | StepKind::Answered
    );
    let by = if person { "alice" } else { SERVICE }.to_owned();
    let at = AT.plus_ms(i64::from(number) * 60_000);
    Step { case: 7, number, serial: u64::from(number) + 40, at, by, why: "because".to_owned(), body }
}

fn opened(rules: &[Rule]) -> Body {
    Body::Opened { slot: instant(1_792_999_800_000), recommendation: Box::new(recommendation(rules)) }
}

fn fired(rule: Rule) -> Body {
    Body::Fired { rule, slot: instant(1_793_000_100_000), recommendation: Box::new(recommendation(&[rule])) }
}

fn attempt(round: u32, contact: u32, channel: Channel, outcome: Outcome) -> Body {
    let (name, detail) = ("Sato".to_owned(), String::new());
    Body::Attempted(Attempt { round, contact, name, channel, outcome, detail })
}

/// A step by its short name.
fn body(name: &str) -> Body {
    let slot = instant(1_793_000_400_000);
    match name {
        "fire flood" => fired(Rule::Flood),
        "fire uplink" => fired(Rule::Uplink),
        "release sustained" => Body::Released { rule: Rule::Sustained, slot },
        "release flood" => Body::Released { rule: Rule::Flood, slot },
        "notify" => Body::Notified,
        "approve" => Body::Approved,
        "apply" => Body::Applied { cap_bps: Bps(1_000_000), until: instant(1_800_000_000_000) },
        "lift" => Body::Lifted,
        "dismiss" => Body::Dismissed,
        "resolve" => Body::Resolved { slot },
        "reopen" => Body::Reopened,
        "snooze" => Body::Snoozed { until: instant(1_800_000_000_000) },
        "wake" => Body::Woken,
        "note" => Body::Noted,
        "mail" => attempt(1, 1, Channel::Mail, Outcome::Sent),
        "call" => attempt(1, 1, Channel::Phone, Outcome::NoAnswer),
        "answer" => Body::Answered,
        "ready" => Body::Ready,
        _ => panic!("{name}"),
    }
}

const NAMES: [&str; 18] = [
    "fire flood",
    "fire uplink",
    "release sustained",
    "release flood",
    "notify",
    "approve",
    "apply",
    "lift",
    "dismiss",
    "resolve",
    "reopen",
    "snooze",
    "wake",
    "note",
    "mail",
    "call",
    "answer",
    "ready",
];

/// Takes the steps named, all of which are accepted but the last, which is refused with these words, if any.
fn check(rules: &[Rule], names: &[&str], state: State, refusal: Option<(&str, &str)>) {
    let mut case = Case::open(step(1, opened(rules))).unwrap();
    for name in names {
        let number = case.next_number();
        case.take(step(number, body(name))).unwrap_or_else(|e| panic!("{names:?}: {name}: {e}"));
    }
    assert_eq!(case.state, state, "{names:?}");
    if let Some((name, says)) = refusal {
        let error = case.take(step(case.next_number(), body(name))).unwrap_err().to_string();
        assert!(error.contains(says), "{names:?}: {name}: {error}");
    }
}

#[test]
fn steps_lead_where_they_should_and_refusals_say_what_is_possible() {
    use State::{Applied, Approved, Dismissed, Lifted, Notified, Open, Resolved};
    let sustained: &[Rule] = &[Rule::Sustained];
    let flood: &[Rule] = &[Rule::Flood];
    for (rules, names, state, refusal) in [
        (sustained, &[][..], Open, Some(("approve", "before the customer is told"))),
        (sustained, &[], Open, Some(("apply", "before the customer is told"))),
        (sustained, &[], Open, Some(("lift", "no limit is on the ports; `dismiss` it"))),
        (sustained, &[], Open, Some(("reopen", "it has not ended"))),
        (sustained, &[], Open, Some(("wake", "it is not snoozed"))),
        (sustained, &[], Open, Some(("resolve", "rule sustained still holds in case 7"))),
        (sustained, &[], Open, Some(("release flood", "rule flood does not hold in case 7"))),
        (sustained, &["notify"], Notified, Some(("notify", "record a further contact with `attempt`"))),
        (sustained, &["notify"], Notified, Some(("apply", "`approve` it first"))),
        (sustained, &["notify", "approve"], Approved, Some(("approve", "`apply` the limit or `dismiss` it"))),
        (sustained, &["notify", "approve", "dismiss"], Dismissed, Some(("apply", "`reopen` it first"))),
        (sustained, &["notify", "approve", "apply"], Applied, Some(("dismiss", "`lift` it to end the case"))),
        (
            sustained,
            &["notify", "approve", "apply", "release sustained"],
            Applied,
            Some(("resolve", "`lift` it")),
        ),
        (sustained, &["notify", "approve", "apply"], Applied, Some(("apply", "`lift` it first"))),
        (sustained, &["notify", "approve", "apply", "lift"], Lifted, Some(("lift", "it has ended"))),
        (
            sustained,
            &["notify", "approve", "apply", "lift", "reopen"],
            Open,
            Some(("approve", "before the customer")),
        ),
        (sustained, &["release sustained", "resolve", "note", "reopen", "notify"], Notified, None),
        (sustained, &["mail"], Open, Some(("mail", "what came of contact 1 by mail in round 1"))),
        (sustained, &["call", "call"], Open, None),
        (sustained, &["mail", "notify", "answer"], Notified, Some(("ready", "the customer answered"))),
        (sustained, &["snooze", "snooze", "wake"], Open, Some(("wake", "not snoozed"))),
        (sustained, &["fire flood", "approve", "notify"], Approved, Some(("notify", "was told"))),
        (sustained, &["fire flood"], Open, Some(("fire flood", "rule flood holds already in case 7"))),
        (flood, &["approve", "apply", "notify", "lift"], Lifted, None),
        (flood, &[], Open, Some(("apply", "`approve` it first"))),
        (
            flood,
            &["release flood", "resolve"],
            Resolved,
            Some(("notify", "`reopen` it first, or add a `note`")),
        ),
    ] {
        check(rules, names, state, refusal);
    }
}

#[test]
fn a_step_says_who_and_why_and_means_something() {
    let good = step(2, Body::Noted);
    let by = |by: &str| Step { by: by.to_owned(), ..good.clone() };
    let why = |why: String| Step { why, ..good.clone() };
    let does = |body: Body| step(2, body);
    let as_service = |body: Body| Step { by: SERVICE.to_owned(), ..step(2, body) };
    for (wrong, says) in [
        (by(""), "by: a name can't be empty"),
        (by("a\nb"), "by: a name can't contain the control character"),
        (why(" \n".to_owned()), "why: this is kept with what is done"),
        (why("x".repeat(4_001)), "why: longer than 4000 characters"),
        (as_service(Body::Approved), "a case is approved by a person"),
        (Step { by: "bob".to_owned(), ..does(body("resolve")) }, "a case is resolved by the service itself"),
        (does(Body::Snoozed { until: instant(0) }), "until: it lies in the past"),
        (does(Body::Applied { cap_bps: Bps(0), until: instant(1_900_000_000_000) }), "cuts the server off"),
        (does(attempt(0, 1, Channel::Mail, Outcome::Sent)), "rounds count from 1"),
        (does(attempt(1, 1, Channel::Mail, Outcome::NoAnswer)), "only a call has no answer"),
        (does(opened(&[])), "no rule holds"),
    ] {
        let mut case = Case::open(step(1, opened(&[Rule::Sustained]))).unwrap();
        let error = case.take(wrong).unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
    let mut case = Case::open(step(1, opened(&[Rule::Sustained]))).unwrap();
    for wrong in [step(3, Body::Noted), Step { case: 8, ..good }] {
        assert!(matches!(case.take(wrong), Err(StepError::Order { .. })));
    }
    let mut other = recommendation(&[Rule::Flood]);
    other.server = "web02".to_owned();
    let foreign = Body::Fired { rule: Rule::Flood, slot: instant(0), recommendation: Box::new(other) };
    assert!(case.take(step(2, foreign)).unwrap_err().to_string().contains("web02"));
}

#[test]
fn what_a_reopening_forgets() {
    let names = ["mail", "notify", "approve", "apply", "answer", "snooze", "lift"];
    let mut case = Case::open(step(1, opened(&[Rule::Sustained]))).unwrap();
    for name in names {
        case.take(step(case.next_number(), body(name))).unwrap();
    }
    assert_eq!(case.limit().cap_bps, Bps(1_000_000));
    let at = step(case.next_number(), Body::Reopened).at;
    case.take(step(case.next_number(), Body::Reopened)).unwrap();
    assert_eq!((case.begun_at, case.contact_from, case.reopenings), (at, at, 1));
    assert_eq!(
        (case.notified_at, case.answered_at, case.limit, case.snoozed_until),
        (None, None, None, None)
    );
    assert!(case.attempts.is_empty() && case.holding.is_empty() && case.held.contains(&Rule::Sustained));
    case.take(step(case.next_number(), body("mail"))).unwrap();
}

#[test]
fn a_step_survives_its_json() {
    for name in NAMES {
        let body = body(name);
        let json = serde_json::to_string(&body).unwrap();
        assert_eq!(serde_json::from_str::<Body>(&json).unwrap(), body, "{json}");
        assert!(json.contains(body.kind().name()), "{json}");
    }
    let body = opened(&[Rule::Sustained, Rule::LockedIn, Rule::Uplink, Rule::Flood]);
    let json = serde_json::to_string(&body).unwrap();
    assert_eq!(serde_json::from_str::<Body>(&json).unwrap(), body, "{json}");
}

proptest! {
    #[test]
    fn no_sequence_breaks_the_rules(
        flood in any::<bool>(),
        picks in prop::collection::vec(prop::sample::select(&NAMES[..]), 0..60),
    ) {
        let rules: &[Rule] = if flood { &[Rule::Flood] } else { &[Rule::Sustained] };
        let mut case = Case::open(step(1, opened(rules))).unwrap();
        let (mut told, mut urgent) = (false, flood);
        for name in picks {
            let before = case.clone();
            let body = body(name);
            match case.take(step(case.next_number(), body.clone())) {
                Err(_) => prop_assert_eq!(&case, &before, "a refusal leaves the state"),
                Ok(()) => {
                    prop_assert!(!before.state.is_over() || matches!(body, Body::Noted | Body::Reopened));
                    match body {
                        Body::Notified => told = true,
                        Body::Reopened => told = false,
                        Body::Fired { rule: Rule::Flood, .. } => urgent = true,
                        _ => {}
                    }
                    if matches!(case.state, State::Approved | State::Applied) {
                        prop_assert!(told || urgent, "{:?} without telling the customer", case.state);
                    }
                    if case.state == State::Applied && before.state != State::Applied {
                        prop_assert_eq!(before.state, State::Approved);
                    }
                    if case.state == State::Resolved {
                        prop_assert!(case.holding.is_empty() && before.state != State::Applied);
                    }
                }
            }
        }
        let mut steps = case.steps.clone().into_iter();
        let mut again = Case::open(steps.next().unwrap()).unwrap();
        for step in steps {
            again.take(step).unwrap();
        }
        prop_assert_eq!(again, case, "the fold of the steps is the state");
    }
}
