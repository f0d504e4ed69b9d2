//! How acts of closing are refused.

use super::ApiError;
use crate::closing::close::CloseError;
use crate::closing::export::summary::TooLarge;
use crate::closing::proof::ProofError;
use crate::closing::what_if::WhatIfError;

fn not_now(says: impl ToString, soon: bool) -> ApiError {
    ApiError::NotNow { says: says.to_string(), soon, held_back: Vec::new() }
}

impl From<CloseError> for ApiError {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::TooEarly { .. }
            | CloseError::Differs(_)
            | CloseError::TwoUnits(_)
            | CloseError::BilledElsewhere { .. }
            | CloseError::Changed(_) => not_now(error, false),
            CloseError::Unfollowed(pending) => not_now(format!("{pending}; try again in a moment"), true),
            CloseError::Busy => {
                not_now("something is being closed or corrected right now; try again when it is done", true)
            }
            CloseError::HeldBack(held_back) => Self::NotNow {
                says: format!(
                    "collectors may have readings that were not sent: {}. To close all the same, say why in override",
                    held_back.join("; ")
                ),
                soon: false,
                held_back,
            },
            CloseError::Nameless(field) => {
                Self::Field { field: field.to_owned(), value: None, says: error.to_string() }
            }
            CloseError::Unknown { .. } => Self::Unknown(error.to_string()),
            CloseError::Exclusion(says) => Self::Wrong(says),
            CloseError::Stopping => Self::NotReady(error.to_string()),
            CloseError::Inventory(_) | CloseError::DataDir(..) => Self::Internal(error.into()),
            CloseError::Store(error) => error.into(),
        }
    }
}

impl From<WhatIfError> for ApiError {
    fn from(error: WhatIfError) -> Self {
        match error {
            WhatIfError::Nothing | WhatIfError::Terms(_) | WhatIfError::NoCurrency(_) => {
                Self::Wrong(error.to_string())
            }
            WhatIfError::Close(error) => error.into(),
        }
    }
}

impl From<ProofError> for ApiError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Store(error) => error.into(),
            ProofError::Differ { .. } => not_now(error, false),
        }
    }
}

impl From<TooLarge> for ApiError {
    fn from(error: TooLarge) -> Self {
        Self::Internal(error.into())
    }
}
