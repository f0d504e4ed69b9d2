//! `/v1/alerts`: what is the matter now, and what became of the messages about it.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;

use super::App;
use super::errors::ApiError;
use super::query::Fields;
use crate::alerts::alert::Notice;
use crate::alerts::log::{DeliveryLine, LINES_DEFAULT, LINES_MAX};

/// The answer of `GET /v1/alerts`.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    alerts: Vec<Notice>,
}

/// The answer of `GET /v1/alerts/deliveries`, the newest first.
#[derive(Debug, Serialize)]
pub(super) struct Deliveries {
    deliveries: Vec<DeliveryLine>,
}

/// `GET /v1/alerts`: those that are raised; with `all=true` also the newest of those that are over.
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<Listed>, ApiError> {
    let fields = Fields::of(&uri, &["all", "limit"])?;
    let all = fields.value("all")?.unwrap_or(false);
    let limit = limit(&fields)?;
    let alerts = if all { app.alerts.board.last(limit).await? } else { app.alerts.board.raised() };
    Ok(Json(Listed { alerts }))
}

/// `GET /v1/alerts/deliveries`: the newest attempts, of one destination where `to` names it.
pub(super) async fn deliveries(State(app): State<App>, uri: Uri) -> Result<Json<Deliveries>, ApiError> {
    let fields = Fields::of(&uri, &["to", "limit"])?;
    let lines = app.store.delivery_log(fields.text("to"), limit(&fields)?).await?;
    Ok(Json(Deliveries { deliveries: lines.into_iter().map(DeliveryLine::from).collect() }))
}

fn limit(fields: &Fields) -> Result<u32, ApiError> {
    let limit = fields.value("limit")?.unwrap_or(LINES_DEFAULT);
    if (1..=LINES_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::field("limit", &limit.to_string(), format!("it must be 1 to {LINES_MAX}")))
}
