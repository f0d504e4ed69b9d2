//! Whether a browser was sent here by a page of this very service, and by the name of this machine where nobody need
//! say who they are.

use axum::http::{HeaderMap, Method, Uri, header};

use super::Refusal;

/// Says which site's page made a browser ask (Fetch Metadata).
const FETCH_SITE: &str = "sec-fetch-site";

/// What proxies add; who comes through one is not on this machine, whatever the connection says.
const FORWARDED: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// Whether a request may change something.
pub(super) fn is_unsafe(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Refuses what another site made a browser ask. What is no browser's has neither header, and passes.
///
/// # Errors
/// When the browser says that it is another site's, or does not say whose.
pub(super) fn not_elsewhere(headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
    let elsewhere = Err(Refusal::Untrusted("another site's page asks for this, which it may not"));
    match text(headers, FETCH_SITE) {
        Some("same-origin" | "none") => Ok(()),
        Some(_) => elsewhere,
        None if !headers.contains_key(header::ORIGIN) || origin_is_host(headers, uri) => Ok(()),
        None => elsewhere,
    }
}

/// Refuses what no page of this service made a browser ask: for what is done by a cookie, which goes along unasked.
///
/// # Errors
/// When the browser does not say that a page of this service asks.
pub(super) fn from_here(headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
    let is_here = match text(headers, FETCH_SITE) {
        Some(site) => site == "same-origin",
        None => origin_is_host(headers, uri),
    };
    if is_here {
        Ok(())
    } else {
        Err(Refusal::Untrusted("a session works from the dashboard's own pages alone"))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // What can't be read is something, and nothing good.
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// Whether `Origin` names the host that is asked.
fn origin_is_host(headers: &HeaderMap, uri: &Uri) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let origin = origin.and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.zip(host(headers, uri)).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
}

/// The host that is asked, with its port.
fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(header::HOST).map(|value| value.to_str().unwrap_or("?")),
    }
}

/// Refuses whoever may not be on this machine: who came through a proxy, or by a name that may be another machine's
/// (DNS rebinding). Every browser says by which name it came.
///
/// # Errors
/// When it is so.
pub(super) fn by_this_machines_name(headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
    if FORWARDED.iter().any(|name| headers.contains_key(*name)) {
        return Err(Refusal::Untrusted(
            "this came through a proxy, and no token was ever made here: meter95 token create NAME --role ROLE",
        ));
    }
    if host(headers, uri).is_none_or(is_loopback) && headers.get_all(header::HOST).iter().count() < 2 {
        return Ok(());
    }
    Err(Refusal::Untrusted(
        "no token was ever made here, so this service answers by the name localhost alone: open that, or make a token: \
         meter95 token create NAME --role ROLE",
    ))
}

/// Whether a host, with or without its port, is always this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(address, _)| address),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn names_of_this_machine() {
        for (host, is) in [
            ("localhost", true),
            ("LOCALHOST:9595", true),
            ("127.0.0.1", true),
            ("127.8.9.1:80", true),
            ("[::1]:9595", true),
            ("[::ffff:127.0.0.1]", true),
            ("", false),
            ("localhost.example.com", false),
            ("localhost.", false),
            ("127.0.0.1.example.com:9595", false),
            ("192.0.2.1", false),
            ("[::1", false),
            ("::1", false),
            ("user@localhost", false),
        ] {
            assert_eq!(is_loopback(host), is, "{host}");
        }
    }

    #[test]
    fn who_sent_a_browser() {
        let uri = Uri::from_static("/v1/session");
        for (all, elsewhere, here) in [
            (&[][..], false, false),
            (&[("sec-fetch-site", "same-origin")], false, true),
            (&[("sec-fetch-site", "none")], false, false),
            (&[("sec-fetch-site", "same-site")], true, false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")], true, false),
            (&[("origin", "http://a:9595"), ("host", "a:9595")], false, true),
            (&[("origin", "http://b:9595"), ("host", "a:9595")], true, false),
            (&[("origin", "null"), ("host", "a:9595")], true, false),
            (&[("origin", "http://a")], true, false),
        ] {
            let all = headers(all);
            assert_eq!(not_elsewhere(&all, &uri).is_err(), elsewhere, "{all:?}");
            assert_eq!(from_here(&all, &uri).is_ok(), here, "{all:?}");
        }
    }
}
