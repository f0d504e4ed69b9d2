//! What was sold over the window, where the server was connected, and what was changed of it meanwhile, by whom.

use serde::Serialize;

use super::facts::Facts;
use crate::closing::statement::{AllowanceStep, PlanStep};
use crate::inventory::Binding;
use crate::inventory::diff::Recorded;
use crate::inventory::instant::Instant;
use crate::metering::sample::PortKind;
use crate::metering::units::Bps;

/// The server as the dated inventory has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sold {
    /// Its id.
    pub server: String,
    /// Whose it is.
    pub customer: String,
    /// Where it stands.
    pub region: String,
    /// From when it is in service; `None` since ever.
    pub service_start: Option<Instant>,
    /// Until before when it is in service; `None` without end.
    pub service_end: Option<Instant>,
    /// When it was taken out of the inventory; `None` where it still is in it.
    pub removed_at: Option<Instant>,
    /// The plans of the window, each from a slot on.
    pub plans: Vec<PlanStep>,
    /// What was granted, each from a slot on.
    pub allowances: Vec<AllowanceStep>,
    /// The ports that were its own at any time of the window.
    pub ports: Vec<PortPart>,
    /// What was changed during the window of the server, its plans and its ports' devices.
    pub changes: Vec<Recorded>,
}

/// A port, and for which time it is the server's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortPart {
    /// The device's name.
    pub device: String,
    /// What the device calls the interface (ifName).
    pub interface: String,
    /// Whose interface it is.
    pub kind: PortKind,
    /// Its speed by the operator's word.
    pub speed_bps: Option<Bps>,
    /// From when; `None` since ever.
    pub from: Option<Instant>,
    /// Until before when; `None` without end.
    pub until: Option<Instant>,
}

impl PortPart {
    /// A port of the inventory.
    #[must_use]
    pub fn new(binding: &Binding) -> Self {
        Self {
            device: binding.port.device().to_owned(),
            interface: binding.port.interface().to_owned(),
            kind: binding.kind,
            speed_bps: binding.speed,
            from: binding.from.map(Instant),
            until: binding.until.map(Instant),
        }
    }
}

/// What was sold.
#[must_use]
pub fn sold(facts: &Facts) -> Sold {
    let Facts { window, inventory, server, removed, ports, changes, .. } = facts;
    let span = window.slots();
    let plans = inventory.plan_steps(server, span).into_iter();
    let allowances = inventory.allowance_of(server, span).steps(span).into_iter();
    Sold {
        server: server.id.clone(),
        customer: server.customer.clone(),
        region: server.region.clone(),
        service_start: server.service_start.map(Instant),
        service_end: server.service_end.map(Instant),
        removed_at: removed.map(Instant),
        plans: plans.map(|(slot, plan)| PlanStep { from: Instant(slot.start()), plan: plan.id }).collect(),
        allowances: allowances
            .map(|(slot, bps)| AllowanceStep { from: Instant(slot.start()), bps })
            .collect(),
        ports: ports.iter().map(|port| PortPart::new(&port.binding)).collect(),
        changes: changes.clone(),
    }
}
