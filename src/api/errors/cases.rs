//! How steps of cases are refused.

use super::ApiError;
use crate::throttle::desk::CaseError;
use crate::throttle::snippet::SnippetError;
use crate::throttle::step::StepError;

fn not_now(says: impl ToString, soon: bool) -> ApiError {
    ApiError::NotNow { says: says.to_string(), soon, held_back: Vec::new() }
}

impl From<CaseError> for ApiError {
    fn from(error: CaseError) -> Self {
        match error {
            CaseError::Step(error) => error.into(),
            CaseError::Unknown(_) => Self::Unknown(error.to_string()),
            CaseError::OpenAlready { .. } => not_now(error, false),
            CaseError::Busy => not_now(error, true),
            CaseError::DataDir(..) | CaseError::BrokenOff => Self::Internal(error.into()),
            CaseError::Store(error) => error.into(),
        }
    }
}

impl From<StepError> for ApiError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Value { field, says } => Self::Field { field: field.to_owned(), value: None, says },
            StepError::NotTheirs { .. } => {
                Self::Field { field: "by".to_owned(), value: None, says: error.to_string() }
            }
            StepError::NotNow { .. }
            | StepError::NotNotified { .. }
            | StepError::Rule { .. }
            | StepError::Recorded { .. }
            | StepError::Order { .. } => not_now(error, false),
        }
    }
}

impl From<SnippetError> for ApiError {
    fn from(error: SnippetError) -> Self {
        match error {
            SnippetError::Kind { ref kind, .. } => Self::field("for", kind, error.to_string()),
            SnippetError::Interfaces { given, .. } => {
                Self::field("interface", &given.to_string(), error.to_string())
            }
            SnippetError::NotNow { .. }
            | SnippetError::NoPort { .. }
            | SnippetError::Name { .. }
            | SnippetError::Template(_) => not_now(error, false),
        }
    }
}
