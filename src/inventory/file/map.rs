//! Where in a text each value of it begins.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Syntax;
use crate::inventory::place::Step;

/// Where each value of a text begins.
pub(super) struct Map {
    root: Located,
    /// Where each line but the first begins.
    lines: Vec<usize>,
}

/// A value of a text.
struct Located {
    offset: usize,
    inside: Inside,
}

enum Inside {
    Fields(BTreeMap<String, Located>),
    Items(Vec<Located>),
    Text(String),
    Other,
}

impl Map {
    /// `None` where the text has no such syntax.
    pub(super) fn of(text: &str, syntax: Syntax) -> Option<Self> {
        let root = match syntax {
            Syntax::Toml => Located { offset: 0, inside: fields(DeTable::parse(text).ok()?.get_ref()) },
            Syntax::Json => Located::json(serde_json::from_str(text).ok()?, text),
        };
        let breaks = text.bytes().enumerate().filter(|(_, octet)| *octet == b'\n');
        Some(Self { root, lines: breaks.map(|(at, _)| at + 1).collect() })
    }

    /// The line of what lies at the end of `steps`, or of the last thing on the way there that is written down.
    pub(super) fn line(&self, steps: &[Step]) -> Option<usize> {
        let mut at = &self.root;
        for step in steps {
            match at.step(step) {
                Some(next) => at = next,
                None => break,
            }
        }
        Some(self.lines.partition_point(|begin| *begin <= at.offset) + 1)
    }

    /// The id of the entry into which `steps` lead.
    pub(super) fn id(&self, steps: &[Step]) -> Option<String> {
        let [list, item, ..] = steps else { return None };
        match &self.root.step(list)?.step(item)?.step(&Step::Field("id".to_owned()))?.inside {
            Inside::Text(id) => Some(id.clone()),
            Inside::Fields(_) | Inside::Items(_) | Inside::Other => None,
        }
    }
}

impl Located {
    fn step(&self, step: &Step) -> Option<&Self> {
        match (&self.inside, step) {
            (Inside::Fields(fields), Step::Field(name)) => fields.get(name),
            (Inside::Items(items), Step::Item(index)) => items.get(*index),
            _ => None,
        }
    }

    fn toml(value: &Spanned<DeValue<'_>>) -> Self {
        let inside = match value.get_ref() {
            DeValue::Table(table) => fields(table),
            DeValue::Array(items) => Inside::Items(items.iter().map(Self::toml).collect()),
            DeValue::String(text) => Inside::Text(text.to_string()),
            _ => Inside::Other,
        };
        Self { offset: value.span().start, inside }
    }

    /// `raw` is a part of `text`.
    fn json(raw: &RawValue, text: &str) -> Self {
        let offset = raw.get().as_ptr().addr().saturating_sub(text.as_ptr().addr());
        let inside = match raw.get().as_bytes().first() {
            Some(b'{') => serde_json::from_str::<BTreeMap<String, &RawValue>>(raw.get()).map(|fields| {
                Inside::Fields(fields.into_iter().map(|(name, raw)| (name, Self::json(raw, text))).collect())
            }),
            Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(raw.get())
                .map(|items| Inside::Items(items.into_iter().map(|raw| Self::json(raw, text)).collect())),
            Some(b'"') => serde_json::from_str(raw.get()).map(Inside::Text),
            _ => Ok(Inside::Other),
        };
        Self { offset, inside: inside.unwrap_or(Inside::Other) }
    }
}

fn fields(table: &DeTable<'_>) -> Inside {
    let field = |(name, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        (name.get_ref().to_string(), Located::toml(value))
    };
    Inside::Fields(table.iter().map(field).collect())
}
