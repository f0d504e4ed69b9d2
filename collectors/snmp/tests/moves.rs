//! Interfaces that move, vanish, share a name or have no wide counters.

use meter95_reading::Width;
use meter95_snmp::{Failure, InterfaceFilter, Outcome, Visitor};

use crate::agent::{Agent, IF, IFX, UPTIME, Val, cell, clock, good, names, quick};

#[tokio::test]
async fn a_port_keeps_its_name_when_its_index_moves() {
    let agent = Agent::start(3).await;
    let mut visitor = agent.visitor().await;
    assert_eq!(names(&visitor.pass().await), ["eth1", "eth2", "eth3"]);
    // As after a card was put in: 2 becomes 3, 3 becomes 4, 2 is new.
    agent.port(2, "new");
    agent.port(3, "eth2");
    agent.port(4, "eth3");
    let pass = visitor.pass().await;
    assert_eq!(names(&pass), ["eth1", "eth2", "eth3", "new"], "{}", pass.failures);
    assert_eq!((pass.failures.get(Failure::Moved), pass.outcome), (2, Outcome::Complete));
    let pass = visitor.pass().await;
    assert_eq!((pass.readings.len(), pass.failures.total()), (4, 0));
}

#[tokio::test]
async fn two_ports_swap_their_indexes() {
    let agent = Agent::start(2).await;
    let mut visitor = agent.visitor().await;
    visitor.pass().await;
    agent.port(1, "eth2");
    agent.port(2, "eth1");
    let pass = visitor.pass().await;
    assert_eq!(names(&pass), ["eth1", "eth2"], "{}", pass.failures);
}

#[tokio::test]
async fn indexes_that_never_rest_give_no_wrong_reading() {
    let agent = Agent::start(2).await;
    let mut visitor = agent.visitor().await;
    visitor.pass().await;
    let mut odd = false;
    agent.behave(move |request, mut binds| {
        if request.kind == 0xa0 {
            odd = !odd;
            let other = if odd { "ethA" } else { "ethB" };
            binds[1].1 = Val::Text(other.into());
        }
        good(request, &binds)
    });
    for _ in 0..5 {
        let pass = visitor.pass().await;
        assert_eq!((names(&pass), pass.outcome), (vec!["eth2"], Outcome::Partial), "{}", pass.failures);
    }
}

#[tokio::test]
async fn a_row_that_vanishes_and_comes_back() {
    let agent = Agent::start(2).await;
    let device = agent.device("sw1").with_interfaces(InterfaceFilter::patterns(["eth1", "eth2"]).unwrap());
    let mut visitor = Visitor::new(device, quick(), clock).await.unwrap();
    visitor.pass().await;
    agent.remove_port(2);
    for _ in 0..2 {
        let pass = visitor.pass().await;
        assert_eq!((names(&pass), pass.expected, pass.outcome), (vec!["eth1"], 2, Outcome::Partial));
        assert!(pass.failures.get(Failure::MissingRow) > 0, "{}", pass.failures);
    }
    agent.port(7, "eth2");
    // Nothing says that a row has come, but a restart or the next listing; here it is a restart.
    agent.set(UPTIME.to_vec(), Val::Ticks(999));
    visitor.pass().await;
    agent.set(UPTIME.to_vec(), Val::Ticks(1_000));
    assert_eq!(names(&visitor.pass().await), ["eth1", "eth2"]);
}

#[tokio::test]
async fn a_name_that_vanishes_gives_no_reading() {
    let agent = Agent::start(2).await;
    let mut visitor = agent.visitor().await;
    visitor.pass().await;
    agent.set(cell(IFX, 1, 1), Val::Text(String::new()));
    let pass = visitor.pass().await;
    assert_eq!(names(&pass), ["eth2"], "{}", pass.failures);
    assert_eq!(pass.failures.get(Failure::Moved), 1);
    let pass = visitor.pass().await;
    assert_eq!((names(&pass), pass.failures.get(Failure::Unnamed)), (vec!["eth2"], 1), "{}", pass.failures);
}

#[tokio::test]
async fn interfaces_that_share_a_name_are_not_metered() {
    let agent = Agent::start(3).await;
    let mut visitor = agent.visitor().await;
    agent.port(3, "eth1");
    let pass = visitor.pass().await;
    assert_eq!((names(&pass), pass.expected, pass.outcome), (vec!["eth2"], 2, Outcome::Partial));
    assert_eq!(pass.failures.get(Failure::DuplicateName), 1, "{}", pass.failures);
    agent.port(3, "eth3");
    agent.set(UPTIME.to_vec(), Val::Ticks(999));
    visitor.pass().await;
    agent.set(UPTIME.to_vec(), Val::Ticks(1_000));
    assert_eq!(names(&visitor.pass().await), ["eth1", "eth2", "eth3"]);
}

#[tokio::test]
async fn a_device_without_wide_counters_is_read_with_narrow_ones() {
    let agent = Agent::start(2).await;
    for index in [1, 2] {
        for column in (6..=13).chain([15, 19]) {
            agent.remove(&cell(IFX, column, index));
        }
    }
    let mut visitor = agent.visitor().await;
    for (round, requests) in [(1, 3), (2, 1)] {
        let pass = visitor.pass().await;
        assert_eq!((pass.readings.len(), pass.outcome), (2, Outcome::Complete), "{}", pass.failures);
        assert_eq!((pass.failures.total(), pass.requests), (0, requests), "round {round}");
        for reading in &pass.readings {
            let counters = reading.counters;
            assert_eq!((counters.rx_octets, counters.tx_octets, counters.width), (10, 16, Width::Bits32));
            assert_eq!(
                (counters.rx_packets, counters.speed_bps, counters.discontinuity_cs),
                (None, None, None)
            );
        }
    }
    agent.remove(&cell(IF, 10, 1));
    let pass = visitor.pass().await;
    assert_eq!((pass.readings.len(), pass.failures.get(Failure::MissingColumn)), (1, 1), "{}", pass.failures);
}

#[tokio::test]
async fn wide_counters_that_are_lacking_once_are_not_replaced_by_narrow_ones() {
    let agent = Agent::start(2).await;
    let mut visitor = agent.visitor().await;
    visitor.pass().await;
    agent.remove(&cell(IFX, 6, 1));
    for _ in 0..2 {
        let pass = visitor.pass().await;
        assert_eq!(names(&pass), ["eth2"]);
        assert_eq!(pass.failures.get(Failure::MissingColumn), 1, "{}", pass.failures);
    }
    let pass = visitor.pass().await;
    let narrow = pass.readings.iter().filter(|reading| reading.counters.width == Width::Bits32);
    assert_eq!((pass.readings.len(), narrow.count()), (2, 1), "the third time it is believed");
}

#[tokio::test]
async fn a_device_without_names_is_read_by_its_descriptions() {
    let agent = Agent::start(2).await;
    for index in [1, 2] {
        agent.remove(&cell(IFX, 1, index));
        agent.set(cell(IF, 2, index), Val::Text(format!("eth{index}")));
    }
    let mut visitor = agent.visitor().await;
    assert_eq!(names(&visitor.pass().await), ["eth1", "eth2"]);
    agent.port(1, "eth9");
    agent.remove(&cell(IFX, 1, 1));
    agent.set(cell(IF, 2, 1), Val::Text("eth9".into()));
    let pass = visitor.pass().await;
    assert_eq!((names(&pass), pass.failures.get(Failure::Moved)), (vec!["eth2", "eth9"], 1));
}

#[tokio::test]
async fn only_what_the_filter_takes_is_asked_for() {
    let agent = Agent::start(40).await;
    let filter = InterfaceFilter::patterns(["eth1?", "eth3"]).unwrap();
    let device = agent.device("sw1").with_interfaces(filter).with_packets(false);
    let mut visitor = Visitor::new(device, quick(), clock).await.unwrap();
    visitor.pass().await;
    agent.requests();
    let pass = visitor.pass().await;
    assert_eq!((pass.readings.len(), pass.requests, pass.outcome), (11, 2, Outcome::Complete));
    assert!(pass.readings.iter().all(|reading| reading.counters.rx_packets.is_none()));
    let asked: usize = agent.requests().iter().map(|request| request.oids.len()).sum();
    assert_eq!(asked, 11 * 5 + 2);
}
