//! The same samples under other terms: what a month would have been, and for whom it would change by how much.

use rust_decimal::Decimal;
use serde::Serialize;

use super::acts::Trail;
use super::close::CloseError;
use super::draft::{Stored, UNITS_AT_ONCE};
use super::facts::Facts;
use super::statement::{Kind, Statement};
use super::unit::Unit;
use crate::inventory::{Inventory, Plan};
use crate::metering::money::{Currency, MoneyError, Price, Rounding, Tariff, Tier, UNIT_DEFAULT};
use crate::metering::overage::{Method, Missing};
use crate::metering::period::Month;
use crate::metering::units::Bps;
use crate::store::connection::Store;

/// What is to be otherwise, for every plan; what is `None` stays as each plan has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variation {
    /// What the plan grants; add-ons come on top.
    pub allowance: Option<Bps>,
    /// What is ranked.
    pub method: Option<Method>,
    /// What a slot without a sample counts as.
    pub missing: Option<Missing>,
    /// In what steps overage is billed.
    pub unit: Option<Bps>,
    /// Which way overage goes between two steps.
    pub rounding: Option<Rounding>,
    /// What 1 Mbps costs, instead of any tiers.
    pub price: Option<Price>,
    /// The currency of that price; the plan's own unless given.
    pub currency: Option<Currency>,
}

/// Figures under one set of terms.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = StatementFigures)]
pub struct Figures {
    /// What is ranked.
    pub method: Method,
    /// The allowance in the last slot.
    pub allowance_bps: Bps,
    /// The 95th percentile; `None`: no data.
    pub p95_bps: Option<Bps>,
    /// The p95 of excess.
    pub overage_bps: Option<Bps>,
    /// Overage in whole units.
    pub billable_bps: Option<Bps>,
    /// What that costs.
    pub amount: Option<Decimal>,
    /// The currency of the amount.
    pub currency: Option<String>,
}

/// A server or pool as it is, and as it would be.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = ComparedStatement)]
pub struct Compared {
    /// Whether a server is billed, or a pool.
    pub kind: Kind,
    /// Its id.
    pub server: String,
    /// Who pays.
    pub customer: String,
    /// Where it stands.
    pub region: String,
    /// By the terms in force.
    pub now: Figures,
    /// By the other terms.
    pub then: Figures,
    /// By how much the amount changes; `None` where the currencies differ or there is no amount.
    pub amount_change: Option<Decimal>,
}

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    /// Nothing is to be otherwise.
    #[error(
        "say what is to be otherwise: an allowance, a method, what a missing slot counts as, a unit, a rounding or a price"
    )]
    Nothing,
    /// The other terms can't be.
    #[error("{0}")]
    Terms(#[from] MoneyError),
    /// A price of nothing known.
    #[error("plan {0:?} has no currency: say in which one the price is")]
    NoCurrency(String),
    /// As closing fails.
    #[error(transparent)]
    Close(#[from] CloseError),
}

impl Variation {
    /// The inventory under these terms.
    fn apply(&self, inventory: &Inventory) -> Result<Inventory, WhatIfError> {
        if *self == Self::default() {
            return Err(WhatIfError::Nothing);
        }
        let mut inventory = inventory.clone();
        // Servers that name no plan are on one that need not be written down.
        inventory.plans.entry(crate::inventory::PLAN_DEFAULT.to_owned()).or_default();
        let mut codes =
            inventory.plans.values().filter_map(|plan| Some(plan.tariff.as_ref()?.currency().clone()));
        let first = codes.next();
        // The one currency of all plans is that of a plan which has none.
        let only = if codes.all(|code| Some(&code) == first.as_ref()) { first.clone() } else { None };
        for plan in inventory.plans.values_mut() {
            plan.allowance = self.allowance.unwrap_or(plan.allowance);
            plan.method = self.method.unwrap_or(plan.method);
            plan.missing = self.missing.unwrap_or(plan.missing);
            plan.tariff = self.tariff(plan, only.as_ref())?;
        }
        Ok(inventory)
    }

    fn tariff(&self, plan: &Plan, only: Option<&Currency>) -> Result<Option<Tariff>, WhatIfError> {
        let known = plan.tariff.as_ref();
        let tiers = match (self.price, known) {
            (Some(price), _) => vec![Tier { from: Bps(0), price }],
            (None, Some(known)) => known.tiers().to_vec(),
            (None, None) => return Ok(None),
        };
        let own = known.map(|known| known.currency().clone());
        let currency = self.currency.clone().or(own).or_else(|| only.cloned());
        let currency = currency.ok_or_else(|| WhatIfError::NoCurrency(plan.id.clone()))?;
        let unit = self.unit.or(known.map(Tariff::unit)).unwrap_or(UNIT_DEFAULT);
        let rounding = self.rounding.or(known.map(Tariff::rounding)).unwrap_or(Rounding::Up);
        let amount_rounding = known.map_or(Rounding::Down, Tariff::amount_rounding);
        Ok(Some(Tariff::new(currency, unit, rounding, amount_rounding, tiers)?))
    }
}

impl Figures {
    /// Those of a statement.
    #[must_use]
    pub fn of(statement: &Statement) -> Self {
        Self {
            method: statement.method,
            allowance_bps: statement.allowances.last().map_or(Bps(0), |step| step.bps),
            p95_bps: statement.p95_bps,
            overage_bps: statement.overage_bps,
            billable_bps: statement.billable_bps,
            amount: statement.amount,
            currency: statement.currency.clone(),
        }
    }
}

/// Compares `period` as it is with what it would be, for one server (or pool) or all: by the samples stored now, in a
/// month that runs with the slots to come as 0.
///
/// # Errors
/// When nothing is varied, the other terms can't be, a server is not billed in the month, or the store can't be read.
pub async fn compare(
    store: &Store,
    period: Month,
    server: Option<&str>,
    variation: &Variation,
) -> Result<Vec<Compared>, WhatIfError> {
    let trail = Trail::load(store).await.map_err(CloseError::from)?;
    let facts = Facts::load(store, period, &trail).await?;
    let other = variation.apply(&facts.inventory)?;
    let wanted = |unit: &Unit| server.is_none_or(|server| server == unit.id);
    let now: Vec<Unit> = facts.units()?.into_iter().filter(wanted).collect();
    let then: Vec<Unit> = facts.units_by(&other)?.into_iter().filter(wanted).collect();
    if let Some(server) = server.filter(|_| now.is_empty()) {
        let server = server.to_owned();
        return Err(
            CloseError::Unknown { period, what: "server or pool that is billed by itself", server }.into()
        );
    }
    let mut compared = Vec::with_capacity(now.len());
    for (now, then) in now.chunks(UNITS_AT_ONCE).zip(then.chunks(UNITS_AT_ONCE)) {
        let stored = Stored::load(store, &facts.frame, now).await.map_err(CloseError::from)?;
        for (now, then) in now.iter().zip(then) {
            let (now, _) = stored.draft(&facts.frame, now);
            let (then, _) = stored.draft(&facts.frame, then);
            compared.push(Compared::of(&now, &then));
        }
    }
    Ok(compared)
}

impl Compared {
    /// Whether the other terms change a figure.
    #[must_use]
    pub fn changes(&self) -> bool {
        let figures = |figures: &Figures| (figures.p95_bps, figures.overage_bps, figures.amount);
        figures(&self.now) != figures(&self.then)
    }

    fn of(now: &Statement, then: &Statement) -> Self {
        let amounts = now.amount.zip(then.amount).filter(|_| now.currency == then.currency);
        Self {
            kind: now.kind,
            server: now.server.clone(),
            customer: now.customer.clone(),
            region: now.region.clone(),
            now: Figures::of(now),
            then: Figures::of(then),
            amount_change: amounts.map(|(now, then)| then - now),
        }
    }
}
