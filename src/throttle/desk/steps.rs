//! What people, and the service in their place, do about a case: a method a step.

use std::sync::Arc;

use meter95_reading::Timestamp;

use super::{CaseError, Cases, by_service};
use crate::closing::desk::Word;
use crate::inventory::instant::Instant;
use crate::metering::units::Bps;
use crate::throttle::case::Case;
use crate::throttle::step::{Attempt, Body, StepError};

impl Cases {
    /// The customer was told.
    ///
    /// # Errors
    /// When they were before, the case has ended, or it can't be written.
    pub async fn notify(&self, case: u64, word: &Word) -> Result<Arc<Case>, CaseError> {
        self.take(case, word, Body::Notified).await
    }

    /// A limit is approved.
    ///
    /// # Errors
    /// When the customer was not told, it is not the time for it, or it can't be written.
    pub async fn approve(&self, case: u64, word: &Word) -> Result<Arc<Case>, CaseError> {
        self.take(case, word, Body::Approved).await
    }

    /// A limit was put on the ports; what is not given is as recommended.
    ///
    /// # Errors
    /// When it was not approved, can't be, or can't be written.
    pub async fn apply(
        &self,
        case: u64,
        cap_bps: Option<Bps>,
        until: Option<Instant>,
        word: &Word,
    ) -> Result<Arc<Case>, CaseError> {
        let recommended = self.get(case).await?.limit();
        let (cap_bps, until) = (cap_bps.unwrap_or(recommended.cap_bps), until.unwrap_or(recommended.until));
        self.take(case, word, Body::Applied { cap_bps, until }).await
    }

    /// The limit was taken off, which ends the case.
    ///
    /// # Errors
    /// When there is none, or it can't be written.
    pub async fn lift(&self, case: u64, word: &Word) -> Result<Arc<Case>, CaseError> {
        self.take(case, word, Body::Lifted).await
    }

    /// Nothing is done about it, which ends the case.
    ///
    /// # Errors
    /// When a limit is applied, the case has ended, or it can't be written.
    pub async fn dismiss(&self, case: u64, word: &Word) -> Result<Arc<Case>, CaseError> {
        self.take(case, word, Body::Dismissed).await
    }

    /// A case that has ended is taken up again.
    ///
    /// # Errors
    /// When it has not ended, its server has another open case, or it can't be written.
    pub async fn reopen(&self, case: u64, word: &Word) -> Result<Arc<Case>, CaseError> {
        self.take(case, word, Body::Reopened).await
    }

    /// It is left alone until then: nobody is contacted.
    ///
    /// # Errors
    /// When it has ended, that lies in the past, or it can't be written.
    pub async fn snooze(&self, case: u64, until: Instant, word: &Word) -> Result<Arc<Case>, CaseError> {
        self.take(case, word, Body::Snoozed { until }).await
    }

    /// It is not left alone any longer.
    ///
    /// # Errors
    /// When it was not, has ended, or it can't be written.
    pub async fn wake(&self, case: u64, word: &Word) -> Result<Arc<Case>, CaseError> {
        self.take(case, word, Body::Woken).await
    }

    /// Something is said about it, also when it has ended.
    ///
    /// # Errors
    /// When it can't be written.
    pub async fn note(&self, case: u64, word: &Word) -> Result<Arc<Case>, CaseError> {
        self.take(case, word, Body::Noted).await
    }

    /// Somebody tried to reach a contact. The first attempt that reached one makes the case notified, at once.
    ///
    /// # Errors
    /// When what came of it is known already, the case has ended, or it can't be written.
    pub async fn attempt(&self, case: u64, attempt: Attempt, word: &Word) -> Result<Arc<Case>, CaseError> {
        let told = attempt.reached() && self.get(case).await?.notified_at.is_none();
        let mut bodies = vec![Body::Attempted(attempt.clone())];
        bodies.extend(told.then_some(Body::Notified));
        match self.one(case, word, bodies).await {
            // Somebody else was quicker to tell the customer.
            Err(CaseError::Step(StepError::NotNow { kind, .. })) if told && kind == Body::Notified.kind() => {
                self.take(case, word, Body::Attempted(attempt)).await
            }
            came_of => came_of,
        }
    }

    /// The customer answered, which ends the rounds in which they are contacted.
    ///
    /// # Errors
    /// When the case has ended, or it can't be written.
    pub async fn answered(&self, case: u64, word: &Word) -> Result<Arc<Case>, CaseError> {
        self.take(case, word, Body::Answered).await
    }

    /// Every contact was tried in every round; only the service says so.
    ///
    /// # Errors
    /// When the customer answered, the case has ended, or it can't be written.
    pub async fn ready(&self, case: u64, why: &str, now: Timestamp) -> Result<Arc<Case>, CaseError> {
        self.take(case, &by_service(why, now), Body::Ready).await
    }
}
