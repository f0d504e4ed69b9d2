//! `/v1/periods/{period}`: how far a month is, and closing it.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::App;
use super::access::{By, Via};
use super::body::{Said, Who, Why, by, reason};
use super::errors::ApiError;
use super::limits::ACT_TIME_MAX;
use super::query::{At, Nothing, OfPeriod, Query};
use crate::audit::{Act, Undone, action};
use crate::closing::close::{Order, Outcome};
use crate::closing::standing::{Standing, Zone};

/// Who closes a month.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Close {
    /// By whom it is done; the token's name unless given.
    by: Option<Who>,
    /// Why it is closed although collectors may have readings that were not sent.
    #[serde(rename = "override")]
    override_reason: Option<Why>,
}

/// How far a month is
#[utoipa::path(
    get, path = "/v1/periods/{period}", tag = "Billing", params(OfPeriod), responses((status = 200, body = Standing))
)]
pub(super) async fn show(
    State(app): State<App>,
    At(OfPeriod { period }): At<OfPeriod>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<Standing>, ApiError> {
    let zone = Zone::of(app.live.read().inventory());
    let reports = app.collectors.list().await?;
    let at = ((app.now)(), app.times.grace_ms);
    Ok(Json(Standing::load(&app.desk, period, &zone, &reports, at).await?))
}

/// Closes a month
///
/// It goes on when the client goes away, and is answered when it is over. To close again issues nothing twice.
#[utoipa::path(
    post, path = "/v1/periods/{period}/close", tag = "Billing", params(OfPeriod), request_body = Close,
    responses((status = 200, body = Outcome))
)]
pub(super) async fn close(
    State(app): State<App>,
    By(caller): By,
    Via(origin): Via,
    At(OfPeriod { period }): At<OfPeriod>,
    Query(Nothing {}): Query<Nothing>,
    Said(close): Said<Close>,
) -> Result<Json<Outcome>, ApiError> {
    let Close { by: name, override_reason } = close;
    let by = by(&caller, name)?;
    let override_reason = override_reason.map(|text| reason("override", text)).transpose()?;
    // What collectors said last is in memory first; closing reads the store.
    app.collectors.flush().await?;
    let order = Order { period, by, now: (app.now)(), override_reason };
    let (desk, audit) = (app.desk.clone(), app.audit.clone());
    let act = Act::new(action::PERIOD_CLOSE, period).by(&order.by);
    let act = act.before(json!({ "override": order.override_reason }));
    let outcome = carried_out(&app, async move {
        let closing = desk.close(&order, |_, _| {});
        let came_of = audit.act(&origin, act, closing, |outcome| json!(outcome)).await;
        let outcome = came_of.inspect_err(|error| {
            // Nobody else may hear of it.
            tracing::warn!(%period, by = order.by, error = %error, "month could not be closed over the API");
        })?;
        let Outcome { issued, issued_before, held, differing } = &outcome;
        let (by, differing) = (&order.by, differing.len());
        tracing::info!(%period, by, issued, issued_before, held, differing, "month was closed over the API");
        Ok::<_, Undone<_>>(outcome)
    });
    Ok(Json(outcome.await?))
}

/// What comes of an act, which goes on whether or not this is waited for.
///
/// # Errors
/// When it fails, or takes longer than anybody waits.
pub(super) async fn carried_out<T: Send + 'static, E: Into<ApiError> + Send + 'static>(
    app: &App,
    act: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::time::timeout(ACT_TIME_MAX, app.desk.carry_out(act)).await {
        Ok(Ok(came_of)) => came_of.map_err(Into::into),
        Ok(Err(error)) => Err(ApiError::Internal(error.into())),
        Err(_) => Err(ApiError::GoesOn(ACT_TIME_MAX.as_secs())),
    }
}
