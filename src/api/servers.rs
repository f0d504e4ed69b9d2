//! `/v1/servers`: what is metered, as the inventory in force says, and when each port was last read.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::access::By;
use super::errors::ApiError;
use super::query::{At, Nothing, OfServer, Query};
use crate::access::Caller;
use crate::aggregator::server::{Bound, Server as LiveServer};
use crate::aggregator::state::Aggregator;
use crate::inventory::Server;
use crate::inventory::instant::Instant;
use crate::metering::allowance::Grant;
use crate::metering::sample::PortKind;
use crate::metering::units::Bps;

/// The answer of `GET /v1/servers`, in the order of the ids.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Servers {
    servers: Vec<ServerInfo>,
}

/// One server.
#[derive(Debug, Serialize, ToSchema)]
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

#[derive(Debug, Serialize, ToSchema)]
struct AddonInfo {
    bps: Bps,
    from: Option<Instant>,
    until: Option<Instant>,
}

#[derive(Debug, Serialize, ToSchema)]
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

/// The servers that are metered, in the order of their ids
#[utoipa::path(get, path = "/v1/servers", tag = "Servers", responses((status = 200, body = Servers)))]
pub(super) async fn list(
    State(app): State<App>,
    By(caller): By,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<Servers>, ApiError> {
    let state = app.live.read();
    let entries = state.inventory().servers.values();
    let seen = entries.filter(|entry| caller.sees(&entry.customer, &entry.region));
    let servers = seen.map(|entry| info(&state, entry)).collect();
    Ok(Json(Servers { servers }))
}

/// One server
#[utoipa::path(
    get, path = "/v1/servers/{id}", tag = "Servers", params(OfServer), responses((status = 200, body = ServerInfo))
)]
pub(super) async fn one(
    State(app): State<App>,
    By(caller): By,
    At(OfServer { id }): At<OfServer>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<ServerInfo>, ApiError> {
    let state = app.live.read();
    let entry = known(&state, &caller, &id)?;
    Ok(Json(info(&state, entry)))
}

/// The server `id` of the inventory in force.
///
/// # Errors
/// When there is none that the caller sees.
pub(super) fn known<'a>(state: &'a Aggregator, caller: &Caller, id: &str) -> Result<&'a Server, ApiError> {
    let found = state.inventory().servers.get(id);
    let seen = found.filter(|entry| caller.sees(&entry.customer, &entry.region));
    seen.ok_or_else(|| ApiError::UnknownServer(id.to_owned()))
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
