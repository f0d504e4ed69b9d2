//! `/v1/servers/{id}/evidence`: what was measured of a server in some days, in one file for an investigation.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::errors::{ApiError, clipped};
use super::query::{At, OfServer, Query};
use super::schema::{When, Zip};
use super::statements::attachment;
use crate::closing::explain::text::Lang;
use crate::evidence::facts::{Facts, FactsError};
use crate::evidence::pack;
use crate::evidence::report::{Records, report};
use crate::evidence::window::Window;
use crate::inventory::instant::{Instant, rfc3339};

/// Of when, and in which language.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// From when; three days before `until` unless given.
    #[param(value_type = Option<When>)]
    from: Option<Instant>,
    /// Until before when; now unless given.
    #[param(value_type = Option<When>)]
    until: Option<Instant>,
    /// The language of the page.
    #[param(inline)]
    lang: Lang,
}

/// What was measured of a server in some days, in one file for an investigation
///
/// Also of a server that is no longer in the inventory.
#[utoipa::path(
    get, path = "/v1/servers/{id}/evidence", tag = "Servers", params(OfServer, Asked),
    responses((status = 200, body = Zip, content_type = "application/zip"))
)]
pub(super) async fn pack(
    State(app): State<App>,
    At(OfServer { id }): At<OfServer>,
    Query(Asked { from, until, lang }): Query<Asked>,
) -> Result<Response, ApiError> {
    let now = (app.now)();
    let window = Window::asked(from.map(|at| at.0), until.map(|at| at.0), now).map_err(|e| {
        let (field, value) = match (from, until) {
            (Some(from), None) => ("from", from),
            (_, until) => ("until", until.unwrap_or(Instant(now))),
        };
        ApiError::field(field, &rfc3339(value.0), e.to_string())
    })?;
    let facts = Facts::read(&app.store, &id, window, now, app.times.grace_ms).await?;
    let records = Records::read(&app.store, &app.cases, &id, window).await?;
    // A quarter of a server with several ports is some hundred thousand lines.
    let packed = tokio::task::spawn_blocking(move || {
        let report = report(&facts, records);
        pack::pack(&report, lang).map(|octets| (pack::file_name(&report), octets))
    });
    let (name, octets) =
        packed.await.map_err(|e| ApiError::Internal(e.into()))?.map_err(|e| ApiError::Internal(e.into()))?;
    let head = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, attachment(&name)),
    ];
    Ok((head, octets).into_response())
}

impl From<FactsError> for ApiError {
    fn from(error: FactsError) -> Self {
        match error {
            FactsError::UnknownServer(id) => {
                Self::Unknown(FactsError::UnknownServer(clipped(&id)).to_string())
            }
            FactsError::Inventory(_) => Self::Internal(error.into()),
            FactsError::Store(error) => error.into(),
        }
    }
}
