//! Who asks, and whether they may: each group of routes is open to some roles, and to limited callers or not.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::errors::ApiError;
use crate::access::{Caller, Role};

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

impl Access {
    /// Whether it is open to a caller.
    pub(super) fn is_open_to(self, caller: &Caller) -> bool {
        let role = caller.role == Role::Admin || self.roles.contains(&caller.role);
        role && (self.limited || caller.limit.is_none())
    }
}

/// Lets those in to whom the group is open.
pub(super) async fn admit(
    State(access): State<Access>,
    By(caller): By,
    request: Request,
    next: Next,
) -> Response {
    if access.is_open_to(&caller) {
        next.run(request).await
    } else {
        ApiError::Forbidden { role: caller.role, limited: !caller.limit.is_none() }.into_response()
    }
}

/// Whoever asks.
#[derive(Debug, Clone)]
pub(super) struct By(pub(super) Caller);

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let known = parts.extensions.get::<Self>().cloned();
        known.ok_or_else(|| ApiError::Internal("nobody was asked who they are".into()))
    }
}

/// Tells who asks.
pub(super) async fn identify(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(By(Caller::anyone()));
    next.run(request).await
}
