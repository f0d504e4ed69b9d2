//! `/v1/periods/{period}/export` and `/summary`: lines for billing systems, and what they come to by customer.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use clap::ValueEnum;

use super::App;
use super::errors::ApiError;
use super::query::{Fields, path_error, period};
use super::statements::{attachment, filed, filter};
use crate::closing::export::{self, Filter, columns};
use crate::closing::table::{Cell, Column, Headings, csv, json};
use crate::metering::period::Month;
use crate::store::statements::{Filed, State as Filing};

/// The query's fields.
const FIELDS: [&str; 7] =
    ["format", "headings", "server", "customer", "region", "only_overage", "since_revision"];

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Written {
    /// As RFC 4180 has it.
    #[default]
    Csv,
    /// A list of objects; amounts are strings.
    Json,
}

/// What is asked for, and what there is.
struct Asked {
    period: Month,
    filter: Filter,
    written: Written,
    headings: Headings,
    filed: Vec<Filed>,
}

/// `GET /v1/periods/{period}/export?format=&headings=&server=&customer=&region=&only_overage=&since_revision=`.
pub(super) async fn lines(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let asked = asked(&app, path, &uri).await?;
    let rows = export::lines(&asked.filed, &asked.filter).iter().map(columns::row).collect();
    asked.write("lines", &columns::COLUMNS, rows)
}

/// `GET /v1/periods/{period}/summary`, with the same fields.
pub(super) async fn summary(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let asked = asked(&app, path, &uri).await?;
    let sums = export::summary::summary(&asked.filed, &asked.filter)?;
    asked.write("summary", &export::summary::COLUMNS, sums.iter().map(export::summary::row).collect())
}

/// Reads what is asked for; a month of which nothing was issued is an error, so that nobody bills nothing by mistake.
async fn asked(app: &App, path: Result<Path<String>, PathRejection>, uri: &Uri) -> Result<Asked, ApiError> {
    let Path(month) = path.map_err(|e| path_error(&e))?;
    let period = period(&month)?;
    let fields = Fields::of(uri, &FIELDS)?;
    let since_revision = fields.value("since_revision")?.unwrap_or(0);
    let filter = Filter { since_revision, ..filter(&fields)? };
    let (written, headings) = (fields.choice("format")?, fields.choice("headings")?);
    let filed = filed(app, period, &filter).await?;
    if filed.iter().any(|filed| filed.state == Filing::Issued) {
        return Ok(Asked { period, filter, written, headings, filed });
    }
    let of = filter.server.map_or_else(String::new, |server| format!(" of a server or pool {server:?}"));
    Err(ApiError::Unknown(format!("{period} has no issued statement{of}")))
}

impl Asked {
    fn write(&self, name: &str, columns: &[Column], rows: Vec<Vec<Cell>>) -> Result<Response, ApiError> {
        let (kind, text) = match self.written {
            Written::Csv => ("text/csv; charset=utf-8", csv(columns, self.headings, &rows)),
            Written::Json => {
                let text = json(columns, &rows).map_err(|e| ApiError::Internal(e.into()))?;
                ("application/json", text)
            }
        };
        let extension = match self.written {
            Written::Csv => "csv",
            Written::Json => "json",
        };
        let head = [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, attachment(&format!("{}_{name}.{extension}", self.period))),
        ];
        Ok((head, text).into_response())
    }
}
