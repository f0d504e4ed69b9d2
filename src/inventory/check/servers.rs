//! Servers: their plans, spans, add-ons and ports, each by itself.

use std::collections::BTreeMap;

use meter95_reading::PortKey;

use super::{Problems, plans};
use crate::inventory::document::{Document, PortEntry, ServerEntry};
use crate::inventory::instant::rfc3339;
use crate::inventory::place::{Kind, Place};
use crate::inventory::{Binding, Customer, Device, Plan, PlanChange, Region, Server};
use crate::metering::allowance::Grant;
use crate::metering::units::Bps;

/// What servers and pools may name.
pub(super) struct Known<'a> {
    pub(super) plans: &'a BTreeMap<String, Plan>,
    pub(super) customers: &'a BTreeMap<String, Customer>,
    pub(super) regions: &'a BTreeMap<String, Region>,
    pub(super) devices: &'a BTreeMap<String, Device>,
}

/// The servers of `document` by id.
pub(super) fn servers(
    problems: &mut Problems,
    document: &Document,
    known: &Known<'_>,
) -> BTreeMap<String, Server> {
    let mut servers = BTreeMap::new();
    for (i, entry) in document.servers.iter().enumerate() {
        let at = Place::entry(Kind::Server, i, &entry.id);
        let server = server(problems, &at, entry, known);
        problems.insert(&at, &mut servers, server);
    }
    servers
}

fn server(problems: &mut Problems, at: &Place, entry: &ServerEntry, known: &Known<'_>) -> Server {
    problems.name(at, "id", &entry.id);
    plans::known(problems, &at.on("plan"), &entry.plan, known.plans);
    for (field, name) in [("customer", &entry.customer), ("region", &entry.region)] {
        problems.text(at, field, name);
    }
    problems.listed(at, "customer", Kind::Customer, &entry.customer, known.customers);
    problems.listed(at, "region", Kind::Region, &entry.region, known.regions);
    let (service_start, service_end) =
        problems.span(at, ["service_start", "service_end"], entry.service_start, entry.service_end);
    let mut addons = Vec::new();
    for (i, addon) in entry.addons.iter().enumerate() {
        let at = at.item("addons", i);
        let (from, until) = problems.span(&at, ["from", "until"], addon.from, addon.until);
        if addon.bps == 0 {
            problems.add(&at.on("bps"), "bps is 0");
        }
        let starts_after = service_end.zip(from).is_some_and(|(end, from)| from >= end);
        let ends_before = service_start.zip(until).is_some_and(|(start, until)| until <= start);
        if starts_after || ends_before {
            problems.add(&at, "lies wholly outside the server's service span");
        }
        addons.push(Grant { bps: Bps(addon.bps), from, until });
    }
    let (mut ports, mut check_ports) = (Vec::new(), Vec::new());
    for (i, port) in entry.ports.iter().enumerate() {
        let bindings = if port.check_only { &mut check_ports } else { &mut ports };
        bindings.extend(binding(problems, &at.item("ports", i), port, known));
    }
    Server {
        id: entry.id.clone(),
        customer: entry.customer.clone(),
        region: entry.region.clone(),
        plan: entry.plan.clone(),
        plan_changes: plan_changes(problems, at, entry, known),
        service_start,
        service_end,
        addons,
        ports,
        check_ports,
    }
}

/// The changes in the order of time, of which there is one at a time.
fn plan_changes(
    problems: &mut Problems,
    at: &Place,
    entry: &ServerEntry,
    known: &Known<'_>,
) -> Vec<PlanChange> {
    let mut changes: Vec<PlanChange> = Vec::new();
    for (i, change) in entry.plan_changes.iter().enumerate() {
        let at = at.item("plan_changes", i);
        plans::known(problems, &at.on("plan"), &change.plan, known.plans);
        if let Some(other) = changes.iter().find(|other| other.from == change.from.0) {
            let from = rfc3339(other.from);
            problems.add(&at.on("from"), format!("changes to plan {:?} at {from} as well", other.plan));
        }
        changes.push(plans::change(change));
    }
    changes.sort_by_key(|change| change.from);
    changes
}

fn binding(problems: &mut Problems, at: &Place, entry: &PortEntry, known: &Known<'_>) -> Option<Binding> {
    let (from, until) = problems.span(at, ["from", "until"], entry.from, entry.until);
    if entry.speed_bps == Some(0) {
        problems.add(&at.on("speed_bps"), "speed_bps is 0");
    }
    let port = problems.take(at, PortKey::new(&entry.device, &entry.interface))?;
    problems.listed(at, "device", Kind::Device, &entry.device, known.devices);
    Some(Binding { port, kind: entry.kind, speed: entry.speed_bps.map(Bps), from, until })
}
