//! What a server's rules go on from after a restart: a pure look at the steps of its cases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meter95_reading::Timestamp;

use crate::inventory::instant::Instant;
use crate::metering::throttle::Rule;
use crate::throttle::case::Case;
use crate::throttle::step::Body;

/// What the cases of one server say about its rules.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The open case.
    pub open: Option<Arc<Case>>,
    /// The slot in which a rule was let go last, by its first instant.
    pub released: Option<Instant>,
    /// When a limit was lifted last.
    pub lifted_at: Option<Timestamp>,
    /// When a case was dismissed last.
    pub dismissed_at: Option<Timestamp>,
    /// The rules that held in that case then; none where it was reopened.
    pub dismissed: BTreeSet<Rule>,
    /// The slots after which cases resolved, by their first instants, in the order of time.
    pub resolved: Vec<Instant>,
}

/// The histories of all servers of `cases`, which come in the order of their numbers; resolutions from `since` on.
pub(super) fn histories<'a>(
    cases: impl Iterator<Item = &'a Arc<Case>>,
    since: Instant,
) -> BTreeMap<String, History> {
    let mut found: BTreeMap<String, History> = BTreeMap::new();
    for case in cases {
        let history = found.entry(case.server().to_owned()).or_default();
        if !case.state.is_over() {
            history.open = Some(case.clone());
        }
        let mut holding: BTreeSet<Rule> = BTreeSet::new();
        let mut dismissed_here = None;
        for step in &case.steps {
            match &step.body {
                Body::Opened { recommendation, .. } => holding.extend(recommendation.held()),
                Body::Fired { rule, .. } => {
                    holding.insert(*rule);
                }
                Body::Released { rule, slot } => {
                    holding.remove(rule);
                    history.released = history.released.max(Some(*slot));
                }
                Body::Lifted => history.lifted_at = history.lifted_at.max(Some(step.at)),
                Body::Dismissed if history.dismissed_at <= Some(step.at) => {
                    (history.dismissed_at, dismissed_here) = (Some(step.at), Some(step.at));
                    history.dismissed.clone_from(&holding);
                }
                Body::Reopened if dismissed_here.is_some() && dismissed_here == history.dismissed_at => {
                    history.dismissed.clear();
                }
                Body::Resolved { slot } if *slot >= since => history.resolved.push(*slot),
                _ => {}
            }
        }
    }
    for history in found.values_mut() {
        history.resolved.sort_unstable();
    }
    found
}
