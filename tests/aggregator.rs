//! The live state against a plain computation: whatever order and pace readings come in, whenever the clock is told and
//! whatever memory has forgotten, the samples that count in the end are those of SPEC.md sections 2 to 4.

use std::collections::BTreeMap;

use meter95::aggregator::output::{PortId, Revised, ServerId};
use meter95::aggregator::server::RECENT_SLOTS;
use meter95::aggregator::state::{Aggregator, Times};
use meter95::inventory::Inventory;
use meter95::inventory::document::Document;
use meter95::metering::meter::PortMeter;
use meter95::metering::sample::{PortKind, Sample, combine, port_rates};
use meter95::metering::slot::PortSlot;
use meter95::metering::units::Slot;
use meter95_reading::{Counters, PortKey, Timestamp, Width};
use proptest::prelude::*;

/// A round instant in the middle of a month.
const START_MS: i64 = 1_790_000_100_000;

const INVENTORY: &str = "
[[servers]]
id = 'single'
ports = [{ device = 'sw1', interface = 'a' }]
[[servers]]
id = 'dual'
ports = [{ device = 'sw1', interface = 'b' }, { device = 'sw2', interface = 'b', kind = 'nic' }]
[[servers]]
id = 'checked'
ports = [{ device = 'sw1', interface = 'c' }, { device = 'nic', interface = 'c', kind = 'nic', check_only = true }]
[[uplinks]]
id = 'line'
region = 'tokyo'
device = 'sw1'
interface = 'up'
speed_bps = 1000000000
";

/// The servers, each with its ports that count.
const SERVERS: [(&str, &[(usize, PortKind)]); 3] = [
    ("single", &[(0, PortKind::Switch)]),
    ("dual", &[(1, PortKind::Switch), (2, PortKind::Nic)]),
    ("checked", &[(3, PortKind::Switch)]),
];

/// All ports: those that count, then one that is only compared, and an uplink's.
const PORTS: [(&str, &str); 6] =
    [("sw1", "a"), ("sw1", "b"), ("sw2", "b"), ("sw1", "c"), ("nic", "c"), ("sw1", "up")];

/// The ports of which nothing is made.
const WATCHED: [usize; 2] = [4, 5];

fn inventory() -> Inventory {
    Inventory::from_document(&toml::from_str::<Document>(INVENTORY).unwrap()).unwrap()
}

fn keys() -> [PortKey; 6] {
    PORTS.map(|(device, interface)| PortKey::new(device, interface).unwrap())
}

/// A reading of one of the ports.
#[derive(Debug, Clone)]
struct Step {
    port: usize,
    counters: Counters,
}

/// Readings of all ports with pauses, resets and outages, each port's in order of time.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let gap = prop_oneof![8 => 20_000i64..70_000, 3 => 200_000i64..400_000, 1 => 900_001i64..5_000_000];
    let octets = prop_oneof![6 => 0u64..10_000_000, 1 => Just(u64::MAX)];
    prop::collection::vec((0usize..6, gap, octets.clone(), octets), 1..250).prop_map(|raw| {
        let mut state = [(START_MS, 0u64, 0u64); 6];
        let mut steps = Vec::new();
        for (port, gap_ms, rx, tx) in raw {
            let (time, rx_octets, tx_octets) = &mut state[port];
            *time += gap_ms;
            // The largest value stands for a counter that starts anew.
            *rx_octets = if rx == u64::MAX { 0 } else { *rx_octets + rx };
            *tx_octets = if tx == u64::MAX { 0 } else { *tx_octets + tx };
            let counters = Counters {
                time: Timestamp(*time),
                rx_octets: *rx_octets,
                tx_octets: *tx_octets,
                width: Width::Bits64,
                uptime_cs: None,
                discontinuity_cs: None,
                rx_packets: None,
                tx_packets: None,
                speed_bps: None,
            };
            steps.push(Step { port, counters });
        }
        steps
    })
}

/// What every port carried, by a meter alone.
fn slots_plainly(steps: &[Step]) -> [BTreeMap<Slot, PortSlot>; 6] {
    std::array::from_fn(|port| {
        let mut meter = PortMeter::default();
        let mut slots = BTreeMap::new();
        for step in steps.iter().filter(|step| step.port == port) {
            meter.observe(&step.counters, None, Times::default().max_gap_ms, |slot, carried| {
                slots.insert(slot, carried);
            });
        }
        slots.extend(meter.open());
        slots
    })
}

/// The samples of all servers, by SPEC.md section 4 and nothing else.
fn samples_plainly(steps: &[Step]) -> BTreeMap<(&'static str, Slot), Sample> {
    let ports = slots_plainly(steps);
    let mut samples = BTreeMap::new();
    for (server, of) in SERVERS {
        let slots: Vec<Slot> = of.iter().flat_map(|(port, _)| ports[*port].keys().copied()).collect();
        for slot in slots {
            let rates = of.iter().map(|(port, kind)| port_rates(ports[*port].get(&slot)?, *kind));
            if let Some(sample) = combine(rates) {
                samples.insert((server, slot), sample);
            }
        }
    }
    samples
}

/// What a store would have, and the state that writes to it.
struct Harness {
    state: Aggregator,
    ids: [PortId; 6],
    port_slots: BTreeMap<(Slot, PortId), PortSlot>,
    samples: BTreeMap<ServerId, BTreeMap<Slot, Revised>>,
    /// Every revision that was ever stored as a sample, and every one that was stored as superseded.
    ever: BTreeMap<(ServerId, Slot, u16), Option<Sample>>,
    superseded: BTreeMap<(ServerId, Slot, u16), Option<Sample>>,
}

impl Harness {
    fn new() -> Self {
        let mut state = Aggregator::new(Times::default(), Timestamp(START_MS));
        state.set_inventory(inventory());
        state.take_cold();
        state.take_stale_tallies();
        let ids = keys().map(|key| state.port_id(&key));
        let (port_slots, samples) = (BTreeMap::new(), BTreeMap::new());
        Self { state, ids, port_slots, samples, ever: BTreeMap::new(), superseded: BTreeMap::new() }
    }

    fn store(&mut self) {
        let output = self.state.take_output();
        for out in output.port_slots {
            self.port_slots.insert((out.slot, out.port), out.carried);
        }
        for out in &output.superseded {
            let twice = self.superseded.insert((out.server, out.slot, out.revision), out.sample);
            assert!(twice.is_none(), "a revision is superseded once");
        }
        for out in output.samples {
            self.ever.insert((out.server, out.slot, out.revision), out.sample);
            let known = self.samples.entry(out.server).or_default();
            let before = known.insert(out.slot, Revised { sample: out.sample, revision: out.revision });
            assert!(before.is_none_or(|b| b.revision < out.revision), "a revision is never written twice");
        }
    }

    /// As the pipeline does it: store, settle what memory does not reach, store.
    fn flush(&mut self) {
        self.store();
        for (server, from) in self.state.take_cold() {
            let samples = self.samples.get(&server).cloned().unwrap_or_default();
            self.state.settle(server, from, &self.port_slots, &samples);
        }
        self.store();
    }

    fn run(&mut self, steps: &[Step], clock: &[u8]) {
        for (i, step) in steps.iter().enumerate() {
            let id = self.ids[step.port];
            if self.state.accept(id, step.counters.time) {
                self.state.observe(id, &step.counters);
            }
            match clock.get(i % clock.len().max(1)) {
                Some(0) => self.state.advance(step.counters.time),
                Some(1) => self.flush(),
                Some(2) => self.state.advance(step.counters.time.plus_ms(3_000_000)),
                _ => {}
            }
        }
        let last = steps.iter().map(|step| step.counters.time).max().unwrap_or(Timestamp(START_MS));
        self.state.advance(last.plus_ms(1_000_000));
        self.flush();
    }

    fn result(&self) -> BTreeMap<(&'static str, Slot), Sample> {
        let mut result = BTreeMap::new();
        for (name, _) in SERVERS {
            let id = self.state.server(name).unwrap().id;
            for (slot, revised) in self.samples.get(&id).into_iter().flatten() {
                if let Some(sample) = revised.sample {
                    result.insert((name, *slot), sample);
                }
            }
        }
        result
    }
}

/// A reading that goes on at 1,000 octets a minute.
fn reading(minute: i64) -> Counters {
    Counters {
        time: Timestamp(START_MS + minute * 60_000),
        rx_octets: minute.unsigned_abs() * 1_000,
        tx_octets: 0,
        width: Width::Bits64,
        uptime_cs: None,
        discontinuity_cs: None,
        rx_packets: Some(minute.unsigned_abs()),
        tx_packets: None,
        speed_bps: None,
    }
}

/// What the port that is only compared carried in a slot.
fn compared(harness: &Harness, slot: Slot) -> Option<(u64, u64)> {
    let server = harness.state.server("checked").unwrap();
    let (_, port) = harness.state.checked_ports_of(server, slot).next().unwrap();
    port.carried(slot).map(|carried| (carried.rx_octets, carried.rx_packets))
}

#[test]
fn no_slot_waits_for_a_port_that_is_only_compared() {
    let mut harness = Harness::new();
    for minute in 0..20 {
        harness.state.observe(harness.ids[3], &reading(minute));
    }
    // The NIC was not read once, and grace is not over.
    let server = harness.state.server("checked").unwrap();
    let newest = Slot::of(reading(19).time);
    assert_eq!(server.closed_until, Some(newest));
    let [.., (slot, Some(sample))] = server.newest_closed(2).collect::<Vec<_>>()[..] else {
        panic!("the newest closed slot has no sample");
    };
    assert_eq!((slot, sample.partial), (newest.previous(), false));
    let counted = harness.state.ports_of(server, slot).map(|(_, port)| port.carried(slot).unwrap());
    let counted: Vec<(u64, u64)> = counted.map(|carried| (carried.rx_octets, carried.rx_packets)).collect();
    assert_eq!(counted, [(5_000, 5)]);
    assert_eq!(compared(&harness, slot), None);

    for minute in 0..20 {
        harness.state.observe(harness.ids[4], &reading(minute));
    }
    let server = harness.state.server("checked").unwrap();
    assert_eq!(compared(&harness, slot), Some((5_000, 5)));
    assert!(harness.state.port(&keys()[4]).unwrap().is_complete(slot));
    assert!(!harness.state.port(&keys()[4]).unwrap().is_complete(newest));
    assert_eq!(server.newest_closed(2).last().unwrap().1, Some(sample), "it counts for nothing");
}

#[test]
fn another_policy_makes_nothing_anew() {
    let mut harness = Harness::new();
    for minute in 0..40 {
        for port in 0..6 {
            harness.state.observe(harness.ids[port], &reading(minute));
        }
    }
    harness.flush();
    let samples = harness.samples.clone();
    let more = "
[[policies]]
id = 'p'
sustained = { factor = 3 }
[[exemptions]]
id = 'e'
server = 'dual'
reason = 'r'
until = 1
";
    let document: Document = toml::from_str(&format!("{INVENTORY}{more}")).unwrap();
    harness.state.set_inventory(Inventory::from_document(&document).unwrap());
    assert!(!harness.state.has_cold() && !harness.state.has_stale_tallies());
    // Nor does a port that is only compared.
    let without =
        INVENTORY.replace(", { device = 'nic', interface = 'c', kind = 'nic', check_only = true }", "");
    let document: Document = toml::from_str(&without).unwrap();
    assert_eq!(document.servers[2].ports.len(), 1);
    harness.state.set_inventory(Inventory::from_document(&document).unwrap());
    assert!(!harness.state.has_cold() && !harness.state.has_stale_tallies());
    harness.flush();
    assert_eq!(harness.samples, samples);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn memory_tells_the_newest_slots_of_ports_that_count_for_nobody(
        steps in steps(),
        clock in prop::collection::vec(0u8..8, 1..20),
    ) {
        let mut harness = Harness::new();
        harness.run(&steps, &clock);
        let plain = slots_plainly(&steps);
        for port in WATCHED {
            let live = &harness.state.ports()[harness.ids[port].index()];
            let Some(newest) = live.complete_until() else { continue };
            for slot in (newest.0 - RECENT_SLOTS..=newest.0).map(Slot) {
                prop_assert!(live.known_from() <= slot);
                prop_assert_eq!(live.carried(slot), plain[port].get(&slot).copied(), "port {} in {:?}", port, slot);
            }
            prop_assert!(live.slots_between(Slot(0), Slot(newest.0 - RECENT_SLOTS)).next().is_none());
        }
        for (name, _) in SERVERS {
            let server = harness.state.server(name).unwrap();
            let samples = samples_plainly(&steps);
            let found: Vec<(Slot, Option<Sample>)> = server.newest_closed(24).collect();
            prop_assert!(found.len() <= 24);
            for (slot, sample) in found {
                prop_assert_eq!(sample, samples.get(&(name, slot)).copied(), "{} in {:?}", name, slot);
            }
        }
    }

    #[test]
    fn samples_are_those_of_a_plain_computation(steps in steps(), clock in prop::collection::vec(0u8..8, 1..20)) {
        let mut harness = Harness::new();
        harness.run(&steps, &clock);
        prop_assert_eq!(harness.result(), samples_plainly(&steps));
    }

    #[test]
    fn every_revision_but_the_one_that_counts_is_kept_as_superseded(
        steps in steps(),
        clock in prop::collection::vec(0u8..8, 1..20),
    ) {
        let mut harness = Harness::new();
        harness.run(&steps, &clock);
        let counts = |(server, slot, revision): &(ServerId, Slot, u16)| {
            harness.samples[server][slot].revision == *revision
        };
        let older: BTreeMap<_, _> = harness.ever.iter().filter(|(key, _)| !counts(key)).collect();
        prop_assert_eq!(harness.superseded.iter().collect::<BTreeMap<_, _>>(), older);
        for (server, of) in &harness.samples {
            for (slot, newest) in of {
                let all = (1..=newest.revision).all(|r| harness.ever.contains_key(&(*server, *slot, r)));
                prop_assert!(all, "revisions are numbered from 1 without holes");
            }
        }
    }

    #[test]
    fn tallies_are_those_of_the_samples_that_count(steps in steps(), clock in prop::collection::vec(0u8..8, 1..20)) {
        let mut harness = Harness::new();
        harness.run(&steps, &clock);
        let state = &harness.state;
        for (name, _) in SERVERS {
            let server = state.server(name).unwrap();
            let mut plain = meter95::metering::tally::Tally::new(server.tally.rules().clone());
            for ((_, slot), sample) in samples_plainly(&steps).into_iter().filter(|((n, _), _)| *n == name) {
                plain.change(slot, None, Some(sample.rates));
            }
            let until = state.closed_until(server);
            prop_assert_eq!(server.tally.figures(until), plain.figures(until), "{}", name);
            prop_assert!(server.month.contains(until.previous()));
        }
    }
}
