//! From a document to an [`Inventory`]: every contradiction is refused, all of them at once, each with its place.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use jiff::tz::TimeZone;
use meter95_reading::{PortKey, Timestamp};
use rust_decimal::Decimal;

use super::document::{Document, PlanEntry, PortEntry, ServerEntry, TierEntry};
use super::instant::Instant;
use super::{Binding, Inventory, PLAN_DEFAULT, Plan, Server, TIMEZONE_DEFAULT};
use crate::metering::allowance::{ALLOWANCE_DEFAULT, Grant};
use crate::metering::money::{Currency, MoneyError, Price, Rounding, Tariff, Tier, UNIT_DEFAULT};
use crate::metering::units::Bps;

/// The longest id, customer or region, in octets: names are keys of tables and parts of addresses.
const NAME_OCTETS_MAX: usize = 255;

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, for instance `server "web01": ports[0]`.
    pub at: String,
    /// What.
    pub says: String,
}

/// All that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InventoryError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for InventoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let newline = if i > 0 { "\n" } else { "" };
            write!(f, "{newline}{}: {}", problem.at, problem.says)?;
        }
        Ok(())
    }
}

/// Collects problems while everything is looked at.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, at: impl fmt::Display, says: impl fmt::Display) {
        self.0.push(Problem { at: at.to_string(), says: says.to_string() });
    }

    /// The value, or `None` and a problem.
    fn take<T, E: fmt::Display>(&mut self, at: impl fmt::Display, result: Result<T, E>) -> Option<T> {
        result.map_err(|e| self.add(at, e)).ok()
    }
}

impl Inventory {
    /// The inventory that `document` describes.
    ///
    /// # Errors
    /// With everything that contradicts itself or something else in it.
    pub fn from_document(document: &Document) -> Result<Self, InventoryError> {
        let mut problems = Problems::default();
        let timezone_name = document.timezone.as_deref().unwrap_or(TIMEZONE_DEFAULT);
        let unknown =
            |_| format!("{timezone_name:?} is not a time zone of the IANA database, such as Asia/Tokyo");
        let timezone = problems.take("timezone", TimeZone::get(timezone_name).map_err(unknown));

        let mut plans = BTreeMap::new();
        for entry in &document.plans {
            let at = format!("plan {:?}", entry.id);
            check_name(&mut problems, &at, "id", &entry.id);
            let tariff = problems.take(&at, tariff(entry)).flatten();
            let plan = Plan {
                id: entry.id.clone(),
                allowance: entry.allowance_bps.map_or(ALLOWANCE_DEFAULT, Bps),
                method: entry.method,
                missing: entry.missing,
                tariff,
            };
            if plans.insert(entry.id.clone(), plan).is_some() {
                problems.add(at, "there are two plans of this id");
            }
        }

        let mut servers = BTreeMap::new();
        for entry in &document.servers {
            let at = format!("server {:?}", entry.id);
            if entry.plan != PLAN_DEFAULT && !plans.contains_key(&entry.plan) {
                problems.add(&at, format!("there is no plan {:?}", entry.plan));
            }
            let server = server(&mut problems, &at, entry);
            if servers.insert(entry.id.clone(), server).is_some() {
                problems.add(at, "there are two servers of this id");
            }
        }
        check_ports(&mut problems, &servers);

        match timezone {
            Some(timezone) if problems.0.is_empty() => {
                Ok(Self { timezone_name: timezone_name.to_owned(), timezone, plans, servers })
            }
            _ => Err(InventoryError { problems: problems.0 }),
        }
    }
}

fn check_name(problems: &mut Problems, at: &str, field: &str, name: &str) {
    if name.is_empty() {
        problems.add(at, format!("{field} is empty"));
    } else if name.len() > NAME_OCTETS_MAX {
        problems.add(at, format!("{field} is longer than {NAME_OCTETS_MAX} octets"));
    } else if name.chars().any(char::is_control) {
        problems.add(at, format!("{field} {name:?} contains a control character"));
    }
}

/// The tariff of a plan, `None` where it has no price at all.
fn tariff(entry: &PlanEntry) -> Result<Option<Tariff>, String> {
    let tiers = match (&entry.price_per_mbps, &entry.tiers) {
        (Some(_), Some(_)) => return Err("has both price_per_mbps and tiers; write one of them".to_owned()),
        (Some(price), None) => vec![Tier { from: Bps(0), price: *price }],
        (None, Some(tiers)) => tiers.iter().map(tier).collect::<Result<_, String>>()?,
        (None, None) => return Ok(None),
    };
    let currency = match &entry.currency {
        Some(currency) => currency.clone(),
        None => return Err("has a price but no currency".to_owned()),
    };
    new_tariff(entry, currency, tiers).map(Some).map_err(|e| e.to_string())
}

fn new_tariff(entry: &PlanEntry, currency: Currency, tiers: Vec<Tier>) -> Result<Tariff, MoneyError> {
    Tariff::new(
        currency,
        entry.unit_bps.map_or(UNIT_DEFAULT, Bps),
        entry.rounding.unwrap_or(Rounding::Up),
        entry.amount_rounding.unwrap_or(Rounding::Down),
        tiers,
    )
}

fn tier(entry: &TierEntry) -> Result<Tier, String> {
    let says =
        || format!("a tier's from_mbps of {} is not a whole number of bit/s from 0 on", entry.from_mbps);
    let bps = entry.from_mbps.checked_mul(Decimal::from(1_000_000)).ok_or_else(says)?.normalize();
    if !bps.is_integer() {
        return Err(says());
    }
    let from = u64::try_from(bps).map_err(|_| says())?;
    let price: Price = entry.price_per_mbps;
    Ok(Tier { from: Bps(from), price })
}

fn server(problems: &mut Problems, at: &str, entry: &ServerEntry) -> Server {
    check_name(problems, at, "id", &entry.id);
    for (field, name) in [("customer", &entry.customer), ("region", &entry.region)] {
        if !name.is_empty() {
            check_name(problems, at, field, name);
        }
    }
    let (service_start, service_end) =
        span(problems, at, ["service_start", "service_end"], entry.service_start, entry.service_end);
    let mut addons = Vec::new();
    for (i, addon) in entry.addons.iter().enumerate() {
        let at = format!("{at}: addons[{i}]");
        let (from, until) = span(problems, &at, ["from", "until"], addon.from, addon.until);
        if addon.bps == 0 {
            problems.add(&at, "bps is 0");
        }
        let starts_after = service_end.zip(from).is_some_and(|(end, from)| from >= end);
        let ends_before = service_start.zip(until).is_some_and(|(start, until)| until <= start);
        if starts_after || ends_before {
            problems.add(&at, "lies wholly outside the server's service span");
        }
        addons.push(Grant { bps: Bps(addon.bps), from, until });
    }
    let ports = entry.ports.iter().enumerate();
    let ports = ports.filter_map(|(i, port)| binding(problems, &format!("{at}: ports[{i}]"), port)).collect();
    Server {
        id: entry.id.clone(),
        customer: entry.customer.clone(),
        region: entry.region.clone(),
        plan: entry.plan.clone(),
        service_start,
        service_end,
        addons,
        ports,
    }
}

fn binding(problems: &mut Problems, at: &str, entry: &PortEntry) -> Option<Binding> {
    let (from, until) = span(problems, at, ["from", "until"], entry.from, entry.until);
    if entry.speed_bps == Some(0) {
        problems.add(at, "speed_bps is 0");
    }
    let port = problems.take(at, PortKey::new(&entry.device, &entry.interface))?;
    Some(Binding { port, kind: entry.kind, speed: entry.speed_bps.map(Bps), from, until })
}

/// Both ends of a half-open span, and a problem where the second does not lie after the first.
fn span(
    problems: &mut Problems,
    at: &str,
    [first, second]: [&str; 2],
    from: Option<Instant>,
    until: Option<Instant>,
) -> (Option<Timestamp>, Option<Timestamp>) {
    if let (Some(a), Some(b)) = (from, until)
        && b <= a
    {
        let [a, b] = [a, b].map(|instant| super::instant::rfc3339(instant.0));
        problems.add(at, format!("{second} {b} is not after {first} {a}"));
    }
    (from.map(|i| i.0), until.map(|i| i.0))
}

/// A port belongs to one server at a time, and once.
fn check_ports(problems: &mut Problems, servers: &BTreeMap<String, Server>) {
    let mut owners: HashMap<&PortKey, Vec<(&str, &Binding)>> = HashMap::new();
    for server in servers.values() {
        for binding in &server.ports {
            let others = owners.entry(&binding.port).or_default();
            if let Some((other, _)) = others.iter().find(|(_, other)| overlap(other, binding)) {
                let device = binding.port.device();
                let interface = binding.port.interface();
                let at = format!("server {:?}", server.id);
                problems.add(
                    at,
                    format!(
                        "port {interface:?} of device {device:?} belongs to server {other:?} at the same time"
                    ),
                );
            }
            others.push((&server.id, binding));
        }
    }
}

fn overlap(a: &Binding, b: &Binding) -> bool {
    let starts_before_end = |a: &Binding, b: &Binding| match (a.from, b.until) {
        (Some(from), Some(until)) => from < until,
        _ => true,
    };
    starts_before_end(a, b) && starts_before_end(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(toml: &str) -> Result<Inventory, String> {
        let document: Document = toml::from_str(toml).map_err(|e| e.to_string())?;
        Inventory::from_document(&document).map_err(|e| e.to_string())
    }

    #[test]
    fn the_smallest_inventory_is_a_server_with_a_port() {
        let inventory =
            check("[[servers]]\nid = 'web01'\nports = [{ device = 'sw1', interface = 'ge-0/0/1' }]").unwrap();
        let server = &inventory.servers["web01"];
        assert_eq!(inventory.plan_of(server).allowance, Bps(1_000_000));
        assert_eq!(inventory.timezone_name, "Asia/Tokyo");
    }

    #[test]
    fn contradictions_are_named() {
        for (toml, says) in [
            ("timezone = 'Asia/Edo'", "\"Asia/Edo\" is not a time zone"),
            ("[[plans]]\nid = 'a'\n[[plans]]\nid = 'a'", "plan \"a\": there are two plans"),
            ("[[plans]]\nid = 'a'\nprice_per_mbps = '-1'", "a price of -1 is below 0"),
            ("[[plans]]\nid = 'a'\nprice_per_mbps = '1'\ncurrency = 'YEN'", "\"YEN\" is not a currency"),
            ("[[plans]]\nid = 'a'\nprice_per_mbps = '1'", "has a price but no currency"),
            ("[[plans]]\nid = 'a'\ncurrency = 'JPY'\nprice_per_mbps = '1'\nunit_bps = 0", "unit_bps is 0"),
            ("[[plans]]\nid = 'a'\nallowance_bps = -1", "-1"),
            ("[[servers]]\nid = 's'\nplan = 'none'", "server \"s\": there is no plan \"none\""),
            ("[[servers]]\nid = 's'\nservice_start = '2026-10-01'", "\"2026-10-01\" is not an instant"),
            ("[[servers]]\nid = 's'\nservice_start = 2\nservice_end = 1", "is not after service_start"),
            ("[[servers]]\nid = 's'\naddons = [{ bps = 0 }]", "server \"s\": addons[0]: bps is 0"),
            (
                "[[servers]]\nid = 's'\nservice_end = 5\naddons = [{ bps = 1, from = 5 }]",
                "outside the server's service span",
            ),
            ("[[servers]]\nid = ''", "id is empty"),
            (
                "[[servers]]\nid = 's'\nports = [{ device = '', interface = 'x' }]",
                "ports[0]: device is empty",
            ),
            (
                "[[servers]]\nid = 'a'\nports = [{ device = 'd', interface = 'x', until = 10 }]\n\
                 [[servers]]\nid = 'b'\nports = [{ device = 'd', interface = 'x', from = 9 }]",
                "belongs to server \"a\" at the same time",
            ),
        ] {
            let error = check(toml).unwrap_err();
            assert!(error.contains(says), "{toml}\n{error}");
        }
    }

    #[test]
    fn a_port_may_move_from_one_server_to_another() {
        let moved = "[[servers]]\nid = 'a'\nports = [{ device = 'd', interface = 'x', until = 10 }]\n\
                     [[servers]]\nid = 'b'\nports = [{ device = 'd', interface = 'x', from = 10 }]";
        assert!(check(moved).is_ok());
    }
}
