//! Shared lines that are nearly full.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::aggregator::state::Aggregator;
use crate::alerts::alert::{Alert, AlertKind, Notice, Severity};
use crate::inventory::instant::Instant;
use crate::metering::sample::{Direction, Rates};
use crate::metering::throttle::policy::Policy;
use crate::metering::throttle::rules::Uplink;
use crate::metering::units::{Bps, Slot};
use crate::throttle::recommendation::words::mbps;
use crate::throttle::uplinks::{Group, Loads};

/// How many slots back the newest one of a line may be: its port closes none, so the last complete one is looked for.
pub const BACK_SLOTS: i64 = 3;

/// The lines that were nearly full at the last look, with their alerts.
#[derive(Debug, Default)]
pub struct Uplinks {
    tight: BTreeMap<String, Alert>,
}

impl Uplinks {
    /// Goes on with the alerts that are `raised`.
    #[must_use]
    pub fn resume(raised: &[Notice]) -> Self {
        let tight = raised.iter().filter(|notice| notice.alert.kind == AlertKind::UplinkTight);
        let tight = tight
            .filter_map(|notice| Some((notice.alert.labels.get("uplink")?.clone(), notice.alert.clone())));
        Self { tight: tight.collect() }
    }

    /// The lines that are nearly full in the newest slot of which their ports tell: at SPEC.md's share of their speed, and
    /// from then on as long as they are above its release share. One of which nothing is known stands as it stood.
    pub fn look(&mut self, state: &Aggregator) -> Vec<Alert> {
        let newest = Slot::of(state.clock()).previous();
        let mut alerts: BTreeMap<String, Alert> = BTreeMap::new();
        let mut told: BTreeSet<String> = BTreeSet::new();
        // The newest slot that a line has a figure for tells; the ones before fill in for lines that were not read yet.
        for slot in (0..BACK_SLOTS).map(|back| Slot(newest.0.saturating_sub(back))) {
            let loads = Loads::of(state, slot);
            for group in loads.all() {
                for uplink in &group.shared.uplinks {
                    let complete =
                        state.inventory().uplinks.get(&uplink.id).and_then(|line| state.port(&line.port));
                    let complete = complete.is_some_and(|port| port.is_complete(slot));
                    let Some(rates) = uplink.by_port.filter(|_| complete) else { continue };
                    if told.insert(uplink.id.clone())
                        && let Some(alert) = self.alert(group, uplink, rates, slot)
                    {
                        alerts.insert(uplink.id.clone(), alert);
                    }
                }
            }
        }
        let unknown = |id: &String| !told.contains(id) && state.inventory().uplinks.contains_key(id);
        let stand = self.tight.iter().filter(|(id, _)| unknown(id));
        alerts.extend(stand.map(|(id, alert)| (id.clone(), alert.clone())));
        self.tight = alerts;
        self.tight.values().cloned().collect()
    }

    fn alert(&self, group: &Group, uplink: &Uplink, rates: Rates, slot: Slot) -> Option<Alert> {
        let policy = Policy::default();
        let load_percent = policy.uplink.unwrap_or_default().load_percent;
        let direction = if rates.out_bps >= rates.in_bps { Direction::Out } else { Direction::In };
        let load = rates.towards(direction);
        // In hundredths of a percent of the speed, rounded down.
        let permyriad = u128::from(load.0) * 10_000 / u128::from(uplink.speed.0.max(1));
        let at_percent = if self.tight.contains_key(&uplink.id) { policy.release_percent } else { 100 };
        if permyriad < u128::from(load_percent) * u128::from(at_percent) {
            return None;
        }
        let percent = u64::try_from(permyriad / 100).unwrap_or(u64::MAX);
        let Uplink { id, speed, .. } = uplink;
        Some(Alert {
            key: format!("uplink {id}"),
            kind: AlertKind::UplinkTight,
            severity: Severity::Critical,
            labels: BTreeMap::from([
                ("uplink".to_owned(), id.clone()),
                ("region".to_owned(), group.region.clone()),
            ]),
            summary: format!("uplink {id} is at {percent} % of its {} ({})", mbps(*speed), direction.name()),
            details: json!({
                "slot": Instant(slot.start()), "direction": direction, "load_bps": load, "speed_bps": speed,
                "by_servers_bps": group.shared.by_servers.towards(direction), "largest": largest(group, direction),
            }),
        })
    }
}

/// What the largest of those behind it has, and how many there are.
fn largest(group: &Group, direction: Direction) -> serde_json::Value {
    let rates = group.members.iter().map(|(_, rates)| rates.towards(direction));
    json!({ "servers": group.members.len(), "rate_bps": rates.max().unwrap_or(Bps(0)) })
}
