//! A pass from pieces: readings, marks, what is left out.

use super::*;
use crate::Kind;

fn noon() -> Timestamp {
    Timestamp(1_790_780_132_298)
}

fn interface(index: u32, name: &str, kind: Kind) -> Interface {
    Interface { index, name: name.to_owned(), mac: None, addresses: Vec::new(), kind, speed_bps: None }
}

fn row(index: u32, name: &str, kind: Kind) -> Row {
    let octets = u64::from(index) * 1_000;
    Row {
        interface: interface(index, name, kind),
        rx_octets: octets + 1,
        tx_octets: octets + 2,
        rx_packets: 3,
        tx_packets: 4,
    }
}

fn snapshot(rows: Vec<Row>) -> Snapshot {
    Snapshot { time: noon(), uptime_cs: 500, source: Source::Netlink, rows, failures: Vec::new() }
}

fn named(names: &[&str]) -> Selection {
    Selection::Named(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn the_rule_ships_hardware() {
    let rows =
        vec![row(1, "lo", Kind::Loopback), row(2, "eth0", Kind::Hardware), row(3, "br0", Kind::Virtual)];
    let (readings, failures) = select(snapshot(rows), "srv1", &Selection::Hardware);
    assert_eq!(failures, []);
    let [reading] = readings.as_slice() else { panic!("{readings:?}") };
    assert_eq!((reading.port.device(), reading.port.interface()), ("srv1", "eth0"));
    let counters = Counters {
        time: noon(),
        rx_octets: 2_001,
        tx_octets: 2_002,
        width: Width::Bits64,
        uptime_cs: Some(500),
        discontinuity_cs: Some(2),
        rx_packets: Some(3),
        tx_packets: Some(4),
        speed_bps: None,
    };
    assert_eq!(reading.counters, counters);
}

#[test]
fn an_interface_made_again_has_another_mark() {
    let mark = |index| {
        let (readings, _) =
            select(snapshot(vec![row(index, "veth0", Kind::Virtual)]), "srv1", &named(&["veth0"]));
        readings[0].counters.discontinuity_cs
    };
    assert_eq!(mark(7), mark(7), "a restarted collector sees the same");
    assert_ne!(mark(7), mark(8));
}

#[test]
fn what_was_named_and_is_not_there_is_counted() {
    let (readings, failures) =
        select(snapshot(vec![row(1, "lo", Kind::Loopback)]), "srv1", &named(&["lo", "eth7"]));
    assert_eq!(readings.len(), 1);
    assert_eq!(failures, [Failure::new(FailureKind::InterfaceMissing, "eth7")]);
}

#[test]
fn a_name_that_is_no_port_is_counted() {
    let (readings, failures) =
        select(snapshot(vec![row(1, "eth\u{1}", Kind::Hardware)]), "srv1", &Selection::Hardware);
    assert_eq!(readings, []);
    assert_eq!(failures.iter().map(|failure| failure.kind).collect::<Vec<_>>(), [FailureKind::NameUnusable]);
}

#[test]
fn counters_go_to_the_interface_of_their_index() {
    let counters = |index| LinkCounters { index, rx_octets: 1, tx_octets: 2, rx_packets: 3, tx_packets: 4 };
    let interfaces = vec![interface(1, "lo", Kind::Loopback), interface(5, "eth0", Kind::Hardware)];
    let rows = join(interfaces, &[counters(4), counters(5), counters(6)]);
    assert_eq!(rows.iter().map(|row| row.interface.name.as_str()).collect::<Vec<_>>(), ["eth0"]);
}

#[test]
fn a_changed_name_or_index_is_noticed() {
    let list =
        |index, name: &str| vec![interface(1, "lo", Kind::Loopback), interface(index, name, Kind::Virtual)];
    assert!(same_names(&list(2, "a"), &list(2, "a")));
    assert!(!same_names(&list(2, "a"), &list(2, "b")));
    assert!(!same_names(&list(2, "a"), &list(3, "a")));
    assert!(!same_names(&list(2, "a"), &list(2, "a")[..1]));
}

#[test]
fn both_sources_show_the_same_interfaces() {
    let by_dump = dump_counters(noon).unwrap();
    let by_table = table_counters(noon).unwrap();
    assert_eq!((by_dump.source, by_table.source), (Source::Netlink, Source::ProcNetDev));
    let names = |snapshot: &Snapshot| -> Vec<String> {
        snapshot.rows.iter().map(|row| row.interface.name.clone()).collect()
    };
    assert!(names(&by_dump).contains(&"lo".to_owned()));
    assert_eq!(names(&by_dump), names(&by_table));
    for (earlier, later) in by_dump.rows.iter().zip(&by_table.rows) {
        assert!(earlier.rx_octets <= later.rx_octets && earlier.tx_octets <= later.tx_octets);
    }
}
