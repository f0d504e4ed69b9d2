//! What a document changes against the one before, entry by entry.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::document::Document;

/// One entry as it is stored: its kind, its id, and its fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// `settings`, `plan` or `server`.
    pub kind: &'static str,
    /// Its id; empty for the settings, of which there is one.
    pub id: String,
    /// The entry as in a document.
    pub body: Value,
}

/// What happens to one entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// `settings`, `plan` or `server`.
    pub kind: &'static str,
    /// The entry's id.
    pub id: String,
    /// What it was; `None` for a new one.
    pub before: Option<Value>,
    /// What it becomes; `None` for one that goes.
    pub after: Option<Value>,
}

impl Document {
    /// The document's entries, each with its kind and id.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        fn body(entry: &impl Serialize) -> Value {
            serde_json::to_value(entry).unwrap_or_default()
        }
        let settings = serde_json::json!({ "timezone": self.timezone });
        let mut entries = vec![Entry { kind: "settings", id: String::new(), body: settings }];
        entries.extend(self.plans.iter().map(|p| Entry { kind: "plan", id: p.id.clone(), body: body(p) }));
        entries.extend(self.servers.iter().map(|s| Entry {
            kind: "server",
            id: s.id.clone(),
            body: body(s),
        }));
        entries
    }
}

/// What becomes of each entry when `after` takes the place of `before`, in order of kind and id.
#[must_use]
pub fn changes(before: &Document, after: &Document) -> Vec<Change> {
    let by_key = |document: &Document| -> BTreeMap<(&'static str, String), Value> {
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

impl Change {
    /// The change in a line for people: `+ server "web01"`, `- plan "old"`, or `~ server "web01": plan "a" -> "b"`.
    #[must_use]
    pub fn line(&self) -> String {
        let name =
            if self.id.is_empty() { self.kind.to_owned() } else { format!("{} {:?}", self.kind, self.id) };
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
}
