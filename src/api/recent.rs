//! `/v1/recent`: how some servers did in the last day, an hour a figure, for small graphs beside many lines.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use meter95_reading::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::access::By;
use super::errors::ApiError;
use super::query::Query;
use super::schema;
use crate::aggregator::output::ServerId;
use crate::inventory::instant::Instant;
use crate::metering::period::SlotSpan;
use crate::metering::units::{Bps, Slot};

/// The slots of an hour.
const HOUR_SLOTS: i64 = 3_600_000 / Slot::MS;

/// How many hours are told, the running one among them.
const HOURS: i64 = 24;

/// Which servers.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The servers' ids, with commas between them.
    #[param(inline, value_type = schema::Servers, style = Form, explode = false)]
    servers: Vec<String>,
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Recent {
    /// When the first hour begins. Hours are those of UTC.
    from: Instant,
    /// How long each lasts.
    step_s: i64,
    /// In the order in which they were asked for, each once; without those that there are not, or that are not seen.
    servers: Vec<RecentServer>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RecentServer {
    server: String,
    /// The largest sample of each of 24 hours, the larger of in and out; null for an hour without one. The last is the
    /// running hour.
    value_max_bps: Vec<Option<Bps>>,
}

/// The last 24 hours of some servers
///
/// The largest sample of each hour, never a mean, of up to 100 servers. Samples are in it when they are stored, some
/// seconds after their slot has closed.
#[utoipa::path(
    get, path = "/v1/recent", tag = "Servers", params(Asked), responses((status = 200, body = Recent))
)]
pub(super) async fn list(
    State(app): State<App>,
    By(caller): By,
    Query(asked): Query<Asked>,
) -> Result<Json<Recent>, ApiError> {
    let (hours, seen) = {
        let state = app.live.read();
        let mut named = BTreeSet::new();
        let seen = asked.servers.into_iter().filter_map(|id| {
            let server = state.inventory().servers.get(&id)?;
            let seen = caller.sees(&server.customer, &server.region) && named.insert(id.clone());
            seen.then(|| (state.server(&id).map(|server| server.id), id))
        });
        let seen: Vec<(Option<ServerId>, String)> = seen.collect();
        (day_until(state.clock()), seen)
    };
    let numbers: Vec<ServerId> = seen.iter().filter_map(|(number, _)| *number).collect();
    let mut largest =
        if numbers.is_empty() { BTreeMap::new() } else { app.store.hourly_maxima(&numbers, hours).await? };
    let told = |(number, server): (Option<ServerId>, String)| {
        let of = number.and_then(|number| largest.remove(&number)).unwrap_or_default();
        let starts = (0..HOURS).map(|hour| Slot(hours.from.0 + hour * HOUR_SLOTS));
        RecentServer { server, value_max_bps: starts.map(|start| of.get(&start).copied()).collect() }
    };
    let servers = seen.into_iter().map(told).collect();
    let step_s = HOUR_SLOTS * Slot::MS / 1_000;
    Ok(Json(Recent { from: Instant(hours.from.start()), step_s, servers }))
}

/// The last [`HOURS`] whole hours of UTC, that of `now` the last of them.
fn day_until(now: Timestamp) -> SlotSpan {
    let hour = Slot::of(now).0.div_euclid(HOUR_SLOTS);
    let start = |hour: i64| Slot(hour * HOUR_SLOTS);
    SlotSpan { from: start(hour + 1 - HOURS), until: start(hour + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_hour_is_the_last() {
        let hour = 3_600_000;
        for (now, from) in [(24 * hour, 1), (25 * hour - 1, 1), (25 * hour, 2)] {
            let SlotSpan { from: first, until } = day_until(Timestamp(now));
            assert_eq!((first.start().0, until.start().0), (from * hour, (from + 24) * hour), "{now}");
        }
    }
}
