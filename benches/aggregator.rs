//! Readings per second through the live state, on one core and without I/O: ports looked up by name, deltas, slots,
//! samples, tallies. `cargo bench --bench aggregator`

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meter95::aggregator::state::{Aggregator, Times};
use meter95::inventory::Inventory;
use meter95::inventory::document::Document;
use meter95_reading::{Counters, PortKey, Reading, Timestamp, Width};

/// A first instant on the boundary of a slot.
const START_MS: i64 = 1_790_780_400_000;

/// How often a port is read, in ms.
const INTERVAL_MS: i64 = 60_000;

/// Readings of every port in a round: an hour.
const ROUNDS: i64 = 60;

/// `servers` of which every fourth has two ports.
fn ports(servers: usize) -> Vec<(usize, PortKey)> {
    let port = |server: usize, nic: usize| {
        let device = format!("tky-sw{:04}{}", server / 48, ["a", "b"][nic]);
        PortKey::new(&device, &format!("ge-0/0/{}", server % 48)).map(|key| (server, key))
    };
    let of =
        |server: usize| (0..if server.is_multiple_of(4) { 2 } else { 1 }).map(move |nic| port(server, nic));
    (0..servers).flat_map(of).collect::<Result<_, _>>().unwrap_or_default()
}

fn inventory(ports: &[(usize, PortKey)]) -> Option<Inventory> {
    let mut servers: Vec<serde_json::Value> = Vec::new();
    for (server, key) in ports {
        let port = serde_json::json!({ "device": key.device(), "interface": key.interface(), "speed_bps": 1_000_000_000u64 });
        if servers.len() == *server {
            servers.push(serde_json::json!({ "id": format!("s{server}"), "ports": [] }));
        }
        servers[*server]["ports"].as_array_mut()?.push(port);
    }
    let document: Document = serde_json::from_value(serde_json::json!({ "servers": servers })).ok()?;
    Inventory::from_document(&document).ok()
}

/// What all ports show in a round: each at an instant of its own, with a rate of its own.
fn readings(ports: &[(usize, PortKey)], round: i64) -> Vec<Reading> {
    let reading = |(i, (_, port)): (usize, &(usize, PortKey))| {
        let i = i as u64;
        let time = START_MS + round * INTERVAL_MS + (i * 7_919 % 60_000).cast_signed();
        let octets = round.unsigned_abs() * (1 + i * 104_729 % 7_500_000);
        Reading {
            port: port.clone(),
            counters: Counters {
                time: Timestamp(time),
                rx_octets: octets,
                tx_octets: octets / 3,
                width: Width::Bits64,
                uptime_cs: u32::try_from((time - START_MS) / 10).ok(),
                discontinuity_cs: Some(0),
                rx_packets: Some(octets / 800),
                tx_packets: Some(octets / 900),
                speed_bps: Some(1_000_000_000),
            },
        }
    };
    let mut readings: Vec<Reading> = ports.iter().enumerate().map(reading).collect();
    readings.sort_by_key(|reading| reading.counters.time);
    readings
}

fn through_the_aggregator(criterion: &mut Criterion) {
    for servers in [1_000, 10_000, 80_000] {
        let ports = ports(servers);
        let Some(inventory) = inventory(&ports) else {
            return;
        };
        let mut group = criterion.benchmark_group("readings");
        group.throughput(Throughput::Elements(ports.len() as u64 * ROUNDS.unsigned_abs()));
        group.sample_size(10);
        group.bench_function(format!("{} ports of {servers} servers, an hour", ports.len()), |bencher| {
            bencher.iter_custom(|iterations| {
                let mut took = Duration::ZERO;
                for _ in 0..iterations {
                    let mut state = Aggregator::new(Times::default(), Timestamp(START_MS));
                    state.set_inventory(inventory.clone());
                    for round in 0..ROUNDS {
                        let readings = readings(&ports, round);
                        let started = Instant::now();
                        for reading in &readings {
                            if let Some(id) = state.find_or_number(&reading.port, true)
                                && state.accept(id, reading.counters.time)
                            {
                                state.observe(id, &reading.counters);
                            }
                        }
                        state.advance(Timestamp(START_MS + (round + 1) * INTERVAL_MS));
                        black_box(state.take_output());
                        took += started.elapsed();
                    }
                }
                took
            });
        });
        group.finish();
    }
}

criterion_group!(benches, through_the_aggregator);
criterion_main!(benches);
