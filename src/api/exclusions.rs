//! `/v1/exclusions`: incidents for which a server is not billed.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::access::{By, Via};
use super::body::{Said, Who, Why, by, reason};
use super::errors::ApiError;
use super::periods::carried_out;
use super::query::{At, Nothing, Query};
use super::schema::{Ordinal, When};
use crate::audit::{Act, Undone, action};
use crate::closing::close::CloseError;
use crate::closing::desk::Word;
use crate::closing::exclusions::Declared;
use crate::closing::statement::Exclusion;
use crate::inventory::instant::Instant;

/// The answer of `GET /v1/exclusions`: those in force, in the order of servers and numbers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Exclusions)]
pub(super) struct Listed {
    exclusions: Vec<Exclusion>,
}

/// An incident for which a server is not billed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Declaration {
    /// The server.
    server: String,
    /// From when: slots that start at or after it.
    #[schema(value_type = When)]
    from: Instant,
    /// Until before when.
    #[schema(value_type = When)]
    until: Instant,
    /// Why.
    why: Why,
    /// By whom it is declared; the token's name unless given.
    by: Option<Who>,
}

/// Why an incident is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawal {
    /// Why.
    why: Why,
    /// By whom; the token's name unless given.
    by: Option<Who>,
}

/// An incident.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfExclusion {
    /// Its number.
    #[param(value_type = Ordinal)]
    id: u64,
}

/// The incidents in force
#[utoipa::path(get, path = "/v1/exclusions", tag = "Billing", responses((status = 200, body = Listed)))]
pub(super) async fn list(
    State(app): State<App>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<Listed>, ApiError> {
    let all = app.desk.trail().await?.exclusions()?;
    Ok(Json(Listed { exclusions: all.into_values().flatten().collect() }))
}

/// Declares an incident, and tells it with its number
#[utoipa::path(
    post, path = "/v1/exclusions", tag = "Billing", request_body = Declaration,
    responses((status = 200, body = Exclusion))
)]
pub(super) async fn declare(
    State(app): State<App>,
    By(caller): By,
    Via(origin): Via,
    Query(Nothing {}): Query<Nothing>,
    Said(declaration): Said<Declaration>,
) -> Result<Json<Exclusion>, ApiError> {
    let Declaration { server, from, until, why, by: name } = declaration;
    let word = Word { by: by(&caller, name)?, now: (app.now)(), reason: reason("why", why)? };
    let (desk, audit) = (app.desk.clone(), app.audit.clone());
    let act = Act::new(action::EXCLUSION_DECLARE, &server).by(&word.by);
    let act = act.before(json!({ "from": from, "until": until, "why": word.reason }));
    let declared = Declared { server, from, until };
    let exclusion = carried_out(&app, async move {
        let declaring = desk.exclude(&declared, &word);
        let exclusion = audit.act(&origin, act, declaring, |exclusion| json!(exclusion)).await?;
        let (id, server) = (exclusion.id, &exclusion.server);
        tracing::info!(id, server, by = word.by, "exclusion was declared over the API");
        Ok::<_, Undone<_>>(exclusion)
    });
    Ok(Json(exclusion.await?))
}

/// Takes an incident back
#[utoipa::path(
    post, path = "/v1/exclusions/{id}/withdraw", tag = "Billing", params(OfExclusion), request_body = Withdrawal,
    responses((status = 200, body = Exclusion))
)]
pub(super) async fn withdraw(
    State(app): State<App>,
    By(caller): By,
    Via(origin): Via,
    At(OfExclusion { id }): At<OfExclusion>,
    Query(Nothing {}): Query<Nothing>,
    Said(withdrawal): Said<Withdrawal>,
) -> Result<Json<Exclusion>, ApiError> {
    let Withdrawal { why, by: name } = withdrawal;
    let word = Word { by: by(&caller, name)?, now: (app.now)(), reason: reason("why", why)? };
    let (desk, audit) = (app.desk.clone(), app.audit.clone());
    let act = Act::new(action::EXCLUSION_WITHDRAW, id).by(&word.by).before(json!({ "why": word.reason }));
    let came_of = carried_out(&app, async move {
        // All that it refuses is a number of none in force.
        match audit.act(&origin, act, desk.include(id, &word), |exclusion| json!(exclusion)).await {
            Err(Undone::Refused(CloseError::Exclusion(says))) => Ok(Err(says)),
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
