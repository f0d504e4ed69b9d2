//! The inventory as people write it, in TOML or JSON, and as it is stored entry by entry.
//!
//! Here is what is sold; [`site`] has those who buy it and where it stands, [`throttle`] when somebody is extreme.

pub mod site;
pub mod throttle;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::instant::Instant;
use crate::metering::money::{Currency, Price, Rounding};
use crate::metering::overage::{Method, Missing};
use crate::metering::sample::PortKind;
use site::{CustomerEntry, DeviceEntry, RegionEntry, UplinkEntry};
use throttle::{ExemptionEntry, PolicyEntry};

/// An inventory file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = InventoryDocument)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The billing time zone, by its name in the IANA database; Asia/Tokyo unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Who pays. Where any is listed, servers and pools name listed ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customers: Vec<CustomerEntry>,
    /// Where things stand. Where any is listed, servers, devices and uplinks name listed ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<RegionEntry>,
    /// The devices whose ports are metered. Where any is listed, ports and uplinks name listed ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceEntry>,
    /// What can be bought.
    #[serde(default)]
    pub plans: Vec<PlanEntry>,
    /// Lines that servers share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uplinks: Vec<UplinkEntry>,
    /// What is sold and metered.
    #[serde(default)]
    pub servers: Vec<ServerEntry>,
    /// Servers that are billed as one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolEntry>,
    /// By which limits servers are extreme, where not by the usual ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyEntry>,
    /// For whom which rules do not count for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exemptions: Vec<ExemptionEntry>,
}

/// A plan as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Plan)]
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
    /// The coverage below which a statement waits for a person's review, 0 to 1; 0.95 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_coverage: Option<Decimal>,
    /// The plan that takes this one's place for everybody, and from when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<PlanChangeEntry>,
}

/// Another plan from an instant on, as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PlanChange)]
#[serde(deny_unknown_fields)]
pub struct PlanChangeEntry {
    /// The other plan's id.
    pub plan: String,
    /// From when.
    pub from: Instant,
}

/// A tier as written: the price of the part of the overage from a threshold up to the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TierEntry {
    /// From how many Mbps on.
    pub from_mbps: Decimal,
    /// What 1 Mbps of that part costs.
    pub price_per_mbps: Price,
}

/// A server as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = InventoryServer)]
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
    /// The plan's id at first; `default` unless given.
    #[serde(default = "default_plan")]
    pub plan: String,
    /// Other plans, each from an instant on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan_changes: Vec<PlanChangeEntry>,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Addon)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = InventoryPort)]
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
    /// Whether it is read only to be compared with the server's other ports, and does not count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub check_only: bool,
    /// From when it belongs to the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Until before when it belongs to the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// A pool as written: servers of one customer that are billed as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Pool)]
#[serde(deny_unknown_fields)]
pub struct PoolEntry {
    /// Its name, which is no server's.
    pub id: String,
    /// Who pays for it, and for every member.
    #[serde(default)]
    pub customer: String,
    /// The id of the plan by whose terms it is billed; `default` unless given.
    #[serde(default = "default_plan")]
    pub plan: String,
    /// The members.
    #[serde(default)]
    pub servers: Vec<MemberEntry>,
}

/// A pool's member as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PoolMember)]
#[serde(deny_unknown_fields)]
pub struct MemberEntry {
    /// The server's id.
    pub server: String,
    /// From when it is a member: the first instant of a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Until before when it is a member: the first instant of a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

fn default_plan() -> String {
    super::PLAN_DEFAULT.to_owned()
}

fn default_kind() -> PortKind {
    PortKind::Switch
}
