//! A name for each request, in its answer and in all that is logged about it.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

/// The header, of requests and answers.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// The longest name that a client may give, in characters: that of a trace has 55.
const CHARS_MAX: usize = 64;

/// Names a request, by the name that a client or proxy gave it where that is one.
pub(super) async fn give(mut request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(made);
    let span = tracing::info_span!("request", request_id = id, method = %request.method(), path = request.uri().path());
    let Ok(value) = HeaderValue::from_str(&id) else {
        // Of letters, digits and signs, it is one.
        return next.run(request).await;
    };
    request.headers_mut().insert(REQUEST_ID, value.clone());
    let mut response = next.run(request).instrument(span).await;
    response.headers_mut().insert(REQUEST_ID, value);
    response
}

fn given(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let may = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=CHARS_MAX)
        .contains(&text.len())
        .then_some(text)
        .filter(|text| text.chars().all(may))
        .map(str::to_owned)
}

fn made() -> String {
    format!("{:032x}", rand::random::<u128>())
}
