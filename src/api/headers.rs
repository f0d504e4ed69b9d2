//! What every answer tells a browser to do, and not to do.

use axum::http::{HeaderValue, header};
use axum::response::Response;

/// Scripts, styles and figures from here only, but for signs that a style sheet holds itself; nobody may frame the page, nothing may be sent elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds the headers. Figures are not to be kept by anything in between; the dashboard's files say themselves for how
/// long they may be.
pub(super) async fn add(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
