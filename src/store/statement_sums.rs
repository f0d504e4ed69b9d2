//! How many statements a month has, and what they add up to.

use clickhouse::Row;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::connection::{Store, StoreError};
use super::statements::State;
use crate::metering::money::Currency;
use crate::metering::period::Month;

/// Statements of one state and currency together, each server's and pool's newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    /// Whether they count.
    pub state: State,
    /// How many.
    pub statements: u64,
    /// Their currency and the sum of their amounts; `None` for statements without a price.
    pub amount: Option<(Currency, Decimal)>,
}

#[derive(Debug, Row, Deserialize)]
struct SumRow {
    state: State,
    currency: String,
    statements: u64,
    amount: String,
}

impl Store {
    /// The newest statements of `period`, counted and added up by state and currency.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a sum is too large for a decimal number.
    pub async fn statement_sums(&self, period: Month) -> Result<Vec<Together>, StoreError> {
        let period = &period.to_string();
        let rows: Vec<SumRow> = self
            .read("adding statements up", |client| async move {
                // No currency has more than four digits after the point.
                let sql = "SELECT newest.1 AS state, JSONExtractString(newest.2, 'currency') AS currency, \
                           count() AS statements, \
                           toString(sum(toDecimal128OrZero(JSONExtractString(newest.2, 'amount'), 4))) AS amount \
                           FROM (SELECT argMax((state, body), (revision, serial)) AS newest FROM statements \
                           WHERE period = ? GROUP BY server) GROUP BY state, currency ORDER BY state, currency";
                client.query(sql).bind(period).fetch_all().await
            })
            .await?;
        rows.into_iter().map(together).collect()
    }
}

fn together(row: SumRow) -> Result<Together, StoreError> {
    let SumRow { state, currency, statements, amount } = row;
    if currency.is_empty() {
        return Ok(Together { state, statements, amount: None });
    }
    let contents = |e: &dyn std::fmt::Display| {
        StoreError::Contents(format!("the sum of amounts in {currency:?}, {amount:?}: {e}"))
    };
    let known = Currency::new(&currency).map_err(|e| contents(&e))?;
    let mut sum: Decimal = amount.parse().map_err(|e| contents(&e))?;
    sum.rescale(known.decimals());
    Ok(Together { state, statements, amount: Some((known, sum)) })
}
