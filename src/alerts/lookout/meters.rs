//! Servers whose switch port and own interface do not show the same.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use crate::aggregator::output::ServerId;
use crate::aggregator::port::Port;
use crate::aggregator::server::{RECENT_SLOTS, Server};
use crate::aggregator::state::Aggregator;
use crate::alerts::alert::{Alert, AlertKind, Notice, Severity};
use crate::inventory::{Inventory, Server as Entry};
use crate::metering::agreement::{Agreement, Both, Carried, Change, Disagreement, Meter, Reason};
use crate::metering::sample::PortKind;
use crate::metering::units::Slot;

/// The meters of every server that has two, from look to look.
#[derive(Debug, Default)]
pub struct Meters {
    servers: HashMap<ServerId, Compared>,
    /// Servers whose alert is raised from before this start.
    raised_before: BTreeMap<String, Alert>,
}

/// One server's.
#[derive(Debug, Default)]
struct Compared {
    agreement: Agreement,
    /// The next slot to compare; `None` before the first.
    next: Option<Slot>,
    /// The alert, while the two disagree.
    alert: Option<Alert>,
}

impl Meters {
    /// Goes on with the alerts that are `raised`.
    #[must_use]
    pub fn resume(raised: &[Notice]) -> Self {
        let of_meters = raised.iter().filter(|notice| notice.alert.kind == AlertKind::MetersDisagree);
        let by_server = of_meters
            .filter_map(|notice| Some((notice.alert.labels.get("server")?.clone(), notice.alert.clone())));
        Self { servers: HashMap::new(), raised_before: by_server.collect() }
    }

    /// Compares every slot that has become complete since, and tells who disagrees.
    pub fn look(&mut self, state: &Aggregator) -> Vec<Alert> {
        let inventory = state.inventory();
        let mut alerts = Vec::new();
        for entry in inventory.servers.values() {
            let Some(server) = state.server(&entry.id) else { continue };
            if !has_both(server) {
                self.servers.remove(&server.id);
                continue;
            }
            let raised_before = &mut self.raised_before;
            let compared = self.servers.entry(server.id).or_insert_with(|| {
                let alert = raised_before.remove(&entry.id);
                Compared { agreement: Agreement::resume(alert.is_some()), next: None, alert }
            });
            compared.look(state, inventory, entry, server);
            alerts.extend(compared.alert.clone());
        }
        alerts
    }
}

impl Compared {
    /// Compares the slots that have closed for the server and of which its other meter tells all, or has had its grace.
    fn look(&mut self, state: &Aggregator, inventory: &Inventory, entry: &Entry, server: &Server) {
        let Some(closed_until) = server.closed_until else { return };
        let checked =
            server.checked.iter().filter_map(|bound| state.ports().get(bound.port.index())?.complete_until());
        let complete_until = checked.min().unwrap_or(Slot(0)).max(state.grace_over_until());
        let until = closed_until.min(complete_until);
        let oldest = Slot(until.0.saturating_sub(RECENT_SLOTS));
        let mut slot = self.next.unwrap_or(until.previous()).max(oldest);
        while slot < until {
            let [switch, nic] =
                [PortKind::Switch, PortKind::Nic].map(|kind| carried(state, inventory, server, kind, slot));
            match self.agreement.observe(slot, Both { switch: &switch, nic: &nic }).change {
                Some(Change::Raised(found)) => self.alert = Some(alert(inventory, entry, &found)),
                Some(Change::Cleared) => self.alert = None,
                None => {}
            }
            slot = slot.next();
        }
        self.next = Some(slot);
    }
}

/// Whether a server has a switch port and an interface of its own, one of them only to be compared.
fn has_both(server: &Server) -> bool {
    !server.checked.is_empty()
        && [PortKind::Switch, PortKind::Nic]
            .into_iter()
            .all(|kind| server.bound.iter().chain(&server.checked).any(|bound| bound.binding.kind == kind))
}

/// What each port of one kind carried, those that count and those that are compared; nothing of a member of their LAGs that the
/// inventory does not have for the server.
fn carried(
    state: &Aggregator,
    inventory: &Inventory,
    server: &Server,
    kind: PortKind,
    slot: Slot,
) -> Vec<Option<Carried>> {
    let ports = state.ports_of(server, slot).chain(state.checked_ports_of(server, slot));
    let ports: Vec<&Port> =
        ports.filter(|(bound, _)| bound.binding.kind == kind).map(|(_, port)| port).collect();
    let carried = |port: &&Port| Some(Carried { slot: port.carried(slot)?, width: port.meter.last()?.width });
    let is_there = |device: &str, interface: &str| {
        ports.iter().any(|port| (port.key.device(), port.key.interface()) == (device, interface))
    };
    let mut missing: Vec<(&str, &str)> = Vec::new();
    for port in &ports {
        let device = port.key.device();
        for lag in inventory.devices.get(device).map_or(&[][..], |device| &device.lags) {
            if lag.members.iter().any(|member| member == port.key.interface()) {
                let others = lag.members.iter().filter(|member| !is_there(device, member));
                missing.extend(others.map(|member| (device, member.as_str())));
            }
        }
    }
    missing.sort_unstable();
    missing.dedup();
    ports.iter().map(carried).chain(missing.iter().map(|_| None)).collect()
}

fn alert(inventory: &Inventory, entry: &Entry, found: &Disagreement) -> Alert {
    let server = &entry.id;
    Alert {
        key: format!("meters {server}"),
        kind: AlertKind::MetersDisagree,
        severity: Severity::Warning,
        labels: BTreeMap::from([
            ("server".to_owned(), server.clone()),
            ("customer".to_owned(), entry.customer.clone()),
            ("region".to_owned(), entry.region.clone()),
        ]),
        summary: format!(
            "the switch port and the interface of server {server} do not show the same: {}",
            words(found.reason)
        ),
        details: json!({
            "reason": found.reason, "slot": found.slot,
            "switch_in_bps": found.switch.map(|rates| rates.in_bps), "switch_out_bps": found.switch.map(|rates| rates.out_bps),
            "nic_in_bps": found.nic.map(|rates| rates.in_bps), "nic_out_bps": found.nic.map(|rates| rates.out_bps),
            "allowed_in_bps": found.allowed.in_bps, "allowed_out_bps": found.allowed.out_bps,
            "lags": lags(inventory, entry),
        }),
    }
}

/// The LAGs of which the server has a port, or a member: where one is missing, a person looks there first.
fn lags(inventory: &Inventory, entry: &Entry) -> Vec<serde_json::Value> {
    let ports = entry.ports.iter().chain(&entry.check_ports).map(|binding| &binding.port);
    let found = ports.flat_map(|port| {
        let lags =
            inventory.devices.get(port.device()).map(|device| device.lags.as_slice()).unwrap_or_default();
        let of_port = lags.iter().filter(move |lag| {
            lag.interface == port.interface() || lag.members.iter().any(|member| member == port.interface())
        });
        of_port
            .map(move |lag| json!({ "device": port.device(), "lag": lag.interface, "members": lag.members }))
    });
    let mut found: Vec<_> = found.collect();
    found.dedup();
    found
}

/// The likely reason, for people.
fn words(reason: Reason) -> String {
    let side = |meter| match meter {
        Meter::Switch => "the switch's side",
        Meter::Nic => "the server's side",
    };
    match reason {
        Reason::AgentDown(meter) => format!("{} is not read", side(meter)),
        Reason::MissingMember(meter) => format!("{} probably lacks a member of a LAG", side(meter)),
        Reason::Wrap(direction) => format!("a 32-bit counter probably wrapped unseen ({})", direction.name()),
        Reason::Swapped => {
            "a port is probably recorded with the wrong kind, since in and out are swapped".to_owned()
        }
        Reason::WrongPort(meter) => format!("{} is probably the port of something else", side(meter)),
        Reason::Unexplained => "none of the known reasons fits".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use meter95_reading::{Counters, PortKey, Timestamp, Width};

    use super::*;
    use crate::aggregator::state::Times;

    /// The start of a slot.
    const START: Timestamp = Timestamp(1_795_223_400_000);

    const INVENTORY: &str = "
        devices = [{ id = 'sw1', lags = [{ interface = 'ae1', members = ['ge1', 'ge2'] }] }, { id = 'web01' }]
        [[servers]]
        id = 'web01'
        ports = [{ device = 'sw1', interface = 'ge1' }, { device = 'web01', interface = 'bond0', kind = 'nic', check_only = true }]
        [[servers]]
        id = 'alone'
        ports = [{ device = 'sw1', interface = 'ge9' }]
    ";

    /// What is told after each minute of an hour in which the switch port sends `switch_bps` and the NIC receives `nic_bps(minute)`.
    fn told(switch_bps: u64, nic_bps: impl Fn(i64) -> Option<u64>) -> Vec<Option<serde_json::Value>> {
        let mut state = Aggregator::new(Times::default(), START);
        state.set_inventory(Inventory::from_document(&toml::from_str(INVENTORY).unwrap()).unwrap());
        let (mut meters, mut nic) = (Meters::default(), 0);
        let put = |state: &mut Aggregator, device: &str, interface: &str, minute: i64, rx: u64, tx: u64| {
            let id = state.port_id(&PortKey::new(device, interface).unwrap());
            let counters = Counters {
                time: START.plus_ms(minute * 60_000),
                rx_octets: rx,
                tx_octets: tx,
                width: Width::Bits64,
                uptime_cs: None,
                discontinuity_cs: None,
                rx_packets: None,
                tx_packets: None,
                speed_bps: None,
            };
            assert!(state.accept(id, counters.time));
            state.observe(id, &counters);
        };
        let told = (0..=60).map(|minute| {
            put(&mut state, "sw1", "ge1", minute, 0, switch_bps / 8 * 60 * minute.unsigned_abs());
            put(&mut state, "sw1", "ge9", minute, 0, 0);
            if let Some(bps) = nic_bps(minute) {
                put(&mut state, "web01", "bond0", minute, nic, 0);
                nic += bps / 8 * 60;
            }
            state.advance(START.plus_ms(minute * 60_000));
            let alerts = meters.look(&state);
            assert!(alerts.len() <= 1 && alerts.iter().all(|alert| alert.key == "meters web01"));
            alerts.into_iter().next().map(|alert| alert.details)
        });
        told.collect()
    }

    #[test]
    fn two_meters_that_show_the_same_are_no_matter() {
        assert!(told(40_000_000, |_| Some(39_800_000)).iter().all(Option::is_none));
    }

    #[test]
    fn a_nic_that_shows_twice_as_much_is_told_with_the_lag_to_look_at() {
        let told = told(40_000_000, |_| Some(80_000_000));
        let first = told.iter().position(Option::is_some).unwrap();
        assert_eq!(first, 15, "after three slots");
        let details = told.last().unwrap().as_ref().unwrap();
        assert_eq!(details["reason"], json!({ "missing_member": "switch" }));
        assert_eq!(details["lags"][0], json!({ "device": "sw1", "lag": "ae1", "members": ["ge1", "ge2"] }));
    }

    #[test]
    fn a_nic_that_is_not_read_is_told_once_its_grace_is_over() {
        let told = told(40_000_000, |minute| (minute < 10).then_some(40_000_000));
        assert!(told[..30].iter().all(Option::is_none));
        assert_eq!(told.last().unwrap().as_ref().unwrap()["reason"], json!({ "agent_down": "nic" }));
    }
}
