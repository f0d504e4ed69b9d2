//! SNMPv3 against net-snmp's agent: every protocol, what refusals are called, agents that start again or are replaced,
//! and forgers on the way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use meter95_snmp::{
    AuthProtocol, Credentials, Device, Failure, Options, Outcome, Pass, Poller, PrivacyProtocol, Secret,
    User, Visitor, ports,
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::agent::{Reply, ber, clock};
use crate::relay::Relay;
use crate::snmpd::Snmpd;

const AUTH: &str = "authentic-95";
const PRIVACY: &str = "encrypted-95";

/// What [`user`] is to the agent.
const USER: &str = "createUser meter95 SHA-256 authentic-95 AES encrypted-95\nrouser meter95 priv\n";

fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

fn user_of(name: &str, auth: (AuthProtocol, &str), privacy: (PrivacyProtocol, &str)) -> User {
    User::new(name, (auth.0, &secret(auth.1)), (privacy.0, &secret(privacy.1))).unwrap()
}

fn user() -> User {
    user_of("meter95", (AuthProtocol::Sha256, AUTH), (PrivacyProtocol::Aes128, PRIVACY))
}

fn device(address: SocketAddr, user: User) -> Device {
    Device::new("host", address, Credentials::V3 { user }).unwrap()
}

/// Time enough for a busy machine; waits only where an answer is missing.
fn options() -> Options {
    Options {
        request_timeout: Duration::from_secs(1),
        exchange_timeout: Duration::from_secs(4),
        ..Options::default()
    }
}

fn fresh() -> Arc<TempDir> {
    Arc::new(tempfile::tempdir().unwrap())
}

async fn visitor(address: SocketAddr) -> Visitor {
    Visitor::new(device(address, user()), options(), clock).await.unwrap()
}

fn whole(pass: &Pass, what: &str) {
    assert_eq!(pass.outcome, Outcome::Complete, "{what}: {}", pass.failures);
    assert!(pass.readings.iter().any(|reading| reading.port.interface() == "lo"), "{what}: {pass:?}");
}

/// net-snmp's words.
fn auth_word(protocol: AuthProtocol) -> &'static str {
    match protocol {
        AuthProtocol::Sha1 => "SHA",
        AuthProtocol::Sha224 => "SHA-224",
        AuthProtocol::Sha256 => "SHA-256",
        AuthProtocol::Sha384 => "SHA-384",
        AuthProtocol::Sha512 => "SHA-512",
    }
}

/// net-snmp's words.
fn privacy_word(protocol: PrivacyProtocol) -> &'static str {
    match protocol {
        PrivacyProtocol::Aes128 => "AES-128",
        PrivacyProtocol::Aes192 => "AES-192",
        PrivacyProtocol::Aes256 => "AES-256",
        PrivacyProtocol::Aes192Cisco => "AES-192-C",
        PrivacyProtocol::Aes256Cisco => "AES-256-C",
    }
}

#[tokio::test]
async fn every_pair_of_protocols_is_understood() {
    let pairs =
        AuthProtocol::ALL.into_iter().flat_map(|auth| PrivacyProtocol::ALL.map(|privacy| (auth, privacy)));
    let name = |auth: AuthProtocol, privacy: PrivacyProtocol| format!("{auth}-{privacy}");
    let mut lines = String::new();
    for (auth, privacy) in pairs.clone() {
        let (name, auth, privacy) = (name(auth, privacy), auth_word(auth), privacy_word(privacy));
        lines.push_str(&format!("createUser {name} {auth} {AUTH} {privacy} {PRIVACY}\nrouser {name} priv\n"));
    }
    for auth in AuthProtocol::ALL {
        lines.push_str(&format!("createUser {auth} {} {AUTH}\nrouser {auth} auth\n", auth_word(auth)));
    }
    let snmpd = Snmpd::start_with(&lines, fresh()).await;
    let signed =
        AuthProtocol::ALL.map(|auth| User::without_privacy(auth.as_str(), (auth, &secret(AUTH))).unwrap());
    let encrypted =
        pairs.map(|(auth, privacy)| user_of(&name(auth, privacy), (auth, AUTH), (privacy, PRIVACY)));
    let mut users = 0;
    for user in encrypted.chain(signed) {
        let what = format!("{user:?}");
        let mut visitor = Visitor::new(device(snmpd.address, user), options(), clock).await.unwrap();
        let pass = visitor.pass().await;
        whole(&pass, &what);
        assert_eq!(pass.failures.total(), 0, "{what}: {}", pass.failures);
        users += 1;
    }
    assert_eq!(users, 30);
    // One password for both protocols is digested once.
    let both = user_of("sha1-aes256", (AuthProtocol::Sha1, AUTH), (PrivacyProtocol::Aes256, AUTH));
    let mut visitor = Visitor::new(device(snmpd.address, both), options(), clock).await.unwrap();
    assert_eq!(visitor.pass().await.failures.get(Failure::WrongPrivacy), 1);
}

#[tokio::test]
async fn refusals_are_called_by_their_names() {
    let lines = format!("{USER}createUser signed SHA-256 {AUTH}\nrouser signed auth\n");
    let snmpd = Snmpd::start_with(&lines, fresh()).await;
    // Each refusal is waited for, lest it be a forgery.
    let quick = Options { request_timeout: Duration::from_millis(400), ..options() };
    let (sha, aes) = (AuthProtocol::Sha256, PrivacyProtocol::Aes128);
    let without = |name| User::without_privacy(name, (sha, &secret(AUTH))).unwrap();
    for (user, failure, says) in [
        (user_of("nobody", (sha, AUTH), (aes, PRIVACY)), Failure::UnknownUser, "no user of this name"),
        (
            user_of("meter95", (sha, "wrong-password"), (aes, PRIVACY)),
            Failure::WrongAuth,
            "authentication password",
        ),
        (user_of("meter95", (AuthProtocol::Sha512, AUTH), (aes, PRIVACY)), Failure::WrongAuth, "or protocol"),
        (user_of("meter95", (sha, AUTH), (aes, "wrong-password")), Failure::WrongPrivacy, "privacy password"),
        (
            user_of("meter95", (sha, AUTH), (PrivacyProtocol::Aes256, PRIVACY)),
            Failure::WrongPrivacy,
            "or protocol",
        ),
        (user_of("signed", (sha, AUTH), (aes, PRIVACY)), Failure::SecurityLevel, "without the protection"),
        (without("meter95"), Failure::Denied, "refuses what was asked"),
    ] {
        let what = format!("{user:?} {failure}");
        let device = device(snmpd.address, user);
        let mut visitor = Visitor::new(device.clone(), quick.clone(), clock).await.unwrap();
        // The second pass does not begin with finding the engine.
        for _ in 0..2 {
            let pass = visitor.pass().await;
            assert_eq!(pass.outcome, Outcome::Failed, "{what}: {}", pass.failures);
            assert!(pass.failures.get(failure) > 0, "{what}: {}", pass.failures);
        }
        let error = ports(&device, &quick).await.unwrap_err().to_string();
        assert!(error.contains(says), "{what}: {error}");
        assert!(!error.contains(AUTH) && !error.contains(PRIVACY), "{error}");
    }
}

#[tokio::test]
async fn a_user_that_is_refused_from_now_on_costs_few_requests_until_it_is_taken_again() {
    let engine = "exactEngineID 0x8000000001020304\n";
    let good = Snmpd::start_with(&format!("{USER}{engine}"), fresh()).await;
    let relay = Relay::start(good.address).await;
    let mut visitor = visitor(relay.address).await;
    whole(&visitor.pass().await, "before");
    let changed = USER.replace(AUTH, "another-password");
    let changed = Snmpd::start_with(&format!("{changed}{engine}"), fresh()).await;
    relay.replace(changed.address);
    for pass in 0..3 {
        let pass_made = visitor.pass().await;
        assert_eq!(pass_made.outcome, Outcome::Failed, "{}", pass_made.failures);
        assert!(pass_made.failures.get(Failure::WrongAuth) > 0, "{}", pass_made.failures);
        // Two are in flight at a time, and there is no third.
        assert!(pass_made.requests <= 2, "pass {pass}: {}", pass_made.requests);
        assert_eq!(visitor.health().consecutive_failures, pass + 1);
    }
    relay.replace(good.address);
    whole(&visitor.pass().await, "after");
}

#[tokio::test]
async fn one_socket_serves_devices_of_both_versions() {
    let [first, second] = [Snmpd::start_with(USER, fresh()).await, Snmpd::start_with(USER, fresh()).await];
    let user = user();
    let devices = [("first", &first), ("second", &second)].into_iter().flat_map(|(name, snmpd)| {
        let v3 = Credentials::V3 { user: user.clone() };
        let v2c = Credentials::V2c { community: secret("hush") };
        [("v3", v3), ("v2c", v2c)].map(|(version, credentials)| {
            Device::new(&format!("{name}-{version}"), snmpd.address, credentials).unwrap()
        })
    });
    let poller = Poller::new(devices.collect(), options(), clock).unwrap();
    let board = poller.board();
    let (out, mut passes) = mpsc::channel(4);
    let stop = CancellationToken::new();
    let run = tokio::spawn(poller.run(out, stop.clone()));
    for _ in 0..4 {
        let pass = passes.recv().await.unwrap();
        whole(&pass, &pass.device);
        assert_eq!(pass.failures.total(), 0, "{}: {}", pass.device, pass.failures);
    }
    stop.cancel();
    run.await.unwrap().unwrap();
    assert_eq!((board.datagrams().malformed, board.datagrams().unmatched), (0, 0));
}

#[tokio::test]
async fn an_agent_that_starts_again_is_followed() {
    let directory = fresh();
    let snmpd = Snmpd::start_with(USER, Arc::clone(&directory)).await;
    let relay = Relay::start(snmpd.address).await;
    let mut visitor = visitor(relay.address).await;
    whole(&visitor.pass().await, "first");
    let before = relay.passed();
    whole(&visitor.pass().await, "second");
    // Nothing but requests and answers once the engine is known.
    assert_eq!(relay.passed() - before, 2 * usize::try_from(visitor.pass().await.requests).unwrap());
    assert_eq!(relay.boots(), 1);
    drop(snmpd);
    assert_eq!(visitor.pass().await.outcome, Outcome::Silent);
    for start in 2..5 {
        let snmpd = Snmpd::start_with(USER, Arc::clone(&directory)).await;
        relay.replace(snmpd.address);
        let pass = visitor.pass().await;
        whole(&pass, &format!("start {start}"));
        assert_eq!((relay.boots(), pass.failures.total()), (start, 0), "{}", pass.failures);
    }
}

#[tokio::test]
async fn another_engine_at_the_same_address_is_found_within_the_pass() {
    let engine = |id: &str| format!("{USER}exactEngineID 0x{id}\n");
    let first = Snmpd::start_with(&engine("8000000001020304"), fresh()).await;
    let relay = Relay::start(first.address).await;
    let mut visitor = visitor(relay.address).await;
    whole(&visitor.pass().await, "first");
    let second = Snmpd::start_with(&engine("8000000001020305"), fresh()).await;
    relay.replace(second.address);
    let pass = visitor.pass().await;
    whole(&pass, "second");
    assert!(pass.failures.get(Failure::UnknownEngine) > 0, "{}", pass.failures);
    let pass = visitor.pass().await;
    whole(&pass, "second again");
    assert_eq!(pass.failures.total(), 0, "{}", pass.failures);
}

#[tokio::test]
async fn an_engine_that_lost_count_of_its_boots_is_found_within_the_pass() {
    let lines = format!("{USER}exactEngineID 0x8000000001020304\n");
    let directory = fresh();
    for _ in 0..2 {
        Snmpd::start_with(&lines, Arc::clone(&directory)).await;
    }
    let snmpd = Snmpd::start_with(&lines, directory).await;
    let relay = Relay::start(snmpd.address).await;
    let mut visitor = visitor(relay.address).await;
    whole(&visitor.pass().await, "boots 3");
    assert_eq!(relay.boots(), 3);
    let snmpd = Snmpd::start_with(&lines, fresh()).await;
    relay.replace(snmpd.address);
    let pass = visitor.pass().await;
    whole(&pass, "boots 1");
    assert_eq!(relay.boots(), 1);
    assert!(pass.failures.get(Failure::NotInTime) > 0, "{}", pass.failures);
    let pass = visitor.pass().await;
    whole(&pass, "boots 1 again");
    assert_eq!(pass.failures.total(), 0, "{}", pass.failures);
}

/// Every report that anybody can send who sees `datagram`, from the right address and another one.
fn reports(datagram: &[u8]) -> Vec<Reply> {
    let head = ber::head(datagram);
    let mut forged = Vec::new();
    for what in 1..=6 {
        for flags in [0, 1] {
            let engines = [head.engine.clone(), vec![0x80, 0, 0, 0, 9, 9, 9, 9], vec![]];
            for engine in engines {
                let octets = ber::report(&ber::Head { flags, engine, boots: 9, ..head.clone() }, what);
                forged.push(Reply::Elsewhere(octets.clone()));
                forged.push(Reply::Plain(octets));
            }
        }
    }
    forged
}

#[tokio::test]
async fn forged_reports_end_no_request() {
    let snmpd = Snmpd::start_with(USER, fresh()).await;
    let relay = Relay::start(snmpd.address).await;
    let mut visitor = visitor(relay.address).await;
    whole(&visitor.pass().await, "before");
    // As many in front of each answer as wait for a request at once, lest the true one be among what is too much.
    relay.forge(|octets, is_answer| {
        let mut reports = reports(octets);
        reports.truncate(if is_answer { 12 } else { 16 });
        if is_answer { reports } else { vec![] }
    });
    for pass in 0..20 {
        whole(&visitor.pass().await, &format!("pass {pass}"));
    }
    // All of them, and the true answer may be lost in the flood: the passes after it are whole again.
    relay.forge(|octets, _| reports(octets));
    for _ in 0..5 {
        visitor.pass().await;
    }
    relay.forge(|_, _| vec![]);
    visitor.pass().await;
    let pass = visitor.pass().await;
    whole(&pass, "after");
    assert_eq!(pass.failures.total(), 0, "{}", pass.failures);
    assert!(visitor.datagrams().unmatched > 0);
}

#[tokio::test]
async fn a_forged_identity_is_given_up_within_the_pass() {
    let snmpd = Snmpd::start_with(USER, fresh()).await;
    let relay = Relay::start(snmpd.address).await;
    // Whoever sees the question who the engine is can answer it before the engine does.
    let mut forged = 0;
    relay.forge(move |octets, is_answer| {
        let head = ber::head(octets);
        if is_answer || !head.engine.is_empty() || forged == 1 {
            return vec![];
        }
        forged += 1;
        let engine = vec![0x80, 0, 0, 0, 9, 9, 9, 9];
        vec![Reply::Plain(ber::report(&ber::Head { flags: 0, engine, boots: 0, time: 0, ..head }, 4))]
    });
    let mut visitor = visitor(relay.address).await;
    let pass = visitor.pass().await;
    whole(&pass, "first");
    assert!(pass.failures.get(Failure::UnknownEngine) > 0, "{}", pass.failures);
}

#[tokio::test]
async fn garbled_answers_give_no_wrong_reading_and_end_no_request() {
    let snmpd = Snmpd::start_with(USER, fresh()).await;
    let relay = Relay::start(snmpd.address).await;
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    relay.forge(move |octets, is_answer| {
        if !is_answer {
            return vec![];
        }
        let mut below = |limit: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed >> 33).unwrap() % limit
        };
        let mut garbled = || {
            let mut octets = octets.to_vec();
            for _ in 0..=below(3) {
                let place = below(octets.len());
                octets[place] ^= 1 << below(8);
            }
            if below(4) == 0 {
                octets.truncate(below(octets.len()));
            }
            octets
        };
        (0..10).flat_map(|_| [Reply::Plain(garbled()), Reply::Elsewhere(octets.to_vec())]).collect()
    });
    let mut visitor = visitor(relay.address).await;
    let mut rejected = 0;
    let mut last = None;
    for pass in 0..40 {
        let pass_made = visitor.pass().await;
        whole(&pass_made, &format!("pass {pass}"));
        rejected += pass_made.failures.get(Failure::Malformed);
        let lo = pass_made.readings.iter().find(|reading| reading.port.interface() == "lo").unwrap().counters;
        assert_eq!(lo.rx_octets, lo.tx_octets, "{lo:?}");
        assert!(last.is_none_or(|last| last <= lo.rx_octets), "{lo:?}");
        last = Some(lo.rx_octets);
    }
    assert!(rejected > 100, "{rejected}");
}
