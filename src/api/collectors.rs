//! `/v1/collectors`: the collectors elsewhere, and what each holds.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::errors::ApiError;
use super::query::{Nothing, Query};
use crate::collectors::CollectorReport;

/// The answer of `GET /v1/collectors`, in the order of the names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Collectors)]
pub(super) struct Listed {
    collectors: Vec<CollectorReport>,
}

/// The collectors elsewhere, and what each holds
#[utoipa::path(get, path = "/v1/collectors", tag = "Metering", responses((status = 200, body = Listed)))]
pub(super) async fn list(
    State(app): State<App>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<Listed>, ApiError> {
    Ok(Json(Listed { collectors: app.collectors.list().await? }))
}
