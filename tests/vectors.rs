//! The worked cases of SPEC.md, made by an implementation that is independent of this one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use meter95::inventory::Inventory;
use meter95::metering::allowance::Allowance;
use meter95::metering::delta::MAX_GAP_MS_DEFAULT;
use meter95::metering::meter::PortMeter;
use meter95::metering::overage::{Method, Missing};
use meter95::metering::percentile;
use meter95::metering::period::SlotSpan;
use meter95::metering::sample::Rates;
use meter95::metering::slot::PortSlot;
use meter95::metering::tally::{Rules, Tally};
use meter95::metering::units::{Bps, Slot};
use meter95_reading::{Counters, Timestamp, Width};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Where the worked cases lie.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn cases<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    let cases: Vec<T> = serde_json::from_str(&text).unwrap();
    assert!(!cases.is_empty());
    cases
}

#[derive(Deserialize)]
struct DeltaCase {
    name: String,
    speed_bps: Option<u64>,
    max_gap_s: i64,
    readings: Vec<DeltaReading>,
    expect: DeltaExpect,
}

#[derive(Deserialize)]
struct DeltaReading {
    time: i64,
    rx: u64,
    tx: u64,
    width: u8,
    uptime: Option<u32>,
    discontinuity: Option<u32>,
}

#[derive(Deserialize)]
struct DeltaExpect {
    slots: Vec<DeltaSlot>,
    events: Vec<DeltaEvent>,
}

#[derive(Deserialize, Debug, PartialEq)]
struct DeltaSlot {
    start: i64,
    rx_octets: u64,
    tx_octets: u64,
    covered_ms: u32,
}

#[derive(Deserialize, Debug, PartialEq)]
struct DeltaEvent {
    event: String,
    time: i64,
}

#[test]
fn readings_become_slots_and_breaks() {
    for case in cases::<DeltaCase>("deltas.json") {
        let mut meter = PortMeter::default();
        let mut slots: BTreeMap<Slot, PortSlot> = BTreeMap::new();
        let mut events = Vec::new();
        for reading in &case.readings {
            let counters = Counters {
                time: Timestamp(reading.time),
                rx_octets: reading.rx,
                tx_octets: reading.tx,
                width: Width::from_bits(reading.width).unwrap(),
                uptime_cs: reading.uptime,
                discontinuity_cs: reading.discontinuity,
                rx_packets: None,
                tx_packets: None,
                speed_bps: None,
            };
            let full = |slot, got| assert!(slots.insert(slot, got).is_none(), "{}: a slot twice", case.name);
            let max_gap_ms = case.max_gap_s * 1_000;
            if let Some(found) = meter.observe(&counters, case.speed_bps.map(Bps), max_gap_ms, full) {
                events.push(DeltaEvent { event: found.kind.name().to_owned(), time: found.after.time.0 });
            }
        }
        slots.extend(meter.open());
        let slots: Vec<DeltaSlot> = slots
            .into_iter()
            .map(|(slot, got)| DeltaSlot {
                start: slot.start().0,
                rx_octets: got.rx_octets,
                tx_octets: got.tx_octets,
                covered_ms: got.covered_ms,
            })
            .collect();
        assert_eq!(slots, case.expect.slots, "{}", case.name);
        assert_eq!(events, case.expect.events, "{}", case.name);
    }
    assert_eq!(MAX_GAP_MS_DEFAULT, 900_000);
}

#[derive(Deserialize)]
struct PercentileCase {
    values: Vec<u64>,
    rank: u64,
    p95: u64,
}

#[test]
fn values_are_ranked() {
    for mut case in cases::<PercentileCase>("percentiles.json") {
        let n = u64::try_from(case.values.len()).unwrap();
        assert_eq!(percentile::rank(n).unwrap().rank, case.rank, "{n} values");
        assert_eq!(percentile::p95(&mut case.values), Some(case.p95), "{n} values");
    }
}

#[derive(Deserialize)]
struct PublishedCase {
    name: String,
    in_bps: Vec<u64>,
    out_bps: Vec<u64>,
    expect: BTreeMap<String, u64>,
}

#[test]
fn published_examples_come_out() {
    for case in cases::<PublishedCase>("published.json") {
        let slots = i64::try_from(case.in_bps.len()).unwrap();
        let figures = |method| {
            let span = SlotSpan { from: Slot(0), until: Slot(slots) };
            let rules = Rules { span, method, missing: Missing::Zero, allowance: Allowance::default() };
            let mut tally = Tally::new(rules);
            for (slot, (i, o)) in (0..).zip(case.in_bps.iter().zip(&case.out_bps)) {
                tally.change(Slot(slot), None, Some(Rates { in_bps: Bps(*i), out_bps: Bps(*o) }));
            }
            tally.figures(span.until).unwrap()
        };
        for (figure, expected) in &case.expect {
            let got = match figure.as_str() {
                "max" => figures(Method::Max).p95,
                "sum" => figures(Method::Sum).p95,
                "separate" => figures(Method::Separate).p95,
                "p95_in_bps" => figures(Method::In).p95,
                "p95_out_bps" => figures(Method::Out).p95,
                other => panic!("{}: unknown figure {other}", case.name),
            };
            assert_eq!(got, Some(Bps(*expected)), "{}: {figure}", case.name);
        }
    }
}

#[derive(Deserialize)]
struct MoneyCase {
    plan: serde_json::Value,
    overage_bps: u64,
    billable_bps: u64,
    amount: String,
}

#[test]
fn overage_is_priced() {
    for case in cases::<MoneyCase>("money.json") {
        let document = serde_json::json!({ "plans": [case.plan] });
        let inventory = Inventory::from_document(&serde_json::from_value(document).unwrap()).unwrap();
        let tariff = inventory.plans["default"].tariff.as_ref().unwrap();
        let billable = tariff.billable(Bps(case.overage_bps));
        assert_eq!(billable, Bps(case.billable_bps), "{} of {}", case.overage_bps, case.plan);
        assert_eq!(tariff.amount(billable).to_string(), case.amount, "{} of {}", case.overage_bps, case.plan);
    }
}
