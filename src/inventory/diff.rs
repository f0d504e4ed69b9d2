//! What a document changes against the one before, entry by entry.

use std::collections::BTreeMap;

use meter95_reading::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::check::Problem;
use super::document::Document;
use super::instant::{Instant, rfc3339};
use super::place::{Kind, Place};

/// One entry as it is stored: its kind, its id, and its fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its id; empty for the settings, of which there is one.
    pub id: String,
    /// The entry as in a document.
    pub body: Value,
}

/// What happens to one entry.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = InventoryChange)]
pub struct Change {
    /// What it is.
    pub kind: Kind,
    /// The entry's id.
    pub id: String,
    /// What it was; `None` for a new one.
    pub before: Option<Value>,
    /// What it becomes; `None` for one that goes.
    pub after: Option<Value>,
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = RecordedChange)]
pub struct Recorded {
    /// The version of the inventory that began with it.
    pub version: u64,
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: String,
    /// What.
    #[serde(flatten)]
    pub change: Change,
}

impl Document {
    /// The document's entries, each with its kind and id.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        fn body(entry: &impl Serialize) -> Value {
            serde_json::to_value(entry).unwrap_or_default()
        }
        fn all<T: Serialize>(kind: Kind, list: &[T], id: fn(&T) -> &String) -> impl Iterator<Item = Entry> {
            list.iter().map(move |entry| Entry { kind, id: id(entry).clone(), body: body(entry) })
        }
        let settings = serde_json::json!({ "timezone": self.timezone });
        let mut entries = vec![Entry { kind: Kind::Settings, id: String::new(), body: settings }];
        entries.extend(all(Kind::Customer, &self.customers, |entry| &entry.id));
        entries.extend(all(Kind::Region, &self.regions, |entry| &entry.id));
        entries.extend(all(Kind::Device, &self.devices, |entry| &entry.id));
        entries.extend(all(Kind::Plan, &self.plans, |entry| &entry.id));
        entries.extend(all(Kind::Uplink, &self.uplinks, |entry| &entry.id));
        entries.extend(all(Kind::Server, &self.servers, |entry| &entry.id));
        entries.extend(all(Kind::Pool, &self.pools, |entry| &entry.id));
        entries.extend(all(Kind::Policy, &self.policies, |entry| &entry.id));
        entries.extend(all(Kind::Exemption, &self.exemptions, |entry| &entry.id));
        entries
    }
}

/// What becomes of each entry when `after` takes the place of `before`, in order of kind and id.
#[must_use]
pub fn changes(before: &Document, after: &Document) -> Vec<Change> {
    let by_key = |document: &Document| -> BTreeMap<(Kind, String), Value> {
        document.entries().into_iter().map(|e| ((e.kind, e.id), e.body)).collect()
    };
    let (mut old, new) = (by_key(before), by_key(after));
    let mut changes = Vec::new();
    for ((kind, id), after) in new {
        let before = old.remove(&(kind, id.clone()));
        if before.as_ref() != Some(&after) {
            changes.push(Change { kind, id, before, after: Some(after) });
        }
    }
    let gone =
        old.into_iter().map(|((kind, id), before)| Change { kind, id, before: Some(before), after: None });
    changes.extend(gone);
    changes
}

/// The servers that `changes` would take out although nothing says that their service has ended by `now`: so a line
/// that was forgotten costs no billing.
#[must_use]
pub fn forgotten(changes: &[Change], now: Timestamp) -> Vec<Problem> {
    let gone = changes.iter().filter(|change| change.kind == Kind::Server && change.after.is_none());
    let problem = |change: &Change| {
        let end = change.before.as_ref()?.get("service_end").and_then(Value::as_str);
        let end = end.and_then(|end| end.parse::<Instant>().ok());
        let says = match end {
            Some(Instant(end)) if end <= now => return None,
            Some(Instant(end)) => format!("its service_end {} has not come yet", rfc3339(end)),
            None => "it has no service_end".to_owned(),
        };
        let says = format!(
            "is not listed any more, but {says}; list it with service_end, the instant from which it is not billed, or \
             say --remove (in the API: remove=true)"
        );
        Some(Problem { at: Place::absent(Kind::Server, &change.id), says })
    };
    gone.filter_map(problem).collect()
}

impl Change {
    /// The change in a line for people: `+ server "web01"`, `- plan "old"`, or `~ server "web01": plan "a" -> "b"`.
    #[must_use]
    pub fn line(&self) -> String {
        let name =
            if self.id.is_empty() { self.kind.to_string() } else { format!("{} {:?}", self.kind, self.id) };
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("~ {name}: {}", fields(before, after)),
            (None, _) => format!("+ {name}"),
            (Some(_), None) => format!("- {name}"),
        }
    }
}

fn fields(before: &Value, after: &Value) -> String {
    let empty = serde_json::Map::new();
    let (a, b) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let show = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
    let differing = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
    let shown: Vec<String> =
        differing.map(|name| format!("{name} {} -> {}", show(a.get(name)), show(b.get(name)))).collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_field_by_field() {
        let before: Document =
            toml::from_str("[[plans]]\nid='p'\n[[servers]]\nid='a'\nplan='p'\n[[servers]]\nid='b'").unwrap();
        let after: Document =
            toml::from_str("[[plans]]\nid='p'\n[[servers]]\nid='a'\n[[servers]]\nid='c'").unwrap();
        let lines: Vec<String> = changes(&before, &after).iter().map(Change::line).collect();
        assert_eq!(lines, ["~ server \"a\": plan \"p\" -> \"default\"", "+ server \"c\"", "- server \"b\""]);
        assert!(changes(&after, &after).is_empty());
    }

    #[test]
    fn servers_go_when_their_service_has_ended() {
        let before = "[[servers]]\nid='a'\nservice_end=1000\n[[servers]]\nid='b'\nservice_end=1001\n[[servers]]\nid='c'";
        let before: Document = toml::from_str(before).unwrap();
        let changes = changes(&before, &Document::default());
        let found: Vec<String> =
            forgotten(&changes, Timestamp(1_000)).iter().map(Problem::to_string).collect();
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with(
            "server \"b\": is not listed any more, but its service_end 1970-01-01T00:00:01.001Z"
        ));
        assert!(
            found[1].starts_with("server \"c\": is not listed any more, but it has no service_end; list it")
        );
    }
}
