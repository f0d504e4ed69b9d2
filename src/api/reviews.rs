//! `/v1/periods/{period}/reviews`: statements that a person looks at before they count.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::App;
use super::access::{By, Via};
use super::body::{Said, Who, Why, by, reason};
use super::errors::ApiError;
use super::periods::carried_out;
use super::query::{At, Nothing, OfPeriod, OfStatement, Query};
use crate::audit::{Act, Undone, action};
use crate::closing::desk::Word;
use crate::closing::listing::{Stated, state, stated};
use crate::closing::review::queue;
use crate::closing::what_if::Figures;
use crate::metering::period::Month;
use crate::store::statements;

/// The answer of `GET /v1/periods/{period}/reviews`, in the order of servers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reviews<'a> {
    period: Month,
    reviews: Vec<Stated<'a>>,
}

/// Who lets a statement go, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Approval {
    /// By whom it is done; the token's name unless given.
    by: Option<Who>,
    /// What they say to it.
    note: Why,
}

/// The statements of a month that are held; why stands in the `review` of each
#[utoipa::path(
    get, path = "/v1/periods/{period}/reviews", tag = "Billing", params(OfPeriod),
    responses((status = 200, body = Reviews<'_>))
)]
pub(super) async fn list(
    State(app): State<App>,
    At(OfPeriod { period }): At<OfPeriod>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Response, ApiError> {
    let held = queue(&app.store, period).await?;
    Ok(Json(Reviews { period, reviews: held.iter().map(stated).collect() }).into_response())
}

/// Issues the held statement of a server or pool
#[utoipa::path(
    post, path = "/v1/periods/{period}/reviews/{server}", tag = "Billing", params(OfStatement),
    request_body = Approval, responses((status = 200, body = Stated<'_>))
)]
pub(super) async fn approve(
    State(app): State<App>,
    By(caller): By,
    Via(origin): Via,
    At(OfStatement { period, server }): At<OfStatement>,
    Query(Nothing {}): Query<Nothing>,
    Said(approval): Said<Approval>,
) -> Result<Response, ApiError> {
    let Approval { by: name, note } = approval;
    let word = Word { by: by(&caller, name)?, now: (app.now)(), reason: reason("note", note)? };
    let (desk, audit) = (app.desk.clone(), app.audit.clone());
    let act = Act::new(action::REVIEW_APPROVE, format!("{period} {server}")).by(&word.by);
    let act = act.before(json!({ "state": "held", "note": word.reason }));
    let statement = carried_out(&app, async move {
        let approving = desk.approve(period, &server, &word);
        let statement = audit.act(&origin, act, approving, |statement| json!(Figures::of(statement))).await?;
        tracing::info!(%period, server, by = word.by, "held statement was issued over the API");
        Ok::<_, Undone<_>>(statement)
    });
    let statement = statement.await?;
    Ok(Json(Stated { state: state(statements::State::Issued), statement: &statement }).into_response())
}
