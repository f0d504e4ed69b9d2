//! `/v1/devices`: what is read, when it was last read, how reading goes, and ports that nothing maps to.
//!
//! A device is known by the inventory, by readings, or because this very process polls it ([`health`] says how that goes).

mod health;

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use hashbrown::{HashMap, HashSet};
use meter95_reading::{PortKey, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::answer::Way;
use super::errors::ApiError;
use super::page::{self, Cursor, Limit};
use super::query::{At, Nothing, Query};
use crate::aggregator::port::Port;
use crate::aggregator::state::{Aggregator, GRACE_MS_DEFAULT};
use crate::alerts::alert::{AlertKind, Notice};
use crate::alerts::lookout::health::LAG_MS;
use crate::closing::table::Cell;
use crate::inventory::instant::{Instant, rfc3339};
use crate::inventory::{Binding, Inventory, Server, Uplink};
use crate::metering::sample::PortKind;
use crate::metering::units::Bps;
use health::DeviceSnmp;

/// The answer of `GET /v1/devices`, in the order of the names.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Devices {
    devices: Vec<DeviceInfo>,
    /// Where the next ones are; null with the last.
    next: Option<String>,
}

/// One device.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct DeviceInfo {
    name: String,
    /// Where it stands, as far as the inventory says.
    region: Option<String>,
    state: DeviceState,
    /// Whether the inventory lists it, or has a port of it in use.
    in_inventory: bool,
    /// When any of its ports was last read.
    last_reading: Option<Instant>,
    /// How long ago that was; null before the first.
    lag_ms: Option<u64>,
    /// Its ports that were ever read.
    ports_read: u64,
    /// Its ports that the inventory has in use now.
    ports_used: u64,
    /// Ports that carry traffic and that nothing maps to: a server may be missing in the inventory.
    unmapped_with_traffic: u64,
    /// How polling it goes; null where this process does not poll it.
    snmp: Option<DeviceSnmp>,
}

/// How a device does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum DeviceState {
    /// It is read.
    Ok,
    /// It was not read for three minutes, and slots still wait for it.
    Late,
    /// It was not read for ten minutes.
    Silent,
    /// It was never read.
    Never,
}

/// The answer of `GET /v1/devices/{name}`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceDetail {
    #[serde(flatten)]
    device: DeviceInfo,
    /// In the order of the interfaces' names.
    ports: Vec<DevicePort>,
}

/// A port of a device.
#[derive(Debug, Serialize, ToSchema)]
struct DevicePort {
    interface: String,
    last_reading: Option<Instant>,
    /// By the device's word; by the operator's, where that says none.
    speed_bps: Option<Bps>,
    /// What it has carried in the slot that is filling, and for how much of it, as the interface itself counts.
    #[schema(inline)]
    open_slot: Option<OpenSlot>,
    /// Whose it is now; null where nothing maps to it.
    #[schema(inline)]
    of: Option<Owner>,
    /// That it and the server's other meter do not show the same, where an alert says so.
    #[schema(inline)]
    disagreement: Option<MetersApart>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OpenSlot {
    slot: Instant,
    rx_octets: u64,
    tx_octets: u64,
    covered_ms: u32,
}

#[derive(Debug, Serialize, ToSchema)]
struct Owner {
    /// The server; null for an uplink's port.
    server: Option<String>,
    /// The uplink; null for a server's port.
    uplink: Option<String>,
    /// Whose interface it is; null for an uplink's port.
    kind: Option<PortKind>,
    /// Whether it is read only to be compared with the others.
    check_only: bool,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct MetersApart {
    /// In words.
    summary: String,
    /// With the figures of the slot that raised it.
    details: serde_json::Value,
}

/// Which devices.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Only those in this region.
    region: Option<String>,
    /// How many; 100 unless given, and in CSV all.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<Limit>,
    /// Where the page before ended, as in its `next`.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// A device.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfDevice {
    /// The device's name.
    #[param(min_length = 1, max_length = 255)]
    name: String,
}

/// What is read, when it was last read, and how reading goes
#[utoipa::path(
    get, path = "/v1/devices", tag = "Metering", params(Asked),
    responses((status = 200, content((Devices = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn list(
    State(app): State<App>,
    way: Way,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let mut devices: Vec<DeviceInfo> = all(&app, None);
    devices.retain(|device| asked.region.is_none() || asked.region == device.region);
    let cursor = asked.cursor.as_ref();
    let (devices, after) = page::of_sorted(
        devices,
        |device| device.name.as_str(),
        "devices",
        cursor,
        asked.limit,
        way.is_csv(),
    )?;
    let next = way.next(after.as_ref());
    if way.is_csv() {
        return Ok(way.csv(&COLUMNS, devices.into_iter().map(|device| device.cells()), next.as_deref()));
    }
    way.json(&Devices { devices, next: next.clone() }, next.as_deref())
}

/// A device with its ports
#[utoipa::path(
    get, path = "/v1/devices/{name}", tag = "Metering", params(OfDevice),
    responses((status = 200, body = DeviceDetail))
)]
pub(super) async fn one(
    State(app): State<App>,
    At(OfDevice { name }): At<OfDevice>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<DeviceDetail>, ApiError> {
    let found = all(&app, Some(&name)).into_iter().next();
    let Some(device) = found else {
        let says = format!(
            "there is no device {:?}, neither in the inventory nor among readings",
            super::errors::clipped(&name)
        );
        return Err(ApiError::Unknown(says));
    };
    let raised = app.alerts.board.raised();
    let ports = ports(&app.live.read(), &name, &raised);
    Ok(Json(DeviceDetail { device, ports }))
}

/// What is known of a device while it is looked for.
#[derive(Default)]
struct Found {
    region: Option<String>,
    in_inventory: bool,
    last: Option<Timestamp>,
    read: u64,
    used: u64,
    unmapped: u64,
}

/// All devices, or the one called `only`, in the order of the names.
fn all(app: &App, only: Option<&str>) -> Vec<DeviceInfo> {
    let now = (app.now)();
    // What the inventory says is gathered without the live state.
    let inventory = app.live.read().shared_inventory();
    let is_asked = |device: &str| only.is_none_or(|only| only == device);
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let devices = inventory.devices.values().filter(|device| is_asked(&device.id));
    for device in devices {
        let region = device.region.clone();
        found.insert(device.id.clone(), Found { region, in_inventory: true, ..Found::default() });
    }
    // Names are copied once a device and not once a port, of which there are many more.
    let (mut used, mut used_of): (HashSet<&PortKey>, HashMap<&str, u64>) = Default::default();
    for port in used_ports(&inventory, now).map(|used| used.port()).filter(|port| is_asked(port.device())) {
        if used.insert(port) {
            *used_of.entry(port.device()).or_default() += 1;
        }
    }
    for (name, count) in used_of {
        let device = found.entry(name.to_owned()).or_default();
        (device.in_inventory, device.used) = (true, count);
    }
    {
        let state = app.live.read();
        let mut read: HashMap<&str, Found> = HashMap::new();
        for port in state.ports().iter().filter(|port| port.accepted.is_some() && is_asked(port.key.device()))
        {
            let device = read.entry(port.key.device()).or_default();
            device.last = device.last.max(port.accepted);
            device.read += 1;
            device.unmapped += u64::from(has_traffic(port) && !used.contains(&port.key));
        }
        for (name, read) in read {
            let device = found.entry(name.to_owned()).or_default();
            (device.last, device.read, device.unmapped) = (read.last, read.read, read.unmapped);
        }
    }
    let mut polled: BTreeMap<String, DeviceSnmp> = match (&app.board, only) {
        (None, _) => BTreeMap::new(),
        (Some(board), Some(name)) => {
            board.device(name).map(|health| (name.to_owned(), DeviceSnmp::of(&health))).into_iter().collect()
        }
        (Some(board), None) => {
            board.devices().map(|(name, health)| (name.to_string(), DeviceSnmp::of(&health))).collect()
        }
    };
    for name in polled.keys() {
        found.entry(name.clone()).or_default();
    }
    found.into_iter().map(|(name, found)| found.told(polled.remove(&name), name, now)).collect()
}

impl Found {
    fn told(self, snmp: Option<DeviceSnmp>, name: String, now: Timestamp) -> DeviceInfo {
        let lag_ms = self.last.map(|last| now.ms_since(last).max(0));
        let state = match lag_ms {
            None => DeviceState::Never,
            Some(lag) if lag > GRACE_MS_DEFAULT => DeviceState::Silent,
            Some(lag) if lag > LAG_MS => DeviceState::Late,
            Some(_) => DeviceState::Ok,
        };
        DeviceInfo {
            name,
            region: self.region,
            state,
            in_inventory: self.in_inventory,
            last_reading: self.last.map(Instant),
            lag_ms: lag_ms.map(i64::unsigned_abs),
            ports_read: self.read,
            ports_used: self.used,
            unmapped_with_traffic: self.unmapped,
            snmp,
        }
    }
}

/// Whether something went through a port in the slot that is filling.
fn has_traffic(port: &Port) -> bool {
    port.meter.open().is_some_and(|(_, carried)| carried.rx_octets > 0 || carried.tx_octets > 0)
}

/// Whose a port is that is in use.
enum Used<'a> {
    Server { server: &'a Server, binding: &'a Binding, check_only: bool },
    Uplink(&'a Uplink),
}

impl<'a> Used<'a> {
    fn port(&self) -> &'a PortKey {
        match self {
            Self::Server { binding, .. } => &binding.port,
            Self::Uplink(uplink) => &uplink.port,
        }
    }

    fn owner(&self) -> Owner {
        let nobody = Owner { server: None, uplink: None, kind: None, check_only: false };
        match self {
            Self::Server { server, binding, check_only } => {
                let (server, kind) = (Some(server.id.clone()), Some(binding.kind));
                Owner { server, kind, check_only: *check_only, ..nobody }
            }
            Self::Uplink(uplink) => Owner { uplink: Some(uplink.id.clone()), ..nobody },
        }
    }
}

/// The ports that are in use at `now`.
fn used_ports(inventory: &Inventory, now: Timestamp) -> impl Iterator<Item = Used<'_>> {
    let servers = inventory.servers.values().filter(move |server| server.is_served_at(now));
    let of_servers = servers.flat_map(move |server| {
        let ports = server.ports.iter().map(|binding| (binding, false));
        let checks = server.check_ports.iter().map(|binding| (binding, true));
        let held = ports.chain(checks).filter(move |(binding, _)| binding.holds_at(now));
        held.map(move |(binding, check_only)| Used::Server { server, binding, check_only })
    });
    let uplinks = inventory.uplinks.values().filter(move |uplink| uplink.holds_at(now));
    of_servers.chain(uplinks.map(Used::Uplink))
}

/// The ports of a device: those that were read, and those that the inventory has in use.
fn ports(state: &Aggregator, device: &str, raised: &[Notice]) -> Vec<DevicePort> {
    let inventory = state.inventory();
    let mut owners: BTreeMap<&PortKey, Owner> = used_ports(inventory, state.clock())
        .filter(|used| used.port().device() == device)
        .map(|used| (used.port(), used.owner()))
        .collect();
    let read = state.ports().iter().filter(|port| port.accepted.is_some() && port.key.device() == device);
    let mut keys: BTreeSet<PortKey> = read.map(|port| port.key.clone()).collect();
    keys.extend(owners.keys().map(|port| (*port).clone()));
    let apart = raised.iter().filter(|notice| notice.alert.kind == AlertKind::MetersDisagree);
    let apart: BTreeMap<&str, MetersApart> = apart
        .filter_map(|notice| {
            let (summary, details) = (notice.alert.summary.clone(), notice.alert.details.clone());
            Some((notice.alert.labels.get("server")?.as_str(), MetersApart { summary, details }))
        })
        .collect();
    let told = |key: PortKey| {
        let port = state.port(&key);
        let last = port.and_then(|port| port.meter.last());
        let owner = owners.remove(&key);
        let server = owner.as_ref().and_then(|owner| owner.server.as_deref());
        let by_word = port.and_then(|port| port.speed_at(state.clock()));
        DevicePort {
            interface: key.interface().to_owned(),
            last_reading: port.and_then(|port| port.accepted).map(Instant),
            speed_bps: by_word.or(last.and_then(|last| last.speed_bps).map(Bps)),
            open_slot: port.and_then(|port| port.meter.open()).map(|(slot, carried)| OpenSlot {
                slot: Instant(slot.start()),
                rx_octets: carried.rx_octets,
                tx_octets: carried.tx_octets,
                covered_ms: carried.covered_ms,
            }),
            disagreement: server.and_then(|server| apart.get(server)).cloned(),
            of: owner,
        }
    };
    keys.into_iter().map(told).collect()
}

/// The columns of CSV.
const COLUMNS: [&str; 21] = [
    "name",
    "region",
    "state",
    "in_inventory",
    "last_reading",
    "lag_ms",
    "ports_read",
    "ports_used",
    "unmapped_with_traffic",
    "snmp_outcome",
    "snmp_last_success",
    "snmp_consecutive_failures",
    "snmp_passes",
    "snmp_passes_skipped",
    "snmp_requests",
    "snmp_timeouts",
    "snmp_failures",
    "snmp_round_trip_p50_us",
    "snmp_round_trip_p95_us",
    "snmp_round_trip_p99_us",
    "snmp_round_trip_max_us",
];

impl DeviceInfo {
    fn cells(&self) -> Vec<Cell> {
        let at = |at: Option<Instant>| at.map_or(Cell::Nothing, |Instant(at)| Cell::Word(rfc3339(at)));
        let count = |count: u64| Cell::Whole(count.into());
        let state = match self.state {
            DeviceState::Ok => "ok",
            DeviceState::Late => "late",
            DeviceState::Silent => "silent",
            DeviceState::Never => "never",
        };
        let own = vec![
            Cell::Text(self.name.clone()),
            Cell::text(self.region.as_deref()),
            Cell::Word(state.to_owned()),
            Cell::Word(self.in_inventory.to_string()),
            at(self.last_reading),
            self.lag_ms.map_or(Cell::Nothing, count),
            count(self.ports_read),
            count(self.ports_used),
            count(self.unmapped_with_traffic),
        ];
        let snmp = match &self.snmp {
            Some(snmp) => snmp.cells(),
            None => vec![Cell::Nothing; COLUMNS.len() - own.len()],
        };
        own.into_iter().chain(snmp).collect()
    }
}
