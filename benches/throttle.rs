//! The rules of throttling over 100,000 servers when a slot closes, on one core: what is known of each, from where
//! it lies in memory, to what changes. `cargo bench --bench throttle`

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meter95::metering::allowance::{Allowance, Grant};
use meter95::metering::overage::{Method, Missing};
use meter95::metering::period::SlotSpan;
use meter95::metering::sample::Rates;
use meter95::metering::tally::{Rules, Stored, Tally};
use meter95::metering::throttle::RuleSet;
use meter95::metering::throttle::packets::{Flow, Packets};
use meter95::metering::throttle::policy::Policy;
use meter95::metering::throttle::rules::{Seen, Shared, Uplink};
use meter95::metering::throttle::watch::{Facts, Watch};
use meter95::metering::units::{Bps, Slot};

const SERVERS: usize = 100_000;

/// Groups of two uplinks, with a hundred servers behind each.
const GROUPS: usize = 1_000;

/// A 31-day month that began at this slot, of which half has passed.
const MONTH: SlotSpan = SlotSpan { from: Slot(5_969_268), until: Slot(5_969_268 + 8_928) };
const NOW: i64 = MONTH.from.0 + 4_464;

/// How many slots of each server are in memory.
const RECENT: usize = 12;

/// One server as it lies in memory.
struct Server {
    recent: VecDeque<(Slot, Rates)>,
    allowance: Allowance,
    tally: Tally,
    watch: Watch,
    packets: [Packets; 2],
}

/// What a server has in a slot: a rate of its own with noise of half of it. One in 200 is always far over its
/// allowance, and one in 50 now and then for some hours.
fn rates(server: usize, slot: i64) -> Rates {
    let mixed = (server as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ slot.unsigned_abs();
    let noise = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40;
    let often = (server as u64 * 31 + slot.unsigned_abs() / 40).is_multiple_of(16);
    let busy = server.is_multiple_of(200) || (server.is_multiple_of(50) && often);
    let usual: u64 = if busy { 14_000_000 } else { 300_000 };
    let rate = usual + usual * (noise % 1_000) / 2_000;
    Rates { in_bps: Bps(rate), out_bps: Bps(rate / 3) }
}

fn packets(slot: Slot, rates: Rates) -> Packets {
    let flow =
        |Bps(bps): Bps| Flow { packets_per_second: bps / 6_400, packets: bps / 21, octets: bps / 8 * 300 };
    Packets { slot, towards: flow(rates.in_bps), from: flow(rates.out_bps) }
}

fn server(number: usize) -> Option<Server> {
    let granted = Grant { bps: Bps(1_000_000), from: None, until: None };
    let allowance = Allowance::new(vec![granted]);
    let rules =
        Rules { span: MONTH, method: Method::Max, missing: Missing::Zero, allowance: allowance.clone() };
    // The largest of the month so far, as they are read from the store at a start.
    let largest = |of: fn(Rates) -> Bps| (0..479).map(|i| of(rates(number, NOW - 9 * i)).0).collect();
    let stored = Stored {
        samples: 4_464,
        bursts: if number.is_multiple_of(200) { 4_464 } else { 0 },
        largest_in: largest(|rates| rates.in_bps),
        largest_out: largest(|rates| rates.out_bps),
        largest_combined: largest(Rates::value),
    };
    let tally = Tally::restore(rules, stored)?;
    let recent = VecDeque::with_capacity(RECENT + 1);
    let none = packets(Slot(0), Rates::default());
    Some(Server { recent, allowance, tally, watch: Watch::default(), packets: [none, none] })
}

/// A slot's samples arrive.
fn fill(servers: &mut [Server], slot: Slot) {
    for (number, server) in servers.iter_mut().enumerate() {
        let rates = rates(number, slot.0);
        server.tally.change(slot, None, Some(rates));
        if server.recent.len() == RECENT {
            server.recent.pop_front();
        }
        server.recent.push_back((slot, rates));
        server.packets = [server.packets[1], packets(slot, rates)];
    }
}

/// The slot is evaluated: how many servers' rules hold, and how much happened.
fn evaluate(servers: &mut [Server], groups: &mut [Shared], policy: &Policy, slot: Slot) -> (usize, usize) {
    let of_group = SERVERS / GROUPS;
    for (group, members) in groups.iter_mut().zip(servers.chunks(of_group)) {
        let newest = members.iter().filter_map(|server| server.recent.back());
        group.by_servers = newest.fold(Rates::default(), |sum, (_, rates)| sum.plus(*rates));
    }
    let (mut hold, mut happened) = (0, 0);
    let mut seen = Vec::with_capacity(RECENT);
    for (number, server) in servers.iter_mut().enumerate() {
        seen.clear();
        seen.extend(server.recent.iter().map(|(slot, rates)| {
            let allowance = server.allowance.in_slot(*slot);
            Seen { slot: *slot, rates: *rates, allowance }
        }));
        let facts = Facts {
            slot,
            allowance: server.allowance.in_slot(slot),
            seen: &seen,
            tally: &server.tally,
            shared: groups.get(number / of_group),
            packets: &server.packets,
        };
        let change = server.watch.observe(policy, RuleSet::NONE, &facts);
        hold += usize::from(!change.evidence.is_empty());
        happened += change.events.len();
    }
    (hold, happened)
}

fn rules_of_all_servers(criterion: &mut Criterion) {
    let servers: Option<Vec<Server>> = (0..SERVERS).map(server).collect();
    let Some(mut servers) = servers else { return };
    let uplink = |id: String| {
        let by_port = Some(Rates { in_bps: Bps(400_000_000), out_bps: Bps(100_000_000) });
        Uplink { id, speed: Bps(1_000_000_000), by_port }
    };
    let group = |number: usize| Shared {
        uplinks: vec![uplink(format!("rack{number}-a")), uplink(format!("rack{number}-b"))],
        by_servers: Rates::default(),
    };
    let mut groups: Vec<Shared> = (0..GROUPS).map(group).collect();
    let policy = Policy::default();
    let mut slot = Slot(NOW);
    let mut told = (0, 0);
    let mut group = criterion.benchmark_group("throttle");
    group.throughput(Throughput::Elements(SERVERS as u64));
    group.sample_size(10);
    group.bench_function(format!("a slot of {SERVERS} servers"), |bencher| {
        bencher.iter_custom(|iterations| {
            let mut took = Duration::ZERO;
            for _ in 0..iterations {
                fill(&mut servers, slot);
                let started = Instant::now();
                told = black_box(evaluate(&mut servers, &mut groups, &policy, slot));
                took += started.elapsed();
                slot = slot.next();
            }
            took
        });
    });
    group.finish();
    println!("in the last slot rules hold for {} servers, and {} things happened", told.0, told.1);
}

criterion_group!(benches, rules_of_all_servers);
criterion_main!(benches);
