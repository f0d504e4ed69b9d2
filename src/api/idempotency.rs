//! `Idempotency-Key`: what is asked for twice under one key is done once, and answered alike both times, also after a
//! restart (draft-ietf-httpapi-idempotency-key-header).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use meter95_reading::Timestamp;
use sha2::{Digest, Sha256};

use super::App;
use super::access::By;
use super::errors::ApiError;
use super::limits::SAID_OCTETS_MAX;
use crate::store::answers::Answer;
use crate::store::engine::hash::hex;

/// The request's header.
pub(super) const KEY: &str = "idempotency-key";

/// The answer's header that tells that nothing was done this time.
const REPLAYED: &str = "idempotency-replayed";

/// The longest key, in octets.
pub(super) const KEY_OCTETS_MAX: usize = 255;

/// The longest answer that is kept: that of the revisions of a large month.
const ANSWER_OCTETS_MAX: usize = 16 << 20;

/// Answers of this process that are on their way, by what they are kept under.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    under_way: Arc<Mutex<HashSet<String>>>,
}

/// A key that is held until its answer is kept.
struct Held {
    keys: Keys,
    id: String,
}

impl Keys {
    /// Holds a key; `None` where the same is under way.
    fn hold(&self, id: &str) -> Option<Held> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.insert(id.to_owned()).then(|| Held { keys: self.clone(), id: id.to_owned() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut under_way = self.keys.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.remove(&self.id);
    }
}

/// Does what is asked for under a key unless it was done before.
pub(super) async fn once(
    State((app, keys)): State<(App, Keys)>,
    By(caller): By,
    request: Request,
    next: Next,
) -> Response {
    let key = match key(request.headers()) {
        Ok(Some(key)) => key,
        Ok(None) => return next.run(request).await,
        Err(refused) => return refused.into_response(),
    };
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, SAID_OCTETS_MAX).await else {
        let says = format!("this takes at most {} KiB of JSON", SAID_OCTETS_MAX >> 10);
        return ApiError::Wrong(says).into_response();
    };
    let uri = head.uri.to_string();
    let who = caller.name.as_deref().unwrap_or_default();
    let id = digest(&[
        who.as_bytes(),
        head.method.as_str().as_bytes(),
        head.uri.path().as_bytes(),
        key.as_bytes(),
    ]);
    let asked = digest(&[uri.as_bytes(), &body]);
    let Some(held) = keys.hold(&id) else {
        let says = format!("the same is being done right now under {KEY} {key:?}; ask again when it is over");
        return ApiError::NotNow { says, soon: true, held_back: Vec::new() }.into_response();
    };
    match app.store.answer(&id).await {
        Ok(Some(answer)) if answer.asked == asked => return replayed(answer),
        Ok(Some(_)) => {
            let says =
                format!("something else was asked for under {KEY} {key:?}; take a new key for what is new");
            return ApiError::NotNow { says, soon: false, held_back: Vec::new() }.into_response();
        }
        Ok(None) => {}
        Err(error) => return ApiError::from(error).into_response(),
    }
    let request = Request::from_parts(head, Body::from(body));
    // It goes on, and its answer is kept, whether or not the client waits.
    let done = tokio::spawn(async move {
        let response = next.run(request).await;
        let response = keep(&app, &id, asked, response).await;
        drop(held);
        response
    });
    done.await.unwrap_or_else(|e| ApiError::Internal(e.into()).into_response())
}

/// The key of a request, if any.
fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let visible =
        !text.is_empty() && text.len() <= KEY_OCTETS_MAX && text.bytes().all(|b| b.is_ascii_graphic());
    if !visible {
        let says = format!("this must be 1 to {KEY_OCTETS_MAX} characters of ASCII without white space");
        return Err(ApiError::field(KEY, &text, says));
    }
    if values.next().is_some() {
        return Err(ApiError::field(KEY, &text, "given twice"));
    }
    Ok(Some(text.into_owned()))
}

/// Keeps an answer that will not be another one the next time.
async fn keep(app: &App, id: &str, asked: String, response: Response) -> Response {
    let status = response.status();
    let may_change = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    if may_change || response.headers().contains_key(header::RETRY_AFTER) {
        return response;
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let (head, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, ANSWER_OCTETS_MAX).await else {
        return ApiError::Internal("an answer is too long to be kept".into()).into_response();
    };
    let answer =
        Answer { asked, status: status.as_u16(), kind, body: String::from_utf8_lossy(&body).into_owned() };
    let at: Timestamp = (app.now)();
    if let Err(error) = app.store.put_answer(id, at, &answer).await {
        // What was done is done; asked for again, most acts tell so themselves.
        tracing::error!(error = %error, "answer to a request with a key is not kept");
    }
    Response::from_parts(head, Body::from(body))
}

/// An answer as it was given before.
fn replayed(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Bytes::from(answer.body)).into_response();
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    if let Ok(kind) = HeaderValue::from_str(&answer.kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// The hash of some parts, in hexadecimal digits.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}
