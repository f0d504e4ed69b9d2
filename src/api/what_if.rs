//! `/v1/periods/{period}/what-if`: a month's samples under other terms.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use rust_decimal::Decimal;
use serde::Serialize;

use super::App;
use super::errors::ApiError;
use super::query::{Fields, path_error, period};
use crate::closing::what_if::{self, Compared, Variation};
use crate::metering::period::Month;
use crate::metering::units::Bps;

/// The query's fields.
const FIELDS: [&str; 9] =
    ["allowance_bps", "method", "missing", "unit_bps", "rounding", "price", "currency", "server", "all"];

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    period: Month,
    /// How many servers and pools were compared.
    compared: usize,
    /// For how many of them a figure changes.
    changed: usize,
    /// By how much the amounts change together, by currency.
    amount_changes: BTreeMap<String, Decimal>,
    /// Those for which a figure changes, or all, in the order of ids.
    servers: Vec<Compared>,
}

/// `GET /v1/periods/{period}/what-if?allowance_bps=&method=&missing=&unit_bps=&rounding=&price=&currency=&server=&all=`.
/// Nothing is changed; a month that still runs is told as if nothing more flowed.
pub(super) async fn compare(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<Answer>, ApiError> {
    let Path(month) = path.map_err(|e| path_error(&e))?;
    let period = period(&month)?;
    let fields = Fields::of(&uri, &FIELDS)?;
    let variation = Variation {
        allowance: fields.value("allowance_bps")?.map(Bps),
        method: fields.word("method")?,
        missing: fields.word("missing")?,
        unit: fields.value("unit_bps")?.map(Bps),
        rounding: fields.word("rounding")?,
        price: fields.word("price")?,
        currency: fields.word("currency")?,
    };
    let all = fields.value("all")?.unwrap_or(false);
    let mut servers = what_if::compare(&app.store, period, fields.text("server"), &variation).await?;
    let compared = servers.len();
    let changed = servers.iter().filter(|line| line.changes()).count();
    let mut amount_changes: BTreeMap<String, Decimal> = BTreeMap::new();
    for (change, currency) in servers.iter().filter_map(|l| l.amount_change.zip(l.now.currency.clone())) {
        let sum = amount_changes.entry(currency).or_default();
        *sum = sum.saturating_add(change);
    }
    servers.retain(|line| all || line.changes());
    Ok(Json(Answer { period, compared, changed, amount_changes, servers }))
}
