//! Requests to destinations over HTTP: no redirects, an answer in time, and little of its body.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use super::parcel::{Verdict, clipped, said};

/// How much of a body is read, in octets.
const BODY_OCTETS_MAX: usize = 2_048;

/// How long is waited for a body, whose status has told everything.
const BODY_TIME_MAX: Duration = Duration::from_secs(2);

/// How long a connection may take; the rest of the time is for the answer.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// How we are known.
const USER_AGENT: &str = concat!("meter95/", env!("CARGO_PKG_VERSION"));

/// A client that waits so long for an answer.
///
/// # Errors
/// When this system has no TLS to be used.
pub fn client(timeout: Duration) -> reqwest::Result<Client> {
    // An error is that another part of the process has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIME_MAX.min(timeout))
        .timeout(timeout)
        .user_agent(USER_AGENT)
        .build()
}

/// Sends a message and tells what came of it: a status of 2xx has taken it, whatever is said besides.
pub async fn send(request: RequestBuilder) -> Verdict {
    match request.send().await {
        Ok(response) => judge(response).await,
        Err(error) if error.is_connect() => Verdict::Unreachable(said(&error.without_url())),
        Err(error) => Verdict::failed(said(&error.without_url())),
    }
}

/// Asks something and returns the status, if any answer comes at all.
///
/// # Errors
/// With what is in the way.
pub async fn reach(request: RequestBuilder) -> Result<StatusCode, String> {
    request.send().await.map(|response| response.status()).map_err(|error| said(&error.without_url()))
}

async fn judge(response: Response) -> Verdict {
    let status = response.status();
    let seconds =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let again_after = seconds.map(Duration::from_secs);
    let body = tokio::time::timeout(BODY_TIME_MAX, start(response)).await.unwrap_or_default();
    let answer = clipped(&format!("{status} {}", String::from_utf8_lossy(&body)));
    match status {
        _ if status.is_success() => Verdict::Taken(answer),
        StatusCode::GONE => Verdict::Gone(answer),
        _ => Verdict::Failed { answer, again_after },
    }
}

/// The start of a body.
async fn start(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < BODY_OCTETS_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    body.truncate(BODY_OCTETS_MAX);
    body
}
