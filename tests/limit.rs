//! The configuration for Linux really limits: through a wire between two network namespaces goes what the limit says, in
//! both directions, as the NIC collector itself measures it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use meter95::clock;
use meter95_nic::{Selection, read_pass};
use meter95_reading::Counters;

use crate::namespace::Namespace;

/// The limit, in bit/s.
const CAP: u64 = 20_000_000;

/// What is sent in each direction: over two seconds at the limit, so that the burst that it lets pass at once weighs little.
const OCTETS: usize = 6_000_000;

/// One end of the wire.
struct End {
    namespace: Namespace,
    interface: &'static str,
    address: Ipv4Addr,
}

/// A server and the switch's port that it is plugged into.
struct Wire {
    server: End,
    switch: End,
}

impl Wire {
    fn new() -> Self {
        let server = Namespace::new("limited");
        let switch = Namespace::new("limiting");
        // As `Namespace` names them.
        let other = format!("meter95-limiting-{}", std::process::id());
        server.ip(&format!("link add eth0 type veth peer name port1 netns {other}"));
        for (namespace, interface, address) in
            [(&server, "eth0", "10.95.2.1/24"), (&switch, "port1", "10.95.2.2/24")]
        {
            namespace.ip(&format!("addr add {address} dev {interface}"));
            namespace.ip(&format!("link set {interface} up"));
        }
        Self {
            server: End { namespace: server, interface: "eth0", address: Ipv4Addr::new(10, 95, 2, 1) },
            switch: End { namespace: switch, interface: "port1", address: Ipv4Addr::new(10, 95, 2, 2) },
        }
    }

    /// What goes to the server, and then from it, in bit/s, as fast as it can. Not both at once: acknowledgements would
    /// wait behind data of the other direction, and what TCP then leaves unused is not the limit's doing.
    fn rates(&self) -> [u64; 2] {
        [rate(&self.switch, &self.server), rate(&self.server, &self.switch)]
    }
}

impl End {
    /// Runs a configuration as people do.
    fn configure(&self, text: &str) {
        let output = self.namespace.enter(|| {
            let mut shell = Command::new("sh");
            shell.arg("-e").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut shell = shell.spawn().unwrap();
            shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
            shell.wait_with_output().unwrap()
        });
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    /// What the interface has counted by now, in the namespace of this thread.
    fn counters(&self) -> Counters {
        let selection = Selection::Named([self.interface.to_owned()].into());
        let pass = read_pass("this", &selection, clock::now);
        pass.readings.first().unwrap_or_else(|| panic!("{} can't be read", self.interface)).counters
    }
}

/// What `to` receives from `from` over TCP, in bit/s, by the counters of its interface.
fn rate(from: &End, to: &End) -> u64 {
    let (listens, listening) = mpsc::channel();
    thread::scope(|scope| {
        let receiver = scope.spawn(move || {
            to.namespace.enter(move || {
                let listener = TcpListener::bind((to.address, 0)).unwrap();
                // Before anything is sent: buffers take more than is read of them.
                let before = to.counters();
                listens.send(listener.local_addr().unwrap()).unwrap();
                let (mut stream, _) = listener.accept().unwrap();
                let mut block = vec![0; 64 << 10];
                let mut taken = 0;
                while taken < OCTETS {
                    let n = stream.read(&mut block).unwrap();
                    assert!(n > 0, "the sender ended after {taken} octets");
                    taken += n;
                }
                (before, to.counters())
            })
        });
        from.namespace.enter(move || {
            let mut stream = TcpStream::connect(listening.recv().unwrap()).unwrap();
            let block = vec![0x95; 64 << 10];
            // Until the receiver has enough, and closes.
            while stream.write_all(&block).is_ok() {}
        });
        let (before, after) = receiver.join().unwrap();
        let ms = u64::try_from(after.time.ms_since(before.time)).unwrap().max(1);
        (after.rx_octets - before.rx_octets) * 8_000 / ms
    })
}

/// The configuration that limits the switch's port to [`CAP`], or takes the limit off.
fn snippet(lift: bool) -> String {
    let burst = CAP / 160;
    let burst = burst.max(131_072);
    if lift {
        return "tc qdisc del dev port1 root handle 95: 2>/dev/null || true\n\
                tc filter del dev port1 parent ffff: protocol all prio 95 2>/dev/null || true\n\
                ip link del dev ifb95 2>/dev/null || true\n"
            .to_owned();
    }
    format!(
        "tc qdisc replace dev port1 root handle 95: tbf rate {CAP}bit burst {burst} latency 100ms\n\
         ip link show dev ifb95 >/dev/null 2>&1 || ip link add ifb95 type ifb\n\
         ip link set dev ifb95 up\n\
         tc qdisc replace dev ifb95 root handle 95: tbf rate {CAP}bit burst {burst} latency 100ms\n\
         tc qdisc replace dev port1 handle ffff: ingress\n\
         tc filter replace dev port1 parent ffff: protocol all prio 95 handle 800::1 u32 match u32 0 0 action mirred \
         egress redirect dev ifb95\n"
    )
}

#[test]
fn the_configuration_for_linux_limits_a_port_in_both_directions() {
    let wire = Wire::new();
    let unlimited = |rates: [u64; 2]| rates.iter().all(|rate| *rate > 10 * CAP);
    let before = wire.rates();
    assert!(unlimited(before), "{before:?} bit/s without a limit");

    wire.switch.configure(&snippet(false));
    // What can be repeated, is.
    wire.switch.configure(&snippet(false));
    let limited = wire.rates();
    for rate in limited {
        let percent = rate * 100 / CAP;
        assert!((90..=110).contains(&percent), "{limited:?} bit/s with a limit of {CAP}");
    }

    wire.switch.configure(&snippet(true));
    let after = wire.rates();
    assert!(unlimited(after), "{after:?} bit/s after the limit was lifted");
}
