//! What is sold and metered: plans and servers with their ports and add-ons, each for a span of time; whose they are,
//! and where they stand.
//!
//! A [`document`] is the form in which people write it, read from a [`file`](mod@file) in TOML or JSON; a [`place`] is
//! where in it something stands. [`Inventory`] is the form in which every contradiction has been refused ([`check`]);
//! [`terms`] says which plan holds when, [`pool`] which servers are billed as one, [`wiring`] which share an uplink,
//! [`policy`] when one is extreme. [`diff`] is what a new document would change, [`warnings`] what of it may be a
//! mistake; [`apply`] puts it in force.

pub mod instant;
pub mod place;

pub mod document;
pub mod file;

pub mod check;
pub mod policy;
pub mod pool;
pub mod terms;
pub mod wiring;

pub mod apply;
pub mod diff;
pub mod warnings;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use meter95_reading::{PortKey, Timestamp};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::metering::allowance::Grant;
use crate::metering::money::Tariff;
use crate::metering::overage::{Method, Missing};
use crate::metering::period::SlotSpan;
use crate::metering::sample::PortKind;
use crate::metering::units::Bps;
use policy::{Exemptions, Policies};
use pool::Pool;

/// The billing time zone of an inventory that names none.
pub const TIMEZONE_DEFAULT: &str = "Asia/Tokyo";

/// The plan of a server that names none; it need not be written down.
pub const PLAN_DEFAULT: &str = "default";

/// The coverage below which a statement waits for a review, unless the plan says otherwise (SPEC.md section 5).
pub const MIN_COVERAGE_DEFAULT: Decimal = Decimal::from_parts(95, 0, 0, false, 2);

/// Everything that is sold and metered, free of contradictions.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// The billing time zone's name, of the IANA database.
    pub timezone_name: String,
    /// The time zone in which months begin and end.
    pub timezone: TimeZone,
    /// Plans by id.
    pub plans: BTreeMap<String, Plan>,
    /// Servers by id.
    pub servers: BTreeMap<String, Server>,
    /// Pools by id.
    pub pools: BTreeMap<String, Pool>,
    /// Customers by id; none where they are not listed.
    pub customers: BTreeMap<String, Customer>,
    /// Regions by id; none where they are not listed.
    pub regions: BTreeMap<String, Region>,
    /// Devices by name; none where they are not listed.
    pub devices: BTreeMap<String, Device>,
    /// Uplinks by id.
    pub uplinks: BTreeMap<String, Uplink>,
    /// By which limits servers are extreme.
    pub policies: Policies,
    /// For whom which rules do not count for a while.
    pub exemptions: Exemptions,
}

/// What a customer gets and how it is billed.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Its name.
    pub id: String,
    /// What it grants.
    pub allowance: Bps,
    /// What is ranked.
    pub method: Method,
    /// What a slot without a sample counts as.
    pub missing: Missing,
    /// How overage is priced; `None` where the plan has no price.
    pub tariff: Option<Tariff>,
    /// The coverage below which a statement waits for a person's review, 0 to 1.
    pub min_coverage: Decimal,
    /// The plan that takes its place for everybody, and from when on.
    pub replaced_by: Option<PlanChange>,
}

/// Another plan from an instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanChange {
    /// The other plan's id.
    pub plan: String,
    /// From when.
    pub from: Timestamp,
}

/// The contract unit: one physical server.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Its name.
    pub id: String,
    /// Who pays for it.
    pub customer: String,
    /// Where it stands.
    pub region: String,
    /// The id of its first plan.
    pub plan: String,
    /// Its later plans, in the order of time.
    pub plan_changes: Vec<PlanChange>,
    /// From when it is in service; `None` since ever.
    pub service_start: Option<Timestamp>,
    /// Until before when it is in service; `None` without end.
    pub service_end: Option<Timestamp>,
    /// Bandwidth bought besides the plan's.
    pub addons: Vec<Grant>,
    /// The ports that are its own, each for a span of time.
    pub ports: Vec<Binding>,
    /// Ports of its own that are read only to be compared with the others; nothing that counts is made of them.
    pub check_ports: Vec<Binding>,
}

/// A port that belongs to a server for a span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The port.
    pub port: PortKey,
    /// Whose interface it is.
    pub kind: PortKind,
    /// The port's speed by the operator's word, which goes before the device's.
    pub speed: Option<Bps>,
    /// From when; `None` since ever.
    pub from: Option<Timestamp>,
    /// Until before when; `None` without end.
    pub until: Option<Timestamp>,
}

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The id by which servers and pools name it.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// Whom to tell.
    pub contacts: Vec<Contact>,
}

/// A person of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The name.
    pub name: String,
    /// Where mail reaches them.
    pub email: Option<String>,
    /// Where a call reaches them.
    pub phone: Option<String>,
    /// The webhook of the configuration through which they are reached.
    pub webhook: Option<String>,
    /// What they read, where that is known.
    pub language: Option<Language>,
}

/// A language in which a customer is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese.
    Ja,
    /// English.
    En,
}

/// Where things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The id by which servers, devices and uplinks name it.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
}

/// A device whose ports are metered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The name by which ports and uplinks name it.
    pub id: String,
    /// Where it stands, where that is known.
    pub region: Option<String>,
    /// Interfaces that are several in one.
    pub lags: Vec<Lag>,
}

/// A link aggregation: an interface that counts what its members count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// What the device calls it (ifName).
    pub interface: String,
    /// The interfaces in it.
    pub members: Vec<String>,
}

/// A line that a region's servers share, for a span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// Its name.
    pub id: String,
    /// The region whose servers share it.
    pub region: String,
    /// The devices whose servers share it; empty where all of the region's do.
    pub devices: Vec<String>,
    /// Its port; what the port sends leaves the region.
    pub port: PortKey,
    /// Its speed.
    pub speed: Bps,
    /// From when it is in use; `None` since ever.
    pub from: Option<Timestamp>,
    /// Until before when it is in use; `None` without end.
    pub until: Option<Timestamp>,
}

impl Uplink {
    /// Whether it is in use at `time`.
    #[must_use]
    pub fn holds_at(&self, time: Timestamp) -> bool {
        holds_at(self.from, self.until, time)
    }
}

impl Binding {
    /// Whether the port belongs to the server at `time`.
    #[must_use]
    pub fn holds_at(&self, time: Timestamp) -> bool {
        holds_at(self.from, self.until, time)
    }
}

/// Whether `time` lies in the half-open span.
fn holds_at(from: Option<Timestamp>, until: Option<Timestamp>, time: Timestamp) -> bool {
    from.is_none_or(|from| from <= time) && until.is_none_or(|until| time < until)
}

impl Server {
    /// Whether it is in service at `time`.
    #[must_use]
    pub fn is_served_at(&self, time: Timestamp) -> bool {
        holds_at(self.service_start, self.service_end, time)
    }

    /// The slots that start while the server is in service.
    #[must_use]
    pub fn service_slots(&self) -> SlotSpan {
        let from = self.service_start.unwrap_or(Timestamp(0));
        SlotSpan::starting_in(from, self.service_end.unwrap_or(Timestamp(i64::MAX)))
    }
}

impl Inventory {
    /// An inventory of nothing, in the default time zone.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            timezone_name: TIMEZONE_DEFAULT.to_owned(),
            timezone: TimeZone::get(TIMEZONE_DEFAULT).unwrap_or(TimeZone::UTC),
            plans: BTreeMap::new(),
            servers: BTreeMap::new(),
            pools: BTreeMap::new(),
            customers: BTreeMap::new(),
            regions: BTreeMap::new(),
            devices: BTreeMap::new(),
            uplinks: BTreeMap::new(),
            policies: Policies::default(),
            exemptions: Exemptions::default(),
        }
    }
}

impl Default for Plan {
    /// The plan of a server that names none: 1 Mbps, no price.
    fn default() -> Self {
        Self {
            id: PLAN_DEFAULT.to_owned(),
            allowance: crate::metering::allowance::ALLOWANCE_DEFAULT,
            method: Method::default(),
            missing: Missing::default(),
            tariff: None,
            min_coverage: MIN_COVERAGE_DEFAULT,
            replaced_by: None,
        }
    }
}
