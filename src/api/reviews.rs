//! `/v1/periods/{period}/reviews`: statements that a person looks at before they count.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::App;
use super::body::{name, reason, said};
use super::errors::ApiError;
use super::periods::carried_out;
use super::query::{Fields, path_error, period};
use crate::closing::desk::Word;
use crate::closing::listing::{Stated, state, stated};
use crate::closing::review::queue;
use crate::metering::period::Month;
use crate::store::statements;

/// The answer of `GET /v1/periods/{period}/reviews`, in the order of servers.
#[derive(Debug, Serialize)]
struct Reviews<'a> {
    period: Month,
    reviews: Vec<Stated<'a>>,
}

/// The body of an approval.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    by: String,
    note: String,
}

/// `GET /v1/periods/{period}/reviews`: the statements that are held; why stands in the `review` of each.
pub(super) async fn list(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Path(month) = path.map_err(|e| path_error(&e))?;
    let period = period(&month)?;
    Fields::of(&uri, &[])?;
    let held = queue(&app.store, period).await?;
    Ok(Json(Reviews { period, reviews: held.iter().map(stated).collect() }).into_response())
}

/// `POST /v1/periods/{period}/reviews/{server}`: issues the held statement of a server or pool, and tells it.
pub(super) async fn approve(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Path((month, server)) = path.map_err(|e| path_error(&e))?;
    let period = period(&month)?;
    Fields::of(&uri, &[])?;
    let Approval { by, note } = said(&headers, body).await?;
    let word = Word { by: name("by", by)?, now: (app.now)(), reason: reason("note", note)? };
    let desk = app.desk.clone();
    let statement = carried_out(&app, async move {
        let statement = desk.approve(period, &server, &word).await?;
        tracing::info!(%period, server, by = word.by, "held statement was issued over the API");
        Ok(statement)
    });
    let statement = statement.await?;
    Ok(Json(Stated { state: state(statements::State::Issued), statement: &statement }).into_response())
}
