//! Agents that answer wrongly: counted by cause, never a wrong reading.

use meter95_snmp::{Failure, Outcome, Pass, PortsError};

use crate::agent::{Agent, Bind, IFX, Reply, Request, UPTIME, Val, ber, cell, clock, good, names, quick};

/// A pass against an agent with two ports that, once these are known, behaves in some `manner`; then a pass
/// after it behaves well again, which must be whole.
async fn check(
    what: &str,
    mut manner: impl FnMut(&Request, Vec<Bind>) -> Vec<Reply> + Send + 'static,
    failure: Failure,
    outcome: Outcome,
) -> Pass {
    let agent = Agent::start(2).await;
    let mut visitor = agent.visitor().await;
    assert_eq!(names(&visitor.pass().await), ["eth1", "eth2"], "{what}");
    agent.behave(
        move |request, binds| {
            if request.kind == 0xa0 { manner(request, binds) } else { good(request, &binds) }
        },
    );
    let pass = visitor.pass().await;
    assert!(pass.failures.get(failure) > 0, "{what}: {}", pass.failures);
    assert_eq!(pass.outcome, outcome, "{what}: {}", pass.failures);
    names(&pass);
    agent.behave(|request, binds| good(request, &binds));
    let after = visitor.pass().await;
    assert_eq!((names(&after).len(), after.outcome), (2, Outcome::Complete), "{what}: {}", after.failures);
    pass
}

fn edited(request: &Request, mut binds: Vec<Bind>, edit: impl Fn(&mut Vec<Bind>)) -> Vec<Reply> {
    edit(&mut binds);
    good(request, &binds)
}

/// What a lying agent does to a good answer.
type Edit = fn(&mut Vec<Bind>);

#[tokio::test]
async fn no_answer() {
    let pass = check("silence", |_, _| vec![], Failure::Timeout, Outcome::Silent).await;
    assert_eq!((pass.requests, pass.retries, pass.expected), (2, 1, 2));
}

#[tokio::test]
async fn an_answer_lost_once() {
    let mut lost = false;
    let manner = move |request: &Request, binds: Vec<Bind>| {
        let first = !std::mem::replace(&mut lost, true);
        if first { vec![] } else { good(request, &binds) }
    };
    check("one lost", manner, Failure::Timeout, Outcome::Complete).await;
}

#[tokio::test]
async fn a_wrong_request_id() {
    let manner = |request: &Request, binds: Vec<Bind>| {
        let other = Request { id: request.id.wrapping_add(1) & 0x7fff_ffff, ..request.clone() };
        good(&other, &binds)
    };
    check("wrong request-id", manner, Failure::Timeout, Outcome::Silent).await;
}

#[tokio::test]
async fn a_wrong_source() {
    let manner =
        |request: &Request, binds: Vec<Bind>| vec![Reply::Elsewhere(ber::answer(request, 0, &binds))];
    check("wrong source", manner, Failure::Timeout, Outcome::Silent).await;
}

#[tokio::test]
async fn a_wrong_community() {
    let manner = |request: &Request, binds: Vec<Bind>| {
        good(&Request { community: b"other".to_vec(), ..request.clone() }, &binds)
    };
    check("wrong community", manner, Failure::Timeout, Outcome::Silent).await;
}

#[tokio::test]
async fn a_truncated_answer() {
    let manner = |request: &Request, binds: Vec<Bind>| {
        let mut octets = ber::answer(request, 0, &binds);
        octets.truncate(octets.len() - 1);
        vec![Reply::Plain(octets)]
    };
    check("truncated", manner, Failure::Malformed, Outcome::Silent).await;
}

#[tokio::test]
async fn damage_before_the_answer() {
    // Every truncation of the answer, a few at a time, and noise; the answer itself comes last.
    let mut length = 0;
    let manner = move |request: &Request, binds: Vec<Bind>| {
        let octets = ber::answer(request, 0, &binds);
        let mut replies: Vec<Reply> = vec![Reply::Plain(vec![]), Reply::Plain(vec![0x30, 0x89])];
        for _ in 0..8 {
            length = (length + 1) % octets.len();
            replies.push(Reply::Plain(octets[..length].to_vec()));
        }
        replies.push(Reply::Plain(octets));
        replies
    };
    let agent = Agent::start(2).await;
    let mut visitor = agent.visitor().await;
    agent.behave(manner);
    for _ in 0..100 {
        let pass = visitor.pass().await;
        assert_eq!((names(&pass).len(), pass.outcome), (2, Outcome::Complete), "{}", pass.failures);
    }
    let datagrams = visitor.datagrams();
    assert_eq!((datagrams.matched, datagrams.malformed), (101, 1_010), "{datagrams:?}");
}

#[tokio::test]
async fn an_answer_of_another_shape() {
    let edits: [(&str, Edit); 6] = [
        ("one value less", |binds| drop(binds.pop())),
        ("one value more", |binds| binds.push((UPTIME.to_vec(), Val::Ticks(1)))),
        ("no values", |binds| binds.clear()),
        ("another name", |binds| binds[2].0 = cell(IFX, 6, 2)),
        ("another order", |binds| binds.swap(2, 3)),
        ("the rows swapped", |binds| binds[1..].rotate_left(11)),
    ];
    for (what, edit) in edits {
        let manner = move |request: &Request, binds| edited(request, binds, edit);
        check(what, manner, Failure::WrongShape, Outcome::Failed).await;
    }
}

#[tokio::test]
async fn values_of_another_type() {
    let values: [(&str, usize, Val, Outcome); 7] = [
        ("a counter of 32 bits under a 64-bit name", 2, Val::C32(7), Outcome::Partial),
        ("an integer for a counter", 3, Val::Int(7), Outcome::Partial),
        ("null for a counter", 3, Val::Raw(0x05, vec![]), Outcome::Partial),
        ("a counter for a speed", 4, Val::C32(7), Outcome::Partial),
        ("a number for a name", 1, Val::Int(7), Outcome::Partial),
        ("a counter for the uptime", 0, Val::C32(7), Outcome::Failed),
        ("no uptime", 0, Val::NoSuchInstance, Outcome::Failed),
    ];
    for (what, place, value, outcome) in values {
        let manner = move |request: &Request, binds| {
            let value = value.clone();
            edited(request, binds, move |binds| binds[place].1 = value.clone())
        };
        check(what, manner, Failure::WrongType, outcome).await;
    }
}

#[tokio::test]
async fn an_empty_counter_is_not_zero() {
    let manner =
        |request: &Request, binds| edited(request, binds, |binds| binds[2].1 = Val::Raw(0x46, vec![]));
    check("an empty Counter64", manner, Failure::Malformed, Outcome::Silent).await;
}

#[tokio::test]
async fn the_end_of_the_mib_in_a_row() {
    let manner = |request: &Request, binds| edited(request, binds, |binds| binds[2].1 = Val::End);
    check("endOfMibView", manner, Failure::EndOfMib, Outcome::Partial).await;
}

#[tokio::test]
async fn error_statuses() {
    for (status, failure) in [
        (1, Failure::TooBig),
        (5, Failure::AgentError),
        (6, Failure::Denied),
        (16, Failure::Denied),
        (99, Failure::AgentError),
    ] {
        let agent = Agent::start(2).await;
        let mut visitor = agent.visitor().await;
        agent.behave(move |request, binds| match request.kind {
            0xa0 => vec![Reply::Plain(ber::answer(request, status, &binds))],
            _ => good(request, &binds),
        });
        let pass = visitor.pass().await;
        assert!(pass.failures.get(failure) > 0, "{status}: {}", pass.failures);
        assert_eq!((pass.readings.len(), pass.outcome), (0, Outcome::Failed), "{status}");
        assert_eq!(pass.failures.total(), pass.failures.get(failure), "{status}");
    }
}

#[tokio::test]
async fn an_agent_with_small_answers_is_asked_for_less() {
    let agent = Agent::start(9).await;
    let mut visitor = agent.visitor().await;
    let limited = |most: usize| {
        move |request: &Request, binds: Vec<Bind>| {
            if request.kind == 0xa0 && binds.len() > most {
                vec![Reply::Plain(ber::answer(request, 1, &[]))]
            } else {
                good(request, &binds)
            }
        }
    };
    agent.behave(limited(23));
    let pass = visitor.pass().await;
    assert_eq!((names(&pass).len(), pass.outcome), (9, Outcome::Complete), "{}", pass.failures);
    assert!(pass.failures.get(Failure::TooBig) > 0);
    let pass = visitor.pass().await;
    assert_eq!((pass.readings.len(), pass.failures.total(), pass.requests), (9, 0, 5), "it is remembered");

    // Not even one port fits with its packets: they are left out, the octets are not.
    agent.behave(limited(6));
    let pass = visitor.pass().await;
    assert_eq!((pass.readings.len(), pass.outcome), (9, Outcome::Complete), "{}", pass.failures);
    assert!(pass.readings.iter().all(|reading| reading.counters.rx_packets.is_none()));
    let pass = visitor.pass().await;
    assert_eq!((pass.readings.len(), pass.failures.total()), (9, 0), "it is remembered");
}

#[tokio::test]
async fn walks_that_cannot_be_right() {
    let name = |index| (cell(IFX, 1, index), Val::Text(format!("eth{index}")));
    let walks: [(&str, Vec<Bind>, Failure); 8] = [
        ("the same again and again", vec![name(1)], Failure::Loop),
        ("backwards", vec![name(2), name(1)], Failure::Loop),
        ("to the front", vec![(UPTIME.to_vec(), Val::Ticks(1))], Failure::Loop),
        ("nothing", vec![], Failure::WrongShape),
        ("more than asked for", (1..60).map(name).collect(), Failure::WrongShape),
        (
            "another type",
            vec![(cell(IFX, 1, 1), Val::Int(1)), (cell(IFX, 2, 1), Val::C32(1))],
            Failure::WrongType,
        ),
        (
            "an index of two parts",
            vec![([&cell(IFX, 1, 1)[..], &[7]].concat(), Val::Text("a".into()))],
            Failure::WrongShape,
        ),
        ("the end at once", vec![(cell(IFX, 1, 1), Val::End)], Failure::EmptyTable),
    ];
    for (what, binds, failure) in walks {
        let agent = Agent::start(2).await;
        let mut visitor = agent.visitor().await;
        let walk = binds.clone();
        agent.behave(
            move |request, binds| {
                if request.kind == 0xa5 { good(request, &walk) } else { good(request, &binds) }
            },
        );
        let pass = visitor.pass().await;
        assert_eq!(pass.failures.get(failure), 1, "{what}: {}", pass.failures);
        assert_eq!((pass.readings.len(), pass.outcome), (0, Outcome::Failed), "{what}");
        let error = meter95_snmp::ports(&agent.device("sw1"), &quick()).await.unwrap_err();
        assert!(matches!(error, PortsError::Device(found) if found == failure), "{what}: {error}");
        agent.behave(|request, binds| good(request, &binds));
        assert_eq!(names(&visitor.pass().await), ["eth1", "eth2"], "{what}");
    }
}

#[tokio::test]
async fn a_walk_without_end_is_left_at_the_deadline() {
    let agent = Agent::start(2).await;
    agent.behave(|request, _| {
        let from = request.oids[0].get(11).copied().unwrap_or(0);
        let name = |step: u32| (cell(IFX, 1, from + step), Val::Text(format!("eth{}", from + step)));
        good(request, &[name(1)])
    });
    let options = meter95_snmp::Options { pass_deadline: std::time::Duration::from_millis(100), ..quick() };
    let mut visitor = meter95_snmp::Visitor::new(agent.device("sw1"), options, clock).await.unwrap();
    let pass = visitor.pass().await;
    assert_eq!(
        (pass.failures.get(Failure::Deadline), pass.outcome),
        (1, Outcome::Failed),
        "{}",
        pass.failures
    );
}
