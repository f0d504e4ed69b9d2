//! `/v1/servers`: what is metered, as the inventory in force says, and when each port was last read.

use std::borrow::Cow;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::access::By;
use super::answer::Way;
use super::errors::ApiError;
use super::page::{self, Cursor, Limit};
use super::query::{At, Nothing, OfServer, Query};
use crate::access::Caller;
use crate::aggregator::server::{Bound, Server as LiveServer};
use crate::aggregator::state::Aggregator;
use crate::closing::table::Cell;
use crate::inventory::instant::{Instant, rfc3339};
use crate::inventory::{Inventory, Server};
use crate::metering::allowance::Grant;
use crate::metering::sample::PortKind;
use crate::metering::units::Bps;
use crate::usage::search::Search;

/// The answer of `GET /v1/servers`, in the order of the ids.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Servers {
    /// How many there are, over all pages.
    count: u64,
    servers: Vec<ServerInfo>,
    /// Where the next ones are; null with the last.
    next: Option<String>,
}

/// Which servers.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Only those in this region.
    region: Option<String>,
    /// Only this customer's.
    customer: Option<String>,
    /// Only those on this plan now.
    plan: Option<String>,
    /// Only those where each word of this is in the id, the customer's id or name, the plan, the region, or a port as
    /// `DEVICE INTERFACE`, in letters of either case.
    #[param(value_type = String, max_length = 255)]
    q: Search,
    /// How many; 100 unless given, and in CSV all.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<Limit>,
    /// Where the page before ended, as in its `next`.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
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
#[utoipa::path(
    get, path = "/v1/servers", tag = "Servers", params(Asked),
    responses((status = 200, content((Servers = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn list(
    State(app): State<App>,
    By(caller): By,
    way: Way,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let (inventory, now) = {
        let state = app.live.read();
        (state.shared_inventory(), state.clock())
    };
    // Looked through without the live state, which is asked only for what is told.
    let picked = asked.pick(&inventory, &caller, now);
    let count = u64::try_from(picked.len()).unwrap_or(u64::MAX);
    let cursor = asked.cursor.as_ref();
    let (page, after) =
        page::of_sorted(picked, |server| server.id.as_str(), "servers", cursor, asked.limit, way.is_csv())?;
    let next = way.next(after.as_ref());
    if way.is_csv() {
        let ids: Vec<String> = page.into_iter().map(|server| server.id.clone()).collect();
        let rows = ids.into_iter().filter_map(move |id| {
            let server = inventory.servers.get(&id)?;
            Some(cells(&info(&app.live.read(), &inventory, server)))
        });
        return Ok(way.csv(&COLUMNS, rows, next.as_deref()));
    }
    let servers = {
        let state = app.live.read();
        page.into_iter().map(|server| info(&state, &inventory, server)).collect()
    };
    way.json(&Servers { count, servers, next: next.clone() }, next.as_deref())
}

impl Asked {
    /// The servers that are asked for and that `caller` sees, in the order of their ids.
    fn pick<'a>(&self, inventory: &'a Inventory, caller: &Caller, now: Timestamp) -> Vec<&'a Server> {
        let is = |asked: &Option<String>, found: &str| asked.as_deref().is_none_or(|asked| asked == found);
        let texts = |server: &'a Server| {
            let customer = inventory.customers.get(&server.customer);
            let name = customer.and_then(|customer| customer.name.as_deref());
            let own = [Some(&*server.id), Some(&*server.customer), name, Some(&*server.region)];
            let plan = std::iter::once_with(move || inventory.plan_id_at(server, now));
            let ports = server.ports.iter().chain(&server.check_ports).map(|binding| &binding.port);
            let ports = ports.map(|port| Cow::from(format!("{} {}", port.device(), port.interface())));
            own.into_iter().flatten().chain(plan).map(Cow::from).chain(ports)
        };
        let picked = inventory.servers.values().filter(|server| {
            caller.sees(&server.customer, &server.region)
                && is(&self.region, &server.region)
                && is(&self.customer, &server.customer)
                && (self.plan.is_none() || is(&self.plan, inventory.plan_id_at(server, now)))
                && self.q.fits(texts(server))
        });
        picked.collect()
    }
}

/// The columns of CSV: add-ons and ports are a text each, several with `; ` between them.
const COLUMNS: [&str; 10] = [
    "id",
    "customer",
    "region",
    "plan",
    "allowance_bps",
    "service_start",
    "service_end",
    "addons",
    "ports",
    "last_reading",
];

/// A server as cells, in the order of [`COLUMNS`].
fn cells(server: &ServerInfo) -> Vec<Cell> {
    let at = |at: Option<Instant>| at.map_or(Cell::Nothing, |Instant(at)| Cell::Word(rfc3339(at)));
    let end = |word: &str, at: Option<Instant>| {
        at.map_or(String::new(), |Instant(at)| format!(" {word} {}", rfc3339(at)))
    };
    let addon =
        |addon: &AddonInfo| format!("{}{}{}", addon.bps, end("from", addon.from), end("until", addon.until));
    let port = |port: &PortInfo| {
        let span = format!("{}{}", end("from", port.from), end("until", port.until));
        format!(
            "{} {}{}{span}",
            port.device,
            port.interface,
            if port.check_only { " (check only)" } else { "" }
        )
    };
    let addons: Vec<String> = server.addons.iter().map(addon).collect();
    let ports: Vec<String> = server.ports.iter().map(port).collect();
    let last = server.ports.iter().filter_map(|port| port.last_reading).map(|Instant(at)| at).max();
    vec![
        Cell::Text(server.id.clone()),
        Cell::Text(server.customer.clone()),
        Cell::Text(server.region.clone()),
        Cell::Text(server.plan.clone()),
        Cell::bps(Some(server.allowance_bps)),
        at(server.service_start),
        at(server.service_end),
        Cell::Text(addons.join("; ")),
        Cell::Text(ports.join("; ")),
        at(last.map(Instant)),
    ]
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
    Ok(Json(info(&state, state.inventory(), entry)))
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

/// A server of `inventory`, with what is known of its ports.
fn info(state: &Aggregator, inventory: &Inventory, entry: &Server) -> ServerInfo {
    let now = state.clock();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Limit as Part;
    use crate::inventory::document::Document;

    #[test]
    fn servers_are_picked_by_all_that_is_asked_and_seen() {
        let document: Document = toml::from_str(
            "plans = [{ id = 'p' }, { id = 'q' }]\n\
             servers = [\n\
               { id = 'a', customer = 'c1', region = 'tokyo', plan = 'p', ports = [{ device = 'SW1', interface = 'ge-1' }] },\n\
               { id = 'b', customer = 'c1', region = 'osaka', plan = 'q' },\n\
               { id = 'c', customer = 'c2', region = 'tokyo', plan = 'q', plan_changes = [{ plan = 'p', from = 1000 }] }]",
        )
        .unwrap();
        let inventory = Inventory::from_document(&document).unwrap();
        let some = |text: &str| Some(text.to_owned());
        let of = |asked: Asked, limit: Part| {
            let caller = Caller { limit, ..Caller::anyone() };
            let picked = asked.pick(&inventory, &caller, Timestamp(1_000));
            picked.iter().map(|server| server.id.as_str()).collect::<String>()
        };
        let all = || Part::default();
        let customer = || Part { customer: some("c1"), region: None };
        assert_eq!(of(Asked::default(), all()), "abc");
        assert_eq!(of(Asked::default(), customer()), "ab");
        assert_eq!(of(Asked { region: some("tokyo"), ..Asked::default() }, all()), "ac");
        assert_eq!(of(Asked { region: some("tokyo"), ..Asked::default() }, customer()), "a");
        assert_eq!(of(Asked { customer: some("c2"), ..Asked::default() }, customer()), "");
        assert_eq!(of(Asked { plan: some("p"), ..Asked::default() }, all()), "ac");
        let search = |words: &str| words.to_owned().try_into().unwrap();
        assert_eq!(of(Asked { q: search("sw1 GE"), ..Asked::default() }, all()), "a");
        assert_eq!(of(Asked { q: search("C2"), ..Asked::default() }, all()), "c");
        assert_eq!(of(Asked { q: search("C2"), ..Asked::default() }, customer()), "");
    }
}
