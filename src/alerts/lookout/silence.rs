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
/// that are raised. A device of which every metered port is silent is one alert instead of many.
#[must_use]
pub fn alerts(state: &Aggregator, since: Timestamp, now: Timestamp, raised: &BTreeSet<String>) -> Vec<Alert> {
    let mut devices: BTreeMap<&str, Vec<Heard<'_>>> = BTreeMap::new();
    for heard in metered(state, since, now) {
        devices.entry(heard.port.device()).or_default().push(heard);
    }
    let mut alerts = Vec::new();
    for (device, ports) in devices {
        let was = |heard: &Heard<'_>| {
            raised.contains(&device_key(device)) || raised.contains(&port_key(heard.port))
        };
        let silent: Vec<&Heard<'_>> = ports.iter().filter(|heard| heard.is_silent(now, was(heard))).collect();
        // A device with one metered port is as silent as that.
        if silent.len() == ports.len() {
            alerts.push(silent_device(device, &silent));
        } else {
            alerts.extend(silent.into_iter().map(silent_port));
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
