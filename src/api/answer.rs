//! How a list is answered: as JSON, or as CSV (RFC 4180) for whoever accepts `text/csv` rather or adds `.csv` to the path.
//!
//! CSV has the same lines with the same figures, what is nested in columns of its own. Of a list without a `limit` it has all
//! lines, and is sent in pieces as it is made. Where more lines follow, the header `Link` says where (RFC 8288), and so
//! does `next` in JSON.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tower::ServiceExt as _;

use super::errors::ApiError;
use super::page::Cursor;
use crate::closing::table::{Cell, csv_row};

/// Paths of lists, which may have `.csv` added; and before and after what names a server.
const LISTS: [&str; 5] = ["/v1/usage", "/v1/servers", "/v1/uplinks", "/v1/devices", "/v1/collectors"];
const OF_SERVER: (&str, &str) = ("/v1/servers/", "/samples");

/// What is added to them.
const SUFFIX: &str = ".csv";

/// Lines that are sent as one piece: some 100 KB.
const PIECE_LINES: usize = 500;

/// What an answer is wished as, and where it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Way {
    csv: bool,
    uri: Uri,
}

/// That CSV was asked for by the path, which was this.
#[derive(Debug, Clone)]
struct BySuffix(Uri);

/// The same routes, and lists of them as CSV under their paths with `.csv` added. What else ends like that is left as it
/// is: it may be a name.
pub(super) fn with_suffix(router: Router) -> Router {
    Router::new().fallback_service(router.map_request(note_suffix as fn(Request) -> Request))
}

fn note_suffix(mut request: Request) -> Request {
    if let Some(uri) = without_suffix(request.uri()) {
        let asked = std::mem::replace(request.uri_mut(), uri);
        request.extensions_mut().insert(BySuffix(asked));
    }
    request
}

fn without_suffix(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_suffix(SUFFIX)?;
    let of_server = path.strip_prefix(OF_SERVER.0).and_then(|rest| rest.strip_suffix(OF_SERVER.1));
    if !LISTS.contains(&path) && of_server.is_none_or(|id| id.is_empty() || id.contains('/')) {
        return None;
    }
    let whole = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(whole).ok()?);
    Uri::from_parts(parts).ok()
}

impl<S: Send + Sync> FromRequestParts<S> for Way {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if let Some(BySuffix(uri)) = parts.extensions.get() {
            return Ok(Self { csv: true, uri: uri.clone() });
        }
        Ok(Self { csv: prefers_csv(&parts.headers)?, uri: parts.uri.clone() })
    }
}

/// Whether CSV is accepted rather than JSON; either will do for whoever does not say.
fn prefers_csv(headers: &HeaderMap) -> Result<bool, ApiError> {
    let lines = headers.get_all(header::ACCEPT).iter();
    let accepts: Vec<String> =
        lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect();
    if accepts.iter().all(|line| line.trim().is_empty()) {
        return Ok(false);
    }
    let ranges: Vec<(String, u32)> = accepts.iter().flat_map(|line| line.split(',')).map(range).collect();
    let [json, csv] = ["application/json", "text/csv"].map(|kind| weight(&ranges, kind));
    if json == 0 && csv == 0 {
        return Err(ApiError::NotAcceptable(accepts.join(", ")));
    }
    Ok(csv > json)
}

/// A media range and its weight, in thousandths.
fn range(text: &str) -> (String, u32) {
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    (kind, weight.map_or(1_000, thousandths))
}

/// `0.75` in thousandths; 0 for what is no weight.
fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    match whole {
        "1" => 1_000,
        "0" if fraction.len() <= 3 => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

/// The weight of a kind: that of the range that says most of it.
fn weight(ranges: &[(String, u32)], kind: &str) -> u32 {
    let family = kind.split('/').next().unwrap_or_default();
    let of = |wanted: &str| ranges.iter().find(|(range, _)| range == wanted).map(|(_, weight)| *weight);
    of(kind).or_else(|| of(&format!("{family}/*"))).or_else(|| of("*/*")).unwrap_or(0)
}

impl Way {
    /// Whether it is CSV.
    pub(super) fn is_csv(&self) -> bool {
        self.csv
    }

    /// Where the lines after `cursor` are: the same question with another cursor, which says itself where they begin.
    pub(super) fn next(&self, cursor: Option<&Cursor>) -> Option<String> {
        let cursor = cursor?.text();
        let fields = self.uri.query().unwrap_or_default().split('&');
        let begins = |field: &str| field.starts_with("cursor=") || field.starts_with("offset=");
        let mut fields: Vec<&str> = fields.filter(|field| !field.is_empty() && !begins(field)).collect();
        let cursor = format!("cursor={cursor}");
        fields.push(&cursor);
        Some(format!("{}?{}", self.uri.path(), fields.join("&")))
    }

    /// The answer as JSON, with `next` as a link.
    ///
    /// # Errors
    /// Never for what can be written as JSON.
    pub(super) fn json<T: Serialize>(&self, answer: &T, next: Option<&str>) -> Result<Response, ApiError> {
        let body = serde_json::to_vec(answer).map_err(|error| ApiError::Internal(error.into()))?;
        Ok(self.headed("application/json", body.into(), next))
    }

    /// `rows` under `columns` as CSV, with `next` as a link; in pieces where there are many, each made when it is sent.
    pub(super) fn csv(
        &self,
        columns: &'static [&'static str],
        rows: impl Iterator<Item = Vec<Cell>> + Send + 'static,
        next: Option<&str>,
    ) -> Response {
        let headings = columns.iter().map(|name| Cell::Word((*name).to_owned())).collect();
        let mut rows = std::iter::once(headings).chain(rows).peekable();
        let mut pieces = std::iter::from_fn(move || {
            let mut text = String::new();
            rows.by_ref().take(PIECE_LINES).for_each(|row| csv_row(&mut text, &row));
            (!text.is_empty()).then(|| (text, rows.peek().is_none()))
        });
        let body = match pieces.next() {
            Some((text, true)) => text.into(),
            Some((text, false)) => {
                let pieces = std::iter::once(text).chain(pieces.map(|(text, _)| text));
                Body::from_stream(futures::stream::iter(pieces.map(Ok::<_, Infallible>)))
            }
            None => Body::empty(),
        };
        self.headed("text/csv; charset=utf-8; header=present", body, next)
    }

    fn headed(&self, kind: &'static str, body: Body, next: Option<&str>) -> Response {
        let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("accept"));
        let link = next.and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok());
        if let Some(link) = link {
            headers.insert(header::LINK, link);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_is_taken_off_lists_only() {
        for (path, plain) in [
            ("/v1/usage.csv", Some("/v1/usage")),
            ("/v1/usage.csv?sort=p95&limit=2", Some("/v1/usage?sort=p95&limit=2")),
            ("/v1/servers/web%2F01.csv/samples.csv?a=b", Some("/v1/servers/web%2F01.csv/samples?a=b")),
            ("/v1/servers/web01.csv", None),
            ("/v1/servers/web01.csv/samples", None),
            ("/v1/servers//samples.csv", None),
            ("/v1/servers/samples.csv", None),
            ("/v1/servers/a/b/samples.csv", None),
            ("/v1/devices/sw1.csv", None),
            ("/v1/usage", None),
            ("/.csv", None),
        ] {
            let found = without_suffix(&path.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), plain, "{path}");
        }
    }

    #[test]
    fn the_kind_is_negotiated() {
        for (accept, csv) in [
            ("", Some(false)),
            ("*/*", Some(false)),
            ("application/json", Some(false)),
            ("text/csv", Some(true)),
            ("TEXT/CSV; header=present", Some(true)),
            ("text/*", Some(true)),
            ("text/csv, application/json", Some(false)),
            ("text/csv, application/json;q=0.9", Some(true)),
            ("text/csv;q=0.5, */*;q=0.1", Some(true)),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(false)),
            ("text/html", None),
            ("text/csv;q=0", None),
            ("text/csv;q=none", None),
            ("*/*;q=0", None),
            ("application/json;q=0, */*", Some(true)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
            assert_eq!(prefers_csv(&headers).ok(), csv, "{accept}");
        }
        assert!(!prefers_csv(&HeaderMap::new()).unwrap());
    }

    #[test]
    fn the_next_page_is_asked_for_in_the_same_way() {
        let cursor = Cursor::new("usage p95", 0, "a");
        for (asked, next) in [
            ("/v1/usage", "/v1/usage?cursor="),
            ("/v1/usage.csv?sort=p95&cursor=x&region=a%26b", "/v1/usage.csv?sort=p95&region=a%26b&cursor="),
            ("/v1/usage?offset=200&q=web+c1", "/v1/usage?q=web+c1&cursor="),
        ] {
            let way = Way { csv: false, uri: asked.parse().unwrap() };
            assert_eq!(way.next(Some(&cursor)), Some(format!("{next}{}", cursor.text())));
            assert_eq!(way.next(None), None);
        }
    }

    #[tokio::test]
    async fn many_lines_are_sent_in_pieces() {
        let way = Way { csv: true, uri: Uri::from_static("/v1/x") };
        for (lines, whole) in [(0_u32, true), (499, true), (500, false), (10_000, false)] {
            let rows = (0..lines).map(|line| vec![Cell::Whole(line.into()), Cell::Text("=a".to_owned())]);
            let response = way.csv(&["a", "b"], rows, Some("/v1/x?cursor=y"));
            assert_eq!(response.headers()[header::LINK], "</v1/x?cursor=y>; rel=\"next\"");
            let body = response.into_body();
            assert_eq!(axum::body::HttpBody::size_hint(&body).exact().is_some(), whole, "{lines}");
            let text = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let expected: String = (0..lines).map(|line| format!("{line},'=a\r\n")).collect();
            assert_eq!(String::from_utf8_lossy(&text), format!("a,b\r\n{expected}"));
        }
    }
}
