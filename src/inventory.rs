//! What is sold and metered: plans and servers with their ports and add-ons, each for a span of time.
//!
//! A [`document`] is the form in which people write it (TOML or JSON), [`Inventory`] the form in which every
//! contradiction has been refused ([`check`]), [`diff`] what a new document would change.

pub mod check;
pub mod diff;
pub mod document;
pub mod instant;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use meter95_reading::{PortKey, Timestamp};

use crate::metering::allowance::{Allowance, Grant};
use crate::metering::money::Tariff;
use crate::metering::overage::{Method, Missing};
use crate::metering::period::SlotSpan;
use crate::metering::sample::PortKind;
use crate::metering::tally::Rules;
use crate::metering::units::Bps;

/// The billing time zone of an inventory that names none.
pub const TIMEZONE_DEFAULT: &str = "Asia/Tokyo";

/// The plan of a server that names none; it need not be written down.
pub const PLAN_DEFAULT: &str = "default";

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
    /// The plan's id.
    pub plan: String,
    /// From when it is in service; `None` since ever.
    pub service_start: Option<Timestamp>,
    /// Until before when it is in service; `None` without end.
    pub service_end: Option<Timestamp>,
    /// Bandwidth bought besides the plan's.
    pub addons: Vec<Grant>,
    /// The ports that are its own, each for a span of time.
    pub ports: Vec<Binding>,
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

impl Binding {
    /// Whether the port belongs to the server at `time`.
    #[must_use]
    pub fn holds_at(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time < until)
    }
}

impl Server {
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
        }
    }

    /// The plan of `server`.
    #[must_use]
    pub fn plan_of(&self, server: &Server) -> Plan {
        self.plans.get(&server.plan).cloned().unwrap_or_else(Plan::default)
    }

    /// What the figures of `server` depend on besides its samples, over the slots of `month`.
    #[must_use]
    pub fn rules_of(&self, server: &Server, month: SlotSpan) -> Rules {
        let plan = self.plan_of(server);
        let granted = Grant { bps: plan.allowance, from: None, until: None };
        let grants = std::iter::once(granted).chain(server.addons.iter().copied()).collect();
        Rules {
            span: month.intersect(server.service_slots()),
            method: plan.method,
            missing: plan.missing,
            allowance: Allowance::new(grants),
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
        }
    }
}
