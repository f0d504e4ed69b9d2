//! From a document to an [`Inventory`]: every contradiction is refused, all of them at once, each with its place.
//!
//! [`site`] looks at customers, regions, devices and uplinks, [`plans`] and [`servers`] at what is sold, [`ports`] at
//! who has which port when, [`pools`] at who is billed with whom, [`throttle`] at when somebody is extreme.

mod plans;
mod pools;
mod ports;
mod servers;
mod site;
mod throttle;

use std::collections::BTreeMap;
use std::fmt;

use jiff::tz::TimeZone;
use meter95_reading::Timestamp;

use super::document::Document;
use super::instant::{Instant, rfc3339};
use super::place::{Kind, Place};
use super::{Inventory, TIMEZONE_DEFAULT};

/// The longest id, customer or region, in octets: names are keys of tables and parts of addresses.
const NAME_OCTETS_MAX: usize = 255;

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, shown as `server "web01": ports[0]`.
    pub at: Place,
    /// What.
    pub says: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.says)
    }
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
            write!(f, "{newline}{problem}")?;
        }
        Ok(())
    }
}

/// Collects problems while everything is looked at.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, at: &Place, says: impl fmt::Display) {
        self.0.push(Problem { at: at.clone(), says: says.to_string() });
    }

    /// The value, or `None` and a problem.
    fn take<T, E: fmt::Display>(&mut self, at: &Place, result: Result<T, E>) -> Option<T> {
        result.map_err(|e| self.add(at, e)).ok()
    }

    /// Looks at a name that must be there.
    fn name(&mut self, at: &Place, field: &'static str, name: &str) {
        let at = &at.on(field);
        if name.is_empty() {
            self.add(at, format!("{field} is empty"));
        } else if name.len() > NAME_OCTETS_MAX {
            self.add(at, format!("{field} is longer than {NAME_OCTETS_MAX} octets"));
        } else if name.chars().any(char::is_control) {
            self.add(at, format!("{field} {name:?} contains a control character"));
        }
    }

    /// Looks at a text that may be empty.
    fn text(&mut self, at: &Place, field: &'static str, text: &str) {
        if !text.is_empty() {
            self.name(at, field, text);
        }
    }

    /// Looks at the id of a thing that is listed, where such things are.
    fn listed<T>(
        &mut self,
        at: &Place,
        field: &'static str,
        kind: Kind,
        id: &str,
        listed: &BTreeMap<String, T>,
    ) {
        if listed.is_empty() || listed.contains_key(id) {
            return;
        }
        let says = if id.is_empty() {
            format!("{field} is missing; it is one of the listed {}", kind.list().unwrap_or_default())
        } else {
            format!("{field}: there is no {kind} {id:?}")
        };
        self.add(&at.on(field), says);
    }

    /// Both ends of a half-open span, and a problem where the second does not lie after the first.
    fn span(
        &mut self,
        at: &Place,
        [first, second]: [&'static str; 2],
        from: Option<Instant>,
        until: Option<Instant>,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        if let (Some(a), Some(b)) = (from, until)
            && b <= a
        {
            let [a, b] = [a, b].map(|instant| rfc3339(instant.0));
            self.add(&at.on(second), format!("{second} {b} is not after {first} {a}"));
        }
        (from.map(|i| i.0), until.map(|i| i.0))
    }

    /// Puts an entry under its id, or says that there is one already.
    fn insert<T>(&mut self, at: &Place, into: &mut BTreeMap<String, T>, value: T) {
        if into.contains_key(&at.id) {
            let what = at.kind.list().unwrap_or_default();
            self.add(&at.on("id"), format!("there are two {what} of this id"));
        } else {
            into.insert(at.id.clone(), value);
        }
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
        let timezone =
            problems.take(&Place::setting("timezone"), TimeZone::get(timezone_name).map_err(unknown));

        let customers = site::customers(&mut problems, document);
        let regions = site::regions(&mut problems, document);
        let devices = site::devices(&mut problems, document, &regions);
        let uplinks = site::uplinks(&mut problems, document, &regions, &devices);
        let plans = plans::plans(&mut problems, document);
        let known =
            servers::Known { plans: &plans, customers: &customers, regions: &regions, devices: &devices };
        let servers = servers::servers(&mut problems, document, &known);
        ports::ports(&mut problems, document);
        let pools = pools::pools(&mut problems, document, &known, &servers, timezone.as_ref());
        let policies = throttle::policies(&mut problems, document, &known, &servers);
        let exemptions = throttle::exemptions(&mut problems, document, &known, &servers);

        match timezone {
            Some(timezone) if problems.0.is_empty() => Ok(Self {
                timezone_name: timezone_name.to_owned(),
                timezone,
                plans,
                servers,
                pools,
                customers,
                regions,
                devices,
                uplinks,
                policies,
                exemptions,
            }),
            _ => Err(InventoryError { problems: problems.0 }),
        }
    }
}

/// Whether two half-open spans have an instant in common.
pub(super) fn overlap(
    a: (Option<Timestamp>, Option<Timestamp>),
    b: (Option<Timestamp>, Option<Timestamp>),
) -> bool {
    let starts_before = |from: Option<Timestamp>, until: Option<Timestamp>| match (from, until) {
        (Some(from), Some(until)) => from < until,
        _ => true,
    };
    starts_before(a.0, b.1) && starts_before(b.0, a.1)
}

#[cfg(test)]
mod tests;
