//! Burst budgets that run out, and overage that is certain (SPEC.md section 7).

use std::collections::BTreeMap;

use serde_json::json;

use crate::aggregator::state::Aggregator;
use crate::alerts::alert::{Alert, AlertKind, Severity};
use crate::inventory::Server as Entry;
use crate::metering::period::Month;
use crate::metering::tally::Figures;
use crate::metering::units::{Bps, Slot};
use crate::throttle::recommendation::words::mbps;

/// The alerts of all servers' running month. One that is used up is not half used as well, and overage that is locked
/// in is told beside it, since one says what can be done and the other what it costs.
///
/// A server of which revisions have taken more than memory can tell is left out until it was read again.
#[must_use]
pub fn alerts(state: &Aggregator) -> Vec<Alert> {
    let inventory = state.inventory();
    let mut alerts = Vec::new();
    for entry in inventory.servers.values() {
        let Some(server) = state.server(&entry.id) else { continue };
        let Some(period) = Month::of(server.month.from.start(), &inventory.timezone) else { continue };
        if let Ok(figures) = server.tally.figures(state.closed_until(server)) {
            let allowance = server.tally.rules().allowance.in_slot(last_slot(state.closed_until(server)));
            alerts.extend(of(entry, period, &figures, allowance));
        }
    }
    alerts
}

fn last_slot(closed_until: Slot) -> Slot {
    closed_until.previous()
}

/// One server's.
fn of(entry: &Entry, period: Month, figures: &Figures, allowance: Bps) -> impl Iterator<Item = Alert> {
    let Figures { burst_slots, burst_left_slots, locked_in_p95, locked_in_overage, .. } = *figures;
    let used_slots = burst_slots - burst_left_slots;
    let used_up = burst_slots > 0 && burst_left_slots == 0;
    let half_used = burst_slots > 0 && !used_up && used_slots * 2 >= burst_slots;
    let overage = locked_in_overage.filter(|overage| *overage > Bps(0));
    let details = json!({
        "period": period, "burst_slots": burst_slots, "burst_left_slots": burst_left_slots, "allowance_bps": allowance,
        "locked_in_p95_bps": locked_in_p95, "locked_in_overage_bps": locked_in_overage,
    });
    let server = &entry.id;
    let alert = |kind: AlertKind, severity, summary: String| Alert {
        key: format!("{kind} {server} {period}"),
        kind,
        severity,
        labels: BTreeMap::from([
            ("server".to_owned(), server.clone()),
            ("customer".to_owned(), entry.customer.clone()),
            ("region".to_owned(), entry.region.clone()),
            ("period".to_owned(), period.to_string()),
        ]),
        summary,
        details: details.clone(),
    };
    let half = half_used.then(|| {
        let says = format!(
            "server {server} has used {used_slots} of the {burst_slots} slots that {period} forgives"
        );
        alert(AlertKind::BurstHalf, Severity::Info, says)
    });
    let all = used_up.then(|| {
        let says = format!(
            "server {server} has used all {burst_slots} slots that {period} forgives; the next above {} is billed",
            mbps(allowance)
        );
        alert(AlertKind::BurstUsed, Severity::Warning, says)
    });
    let billed = overage.map(|overage| {
        let says = format!("server {server} ends {period} with an overage of {} at least", mbps(overage));
        alert(AlertKind::LockedInOverage, Severity::Info, says)
    });
    half.into_iter().chain(all).chain(billed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which kinds `left` of 432 slots and an overage of `overage` raise.
    fn kinds(burst_slots: u64, left: u64, overage: Option<u64>) -> Vec<AlertKind> {
        let figures = Figures {
            samples: 1,
            expected: 8_640,
            expected_so_far: 1,
            rank: None,
            p95: None,
            p95_in: None,
            p95_out: None,
            overage: None,
            locked_in_p95: None,
            locked_in_overage: overage.map(Bps),
            burst_slots,
            burst_left_slots: left,
        };
        let document = toml::from_str("[[servers]]\nid = 'web01'\nregion = 'tokyo'").unwrap();
        let inventory = crate::inventory::Inventory::from_document(&document).unwrap();
        let period = "2026-11".parse().unwrap();
        of(&inventory.servers["web01"], period, &figures, Bps(1)).map(|alert| alert.kind).collect()
    }

    #[test]
    fn each_step_of_a_budget_has_its_alert() {
        for (burst_slots, left, overage, expected) in [
            (432, 432, None, vec![]),
            (432, 217, Some(0), vec![]),
            (432, 216, Some(0), vec![AlertKind::BurstHalf]),
            (432, 1, Some(0), vec![AlertKind::BurstHalf]),
            (432, 0, Some(0), vec![AlertKind::BurstUsed]),
            (432, 0, Some(1), vec![AlertKind::BurstUsed, AlertKind::LockedInOverage]),
            // A period of under 20 slots forgives none.
            (0, 0, Some(1), vec![AlertKind::LockedInOverage]),
            (0, 0, None, vec![]),
        ] {
            assert_eq!(kinds(burst_slots, left, overage), expected, "{burst_slots} {left} {overage:?}");
        }
    }
}
