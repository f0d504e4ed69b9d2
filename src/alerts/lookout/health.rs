//! How the metering itself is doing: ports without a sample, late passes, wrong clocks, refused readings, a slow store.

use std::collections::BTreeMap;

use meter95_reading::Timestamp;
use serde_json::{Value, json};

use crate::aggregator::state::{Aggregator, GRACE_MS_DEFAULT};
use crate::aggregator::vitals::{Behind, Refusal, Report, Skew, last_read};
use crate::alerts::alert::{Alert, AlertKind, Notice, Severity};
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::sample::COVERED_MS_MIN;
use crate::metering::units::Slot;

/// Fewer ports with a figure than this are told, in percent; and the share from which on it is over.
const SAMPLED_PERCENT_MIN: u64 = 95;
const SAMPLED_PERCENT_WELL: u64 = 97;

/// How long after its end a slot is looked at, in ms: two passes later every port has been read past it.
const SAMPLED_AFTER_MS: i64 = 120_000;

/// How long ago a device may have been read, in ms: three passes. After the grace it is silent, which is another alert.
pub const LAG_MS: i64 = 180_000;

/// How far a collector's clock may be ahead, in ms: a second of traffic in the wrong slot is 0.3 % of it.
const SKEW_MS: i64 = 5_000;

/// How long rows may be on their way to the store, in ms: an engine that is started again takes some seconds.
const BEHIND_MS: i64 = 30_000;

/// What is remembered from look to look.
#[derive(Debug, Default)]
pub struct Health {
    /// That too many ports have no figure, while that is so.
    unsampled: Option<Alert>,
}

impl Health {
    /// Goes on with the alerts that are `raised`.
    #[must_use]
    pub fn resume(raised: &[Notice]) -> Self {
        let unsampled = raised.iter().find(|notice| notice.alert.kind == AlertKind::PortsUnsampled);
        Self { unsampled: unsampled.map(|notice| notice.alert.clone()) }
    }

    /// How the metering is doing at `now`, in a service that has been running since `since`, with `report` of what came in.
    pub fn look(
        &mut self,
        state: &Aggregator,
        report: Report,
        since: Timestamp,
        now: Timestamp,
    ) -> Vec<Alert> {
        let Report { refused, refusal, skew, behind, .. } = report;
        let mut alerts = Vec::new();
        alerts.extend(self.unsampled(state, since, now));
        alerts.extend(lag(state, since, now));
        alerts.extend(skew.filter(|skew| skew.ahead_ms > SKEW_MS).map(ahead));
        alerts.extend((refused > 0).then(|| refusals(refused, refusal)));
        alerts.extend(behind.filter(|behind| now.ms_since(behind.since) > BEHIND_MS).map(slow_store));
        alerts
    }

    /// Too many ports without a figure in the newest slot that all should have one for.
    fn unsampled(&mut self, state: &Aggregator, since: Timestamp, now: Timestamp) -> Option<Alert> {
        let slot = Slot::of(now.plus_ms(-SAMPLED_AFTER_MS)).previous();
        if slot.start() < since {
            return self.unsampled.clone();
        }
        let (mut ports, mut sampled) = (0_u64, 0_u64);
        for server in state.servers().iter().filter(|server| server.service.contains(slot)) {
            for (_, port) in state.ports_of(server, slot) {
                ports += 1;
                sampled +=
                    u64::from(port.carried(slot).is_some_and(|slot| slot.covered_ms >= COVERED_MS_MIN));
            }
        }
        let least = if self.unsampled.is_some() { SAMPLED_PERCENT_WELL } else { SAMPLED_PERCENT_MIN };
        self.unsampled = (sampled * 100 < ports * least).then(|| {
            let says =
                format!("{sampled} of {ports} ports have a figure for the slot of {}", rfc3339(slot.start()));
            let details = json!({ "ports": ports, "sampled": sampled, "slot": Instant(slot.start()) });
            alert(AlertKind::PortsUnsampled, Severity::Warning, says, details)
        });
        self.unsampled.clone()
    }
}

/// Devices that are read late, and not silent yet.
fn lag(state: &Aggregator, since: Timestamp, now: Timestamp) -> Option<Alert> {
    let lags = last_read(state, now).into_iter().filter_map(|(device, last)| {
        let lag_ms = now.ms_since(last?.max(since));
        (lag_ms > LAG_MS && lag_ms <= GRACE_MS_DEFAULT).then_some((lag_ms, device))
    });
    let late: Vec<(i64, &str)> = lags.collect();
    let (worst_ms, device) = late.iter().max().copied()?;
    let says =
        format!("{} devices are read late, {device} was last read {} s ago", late.len(), worst_ms / 1_000);
    let details = json!({ "devices": late.len(), "worst": device, "worst_ms": worst_ms });
    Some(alert(AlertKind::PollLag, Severity::Warning, says, details))
}

fn ahead(Skew { device, ahead_ms }: Skew) -> Alert {
    let says =
        format!("the clock by which {device} is read is {} s ahead of this machine's", ahead_ms / 1_000);
    alert(AlertKind::ClockSkew, Severity::Warning, says, json!({ "device": device, "ahead_ms": ahead_ms }))
}

fn refusals(refused: u64, newest: Option<Refusal>) -> Alert {
    let why = newest
        .as_ref()
        .map_or_else(String::new, |newest| format!(", the last of {}: {}", newest.from, newest.says));
    let newest =
        newest.map(|Refusal { at, from, says }| json!({ "at": Instant(at), "from": from, "says": says }));
    let says = format!("{refused} readings were refused in the last ten minutes{why}");
    alert(
        AlertKind::ReadingsRefused,
        Severity::Warning,
        says,
        json!({ "refused": refused, "newest": newest }),
    )
}

fn slow_store(Behind { since, rows }: Behind) -> Alert {
    let says = format!("ClickHouse has not taken {rows} rows since {}", rfc3339(since));
    alert(AlertKind::StoreBehind, Severity::Critical, says, json!({ "since": Instant(since), "rows": rows }))
}

/// There is one of each kind at a time.
fn alert(kind: AlertKind, severity: Severity, summary: String, details: Value) -> Alert {
    Alert { key: kind.name().to_owned(), kind, severity, labels: BTreeMap::new(), summary, details }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregator::state::Times;

    const NOW: Timestamp = Timestamp(1_795_223_400_000);

    #[test]
    fn what_came_in_is_told_when_it_is_too_much() {
        let skew = |ahead_ms| Some(Skew { device: "sw1".to_owned(), ahead_ms });
        let behind = |ago_ms: i64| Some(Behind { since: NOW.plus_ms(-ago_ms), rows: 7 });
        for (report, expected) in [
            (Report::default(), vec![]),
            (Report { skew: skew(5_000), behind: behind(30_000), ..Report::default() }, vec![]),
            (Report { skew: skew(5_001), ..Report::default() }, vec![AlertKind::ClockSkew]),
            (Report { refused: 1, ..Report::default() }, vec![AlertKind::ReadingsRefused]),
            (Report { behind: behind(30_001), ..Report::default() }, vec![AlertKind::StoreBehind]),
        ] {
            let state = Aggregator::new(Times::default(), NOW);
            let found = Health::default().look(&state, report, NOW, NOW);
            assert_eq!(found.iter().map(|alert| alert.kind).collect::<Vec<_>>(), expected);
        }
    }
}
