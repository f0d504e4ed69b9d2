//! Both meters on real parts: a known number of octets through a wire, seen by net-snmp's agent as a switch would, and by
//! the kernel as a server does, comes out of the store as that number, for both.

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use meter95::aggregator::output::PortId;
use meter95::aggregator::pipeline::Pipeline;
use meter95::aggregator::recovery::Clock;
use meter95::aggregator::state::Times;
use meter95::clock;
use meter95::metering::period::SlotSpan;
use meter95::metering::units::Slot;
use meter95_nic::{Selection, read_pass};
use meter95_reading::{Counters, Reading};
use meter95_snmp::{Credentials, Device, InterfaceFilter, Options, Secret, Visitor};

use crate::namespace::Namespace;
use crate::support;

/// Ethernet 14, IPv4 20, UDP 8: what each datagram weighs besides its payload. Linux leaves the FCS out, and net-snmp
/// says what Linux says.
const HEADER_OCTETS: u64 = 14 + 20 + 8;

const PAYLOAD_OCTETS: usize = 1_000;
const DATAGRAMS: u64 = 200;

/// How long the agent may take to start, and then to notice: it keeps counters for some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// An agent that ends with the test.
struct Snmpd(Child);

impl Drop for Snmpd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts net-snmp's agent in the network namespace of this thread.
fn snmpd(directory: &std::path::Path) -> (Snmpd, SocketAddr) {
    let config = directory.join("snmpd.conf");
    std::fs::write(&config, "rocommunity hush 127.0.0.1\n").unwrap();
    let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let child = Command::new("/usr/sbin/snmpd")
        .args(["-f", "-LE", "3", "-C", "-c"])
        .arg(&config)
        .arg("-p")
        .arg(directory.join("pid"))
        .arg(format!("udp:{address}"))
        .env("SNMP_PERSISTENT_DIR", directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("net-snmp's agent can't be started: install it with `apt-get install snmpd`");
    (Snmpd(child), address)
}

fn send() -> u64 {
    let socket = UdpSocket::bind("10.95.1.1:0").unwrap();
    for _ in 0..DATAGRAMS {
        socket.send_to(&[0x95; PAYLOAD_OCTETS], "10.95.1.2:9").unwrap();
    }
    DATAGRAMS * (HEADER_OCTETS + u64::try_from(PAYLOAD_OCTETS).unwrap())
}

/// What both collectors read of a wire before, between and after the octets went through it, and how many those were.
async fn readings_of_a_wire() -> (Vec<Reading>, u64) {
    let directory = tempfile::tempdir().unwrap();
    let (_agent, address) = snmpd(directory.path());
    let credentials = Credentials::V2c { community: Secret::new("hush").unwrap() };
    let device = Device::new("sw1", address, credentials).unwrap();
    let device = device.with_interfaces(InterfaceFilter::patterns(["port1"]).unwrap());
    let mut switch = Visitor::new(device, Options::default(), clock::now).await.unwrap();
    let nic = || read_pass("web01", &Selection::Named(["eth0".to_owned()].into()), clock::now).readings;

    let started = Instant::now();
    let mut readings = Vec::new();
    let before = loop {
        if let Some(reading) = switch.pass().await.readings.pop() {
            break reading;
        }
        assert!(started.elapsed() < PATIENCE, "the agent does not answer");
    };
    let Counters { time: asked_before, rx_octets: rx_before, .. } = before.counters;
    readings.push(before);
    readings.extend(nic());
    let octets = send();
    loop {
        let reading = switch.pass().await.readings.pop().expect("the agent answered before");
        let Counters { time: asked, rx_octets, .. } = reading.counters;
        let rx = rx_octets - rx_before;
        readings.push(reading);
        // Two readings of one millisecond make no stretch.
        if rx >= octets && asked > asked_before {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "the agent shows {rx} of {octets} octets");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    while clock::now() <= readings.iter().map(|reading| reading.counters.time).max().unwrap() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    readings.extend(nic());
    (readings, octets)
}

#[tokio::test(flavor = "multi_thread")]
async fn octets_through_a_wire_are_the_octets_in_the_slots_of_both_meters() {
    let (readings, octets) = tokio::task::spawn_blocking(|| {
        let namespace = Namespace::new("meters");
        namespace.ip("link set lo up");
        namespace.ip("link add eth0 type veth peer name port1 address 02:95:00:00:01:02");
        namespace.ip("addr add 10.95.1.1/24 dev eth0");
        namespace.ip("link set eth0 up");
        namespace.ip("link set port1 up");
        namespace.ip("neigh add 10.95.1.2 lladdr 02:95:00:00:01:02 dev eth0");
        namespace.enter(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(readings_of_a_wire())
        })
    })
    .await
    .unwrap();

    let store = support::store("meters").await;
    let mut pipeline = Pipeline::open(store.clone(), Times::default(), Clock::Readings).await.unwrap();
    let last = readings.iter().map(|reading| reading.counters.time).max().unwrap();
    let first = readings.iter().map(|reading| reading.counters.time).min().unwrap();
    // One more reading of each, in the next slot and unchanged, completes the slots.
    let mut after: Vec<Reading> = ["sw1", "web01"]
        .into_iter()
        .map(|device| readings.iter().rfind(|reading| reading.port.device() == device).unwrap().clone())
        .collect();
    for reading in &mut after {
        let later_ms = Slot::of(last).end().ms_since(reading.counters.time) + 1_000;
        reading.counters.time = reading.counters.time.plus_ms(later_ms);
        let uptime_cs = reading.counters.uptime_cs.unwrap();
        reading.counters.uptime_cs = Some(uptime_cs + u32::try_from(later_ms / 10).unwrap());
    }
    pipeline.take(vec![readings, after]).await;
    pipeline.close().await.unwrap();

    let ports = store.ports().await.unwrap();
    let ids: Vec<PortId> = (0..).map(PortId).take(ports.len()).collect();
    let span = SlotSpan { from: Slot::of(first), until: Slot(Slot::of(last).0 + 3) };
    let slots = store.port_slots(&ids, span).await.unwrap();
    let sum = |device: &str| {
        let of = slots.iter().filter(|((_, port), _)| ports[port.index()].device() == device);
        of.fold((0, 0), |(rx, tx), (_, carried)| (rx + carried.rx_octets, tx + carried.tx_octets))
    };
    assert_eq!(sum("sw1"), (octets, 0), "the switch's port received what was sent");
    assert_eq!(sum("web01"), (0, octets), "the server's NIC sent it");
    store.close().await.unwrap();
}
