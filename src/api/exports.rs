//! `/v1/periods/{period}/export` and `/summary`: lines for billing systems, and what they come to by customer.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::access::By;
use super::errors::ApiError;
use super::query::{At, OfPeriod, Query};
use super::schema::Ordinal;
use super::statements::{attachment, filed};
use crate::access::Caller;
use crate::closing::export::{self, Filter, columns};
use crate::closing::table::{Cell, Column, Headings, csv, json};
use crate::metering::period::Month;
use crate::store::statements::{Filed, State as Filing};

/// Which lines, and how they are written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// How it is written.
    #[param(inline)]
    format: Written,
    /// What stands over the columns of CSV.
    #[param(inline)]
    headings: Headings,
    /// Lines of a server or pool.
    server: Option<String>,
    /// Lines of a customer.
    customer: Option<String>,
    /// Lines of a region.
    region: Option<String>,
    /// Lines with overage.
    only_overage: bool,
    /// Lines of revisions after this one.
    #[param(value_type = Ordinal)]
    since_revision: u32,
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ExportFormat)]
enum Written {
    /// As RFC 4180 has it.
    #[default]
    Csv,
    /// A list of objects; amounts are strings.
    Json,
}

/// What there is of what is asked for.
struct Found {
    period: Month,
    filter: Filter,
    written: Written,
    headings: Headings,
    filed: Vec<Filed>,
}

/// A month's lines for a billing system
#[utoipa::path(
    get, path = "/v1/periods/{period}/export", tag = "Billing", params(OfPeriod, Asked),
    responses((status = 200, content((String = "text/csv"), (Vec<serde_json::Value> = "application/json"))))
)]
pub(super) async fn lines(
    State(app): State<App>,
    By(caller): By,
    At(OfPeriod { period }): At<OfPeriod>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let found = found(&app, &caller, period, asked).await?;
    let rows = export::lines(&found.filed, &found.filter).iter().map(columns::row).collect();
    found.write("lines", &columns::COLUMNS, rows)
}

/// What a month's lines come to, by customer and currency
#[utoipa::path(
    get, path = "/v1/periods/{period}/summary", tag = "Billing", params(OfPeriod, Asked),
    responses((status = 200, content((String = "text/csv"), (Vec<serde_json::Value> = "application/json"))))
)]
pub(super) async fn summary(
    State(app): State<App>,
    By(caller): By,
    At(OfPeriod { period }): At<OfPeriod>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let found = found(&app, &caller, period, asked).await?;
    let sums = export::summary::summary(&found.filed, &found.filter)?;
    found.write("summary", &export::summary::COLUMNS, sums.iter().map(export::summary::row).collect())
}

/// Reads what is asked for; a month of which nothing was issued is an error, so that nobody bills nothing by mistake.
async fn found(app: &App, caller: &Caller, period: Month, asked: Asked) -> Result<Found, ApiError> {
    let Asked { format: written, headings, server, customer, region, only_overage, since_revision } = asked;
    let filter = Filter { server, customer, region, only_overage, since_revision };
    let filed = filed(app, caller, period, &filter).await?;
    if filed.iter().any(|filed| filed.state == Filing::Issued) {
        return Ok(Found { period, filter, written, headings, filed });
    }
    let of = filter.server.map_or_else(String::new, |server| format!(" of a server or pool {server:?}"));
    Err(ApiError::Unknown(format!("{period} has no issued statement{of}")))
}

impl Found {
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
