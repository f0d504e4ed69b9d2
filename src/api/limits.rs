//! What one process takes on at once, and for how long.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::errors::{ApiError, SoFar};

/// Requests for figures at once: an answer may take some megabytes, and more at once only make all of them slower.
pub(super) const REQUESTS_MAX: usize = 128;

/// How long a request for figures may take. The dashboard gives up after 20 s.
pub(super) const REQUEST_TIME_MAX: Duration = Duration::from_secs(20);

/// Bodies with readings that are taken in at once: each holds up to [`LOT_READINGS`] readings, some 5 MB.
pub(super) const READINGS_REQUESTS_MAX: usize = 32;

/// How long a body with readings may take, over a slow line and with a store that is busy.
pub(super) const READINGS_TIME_MAX: Duration = Duration::from_secs(60);

/// The longest body with readings as it comes over the line: a pass over 100,000 ports is 16 MB, and a tenth of that
/// when packed.
pub(super) const BODY_OCTETS_MAX: u64 = 32 << 20;

/// The longest text that a packed body may hold: readings pack to a tenth, and a body that packs to far less is made
/// to harm.
pub(super) const TEXT_OCTETS_MAX: u64 = 256 << 20;

/// The longest inventory, as text: 100,000 servers with all their history are some 40 MB.
pub(super) const INVENTORY_OCTETS_MAX: usize = 64 << 20;

/// Changes of the inventory that are told at once: some 10 MB.
pub(super) const HISTORY_CHANGES_MAX: usize = 10_000;

/// How long an inventory may take, over a slow line and with a store that is busy.
pub(super) const INVENTORY_TIME_MAX: Duration = Duration::from_secs(60);

/// Requests at once that make answers of a whole month: of 10,000 servers some 100 MB of memory each.
pub(super) const MONTH_REQUESTS_MAX: usize = 4;

/// How long a request may take that makes an answer of a whole month: of 10,000 servers' samples it takes a minute.
pub(super) const MONTH_TIME_MAX: Duration = Duration::from_secs(120);

/// Requests at once that close, approve, correct or declare: one of them is at work at a time, the others are told so.
pub(super) const ACTS_REQUESTS_MAX: usize = 16;

/// How long an answer waits for a close or a correction, which goes on after that: that of 10,000 servers takes some
/// minutes.
pub(super) const ACT_TIME_MAX: Duration = Duration::from_secs(600);

/// The longest object in which a person says what to do.
pub(super) const SAID_OCTETS_MAX: usize = 64 << 10;

/// The longest reason, in characters: a page. It is printed with what it explains.
pub(super) const SAID_CHARS_MAX: usize = 4_000;

/// Readings that are handed in together: one insert of a good size, which still is little memory.
pub(super) const LOT_READINGS: usize = 20_000;

/// The longest span of which samples are told at once: a quarter, 26,784 samples in some 3 MB.
pub(super) const SAMPLES_DAYS_MAX: i64 = 93;

/// The longest span of which hours and days are told at once: a year and the month before it, 115,200 samples to gather.
pub(super) const BUCKETS_DAYS_MAX: i64 = 400;

/// Connections at once; more wait to be accepted. Idle ones cost little.
pub(super) const CONNECTIONS_MAX: usize = 1_024;

/// Connections of one address at once, so that no single one takes all: enough for an office behind one address, and for
/// a proxy before the service.
pub(super) const CONNECTIONS_OF_ONE_MAX: usize = 256;

/// How long a TLS handshake may take: three ways over a slow line, and a client that is busy.
pub(super) const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// The longest head of a request, give or take what one read brings: ours have some hundred octets, and a browser's
/// cookies of other services on the same host some thousand.
pub(super) const HEAD_OCTETS_MAX: usize = 64 << 10;

/// Headers of a request at most: a browser sends some twenty, and a proxy adds some.
pub(super) const HEADERS_MAX: usize = 100;

/// How long a connection may take to send a request's head, and so how long it may be idle: longer than the
/// dashboard's 30 s between two questions, so that it keeps its connection.
pub(super) const HEAD_TIME_MAX: Duration = Duration::from_secs(65);

/// How long requests that are being answered may go on when the service stops.
pub(super) const STOPPING_TIME_MAX: Duration = Duration::from_secs(10);

/// Streams of events at once. Each holds a connection, and all of them leave one address, as a proxy's, half of those that
/// it may have.
pub(super) const STREAMS_MAX: usize = 128;

/// Streams of one token at once: an office that shares one.
pub(super) const STREAMS_OF_TOKEN_MAX: usize = 32;

/// How long after a change an event tells of it, and how long at least is between two events: a table of a large site is
/// up to so old (`usage::tables`), and rows are on their way to the store for as long.
pub(super) const EVENT_AFTER: Duration = Duration::from_secs(2);

/// How often a stream of events on which nothing happens shows that it lives: what stands in between gives up after a
/// minute and more.
pub(super) const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);

/// How often is looked whether whoever listens is still known, as often as tokens are read again.
pub(super) const STREAM_LOOK_EVERY: Duration = Duration::from_secs(2);

/// How long [`super::health`] waits for the store and for the pipeline.
pub(super) const PROBE_TIME_MAX: Duration = Duration::from_secs(5);

/// How long a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(pub(super) Duration);

/// Answers in time, or says that it can't.
pub(super) async fn in_time(
    State(Deadline(limit)): State<Deadline>,
    request: Request,
    next: Next,
) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TooSlow(limit.as_secs()).into_response(),
    }
}

/// Lets so many requests in at once, and turns others away.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    places: Arc<Semaphore>,
    full: fn() -> ApiError,
}

impl Gate {
    /// For requests for figures.
    pub(super) fn for_requests() -> Self {
        Self { places: Arc::new(Semaphore::new(REQUESTS_MAX)), full: || ApiError::Overloaded }
    }

    /// For inventories that are put in force: one after the other, for each takes much memory and sees the last one's
    /// version.
    pub(super) fn for_inventories() -> Self {
        Self { places: Arc::new(Semaphore::new(1)), full: || ApiError::Overloaded }
    }

    /// For answers of a whole month.
    pub(super) fn for_months() -> Self {
        Self { places: Arc::new(Semaphore::new(MONTH_REQUESTS_MAX)), full: || ApiError::Overloaded }
    }

    /// For acts of closing.
    pub(super) fn for_acts() -> Self {
        Self { places: Arc::new(Semaphore::new(ACTS_REQUESTS_MAX)), full: || ApiError::Overloaded }
    }

    /// For bodies with readings.
    pub(super) fn for_readings() -> Self {
        Self {
            places: Arc::new(Semaphore::new(READINGS_REQUESTS_MAX)),
            full: || ApiError::Busy(SoFar::default()),
        }
    }
}

/// Passes a gate, or not.
pub(super) async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match gate.places.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => (gate.full)().into_response(),
    }
}
