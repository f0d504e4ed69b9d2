//! The interfaces of this host, and which of them are hardware.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use pnet_datalink::NetworkInterface;

use crate::{Failure, FailureKind, proc};

/// Where the kernel shows its interfaces, a folder each.
const SYSFS: &str = "/sys/class/net";
/// bit/s in the megabit that `speed` counts in.
const BPS_PER_MBPS: u64 = 1_000_000;

/// What an interface is, as far as metering cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Backed by a device: a PCI card, a virtio or USB adapter. `/sys/class/net/NAME/device` exists.
    Hardware,
    /// The kernel's loopback, by its flag.
    Loopback,
    /// Everything else: bridges, bonds, VLANs, tunnels, veth and the like. What they carry, hardware carries too,
    /// and to count both would bill octets twice.
    Virtual,
}

/// An address of an interface with the length of its network prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Bits of the network prefix, at most 32 or 128.
    pub prefix: u8,
}

/// One interface of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The kernel's number, above 0. It changes when an interface is deleted and made again.
    pub index: u32,
    /// Its name, which identifies the port.
    pub name: String,
    /// Its hardware address, where it has one that is not zero.
    pub mac: Option<[u8; 6]>,
    /// Its addresses, in the kernel's order.
    pub addresses: Vec<Address>,
    /// What it is.
    pub kind: Kind,
    /// What it says it can do, in bit/s; only where hardware says so (a veth claims 10 Gbit/s and carries more).
    pub speed_bps: Option<u64>,
}

/// All interfaces of the calling thread's network namespace, by rising index, the ones that are down included.
///
/// # Errors
/// [`FailureKind::ListUnreadable`] when the list cannot be had, or names an interface in bytes that are not
/// UTF-8.
pub fn interfaces() -> Result<Vec<Interface>, Failure> {
    // pnet takes names to be UTF-8 without looking, which the kernel does not promise. So we look first: this
    // fails on a table that is not UTF-8.
    proc::read(Path::new(proc::TABLE_PATH)).map_err(|e| Failure::new(FailureKind::ListUnreadable, e))?;
    let listed = merge(pnet_datalink::interfaces());
    if listed.is_empty() {
        return Err(Failure::new(FailureKind::ListUnreadable, "the kernel lists no interface at all"));
    }
    Ok(listed.into_values().map(|interface| enrich(interface, Path::new(SYSFS))).collect())
}

/// pnet lists an address label (`eth0:1`) as an interface of its own; the index tells whose it is.
/// One that vanished while it was listed has index 0 and is left out.
fn merge(listed: Vec<NetworkInterface>) -> BTreeMap<u32, Interface> {
    let mut merged: BTreeMap<u32, Interface> = BTreeMap::new();
    for entry in listed.into_iter().filter(|entry| entry.index != 0) {
        let name = entry.name.split(':').next().unwrap_or_default();
        let loopback = entry.is_loopback();
        let interface = merged.entry(entry.index).or_insert_with(|| Interface {
            index: entry.index,
            name: name.to_owned(),
            mac: None,
            addresses: Vec::new(),
            kind: Kind::Virtual,
            speed_bps: None,
        });
        if loopback {
            interface.kind = Kind::Loopback;
        }
        let mac = entry.mac.map(|mac| [mac.0, mac.1, mac.2, mac.3, mac.4, mac.5]);
        interface.mac = interface.mac.or(mac.filter(|mac| *mac != [0; 6]));
        interface.addresses.extend(entry.ips.iter().map(|ip| Address { ip: ip.ip(), prefix: ip.prefix() }));
    }
    merged
}

fn enrich(mut interface: Interface, sysfs: &Path) -> Interface {
    let folder = sysfs.join(&interface.name);
    if interface.kind == Kind::Virtual && folder.join("device").exists() {
        interface.kind = Kind::Hardware;
        interface.speed_bps = proc::read(&folder.join("speed")).ok().and_then(|text| parse_speed(&text));
    }
    interface
}

/// Reads `/sys/class/net/NAME/speed`, in Mbit/s. An interface that is down or does not know says -1 or 0.
fn parse_speed(text: &str) -> Option<u64> {
    let mbps: u64 = text.trim_ascii().parse().ok()?;
    // Drivers also say u32::MAX for "unknown": -1 once printed as unsigned.
    if mbps == 0 || mbps >= u64::from(u32::MAX) { None } else { mbps.checked_mul(BPS_PER_MBPS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK_FLAG: u32 = 0x8;

    fn entry(name: &str, index: u32, flags: u32, ips: &[&str]) -> NetworkInterface {
        NetworkInterface {
            name: name.to_owned(),
            description: String::new(),
            index,
            mac: None,
            ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(),
            flags,
        }
    }

    #[test]
    fn labels_are_addresses_and_not_interfaces() {
        let mut eth0 = entry("eth0", 2, 0, &["10.0.0.1/24"]);
        eth0.mac = Some(pnet_datalink::MacAddr(2, 0, 0, 0, 0, 1));
        let mut lo = entry("lo", 1, LOOPBACK_FLAG, &["127.0.0.1/8", "::1/128"]);
        lo.mac = Some(pnet_datalink::MacAddr(0, 0, 0, 0, 0, 0));
        let gone = entry("gone", 0, 0, &[]);
        let merged = merge(vec![entry("eth0:1", 2, 0, &["10.0.0.2/24"]), lo, eth0, gone]);
        let lo = &merged[&1];
        assert_eq!((lo.name.as_str(), lo.mac, lo.kind), ("lo", None, Kind::Loopback));
        let eth0 = &merged[&2];
        assert_eq!(
            (eth0.name.as_str(), eth0.mac, eth0.kind),
            ("eth0", Some([2, 0, 0, 0, 0, 1]), Kind::Virtual)
        );
        assert_eq!(eth0.addresses.iter().map(|a| a.prefix).collect::<Vec<_>>(), [24, 24]);
        assert_eq!(merged.len(), 2);
    }

    #[test]
    fn only_a_device_makes_hardware() {
        let sysfs = std::env::temp_dir().join(format!("meter95-nic-sysfs-{}", std::process::id()));
        for (name, device) in [("card", true), ("bridge", false)] {
            let folder = sysfs.join(name);
            std::fs::create_dir_all(if device { folder.join("device") } else { folder.clone() }).unwrap();
            std::fs::write(folder.join("speed"), "10000\n").unwrap();
        }
        let check = |name: &str, kind| {
            let (mac, addresses, speed_bps) = (None, Vec::new(), None);
            let listed = Interface { index: 1, name: name.to_owned(), mac, addresses, kind, speed_bps };
            let interface = enrich(listed, &sysfs);
            (interface.kind, interface.speed_bps)
        };
        let seen = [
            check("card", Kind::Virtual),
            check("card", Kind::Loopback),
            check("bridge", Kind::Virtual),
            check("absent", Kind::Virtual),
        ];
        std::fs::remove_dir_all(&sysfs).unwrap();
        let expected = [
            (Kind::Hardware, Some(10_000_000_000)),
            (Kind::Loopback, None),
            (Kind::Virtual, None),
            (Kind::Virtual, None),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_speed_is_above_zero_or_unknown() {
        for (text, expected) in [
            ("1000\n", Some(1_000_000_000)),
            ("400000\n", Some(400_000_000_000)),
            ("-1\n", None),
            ("0\n", None),
            ("4294967295\n", None),
            ("18446744073709551615\n", None),
            ("", None),
            ("fast\n", None),
        ] {
            assert_eq!(parse_speed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn this_host_has_a_loopback() {
        let listed = interfaces().unwrap();
        let lo = listed.iter().find(|interface| interface.name == "lo").unwrap();
        assert_eq!((lo.kind, lo.speed_bps), (Kind::Loopback, None));
        assert!(listed.is_sorted_by_key(|interface| interface.index));
    }
}
