//! The alerts that are raised: who sees a condition sets all that are true now, and the board makes of that which are
//! new and which are over.
//!
//! An alert is stored before its event is put, and one change of the board is through before the next begins. So only
//! events of the last change can be missing after a crash, and a start looks for those. Changes have instants that only
//! go forward, also where the clock does not: an alert is raised once at any instant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use meter95_reading::Timestamp;
use tokio::sync::Mutex;

use super::alert::{Alert, AlertKind, Notice, Severity};
use super::event::Event;
use super::outbox::{Outbox, OutboxError};
use crate::inventory::instant::Instant;
use crate::signal::Signal;
use crate::store::alerts::Which;
use crate::store::connection::{Store, StoreError};

/// How many alerts a source may have raised at once; the rest is counted in one alert of each kind. Where a region is
/// dead, nobody reads 50,000.
pub const ALERTS_MAX: usize = 1_000;

/// How long ago the last change may be of which a start looks for missing events, in ms: half the time for which events
/// are kept, since one that is not kept any more is not missing.
const LOOK_BACK_MS: i64 = 200 * 86_400_000;

/// Alerts that are raised, by kind.
const RAISED: &str = "meter95_alerts_raised";

/// The alerts that are raised. Cheap to clone.
#[derive(Clone)]
pub struct Board {
    store: Store,
    outbox: Outbox,
    raised: Arc<RwLock<Raised>>,
    /// One change at a time.
    changing: Arc<Mutex<Changing>>,
    changed: Signal,
}

/// Alerts that are raised, by source and key.
type Raised = BTreeMap<(String, String), Notice>;

struct Changing {
    /// The instant of the last change.
    last: Timestamp,
    /// What the last change left to be stored, and then to be told.
    notices: Vec<Notice>,
    events: Vec<Event>,
}

impl Board {
    /// Goes on from what is stored, at `now`. An alert that is still true is not raised again; what the last change
    /// before a crash did not come to tell is told.
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn open(store: Store, outbox: Outbox, now: Timestamp) -> Result<Self, OutboxError> {
        let raised = store.alerts(Which::Raised).await?;
        let placed = |notice: Notice| ((notice.source.clone(), notice.alert.key.clone()), notice);
        let raised: Raised = raised.into_iter().map(placed).collect();
        let last = store.alerts_changed().await?.unwrap_or(Timestamp(0));
        if last > now.plus_ms(-LOOK_BACK_MS) {
            let of_last = store.alerts(Which::Since(last)).await?;
            outbox.put(of_last.iter().flat_map(|notice| events_at(notice, last)).collect(), now).await?;
        }
        gauge(&raised);
        let changing = Changing { last, notices: Vec::new(), events: Vec::new() };
        let (raised, changing) = (Arc::new(RwLock::new(raised)), Arc::new(Mutex::new(changing)));
        Ok(Self { store, outbox, raised, changing, changed: Signal::default() })
    }

    /// Says that an alert was raised or cleared.
    #[must_use]
    pub fn changed(&self) -> &Signal {
        &self.changed
    }

    /// Takes what is true now of all that `source` looks at, as `now` is: what is new is raised, what is not there any
    /// more is cleared. Both are durable, and in the outbox, when it returns.
    ///
    /// # Errors
    /// When the store can't be used. What has changed is not forgotten, and goes out with the next change of any source.
    pub async fn set(&self, source: &str, alerts: Vec<Alert>, now: Timestamp) -> Result<(), OutboxError> {
        let mut changing = self.changing.lock().await;
        self.store_and_tell(&mut changing, now).await?;
        let at = now.max(changing.last.plus_ms(1));
        let change = {
            let mut raised = self.raised.write().unwrap_or_else(PoisonError::into_inner);
            let change = change(&mut raised, source, alerts, at);
            gauge(&raised);
            change
        };
        if !change.is_empty() {
            changing.last = at;
            changing.events = change.iter().flat_map(|notice| events_at(notice, at)).collect();
            changing.notices = change;
            if !changing.events.is_empty() {
                self.changed.raise();
            }
        }
        self.store_and_tell(&mut changing, now).await
    }

    async fn store_and_tell(&self, changing: &mut Changing, now: Timestamp) -> Result<(), OutboxError> {
        self.store.put_alerts(&changing.notices, changing.last).await?;
        changing.notices.clear();
        if !changing.events.is_empty() {
            self.outbox.put(changing.events.clone(), now).await?;
            changing.events.clear();
        }
        Ok(())
    }

    /// The alerts that are raised, by source and key.
    #[must_use]
    pub fn raised(&self) -> Vec<Notice> {
        self.raised.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// So many alerts that are raised or were, those that were raised last first.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn last(&self, count: u32) -> Result<Vec<Notice>, StoreError> {
        self.store.alerts(Which::Last(count)).await
    }
}

/// The events of what was raised or cleared at this very instant.
fn events_at(notice: &Notice, at: Timestamp) -> impl Iterator<Item = Event> {
    let raised = (notice.raised_at.0 == at).then(|| notice.raised());
    let cleared = notice.cleared_at.filter(|cleared| cleared.0 == at).and_then(|_| notice.cleared());
    raised.into_iter().chain(cleared)
}

/// Brings what is raised of `source` to what is true now; returns all that is different, as it is now: cleared first.
fn change(raised: &mut Raised, source: &str, alerts: Vec<Alert>, at: Timestamp) -> Vec<Notice> {
    let known = |key: &str| raised.contains_key(&(source.to_owned(), key.to_owned()));
    let now: BTreeMap<String, Alert> =
        capped(alerts, known).into_iter().map(|alert| (alert.key.clone(), alert)).collect();
    let is_over =
        |notice: &Notice| now.get(&notice.alert.key).is_none_or(|alert| alert.labels != notice.alert.labels);
    let of_source = raised.iter().filter(|((of, _), _)| of == source);
    let over: BTreeSet<String> =
        of_source.filter(|(_, notice)| is_over(notice)).map(|((_, key), _)| key.clone()).collect();
    let mut changed = Vec::new();
    for key in over {
        if let Some(notice) = raised.remove(&(source.to_owned(), key)) {
            changed.push(Notice { cleared_at: Some(Instant(at)), ..notice });
        }
    }
    for (key, alert) in now {
        let place = (source.to_owned(), key);
        let notice = match raised.get(&place) {
            Some(known) if known.alert == alert => continue,
            Some(known) => Notice { alert, ..known.clone() },
            None => Notice { source: source.to_owned(), alert, raised_at: Instant(at), cleared_at: None },
        };
        raised.insert(place, notice.clone());
        changed.push(notice);
    }
    changed
}

/// At most [`ALERTS_MAX`] alerts and one for each kind that has more: of all, those that matter most, and of equal ones
/// those that are `known` already.
fn capped(mut alerts: Vec<Alert>, known: impl Fn(&str) -> bool) -> Vec<Alert> {
    alerts.sort_by(|a, b| a.key.cmp(&b.key));
    alerts.dedup_by(|a, b| a.key == b.key);
    if alerts.len() <= ALERTS_MAX {
        return alerts;
    }
    alerts.sort_by_cached_key(|alert| (std::cmp::Reverse(alert.severity), !known(&alert.key)));
    let mut rest: BTreeMap<AlertKind, (u64, Severity)> = BTreeMap::new();
    for alert in alerts.drain(ALERTS_MAX..) {
        let (count, worst) = rest.entry(alert.kind).or_default();
        *count += 1;
        *worst = alert.severity.max(*worst);
    }
    alerts.extend(rest.into_iter().map(|(kind, (count, severity))| Alert {
        key: format!("more-{kind}"),
        kind,
        severity,
        labels: BTreeMap::from([("more".to_owned(), "true".to_owned())]),
        summary: format!("{count} more of the kind {kind} than are told one by one"),
        details: serde_json::json!({ "count": count }),
    }));
    alerts
}

fn gauge(raised: &Raised) {
    for kind in AlertKind::ALL {
        let count = raised.values().filter(|notice| notice.alert.kind == kind).count();
        metrics::gauge!(RAISED, "kind" => kind.name()).set(u32::try_from(count).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(key: &str, severity: Severity, summary: &str) -> Alert {
        Alert {
            key: key.to_owned(),
            kind: AlertKind::PortSilent,
            severity,
            labels: BTreeMap::from([("device".to_owned(), "sw1".to_owned())]),
            summary: summary.to_owned(),
            details: serde_json::Value::Null,
        }
    }

    /// Changes in short: `+key` raised, `-key` cleared, `=key` as it was with other figures.
    fn short(changes: &[Notice], at: i64) -> Vec<String> {
        let short = |notice: &Notice| {
            let sign = match (notice.raised_at.0.0 == at, notice.cleared_at) {
                (_, Some(cleared)) => {
                    assert_eq!(cleared.0.0, at);
                    '-'
                }
                (true, None) => '+',
                (false, None) => '=',
            };
            format!("{sign}{}", notice.alert.key)
        };
        changes.iter().map(short).collect()
    }

    #[test]
    fn what_is_new_is_raised_and_what_is_gone_is_cleared() {
        let mut raised = Raised::new();
        let plain = |key: &str| alert(key, Severity::Warning, "s");
        let rows: [(i64, &str, Vec<Alert>, &[&str]); 8] = [
            (1, "ports", vec![plain("a"), plain("b")], &["+a", "+b"]),
            (2, "ports", vec![plain("b"), plain("a"), plain("a")], &[]),
            (3, "devices", vec![plain("a")], &["+a"]),
            (4, "ports", vec![plain("a"), plain("c")], &["-b", "+c"]),
            (5, "ports", vec![alert("a", Severity::Critical, "worse"), plain("c")], &["=a"]),
            (6, "ports", vec![Alert { labels: BTreeMap::new(), ..plain("a") }, plain("c")], &["-a", "+a"]),
            (7, "ports", vec![], &["-a", "-c"]),
            (8, "ports", vec![plain("b")], &["+b"]),
        ];
        for (at, source, alerts, expected) in rows {
            let changed = change(&mut raised, source, alerts, Timestamp(at));
            assert_eq!(short(&changed, at), expected, "at {at}");
        }
        let left: Vec<(&str, &str)> =
            raised.keys().map(|(source, key)| (source.as_str(), key.as_str())).collect();
        assert_eq!(left, [("devices", "a"), ("ports", "b")]);
    }

    #[test]
    fn events_are_named_by_what_they_are_of() {
        let mut raised = Raised::new();
        let key = "sw1.tokyo ge-0/0/1";
        let up = change(&mut raised, "ports", vec![alert(key, Severity::Info, "s")], Timestamp(10));
        let down = change(&mut raised, "ports", vec![], Timestamp(20));
        let again = change(&mut raised, "ports", vec![alert(key, Severity::Info, "s")], Timestamp(30));
        let elsewhere = change(&mut raised, "nics", vec![alert(key, Severity::Info, "s")], Timestamp(30));
        let event = |change: &[Notice], at| events_at(&change[0], Timestamp(at)).next().unwrap();
        let (up, down, again) = (event(&up, 10), event(&down, 20), event(&again, 30));
        assert_eq!((up.kind.as_str(), down.kind.as_str()), ("alert.raised", "alert.cleared"));
        assert_eq!(down.id.strip_prefix("cleared"), up.id.strip_prefix("raised"), "one alert, two ends");
        assert!(up.id.ends_with("-10") && again.id.ends_with("-30"), "{} {}", up.id, again.id);
        assert_ne!(event(&elsewhere, 30).id, again.id);
        for event in [&up, &down, &again] {
            super::super::event::check_id(&event.id).unwrap();
        }
        assert_eq!(up.data["cleared_at"], serde_json::Value::Null);
        assert_eq!(down.data["key"], key);
    }

    #[test]
    fn a_dead_region_raises_no_more_than_people_read() {
        let many = |count: usize| {
            (0..count).map(|n| alert(&format!("{n:05}"), Severity::Warning, "s")).collect::<Vec<_>>()
        };
        let mut raised = Raised::new();
        let first = change(&mut raised, "ports", many(50_000), Timestamp(1));
        assert_eq!(first.len(), ALERTS_MAX + 1);
        let more = &raised[&("ports".to_owned(), "more-port_silent".to_owned())];
        assert_eq!(more.alert.details["count"], 49_000);
        assert!(more.alert.summary.starts_with("49000 more"), "{}", more.alert.summary);
        // The same once more, and one that matters more: it takes a place.
        let mut second = many(50_000);
        second.push(alert("z", Severity::Critical, "s"));
        let second = change(&mut raised, "ports", second, Timestamp(2));
        assert_eq!(short(&second, 2), ["-00999", "=more-port_silent", "+z"]);
        // Those that are known keep their places before others of their kind.
        let mut third = many(50_000);
        third.retain(|alert| alert.key.as_str() >= "00500");
        let third = change(&mut raised, "ports", third, Timestamp(3));
        let raised_now = third.iter().filter(|notice| notice.raised_at.0.0 == 3).count();
        let cleared = third.iter().filter(|notice| notice.cleared_at.is_some()).count();
        assert_eq!((raised_now, cleared), (501, 501));
        assert_eq!(raised.len(), ALERTS_MAX + 1);
    }
}
