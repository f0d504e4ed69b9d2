//! `/v1/servers/{id}/evidence`: what was measured of a server in some days, in one file for an investigation.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::errors::{ApiError, clipped};
use super::query::{Fields, path_error};
use super::statements::attachment;
use crate::closing::explain::text::Lang;
use crate::evidence::facts::{Facts, FactsError};
use crate::evidence::pack;
use crate::evidence::report::{Records, report};
use crate::evidence::window::Window;
use crate::inventory::instant::{Instant, rfc3339};

/// `GET /v1/servers/{id}/evidence?from=&until=&lang=`; the three days before now unless given. Also of a server that is
/// no longer in the inventory.
pub(super) async fn pack(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let Path(id) = path.map_err(|e| path_error(&e))?;
    let fields = Fields::of(&uri, &["from", "until", "lang"])?;
    let (now, lang): (_, Lang) = ((app.now)(), fields.choice("lang")?);
    let (from, until): (Option<Instant>, Option<Instant>) = (fields.value("from")?, fields.value("until")?);
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
