//! `/v1/usage`: a month's figures.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;

use super::App;
use super::errors::ApiError;
use super::query::Fields;
use super::servers::known;
use crate::aggregator::state::Aggregator;
use crate::inventory::Inventory;
use crate::metering::period::Month;
use crate::usage::Usage;

/// What can be answered from memory, and what has to be read.
enum Found {
    Live(Usage),
    Stored(Box<Inventory>, Month),
}

/// `GET /v1/usage?period=&server=`; the running month and all servers unless named.
///
/// The running month is told from memory, any other from the store.
pub(super) async fn month(State(app): State<App>, uri: Uri) -> Result<Json<Usage>, ApiError> {
    let fields = Fields::of(&uri, &["period", "server"])?;
    let period: Option<Month> = fields.value("period")?;
    let found = {
        let state = app.live.read();
        find(&state, period, fields.text("server"))?
    };
    match found {
        Found::Live(usage) => Ok(Json(usage)),
        Found::Stored(inventory, period) => {
            let now = (app.now)();
            Ok(Json(Usage::stored(&app.store, &inventory, period, now, app.times).await?))
        }
    }
}

fn find(state: &Aggregator, period: Option<Month>, server: Option<&str>) -> Result<Found, ApiError> {
    let wanted = server.map(|id| known(state, id)).transpose()?;
    let period = period.map_or_else(|| running_month(state), Ok)?;
    if let Some(mut usage) = Usage::live(state, period) {
        usage.servers.retain(|line| wanted.is_none_or(|entry| entry.id == line.server));
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
