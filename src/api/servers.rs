//! `/v1/servers`: what is metered, as the inventory in force says, and when each port was last read.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use serde::Serialize;

use super::App;
use super::errors::ApiError;
use super::query::{Fields, path_error};
use crate::aggregator::server::{Bound, Server as LiveServer};
use crate::aggregator::state::Aggregator;
use crate::inventory::Server;
use crate::inventory::instant::Instant;
use crate::metering::allowance::Grant;
use crate::metering::sample::PortKind;
use crate::metering::units::Bps;

/// The answer of `GET /v1/servers`, in the order of the ids.
#[derive(Debug, Serialize)]
pub(super) struct Servers {
    servers: Vec<ServerInfo>,
}

/// One server.
#[derive(Debug, Serialize)]
pub(super) struct ServerInfo {
    id: String,
    customer: String,
    region: String,
    /// In force now.
    plan: String,
    /// In force now: the plan's and all add-ons.
    allowance_bps: Bps,
    service_start: Option<Instant>,
    service_end: Option<Instant>,
    addons: Vec<AddonInfo>,
    ports: Vec<PortInfo>,
}

#[derive(Debug, Serialize)]
struct AddonInfo {
    bps: Bps,
    from: Option<Instant>,
    until: Option<Instant>,
}

#[derive(Debug, Serialize)]
struct PortInfo {
    device: String,
    interface: String,
    kind: PortKind,
    /// By the operator's word, or else by the device's.
    speed_bps: Option<Bps>,
    /// Whether it is read only to be compared with the others, and does not count.
    check_only: bool,
    from: Option<Instant>,
    until: Option<Instant>,
    last_reading: Option<Instant>,
}

/// `GET /v1/servers`.
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<Servers>, ApiError> {
    Fields::of(&uri, &[])?;
    let state = app.live.read();
    let entries = state.inventory().servers.values();
    let servers = entries.map(|entry| info(&state, entry)).collect();
    Ok(Json(Servers { servers }))
}

/// `GET /v1/servers/{id}`.
pub(super) async fn one(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<ServerInfo>, ApiError> {
    let Path(id) = path.map_err(|e| path_error(&e))?;
    Fields::of(&uri, &[])?;
    let state = app.live.read();
    let entry = known(&state, &id)?;
    Ok(Json(info(&state, entry)))
}

/// The server `id` of the inventory in force.
///
/// # Errors
/// When there is none.
pub(super) fn known<'a>(state: &'a Aggregator, id: &str) -> Result<&'a Server, ApiError> {
    let found = state.inventory().servers.get(id);
    found.ok_or_else(|| ApiError::UnknownServer(id.to_owned()))
}

fn info(state: &Aggregator, entry: &Server) -> ServerInfo {
    let now = state.clock();
    let inventory = state.inventory();
    let server = state.server(&entry.id);
    let bound = |of: fn(&LiveServer) -> &[Bound]| server.map(of).unwrap_or_default();
    let (counted, checked) = (bound(|server| &server.bound), bound(|server| &server.checked));
    let counted = counted.iter().map(|bound| port(state, bound, false));
    let checked = checked.iter().map(|bound| port(state, bound, true));
    ServerInfo {
        id: entry.id.clone(),
        customer: entry.customer.clone(),
        region: entry.region.clone(),
        plan: inventory.plan_at(entry, now).id,
        allowance_bps: inventory.allowance_at(entry, now),
        service_start: entry.service_start.map(Instant),
        service_end: entry.service_end.map(Instant),
        addons: entry.addons.iter().map(addon).collect(),
        ports: counted.chain(checked).collect(),
    }
}

fn addon(grant: &Grant) -> AddonInfo {
    AddonInfo { bps: grant.bps, from: grant.from.map(Instant), until: grant.until.map(Instant) }
}

fn port(state: &Aggregator, bound: &Bound, check_only: bool) -> PortInfo {
    let live = state.ports().get(bound.port.index());
    let last = live.and_then(|port| port.meter.last());
    let binding = &bound.binding;
    PortInfo {
        device: binding.port.device().to_owned(),
        interface: binding.port.interface().to_owned(),
        kind: binding.kind,
        speed_bps: binding.speed.or(last.and_then(|last| last.speed_bps).map(Bps)),
        check_only,
        from: binding.from.map(Instant),
        until: binding.until.map(Instant),
        last_reading: last.map(|last| Instant(last.time)),
    }
}
