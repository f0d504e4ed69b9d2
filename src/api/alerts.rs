//! `/v1/alerts`: what is the matter now, and what became of the messages about it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::errors::ApiError;
use super::query::Query;
use crate::alerts::alert::Notice;
use crate::alerts::log::{DeliveryLine, LINES_DEFAULT, LINES_MAX};

/// The answer of `GET /v1/alerts`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alerts)]
pub(super) struct Listed {
    alerts: Vec<Notice>,
}

/// The answer of `GET /v1/alerts/deliveries`, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deliveries {
    deliveries: Vec<DeliveryLine>,
}

/// Which alerts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Also the newest of those that are over.
    all: bool,
    /// How many at most; 100 unless given.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
}

/// Which attempts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct AskedDeliveries {
    /// Those to one destination.
    to: Option<String>,
    /// How many at most; 100 unless given.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
}

/// The alerts that are raised
#[utoipa::path(get, path = "/v1/alerts", tag = "Alerts", params(Asked), responses((status = 200, body = Listed)))]
pub(super) async fn list(
    State(app): State<App>,
    Query(Asked { all, limit }): Query<Asked>,
) -> Result<Json<Listed>, ApiError> {
    let limit = checked(limit)?;
    let alerts = if all { app.alerts.board.last(limit).await? } else { app.alerts.board.raised() };
    Ok(Json(Listed { alerts }))
}

/// The newest attempts to deliver what is told
#[utoipa::path(
    get, path = "/v1/alerts/deliveries", tag = "Alerts", params(AskedDeliveries),
    responses((status = 200, body = Deliveries))
)]
pub(super) async fn deliveries(
    State(app): State<App>,
    Query(AskedDeliveries { to, limit }): Query<AskedDeliveries>,
) -> Result<Json<Deliveries>, ApiError> {
    let lines = app.store.delivery_log(to.as_deref(), checked(limit)?).await?;
    Ok(Json(Deliveries { deliveries: lines.into_iter().map(DeliveryLine::from).collect() }))
}

fn checked(limit: Option<u32>) -> Result<u32, ApiError> {
    let limit = limit.unwrap_or(LINES_DEFAULT);
    if (1..=LINES_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::field("limit", &limit.to_string(), format!("it must be 1 to {LINES_MAX}")))
}
