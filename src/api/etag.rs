//! Entity tags (RFC 9110, sections 8.8.3 and 13.1.2): who has the newest answer already is told so, and not sent it again.

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::store::engine::hash::hex;

/// The longest answer that gets a tag: a longer one is streamed, and never as a whole in memory once more.
const TAGGED_OCTETS_MAX: u64 = 8 << 20;

/// Tags answers of which the length is known, and leaves out what the client has already.
pub(super) async fn tagged(request: Request, next: Next) -> Response {
    let readable = request.method() == Method::GET || request.method() == Method::HEAD;
    let headers = if readable { request.headers().clone() } else { HeaderMap::new() };
    let response = next.run(request).await;
    let small = response.body().size_hint().upper().is_some_and(|octets| octets <= TAGGED_OCTETS_MAX);
    let wanted = readable && small && response.status() == StatusCode::OK;
    if !wanted || response.headers().contains_key(header::ETAG) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(octets) = axum::body::to_bytes(body, usize::MAX).await else {
        // A body of known length is in memory already.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = of(&Sha256::digest(&octets).into());
    head.headers.insert(header::ETAG, tag.clone());
    // A browser may keep what it asks for again each time.
    head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if is_known(&headers, &tag) {
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(header::CONTENT_TYPE);
        head.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(head, Body::empty());
    }
    Response::from_parts(head, Body::from(octets))
}

/// The tag of a content by its hash. Weak, since the same content may be sent packed or not.
pub(super) fn of(sha256: &[u8; 32]) -> HeaderValue {
    HeaderValue::from_str(&format!("W/\"{}\"", hex(sha256))).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Whether the client has what has this tag.
pub(super) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let own = opaque(tag.to_str().unwrap_or_default());
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut known = known.filter_map(|value| value.to_str().ok()).flat_map(|tags| tags.split(','));
    known.any(|one| one.trim() == "*" || opaque(one) == own)
}
