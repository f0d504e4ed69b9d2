//! Lines for billing systems: what each issued revision of a statement adds to the bill.
//!
//! [`lines`] add up to the final amounts, whatever was corrected; the [`columns`] are how they are written, and a
//! [`summary`] has the final amounts by customer.

pub mod columns;
pub mod summary;

use rust_decimal::Decimal;

use super::statement::Statement;
use crate::metering::money::Currency;
use crate::metering::units::Bps;
use crate::store::statements::{Filed, State};

/// Which statements are asked for. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One server or pool.
    pub server: Option<String>,
    /// One customer.
    pub customer: Option<String>,
    /// One region.
    pub region: Option<String>,
    /// Only what has billable bandwidth; a correction of such a statement too.
    pub only_overage: bool,
    /// Only revisions above this one.
    pub since_revision: u32,
}

/// What a line does to the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// The first revision's whole amount.
    Charge,
    /// A later revision takes something back.
    Credit,
    /// A later revision adds something.
    Debit,
    /// A later revision that leaves the amount as it was.
    Correction,
}

/// A line of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    /// The revision that made the line.
    pub statement: &'a Statement,
    /// The revision that it corrects; `None` in a charge.
    pub corrects: Option<&'a Statement>,
    /// The revision by whose customer, plan, price and currency the line is: the corrected one where all of it is
    /// taken back, else the statement itself.
    pub terms: &'a Statement,
    /// What it does.
    pub kind: LineKind,
    /// By how many bit/s what is billable changes.
    pub billable_delta_bps: i128,
    /// The amount in the line's currency before; `None`: there was none.
    pub amount_before: Option<Decimal>,
    /// The amount in the line's currency after; `None`: there is none.
    pub amount_after: Option<Decimal>,
    /// The difference of the two with the currency's decimals, none counted as 0; `None` where nothing has a price.
    pub amount: Option<Decimal>,
}

impl LineKind {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Credit => "credit",
            Self::Debit => "debit",
            Self::Correction => "correction",
        }
    }
}

impl Filter {
    /// Whether a statement is asked for.
    #[must_use]
    pub fn takes(&self, statement: &Statement) -> bool {
        self.takes_place_of(statement)
            && statement.revision > self.since_revision
            && (!self.only_overage || is_billable(statement))
    }

    fn takes_line(&self, line: &Line<'_>) -> bool {
        let Line { statement, corrects, terms, .. } = line;
        self.takes_place_of(terms)
            && statement.revision > self.since_revision
            && (!self.only_overage || is_billable(statement) || corrects.is_some_and(is_billable))
    }

    fn takes_place_of(&self, statement: &Statement) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        is(&self.server, &statement.server)
            && is(&self.customer, &statement.customer)
            && is(&self.region, &statement.region)
    }
}

fn is_billable(statement: &Statement) -> bool {
    statement.billable_bps > Some(Bps(0))
}

/// The lines that the issued ones of `filed` make, in the order of ids and revisions.
///
/// The first revision of a statement is a charge, each later one the difference to the one before it. Where the
/// customer changed, the region, or the currency, the whole old amount is a credit and the whole new one a debit.
#[must_use]
pub fn lines<'a>(filed: &'a [Filed], filter: &Filter) -> Vec<Line<'a>> {
    let issued = issued(filed);
    let mut lines = Vec::with_capacity(issued.len());
    let mut before: Option<&Statement> = None;
    for statement in issued {
        match before.filter(|before| before.server == statement.server) {
            None => lines.push(charge(statement)),
            Some(before) => correct(before, statement, &mut lines),
        }
        before = Some(statement);
    }
    lines.retain(|line| filter.takes_line(line));
    lines
}

/// The issued statements in the order of ids and revisions.
fn issued(filed: &[Filed]) -> Vec<&Statement> {
    let issued = filed.iter().filter(|filed| filed.state == State::Issued);
    let mut issued: Vec<&Statement> = issued.map(|filed| &filed.statement).collect();
    issued.sort_by(|a, b| (&a.server, a.revision).cmp(&(&b.server, b.revision)));
    issued
}

fn charge(statement: &Statement) -> Line<'_> {
    Line {
        statement,
        corrects: None,
        terms: statement,
        kind: LineKind::Charge,
        billable_delta_bps: billable(statement),
        amount_before: None,
        amount_after: statement.amount,
        amount: difference(statement, None, statement.amount),
    }
}

fn correct<'a>(before: &'a Statement, after: &'a Statement, lines: &mut Vec<Line<'a>>) {
    let moved = before.customer != after.customer || before.region != after.region;
    if moved || before.currency != after.currency {
        if moved || before.currency.is_some() {
            lines.push(Line {
                statement: after,
                corrects: Some(before),
                terms: before,
                kind: LineKind::Credit,
                billable_delta_bps: -billable(before),
                amount_before: before.amount,
                amount_after: None,
                amount: difference(before, before.amount, None),
            });
        }
        if moved || after.currency.is_some() {
            lines.push(Line { corrects: Some(before), kind: LineKind::Debit, ..charge(after) });
        }
        return;
    }
    let amount = difference(after, before.amount, after.amount);
    lines.push(Line {
        statement: after,
        corrects: Some(before),
        terms: after,
        kind: match amount {
            Some(amount) if amount > Decimal::ZERO => LineKind::Debit,
            Some(amount) if amount < Decimal::ZERO => LineKind::Credit,
            Some(_) | None => LineKind::Correction,
        },
        billable_delta_bps: billable(after) - billable(before),
        amount_before: before.amount,
        amount_after: after.amount,
        amount,
    });
}

fn billable(statement: &Statement) -> i128 {
    statement.billable_bps.map_or(0, |bps| bps.0.into())
}

/// `after - before` with the decimals of the currency of `terms`; `None` where it has none.
fn difference(terms: &Statement, before: Option<Decimal>, after: Option<Decimal>) -> Option<Decimal> {
    let decimals = decimals(terms)?;
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    // Two amounts of one sign: their difference is never too large.
    let mut amount = after.checked_sub(before)?;
    amount.rescale(decimals);
    Some(amount)
}

fn decimals(statement: &Statement) -> Option<u32> {
    statement.tariff.as_ref().map(|tariff| tariff.currency()).map(Currency::decimals)
}

#[cfg(test)]
mod tests;
