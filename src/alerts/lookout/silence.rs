//! Ports, devices and collectors that are not heard of any more.

use std::collections::{BTreeMap, BTreeSet};

use meter95_reading::{PortKey, Timestamp};
use serde_json::json;

use crate::aggregator::state::{Aggregator, GRACE_MS_DEFAULT};
use crate::alerts::alert::{Alert, AlertKind, Severity};
use crate::collectors::CollectorReport;
use crate::inventory::instant::{Instant, rfc3339};

/// How long a port may be silent, in ms: as long as a slot waits for it.
const PORT_SILENT_MS: i64 = GRACE_MS_DEFAULT;

/// How long a collector elsewhere may be silent, in ms: five of the minutes after each of which it reports.
pub const COLLECTOR_SILENT_MS: i64 = 300_000;

/// Silent devices of a region that are told one by one; more that fall silent together are one alert. It is then the
/// collector, the line or the power, and that is one thing to see to.
const DEVICES_EACH_MAX: usize = 20;

/// How many of them that alert names.
const NAMED_MAX: usize = 20;

/// A metered port, and when it was heard of last.
struct Heard<'a> {
    port: &'a PortKey,
    /// The server or uplink that it is of.
    of: (&'static str, &'a str),
    region: &'a str,
    /// Its newest reading; `None` before the first.
    last: Option<Timestamp>,
    /// From when it can be missed: the beginning of the binding, of service, of this process.
    since: Timestamp,
}

impl Heard<'_> {
    /// Whether it is; one that `was` before this start is until it is heard of.
    fn is_silent(&self, now: Timestamp, was: bool) -> bool {
        let heard = match self.last {
            None if was => return true,
            Some(last) if was => last,
            last => last.map_or(self.since, |last| last.max(self.since)),
        };
        now.ms_since(heard) > PORT_SILENT_MS
    }
}

/// The silent ports and devices at `now`, for a service that has been running since `since`; `raised` are the keys of alerts
/// that are raised. A device of which every metered port is silent is one alert instead of many, and so are the devices of a
/// region of which more than [`DEVICES_EACH_MAX`] fall silent together, until the last of them is heard of.
#[must_use]
pub fn alerts(state: &Aggregator, since: Timestamp, now: Timestamp, raised: &BTreeSet<String>) -> Vec<Alert> {
    let mut devices: BTreeMap<&str, Vec<Heard<'_>>> = BTreeMap::new();
    for heard in metered(state, since, now) {
        devices.entry(heard.port.device()).or_default().push(heard);
    }
    let mut alerts = Vec::new();
    let mut regions: BTreeMap<&str, Vec<(&str, Vec<&Heard<'_>>)>> = BTreeMap::new();
    for (device, ports) in &devices {
        let was = |heard: &Heard<'_>| {
            raised.contains(&device_key(device))
                || raised.contains(&port_key(heard.port))
                || raised.contains(&region_key(heard.region))
        };
        let silent: Vec<&Heard<'_>> = ports.iter().filter(|heard| heard.is_silent(now, was(heard))).collect();
        // A device with one metered port is as silent as that.
        if silent.len() == ports.len() {
            let region = silent.first().map_or("", |heard| heard.region);
            regions.entry(region).or_default().push((device, silent));
        } else {
            alerts.extend(silent.into_iter().map(silent_port));
        }
    }
    for (region, devices) in regions {
        // One that was told by itself stays so.
        let (each, others): (Vec<_>, Vec<_>) =
            devices.into_iter().partition(|(device, _)| raised.contains(&device_key(device)));
        alerts.extend(each.iter().map(|(device, ports)| silent_device(device, ports)));
        let together = others.len() > DEVICES_EACH_MAX || raised.contains(&region_key(region));
        if !together {
            alerts.extend(others.iter().map(|(device, ports)| silent_device(device, ports)));
        } else if !others.is_empty() {
            alerts.push(silent_region(region, &others));
        }
    }
    alerts
}

/// The ports that servers and uplinks have now.
fn metered(state: &Aggregator, since: Timestamp, now: Timestamp) -> impl Iterator<Item = Heard<'_>> {
    let inventory = state.inventory();
    let bindings = inventory.servers.values().flat_map(move |server| {
        let in_service = server.service_slots().contains(crate::metering::units::Slot::of(now));
        let ports = server.ports.iter().filter(move |binding| in_service && binding.holds_at(now));
        ports.map(move |binding| {
            let from = binding.from.max(server.service_start).unwrap_or(since);
            (&binding.port, ("server", server.id.as_str()), server.region.as_str(), from)
        })
    });
    let uplinks = inventory.uplinks.values().filter(move |uplink| uplink.holds_at(now)).map(move |uplink| {
        (&uplink.port, ("uplink", uplink.id.as_str()), uplink.region.as_str(), uplink.from.unwrap_or(since))
    });
    bindings.chain(uplinks).map(move |(port, of, region, from)| Heard {
        port,
        of,
        region,
        last: state.port(port).and_then(|port| port.accepted),
        since: from.max(since),
    })
}

fn device_key(device: &str) -> String {
    format!("device {device}")
}

fn region_key(region: &str) -> String {
    format!("region {region}")
}

fn port_key(port: &PortKey) -> String {
    format!("port {} {}", port.device(), port.interface())
}

fn silent_device(device: &str, ports: &[&Heard<'_>]) -> Alert {
    let last = ports.iter().filter_map(|heard| heard.last).max();
    let region = ports.first().map_or("", |heard| heard.region);
    Alert {
        key: device_key(device),
        kind: AlertKind::DeviceSilent,
        severity: Severity::Critical,
        labels: BTreeMap::from([
            ("device".to_owned(), device.to_owned()),
            ("region".to_owned(), region.to_owned()),
        ]),
        summary: format!("device {device} is silent: {}", heard_last(last)),
        details: json!({ "ports": ports.len(), "last_reading": last.map(Instant) }),
    }
}

fn silent_region(region: &str, devices: &[(&str, Vec<&Heard<'_>>)]) -> Alert {
    let last = devices.iter().flat_map(|(_, ports)| ports).filter_map(|heard| heard.last).max();
    let ports: usize = devices.iter().map(|(_, ports)| ports.len()).sum();
    let named: Vec<&str> = devices.iter().take(NAMED_MAX).map(|(device, _)| *device).collect();
    let place = if region.is_empty() { String::new() } else { format!(" of region {region}") };
    Alert {
        key: region_key(region),
        kind: AlertKind::DeviceSilent,
        severity: Severity::Critical,
        labels: BTreeMap::from([("region".to_owned(), region.to_owned())]),
        summary: format!("{} devices{place} are silent: {}", devices.len(), heard_of_any(last)),
        details: json!({
            "devices": devices.len(), "ports": ports, "first": named, "last_reading": last.map(Instant),
        }),
    }
}

fn silent_port(heard: &Heard<'_>) -> Alert {
    let (device, interface) = (heard.port.device(), heard.port.interface());
    let (kind, owner) = heard.of;
    Alert {
        key: port_key(heard.port),
        kind: AlertKind::PortSilent,
        severity: Severity::Warning,
        labels: BTreeMap::from([
            ("device".to_owned(), device.to_owned()),
            ("interface".to_owned(), interface.to_owned()),
            ("region".to_owned(), heard.region.to_owned()),
            (kind.to_owned(), owner.to_owned()),
        ]),
        summary: format!(
            "port {interface} of {device} ({kind} {owner}) is silent: {}",
            heard_last(heard.last)
        ),
        details: json!({ "last_reading": heard.last.map(Instant) }),
    }
}

/// The collectors elsewhere that are silent at `now`; one that stopped in order is not.
#[must_use]
pub fn collectors(reports: &[CollectorReport], now: Timestamp) -> Vec<Alert> {
    let silent = |report: &&CollectorReport| !report.stopped && now.ms_since(report.at) > COLLECTOR_SILENT_MS;
    let alert = |report: &CollectorReport| {
        let name = report.name.as_str();
        Alert {
            key: format!("collector {name}"),
            kind: AlertKind::CollectorSilent,
            severity: Severity::Critical,
            labels: BTreeMap::from([("collector".to_owned(), name.to_owned())]),
            summary: format!("collector {name} is silent: {}", heard_last(Some(report.at))),
            details: json!({ "last_heard": Instant(report.at), "unsent": report.unsent }),
        }
    };
    reports.iter().filter(silent).map(alert).collect()
}

fn heard_last(last: Option<Timestamp>) -> String {
    last.map_or_else(
        || "it was never heard of".to_owned(),
        |last| format!("it was last heard of at {}", rfc3339(last)),
    )
}

fn heard_of_any(last: Option<Timestamp>) -> String {
    last.map_or_else(
        || "none was ever heard of".to_owned(),
        |last| format!("the last was heard of at {}", rfc3339(last)),
    )
}

#[cfg(test)]
mod tests {
    use meter95_reading::{Counters, Width};

    use super::*;
    use crate::aggregator::state::Times;
    use crate::collectors::CollectorName;
    use crate::inventory::Inventory;

    const NOW: Timestamp = Timestamp(1_795_223_400_000);

    const INVENTORY: &str = "
        uplinks = [{ id = 'up', region = 'tokyo', device = 'sw1', interface = 'xe0', speed_bps = 1 }]
        [[servers]]
        id = 'a'
        region = 'tokyo'
        ports = [{ device = 'sw1', interface = 'ge1' }, { device = 'sw2', interface = 'ge1' }]
        [[servers]]
        id = 'b'
        service_end = '2026-11-01T00:00:00Z'
        ports = [{ device = 'sw3', interface = 'ge1' }]
        [[servers]]
        id = 'c'
        ports = [{ device = 'sw1', interface = 'ge3', from = '2026-11-21T01:05:00Z' }]
    ";

    /// What is silent 20 minutes after the start when ports were last read so long before now, in minutes.
    fn check(read: &[(&str, &str, i64)], expected: &[(AlertKind, &str)]) {
        let mut state = Aggregator::new(Times::default(), NOW);
        state.set_inventory(Inventory::from_document(&toml::from_str(INVENTORY).unwrap()).unwrap());
        for (device, interface, minutes) in read {
            let id = state.port_id(&PortKey::new(device, interface).unwrap());
            let counters = Counters {
                time: NOW.plus_ms(-minutes * 60_000),
                rx_octets: 0,
                tx_octets: 0,
                width: Width::Bits64,
                uptime_cs: None,
                discontinuity_cs: None,
                rx_packets: None,
                tx_packets: None,
                speed_bps: None,
            };
            assert!(state.accept(id, counters.time));
            state.observe(id, &counters);
        }
        let found = alerts(&state, NOW.plus_ms(-20 * 60_000), NOW, &BTreeSet::new());
        let found: Vec<(AlertKind, &str)> =
            found.iter().map(|alert| (alert.kind, alert.key.as_str())).collect();
        assert_eq!(found, expected, "{read:?}");
    }

    #[test]
    fn a_port_is_silent_by_itself_or_with_its_device() {
        let (port, device) = (AlertKind::PortSilent, AlertKind::DeviceSilent);
        // Port ge3 of sw1 is another server's for five minutes only, and b is out of service.
        check(&[], &[(port, "port sw1 ge1"), (port, "port sw1 xe0"), (device, "device sw2")]);
        check(&[("sw1", "ge1", 1), ("sw1", "xe0", 1), ("sw2", "ge1", 10)], &[]);
        check(&[("sw1", "ge1", 11), ("sw1", "xe0", 1), ("sw2", "ge1", 1)], &[(port, "port sw1 ge1")]);
        check(
            &[("sw1", "ge1", 1), ("sw1", "xe0", 11), ("sw2", "ge1", 11)],
            &[(port, "port sw1 xe0"), (device, "device sw2")],
        );
        // What was read before the start is not missed before its time.
        let mut state = Aggregator::new(Times::default(), NOW);
        state.set_inventory(Inventory::from_document(&toml::from_str(INVENTORY).unwrap()).unwrap());
        assert!(alerts(&state, NOW, NOW, &BTreeSet::new()).is_empty());
        // What was silent before the start still is.
        let raised = BTreeSet::from(["device sw2".to_owned(), "port sw1 ge1".to_owned()]);
        let found: Vec<String> =
            alerts(&state, NOW, NOW, &raised).into_iter().map(|alert| alert.key).collect();
        assert_eq!(found, ["port sw1 ge1", "device sw2"]);
    }

    /// The keys of what is silent in a site of so many devices, of which `read` were read a minute ago, after `raised`.
    fn silent(devices: usize, read: std::ops::Range<usize>, raised: &[&str]) -> Vec<String> {
        let servers: String = (10..10 + devices)
            .map(|n| {
                let port = format!("{{ device = 'sw{n}', interface = 'ge1' }}");
                format!("[[servers]]\nid = 's{n}'\nregion = 'tokyo'\nports = [{port}]\n")
            })
            .collect();
        let mut state = Aggregator::new(Times::default(), NOW);
        state.set_inventory(Inventory::from_document(&toml::from_str(&servers).unwrap()).unwrap());
        for n in read {
            let id = state.port_id(&PortKey::new(&format!("sw{}", n + 10), "ge1").unwrap());
            assert!(state.accept(id, NOW.plus_ms(-60_000)));
        }
        let raised = raised.iter().map(|key| (*key).to_owned()).collect();
        let found = alerts(&state, NOW.plus_ms(-20 * 60_000), NOW, &raised);
        assert!(found.iter().all(|alert| alert.kind == AlertKind::DeviceSilent));
        found.into_iter().map(|alert| alert.key).collect()
    }

    #[test]
    fn many_devices_that_fall_silent_together_are_one_alert() {
        let all: Vec<String> = (10..30).map(|n| format!("device sw{n}")).collect();
        assert_eq!(silent(20, 0..0, &[]), all);
        assert_eq!(silent(21, 0..0, &[]), ["region tokyo"]);
        assert_eq!(silent(2_000, 0..0, &[]), ["region tokyo"]);
        assert_eq!(silent(2_000, 1_990..2_000, &[]), ["region tokyo"]);
        // Those that were told by themselves before stay so.
        assert_eq!(silent(40, 0..0, &["device sw12"]), ["device sw12", "region tokyo"]);
        assert_eq!(silent(21, 0..0, &["device sw12"])[..2], ["device sw12", "device sw10"]);
        // It goes on until the last of them is heard of, so that nothing is told anew when they come back by and by.
        assert_eq!(silent(40, 0..39, &["region tokyo"]), ["region tokyo"]);
        assert_eq!(silent(40, 0..40, &["region tokyo"]), Vec::<String>::new());
    }

    #[test]
    fn a_collector_is_silent_after_five_minutes_unless_it_stopped() {
        for (ago_s, stopped, silent) in [(300, false, false), (301, false, true), (86_400, true, false)] {
            let report = CollectorReport {
                name: CollectorName::new("tokyo-1").unwrap(),
                at: NOW.plus_ms(-ago_s * 1_000),
                unsent: 0,
                oldest_unsent: None,
                stopped,
            };
            assert_eq!(collectors(&[report], NOW).len(), usize::from(silent), "{ago_s} {stopped}");
        }
    }
}
