//! The HTTP API and the dashboard, as a router that tests call without a socket. Only this folder names axum.
//!
//! [`servers`], [`samples`], [`recent`] and [`usage`] tell figures, [`inventory`] what is sold and takes changes of it, [`readings`]
//! takes what collectors ship, [`collectors`] tells which there are, [`devices`] what is read and [`uplinks`] how full lines
//! are. [`periods`] tells how far a month is, and closes it;
//! [`statements`] come of that, [`reviews`], [`revisions`] and [`exclusions`] put them right, [`exports`] hand them on,
//! [`what_if`] asks for others. [`cases`] are about servers that use far too much, [`alerts`] tells what is the matter,
//! [`evidence`] packs what an investigation needs, [`reports`] are pages for customers. [`session`] is how a browser logs in,
//! [`events`] tells it what has changed, [`audit`] tells who did what. [`health`] and [`metrics`] are for whoever runs the service,
//! [`dashboard`] is what a browser gets. [`query`], [`page`] and [`body`] read what is asked,
//! [`answer`] writes lists as JSON and CSV, every refusal is made in [`errors`].
//! [`routes`] puts them together, each group under what [`access`], [`limits`] and [`idempotency`] do for it, and [`openapi`]
//! describes them; [`etag`], [`headers`], [`request_id`] and [`metrics`] stand around all of it, and [`socket`] is how it is
//! reached, by a [`peer`].

mod servers;

mod recent;
mod samples;

mod usage;

mod inventory;

mod readings;
mod reports;

mod collectors;
mod devices;
mod uplinks;

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

mod audit;
mod dashboard;
mod health;
pub mod metrics;

mod session;

pub mod events;

mod answer;
mod body;
mod errors;
mod page;
mod query;

mod access;
mod etag;
mod headers;
mod idempotency;
mod limits;
mod openapi;
mod request_id;
mod routes;
mod schema;

pub mod peer;
mod socket;

#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;

use crate::access::Guard;
use crate::aggregator::intake::Intake;
use crate::aggregator::pipeline::Live;
use crate::aggregator::state::Times;
use crate::alerts::Alerts;
use crate::audit::Audit;
use crate::closing::desk::Desk;
use crate::collectors::registry::Collectors;
use crate::store::connection::Store;
use crate::throttle::desk::Cases;
use crate::throttle::templates::Templates;
use crate::tls::server::Server;
use crate::usage::tables::Tables;
use axum::Router;
use events::streams::Streams;
use meter95_reading::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the API answers from. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The live state: the inventory in force, and the running month.
    pub live: Live,
    /// Where readings are handed in.
    pub intake: Intake,
    /// How the devices do that this process polls; `None` where it polls none.
    pub board: Option<meter95_snmp::Board>,
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
    /// The figures of each month.
    pub usage: Tables,
    /// What is stored: samples, and months gone by.
    pub store: Store,
    /// The clock, as [`crate::clock::now`].
    pub now: fn() -> Timestamp,
    /// The waiting times of the metering rules.
    pub times: Times,
    /// Who may do what.
    pub access: Guard,
    /// Where it is noted what they do.
    pub audit: Audit,
    /// Who listens to events.
    pub streams: Streams,
    /// This process' metrics, where [`metrics::install`] has set them up.
    pub metrics: Option<PrometheusHandle>,
}

/// All routes, and the document that describes them. Starts nothing; every answer has the headers of [`headers`], and
/// every refusal is an `application/problem+json` (RFC 9457).
pub fn router(app: App) -> Router {
    routes::routes(app)
}

/// Answers requests on `listener` over HTTP/1.1 until `stop`. Then nothing new is accepted, streams of events end, requests
/// that are being answered may go on for 10 s, and it returns.
///
/// # Errors
/// When the listener is none that can be asked for its address; a connection that fails ends nothing but itself.
pub async fn serve(listener: TcpListener, app: App, stop: CancellationToken) -> std::io::Result<()> {
    socket::serve(listener, None, app, stop).await
}

/// As [`serve`], over TLS with the certificate that `tls` has at each moment.
///
/// # Errors
/// As [`serve`].
pub async fn serve_over_tls(
    listener: TcpListener,
    tls: Server,
    app: App,
    stop: CancellationToken,
) -> std::io::Result<()> {
    socket::serve(listener, Some(tls), app, stop).await
}
