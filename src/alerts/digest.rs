//! What a mail about events says: one subject, and a paragraph for each.

use serde_json::Value;

use super::alert::{Notice, Severity};
use super::event::{CLEARED, Event, RAISED, TEST};
use crate::inventory::Language;
use crate::inventory::instant::rfc3339;

/// How long a subject is, in characters: more is not shown anywhere.
const SUBJECT_CHARS_MAX: usize = 150;

/// Facts of one event that are told, and how much of each, in characters.
const FACTS_MAX: usize = 30;
const FACT_CHARS_MAX: usize = 200;

/// Subject and text about these events; where `public_url` is given it is named as the place to look.
#[must_use]
pub fn digest(events: &[&Event], language: Language, public_url: Option<&str>) -> (String, String) {
    let words = Words::of(language);
    let count = |kind: &str| events.iter().filter(|event| event.kind == kind).count();
    let (raised, cleared) = (count(RAISED), count(CLEARED));
    let others = events.len() - raised - cleared;
    let counts = [(raised, words.raised), (cleared, words.cleared), (others, words.others)];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| words.counted(count, word))
        .collect();
    let counts = counts.join(words.comma);
    // What matters most, and of that what is bad news, stands in the subject.
    let first = events.iter().min_by_key(|event| (std::cmp::Reverse(event.severity), event.kind == CLEARED));
    let subject = match (events, first) {
        ([only], _) => format!("[meter95] {}: {}", words.heading(only), only.summary),
        (_, Some(first)) => format!("[meter95] {counts}: {}", first.summary),
        (_, None) => "[meter95]".to_owned(),
    };
    let mut text = if events.len() > 1 { format!("{counts}{}\n\n", words.stop) } else { String::new() };
    for event in events {
        text.push_str(&paragraph(event, words));
        text.push('\n');
    }
    text.push_str(words.utc);
    text.push('\n');
    if let Some(url) = public_url {
        text.push_str(url);
        text.push('\n');
    }
    (one_line(&subject, SUBJECT_CHARS_MAX), text)
}

fn paragraph(event: &Event, words: &Words) -> String {
    let mut text =
        format!("{} ({})\n  {}\n", words.heading(event), rfc3339(event.at), one_line(&event.summary, 500));
    let notice: Option<Notice> = serde_json::from_value(event.data.clone()).ok();
    let facts = match &notice {
        Some(notice) => {
            let labels = notice.alert.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
            labels.chain(facts(&notice.alert.details)).collect()
        }
        None => facts(&event.data),
    };
    for (name, value) in facts.iter().take(FACTS_MAX) {
        text.push_str(&format!("  {name}: {}\n", one_line(value, FACT_CHARS_MAX)));
    }
    if facts.len() > FACTS_MAX {
        text.push_str("  ...\n");
    }
    text
}

/// What a JSON object says, as names and values; what is nested has names with dots.
#[must_use]
pub fn facts(details: &Value) -> Vec<(String, String)> {
    fn gather(name: &str, value: &Value, facts: &mut Vec<(String, String)>) {
        match value {
            Value::Null => {}
            Value::Object(fields) => {
                for (field, value) in fields {
                    let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                    gather(&name, value, facts);
                }
            }
            Value::String(text) => facts.push((name.to_owned(), text.clone())),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                facts.push((name.to_owned(), value.to_string()))
            }
        }
    }
    let mut found = Vec::new();
    if details.is_object() {
        gather("", details, &mut found);
    }
    found
}

/// A text as one line, of so many characters.
#[must_use]
pub fn one_line(text: &str, chars_max: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line,
    }
}

/// The words of a language.
struct Words {
    raised: &'static str,
    cleared: &'static str,
    others: &'static str,
    test: &'static str,
    severities: [&'static str; 3],
    comma: &'static str,
    stop: &'static str,
    utc: &'static str,
    /// Whether a number stands before what it counts.
    number_first: bool,
}

static EN: Words = Words {
    raised: "raised",
    cleared: "cleared",
    others: "other",
    test: "test",
    severities: ["info", "warning", "critical"],
    comma: ", ",
    stop: ".",
    utc: "Times are in UTC.",
    number_first: true,
};

static JA: Words = Words {
    raised: "発生",
    cleared: "解消",
    others: "その他",
    test: "試験",
    severities: ["情報", "警告", "重大"],
    comma: "、",
    stop: "。",
    utc: "時刻は協定世界時 (UTC) です。",
    number_first: false,
};

impl Words {
    fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    fn counted(&self, count: usize, word: &str) -> String {
        if self.number_first { format!("{count} {word}") } else { format!("{word} {count} 件") }
    }

    fn heading(&self, event: &Event) -> String {
        let severity = match event.severity {
            Severity::Info => self.severities[0],
            Severity::Warning => self.severities[1],
            Severity::Critical => self.severities[2],
        };
        match event.kind.as_str() {
            RAISED => format!("{severity} {}", self.raised),
            CLEARED => self.cleared.to_owned(),
            TEST => self.test.to_owned(),
            kind => format!("{severity} {kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use meter95_reading::Timestamp;
    use serde_json::json;

    use super::super::alert::{Alert, AlertKind};
    use super::*;
    use crate::inventory::instant::Instant;

    fn notice(key: &str, severity: Severity, summary: &str) -> Notice {
        let alert = Alert {
            key: key.to_owned(),
            kind: AlertKind::PortSilent,
            severity,
            labels: BTreeMap::from([("device".to_owned(), "sw1".to_owned())]),
            summary: summary.to_owned(),
            details: json!({ "last": { "slot": "2026-11-21T01:00:00Z" }, "nothing": null }),
        };
        let raised_at = Instant(Timestamp(1_795_223_400_000));
        Notice { source: "ports".to_owned(), alert, raised_at, cleared_at: None }
    }

    #[test]
    fn one_event_is_told_as_such() {
        let event = notice("a", Severity::Warning, "ge-0/0/1 of sw1 is not read").raised();
        let (subject, text) = digest(&[&event], Language::En, Some("https://meter95.example"));
        assert_eq!(subject, "[meter95] warning raised: ge-0/0/1 of sw1 is not read");
        assert_eq!(
            text,
            "warning raised (2026-11-21T01:10:00Z)\n  ge-0/0/1 of sw1 is not read\n  device: sw1\n  \
             last.slot: 2026-11-21T01:00:00Z\n\nTimes are in UTC.\nhttps://meter95.example\n"
        );
    }

    #[test]
    fn several_are_counted_and_the_worst_stands_in_the_subject() {
        let worst = notice("b", Severity::Critical, "sw2 is silent").raised();
        let cleared = Notice {
            cleared_at: Some(Instant(Timestamp(1_795_223_500_000))),
            ..notice("c", Severity::Critical, "sw3 is silent")
        };
        let cleared = cleared.cleared().unwrap();
        let case = Event {
            id: "case-1-1".to_owned(),
            kind: "case.opened".to_owned(),
            summary: "web01 is extreme".to_owned(),
            data: json!({ "server": "web01" }),
            ..notice("d", Severity::Warning, "").raised()
        };
        let first = notice("a", Severity::Info, "ge-0/0/1 is not read").raised();
        let events = [&first, &cleared, &worst, &case];
        let (subject, text) = digest(&events, Language::En, None);
        assert_eq!(subject, "[meter95] 2 raised, 1 cleared, 1 other: sw2 is silent");
        assert!(
            text.starts_with("2 raised, 1 cleared, 1 other.\n\ninfo raised (2026-11-21T01:10:00Z)\n"),
            "{text}"
        );
        assert!(text.contains("\ncleared (2026-11-21T01:11:40Z)\n  sw3 is silent\n"), "{text}");
        assert!(
            text.contains(
                "\nwarning case.opened (2026-11-21T01:10:00Z)\n  web01 is extreme\n  server: web01\n"
            )
        );
        let (subject, text) = digest(&events, Language::Ja, None);
        assert_eq!(subject, "[meter95] 発生 2 件、解消 1 件、その他 1 件: sw2 is silent");
        assert!(text.contains("重大 発生 (2026-11-21T01:10:00Z)"), "{text}");
    }

    #[test]
    fn a_subject_is_one_line() {
        let event = notice("a", Severity::Info, &format!("a\r\nBcc: b@c{}", "x".repeat(500))).raised();
        let (subject, text) = digest(&[&event], Language::En, None);
        assert!(!subject.contains(['\r', '\n']), "{subject}");
        assert_eq!(subject.chars().count(), SUBJECT_CHARS_MAX + 3);
        assert!(!text.contains("\nBcc"), "{text}");
    }
}
