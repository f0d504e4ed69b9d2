//! Who may do what: roles, and what of the site each sees.
//!
//! A [`token`] says who its holder is; [`registry`] knows those in force, [`sessions`] the browsers that were logged in
//! with one, and [`rates`] how often anybody may ask.

pub mod rates;
pub mod registry;
pub mod sessions;
pub mod token;

use std::num::NonZeroU32;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::connection::{Store, StoreError};
use rates::{Failures, Rates};
use registry::Registry;
use sessions::Sessions;

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

    /// The role that is written so.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|role| role.name() == name)
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
    /// The id of the token.
    pub token: Option<String>,
    /// What they are there for.
    pub role: Role,
    /// What they see.
    pub limit: Limit,
    /// The only collector as which they may ship; any unless given.
    pub collector: Option<String>,
}

/// What tells callers apart, and holds them to it. Cheap to clone; clones know the same.
#[derive(Clone)]
pub struct Guard {
    /// The tokens in force.
    pub registry: Registry,
    /// Browsers that are logged in.
    pub sessions: Sessions,
    /// Requests a second a token; those of a site without any count as one.
    pub requests: Rates<Option<String>>,
    /// Refusals of a token that are told in the audit, a second; the others are counted.
    pub refusals: Rates<Option<String>>,
    /// Log-ins that failed.
    pub failures: Failures,
}

impl Guard {
    /// Begins with the tokens that are stored; each may ask so many times a second.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn open(store: Store, requests_per_s: NonZeroU32) -> Result<Self, StoreError> {
        Ok(Self {
            registry: Registry::open(store).await?,
            sessions: Sessions::default(),
            requests: Rates::per_second(requests_per_s),
            refusals: Rates::per_second(NonZeroU32::MIN),
            failures: Failures::default(),
        })
    }
}

impl Caller {
    /// Whoever asks a service for which no token was ever made.
    #[must_use]
    pub fn anyone() -> Self {
        Self { name: None, token: None, role: Role::Admin, limit: Limit::default(), collector: None }
    }

    /// Whether they see what is `customer`'s and stands in `region`.
    #[must_use]
    pub fn sees(&self, customer: &str, region: &str) -> bool {
        self.limit.covers(customer, region)
    }
}
