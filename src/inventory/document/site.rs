//! Those who buy, and where things stand and how they are connected, as people write it.

use serde::{Deserialize, Serialize};

use crate::inventory::Language;
use crate::inventory::instant::Instant;

/// A customer as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Customer)]
#[serde(deny_unknown_fields)]
pub struct CustomerEntry {
    /// The id by which servers and pools name it.
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whom to tell.
    #[serde(default)]
    pub contacts: Vec<ContactEntry>,
}

/// A person of a customer as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Contact)]
#[serde(deny_unknown_fields)]
pub struct ContactEntry {
    /// The name.
    pub name: String,
    /// Where mail reaches them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where a call reaches them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The webhook of the configuration through which they are reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// What they read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// A region as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Region)]
#[serde(deny_unknown_fields)]
pub struct RegionEntry {
    /// The id by which servers, devices and uplinks name it.
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A device as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = InventoryDevice)]
#[serde(deny_unknown_fields)]
pub struct DeviceEntry {
    /// The name by which ports and uplinks name it.
    pub id: String,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Interfaces that are several in one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lags: Vec<LagEntry>,
}

/// A link aggregation as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Lag)]
#[serde(deny_unknown_fields)]
pub struct LagEntry {
    /// What the device calls it (ifName).
    pub interface: String,
    /// The interfaces in it.
    pub members: Vec<String>,
}

/// An uplink as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = InventoryUplink)]
#[serde(deny_unknown_fields)]
pub struct UplinkEntry {
    /// Its name.
    pub id: String,
    /// The region whose servers share it.
    pub region: String,
    /// The device's name.
    pub device: String,
    /// What the device calls the interface (ifName).
    pub interface: String,
    /// The devices whose servers share it; all of the region's servers do unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Its speed in bit/s.
    pub speed_bps: u64,
    /// From when it is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Until before when it is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}
