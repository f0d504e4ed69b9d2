//! Whether the process lives, and whether it can do its work.

use axum::extract::State;
use tokio::time::timeout;

use super::App;
use super::errors::ApiError;
use super::limits::PROBE_TIME_MAX;
use crate::aggregator::intake::IntakeError;

/// Whether the process lives
#[utoipa::path(
    get, path = "/healthz", tag = "Operation", responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether the store answers, and readings are being taken
#[utoipa::path(
    get, path = "/readyz", tag = "Operation", responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn ready(State(app): State<App>) -> Result<&'static str, ApiError> {
    let store = timeout(PROBE_TIME_MAX, app.store.inventory_version());
    // A lot of no readings goes the way of all readings.
    let pipeline = timeout(PROBE_TIME_MAX, app.intake.try_submit(Vec::new()));
    let (store, pipeline) = tokio::join!(store, pipeline);
    match store {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "store does not answer");
            return Err(not_ready("the store does not answer"));
        }
        Err(_) => return Err(not_ready("the store does not answer in time")),
    }
    match pipeline {
        // With many readings waiting it is busy, and alive.
        Ok(Ok(_) | Err(IntakeError::Busy)) => Ok("ready\n"),
        Ok(Err(IntakeError::Stopping)) => Err(not_ready("the service is stopping")),
        Err(_) => Err(not_ready("readings are not being stored in time")),
    }
}

fn not_ready(says: &str) -> ApiError {
    ApiError::NotReady(says.to_owned())
}
