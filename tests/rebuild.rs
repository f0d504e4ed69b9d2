//! Figures proved from readings: what is made of them again is what the live state stored, whatever was superseded stays
//! readable, and what other readings would change is what they change when they are imported.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use flate2::read::GzDecoder;
use meter95::aggregator::output::{Output, PortId, PortSlotOut, Revised, SampleOut, ServerId};
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::{Aggregator, Times};
use meter95::demo::site::Site;
use meter95::inventory::Inventory;
use meter95::inventory::diff::changes;
use meter95::inventory::document::Document;
use meter95::metering::period::{Month, SlotSpan};
use meter95::metering::sample::{Rates, Sample};
use meter95::metering::slot::PortSlot;
use meter95::metering::units::{Bps, Slot};
use meter95::rebuild::derive::{Bound, Carried, Replay, Window, speeds};
use meter95::rebuild::month::{Comparison, Rebuild, RebuildError};
use meter95::store::connection::Store;
use meter95::usage::Usage;
use meter95_reading::{Counters, PortKey, Reading, Timestamp, Width};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{self, meter95};

/// A round instant in the middle of a month.
const START_MS: i64 = 1_790_000_100_000;

/// Ports that move between servers, one with a speed that changes, one with a wrong speed, one of a server that ends.
const MOVES: &str = "
[[servers]]
id = 'moved'
ports = [
  { device = 'sw1', interface = 'a', until = 1790004000001, speed_bps = 100000000 },
  { device = 'sw3', interface = 'c', from = 1790004000001 },
]
[[servers]]
id = 'dual'
ports = [
  { device = 'sw1', interface = 'b', until = 1790005000000, speed_bps = 3000000 },
  { device = 'sw1', interface = 'b', from = 1790005000000, speed_bps = 1000000000 },
  { device = 'sw2', interface = 'b', kind = 'nic' },
]
[[servers]]
id = 'heir'
service_end = 1790009000000
ports = [
  { device = 'sw1', interface = 'a', from = 1790004300000 },
  { device = 'never', interface = 'read' },
]
";

fn keys() -> [PortKey; 4] {
    [("sw1", "a"), ("sw1", "b"), ("sw2", "b"), ("sw3", "c")]
        .map(|(device, interface)| PortKey::new(device, interface).unwrap())
}

fn inventory(toml: &str) -> Inventory {
    Inventory::from_document(&toml::from_str::<Document>(toml).unwrap()).unwrap()
}

/// What happens to a port's counters from one reading to the next.
#[derive(Debug, Clone, Copy)]
enum Event {
    Counts(u64, u64),
    Restarts,
    IsDisturbed,
}

/// Readings of four ports, with pauses and outages, restarts, wraps, widths of both kinds, and speeds that some tell.
fn readings() -> impl Strategy<Value = Vec<(usize, Counters)>> {
    let gap = prop_oneof![8 => 20_000i64..70_000, 3 => 200_000i64..901_000, 1 => 900_001i64..3_000_000];
    let octets = || prop_oneof![6 => 0u64..10_000_000, 1 => 0u64..2_000_000_000];
    let event = prop_oneof![
        12 => (octets(), octets()).prop_map(|(rx, tx)| Event::Counts(rx, tx)),
        1 => Just(Event::Restarts),
        1 => Just(Event::IsDisturbed),
    ];
    let speed = prop_oneof![2 => Just(None), 1 => Just(Some(10_000_000)), 1 => Just(Some(1_000_000_000))];
    prop::collection::vec((0usize..4, gap, event, speed), 1..250).prop_map(|raw| {
        let (mut times, mut octets) = ([START_MS; 4], [(0_u64, 0_u64); 4]);
        let (mut booted, mut disturbed) = ([START_MS - 1_000_000; 4], [0_u32; 4]);
        let mut readings = Vec::new();
        for (port, gap_ms, event, speed_bps) in raw {
            times[port] += gap_ms;
            match event {
                Event::Counts(rx, tx) => {
                    octets[port] = (octets[port].0.wrapping_add(rx), octets[port].1.wrapping_add(tx));
                }
                Event::Restarts => (octets[port], booted[port]) = ((0, 0), times[port] - 5_000),
                Event::IsDisturbed => disturbed[port] += 1,
            }
            let narrow = port == 1;
            let shown = |value: u64| if narrow { value % (1 << 32) } else { value };
            let uptime = u32::try_from((times[port] - booted[port]) / 10).unwrap();
            readings.push((
                port,
                Counters {
                    time: Timestamp(times[port]),
                    rx_octets: shown(octets[port].0),
                    tx_octets: shown(octets[port].1),
                    width: if narrow { Width::Bits32 } else { Width::Bits64 },
                    uptime_cs: (port < 3).then_some(uptime),
                    discontinuity_cs: (port > 1).then_some(disturbed[port]),
                    rx_packets: (port == 0).then_some(octets[port].0 / 1_000),
                    tx_packets: None,
                    speed_bps,
                },
            ));
        }
        readings
    })
}

/// What the live state would have stored: slots, whether complete, and samples by the server's name.
type Streamed = (BTreeMap<(Slot, PortId), (PortSlot, bool)>, BTreeMap<(String, Slot), Revised>);

/// The readings through the live state, whose clock runs as `clock` says.
fn streamed(inventory: &Inventory, readings: &[(usize, Counters)], clock: &[u8]) -> Streamed {
    let mut state = Aggregator::new(Times::default(), Timestamp(START_MS));
    state.set_inventory(inventory.clone());
    state.take_cold();
    state.take_stale_tallies();
    let ids = keys().map(|key| state.port_id(&key));
    let mut stored = Streamed::default();
    for (i, (port, counters)) in readings.iter().enumerate() {
        if state.accept(ids[*port], counters.time) {
            state.observe(ids[*port], counters);
        }
        match clock[i % clock.len()] {
            0 => state.advance(counters.time),
            1 => flush(&mut state, &mut stored),
            _ => {}
        }
    }
    let last = readings.iter().map(|(_, counters)| counters.time).max().unwrap();
    state.advance(last.plus_ms(1_000_000));
    flush(&mut state, &mut stored);
    stored
}

fn flush(state: &mut Aggregator, (slots, samples): &mut Streamed) {
    let mut store = |output: Output, names: &[String]| {
        for out in output.port_slots {
            slots.insert((out.slot, out.port), (out.carried, out.complete));
        }
        for out in output.samples {
            let revised = Revised { sample: out.sample, revision: out.revision };
            samples.insert((names[out.server.index()].clone(), out.slot), revised);
        }
        let carried = slots.iter().map(|(key, (carried, _))| (*key, *carried)).collect();
        (carried, samples.clone())
    };
    let names: Vec<String> = state.servers().iter().map(|server| server.name.clone()).collect();
    let (carried, samples) = store(state.take_output(), &names);
    for (server, from) in state.take_cold() {
        let own = samples.iter().filter(|((name, _), _)| *name == names[server.index()]);
        state.settle(server, from, &carried, &own.map(|((_, slot), revised)| (*slot, *revised)).collect());
    }
    store(state.take_output(), &names);
}

/// What the readings of a window alone give.
fn derived(
    inventory: &Inventory,
    readings: &[(usize, Counters)],
    span: SlotSpan,
) -> BTreeMap<PortId, Carried> {
    let (speeds, max_gap_ms) = (speeds(inventory), Times::default().max_gap_ms);
    let window = Window::around(span, max_gap_ms);
    let mut replays: BTreeMap<usize, Replay<'_>> = BTreeMap::new();
    for (port, counters) in readings.iter().filter(|(_, c)| window.from <= c.time && c.time < window.until) {
        let of_port = speeds.get(&keys()[*port]).map_or(&[][..], Vec::as_slice);
        replays.entry(*port).or_insert_with(|| Replay::new(span, of_port, max_gap_ms)).observe(counters);
    }
    let number = |port: usize| PortId(u32::try_from(port).unwrap());
    replays.into_iter().map(|(port, replay)| (number(port), replay.finish())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn readings_around_some_slots_give_what_was_stored_of_them(
        readings in readings(),
        clock in prop::collection::vec(0u8..8, 1..20),
        first in 0i64..30,
        count in 1i64..30,
    ) {
        let inventory = inventory(MOVES);
        let from = Slot::of(Timestamp(START_MS));
        let span = SlotSpan { from: Slot(from.0 + first), until: Slot(from.0 + first + count) };
        let (slots, samples) = streamed(&inventory, &readings, &clock);
        // The live state numbers the inventory's ports first.
        let mut state = Aggregator::new(Times::default(), Timestamp(START_MS));
        state.set_inventory(inventory.clone());
        let ids = keys().map(|key| state.port_id(&key));
        let made: BTreeMap<PortId, Carried> = derived(&inventory, &readings, span)
            .into_iter()
            .map(|(port, carried)| (ids[port.index()], carried))
            .collect();

        for slot in (span.from.0..span.until.0).map(Slot) {
            for id in ids {
                let made = made.get(&id).cloned().unwrap_or_default();
                match slots.get(&(slot, id)) {
                    Some((stored, complete)) if *complete || made.is_complete(slot) => {
                        prop_assert_eq!(made.in_slot(slot), Some(*stored), "{:?} {:?}", id, slot);
                    }
                    // A slot that still fills is stored when a sample is made of it.
                    Some(_) => {}
                    None => prop_assert!(made.in_slot(slot).is_none() || !made.is_complete(slot)),
                }
            }
            for server in inventory.servers.values() {
                let number = |key: &PortKey| Some(ids[keys().iter().position(|known| known == key)?]);
                let bound = Bound::new(server, number);
                let sample = bound.sample(slot, |port| made.get(&port)?.in_slot(slot));
                let stored = samples.get(&(server.id.clone(), slot)).and_then(|revised| revised.sample);
                prop_assert_eq!(sample, stored, "{} {:?}", server.id, slot);
            }
        }
    }
}

/// A worked month's folder, and the text of its readings.
fn worked_month(name: &str) -> (PathBuf, String) {
    let folder = crate::vectors::folder().join("months").join(name);
    let mut text = String::new();
    let file = std::fs::File::open(folder.join("readings.ndjson.gz")).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    (folder, text)
}

/// What a command prints; it must succeed.
fn prints(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command prints and what it says is wrong; it must fail.
fn fails(command: &mut Command) -> (String, String) {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{command:?}");
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A store with a worked month in it, and its data directory.
async fn imported(name: &str, folder: &Path, readings: &Path) -> (Store, PathBuf) {
    let (store, dir) = support::store_and_dir(name).await;
    prints(meter95(&dir).args(["inventory", "apply"]).arg(folder.join("inventory.json")));
    prints(meter95(&dir).arg("import").arg(readings));
    (store, dir)
}

fn usage(dir: &Path) -> Vec<Value> {
    let printed = prints(meter95(dir).args(["usage", "--period", "2026-10", "--format", "json"]));
    serde_json::from_str(&printed).unwrap()
}

async fn stored_inventory(store: &Store) -> Inventory {
    Inventory::from_document(&store.inventory().await.unwrap().1).unwrap()
}

async fn compare(store: &Store, period: &str, write: bool) -> Result<Comparison, RebuildError> {
    let inventory = stored_inventory(store).await;
    let period: Month = period.parse().unwrap();
    let long_after = Timestamp(2_000_000_000_000);
    let rebuild = Rebuild::open(store, &inventory, period, Times::default(), long_after).await?;
    let mut found = Comparison::default();
    for chunk in rebuild.chunks(None) {
        rebuild.compare(store, &chunk, write, &mut found).await?;
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_that_was_tampered_with_is_put_right_and_the_tampered_samples_stay_readable() {
    let (folder, _) = worked_month("october-faults");
    let (store, dir) = imported("rebuild-tampered", &folder, &folder.join("readings.ndjson.gz")).await;
    let before = usage(&dir);
    let dry = ["rebuild", "--period", "2026-10", "--dry-run"];
    let printed = prints(meter95(&dir).args(dry));
    assert!(printed.contains("25739 samples of servers: 25739 equal, 0 differ"), "{printed}");
    assert!(printed.contains("25815 slots of ports: 25815 equal, 0 differ"), "{printed}");

    let names = store.servers().await.unwrap();
    let server = ServerId(u32::try_from(names.iter().position(|name| name == "flaky01").unwrap()).unwrap());
    let span = SlotSpan::starting_in(Timestamp(1_791_000_000_000), Timestamp(1_791_030_000_000));
    let right = store.samples(&[server], span).await.unwrap().remove(&server).unwrap();
    let rates = Rates { in_bps: Bps(999_000_000), out_bps: Bps(1) };
    let wrong = |(slot, revised): (&Slot, &Revised)| SampleOut {
        server,
        slot: *slot,
        sample: Some(Sample { rates, partial: false }),
        revision: revised.revision + 1,
    };
    let port = PortId(0);
    let slots = store.port_slots(&[port], span).await.unwrap();
    let bent = |((slot, port), carried): (&(Slot, PortId), &PortSlot)| PortSlotOut {
        port: *port,
        slot: *slot,
        carried: PortSlot { rx_octets: carried.rx_octets + 1, ..*carried },
        complete: true,
    };
    let output = Output {
        samples: right.iter().map(wrong).collect(),
        port_slots: slots.iter().map(bent).collect(),
        ..Output::default()
    };
    let (samples, slots) = (output.samples.len(), output.port_slots.len());
    assert!(samples > 50 && slots > 50, "{samples} samples, {slots} slots");
    store.put_output(&output).await;
    assert_ne!(usage(&dir), before, "what was tampered with shows in the figures");

    let (printed, says) = fails(meter95(&dir).args(dry));
    let want = format!("{slots} slots and {samples} samples differ; nothing was written (--dry-run)");
    assert!(says.contains(&want), "{says}");
    assert!(printed.contains("in 999.000 out 0.000 Mbps"), "{printed}");
    assert!(printed.contains(&format!("and {} more", samples + slots - 20)), "{printed}");
    let (_, says) = fails(meter95(&dir).args(dry).args(["--server", "flaky01"]));
    assert!(says.contains(&format!(" {samples} samples differ")), "{says}");

    let printed = prints(meter95(&dir).args(["rebuild", "--period", "2026-10"]));
    let want = format!(
        "{slots} slots and {samples} samples were written. Compared again: all 25815 slots and 25739"
    );
    assert!(printed.contains(&want), "{printed}");
    prints(meter95(&dir).args(dry));
    assert_eq!(usage(&dir), before);

    let now = store.samples(&[server], span).await.unwrap().remove(&server).unwrap();
    assert!(now.values().all(|revised| revised.revision == 3));
    let at = async |revision: u16| {
        let revisions = right.keys().map(|slot| (*slot, revision)).collect();
        let gaps: Vec<SlotSpan> = (span.from.0..span.until.0)
            .map(Slot)
            .filter(|slot| !right.contains_key(slot))
            .map(|slot| SlotSpan { from: slot, until: slot.next() })
            .collect();
        store.samples_at(server, span, &revisions, &gaps).await
    };
    let as_it_was: BTreeMap<Slot, Sample> =
        right.iter().map(|(slot, r)| (*slot, r.sample.unwrap())).collect();
    assert_eq!(at(3).await.unwrap(), as_it_was, "what counts now is what counted first");
    assert!(at(2).await.unwrap().values().all(|sample| sample.rates == rates));
    // The first revision was overwritten behind the aggregator's back, and that shows.
    let says = at(1).await.unwrap_err().to_string();
    assert!(
        says.contains("server \"flaky01\" has no sample of revision 1 for the slot of 2026-10-0"),
        "{says}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_with_two_ports_a_server_and_a_nic_is_made_again_as_it_was_stored() {
    let (folder, _) = worked_month("october-plain");
    let (store, dir) = imported("rebuild-plain", &folder, &folder.join("readings.ndjson.gz")).await;
    for dry_run in [&["--dry-run"][..], &[]] {
        let printed = prints(meter95(&dir).args(["rebuild", "--period", "2026-10"]).args(dry_run));
        assert!(printed.contains("53568 slots of ports: 53568 equal, 0 differ"), "{printed}");
        assert!(printed.contains("42048 samples of servers: 42048 equal, 0 differ"), "{printed}");
    }
    let superseded = store.superseded(ServerId(0), SlotSpan { from: Slot(0), until: Slot(14_000_000) }).await;
    assert!(superseded.unwrap().is_empty(), "what is equal gets no revision");
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_readings_give_again_what_was_stored_after_crashes_and_the_live_figures_follow() {
    const MONTH_MS: i64 = 1_793_458_800_000;
    let until = Timestamp(MONTH_MS + 20 * 3_600_000);
    let site = Arc::new(Site::new(11, 60, until).unwrap());
    let entry = |server: &meter95::demo::site::Server| {
        let port = |p: &PortKey| serde_json::json!({ "device": p.device(), "interface": p.interface() });
        serde_json::json!({ "id": server.id, "ports": server.ports.iter().map(port).collect::<Vec<_>>() })
    };
    // Some ports are nobody's.
    let servers: Vec<_> = site.servers.iter().skip(5).map(entry).collect();
    let document: Document = serde_json::from_value(serde_json::json!({ "servers": servers })).unwrap();
    let store = support::store("rebuild-generated").await;
    let all = changes(&Document::default(), &document);
    store.put_inventory(&all, 1, Timestamp(MONTH_MS), "test").await.unwrap();
    let history: Vec<Vec<Reading>> = site.history(Timestamp(MONTH_MS - 3_600_000), until, 60_000).collect();
    for part in history.chunks(300) {
        let mut pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Readings).await.unwrap();
        for lot in part.chunks(10).map(<[Vec<Reading>]>::concat) {
            let newest = lot.last().unwrap().counters.time;
            pipeline.take(vec![lot]).await;
            pipeline.tick(newest).await.unwrap();
        }
        pipeline.crash().await;
    }
    // The last readings are stored, and what follows from them is not.
    let says = compare(&store, "2026-11", false).await.unwrap_err().to_string();
    assert!(says.contains(" readings of 2026-11 are stored whose samples are not yet"), "{says}");
    let pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Readings).await.unwrap();
    pipeline.close().await.unwrap();
    let found = compare(&store, "2026-11", false).await.unwrap();
    assert_eq!(found.differ(), 0, "{:?}", found.first);
    assert!(found.samples.equal > 10_000 && found.port_slots.equal > found.samples.equal, "{found:?}");
    assert_eq!(found.left, BTreeMap::new());

    // A server whose samples are gone altogether, and one that has a slot too many.
    let span = SlotSpan::starting_in(Timestamp(MONTH_MS), Timestamp(MONTH_MS + 10 * 3_600_000));
    let ids = [ServerId(0), ServerId(1)];
    let right = store.samples(&ids, span).await.unwrap();
    let mut output = Output::default();
    for (slot, revised) in &right[&ids[0]] {
        output.revise(ids[0], *slot, *revised, None);
    }
    store.put_output(&output).await;
    let found = compare(&store, "2026-11", true).await.unwrap();
    assert_eq!(found.samples.differ(), u64::try_from(right[&ids[0]].len()).unwrap());
    assert_eq!(compare(&store, "2026-11", false).await.unwrap().differ(), 0);

    let pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Readings).await.unwrap();
    let live = Usage::live(&pipeline.live().read(), "2026-11".parse().unwrap()).unwrap();
    let inventory = stored_inventory(&store).await;
    let stored =
        Usage::stored(&store, &inventory, live.period, live.as_of.0, Times::default()).await.unwrap();
    assert_eq!(live.servers, stored.servers);
    pipeline.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_readings_any_more_is_reported_and_left() {
    let (folder, _) = worked_month("october-faults");
    let (store, dir) = imported("rebuild-left", &folder, &folder.join("readings.ndjson.gz")).await;
    let ghost = PortKey::new("gone", "ge-0/0/9").unwrap();
    let id = PortId(u32::try_from(store.ports().await.unwrap().len()).unwrap());
    store.put_ports([(id, &ghost)]).await;
    let mut text = prints(meter95(&dir).args(["inventory", "show"]));
    text.push_str("\n[[servers]]\nid = 'kept'\nports = [{ device = 'gone', interface = 'ge-0/0/9' }]\n");
    let path = dir.join("inventory.toml");
    std::fs::write(&path, text).unwrap();
    prints(meter95(&dir).args(["inventory", "apply"]).arg(&path));
    let names = store.servers().await.unwrap();
    let server = ServerId(u32::try_from(names.iter().position(|name| name == "kept").unwrap()).unwrap());
    let carried =
        PortSlot { rx_octets: 1, tx_octets: 37_500_000, covered_ms: 300_000, ..PortSlot::default() };
    let slots: Vec<Slot> = (0..12).map(|i| Slot(Slot::of(Timestamp(1_791_000_000_000)).0 + i)).collect();
    let rates = Rates { in_bps: Bps(1_000_000), out_bps: Bps(0) };
    let sample = |slot: &Slot| SampleOut {
        server,
        slot: *slot,
        sample: Some(Sample { rates, partial: false }),
        revision: 1,
    };
    let slot = |slot: &Slot| PortSlotOut { port: id, slot: *slot, carried, complete: true };
    // Two samples have not even slots of their port any more.
    let output = Output {
        port_slots: slots[2..].iter().map(slot).collect(),
        samples: slots.iter().map(sample).collect(),
        ..Output::default()
    };
    store.put_output(&output).await;
    let printed = prints(meter95(&dir).args(["rebuild", "--period", "2026-10"]));
    assert!(printed.contains("0 differ, 10 left as they are"), "{printed}");
    assert!(printed.contains("0 differ, 2 left as they are"), "{printed}");
    assert!(printed.contains("port gone ge-0/0/9: 10 slots"), "{printed}");
    assert!(printed.contains("server kept: 2 slots"), "{printed}");
    let span = SlotSpan { from: slots[0], until: slots[11].next() };
    let after = store.samples(&[server], span).await.unwrap().remove(&server).unwrap();
    assert!(after.len() == 12 && after.values().all(|r| r.revision == 1 && r.sample.is_some()));
}

/// A reading of a port of sw1 that counts 37,500,000 octets towards the server in a slot.
fn steady(interface: &str, minute: i64) -> Reading {
    let (time, tx) = (START_MS + minute * 60_000, minute * 7_500_000);
    let line = format!(r#"{{"device":"sw1","interface":"{interface}","time":{time},"rx":0,"tx":{tx}}}"#);
    serde_json::from_str(&line).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_are_read_back_as_they_were_before_late_readings_changed_them() {
    let store = support::store("rebuild-superseded").await;
    let document: Document = toml::from_str(
        "[[servers]]\nid = 'dual'\nports = [{ device = 'sw1', interface = 'a' }, { device = 'sw1', interface = 'b' }, \
         { device = 'sw1', interface = 'c' }]",
    )
    .unwrap();
    let all = changes(&Document::default(), &document);
    store.put_inventory(&all, 1, Timestamp(START_MS), "test").await.unwrap();
    let span = SlotSpan::starting_in(Timestamp(START_MS), Timestamp(START_MS + 200 * 60_000));
    let server = ServerId(0);
    let mut known = Vec::new();
    let minutes = |interface: &'static str, from: i64, until: i64| -> Vec<Reading> {
        (from..until).map(|minute| steady(interface, minute)).collect()
    };
    // An outage of `a`, then `b` later and later, up to slots that memory has forgotten; `c` last of all.
    for lot in [
        [minutes("a", 0, 60), minutes("a", 100, 200)].concat(),
        minutes("b", 0, 30),
        minutes("b", 30, 120),
        [minutes("b", 120, 200), minutes("c", 0, 50)].concat(),
        minutes("c", 50, 200),
    ] {
        let mut pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Readings).await.unwrap();
        pipeline.take(vec![lot]).await;
        pipeline.tick(Timestamp(START_MS + 240 * 60_000)).await.unwrap();
        pipeline.flush().await.unwrap();
        pipeline.close().await.unwrap();
        let samples = store.samples(&[server], span).await.unwrap().remove(&server).unwrap();
        let revisions: BTreeMap<Slot, u16> =
            samples.iter().filter(|(_, r)| r.revision > 1).map(|(slot, r)| (*slot, r.revision)).collect();
        let is_gap = |slot: &Slot| samples.get(slot).and_then(|r| r.sample).is_none();
        let gaps: Vec<SlotSpan> = (span.from.0..span.until.0)
            .map(Slot)
            .filter(is_gap)
            .map(|slot| SlotSpan { from: slot, until: slot.next() })
            .collect();
        let figures: BTreeMap<Slot, Sample> =
            samples.iter().filter_map(|(slot, r)| Some((*slot, r.sample?))).collect();
        known.push((revisions, gaps, figures));
    }
    let newest = known.last().unwrap();
    assert_eq!(newest.0.values().max(), Some(&3), "some slots were revised twice");
    assert!(known[0].0.is_empty() && !known[0].1.is_empty(), "at first there are gaps and no revisions");
    for (revisions, gaps, figures) in &known {
        assert_eq!(store.samples_at(server, span, revisions, gaps).await.unwrap(), *figures);
    }
    let (slot, _) = newest.2.first_key_value().unwrap();
    let says = store.samples_at(server, span, &[(*slot, 9)].into(), &newest.1).await.unwrap_err().to_string();
    assert!(
        says.contains("server \"dual\" has no sample of revision 9 for the slot of 2026-09-21T"),
        "{says}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_change_is_what_changes_when_the_readings_are_others() {
    let (folder, text) = worked_month("october-faults");
    let (from, until) = (1_791_000_000_000, 1_791_700_000_000);
    let in_doubt = |line: &&str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["device"] == "sw3" && (from..until).contains(&line["time"].as_i64().unwrap())
    };
    let (doubted, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(in_doubt);
    assert!(doubted.len() > 1_000);
    let files = tempfile::tempdir().unwrap();
    let rest_file = files.path().join("rest.ndjson");
    std::fs::write(&rest_file, rest.join("\n")).unwrap();
    let whole_file = folder.join("readings.ndjson.gz");
    let (_whole_store, whole) = imported("rebuild-affected-whole", &folder, &whole_file).await;
    let (_rest_store, without) = imported("rebuild-affected-rest", &folder, &rest_file).await;
    let expected = [usage(&whole), usage(&without)];
    assert_ne!(expected[0], expected[1]);

    let period = ["affected", "--period", "2026-10", "--device", "sw3", "--format", "json", "--all"];
    let span = [format!("--from={from}"), format!("--until={until}")];
    let left_out = prints(meter95(&whole).args(period).args(&span));
    let put_in = prints(meter95(&without).args(period).args(&span).arg("--with").arg(&whole_file));
    let figures = [
        ("p95_bps", "p95_before_bps", "p95_after_bps"),
        ("overage_bps", "overage_before_bps", "overage_after_bps"),
        ("billable_bps", "billable_before_bps", "billable_after_bps"),
        ("amount", "amount_before", "amount_after"),
    ];
    for (printed, [before, after]) in [(left_out, [0, 1]), (put_in, [1, 0])] {
        let answer: Value = serde_json::from_str(&printed).unwrap();
        let servers = answer["servers"].as_array().unwrap();
        assert_eq!(servers.len(), 2, "old01 has no port of sw3: {printed}");
        for line in servers {
            let of = |usage: &[Value]| usage.iter().find(|u| u["server"] == line["server"]).unwrap().clone();
            let (is, would_be) = (of(&expected[before]), of(&expected[after]));
            for (name, before, after) in figures {
                assert_eq!(line[before], is[name], "{name} before: {line}");
                assert_eq!(line[after], would_be[name], "{name} after: {line}");
            }
            assert!(line["slots_changed"].as_u64().unwrap() > 1_000);
        }
    }
    // Readings that are the same change nothing, and servers without a change are not listed.
    let same = &mut meter95(&whole);
    let printed = prints(same.args(&period[..7]).args(&span).arg("--with").arg(&whole_file));
    let answer: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(answer["servers"].as_array().unwrap().len(), 0, "{printed}");
    assert_eq!(usage(&whole), expected[0], "nothing was written");

    let empty = files.path().join("other.ndjson");
    std::fs::write(&empty, r#"{"device":"sw9","interface":"a","time":1791000000000,"rx":1,"tx":2}"#).unwrap();
    let empty = empty.display().to_string();
    for (device, extra, says) in [
        ("sw9", vec![span[0].as_str(), &span[1]], "the inventory has no port of a device \"sw9\""),
        ("sw3", vec!["--interface=x", &span[0], &span[1]], "no interface \"x\" of device \"sw3\""),
        ("sw3", vec!["--from=1791000000000", "--until=1791000000000"], "which is not after"),
        ("sw3", vec!["--from=1793458800000", "--until=1793458800001"], "lies outside of 2026-10"),
        ("sw3", vec!["--from=2026-10-05", &span[1]], "\"2026-10-05\" is not an instant"),
        ("sw3", vec![&span[0], &span[1], "--with", &empty], "none of the 1 readings"),
        ("sw3", vec![&span[0], &span[1], "--with", "Cargo.toml"], "Cargo.toml: line 1: "),
        ("sw3", vec![&span[0], &span[1], "--with", "no-such-file"], "can't use no-such-file: No such file"),
    ] {
        let command = ["affected", "--period", "2026-10", "--device", device];
        let (_, said) = fails(meter95(&whole).args(command).args(extra));
        assert!(said.contains(says), "{said}");
    }
}
