//! Many devices at once.

use std::time::Duration;

use meter95_snmp::{Failure, Options, Outcome, Poller, PollerError};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::agent::{Agent, UPTIME, Val, clock, names, quick};

#[tokio::test]
async fn a_dead_device_delays_no_other() {
    let mut agents = Vec::new();
    for _ in 0..5 {
        agents.push(Agent::start(8).await);
    }
    // Takes requests and says nothing.
    let dead = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let second = Duration::from_secs(1);
    let mut devices = Vec::new();
    for (number, agent) in agents.iter().enumerate() {
        devices.push(agent.device(&format!("sw{number}")).with_interval(second).unwrap());
    }
    for number in 0..5 {
        let credentials = devices[0].credentials().clone();
        let address = dead.local_addr().unwrap();
        let device = meter95_snmp::Device::new(&format!("dead{number}"), address, credentials).unwrap();
        devices.push(device.with_interval(second).unwrap());
    }
    let options =
        Options { request_timeout: Duration::from_millis(450), exchange_timeout: second, ..quick() };
    let poller = Poller::new(devices, options, clock).unwrap();
    let board = poller.board();
    let (out, mut passes) = mpsc::channel(100);
    let stop = CancellationToken::new();
    let run = tokio::spawn(poller.run(out, stop.clone()));
    let mut good = 0;
    while let Some(pass) = passes.recv().await {
        if pass.device.starts_with("dead") {
            assert_eq!((pass.outcome, pass.readings.len()), (Outcome::Silent, 0));
            continue;
        }
        assert_eq!((names(&pass).len(), pass.outcome), (8, Outcome::Complete), "{}", pass.failures);
        assert!(pass.took < Duration::from_millis(450), "{:?}", pass.took);
        let now = clock();
        for reading in &pass.readings {
            assert!((pass.started..=now).contains(&reading.counters.time), "{reading:?}");
        }
        good += 1;
        if good == 10 && board.device("dead0").is_some_and(|health| health.passes > 0) {
            stop.cancel();
        }
    }
    run.await.unwrap().unwrap();
    let health = board.device("sw0").unwrap();
    assert!(health.passes >= 2 && health.consecutive_failures == 0 && health.last_success.is_some());
    // Two requests a pass, and a walk.
    assert!(health.round_trips_us.unwrap().len() >= 5);
    let health = board.device("dead0").unwrap();
    assert!(health.failures.get(Failure::Timeout) > 0 && health.consecutive_failures > 0);
    assert!(health.last_success.is_none());
    assert!(board.datagrams().matched >= 25);
    assert!(board.device("none").is_none());
}

#[tokio::test]
async fn wrong_sources_and_damage_are_counted_on_the_socket() {
    let agent = Agent::start(1).await;
    agent.behave(|request, binds| {
        let octets = crate::agent::ber::answer(request, 0, &binds);
        vec![
            crate::agent::Reply::Elsewhere(octets.clone()),
            crate::agent::Reply::Plain(vec![0x30, 0x80]),
            crate::agent::Reply::Plain(octets),
        ]
    });
    let poller = Poller::new(vec![agent.device("sw1")], quick(), clock).unwrap();
    let board = poller.board();
    let (out, mut passes) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let run = tokio::spawn(poller.run(out, stop.clone()));
    let pass = passes.recv().await.unwrap();
    assert_eq!((names(&pass), pass.outcome), (vec!["eth1"], Outcome::Complete), "{}", pass.failures);
    stop.cancel();
    run.await.unwrap().unwrap();
    let datagrams = board.datagrams();
    assert_eq!((datagrams.matched, datagrams.unmatched, datagrams.malformed), (2, 2, 2));
}

#[tokio::test]
async fn a_device_that_comes_back_is_probed_with_one_request() {
    let agent = Agent::start(8).await;
    let mut visitor = agent.visitor().await;
    visitor.pass().await;
    agent.behave(|_, _| vec![]);
    for (pass, asked) in [(1, 4), (2, 2), (3, 2)] {
        agent.requests();
        assert_eq!(visitor.pass().await.outcome, Outcome::Silent);
        assert_eq!(agent.requests().len(), asked, "pass {pass}");
    }
    assert_eq!(visitor.health().consecutive_failures, 3);
    agent.behave(|request, binds| crate::agent::good(request, &binds));
    // It has started again meanwhile.
    agent.set(UPTIME.to_vec(), Val::Ticks(5));
    let pass = visitor.pass().await;
    assert_eq!((pass.readings.len(), pass.outcome), (8, Outcome::Complete), "{}", pass.failures);
    assert_eq!(visitor.health().consecutive_failures, 0);
    // One probe more than the two that eight ports need.
    assert_eq!(pass.requests, 3);
    let pass = visitor.pass().await;
    assert_eq!(pass.requests, 3, "and is listed anew");
}

#[tokio::test]
async fn devices_of_one_name_are_refused() {
    let agent = Agent::start(0).await;
    let devices = vec![agent.device("sw1"), agent.device("sw1")];
    let error = Poller::new(devices, quick(), clock).unwrap_err();
    assert_eq!(error, PollerError::DuplicateDevice("sw1".into()));
}

#[tokio::test]
async fn one_socket_serves_both_address_families() {
    let agent = Agent::start(2).await;
    let credentials = agent.device("sw1").credentials().clone();
    // An address for documentation: nobody answers there.
    let far = meter95_snmp::Device::new("far", "[2001:db8::1]:161".parse().unwrap(), credentials).unwrap();
    let poller = Poller::new(vec![agent.device("sw1"), far], quick(), clock).unwrap();
    let (out, mut passes) = mpsc::channel(2);
    let stop = CancellationToken::new();
    let run = tokio::spawn(poller.run(out, stop.clone()));
    for _ in 0..2 {
        let pass = passes.recv().await.unwrap();
        match &*pass.device {
            "sw1" => {
                assert_eq!((names(&pass).len(), pass.outcome), (2, Outcome::Complete), "{}", pass.failures)
            }
            _ => assert_eq!(pass.outcome, Outcome::Silent, "{}", pass.failures),
        }
    }
    stop.cancel();
    run.await.unwrap().unwrap();
}
