//! Crashes, on the real store: nothing that was acknowledged is lost, nothing is doubled, and the live figures are those
//! that the store tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use meter95::aggregator::output::{PortId, ServerId};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::port::Port;
use meter95::aggregator::recovery::{self, Clock};
use meter95::aggregator::server::RECENT_SLOTS;
use meter95::aggregator::state::Times;
use meter95::demo::site::Site;
use meter95::inventory::Inventory;
use meter95::inventory::diff::changes;
use meter95::inventory::document::site::UplinkEntry;
use meter95::inventory::document::throttle::PolicyEntry;
use meter95::inventory::document::{Document, PortEntry};
use meter95::metering::period::{Month, SlotSpan};
use meter95::metering::units::Slot;
use meter95::store::connection::Store;
use meter95::usage::Usage;
use meter95_reading::{Reading, Timestamp};

use crate::support;

/// 2026-11-01T00:00 in Tokyo, where the simulated month begins.
const MONTH_MS: i64 = 1_793_458_800_000;

/// A day and a half later.
const UNTIL_MS: i64 = MONTH_MS + 36 * 3_600_000;

/// Lots between two kills of the engine.
const KILL_EVERY: usize = 90;

/// A small site, its inventory, and what its switches counted from [`MONTH_MS`] to [`UNTIL_MS`].
fn site() -> (Document, Vec<Vec<Reading>>) {
    let site = Arc::new(Site::new(7, 30, Timestamp(UNTIL_MS)).unwrap());
    let server = |server: &meter95::demo::site::Server| {
        let port = |p: &meter95_reading::PortKey| serde_json::json!({ "device": p.device(), "interface": p.interface() });
        serde_json::json!({ "id": server.id, "ports": server.ports.iter().map(port).collect::<Vec<_>>() })
    };
    let servers: Vec<_> = site.servers.iter().map(server).collect();
    let document = serde_json::from_value(serde_json::json!({ "servers": servers })).unwrap();
    (document, site.history(Timestamp(MONTH_MS), Timestamp(UNTIL_MS), 60_000).collect())
}

async fn sell(store: &Store, document: &Document) {
    let (version, before) = store.inventory().await.unwrap();
    store.put_inventory(&changes(&before, document), version + 1, Timestamp(MONTH_MS), "test").await.unwrap();
}

/// Everything that the store has of the simulated time: what ports carried, and the samples that count.
async fn facts(store: &Store) -> Facts {
    let span = SlotSpan::starting_in(Timestamp(MONTH_MS - 86_400_000), Timestamp(UNTIL_MS + 86_400_000));
    let ports = store.ports().await.unwrap();
    let ids: Vec<PortId> = (0..).map(PortId).take(ports.len()).collect();
    let mut carried: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((slot, port), what) in store.port_slots(&ids, span).await.unwrap() {
        carried.entry(ports[port.index()].to_string()).or_default().push(format!("{slot:?} {what:?}"));
    }
    let servers = store.servers().await.unwrap();
    let ids: Vec<ServerId> = (0..).map(ServerId).take(servers.len()).collect();
    let mut samples: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (server, of) in store.samples(&ids, span).await.unwrap() {
        let counted = of.into_iter().filter_map(|(slot, revised)| Some((slot, revised.sample?)));
        let lines = counted.map(|(slot, sample)| format!("{slot:?} {sample:?}")).collect();
        samples.insert(servers[server.index()].clone(), lines);
    }
    (carried, samples)
}

/// The live figures and those that the store tells, both as of the end.
async fn both_usages(store: &Store, pipeline: &Pipeline) -> (serde_json::Value, serde_json::Value) {
    let period: Month = "2026-11".parse().unwrap();
    let live = Usage::live(&pipeline.live().read(), period).unwrap();
    let (_, document) = store.inventory().await.unwrap();
    let inventory = Inventory::from_document(&document).unwrap();
    let stored = Usage::stored(store, &inventory, period, live.as_of.0, Times::default()).await.unwrap();
    (serde_json::to_value(live.servers).unwrap(), serde_json::to_value(stored.servers).unwrap())
}

async fn open(store: &Store) -> Pipeline {
    Pipeline::open(store.clone(), Times::default(), Clock::Readings).await.unwrap()
}

async fn feed(pipeline: &mut Pipeline, lots: &[Vec<Reading>]) {
    for lot in lots {
        let newest = lot.last().unwrap().counters.time;
        pipeline.take(vec![lot.clone()]).await;
        pipeline.tick(newest).await.unwrap();
    }
}

/// Lots of a few steps each, as collectors ship them.
fn lots(history: &[Vec<Reading>], steps: usize) -> Vec<Vec<Reading>> {
    history.chunks(steps).map(<[Vec<Reading>]>::concat).collect()
}

/// What ports carried, and the samples that count, by port and by server.
type Facts = (BTreeMap<String, Vec<String>>, BTreeMap<String, Vec<String>>);

/// Holds facts against others, and shows the first that differ, not all of thousands.
fn assert_same(got: &Facts, expected: &Facts, what: &str) {
    for (got, expected) in [(&got.0, &expected.0), (&got.1, &expected.1)] {
        assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{what}");
        for (name, lines) in got {
            let lacks: Vec<_> = expected[name].iter().filter(|line| !lines.contains(line)).take(3).collect();
            let more: Vec<_> = lines.iter().filter(|line| !expected[name].contains(line)).take(3).collect();
            assert!(lacks.is_empty() && more.is_empty(), "{what}: {name} lacks {lacks:#?} and has {more:#?}");
        }
    }
}

/// What an undisturbed run stores.
async fn undisturbed(name: &str, document: &Document, history: &[Vec<Reading>]) -> Facts {
    let store = support::store(name).await;
    sell(&store, document).await;
    let mut pipeline = open(&store).await;
    feed(&mut pipeline, &lots(history, 20)).await;
    pipeline.close().await.unwrap();
    let facts = facts(&store).await;
    assert!(facts.1.values().map(Vec::len).sum::<usize>() > 10_000, "a real amount of samples");
    store.close().await.unwrap();
    facts
}

#[tokio::test(flavor = "multi_thread")]
async fn live_figures_are_those_of_the_store_before_and_after_restarts() {
    let (document, history) = site();
    let store = support::store("recovery-restarts").await;
    sell(&store, &document).await;
    for part in lots(&history, 20).chunks(23) {
        let mut pipeline = open(&store).await;
        feed(&mut pipeline, part).await;
        pipeline.flush().await.unwrap();
        let (live, stored) = both_usages(&store, &pipeline).await;
        assert_eq!(live, stored);
        pipeline.close().await.unwrap();
        let again = open(&store).await;
        assert_eq!(both_usages(&store, &again).await.0, live, "after a restart");
        again.close().await.unwrap();
    }
    let expected = undisturbed("recovery-restarts-plain", &document, &history).await;
    assert_same(&facts(&store).await, &expected, "restarts leave no trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_leaves_out_is_made_again() {
    let (document, history) = site();
    let expected = undisturbed("recovery-crash-plain", &document, &history).await;
    let store = support::store("recovery-crash").await;
    sell(&store, &document).await;
    let lots = lots(&history, 20);
    for (i, part) in lots.chunks(17).enumerate() {
        // The readings are stored, and all or part of what follows from them is not, for the process ends here.
        let mut pipeline = open(&store).await;
        for lot in part {
            pipeline.take(vec![lot.clone()]).await;
            if i % 3 == 1 {
                pipeline.tick(lot.last().unwrap().counters.time).await.unwrap();
            }
        }
        pipeline.crash().await;
    }
    let mut pipeline = open(&store).await;
    // A collector that never heard of its readings ships them again.
    feed(&mut pipeline, &lots[lots.len() - 5..]).await;
    pipeline.flush().await.unwrap();
    let (live, stored) = both_usages(&store, &pipeline).await;
    assert_eq!(live, stored);
    pipeline.close().await.unwrap();
    assert_same(&facts(&store).await, &expected, "crashes leave no trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_engine_loses_nothing_that_was_acknowledged() {
    let (document, history) = site();
    let expected = undisturbed("recovery-kills-plain", &document, &history).await;
    let (store, data_dir) = support::store_and_dir("recovery-kills").await;
    sell(&store, &document).await;
    let mut pipeline = open(&store).await;
    let (mut acknowledged, mut kills) = (0, 0);
    for (i, lot) in lots(&history, 5).into_iter().enumerate() {
        let newest = lot.last().unwrap().counters.time;
        let count = u64::try_from(lot.len()).unwrap();
        // The kill comes while the lot is on its way: before, amid or after its insert.
        let kill = async {
            for _ in 0..i % 7 {
                tokio::task::yield_now().await;
            }
            i % KILL_EVERY == KILL_EVERY - 1 && support::kill_engine(&data_dir)
        };
        let (receipt, killed) = tokio::join!(pipeline.take(vec![lot]), kill);
        assert_eq!(receipt[0].taken, count);
        acknowledged += count;
        kills += u32::from(killed);
        pipeline.tick(newest).await.unwrap();
    }
    assert!(kills >= 3, "the engine was killed {kills} times only");
    pipeline.flush().await.unwrap();
    let (live, stored) = both_usages(&store, &pipeline).await;
    assert_eq!(live, stored);
    pipeline.close().await.unwrap();

    let mut readings = 0;
    let all: Vec<(PortId, i64)> =
        (0..).map(|id| (PortId(id), 0)).take(store.ports().await.unwrap().len()).collect();
    store.readings_since(&all, |_, _| readings += 1).await.unwrap();
    assert_eq!(readings, acknowledged, "every acknowledged reading is there, once");
    assert_same(&facts(&store).await, &expected, "kills leave no trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_inventory_gives_the_samples_that_it_would_have_given_from_the_first() {
    let (mut document, history) = site();
    let expected = undisturbed("recovery-inventory-plain", &document, &history).await;
    let store = support::store("recovery-inventory").await;
    // At first half of the servers have each other's ports, and the other half are not known at all.
    let right = document.clone();
    let half = document.servers.len() / 2;
    document.servers.truncate(half);
    for pair in document.servers.chunks_mut(2) {
        if let [a, b] = pair {
            std::mem::swap(&mut a.ports, &mut b.ports);
        }
    }
    sell(&store, &document).await;
    let mut pipeline = open(&store).await;
    let lots = lots(&history, 20);
    feed(&mut pipeline, &lots[..lots.len() / 2]).await;
    sell(&store, &right).await;
    assert!(pipeline.reload_inventory().await.unwrap());
    feed(&mut pipeline, &lots[lots.len() / 2..]).await;
    pipeline.flush().await.unwrap();
    let (live, stored) = both_usages(&store, &pipeline).await;
    assert_eq!(live, stored);
    pipeline.close().await.unwrap();
    assert_same(&facts(&store).await, &expected, "a mistake that was corrected leaves no trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_was_never_read_costs_no_sample_when_the_service_starts_again_later() {
    let (mut document, history) = site();
    for server in &mut document.servers {
        let mut ghost = server.ports[0].clone();
        ghost.device = format!("{}-not-cabled", server.id);
        server.ports.push(ghost);
    }
    let expected = undisturbed("recovery-ghost-plain", &document, &history).await;
    let store = support::store("recovery-ghost").await;
    sell(&store, &document).await;
    let mut clock = Timestamp(MONTH_MS);
    for (part, later_min) in lots(&history, 20).chunks(23).zip([0, 1, 6, 11, 26]) {
        let clock_at_start = Clock::Machine(clock.plus_ms(later_min * 60_000));
        let mut pipeline = Pipeline::open(store.clone(), Times::default(), clock_at_start).await.unwrap();
        feed(&mut pipeline, part).await;
        clock = pipeline.live().read().clock();
        pipeline.flush().await.unwrap();
        let (live, stored) = both_usages(&store, &pipeline).await;
        assert_eq!(live, stored, "started {later_min} minutes later");
        pipeline.close().await.unwrap();
    }
    assert_same(&facts(&store).await, &expected, "restarts leave no trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_beside_an_outage_of_the_collector_loses_no_slot() {
    let (document, mut history) = site();
    // Every three hours the collector is silent for twenty minutes, longer than is spread.
    history = history.chunks(180).flat_map(|hours| hours.iter().take(160).cloned()).collect();
    let expected = undisturbed("recovery-outage-plain", &document, &history).await;
    let store = support::store("recovery-outage").await;
    sell(&store, &document).await;
    for part in history.chunks(160) {
        let mut pipeline = open(&store).await;
        let (first, rest) = part.split_at(part.len().min(20));
        // The first readings after the silence are stored, and nothing that follows from them.
        pipeline.take(vec![first.concat()]).await;
        pipeline.crash().await;
        let mut pipeline = open(&store).await;
        feed(&mut pipeline, &lots(rest, 20)).await;
        pipeline.flush().await.unwrap();
        pipeline.crash().await;
    }
    let pipeline = open(&store).await;
    pipeline.close().await.unwrap();
    assert_same(&facts(&store).await, &expected, "crashes leave no trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_remembers_the_newest_slots_of_every_port_that_somebody_asks_for() {
    let (mut document, history) = site();
    let uplink = document.servers.pop().unwrap().ports.remove(0);
    document.uplinks.push(UplinkEntry {
        id: "line".to_owned(),
        region: "tokyo".to_owned(),
        device: uplink.device,
        interface: uplink.interface,
        devices: Vec::new(),
        speed_bps: 1_000_000_000,
        from: None,
        until: None,
    });
    let compared = document.servers.pop().unwrap().ports.remove(0);
    document.servers[0].ports.push(PortEntry { check_only: true, ..compared });
    let store = support::store("recovery-ports").await;
    sell(&store, &document).await;
    let mut pipeline = open(&store).await;
    let lots = lots(&history, 20);
    feed(&mut pipeline, &lots[..30]).await;
    let before = remembered(&pipeline);
    pipeline.close().await.unwrap();
    let mut pipeline = open(&store).await;
    assert_eq!(remembered(&pipeline), before, "after a stop in order");
    // These are stored, and nothing that follows from them.
    pipeline.take(vec![lots[30].clone()]).await;
    let before = remembered(&pipeline);
    pipeline.crash().await;
    let pipeline = open(&store).await;
    assert_eq!(remembered(&pipeline), before, "after a crash");
    pipeline.close().await.unwrap();
}

/// What the live state remembers of ports that somebody asks for, and of servers.
fn remembered(pipeline: &Pipeline) -> (BTreeMap<String, Vec<String>>, BTreeMap<String, Vec<String>>) {
    let live = pipeline.live();
    let state = live.read();
    let newest = |port: &Port| {
        let until = port.complete_until().unwrap();
        let slots = (until.0 - RECENT_SLOTS + 3..=until.0).map(Slot);
        slots.map(|slot| format!("{slot:?} {:?} {}", port.carried(slot), port.known_from() <= slot)).collect()
    };
    let kept = state.ports().iter().filter(|port| port.is_kept());
    let ports: BTreeMap<String, Vec<String>> =
        kept.map(|port| (port.key.to_string(), newest(port))).collect();
    assert!(ports.values().flatten().all(|line| line.ends_with("true")), "memory reaches back");
    assert!(ports.values().flatten().any(|line| line.contains("rx_octets")), "and tells something");
    let servers = state.servers().iter().map(|server| {
        let slots = server.newest_closed(24).map(|(slot, sample)| format!("{slot:?} {sample:?}"));
        (server.name.clone(), slots.collect())
    });
    (ports, servers.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_was_put_in_force_while_the_service_was_stopped_settles_nothing_anew() {
    let (mut document, history) = site();
    let store = support::store("recovery-policy").await;
    sell(&store, &document).await;
    let mut pipeline = open(&store).await;
    feed(&mut pipeline, &lots(&history, 20)[..30]).await;
    pipeline.close().await.unwrap();
    let settled_from = async || {
        let clock = Clock::Readings;
        let mut recovered = recovery::recover(&store, Times::default(), clock).await.unwrap();
        recovered.aggregator.take_cold().into_values().min()
    };
    let usual = settled_from().await;
    assert!(usual > Some(Slot::of(Timestamp(MONTH_MS))), "what has closed since");
    document.policies.push(PolicyEntry {
        id: "p".to_owned(),
        quiet_slots: Some(6),
        ..PolicyEntry::default()
    });
    sell(&store, &document).await;
    assert_eq!(settled_from().await, usual);
    document.servers[0].ports.truncate(0);
    sell(&store, &document).await;
    assert_eq!(settled_from().await, Some(Slot(0)), "other ports do");
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_of_many_years_are_stored_whatever_their_months() {
    let store = support::store("recovery-years").await;
    let mut pipeline = open(&store).await;
    let line = |month: i64| {
        let time = month * 31 * 86_400_000;
        format!(r#"{{"device":"old","interface":"a","time":{time},"rx":{month},"tx":0}}"#)
    };
    let readings: Vec<Reading> = (1..=200).map(|month| serde_json::from_str(&line(month)).unwrap()).collect();
    assert_eq!(pipeline.take(vec![readings]).await[0].taken, 200);
    // 199 gaps in as many months: more than ClickHouse takes with one insert.
    pipeline.flush().await.unwrap();
    pipeline.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_that_closed_stay_closed_when_a_port_is_added_while_the_service_is_stopped() {
    let (mut document, history) = site();
    let store = support::store("recovery-added").await;
    sell(&store, &document).await;
    let mut pipeline = open(&store).await;
    feed(&mut pipeline, &lots(&history, 20)).await;
    let clock = pipeline.live().read().clock();
    pipeline.close().await.unwrap();
    for server in &mut document.servers {
        let mut ghost = server.ports[0].clone();
        ghost.device = format!("{}-not-cabled", server.id);
        server.ports.push(ghost);
    }
    sell(&store, &document).await;
    let started = Clock::Machine(clock.plus_ms(30_000));
    let pipeline = Pipeline::open(store.clone(), Times::default(), started).await.unwrap();
    let (live, stored) = both_usages(&store, &pipeline).await;
    assert_eq!(live, stored);
    pipeline.close().await.unwrap();
}
