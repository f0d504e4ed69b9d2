//! A month's final amounts by customer.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{Filter, decimals, issued};
use crate::closing::statement::Statement;
use crate::closing::table::{Cell, Column};
use crate::store::statements::Filed;

/// The columns of [`row`].
pub const COLUMNS: [Column; 8] = [
    Column { name: "period", en: "Billing period", ja: "対象月" },
    Column { name: "line", en: "Line", ja: "区分" },
    Column { name: "customer", en: "Customer", ja: "顧客" },
    Column { name: "statements", en: "Statements", ja: "明細書数" },
    Column { name: "servers", en: "Servers", ja: "サーバー数" },
    Column { name: "billable_bps", en: "Billable (bit/s)", ja: "課金対象帯域(bit/s)" },
    Column { name: "amount", en: "Amount", ja: "金額" },
    Column { name: "currency", en: "Currency", ja: "通貨" },
];

/// The sum of some statements' final figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The month.
    pub period: String,
    /// Who pays; `None` in the total of a currency.
    pub customer: Option<String>,
    /// In what; `None` for statements without a price.
    pub currency: Option<String>,
    /// How many statements.
    pub statements: u64,
    /// How many servers they are of.
    pub servers: u64,
    /// Their billable bandwidth together, in bit/s.
    pub billable_bps: u128,
    /// Their amounts together; `None` for statements without a price.
    pub amount: Option<Decimal>,
}

/// Amounts whose sum is too large for a decimal number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the amounts in {0} are too large to be added up")]
pub struct TooLarge(String);

#[derive(Default)]
struct Adding<'a> {
    statements: u64,
    servers: BTreeSet<&'a str>,
    billable_bps: u128,
    amount: Option<Decimal>,
}

/// The sums of the newest issued statement of each server and pool, by customer and currency, and then the total of
/// each currency.
///
/// # Errors
/// When amounts are too large to be added up exactly.
pub fn summary(filed: &[Filed], filter: &Filter) -> Result<Vec<Sum>, TooLarge> {
    // In the order of revisions: the last one stays.
    let newest: BTreeMap<&str, &Statement> =
        issued(filed).into_iter().map(|s| (s.server.as_str(), s)).collect();
    let statements: Vec<&Statement> = newest.into_values().filter(|s| filter.takes(s)).collect();
    let mut sums = sums(&statements, |statement| Some(&statement.customer))?;
    sums.extend(self::sums(&statements, |_| None)?);
    Ok(sums)
}

fn sums<'a>(
    statements: &[&'a Statement],
    customer: impl Fn(&'a Statement) -> Option<&'a String>,
) -> Result<Vec<Sum>, TooLarge> {
    let mut sums: BTreeMap<(Option<&String>, Option<&String>), Adding<'a>> = BTreeMap::new();
    for statement in statements {
        let sum = sums.entry((customer(statement), statement.currency.as_ref())).or_default();
        sum.statements += 1;
        sum.servers.extend(statement.members.iter().map(|member| member.server.as_str()));
        sum.billable_bps += statement.billable_bps.map_or(0, |bps| u128::from(bps.0));
        if let (Some(decimals), Some(currency)) = (decimals(statement), &statement.currency) {
            let so_far = sum.amount.unwrap_or_default();
            let mut amount = so_far
                .checked_add(statement.amount.unwrap_or_default())
                .ok_or_else(|| TooLarge(currency.clone()))?;
            amount.rescale(decimals);
            sum.amount = Some(amount);
        }
    }
    let period = statements.first().map_or_else(String::new, |statement| statement.period.to_string());
    let sum = |((customer, currency), sum): ((Option<&String>, Option<&String>), Adding<'_>)| Sum {
        period: period.clone(),
        customer: customer.cloned(),
        currency: currency.cloned(),
        statements: sum.statements,
        servers: u64::try_from(sum.servers.len()).unwrap_or(u64::MAX),
        billable_bps: sum.billable_bps,
        amount: sum.amount,
    };
    Ok(sums.into_iter().map(sum).collect())
}

/// A sum's cells under [`COLUMNS`].
#[must_use]
pub fn row(sum: &Sum) -> Vec<Cell> {
    let line = if sum.customer.is_some() { "customer" } else { "total" };
    vec![
        Cell::Word(sum.period.clone()),
        Cell::Word(line.to_owned()),
        Cell::text(sum.customer.as_deref()),
        Cell::Whole(sum.statements.into()),
        Cell::Whole(sum.servers.into()),
        Cell::Whole(i128::try_from(sum.billable_bps).unwrap_or(i128::MAX)),
        Cell::exact(sum.amount),
        Cell::text(sum.currency.as_deref()),
    ]
}
