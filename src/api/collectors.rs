//! `/v1/collectors`: the collectors elsewhere, and what each holds.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;

use super::App;
use super::errors::ApiError;
use super::query::Fields;
use crate::collectors::CollectorReport;

/// The answer of `GET /v1/collectors`, in the order of the names.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    collectors: Vec<CollectorReport>,
}

/// `GET /v1/collectors`.
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<Listed>, ApiError> {
    Fields::of(&uri, &[])?;
    Ok(Json(Listed { collectors: app.collectors.list().await? }))
}
