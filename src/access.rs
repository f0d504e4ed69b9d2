//! Who may do what: roles, and what of the site each sees.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody is there for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees all figures and changes nothing.
    Viewer,
    /// Sees all figures, takes steps of cases and declares incidents.
    Operator,
    /// Sees all figures, closes months and corrects them.
    Billing,
    /// Ships readings and sees nothing.
    Collector,
    /// May do everything.
    Admin,
}

impl Role {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Billing => "billing",
            Self::Collector => "collector",
            Self::Admin => "admin",
        }
    }
}

/// What of the site somebody sees: all of it, or what is one customer's, in one region, or both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limit {
    /// Only what this customer pays for.
    pub customer: Option<String>,
    /// Only what stands in this region.
    pub region: Option<String>,
}

impl Limit {
    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.customer.is_none() && self.region.is_none()
    }

    /// Whether what is `customer`'s and stands in `region` is within it.
    #[must_use]
    pub fn covers(&self, customer: &str, region: &str) -> bool {
        self.customer.as_deref().is_none_or(|only| only == customer)
            && self.region.as_deref().is_none_or(|only| only == region)
    }
}

/// Whoever makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name of the token, as it is in the log and the audit; `None` where no token was ever made.
    pub name: Option<String>,
    /// What they are there for.
    pub role: Role,
    /// What they see.
    pub limit: Limit,
}

impl Caller {
    /// Whoever asks a service for which no token was ever made.
    #[must_use]
    pub fn anyone() -> Self {
        Self { name: None, role: Role::Admin, limit: Limit::default() }
    }

    /// Whether they see what is `customer`'s and stands in `region`.
    #[must_use]
    pub fn sees(&self, customer: &str, region: &str) -> bool {
        self.limit.covers(customer, region)
    }
}
