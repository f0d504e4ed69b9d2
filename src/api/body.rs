//! Bodies of requests: text of any size up to a limit, and the small JSON objects in which a person says what to do.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use futures::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::errors::{ApiError, SoFar, clipped};
use super::limits::{REQUEST_TIME_MAX, SAID_CHARS_MAX, SAID_OCTETS_MAX};
use super::readings::unpack::Unpacker;
use crate::access::Caller;
use crate::collectors::check_name;

/// The only kind of body that is taken where a person says what to do. A form of another site can't send it without
/// the browser asking first.
const JSON: &str = "application/json";

/// The whole body as text of at most `octets_max`, unpacked where it is packed. `too_long` says so where it is longer.
///
/// # Errors
/// When it is too long, damaged, or not UTF-8.
pub(super) async fn text(
    headers: &HeaderMap,
    body: Body,
    octets_max: usize,
    too_long: fn() -> String,
) -> Result<String, ApiError> {
    let too_large = || ApiError::TooLarge { says: too_long(), so_far: SoFar::default() };
    let mut unpacker = Unpacker::of(headers)?;
    let (mut text, mut part) = (Vec::new(), Vec::new());
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| broken("the body broke off"))?;
        let mut rest = &piece[..];
        loop {
            part.clear();
            let step = unpacker
                .step(rest, &mut part)
                .map_err(|_| broken("the body is not what Content-Encoding says, or damaged"))?;
            text.append(&mut part);
            rest = &rest[step.used..];
            if text.len() > octets_max {
                return Err(too_large());
            }
            if rest.is_empty() && !step.more {
                break;
            }
            tokio::task::consume_budget().await;
        }
    }
    unpacker.end(&mut part).map_err(|_| broken("the packed body is damaged, or not complete"))?;
    text.append(&mut part);
    if text.len() > octets_max {
        return Err(too_large());
    }
    String::from_utf8(text).map_err(|_| broken("the body is not UTF-8"))
}

/// The name of whoever does something, as it is written.
#[derive(Debug, Deserialize)]
pub(super) struct Who(String);

/// A reason, as it is written.
#[derive(Debug, Deserialize)]
pub(super) struct Why(String);

/// What a person says in a small JSON object.
#[derive(Debug)]
pub(super) struct Said<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Said<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        said(&head.headers, body).await.map(Self)
    }
}

/// What a person says in a small JSON object.
///
/// # Errors
/// When it is declared as something else, too long, not complete in time, or has another shape: the field is named.
async fn said<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let kind = kind.unwrap_or_default();
    let is_json = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(JSON));
    if !is_json {
        return Err(ApiError::MediaType(kind.into_owned()));
    }
    let too_long = || format!("this takes at most {} KiB of JSON", SAID_OCTETS_MAX >> 10);
    let text = tokio::time::timeout(REQUEST_TIME_MAX, text(headers, body, SAID_OCTETS_MAX, too_long));
    let text = text.await.map_err(|_| ApiError::TooSlow(REQUEST_TIME_MAX.as_secs()))??;
    let mut reader = serde_json::Deserializer::from_str(&text);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|wrong| {
        let (field, says) = (wrong.path().to_string(), clipped_says(&wrong.inner().to_string()));
        match field.as_str() {
            "" | "." | "?" => ApiError::Wrong(says),
            _ => ApiError::Field { field, value: None, says },
        }
    })?;
    reader.end().map_err(|wrong| ApiError::Wrong(wrong.to_string()))?;
    Ok(parsed)
}

/// Who does something: by the `by` of what they say, or else by the token with which they say it.
///
/// # Errors
/// As [`check_name`], and where neither tells.
pub(super) fn by(caller: &Caller, by: Option<Who>) -> Result<String, ApiError> {
    let name = by.map(|Who(name)| name).or_else(|| caller.name.clone()).ok_or_else(|| ApiError::Field {
        field: "by".to_owned(),
        value: None,
        says: "missing; who does this?".to_owned(),
    })?;
    match check_name(&name) {
        Ok(()) => Ok(name),
        Err(e) => Err(ApiError::field("by", &name, e.to_string())),
    }
}

/// A reason, in words that are kept for good.
///
/// # Errors
/// When there is none, or it is too long.
pub(super) fn reason(field: &str, Why(reason): Why) -> Result<String, ApiError> {
    if reason.trim().is_empty() {
        return Err(ApiError::field(field, &reason, "this is kept with what is done: say why"));
    }
    if reason.chars().nth(SAID_CHARS_MAX).is_some() {
        let says = format!("longer than {SAID_CHARS_MAX} characters");
        return Err(ApiError::field(field, &clipped(&reason), says));
    }
    Ok(reason)
}

/// A body that can't be read, of which nothing was taken.
pub(super) fn broken(says: &str) -> ApiError {
    ApiError::Body { says: clipped_says(says), so_far: SoFar::default() }
}

/// What is said may quote long names of the request.
pub(super) fn clipped_says(says: &str) -> String {
    const CHARS_MAX: usize = 250;
    match says.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}...", &says[..at]),
        None => says.to_owned(),
    }
}
