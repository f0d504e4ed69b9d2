//! Every refusal: its status, what the client is told, and what only the log is told; [`closing`] has those of acts of
//! closing, [`cases`] those of steps of cases.

mod cases;
mod closing;

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::events::streams::Full;
use super::inventory::Contradiction;
use crate::access::Role;
use crate::aggregator::intake::IntakeError;
use crate::store::connection::StoreError;
use crate::usage::UsageError;

/// The kind of every refusal's body (RFC 9457).
pub(super) const PROBLEM: &str = "application/problem+json";

/// How much of a value from a request is shown back, in characters. No month and no instant is as long.
pub(super) const VALUE_CHARS_MAX: usize = 100;

/// Contradictions that are listed at most: whoever has put these right may ask for more.
const PROBLEMS_MAX: usize = 100;

/// After how many seconds a request that was turned away may come again: the intake empties within a second or two.
const RETRY_AFTER_S: u64 = 2;

/// After how many seconds another stream of events may be tried: people close a page now and then.
const STREAM_AFTER_S: u64 = 60;

/// What was already taken of a body when it was refused. To send all of it again does no harm: what was taken is
/// stale then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub(super) struct SoFar {
    /// Readings that are stored.
    pub(super) taken: u64,
    /// Readings not newer than what is known of their port.
    pub(super) stale: u64,
    /// Lines that are no readings, and readings of ports over the number that there may be.
    pub(super) refused: u64,
}

/// Why a request is not answered as wished.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// There is nothing under this path.
    #[error("there is nothing at {}", clipped(.0))]
    UnknownRoute(String),
    /// There is, but not for this method.
    #[error("{} can't be used on {}", clipped(.0), clipped(.1))]
    WrongMethod(String, String),
    /// The inventory has no such server.
    #[error("there is no server {:?} in the inventory", clipped(.0))]
    UnknownServer(String),
    /// There is no such statement, exclusion or the like.
    #[error("{0}")]
    Unknown(String),
    /// A request that makes no sense as a whole.
    #[error("{0}")]
    Wrong(String),
    /// A part of the request has a value that can't be, or is missing.
    #[error("{field}: {says}")]
    Field {
        /// The part: a query field, path segment or header.
        field: String,
        /// What stands there; `None` where it is missing.
        value: Option<String>,
        /// What is wrong with it.
        says: String,
    },
    /// A body that can't be read to its end.
    #[error("{says}")]
    Body {
        /// What is wrong with it.
        says: String,
        /// What was taken of it.
        so_far: SoFar,
    },
    /// An inventory that contradicts itself, or would lose something.
    #[error("{}", Contradiction::summary(.0))]
    Contradictions(Vec<Contradiction>),
    /// What is asked for can't be done now.
    #[error("{says}")]
    NotNow {
        /// Why not.
        says: String,
        /// Whether it goes away by itself within moments.
        soon: bool,
        /// The collectors that are in the way, each in a sentence.
        held_back: Vec<String>,
    },
    /// The answer is not awaited any longer, but what was asked for goes on.
    #[error("this takes longer than {0} s and goes on; GET /v1/periods/MONTH tells how far it is")]
    GoesOn(u64),
    /// An inventory that was not made from the one in force.
    #[error("{0}")]
    Outdated(String),
    /// A body over a limit.
    #[error("{says}")]
    TooLarge {
        /// Which limit, and what to do.
        says: String,
        /// What was taken of it.
        so_far: SoFar,
    },
    /// A body that is packed in a way that is not known.
    #[error("Content-Encoding is {:?}; send the body plain, or as gzip or zstd", clipped(.0))]
    Encoding(String),
    /// A body of another kind than is taken.
    #[error("Content-Type is {:?}; send application/json", clipped(.0))]
    MediaType(String),
    /// What is accepted is none of what there is.
    #[error("Accept is {:?}; there are application/json and text/csv", clipped(.0))]
    NotAcceptable(String),
    /// The intake is full.
    #[error("too many readings are waiting to be stored; send these again in {RETRY_AFTER_S} s")]
    Busy(SoFar),
    /// Nobody who is known.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// It may not be them who asks.
    #[error("{0}")]
    Untrusted(&'static str),
    /// They ask too often.
    #[error("too many requests; try again in {0} s")]
    TooOften(u64),
    /// More streams of events than may be open.
    #[error(transparent)]
    TooManyStreams(Full),
    /// Somebody who may not.
    #[error(
        "{} may not do this", match (.limited, .role) {
            (true, role) => format!("a token of the role {} that is limited to a customer or region", role.name()),
            (false, role) => format!("a token of the role {}", role.name()),
        }
    )]
    Forbidden {
        /// Their role.
        role: Role,
        /// Whether they see only a part of the site.
        limited: bool,
    },
    /// More requests at once than are served.
    #[error("too many requests at once; try again in {RETRY_AFTER_S} s")]
    Overloaded,
    /// The answer was not ready in time.
    #[error("this took longer than {0} s; try again, and ask for less if you can")]
    TooSlow(u64),
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping(SoFar),
    /// The service can't do its work now.
    #[error("not ready: {0}")]
    NotReady(String),
    /// The store can't be read.
    #[error("the store does not answer; try again in a moment")]
    Store(#[source] StoreError),
    /// What is stored, or held, makes no sense.
    #[error("the figures can't be told; the service's log says why")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No metrics are recorded in this process.
    #[error("this process records no metrics")]
    NoMetrics,
}

/// The body of a refusal (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem<'a> {
    r#type: &'static str,
    /// The status in words.
    title: &'a str,
    status: u16,
    /// What is wrong.
    detail: String,
    /// The query field, path segment, header or place of the body that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// What stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// Everything that is wrong with an inventory.
    /// Readings of the body that are stored all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken: Option<u64>,
    /// Readings of it not newer than what is known of their port.
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<u64>,
    /// Lines of it that are no readings, and readings of ports over the number that there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<u64>,
    #[serde(skip_serializing_if = "<[Contradiction]>::is_empty")]
    problems: &'a [Contradiction],
    /// The collectors that are in the way.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    held_back: &'a [String],
}

impl ApiError {
    /// A query field whose `value` can't be.
    pub(super) fn field(field: &str, value: &str, says: impl Into<String>) -> Self {
        Self::Field { field: field.to_owned(), value: Some(value.to_owned()), says: says.into() }
    }

    /// Readings that the intake did not take, after what was taken of the same body.
    pub(super) fn not_taken(error: IntakeError, so_far: SoFar) -> Self {
        match error {
            IntakeError::Busy => Self::Busy(so_far),
            IntakeError::Stopping => Self::Stopping(so_far),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownRoute(_) | Self::UnknownServer(_) | Self::Unknown(_) | Self::NoMetrics => {
                StatusCode::NOT_FOUND
            }
            Self::WrongMethod(..) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Field { .. } | Self::Wrong(_) | Self::Body { .. } | Self::Contradictions(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden { .. } | Self::Untrusted(_) => StatusCode::FORBIDDEN,
            Self::Outdated(_) | Self::NotNow { .. } => StatusCode::CONFLICT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding(_) | Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Busy(_) | Self::TooOften(_) | Self::TooManyStreams(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
            Self::Overloaded
            | Self::TooSlow(_)
            | Self::GoesOn(_)
            | Self::Stopping(_)
            | Self::NotReady(_)
            | Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A header that goes with the refusal.
    fn header(&self) -> Option<(header::HeaderName, HeaderValue)> {
        match self {
            Self::Encoding(_) => Some((header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, zstd"))),
            Self::Unauthorized(_) => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Self::TooOften(retry_s) => Some((header::RETRY_AFTER, HeaderValue::from(*retry_s))),
            Self::TooManyStreams(_) => Some((header::RETRY_AFTER, HeaderValue::from(STREAM_AFTER_S))),
            Self::Busy(_)
            | Self::Overloaded
            | Self::TooSlow(_)
            | Self::GoesOn(_)
            | Self::Stopping(_)
            | Self::NotNow { soon: true, .. }
            | Self::Store(_) => Some((header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S))),
            Self::UnknownRoute(_)
            | Self::WrongMethod(..)
            | Self::UnknownServer(_)
            | Self::Unknown(_)
            | Self::Wrong(_)
            | Self::NotNow { soon: false, .. }
            | Self::MediaType(_)
            | Self::NotAcceptable(_)
            | Self::Forbidden { .. }
            | Self::Untrusted(_)
            | Self::Field { .. }
            | Self::Body { .. }
            | Self::Contradictions(_)
            | Self::Outdated(_)
            | Self::TooLarge { .. }
            | Self::NotReady(_)
            | Self::Internal(_)
            | Self::NoMetrics => None,
        }
    }

    fn so_far(&self) -> Option<SoFar> {
        match self {
            Self::Body { so_far, .. }
            | Self::TooLarge { so_far, .. }
            | Self::Busy(so_far)
            | Self::Stopping(so_far) => Some(*so_far),
            _ => None,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Contents(_) => Self::Internal(error.into()),
            StoreError::Outdated { .. } | StoreError::Issued { .. } => Self::Outdated(error.to_string()),
            StoreError::Engine(_) | StoreError::ClickHouse { .. } => Self::Store(error),
        }
    }
}

impl From<UsageError> for ApiError {
    fn from(error: UsageError) -> Self {
        match error {
            UsageError::Store(error) => error.into(),
            UsageError::Exhausted(..) | UsageError::NoMonth | UsageError::Ended => {
                Self::Internal(error.into())
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match &self {
            Self::Store(error) => {
                tracing::error!(error = %error, "request needs a store that does not answer")
            }
            Self::Internal(error) => tracing::error!(error = %error, "request can't be answered"),
            _ => {}
        }
        let status = self.status();
        let (field, value) = match &self {
            Self::Field { field, value, .. } => (Some(clipped(field)), value.as_deref().map(clipped)),
            Self::Contradictions(problems) => match problems.first() {
                Some(first) => (Some(clipped(&first.at)), first.value.clone()),
                None => (None, None),
            },
            _ => (None, None),
        };
        let problems: &[Contradiction] = match &self {
            Self::Contradictions(problems) => problems,
            _ => &[],
        };
        let held_back: &[String] = match &self {
            Self::NotNow { held_back, .. } => held_back,
            _ => &[],
        };
        let so_far = self.so_far();
        let listed = problems.len().min(PROBLEMS_MAX);
        let problem = Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: self.to_string(),
            field: field.as_deref(),
            value,
            taken: so_far.map(|so_far| so_far.taken),
            stale: so_far.map(|so_far| so_far.stale),
            refused: so_far.map(|so_far| so_far.refused),
            problems: &problems[..listed],
            held_back,
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, PROBLEM)];
        let mut response = (status, kind, body).into_response();
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// What is answered where the path is known and the method is not; the router adds `Allow`.
pub(super) async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::WrongMethod(method.to_string(), uri.path().to_owned())
}

/// The beginning of a text from a request.
pub(super) fn clipped(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_told_more_than_the_client() {
        let error = ApiError::from(StoreError::Contents("ports are not numbered".to_owned()));
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!error.to_string().contains("ports"));
    }

    #[test]
    fn long_values_are_clipped_between_characters() {
        assert_eq!(clipped("a"), "a");
        assert_eq!(clipped(&"ä".repeat(101)), format!("{}...", "ä".repeat(100)));
    }
}
