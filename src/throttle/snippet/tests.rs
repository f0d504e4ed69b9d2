//! Configuration against golden text, and names that would do harm in it.

use meter95_reading::{PortKey, Timestamp};

use super::*;
use crate::inventory::instant::Instant;
use crate::metering::throttle::Rule;
use crate::metering::units::Bps;
use crate::throttle::recommendation::tests::recommendation;
use crate::throttle::step::{Body, SERVICE, Step};

fn binding(device: &str, interface: &str, kind: PortKind) -> Binding {
    let port = PortKey::new(device, interface).unwrap();
    Binding { port, kind, speed: None, from: None, until: None }
}

/// Case 12 of `server`, approved, or applied with this limit.
fn case(server: &str, cap_bps: Option<u64>) -> Case {
    let slot = Instant(Timestamp(1_793_000_100_000));
    let mut recommendation = Box::new(recommendation(&[Rule::Flood]));
    recommendation.server = server.to_owned();
    let until = recommendation.until;
    let applied = cap_bps.map(|cap_bps| Body::Applied { cap_bps: Bps(cap_bps), until });
    let steps = [Body::Opened { slot, recommendation }, Body::Approved].into_iter().chain(applied);
    let mut steps = steps.zip(1..).map(|(body, number)| {
        let by = if number == 1 { SERVICE } else { "alice" }.to_owned();
        Step { case: 12, number, serial: 1, at: slot.0, by, why: "why".to_owned(), body }
    });
    let mut case = Case::open(steps.next().unwrap()).unwrap();
    for step in steps {
        case.take(step).unwrap();
    }
    case
}

fn rendered(kind: &str, case: &Case, bindings: &[Binding], lift: bool) -> Result<String, SnippetError> {
    let bindings: Vec<&Binding> = bindings.iter().collect();
    render(&Templates::read(None).0, case, &bindings, Wanted { kind, lift, interfaces: &[] })
}

fn golden(kind: &str, bindings: &[Binding], limit: &str, lift: &str) {
    let case = case("web01", Some(20_000_001));
    for (wanted, lifts) in [(limit, false), (lift, true)] {
        let text = rendered(kind, &case, bindings, lifts).unwrap();
        assert_eq!(text, wanted, "{kind}, lift {lifts}:\n{text}");
    }
}

#[test]
fn linux() {
    let bindings = [binding("sw1", "ge-0/0/1", PortKind::Switch), binding("web01", "eth0", PortKind::Nic)];
    golden(
        "tc",
        &bindings,
        "# Case 12: server web01, 20000001 bit/s in either direction until 2026-11-30T15:00:00Z.
# Run as root on the machine that has the interface. Every command can be repeated.
# What an interface counts on arrival includes what is dropped after it.

# web01 eth0: what it sends is shaped on it, what arrives on m95c12p1.
tc qdisc replace dev eth0 root handle 95: tbf rate 20000001bit burst 131072 latency 100ms
ip link show dev m95c12p1 >/dev/null 2>&1 || ip link add m95c12p1 type ifb
ip link set dev m95c12p1 up
tc qdisc replace dev m95c12p1 root handle 95: tbf rate 20000001bit burst 131072 latency 100ms
tc qdisc replace dev eth0 handle ffff: ingress
tc filter replace dev eth0 parent ffff: protocol all prio 95 handle 800::1 u32 match u32 0 0 action mirred egress redirect dev m95c12p1
",
        "# Case 12: server web01, limit lifted.
# Run as root on the machine that has the interface. Every command can be repeated.
# What an interface counts on arrival includes what is dropped after it.

# web01 eth0: what it sends is shaped on it, what arrives on m95c12p1.
tc qdisc del dev eth0 root handle 95: 2>/dev/null || true
tc filter del dev eth0 parent ffff: protocol all prio 95 2>/dev/null || true
ip link del dev m95c12p1 2>/dev/null || true
",
    );
}

#[test]
fn cisco() {
    let bindings = [binding("sw1", "Gi1/0/1", PortKind::Switch), binding("sw2", "Gi1/0/1", PortKind::Switch)];
    golden(
        "ios",
        &bindings,
        "! Case 12: server web01, 20000001 bit/s in either direction until 2026-11-30T15:00:00Z.
! Split evenly over 2 ports: 10000000 bit/s each.
! Cisco IOS and IOS XE, in configuration mode. Where a platform can't shape, police in both directions.
policy-map METER95-12-IN
 class class-default
  police cir 10000000 bc 131072 conform-action transmit exceed-action drop
policy-map METER95-12-OUT
 class class-default
  shape average 10000000
! sw1
interface Gi1/0/1
 service-policy input METER95-12-IN
 service-policy output METER95-12-OUT
! sw2
interface Gi1/0/1
 service-policy input METER95-12-IN
 service-policy output METER95-12-OUT
end
",
        "! Case 12: server web01, limit lifted.
! Cisco IOS and IOS XE, in configuration mode. Where a platform can't shape, police in both directions.
! sw1
interface Gi1/0/1
 no service-policy input METER95-12-IN
 no service-policy output METER95-12-OUT
! sw2
interface Gi1/0/1
 no service-policy input METER95-12-IN
 no service-policy output METER95-12-OUT
no policy-map METER95-12-IN
no policy-map METER95-12-OUT
end
",
    );
}

#[test]
fn juniper() {
    let bindings = [binding("sw1", "ge-0/0/1.0", PortKind::Switch), binding("web01", "eth0", PortKind::Nic)];
    golden(
        "junos",
        &bindings,
        "# Case 12: server web01, 20000001 bit/s in either direction until 2026-11-30T15:00:00Z.
# Junos, in configuration mode, for ports that switch; commit afterwards.
set firewall policer METER95-12 if-exceeding bandwidth-limit 20000001
set firewall policer METER95-12 if-exceeding burst-size-limit 131072
set firewall policer METER95-12 then discard
set firewall family ethernet-switching filter METER95-12 term all then policer METER95-12
set firewall family ethernet-switching filter METER95-12 term all then accept
# sw1
set interfaces ge-0/0/1 unit 0 family ethernet-switching filter input METER95-12
set class-of-service interfaces ge-0/0/1 shaping-rate 20000001
",
        "# Case 12: server web01, limit lifted.
# Junos, in configuration mode, for ports that switch; commit afterwards.
# sw1
delete interfaces ge-0/0/1 unit 0 family ethernet-switching filter input METER95-12
delete class-of-service interfaces ge-0/0/1 shaping-rate 20000001
delete firewall family ethernet-switching filter METER95-12
delete firewall policer METER95-12
",
    );
}

#[test]
fn arista() {
    golden(
        "eos",
        &[binding("sw1", "Ethernet1/1", PortKind::Switch)],
        "! Case 12: server web01, 20000001 bit/s in either direction until 2026-11-30T15:00:00Z.
! Arista EOS, in configuration mode.
policy-map type quality-of-service METER95-12
   class class-default
      police rate 20000 kbps burst-size 131072 bytes
! sw1
interface Ethernet1/1
   service-policy type qos input METER95-12
   shape rate 20000 kbps
end
",
        "! Case 12: server web01, limit lifted.
! Arista EOS, in configuration mode.
! sw1
interface Ethernet1/1
   no service-policy type qos input METER95-12
   no shape rate
no policy-map type quality-of-service METER95-12
end
",
    );
}

#[test]
fn hostile_names_are_refused() {
    let case = case("web01", None);
    for (kind, device, interface, says) in [
        ("tc", "sw1", "eth0; reboot", "interface \"eth0; reboot\" can't go into a configuration"),
        ("tc", "sw1", "eth0`id`", "other characters"),
        ("tc", "sw1", "$(id)", "does not begin with a letter"),
        ("tc", "sw1", "-n", "does not begin with a letter"),
        ("tc", "sw1", "ge-0/0/1", "other characters"),
        ("tc", "sw1", "an-interface-too-long", "longer"),
        ("tc", "sw1", "eth０", "other characters"),
        ("ios", "sw1", "Gi1/0/1 no shutdown", "other characters"),
        ("ios", "sw1!", "Gi1/0/1", "device \"sw1!\" can't go"),
        ("junos", "sw1\"", "ge-0/0/1", "device"),
        ("junos", "sw1", "ge-0/0/1;", "other characters"),
        ("eos", "sw 1", "Ethernet1", "device"),
        ("eos", "sw1", "Ethernet1|x", "other characters"),
    ] {
        let error = rendered(kind, &case, &[binding(device, interface, PortKind::Switch)], false);
        let error = error.unwrap_err().to_string();
        assert!(error.contains(says), "{kind} {interface}: {error}");
    }
}

#[test]
fn a_hostile_server_stays_in_its_comment() {
    let bindings = [binding("sw1", "eth0", PortKind::Switch)];
    let text = rendered("tc", &self::case("a\nreboot; $(x) 日", None), &bindings, false).unwrap();
    assert!(text.starts_with("# Case 12: server a_reboot____x___, 1000000 bit/s in"), "{text}");
}

#[test]
fn when_there_is_nothing_to_configure() {
    let approved = case("web01", None);
    let eth0 = [binding("web01", "eth0", PortKind::Nic)];
    for (kind, bindings, says) in [
        ("tc", &[][..], "server \"web01\" has no port on which tc could limit it"),
        ("ios", &eth0, "server \"web01\" has no port on which ios could limit it"),
        ("cisco", &eth0, "there is no configuration for \"cisco\"; there is for eos, ios, junos, tc"),
        (
            "contact.en",
            &eth0,
            "there is no configuration for \"contact.en\"; there is for eos, ios, junos, tc",
        ),
    ] {
        assert_eq!(rendered(kind, &approved, bindings, false).unwrap_err().to_string(), says);
    }
    let mut ended = approved.clone();
    ended.state = State::Dismissed;
    let error = rendered("tc", &ended, &eth0, true).unwrap_err().to_string();
    assert_eq!(
        error,
        "case 12 is dismissed: there is configuration for a case that is approved or applied, and after that to lift it"
    );
    ended.state = State::Lifted;
    assert!(rendered("tc", &ended, &eth0, false).is_err());
    assert!(rendered("tc", &ended, &eth0, true).is_ok());
    let tiny = rendered("tc", &case("web01", Some(1)), &[eth0[0].clone(), eth0[0].clone()], false).unwrap();
    assert!(tiny.contains("rate 1bit"), "{tiny}");
}
