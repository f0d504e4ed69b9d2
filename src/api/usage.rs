//! `/v1/usage`: a month's figures.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::By;
use super::errors::ApiError;
use super::query::Query;
use super::servers::known;
use crate::access::Caller;
use crate::aggregator::state::Aggregator;
use crate::inventory::Inventory;
use crate::metering::period::Month;
use crate::usage::Usage;

/// What can be answered from memory, and what has to be read.
enum Found {
    Live(Usage),
    Stored(Box<Inventory>, Month),
}

/// Whose usage, and of when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The month; the running one unless given.
    period: Option<Month>,
    /// One server alone.
    server: Option<String>,
}

/// A month's figures, a line a server
///
/// The running month is told from memory, any other from the store.
#[utoipa::path(get, path = "/v1/usage", tag = "Usage", params(Asked), responses((status = 200, body = Usage)))]
pub(super) async fn month(
    State(app): State<App>,
    By(caller): By,
    Query(asked): Query<Asked>,
) -> Result<Json<Usage>, ApiError> {
    let found = {
        let state = app.live.read();
        find(&state, &caller, &asked)?
    };
    match found {
        Found::Live(usage) => Ok(Json(usage)),
        Found::Stored(inventory, period) => {
            let now = (app.now)();
            let mut usage = Usage::stored(&app.store, &inventory, period, now, app.times).await?;
            usage.servers.retain(|line| caller.sees(&line.customer, &line.region));
            Ok(Json(usage))
        }
    }
}

fn find(state: &Aggregator, caller: &Caller, asked: &Asked) -> Result<Found, ApiError> {
    let wanted = asked.server.as_ref().map(|id| known(state, caller, id)).transpose()?;
    let period = asked.period.map_or_else(|| running_month(state), Ok)?;
    if let Some(mut usage) = Usage::live(state, period) {
        usage.servers.retain(|line| {
            wanted.is_none_or(|entry| entry.id == line.server) && caller.sees(&line.customer, &line.region)
        });
        return Ok(Found::Live(usage));
    }
    let inventory = state.inventory();
    let Some(entry) = wanted else {
        return Ok(Found::Stored(Box::new(inventory.clone()), period));
    };
    let one = Inventory {
        timezone_name: inventory.timezone_name.clone(),
        timezone: inventory.timezone.clone(),
        plans: inventory.plans.clone(),
        servers: [(entry.id.clone(), entry.clone())].into(),
        ..Inventory::empty()
    };
    Ok(Found::Stored(Box::new(one), period))
}

/// The month in which the live state's clock stands.
///
/// # Errors
/// When that clock is outside the years that a calendar covers.
pub(super) fn running_month(state: &Aggregator) -> Result<Month, ApiError> {
    let found = Month::of(state.clock(), &state.inventory().timezone);
    found.ok_or_else(|| ApiError::Internal("the clock is in no month".into()))
}
