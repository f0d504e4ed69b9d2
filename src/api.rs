//! The HTTP API and the dashboard, as a router that tests call without a socket. Only this folder names axum.
//!
//! [`servers`], [`samples`] and [`usage`] tell figures, [`inventory`] what is sold and takes changes of it, [`readings`]
//! takes what collectors ship, [`collectors`] tells which there are. [`periods`] tells how far a month is, and closes it;
//! [`statements`] come of that, [`reviews`], [`revisions`] and [`exclusions`] put them right, [`exports`] hand them on,
//! [`what_if`] asks for others. [`cases`] are about servers that use far too much, [`alerts`] tells what is the matter,
//! [`evidence`] packs what an investigation needs. [`health`] and [`metrics`] are for whoever runs the service,
//! [`dashboard`] is what a browser gets. [`query`] and [`body`] read what is asked, every refusal is made in [`errors`];
//! [`limits`], [`headers`] and [`metrics`] stand around all of it; [`socket`] is how it is reached.

mod servers;

mod samples;

mod usage;

mod inventory;

mod readings;

mod collectors;

mod alerts;

mod periods;

mod statements;

mod reviews;

mod revisions;

mod exclusions;

mod exports;

mod what_if;

mod cases;
mod evidence;

mod dashboard;
mod health;
pub mod metrics;

mod body;
mod errors;
mod headers;
mod limits;
mod query;

mod socket;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::routing::{get, post, put};
use meter95_reading::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

use crate::aggregator::intake::Intake;
use crate::aggregator::pipeline::Live;
use crate::aggregator::state::Times;
use crate::alerts::Alerts;
use crate::closing::desk::Desk;
use crate::collectors::registry::Collectors;
use crate::store::connection::Store;
use crate::throttle::desk::Cases;
use crate::throttle::templates::Templates;
use limits::{Deadline, Gate};

/// What the API answers from. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The live state: the inventory in force, and the running month.
    pub live: Live,
    /// Where readings are handed in.
    pub intake: Intake,
    /// What collectors elsewhere say of themselves.
    pub collectors: Collectors,
    /// Where months are closed and corrected.
    pub desk: Desk,
    /// Where cases of servers that use far too much are kept.
    pub cases: Cases,
    /// What configuration for devices is made from.
    pub templates: Templates,
    /// The alerts that are raised, and what is told of them.
    pub alerts: Alerts,
    /// What is stored: samples, and months gone by.
    pub store: Store,
    /// The clock, as [`crate::clock::now`].
    pub now: fn() -> Timestamp,
    /// The waiting times of the metering rules.
    pub times: Times,
    /// This process' metrics, where [`metrics::install`] has set them up.
    pub metrics: Option<PrometheusHandle>,
}

/// All routes. Starts nothing; every answer has the headers of [`headers`], and every refusal is an
/// `application/problem+json` (RFC 9457).
pub fn router(app: App) -> Router {
    let figures = Router::new()
        .route("/v1/servers", get(servers::list))
        .route("/v1/servers/{id}", get(servers::one))
        .route("/v1/servers/{id}/samples", get(samples::list))
        .route("/v1/usage", get(usage::month))
        .route("/v1/collectors", get(collectors::list))
        .route("/v1/alerts", get(alerts::list))
        .route("/v1/alerts/deliveries", get(alerts::deliveries))
        .route("/v1/inventory", get(inventory::show))
        .route("/v1/inventory/history", get(inventory::history))
        .route("/v1/periods/{period}", get(periods::show))
        .route("/v1/periods/{period}/statements/{server}", get(statements::one))
        .route("/v1/periods/{period}/statements/{server}/explanation", get(statements::explanation))
        .route("/v1/exclusions", get(exclusions::list))
        .route("/v1/cases", get(cases::list))
        .route("/v1/cases/{n}", get(cases::one))
        .route("/v1/cases/{n}/snippet", get(cases::snippet))
        .route("/v1/recommendations", get(cases::recommendations))
        .layer(from_fn_with_state(Deadline(limits::REQUEST_TIME_MAX), limits::in_time))
        .layer(from_fn_with_state(Gate::for_requests(), limits::pass));
    let months = Router::new()
        .route("/v1/periods/{period}/statements", get(statements::list))
        .route("/v1/periods/{period}/statements/{server}/bundle", get(statements::bundle))
        .route("/v1/periods/{period}/reviews", get(reviews::list))
        .route("/v1/periods/{period}/export", get(exports::lines))
        .route("/v1/periods/{period}/summary", get(exports::summary))
        .route("/v1/periods/{period}/what-if", get(what_if::compare))
        .route("/v1/servers/{id}/evidence", get(evidence::pack))
        .layer(from_fn_with_state(Deadline(limits::MONTH_TIME_MAX), limits::in_time))
        .layer(from_fn_with_state(Gate::for_months(), limits::pass));
    // Without a deadline of the router's: what is done goes on when nobody waits any longer.
    let acts = Router::new()
        .route("/v1/periods/{period}/close", post(periods::close))
        .route("/v1/periods/{period}/reviews/{server}", post(reviews::approve))
        .route("/v1/periods/{period}/revisions", post(revisions::revise))
        .route("/v1/exclusions", post(exclusions::declare))
        .route("/v1/exclusions/{id}/withdraw", post(exclusions::withdraw))
        .route("/v1/cases/{n}/{action}", post(cases::act))
        .layer(from_fn_with_state(Gate::for_acts(), limits::pass));
    let changes = Router::new()
        .route("/v1/inventory", put(inventory::replace))
        .layer(from_fn_with_state(Deadline(limits::INVENTORY_TIME_MAX), limits::in_time))
        .layer(from_fn_with_state(Gate::for_inventories(), limits::pass));
    let readings = Router::new()
        .route("/v1/readings", post(readings::take))
        .layer(from_fn_with_state(Deadline(limits::READINGS_TIME_MAX), limits::in_time))
        .layer(from_fn_with_state(Gate::for_readings(), limits::pass));
    // Never turned away: a service under load must not look dead.
    let operation = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::render));
    Router::new()
        .merge(figures)
        .merge(months)
        .merge(acts)
        .merge(changes)
        .merge(readings)
        .merge(operation)
        .route("/", get(dashboard::index))
        .fallback(dashboard::file)
        .method_not_allowed_fallback(errors::wrong_method)
        .layer(from_fn(metrics::observe))
        .layer(CompressionLayer::new())
        .layer(map_response(headers::add))
        .with_state(app)
}

/// Answers requests on `listener` over HTTP/1.1 until `stop`. Then nothing new is accepted, requests that are being
/// answered may go on for 10 s, and it returns.
///
/// # Errors
/// When the listener is none that can be asked for its address; a connection that fails ends nothing but itself.
pub async fn serve(listener: TcpListener, app: App, stop: CancellationToken) -> std::io::Result<()> {
    socket::serve(listener, app, stop).await
}
