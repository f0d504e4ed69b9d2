//! `/v1/periods/{period}`: how far a month is, and closing it.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use serde::Deserialize;

use super::App;
use super::body::{name, reason, said};
use super::errors::ApiError;
use super::limits::ACT_TIME_MAX;
use super::query::{Fields, path_error, period};
use crate::closing::close::{CloseError, Order, Outcome};
use crate::closing::standing::{Standing, Zone};

/// The body of `POST /v1/periods/{period}/close`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Close {
    by: String,
    #[serde(rename = "override")]
    override_reason: Option<String>,
}

/// `GET /v1/periods/{period}`.
pub(super) async fn show(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<Standing>, ApiError> {
    let Path(month) = path.map_err(|e| path_error(&e))?;
    let period = period(&month)?;
    Fields::of(&uri, &[])?;
    let zone = Zone::of(app.live.read().inventory());
    let reports = app.collectors.list().await?;
    let at = ((app.now)(), app.times.grace_ms);
    Ok(Json(Standing::load(&app.desk, period, &zone, &reports, at).await?))
}

/// `POST /v1/periods/{period}/close`. It goes on when the client goes away, and is answered when it is over.
pub(super) async fn close(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Outcome>, ApiError> {
    let Path(month) = path.map_err(|e| path_error(&e))?;
    let period = period(&month)?;
    Fields::of(&uri, &[])?;
    let Close { by, override_reason } = said(&headers, body).await?;
    let by = name("by", by)?;
    let override_reason = override_reason.map(|text| reason("override", text)).transpose()?;
    // What collectors said last is in memory first; closing reads the store.
    app.collectors.flush().await?;
    let order = Order { period, by, now: (app.now)(), override_reason };
    let desk = app.desk.clone();
    let outcome = carried_out(&app, async move {
        let came_of = desk.close(&order, |_, _| {}).await;
        let outcome = came_of.inspect_err(|error| {
            // Nobody else may hear of it.
            tracing::warn!(%period, by = order.by, error = %error, "month could not be closed over the API");
        })?;
        let Outcome { issued, issued_before, held, differing } = &outcome;
        let (by, differing) = (&order.by, differing.len());
        tracing::info!(%period, by, issued, issued_before, held, differing, "month was closed over the API");
        Ok(outcome)
    });
    Ok(Json(outcome.await?))
}

/// What comes of an act, which goes on whether or not this is waited for.
///
/// # Errors
/// When it fails, or takes longer than anybody waits.
pub(super) async fn carried_out<T: Send + 'static>(
    app: &App,
    act: impl Future<Output = Result<T, CloseError>> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::time::timeout(ACT_TIME_MAX, app.desk.carry_out(act)).await {
        Ok(Ok(came_of)) => Ok(came_of?),
        Ok(Err(error)) => Err(ApiError::Internal(error.into())),
        Err(_) => Err(ApiError::GoesOn(ACT_TIME_MAX.as_secs())),
    }
}
