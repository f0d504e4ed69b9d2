//! Where in a document something stands: which entry, and what of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an entry of the inventory is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
    utoipa::ToSchema,
)]
#[schema(as = InventoryKind)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What holds for all of it: the time zone.
    Settings,
    /// Who pays.
    Customer,
    /// Where things stand.
    Region,
    /// A switch.
    Device,
    /// What can be bought.
    Plan,
    /// A line that servers share.
    Uplink,
    /// What is sold and metered.
    Server,
    /// Servers that are billed as one.
    Pool,
    /// By which limits servers are extreme.
    Policy,
    /// For whom rules do not count for a while.
    Exemption,
}

/// A word that is no kind of entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a kind of entry; there are {names}", names = Kind::ALL.map(Kind::name).join(", "))]
pub struct KindError(String);

impl Kind {
    /// All of them, in the order in which a document has them.
    pub const ALL: [Self; 10] = [
        Self::Settings,
        Self::Customer,
        Self::Region,
        Self::Device,
        Self::Plan,
        Self::Uplink,
        Self::Server,
        Self::Pool,
        Self::Policy,
        Self::Exemption,
    ];

    /// The word for one entry, as it is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Customer => "customer",
            Self::Region => "region",
            Self::Device => "device",
            Self::Plan => "plan",
            Self::Uplink => "uplink",
            Self::Server => "server",
            Self::Pool => "pool",
            Self::Policy => "policy",
            Self::Exemption => "exemption",
        }
    }

    /// The field of a document that lists these entries; `None` for the settings, which are fields themselves.
    #[must_use]
    pub fn list(self) -> Option<&'static str> {
        match self {
            Self::Settings => None,
            Self::Customer => Some("customers"),
            Self::Region => Some("regions"),
            Self::Device => Some("devices"),
            Self::Plan => Some("plans"),
            Self::Uplink => Some("uplinks"),
            Self::Server => Some("servers"),
            Self::Pool => Some("pools"),
            Self::Policy => Some("policies"),
            Self::Exemption => Some("exemptions"),
        }
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| KindError(text.to_owned()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One step into an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To a field.
    Field(String),
    /// To an item of a list, from 0.
    Item(usize),
}

/// A place in a document, shown as `server "web01": ports[1]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What entry.
    pub kind: Kind,
    /// Its place in the list of its kind, from 0; `None` for the settings, and for what is not in the document.
    pub index: Option<usize>,
    /// Its id; empty for the settings, and where it has none.
    pub id: String,
    /// From the entry on.
    pub path: Vec<Step>,
    /// The field at the end of the path that is at fault. What is said of it names it, so it is not shown.
    pub field: Option<&'static str>,
}

impl Place {
    /// A field of the settings.
    #[must_use]
    pub fn setting(field: &str) -> Self {
        let path = vec![Step::Field(field.to_owned())];
        Self { kind: Kind::Settings, index: None, id: String::new(), path, field: None }
    }

    /// An entry of a document.
    #[must_use]
    pub fn entry(kind: Kind, index: usize, id: &str) -> Self {
        Self { kind, index: Some(index), id: id.to_owned(), path: Vec::new(), field: None }
    }

    /// An entry that is not in the document.
    #[must_use]
    pub fn absent(kind: Kind, id: &str) -> Self {
        Self { kind, index: None, id: id.to_owned(), path: Vec::new(), field: None }
    }

    /// Item `index` of the list `field` in here.
    #[must_use]
    pub fn item(&self, field: &str, index: usize) -> Self {
        let mut place = self.clone();
        place.path.extend([Step::Field(field.to_owned()), Step::Item(index)]);
        place
    }

    /// What the field `field` in here has in it.
    #[must_use]
    pub fn field(&self, field: &str) -> Self {
        let mut place = self.clone();
        place.path.push(Step::Field(field.to_owned()));
        place
    }

    /// The field of this name in here.
    #[must_use]
    pub fn on(&self, field: &'static str) -> Self {
        Self { field: Some(field), ..self.clone() }
    }

    /// The steps from the root of a document; `None` for what is not in it.
    #[must_use]
    pub fn steps(&self) -> Option<Vec<Step>> {
        let mut steps = Vec::new();
        if let Some(list) = self.kind.list() {
            steps.extend([Step::Field(list.to_owned()), Step::Item(self.index?)]);
        }
        steps.extend(self.path.iter().cloned());
        steps.extend(self.field.map(|field| Step::Field(field.to_owned())));
        Some(steps)
    }

    /// What of the entry, as `ports[1].speed_bps`; empty for all of it.
    #[must_use]
    pub fn path_text(&self) -> String {
        let field = self.field.map(|field| Step::Field(field.to_owned()));
        text(self.path.iter().chain(field.as_ref()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = text(&self.path);
        match (self.kind.list(), self.index) {
            (None, _) => return f.write_str(&path),
            (Some(list), Some(index)) if self.id.is_empty() => write!(f, "{list}[{index}]")?,
            _ => write!(f, "{} {:?}", self.kind, self.id)?,
        }
        if path.is_empty() { Ok(()) } else { write!(f, ": {path}") }
    }
}

fn text<'a>(steps: impl IntoIterator<Item = &'a Step>) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => text.extend([".", name]),
            Step::Item(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_shown_as_people_find_them() {
        let server = Place::entry(Kind::Server, 3, "web01");
        assert_eq!(server.to_string(), "server \"web01\"");
        let port = server.item("ports", 1).on("speed_bps");
        assert_eq!(port.to_string(), "server \"web01\": ports[1]");
        assert_eq!(port.path_text(), "ports[1].speed_bps");
        assert_eq!(text(&port.steps().unwrap()), "servers[3].ports[1].speed_bps");
        assert_eq!(Place::entry(Kind::Server, 3, "").to_string(), "servers[3]");
        assert_eq!(Place::setting("timezone").to_string(), "timezone");
        assert_eq!(Place::absent(Kind::Server, "old").steps(), None);
        assert!("host".parse::<Kind>().unwrap_err().to_string().contains("there are settings, customer"));
    }
}
