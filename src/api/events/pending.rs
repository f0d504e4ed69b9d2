//! What has changed and is still to be told.

use tokio::time::Instant;

use super::Topic;
use crate::api::limits::EVENT_AFTER;

/// When each topic changed last, until that is surely in what is asked for.
#[derive(Debug, Default)]
pub(super) struct Pending {
    changed: [Option<Instant>; Topic::ALL.len()],
    due: Option<Instant>,
}

impl Pending {
    /// Notes that these have changed.
    pub(super) fn note(&mut self, topics: &[Topic], now: Instant) {
        for (topic, changed) in Topic::ALL.iter().zip(&mut self.changed) {
            if topics.contains(topic) {
                *changed = Some(now);
            }
        }
        self.due.get_or_insert(now + EVENT_AFTER);
    }

    /// When the next event is due, if there is anything to tell.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What is told now. What changed only just now is told once more.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Topic> {
        let all = Topic::ALL.iter().zip(&self.changed);
        let told = all.filter(|(_, changed)| changed.is_some()).map(|(topic, _)| *topic).collect();
        for changed in &mut self.changed {
            changed.take_if(|changed| *changed + EVENT_AFTER <= now);
        }
        let left = self.changed.iter().any(Option::is_some);
        self.due = left.then(|| now + EVENT_AFTER);
        told
    }
}
