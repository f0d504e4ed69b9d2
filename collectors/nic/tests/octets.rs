//! Octets sent through a pair of veth interfaces are the octets read, frame headers included.

use std::net::UdpSocket;

use meter95_nic::{Kind, Options, Pass, Selection, Source, interfaces, read_counters, read_pass};
use meter95_reading::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::namespace::Namespace;

/// Ethernet 14, IPv4 20, UDP 8: what each datagram weighs besides its payload. No FCS: Linux leaves it out.
const HEADER_OCTETS: u64 = 14 + 20 + 8;
/// Payloads from the least to the most that one frame of MTU 1,500 holds.
const PAYLOADS: [usize; 6] = [0, 1, 18, 512, 1_000, 1_472];
/// How often each is sent; far below the kernel's queue of 1,000 packets.
const ROUNDS: u64 = 40;

fn noon() -> Timestamp {
    Timestamp(1_790_780_132_298)
}

fn named(names: &[&str]) -> Selection {
    Selection::Named(names.iter().map(|name| (*name).to_owned()).collect())
}

/// A namespace with `left` (10.95.0.1) wired to `right`, which has no address but answers to 10.95.0.2.
fn wired(label: &str) -> Namespace {
    let namespace = Namespace::new(label);
    namespace.ip("link add left type veth peer name right address 02:95:00:00:00:02");
    namespace.ip("addr add 10.95.0.1/24 dev left");
    namespace.ip("link set left up");
    namespace.ip("link set right up");
    namespace.ip("neigh add 10.95.0.2 lladdr 02:95:00:00:00:02 dev left");
    namespace
}

fn send_all() -> (u64, u64) {
    let socket = UdpSocket::bind("10.95.0.1:0").unwrap();
    let (mut octets, mut packets) = (0, 0);
    for _ in 0..ROUNDS {
        for payload in PAYLOADS {
            socket.send_to(&vec![0x95; payload], "10.95.0.2:9").unwrap();
            octets += HEADER_OCTETS + u64::try_from(payload).unwrap();
            packets += 1;
        }
    }
    (octets, packets)
}

/// (rx octets, tx octets, rx packets, tx packets) of one interface.
fn figures(pass: &Pass, name: &str) -> (u64, u64, u64, u64) {
    let reading = pass.readings.iter().find(|reading| reading.port.interface() == name).unwrap();
    let counters = &reading.counters;
    (counters.rx_octets, counters.tx_octets, counters.rx_packets.unwrap(), counters.tx_packets.unwrap())
}

#[test]
fn octets_sent_are_octets_read() {
    wired("octets").enter(|| {
        let selection = named(&["left", "right"]);
        let before = read_pass("srv1", &selection, noon);
        let (octets, packets) = send_all();
        let after = read_pass("srv1", &selection, noon);
        for pass in [&before, &after] {
            assert_eq!((pass.source, pass.failures.as_slice()), (Some(Source::Netlink), &[][..]));
        }
        let (left_before, left) = (figures(&before, "left"), figures(&after, "left"));
        let (right_before, right) = (figures(&before, "right"), figures(&after, "right"));
        assert_eq!((left.1 - left_before.1, left.3 - left_before.3), (octets, packets), "left sent");
        assert_eq!((right.0 - right_before.0, right.2 - right_before.2), (octets, packets), "right received");
        assert_eq!((left.0, left.2, right.1, right.3), (0, 0, 0, 0), "nothing came back");
    });
}

#[test]
fn virtual_interfaces_are_listed_and_left_out_by_the_rule() {
    wired("rule").enter(|| {
        let listed = interfaces().unwrap();
        let left = listed.iter().find(|interface| interface.name == "left").unwrap();
        assert_eq!((left.kind, left.speed_bps), (Kind::Virtual, None));
        assert_eq!(
            left.addresses.iter().map(|a| (a.ip.to_string(), a.prefix)).collect::<Vec<_>>(),
            [("10.95.0.1".to_owned(), 24)]
        );
        let right = listed.iter().find(|interface| interface.name == "right").unwrap();
        assert_eq!(right.mac, Some([2, 0x95, 0, 0, 0, 2]));
        let pass = read_pass("srv1", &Selection::Hardware, noon);
        assert_eq!((pass.readings.as_slice(), pass.failures.as_slice()), (&[][..], &[][..]));
    });
}

#[test]
fn an_interface_made_again_is_a_discontinuity() {
    let namespace = wired("again");
    let mark = || {
        let pass = namespace.enter(|| read_pass("srv1", &named(&["left"]), noon));
        pass.readings[0].counters.discontinuity_cs.unwrap()
    };
    let first = mark();
    assert_eq!(mark(), first);
    namespace.ip("link del left");
    namespace.ip("link add left type veth peer name right");
    assert_ne!(mark(), first);
}

#[test]
fn several_hundred_interfaces_fit_into_one_dump() {
    let namespace = Namespace::new("many");
    for k in 0..150 {
        namespace.ip(&format!("link add l{k} type veth peer name r{k}"));
    }
    let snapshot = namespace.enter(|| read_counters(noon).unwrap());
    assert_eq!((snapshot.source, snapshot.failures.as_slice()), (Source::Netlink, &[][..]));
    assert_eq!(snapshot.rows.iter().filter(|row| row.interface.kind == Kind::Virtual).count(), 300);
}

#[test]
fn the_collector_reads_the_namespace_that_it_runs_in() {
    wired("collector").enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let options = Options {
                device: Some("srv1".to_owned()),
                interfaces: named(&["right"]),
                ..Options::default()
            };
            let collector = meter95_nic::Collector::new(options, noon).unwrap();
            let (out, mut passes) = mpsc::channel(1);
            let stop = CancellationToken::new();
            let running = tokio::spawn(collector.run(out, stop.clone()));
            let pass = passes.recv().await.unwrap();
            assert_eq!(pass.failures, []);
            assert_eq!(pass.readings[0].port.to_string(), "srv1 right");
            stop.cancel();
            running.await.unwrap();
        });
    });
}
