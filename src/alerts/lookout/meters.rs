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
            let (switch, nic) =
                (carried(state, server, PortKind::Switch, slot), carried(state, server, PortKind::Nic, slot));
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

/// What each port of one kind carried, those that count and those that are compared.
fn carried(state: &Aggregator, server: &Server, kind: PortKind, slot: Slot) -> Vec<Option<Carried>> {
    let ports = state.ports_of(server, slot).chain(state.checked_ports_of(server, slot));
    let carried = |port: &Port| Some(Carried { slot: port.carried(slot)?, width: port.meter.last()?.width });
    ports.filter(|(bound, _)| bound.binding.kind == kind).map(|(_, port)| carried(port)).collect()
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
