//! The drawn site: its shape, and how much of it is billed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meter95_reading::{PortKey, Reading};

use super::*;
use crate::demo::habit::Habit;
use crate::demo::site::{FarEnd, SwitchPort};
use crate::demo::view::View;

/// 2026-11-21T12:00:00+09:00.
const NOW: Timestamp = Timestamp(1_795_230_000_000);
/// 2026-11-01T00:00:00+09:00.
const MONTH: Timestamp = Timestamp(1_793_458_800_000);
const SLOT_MS: i64 = 300_000;

fn site() -> Arc<Site> {
    Arc::new(Site::new(95, 200, NOW).unwrap())
}

#[test]
fn the_site_has_what_the_demo_shows() {
    let site = site();
    assert_eq!(site.servers.len(), 200);
    assert!(site.switches.len() >= 6, "{}", site.switches.len());
    assert_eq!(site.regions.iter().map(|region| region.id).collect::<Vec<_>>(), ["tokyo", "nagoya"]);
    let count = |what: fn(&Server) -> bool| site.servers.iter().filter(|server| what(server)).count();
    assert_eq!(count(|server| matches!(server.habit, Habit::Extreme { .. })), 2);
    assert_eq!(count(|server| server.habit == Habit::Down), 1);
    assert_eq!(count(|server| server.service_start.is_some()), 1);
    assert!(count(|server| server.ports.len() == 2) >= 15);
    assert!(count(|server| matches!(server.habit, Habit::Quiet { .. })) >= 60);
    assert!(count(|server| matches!(server.habit, Habit::Bursty { .. })) >= 15);
    assert!(count(|server| matches!(server.habit, Habit::NightBackup { .. })) >= 10);
    assert!(count(|server| !server.addons.is_empty()) >= 3);
    assert!((1..=4).contains(&count(|server| server.ports.is_empty())));
    let owned: BTreeMap<&str, usize> = site.servers.iter().fold(BTreeMap::new(), |mut owned, server| {
        *owned.entry(server.customer.as_str()).or_default() += 1;
        owned
    });
    assert!(owned.values().any(|servers| *servers >= 5));
}

#[test]
fn names_lead_from_servers_to_ports_and_back() {
    for servers in [0, SERVERS_MIN, 200, 1_000] {
        let site = Site::new(7, servers, NOW).unwrap();
        assert_eq!(site.servers.len(), servers.max(SERVERS_MIN));
        let ports: Vec<&SwitchPort> = site.switches.iter().flat_map(|switch| &switch.ports).collect();
        let keys: BTreeSet<&PortKey> = ports.iter().map(|port| &port.key).collect();
        assert_eq!(keys.len(), ports.len(), "a port twice");
        let sold: Vec<&PortKey> = site.servers.iter().flat_map(|server| &server.ports).collect();
        let sold_once: BTreeSet<&PortKey> = sold.iter().copied().collect();
        assert_eq!(sold_once.len(), sold.len(), "a port sold twice");
        assert!(sold_once.is_subset(&keys));
        for server in &site.servers {
            let devices: BTreeSet<&str> = server.ports.iter().map(PortKey::device).collect();
            assert_eq!(devices.len(), server.ports.len(), "both ports on one switch");
            assert!(server.ports.len() <= 2);
            assert!(site.plans.iter().any(|plan| plan.id == server.plan));
            assert!(site.customers.iter().any(|customer| customer.id == server.customer));
        }
        for switch in &site.switches {
            assert!(switch.ports.is_sorted_by_key(|port| port.if_index));
            assert!(
                switch.ports.iter().filter(|port| matches!(port.far_end, FarEnd::Server { .. })).count()
                    <= 48
            );
            assert!(switch.booted < EPOCH);
        }
        assert!(site.uplinks.iter().all(|uplink| keys.contains(&uplink.port)));
    }
}

#[test]
fn a_large_site_has_switches_and_lines_enough() {
    let site = Site::new(95, SERVERS_MAX + 1, NOW).unwrap();
    assert_eq!(site.servers.len(), SERVERS_MAX);
    let ids: BTreeSet<&str> = site.servers.iter().map(|server| server.id.as_str()).collect();
    assert_eq!(ids.len(), SERVERS_MAX);
    assert!(ids.iter().all(|id| id.len() == "tky-00000".len()));
    assert_eq!(site.customers.len(), SERVERS_MAX / SERVERS_PER_CUSTOMER);
    assert!((2_000..3_000).contains(&site.switches.len()), "{}", site.switches.len());
    let carried: Vec<&str> =
        site.uplinks.iter().flat_map(|uplink| &uplink.carries).map(String::as_str).collect();
    for switch in &site.switches {
        let lines = if switch.region == TOKYO { 2 } else { 1 };
        assert_eq!(carried.iter().filter(|name| **name == switch.name).count(), lines, "{}", switch.name);
    }
    for uplink in &site.uplinks {
        assert!(uplink.speed_bps <= 10_000_000_000 && uplink.carries.len() <= 12, "{uplink:?}");
    }
}

#[test]
fn one_port_is_nobodys_and_one_was_not_read_for_three_days() {
    let site = site();
    let sold: BTreeSet<&PortKey> = site.servers.iter().flat_map(|server| &server.ports).collect();
    let ports = site.switches.iter().flat_map(|switch| &switch.ports);
    let of_servers = ports.filter(|port| matches!(port.far_end, FarEnd::Server { .. }));
    assert_eq!(of_servers.filter(|port| !sold.contains(&port.key)).count(), 1);
    let gap = site.unread.first().unwrap();
    assert!(site.servers[UNREAD].ports.contains(&gap.port));
    assert_eq!(gap.until.ms_since(gap.from), 3 * DAY_MS);
    // From 2026-10-10T00:00+09:00 on.
    assert_eq!(gap.from, Timestamp(1_791_558_000_000));
    let read = |at| {
        let readings = site.history(at, at, SLOT_MS).last().unwrap();
        readings.iter().any(|reading| reading.port == gap.port)
    };
    assert_eq!(
        [gap.from.plus_ms(-1), gap.from, gap.until.plus_ms(-1), gap.until].map(read),
        [true, false, false, true]
    );
}

#[test]
fn the_seed_decides() {
    assert_eq!(Site::new(1, 50, NOW), Site::new(1, 50, NOW));
    assert_ne!(Site::new(1, 50, NOW), Site::new(2, 50, NOW));
}

#[test]
fn the_newest_server_began_on_an_8th() {
    for (now, expected) in [
        (NOW, 1_794_096_000_000),                          // 2026-11-08T09:00+09:00
        (Timestamp(1_794_096_000_000), 1_794_096_000_000), // that very instant
        (Timestamp(1_794_095_999_999), 1_791_417_600_000), // just before: 2026-10-08T09:00+09:00
        (Timestamp(i64::MIN), EPOCH.0),
    ] {
        assert_eq!(newest_start(now), Timestamp(expected));
    }
}

#[test]
fn uplinks_carry_what_servers_move() {
    let site = site();
    let mut view = View::new(Arc::clone(&site));
    for region in ["tokyo", "nagoya"] {
        let (mut servers, mut lines) = ((0, 0), (0, 0));
        for (at, switch) in site.switches.iter().enumerate().filter(|(_, switch)| switch.region == region) {
            for (port, found) in switch.ports.iter().enumerate() {
                let octets = view.moved(at, port, NOW);
                if matches!(found.far_end, FarEnd::Server { .. }) {
                    servers = (servers.0 + octets.rx, servers.1 + octets.tx);
                }
                if site.uplinks.iter().any(|uplink| uplink.port == found.key) {
                    lines = (lines.0 + octets.tx, lines.1 + octets.rx);
                }
            }
        }
        assert_eq!(servers, lines, "{region}");
    }
}

/// The month so far, as one figure a server and slot: what it is billed by, max(in, out) in bit/s.
fn samples(site: &Arc<Site>) -> BTreeMap<String, Vec<u64>> {
    let mut view = View::new(Arc::clone(site));
    let slots = NOW.ms_since(MONTH) / SLOT_MS;
    let mut samples = BTreeMap::new();
    for server in &site.servers {
        let ports: Vec<(usize, usize)> = (site.switches.iter().enumerate())
            .flat_map(|(at, switch)| (0..switch.ports.len()).map(move |port| (at, port)))
            .filter(|(at, port)| server.ports.contains(&site.switches[*at].ports[*port].key))
            .collect();
        let mut total = |at: Timestamp| {
            ports.iter().fold((0, 0), |(rx, tx), (switch, port)| {
                let octets = view.moved(*switch, *port, at);
                (rx + octets.rx, tx + octets.tx)
            })
        };
        let mut before = total(MONTH);
        let mut values: Vec<u64> = (1..=slots)
            .map(|slot| {
                let after = total(MONTH.plus_ms(slot * SLOT_MS));
                let moved = (after.0 - before.0).max(after.1 - before.1);
                before = after;
                moved * 8 / 300
            })
            .collect();
        values.sort_unstable();
        samples.insert(server.id.clone(), values);
    }
    samples
}

#[test]
fn about_one_server_in_six_is_billed() {
    let site = site();
    let mut billed = 0;
    for (id, values) in samples(&site) {
        let server = site.servers.iter().find(|server| server.id == id).unwrap();
        let plan = site.plans.iter().find(|plan| plan.id == server.plan).unwrap();
        let allowance = plan.allowance_bps + server.addons.iter().map(|addon| addon.bps).sum::<u64>();
        let p95 = values[(95 * values.len()).div_ceil(100) - 1];
        billed += usize::from(p95 > allowance);
        match server.habit {
            Habit::Down => assert_eq!(p95, 0),
            Habit::Extreme { .. } => assert!((55_000_000..215_000_000).contains(&p95), "{p95}"),
            _ => assert!(p95 < 60_000_000, "{server:?}: {p95}"),
        }
    }
    assert!((20..=44).contains(&billed), "{billed} of 200");
}

#[test]
fn history_is_in_order_and_counters_never_fall() {
    let site = site();
    let (from, until) = (MONTH, MONTH.plus_ms(6 * 3_600_000 + 12_345));
    let batches: Vec<Vec<Reading>> = site.history(from, until, SLOT_MS).collect();
    assert_eq!(batches.len(), 74); // 73 steps, and the end
    assert!(batches.first().unwrap().iter().all(|reading| reading.counters.time == from));
    assert!(batches.last().unwrap().iter().all(|reading| reading.counters.time == until));
    let ports: usize = site.switches.iter().map(|switch| switch.ports.len()).sum();
    let mut last: BTreeMap<PortKey, Reading> = BTreeMap::new();
    let mut latest = from;
    for batch in batches {
        assert_eq!(batch.len(), ports);
        for reading in batch {
            assert!(reading.counters.time >= latest);
            latest = reading.counters.time;
            if let Some(before) = last.insert(reading.port.clone(), reading.clone()) {
                let (a, b) = (before.counters, reading.counters);
                let dt = b.time.ms_since(a.time);
                assert!(dt > 0 && dt <= SLOT_MS + 5_000);
                assert!(b.rx_octets >= a.rx_octets && b.tx_octets >= a.tx_octets);
                assert!(b.rx_packets >= a.rx_packets && b.tx_packets >= a.tx_packets);
                let expected = i64::from(a.uptime_cs.unwrap()) + dt / 10;
                assert!((i64::from(b.uptime_cs.unwrap()) - expected).abs() <= 1);
                assert_eq!((a.discontinuity_cs, b.discontinuity_cs), (Some(0), Some(0)));
                let speed = b.speed_bps.unwrap();
                assert!((b.rx_octets - a.rx_octets) * 8_000 <= speed * dt.unsigned_abs());
            }
        }
    }
    assert_eq!(site.history(until, from, SLOT_MS).count(), 0);
    assert_eq!(site.history(from, from, SLOT_MS).count(), 1);
}

#[test]
fn the_newest_server_is_silent_before_it_began() {
    let site = site();
    let server = site.servers.iter().find(|server| server.service_start.is_some()).unwrap();
    let start = server.service_start.unwrap();
    let octets = |at| {
        let last = site.history(at, at, SLOT_MS).last().unwrap();
        last.iter().find(|reading| reading.port == server.ports[0]).unwrap().counters.rx_octets
    };
    assert_eq!((octets(start.plus_ms(-86_400_000)), octets(start)), (0, 0));
    assert!(octets(start.plus_ms(86_400_000)) > 1_000_000);
}
