//! The inventory as people write it, in TOML or JSON, and as it is stored entry by entry.

use std::path::Path;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::instant::Instant;
use crate::metering::money::{Currency, Price, Rounding};
use crate::metering::overage::{Method, Missing};
use crate::metering::sample::PortKind;

/// An inventory file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The billing time zone, by its name in the IANA database; Asia/Tokyo unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// What can be bought.
    #[serde(default)]
    pub plans: Vec<PlanEntry>,
    /// What is sold and metered.
    #[serde(default)]
    pub servers: Vec<ServerEntry>,
}

/// A plan as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanEntry {
    /// Its name.
    #[serde(default = "default_plan")]
    pub id: String,
    /// What it grants, in bit/s; 1,000,000 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance_bps: Option<u64>,
    /// What is ranked; `max` unless given.
    #[serde(default)]
    pub method: Method,
    /// What a slot without a sample counts as; `zero` unless given.
    #[serde(default)]
    pub missing: Missing,
    /// What 1 Mbps of overage costs, the same for every part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_mbps: Option<Price>,
    /// Prices by part of the overage, instead of one price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiers: Option<Vec<TierEntry>>,
    /// The currency of the prices, by ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Overage is billed in whole multiples of this, in bit/s; 10,000 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_bps: Option<u64>,
    /// Which way overage goes between two multiples; `up` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounding>,
    /// Which way an amount goes between two of the currency's smallest units; `down` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_rounding: Option<Rounding>,
}

/// A tier as written: the price of the part of the overage from a threshold up to the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierEntry {
    /// From how many Mbps on.
    pub from_mbps: Decimal,
    /// What 1 Mbps of that part costs.
    pub price_per_mbps: Price,
}

/// A server as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerEntry {
    /// Its name.
    pub id: String,
    /// Who pays for it.
    #[serde(default)]
    pub customer: String,
    /// Where it stands.
    #[serde(default)]
    pub region: String,
    /// The plan's id; `default` unless given.
    #[serde(default = "default_plan")]
    pub plan: String,
    /// From when it is in service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_start: Option<Instant>,
    /// Until before when it is in service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_end: Option<Instant>,
    /// Bandwidth bought besides the plan's.
    #[serde(default)]
    pub addons: Vec<AddonEntry>,
    /// The ports that are its own.
    #[serde(default)]
    pub ports: Vec<PortEntry>,
}

/// An add-on as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddonEntry {
    /// How much more, in bit/s.
    pub bps: u64,
    /// From when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Until before when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// A port as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortEntry {
    /// The device's name.
    pub device: String,
    /// What the device calls the interface (ifName).
    pub interface: String,
    /// Whose interface it is; `switch` unless given.
    #[serde(default = "default_kind")]
    pub kind: PortKind,
    /// The port's speed in bit/s, where the device's own word is not to be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_bps: Option<u64>,
    /// From when it belongs to the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Until before when it belongs to the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

fn default_plan() -> String {
    super::PLAN_DEFAULT.to_owned()
}

fn default_kind() -> PortKind {
    PortKind::Switch
}

/// Why a file is not an inventory document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The file can't be read.
    #[error("can't read {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not TOML of this shape; the cause names line and field.
    #[error("{path} is not an inventory in TOML: {source}")]
    Toml {
        /// The file.
        path: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// It is not JSON of this shape; the cause names line and field.
    #[error("{path} is not an inventory in JSON: {source}")]
    Json {
        /// The file.
        path: String,
        /// Where and why.
        source: serde_json::Error,
    },
}

impl Document {
    /// Reads a file: JSON where its name ends in `.json`, TOML otherwise.
    ///
    /// # Errors
    /// When it can't be read or has another shape.
    pub fn read(path: &Path) -> Result<Self, DocumentError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| DocumentError::Read { path: name.clone(), source })?;
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
            serde_json::from_str(&text).map_err(|source| DocumentError::Json { path: name, source })
        } else {
            toml::from_str(&text).map_err(|e| DocumentError::Toml { path: name, source: Box::new(e) })
        }
    }
}
