//! Who asks, and whether they may: each group of routes is open to some roles, and to limited callers or not.
//!
//! Who somebody is tells a token in `Authorization`, or else a client certificate, or else the session of a browser
//! ([`same_site`] keeps other sites' pages from using that). While no token was ever made, everybody on this machine
//! may do everything.

mod same_site;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use meter95_reading::Timestamp;

use super::App;
use super::errors::ApiError;
use super::peer::Peer;
use super::request_id::REQUEST_ID;
use crate::access::sessions::SessionKey;
use crate::access::{Caller, Guard, Role};
use crate::audit::{Act, Origin, Through, action};

/// The cookie of a session; over TLS a browser takes it from this host and nobody else.
const COOKIE: &str = "meter95_session";
const COOKIE_OVER_TLS: &str = "__Host-meter95_session";

/// The longest id of a request that is kept, in characters.
const REQUEST_ID_CHARS_MAX: usize = 100;

/// What is said to whoever says nothing.
pub(super) const NEEDED: &str =
    "a token is needed; send it as Authorization: Bearer TOKEN, or log in at the dashboard";

/// What is said to whoever is not known: the same, whatever the reason.
pub(super) const UNKNOWN: &str = "this token is not known here";

/// What is said where a session was, or never was.
pub(super) const OVER: &str = "the session is over; log in again";

/// What is said to others than this machine while no token was ever made.
const ONLY_HERE: &str =
    "no token was ever made here, so only this machine may ask: meter95 token create NAME --role ROLE";

/// To whom a group of routes is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    /// To these roles; an admin may everything.
    pub(super) roles: &'static [Role],
    /// Whether callers who see only one customer's or region's servers may come too: then every answer is cut to what
    /// they see.
    pub(super) limited: bool,
}

/// For whoever looks at figures, of which each caller sees its own.
pub(super) const FIGURES: Access =
    Access { roles: &[Role::Viewer, Role::Operator, Role::Billing], limited: true };

/// For whoever looks at the site as a whole.
pub(super) const SITE: Access = Access { limited: false, ..FIGURES };

/// For whoever deals with cases, each with its own.
pub(super) const CASES: Access = Access { roles: &[Role::Operator], limited: true };

/// For whoever closes months and corrects them.
pub(super) const BILLING: Access = Access { roles: &[Role::Billing], limited: false };

/// For whoever declares incidents.
pub(super) const INCIDENTS: Access = Access { roles: &[Role::Operator, Role::Billing], limited: false };

/// For collectors.
pub(super) const COLLECTORS: Access = Access { roles: &[Role::Collector], limited: false };

/// For admins alone.
pub(super) const ADMINS: Access = Access { roles: &[], limited: false };

/// For everybody who is known.
pub(super) const KNOWN: Access =
    Access { roles: &[Role::Viewer, Role::Operator, Role::Billing, Role::Collector], limited: true };

impl Access {
    /// Whether it is open to a caller.
    pub(super) fn is_open_to(self, caller: &Caller) -> bool {
        let role = caller.role == Role::Admin || self.roles.contains(&caller.role);
        role && (self.limited || caller.limit.is_none())
    }
}

/// Lets those in to whom the group is open. Who may not change something is audited.
pub(super) async fn admit(
    State((app, access)): State<(App, Access)>,
    By(caller): By,
    Via(origin): Via,
    request: Request,
    next: Next,
) -> Response {
    if access.is_open_to(&caller) {
        return next.run(request).await;
    }
    let refused = ApiError::Forbidden { role: caller.role, limited: !caller.limit.is_none() };
    if same_site::is_unsafe(request.method()) {
        if app.access.refusals.take(&caller.token).is_ok() {
            let act = Act::new(action::REFUSED, format!("{} {}", request.method(), request.uri().path()));
            app.audit.refusal(&origin, act, refused.to_string()).await;
        } else {
            tracing::warn!(who = origin.who, "refusals are too many to audit each");
        }
    }
    refused.into_response()
}

/// Whoever asks.
#[derive(Debug, Clone)]
pub(super) struct By(pub(super) Caller);

/// Whoever asks, and how they are known.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) caller: Caller,
    /// The session by which they are known, if it is one.
    pub(super) session: Option<SessionKey>,
    /// When they will no longer be.
    pub(super) expires_at: Option<Timestamp>,
}

/// Whoever asks, and from where, as it is audited.
#[derive(Debug, Clone)]
pub(super) struct Via(pub(super) Origin);

/// Why nobody is known to ask.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    /// They do not say who they are, or nobody who is known.
    Unauthorized(&'static str),
    /// It may not be them who asks.
    Untrusted(&'static str),
    /// They ask too often; after so many s they may again.
    TooOften(u64),
}

/// What [`identify`] found.
#[derive(Debug, Clone)]
struct Identified(Result<Identity, Refusal>);

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unauthorized(says) => Self::Unauthorized(says),
            Refusal::Untrusted(says) => Self::Untrusted(says),
            Refusal::TooOften(retry_s) => Self::TooOften(retry_s),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match parts.extensions.get::<Identified>() {
            Some(Identified(found)) => found.clone().map_err(ApiError::from),
            None => Err(ApiError::Internal("nobody was asked who they are".into())),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Identity::from_request_parts(parts, state).await.map(|identity| Self(identity.caller))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Via {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let known = parts.extensions.get::<Self>().cloned();
        known.ok_or_else(|| ApiError::Internal("nobody was asked where they are".into()))
    }
}

/// Tells who asks. Refuses nobody: what needs no caller is answered all the same.
pub(super) async fn identify(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let found = whoever(&app.access, &parts, (app.now)()).and_then(|identity| {
        let taken = app.access.requests.take(&identity.caller.token);
        taken.map(|()| identity).map_err(Refusal::TooOften)
    });
    let peer = parts.extensions.get::<Peer>();
    let id = parts.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
    let who = match &found {
        Ok(identity) => identity.caller.name.clone().unwrap_or_else(|| "anyone".to_owned()),
        Err(_) => "nobody".to_owned(),
    };
    let origin = Origin {
        who,
        through: Through::Api,
        from: peer.map_or_else(|| "this process".to_owned(), |peer| peer.address.ip().to_string()),
        request: id.chars().take(REQUEST_ID_CHARS_MAX).collect(),
    };
    parts.extensions.insert(Identified(found));
    parts.extensions.insert(Via(origin));
    next.run(Request::from_parts(parts, body)).await
}

/// Whoever makes a request at `now`.
fn whoever(guard: &Guard, parts: &Parts, now: Timestamp) -> Result<Identity, Refusal> {
    let Parts { method, uri, headers, extensions, .. } = parts;
    let peer = extensions.get::<Peer>();
    let of = |caller, expires_at| Identity { caller, session: None, expires_at };
    if let Some(said) = headers.get(header::AUTHORIZATION) {
        let token =
            said.to_str().ok().and_then(bearer).and_then(|token| guard.registry.by_secret(token, now));
        let token = token.ok_or(Refusal::Unauthorized(UNKNOWN))?;
        return Ok(of(token.caller(), token.expires_at));
    }
    // A browser sends certificates and cookies along whoever makes it ask.
    if let Some(sha256) = peer.and_then(|peer| peer.certificate)
        && let Some(caller) = guard.registry.by_certificate(&sha256, now)
    {
        if same_site::is_unsafe(method) {
            same_site::not_elsewhere(headers, uri)?;
        }
        return Ok(of(caller, None));
    }
    if guard.registry.is_open() {
        if peer.is_some_and(|peer| !peer.address.ip().to_canonical().is_loopback()) {
            return Err(Refusal::Unauthorized(ONLY_HERE));
        }
        same_site::by_this_machines_name(headers, uri)?;
        if same_site::is_unsafe(method) {
            same_site::not_elsewhere(headers, uri)?;
        }
        return Ok(of(Caller::anyone(), None));
    }
    let cookie = session_cookie(headers, is_over_tls(peer)).ok_or(Refusal::Unauthorized(NEEDED))?;
    let used = guard.sessions.used(cookie, now).ok_or(Refusal::Unauthorized(OVER))?;
    let (session, begun) = used;
    let Some(token) = guard.registry.in_force(&begun.token, now) else {
        guard.sessions.end(session);
        return Err(Refusal::Unauthorized(OVER));
    };
    if same_site::is_unsafe(method) {
        same_site::from_here(headers, uri)?;
    }
    let ends_at = begun.ends_at();
    let expires_at = token.expires_at.map_or(ends_at, |at| at.min(ends_at));
    Ok(Identity { caller: token.caller(), session: Some(session), expires_at: Some(expires_at) })
}

/// Refuses what another site made a browser ask.
///
/// # Errors
/// When it is so.
pub(super) fn not_elsewhere(parts: &Parts) -> Result<(), ApiError> {
    Ok(same_site::not_elsewhere(&parts.headers, &parts.uri)?)
}

/// The token of an `Authorization`.
fn bearer(said: &str) -> Option<&str> {
    let (scheme, token) = said.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn is_over_tls(peer: Option<&Peer>) -> bool {
    peer.is_some_and(|peer| peer.tls)
}

/// The id of the session that a browser sends.
fn session_cookie(headers: &HeaderMap, tls: bool) -> Option<&str> {
    let name = if tls { COOKIE_OVER_TLS } else { COOKIE };
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(of, _)| *of == name).map(|(_, id)| id)
}

/// The cookie that a browser is given; it lasts `seconds`, 0 takes it away.
pub(super) fn cookie(id: &str, tls: bool, seconds: i64) -> String {
    let (name, secure) = if tls { (COOKIE_OVER_TLS, "; Secure") } else { (COOKIE, "") };
    format!("{name}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_by_their_name() {
        let mut headers = HeaderMap::new();
        let value = "a=b; meter95_session=one; __Host-meter95_session=two";
        headers.insert(header::COOKIE, value.parse().unwrap());
        assert_eq!(session_cookie(&headers, false), Some("one"));
        assert_eq!(session_cookie(&headers, true), Some("two"));
        assert_eq!(session_cookie(&HeaderMap::new(), true), None);
    }

    #[test]
    fn a_token_stands_after_its_scheme() {
        for (said, token) in [
            ("Bearer a", Some("a")),
            ("bearer  a ", Some("a")),
            ("Basic a", None),
            ("Bearer", None),
            ("", None),
        ] {
            assert_eq!(bearer(said), token, "{said}");
        }
    }
}
