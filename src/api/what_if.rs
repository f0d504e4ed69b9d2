//! `/v1/periods/{period}/what-if`: a month's samples under other terms.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::errors::ApiError;
use super::query::{At, OfPeriod, Query};
use crate::closing::what_if::{self, Compared, Variation};
use crate::metering::money::{Currency, Price, Rounding};
use crate::metering::overage::{Method, Missing};
use crate::metering::period::Month;
use crate::metering::units::Bps;

/// Other terms, and whose samples. Terms that are not given are as they are.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// What would be granted, in bit/s.
    allowance_bps: Option<Bps>,
    /// What would be ranked.
    #[param(inline)]
    method: Option<Method>,
    /// What a slot without a sample would count as.
    #[param(inline)]
    missing: Option<Missing>,
    /// In which units it would be billed, in bit/s.
    #[param(minimum = 1)]
    unit_bps: Option<Bps>,
    /// How overage would become whole units.
    #[param(inline)]
    rounding: Option<Rounding>,
    /// The price of 1 Mbps.
    price: Option<Price>,
    /// The currency of that price (ISO 4217).
    currency: Option<Currency>,
    /// One server or pool alone.
    server: Option<String>,
    /// Also those for which nothing changes.
    all: bool,
}

/// What would come of other terms.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhatIf)]
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

/// A month's samples under other terms
///
/// Nothing is changed; a month that still runs is told as if nothing more flowed.
#[utoipa::path(
    get, path = "/v1/periods/{period}/what-if", tag = "Billing", params(OfPeriod, Asked),
    responses((status = 200, body = Answer))
)]
pub(super) async fn compare(
    State(app): State<App>,
    At(OfPeriod { period }): At<OfPeriod>,
    Query(asked): Query<Asked>,
) -> Result<Json<Answer>, ApiError> {
    let variation = Variation {
        allowance: asked.allowance_bps,
        method: asked.method,
        missing: asked.missing,
        unit: asked.unit_bps,
        rounding: asked.rounding,
        price: asked.price,
        currency: asked.currency,
    };
    let all = asked.all;
    let mut servers = what_if::compare(&app.store, period, asked.server.as_deref(), &variation).await?;
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
