//! `/v1/exclusions`: incidents for which a server is not billed.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use serde::{Deserialize, Serialize};

use super::App;
use super::body::{name, reason, said};
use super::errors::{ApiError, clipped};
use super::periods::carried_out;
use super::query::{Fields, path_error};
use crate::closing::close::CloseError;
use crate::closing::desk::Word;
use crate::closing::exclusions::Declared;
use crate::closing::statement::Exclusion;
use crate::inventory::instant::Instant;

/// The answer of `GET /v1/exclusions`: those in force, in the order of servers and numbers.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    exclusions: Vec<Exclusion>,
}

/// The body of a declaration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    server: String,
    from: Instant,
    until: Instant,
    why: String,
    by: String,
}

/// The body of a withdrawal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdrawal {
    why: String,
    by: String,
}

/// `GET /v1/exclusions`.
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<Listed>, ApiError> {
    Fields::of(&uri, &[])?;
    let all = app.desk.trail().await?.exclusions()?;
    Ok(Json(Listed { exclusions: all.into_values().flatten().collect() }))
}

/// `POST /v1/exclusions`: declares an incident, and tells it with its number.
pub(super) async fn declare(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Exclusion>, ApiError> {
    Fields::of(&uri, &[])?;
    let Declaration { server, from, until, why, by } = said(&headers, body).await?;
    let word = Word { by: name("by", by)?, now: (app.now)(), reason: reason("why", why)? };
    let desk = app.desk.clone();
    let declared = Declared { server, from, until };
    let exclusion = carried_out(&app, async move {
        let exclusion = desk.exclude(&declared, &word).await?;
        let (id, server) = (exclusion.id, &exclusion.server);
        tracing::info!(id, server, by = word.by, "exclusion was declared over the API");
        Ok(exclusion)
    });
    Ok(Json(exclusion.await?))
}

/// `POST /v1/exclusions/{id}/withdraw`: takes an incident back, and tells which.
pub(super) async fn withdraw(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Exclusion>, ApiError> {
    let Path(id) = path.map_err(|e| path_error(&e))?;
    Fields::of(&uri, &[])?;
    let says = || format!("{:?} is not the number of an exclusion", clipped(&id));
    let id: u64 = id.parse().map_err(|_| ApiError::field("id", &id, says()))?;
    let Withdrawal { why, by } = said(&headers, body).await?;
    let word = Word { by: name("by", by)?, now: (app.now)(), reason: reason("why", why)? };
    let desk = app.desk.clone();
    let came_of = carried_out(&app, async move {
        // All that it refuses is a number of none in force.
        match desk.include(id, &word).await {
            Err(CloseError::Exclusion(says)) => Ok(Err(says)),
            came_of => {
                tracing::info!(
                    id,
                    by = word.by,
                    done = came_of.is_ok(),
                    "exclusion was taken back over the API"
                );
                came_of.map(Ok)
            }
        }
    });
    came_of.await?.map(Json).map_err(ApiError::Unknown)
}
