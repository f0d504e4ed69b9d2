//! Plans: their prices, and what takes their place.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::Problems;
use crate::inventory::document::{Document, PlanChangeEntry, PlanEntry, TierEntry};
use crate::inventory::place::{Kind, Place};
use crate::inventory::{Inventory, MIN_COVERAGE_DEFAULT, PLAN_DEFAULT, Plan, PlanChange};
use crate::metering::allowance::ALLOWANCE_DEFAULT;
use crate::metering::money::{Currency, Rounding, Tariff, Tier, UNIT_DEFAULT};
use crate::metering::units::Bps;

/// The plans of `document` by id.
pub(super) fn plans(problems: &mut Problems, document: &Document) -> BTreeMap<String, Plan> {
    let mut plans = BTreeMap::new();
    for (i, entry) in document.plans.iter().enumerate() {
        let at = Place::entry(Kind::Plan, i, &entry.id);
        let plan = plan(problems, &at, entry);
        problems.insert(&at, &mut plans, plan);
    }
    for (i, entry) in document.plans.iter().enumerate() {
        let Some(change) = &entry.replaced_by else { continue };
        let at = Place::entry(Kind::Plan, i, &entry.id);
        known(problems, &at.on("replaced_by"), &change.plan, &plans);
        let next = |id: &str| plans.get(id)?.replaced_by.as_ref();
        if let Some(way) = Inventory::circle(&entry.id, next)
            && way.iter().min() == Some(&entry.id.as_str())
        {
            let way: Vec<String> = way.iter().map(|id| format!("{id:?}")).collect();
            problems.add(
                &at.on("replaced_by"),
                format!("plans replace each other in a circle: {}", way.join(" by ")),
            );
        }
    }
    plans
}

/// Says where there is no plan `id`.
pub(super) fn known(problems: &mut Problems, at: &Place, id: &str, plans: &BTreeMap<String, Plan>) {
    if id != PLAN_DEFAULT && !plans.contains_key(id) {
        problems.add(at, format!("there is no plan {id:?}"));
    }
}

/// A change as written, as it is held.
pub(super) fn change(entry: &PlanChangeEntry) -> PlanChange {
    PlanChange { plan: entry.plan.clone(), from: entry.from.0 }
}

fn plan(problems: &mut Problems, at: &Place, entry: &PlanEntry) -> Plan {
    problems.name(at, "id", &entry.id);
    let min_coverage = entry.min_coverage.unwrap_or(MIN_COVERAGE_DEFAULT);
    if min_coverage < Decimal::ZERO || min_coverage > Decimal::ONE {
        problems.add(&at.on("min_coverage"), format!("min_coverage of {min_coverage} is not from 0 to 1"));
    }
    Plan {
        id: entry.id.clone(),
        allowance: entry.allowance_bps.map_or(ALLOWANCE_DEFAULT, Bps),
        method: entry.method,
        missing: entry.missing,
        tariff: tariff(problems, at, entry),
        min_coverage,
        replaced_by: entry.replaced_by.as_ref().map(change),
    }
}

/// The tariff of a plan, `None` where it has no price at all.
fn tariff(problems: &mut Problems, at: &Place, entry: &PlanEntry) -> Option<Tariff> {
    let (tiers, field) = match (&entry.price_per_mbps, &entry.tiers) {
        (Some(_), Some(_)) => {
            problems.add(&at.on("tiers"), "has both price_per_mbps and tiers; write one of them");
            return None;
        }
        (Some(price), None) => (vec![Tier { from: Bps(0), price: *price }], "price_per_mbps"),
        (None, Some(tiers)) => {
            let tier = |(i, entry)| problems.take(&at.item("tiers", i), tier(entry));
            (tiers.iter().enumerate().map(tier).collect::<Option<_>>()?, "tiers")
        }
        (None, None) => return None,
    };
    let Some(currency) = entry.currency.clone() else {
        problems.add(&at.on(field), "has a price but no currency");
        return None;
    };
    let field = if entry.unit_bps == Some(0) { "unit_bps" } else { field };
    problems.take(&at.on(field), new_tariff(entry, currency, tiers))
}

fn new_tariff(
    entry: &PlanEntry,
    currency: Currency,
    tiers: Vec<Tier>,
) -> Result<Tariff, crate::metering::money::MoneyError> {
    Tariff::new(
        currency,
        entry.unit_bps.map_or(UNIT_DEFAULT, Bps),
        entry.rounding.unwrap_or(Rounding::Up),
        entry.amount_rounding.unwrap_or(Rounding::Down),
        tiers,
    )
}

fn tier(entry: &TierEntry) -> Result<Tier, String> {
    let says =
        || format!("a tier's from_mbps of {} is not a whole number of bit/s from 0 on", entry.from_mbps);
    let bps = entry.from_mbps.checked_mul(Decimal::from(1_000_000)).ok_or_else(says)?.normalize();
    if !bps.is_integer() {
        return Err(says());
    }
    let from = u64::try_from(bps).map_err(|_| says())?;
    Ok(Tier { from: Bps(from), price: entry.price_per_mbps })
}
