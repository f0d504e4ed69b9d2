//! `/v1/periods/{period}/reports/{server}`: a month's page for the customer, to be printed or sent.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::By;
use super::errors::{ApiError, clipped};
use super::query::{At, OfStatement, Query};
use super::schema::Pdf;
use super::statements::attachment;
use crate::closing::explain::text::Lang;
use crate::report::document::{Document, Format, Styles, file_name};
use crate::report::source::{ReportError, Source};

/// The dashboard's files, from a report's path.
const STYLES: Styles<'_> = Styles::At("../../../../");

/// How it is written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The language; that of the customer's first contact of whom it is known unless given, or English.
    #[param(inline)]
    lang: Option<Lang>,
    /// A page for a browser, or a file.
    #[param(inline)]
    format: Option<Format>,
}

/// A server's or pool's month on a page for the customer
///
/// By the statement that was issued; where there is none yet the page says that it is preliminary, or under review.
#[utoipa::path(
    get, path = "/v1/periods/{period}/reports/{server}", tag = "Billing", params(OfStatement, Asked),
    responses((status = 200, content((String = "text/html"), (Pdf = "application/pdf"))))
)]
pub(super) async fn page(
    State(app): State<App>,
    By(caller): By,
    At(OfStatement { period, server }): At<OfStatement>,
    Query(Asked { lang, format }): Query<Asked>,
) -> Result<Response, ApiError> {
    let unknown = || ReportError::Unknown { period, server: clipped(&server) };
    let named = std::slice::from_ref(&server);
    let loaded = Source::load(&app.store, period, named, ((app.now)(), app.times)).await;
    let source = loaded.map_err(|error| match error {
        ReportError::Unknown { .. } => unknown(),
        // Whoever may not see the pool is not told of it.
        ReportError::InPool { pool, .. } if !caller.sees(pool.customer(), pool.region()) => unknown(),
        error => error,
    })?;
    let mut subjects = source.subjects().iter();
    let seen = subjects.find(|subject| caller.sees(subject.customer(), subject.region()));
    let subject = seen.ok_or_else(unknown)?;
    let sheet = source.sheet(subject).await?;
    let lang = lang.or_else(|| source.language(subject.customer())).unwrap_or_default();
    let format = format.unwrap_or(Format::Html);
    let made = tokio::task::spawn_blocking(move || {
        let mut document = Document::new(lang, 1).map_err(|e| ApiError::Internal(e.into()))?;
        document.push(&sheet);
        document.write(format, STYLES).map_err(|e| ApiError::Internal(e.into()))
    });
    let octets = made.await.map_err(|e| ApiError::Internal(e.into()))??;
    Ok(match format {
        Format::Html => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], octets).into_response(),
        Format::Pdf => {
            let head = [
                (header::CONTENT_TYPE, "application/pdf".to_owned()),
                (header::CONTENT_DISPOSITION, attachment(&file_name(period, &server, format))),
            ];
            (head, octets).into_response()
        }
    })
}

impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Unknown { .. } | ReportError::InPool { .. } | ReportError::NotBegun { .. } => {
                Self::Unknown(error.to_string())
            }
            ReportError::Close(error) => error.into(),
            ReportError::Proof(error) => error.into(),
            ReportError::Store(error) => error.into(),
        }
    }
}
