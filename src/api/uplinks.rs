//! `/v1/uplinks`: the lines that servers share, and how full they are.

use std::collections::{BTreeMap, HashMap};

use axum::extract::State;
use axum::response::Response;
use meter95_reading::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::answer::Way;
use super::errors::ApiError;
use super::page::{self, Cursor, Limit};
use super::query::Query;
use crate::aggregator::state::Aggregator;
use crate::alerts::lookout::uplinks::BACK_SLOTS;
use crate::closing::table::Cell;
use crate::inventory::instant::{Instant, rfc3339};
use crate::inventory::{Inventory, Uplink};
use crate::metering::sample::Direction;
use crate::metering::throttle::policy::Policy;
use crate::metering::units::{Bps, Slot};
use crate::throttle::uplinks::Loads;
use crate::usage::coverage;

/// The answer, in the order of the ids.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Uplinks {
    uplinks: Vec<UplinkInfo>,
    /// Where the next ones are; null with the last.
    next: Option<String>,
}

/// A line that is in use now.
#[derive(Debug, Serialize, ToSchema)]
struct UplinkInfo {
    id: String,
    region: String,
    device: String,
    interface: String,
    speed_bps: Bps,
    /// The devices whose servers share it; empty where all of the region's do.
    devices: Vec<String>,
    /// How it does.
    state: UplinkState,
    /// The newest slot of which its port tells all; null where the last three have nothing.
    slot: Option<Instant>,
    /// Towards the servers.
    in_bps: Option<Bps>,
    /// From them.
    out_bps: Option<Bps>,
    /// The larger of the two.
    direction: Option<Direction>,
    /// How much of the speed that is, 0 to 1, rounded down to four decimals.
    share: Option<Decimal>,
    /// How many servers share it; those that back it up have the same.
    servers: u64,
    /// What these have had in the slot in all, towards them; by the lines that back each other up together.
    by_servers_in_bps: Option<Bps>,
    /// The same from them.
    by_servers_out_bps: Option<Bps>,
    /// When its port was last read.
    last_reading: Option<Instant>,
}

/// How an uplink does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum UplinkState {
    /// There is room.
    Ok,
    /// It is at 80 % of its speed or more, from where on the rule of SPEC.md section 9 looks at those behind it.
    Tight,
    /// Its port has no figure for the last three slots.
    Unknown,
}

/// Which uplinks.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Only those of this region.
    region: Option<String>,
    /// How many; 100 unless given, and in CSV all.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<Limit>,
    /// Where the page before ended, as in its `next`.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// What was carried in the newest slot that a line tells of.
struct Carried {
    slot: Slot,
    in_bps: Bps,
    out_bps: Bps,
    by_servers_in_bps: Bps,
    by_servers_out_bps: Bps,
}

/// The lines that servers share, and how full they are
#[utoipa::path(
    get, path = "/v1/uplinks", tag = "Metering", params(Asked),
    responses((status = 200, content((Uplinks = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn list(
    State(app): State<App>,
    way: Way,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let uplinks = {
        let state = app.live.read();
        infos(&state, asked.region.as_deref())
    };
    let cursor = asked.cursor.as_ref();
    let (uplinks, after) =
        page::of_sorted(uplinks, |uplink| uplink.id.as_str(), "uplinks", cursor, asked.limit, way.is_csv())?;
    let next = way.next(after.as_ref());
    if way.is_csv() {
        return Ok(way.csv(&COLUMNS, uplinks.into_iter().map(|uplink| uplink.cells()), next.as_deref()));
    }
    way.json(&Uplinks { uplinks, next: next.clone() }, next.as_deref())
}

fn infos(state: &Aggregator, region: Option<&str>) -> Vec<UplinkInfo> {
    let (inventory, now) = (state.inventory(), state.clock());
    let wanted = inventory
        .uplinks
        .values()
        .filter(|line| line.holds_at(now) && region.is_none_or(|region| region == line.region));
    let lines: Vec<&Uplink> = wanted.collect();
    let mut carried = carried(state, &lines);
    let behind = servers_behind(inventory, now);
    let servers = |line: &Uplink| behind.get(line.id.as_str()).copied().unwrap_or(0);
    lines.iter().map(|line| info(state, line, servers(line), carried.remove(line.id.as_str()))).collect()
}

/// How many servers in service share each uplink, by its id.
fn servers_behind(inventory: &Inventory, now: Timestamp) -> HashMap<&str, u64> {
    let sharing = inventory.sharing(now);
    let mut counts = vec![0_u64; sharing.groups().len()];
    for server in inventory.servers.values().filter(|server| server.is_served_at(now)) {
        for group in sharing.of(server) {
            if let Some(count) = counts.get_mut(group) {
                *count += 1;
            }
        }
    }
    let counted = sharing.groups().iter().zip(counts);
    counted
        .flat_map(|(group, count)| group.uplinks.iter().map(move |line| (line.id.as_str(), count)))
        .collect()
}

/// What each of the lines carried in the newest slot that its port tells all of.
fn carried<'a>(state: &Aggregator, lines: &[&'a Uplink]) -> BTreeMap<&'a str, Carried> {
    let newest = Slot::of(state.clock()).previous();
    let mut found = BTreeMap::new();
    for slot in (0..BACK_SLOTS).map(|back| Slot(newest.0.saturating_sub(back))) {
        let told = |line: &&&'a Uplink| state.port(&line.port).is_some_and(|port| port.is_complete(slot));
        let waiting: Vec<&'a Uplink> =
            lines.iter().filter(|line| !found.contains_key(line.id.as_str())).filter(told).copied().collect();
        if waiting.is_empty() {
            continue;
        }
        let waiting: HashMap<&str, &'a Uplink> =
            waiting.into_iter().map(|line| (line.id.as_str(), line)).collect();
        let loads = Loads::of(state, slot);
        for group in loads.all() {
            for uplink in &group.shared.uplinks {
                let line = waiting.get(uplink.id.as_str());
                if let Some((line, rates)) = line.zip(uplink.by_port) {
                    let by_servers = group.shared.by_servers;
                    found.insert(
                        line.id.as_str(),
                        Carried {
                            slot,
                            in_bps: rates.in_bps,
                            out_bps: rates.out_bps,
                            by_servers_in_bps: by_servers.in_bps,
                            by_servers_out_bps: by_servers.out_bps,
                        },
                    );
                }
            }
        }
    }
    found
}

fn info(state: &Aggregator, line: &Uplink, servers: u64, carried: Option<Carried>) -> UplinkInfo {
    let carried = carried.as_ref();
    let direction =
        carried.map(|carried| if carried.out_bps >= carried.in_bps { Direction::Out } else { Direction::In });
    let load = carried.map(|carried| carried.out_bps.max(carried.in_bps));
    let tight_percent = Policy::default().uplink.unwrap_or_default().load_percent;
    let tight = |load: Bps| u128::from(load.0) * 100 >= u128::from(line.speed.0) * u128::from(tight_percent);
    UplinkInfo {
        id: line.id.clone(),
        region: line.region.clone(),
        device: line.port.device().to_owned(),
        interface: line.port.interface().to_owned(),
        speed_bps: line.speed,
        devices: line.devices.clone(),
        state: match load {
            None => UplinkState::Unknown,
            Some(load) if tight(load) => UplinkState::Tight,
            Some(_) => UplinkState::Ok,
        },
        slot: carried.map(|carried| Instant(carried.slot.start())),
        in_bps: carried.map(|carried| carried.in_bps),
        out_bps: carried.map(|carried| carried.out_bps),
        direction,
        // A share like that of coverage, and shown like it.
        share: load.and_then(|load| coverage(load.0, line.speed.0)),
        servers,
        by_servers_in_bps: carried.map(|carried| carried.by_servers_in_bps),
        by_servers_out_bps: carried.map(|carried| carried.by_servers_out_bps),
        last_reading: state.port(&line.port).and_then(|port| port.accepted).map(Instant),
    }
}

/// The columns of CSV; devices are a text with `; ` between them.
const COLUMNS: [&str; 16] = [
    "id",
    "region",
    "device",
    "interface",
    "speed_bps",
    "devices",
    "state",
    "slot",
    "in_bps",
    "out_bps",
    "direction",
    "share",
    "servers",
    "by_servers_in_bps",
    "by_servers_out_bps",
    "last_reading",
];

impl UplinkInfo {
    fn cells(&self) -> Vec<Cell> {
        let text = |text: &str| Cell::Text(text.to_owned());
        let word = |word: &str| Cell::Word(word.to_owned());
        let at = |at: Option<Instant>| at.map_or(Cell::Nothing, |Instant(at)| Cell::Word(rfc3339(at)));
        let state = match self.state {
            UplinkState::Ok => "ok",
            UplinkState::Tight => "tight",
            UplinkState::Unknown => "unknown",
        };
        vec![
            text(&self.id),
            text(&self.region),
            text(&self.device),
            text(&self.interface),
            Cell::bps(Some(self.speed_bps)),
            text(&self.devices.join("; ")),
            word(state),
            at(self.slot),
            Cell::bps(self.in_bps),
            Cell::bps(self.out_bps),
            self.direction.map_or(Cell::Nothing, |direction| word(direction.name())),
            Cell::exact(self.share),
            Cell::Whole(self.servers.into()),
            Cell::bps(self.by_servers_in_bps),
            Cell::bps(self.by_servers_out_bps),
            at(self.last_reading),
        ]
    }
}
