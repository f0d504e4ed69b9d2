//! This process' metrics, in Prometheus' text form.

use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::Instant;

use super::App;
use super::errors::ApiError;
use super::events::streams::OPEN;
use super::socket::entry::REFUSED;
use crate::aggregator::vitals::last_read;

/// How long requests took, by route, in s.
const DURATION: &str = "meter95_http_request_duration_seconds";

/// Requests by route, method and status.
const REQUESTS: &str = "meter95_http_requests_total";

/// Up to the deadlines of [`super::limits`]: most answers take milliseconds.
const BUCKETS_S: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0, 60.0];

/// How often what was observed is put into the histograms, so that it does not pile up where nobody asks for it.
pub(super) const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Starts recording the metrics of this process. `None`, and a line in the log, where something records them already:
/// it does so once a process.
#[must_use]
pub fn install() -> Option<PrometheusHandle> {
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &BUCKETS_S);
    let handle = match builder.and_then(PrometheusBuilder::install_recorder) {
        Ok(handle) => handle,
        Err(error) => {
            tracing::warn!(error = %error, "metrics are not recorded");
            return None;
        }
    };
    ::metrics::describe_counter!(REQUESTS, "HTTP requests by route, method and status");
    ::metrics::describe_counter!(REFUSED, "Connections closed at once, for their address had too many");
    ::metrics::describe_gauge!(OPEN, "Streams of events that are open");
    ::metrics::describe_histogram!(DURATION, "How long HTTP requests took, by route, in seconds");
    Some(handle)
}

/// This process' metrics, in Prometheus' text form
#[utoipa::path(
    get, path = "/metrics", tag = "Operation", responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn render(State(app): State<App>) -> Result<Response, ApiError> {
    let handle = app.metrics.as_ref().ok_or(ApiError::NoMetrics)?;
    measure(&app);
    let text = handle.render();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, text).into_response())
}

/// Sets what is known only when it is asked for.
fn measure(app: &App) {
    let now = (app.now)();
    let seconds = |ms: i64| Duration::from_millis(ms.max(0).unsigned_abs()).as_secs_f64();
    let report = app.live.vitals().report(now);
    let skew_ms = report.skew.map_or(0, |skew| skew.ahead_ms);
    ::metrics::gauge!("meter95_clock_skew_seconds").set(seconds(skew_ms));
    let behind_ms = report.behind.map_or(0, |behind| now.ms_since(behind.since));
    ::metrics::gauge!("meter95_store_behind_seconds").set(seconds(behind_ms));
    // A device that was never read has no lag; that it is silent is told where devices are.
    let oldest = last_read(&app.live.read(), now).into_values().flatten().min();
    ::metrics::gauge!("meter95_poll_lag_seconds")
        .set(seconds(oldest.map_or(0, |oldest| now.ms_since(oldest))));
}

/// Counts a request and how long it took, by its route and never by its path: those have no end.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let route = path.map_or("other", MatchedPath::as_str).to_owned();
    let method = method_name(request.method());
    let started = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    ::metrics::histogram!(DURATION, "route" => route.clone()).record(started.elapsed().as_secs_f64());
    ::metrics::counter!(REQUESTS, "route" => route, "method" => method, "status" => status).increment(1);
    response
}

/// Methods that are used here; a client can make others up without end.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        _ => "other",
    }
}
