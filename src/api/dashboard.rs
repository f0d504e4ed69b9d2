//! The dashboard's files, as they were when the service was compiled.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::errors::ApiError;
use super::etag;
use crate::embedded::{self, File};

/// Names of files in this folder change with their content.
const HASHED: &str = "assets/";

/// The page.
const INDEX: &str = "index.html";

/// The reference of the API.
const DOCS: &str = "docs.html";

/// For files that never change: a year, the longest that is commonly used.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// For files that may change with every release: kept, but asked for again each time.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// What `/` says where nothing is embedded.
const NOT_BUILT: &str = "The dashboard is not in this build of meter95. To build it:\n\n  \
    cd dashboards/web\n  npm ci\n  npm run build\n\nthen build meter95 again. The API is here all the same: /v1/usage, /v1/servers.\n";

/// `GET /`.
pub(super) async fn index(headers: HeaderMap) -> Response {
    match embedded::file(INDEX) {
        Some(file) => send(INDEX, file, &headers),
        None => (StatusCode::NOT_FOUND, NOT_BUILT).into_response(),
    }
}

/// `GET /docs`.
pub(super) async fn docs(headers: HeaderMap) -> Response {
    match embedded::file(DOCS) {
        Some(file) => send(DOCS, file, &headers),
        None => (StatusCode::NOT_FOUND, NOT_BUILT).into_response(),
    }
}

/// Any path that is no route: a file, or nothing.
pub(super) async fn file(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let readable = method == Method::GET || method == Method::HEAD;
    match embedded::file(path).filter(|_| readable) {
        Some(file) => send(path, file, &headers),
        None => ApiError::UnknownRoute(uri.path().to_owned()).into_response(),
    }
}

fn send(path: &str, file: File, headers: &HeaderMap) -> Response {
    let cache = if path.starts_with(HASHED) { FOR_GOOD } else { ASK_AGAIN };
    let tag = etag::of(&file.sha256);
    let known = etag::is_known(headers, &tag);
    let head = [(header::CACHE_CONTROL, cache), (header::ETAG, tag)];
    if known {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    let kind = [(header::CONTENT_TYPE, content_type(path))];
    (head, kind, file.content).into_response()
}

fn content_type(path: &str) -> HeaderValue {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    let text = if guess.type_() == mime_guess::mime::TEXT { "; charset=utf-8" } else { "" };
    HeaderValue::from_str(&format!("{guess}{text}"))
        .unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn sent(path: &str, known: Option<&str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(known) = known {
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(known).unwrap());
        }
        let content = Cow::Borrowed(&b"content"[..]);
        send(path, File { content, sha256: [7; 32] }, &headers)
    }

    #[test]
    fn hashed_files_are_kept_for_good_and_others_asked_for_again() {
        for (path, cache, kind) in [
            ("index.html", "no-cache", "text/html; charset=utf-8"),
            ("favicon.svg", "no-cache", "image/svg+xml"),
            ("assets/index-Bc1.js", "public, max-age=31536000, immutable", "text/javascript; charset=utf-8"),
            ("assets/index-Bc1.css", "public, max-age=31536000, immutable", "text/css; charset=utf-8"),
        ] {
            let response = sent(path, None);
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()[header::CACHE_CONTROL], cache, "{path}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], kind, "{path}");
        }
    }

    #[test]
    fn a_file_that_is_known_is_not_sent_again() {
        let tag = sent("index.html", None).headers()[header::ETAG].to_str().unwrap().to_owned();
        let strong = tag.trim_start_matches("W/");
        for known in [&tag, strong, "*", &format!("\"other\", {tag}")] {
            assert_eq!(sent("index.html", Some(known)).status(), StatusCode::NOT_MODIFIED, "{known}");
        }
        assert_eq!(sent("index.html", Some("\"other\"")).status(), StatusCode::OK);
    }
}
