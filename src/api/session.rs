//! `/v1/session`: logging in to the dashboard with a token, and out.

use std::net::{IpAddr, Ipv4Addr};

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::App;
use super::access::{Identity, NEEDED, OVER, UNKNOWN, Via, cookie, not_elsewhere};
use super::body::Said;
use super::errors::ApiError;
use super::peer::Peer;
use super::query::{Nothing, Query};
use crate::access::Role;
use crate::access::sessions::LASTS_MS;
use crate::access::token::id_of;
use crate::audit::{Act, Origin, Undone, action};
use crate::inventory::instant::Instant;
use crate::store::engine::Secret;

/// With what somebody logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// A token.
    #[schema(value_type = String, max_length = 128)]
    token: Secret,
}

/// Who is logged in, or known by a token.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Session {
    /// The token's name; none where no token was ever made.
    name: Option<String>,
    role: Role,
    /// The only customer whose servers are seen.
    customer: Option<String>,
    /// The only region whose servers are seen.
    region: Option<String>,
    /// Whether no token was ever made, and everybody on the service's machine may do everything.
    open: bool,
    /// When the session or the token ends, whatever is done.
    expires_at: Option<Instant>,
}

/// Logs in
///
/// With a cookie in the answer, which a browser sends from then on. It lasts 12 h, 2 h without use, and no longer than
/// the token. Where too many log-ins failed, the next has to wait.
#[utoipa::path(
    post, path = "/v1/session", tag = "Operation", request_body = Login,
    responses((status = 204, description = "Logged in", headers(("set-cookie" = String))))
)]
pub(super) async fn log_in(
    State(app): State<App>,
    Via(origin): Via,
    parts: Parts,
    Query(Nothing {}): Query<Nothing>,
    Said(Login { token: presented }): Said<Login>,
) -> Result<Response, ApiError> {
    not_elsewhere(&parts)?;
    let peer = parts.extensions.get::<Peer>();
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.address.ip());
    let tls = peer.is_some_and(|peer| peer.tls);
    let now = (app.now)();
    app.access.failures.begin(address, now).map_err(ApiError::TooOften)?;
    let Some(token) = app.access.registry.by_secret(presented.expose(), now) else {
        let act = Act::new(action::SESSION_REFUSED, id_of(presented.expose()).unwrap_or_default());
        app.audit.refusal(&origin, act, UNKNOWN.to_owned()).await;
        return Err(ApiError::Unauthorized(UNKNOWN));
    };
    app.access.failures.succeeded(address);
    app.access.requests.take(&Some(token.id.clone())).map_err(ApiError::TooOften)?;
    if token.role == Role::Collector {
        return Err(ApiError::Forbidden { role: token.role, limited: !token.limit.is_none() });
    }
    let origin = Origin { who: token.name.clone(), ..origin };
    let sessions = &app.access.sessions;
    let begun = async { Ok::<_, ApiError>(sessions.begin(&token.id, now)) };
    let act = Act::new(action::SESSION_LOGIN, &token.name);
    let id = app.audit.act(&origin, act, begun, |_| Value::Null).await?;
    let cookie = cookie(id.expose(), tls, LASTS_MS / 1_000);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Who is logged in
///
/// A browser asks before anybody has logged in, and after a session has ended: that nobody is, is an answer of its own. A
/// token that is not known is refused as everywhere.
#[utoipa::path(
    get, path = "/v1/session", tag = "Operation",
    responses((status = 200, body = Session), (status = 204, description = "Nobody is"))
)]
pub(super) async fn show(
    State(app): State<App>,
    who: Result<Identity, ApiError>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Response, ApiError> {
    let Identity { caller, expires_at, .. } = match who {
        Err(ApiError::Unauthorized(NEEDED | OVER)) => return Ok(StatusCode::NO_CONTENT.into_response()),
        known => known?,
    };
    let session = Session {
        open: app.access.registry.is_open(),
        name: caller.name,
        role: caller.role,
        customer: caller.limit.customer,
        region: caller.limit.region,
        expires_at: expires_at.map(Instant),
    };
    Ok(Json(session).into_response())
}

/// Logs out
#[utoipa::path(
    delete, path = "/v1/session", tag = "Operation", responses((status = 204, description = "Logged out"))
)]
pub(super) async fn log_out(
    State(app): State<App>,
    identity: Identity,
    Via(origin): Via,
    parts: Parts,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Response, ApiError> {
    let tls = parts.extensions.get::<Peer>().is_some_and(|peer| peer.tls);
    if let Some(session) = identity.session {
        // It ends whether or not that can be noted: nobody is kept logged in.
        app.access.sessions.end(session);
        let act = Act::new(action::SESSION_LOGOUT, &origin.who);
        let noted = app.audit.act(&origin, act, async { Ok::<_, ApiError>(()) }, |()| Value::Null).await;
        if let Err(Undone::Unnoted(error)) = noted {
            tracing::error!(error = %error, "log-out can't be audited");
        }
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie("", tls, 0))]).into_response())
}
