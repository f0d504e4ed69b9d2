//! What has been done since somebody last asked.

use std::sync::Arc;

use super::{CaseError, Cases};
use crate::throttle::case::Case;
use crate::throttle::step::Step;

impl Cases {
    /// The number of the last step that is known.
    #[must_use]
    pub fn last_serial(&self) -> u64 {
        self.book().known().unwrap_or(0)
    }

    /// Every step after number `serial`, by whomever, in their order, each with its case as it stands now. Of cases that ended
    /// more than 90 days ago none is told.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn steps_since(&self, serial: u64) -> Result<Vec<(Arc<Case>, Step)>, CaseError> {
        self.refresh().await?;
        let book = self.book();
        let newer = |case: &&Arc<Case>| case.last_step().is_some_and(|step| step.serial > serial);
        let steps = book.cases().filter(newer).flat_map(|case| {
            let newer = case.steps.iter().filter(|step| step.serial > serial);
            newer.map(|step| (case.clone(), step.clone()))
        });
        let mut steps: Vec<(Arc<Case>, Step)> = steps.collect();
        steps.sort_unstable_by_key(|(_, step)| step.serial);
        Ok(steps)
    }
}
