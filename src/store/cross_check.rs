//! The second opinion on a month's figures (SPEC.md section 8): p95 and overage by SQL alone, over the stored samples.
//!
//! It shares nothing with [`crate::metering`] but the question: ClickHouse sorts, and picks the value by its place from
//! the top. It is asked of what is to be billed, never instead of it.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::Deserialize;

use super::connection::{Store, StoreError};
use super::load::NUMBERS_MAX;
use super::rows::slot_s;
use crate::aggregator::output::ServerId;
use crate::metering::overage::{Method, Missing};
use crate::metering::period::SlotSpan;
use crate::metering::statement::Account;
use crate::metering::units::Bps;

/// Something that is billed as one, as SQL is asked about it.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is ranked, and against what.
    pub account: Account,
    /// The servers whose samples are summed.
    pub members: Vec<Asked>,
}

/// A server of a question.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The server.
    pub server: ServerId,
    /// The slots in which it counts.
    pub span: SlotSpan,
    /// Slots of them that do not, in order and disjoint.
    pub excluded: Vec<SlotSpan>,
}

/// What SQL says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// N: slots with a sample.
    pub samples: u64,
    /// The 95th percentile; `None`: no data.
    pub p95: Option<Bps>,
    /// The p95 of excess.
    pub overage: Option<Bps>,
}

#[derive(Debug, Row, Deserialize)]
struct AnswerRow {
    unit: u32,
    samples: u64,
    p95: u64,
    overage: u64,
}

/// Questions that one query can answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Alike {
    method: &'static str,
    exclude: bool,
    expected: u64,
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    /// A server by itself, in all slots of a span, with one allowance.
    Plain { from: u32, until: u32, allowance: u64 },
    /// A server by itself whose allowance changes, or of which slots are excluded.
    Stepped,
    /// Several servers.
    Pooled,
}

/// A part of a member's slots in which one allowance holds.
struct Part {
    unit: u32,
    server: u32,
    from: u32,
    until: u32,
    allowance: u64,
}

impl Store {
    /// Answers every question, in their order.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn cross_check(&self, questions: &[Question]) -> Result<Vec<Answer>, StoreError> {
        let mut alike: BTreeMap<Alike, Vec<(u32, &Question)>> = BTreeMap::new();
        for (unit, question) in (0..).zip(questions) {
            alike.entry(Alike::of(question)).or_default().push((unit, question));
        }
        let mut answers: BTreeMap<u32, Answer> = BTreeMap::new();
        for (key, units) in alike {
            for part in units.chunks(NUMBERS_MAX) {
                let sql = &key.sql(part);
                let rows: Vec<AnswerRow> =
                    self.read("checking figures by SQL", |client| async move {
                        client.query(sql).fetch_all().await
                    })
                    .await?;
                for row in rows {
                    // Samples that no query finds are none: only units with samples come back.
                    let unit = match key.shape {
                        Shape::Plain { .. } => {
                            part.iter().find(|(_, q)| q.is_of(row.unit)).map(|(unit, _)| *unit)
                        }
                        Shape::Stepped | Shape::Pooled => Some(row.unit),
                    };
                    let answer = Answer {
                        samples: row.samples,
                        p95: Some(Bps(row.p95)),
                        overage: Some(Bps(row.overage)),
                    };
                    answers.extend(unit.map(|unit| (unit, answer)));
                }
            }
        }
        let none = Answer { samples: 0, p95: None, overage: None };
        Ok((0..).zip(questions).map(|(unit, _)| answers.get(&unit).copied().unwrap_or(none)).collect())
    }
}

impl Question {
    fn is_of(&self, server: u32) -> bool {
        self.members.first().is_some_and(|asked| asked.server.0 == server)
    }

    /// The parts of the members' slots that count, each with its allowance.
    fn parts(&self, unit: u32) -> Vec<Part> {
        let rules = &self.account.rules;
        let steps = rules.allowance.steps(rules.span);
        let ends = steps.iter().skip(1).map(|(slot, _)| *slot).chain([rules.span.until]);
        let steps: Vec<(SlotSpan, Bps)> = steps
            .iter()
            .zip(ends)
            .map(|((from, bps), until)| (SlotSpan { from: *from, until }, *bps))
            .collect();
        let mut parts = Vec::new();
        for Asked { server, span, excluded } in &self.members {
            for (step, allowance) in &steps {
                for counted in without(step.intersect(*span), excluded) {
                    parts.push(Part {
                        unit,
                        server: server.0,
                        from: slot_s(counted.from),
                        until: slot_s(counted.until),
                        allowance: allowance.0,
                    });
                }
            }
        }
        parts
    }
}

/// What is left of `span` when `excluded`, in order and disjoint, is taken out.
fn without(span: SlotSpan, excluded: &[SlotSpan]) -> Vec<SlotSpan> {
    let mut left = Vec::new();
    let mut from = span.from;
    for out in excluded.iter().map(|out| out.intersect(span)).filter(|out| !out.is_empty()) {
        left.push(SlotSpan { from, until: out.from });
        from = out.until;
    }
    left.push(SlotSpan { from, until: span.until.max(from) });
    left.retain(|span| !span.is_empty());
    left
}

impl Alike {
    fn of(question: &Question) -> Self {
        let rules = &question.account.rules;
        let shape = match (question.members.as_slice(), rules.allowance.steps(rules.span).as_slice()) {
            ([Asked { span, excluded, .. }], [(_, allowance)]) if excluded.is_empty() => {
                let span = span.intersect(rules.span);
                Shape::Plain { from: slot_s(span.from), until: slot_s(span.until), allowance: allowance.0 }
            }
            ([_], _) => Shape::Stepped,
            _ => Shape::Pooled,
        };
        Self {
            method: rules.method.name(),
            exclude: rules.missing == Missing::Exclude,
            expected: rules.span.len(),
            shape,
        }
    }

    /// The query for `units`, of numbers alone.
    fn sql(&self, units: &[(u32, &Question)]) -> String {
        let method = units.first().map(|(_, question)| question.account.rules.method).unwrap_or_default();
        let ranked: &[&str] = match method {
            Method::Max => &["greatest(i, o)"],
            Method::Sum => &["i + o"],
            Method::In => &["i"],
            Method::Out => &["o"],
            Method::Separate => &["i", "o"],
        };
        let larger = |each: &dyn Fn(&str) -> String| match ranked {
            [one] => each(one),
            several => {
                format!("greatest({})", several.iter().map(|x| each(x)).collect::<Vec<_>>().join(", "))
            }
        };
        let p95 = larger(&|x| self.pick(x));
        let over = |x: &str, a: &str| format!("toUInt64(if({x} > {a}, {x} - {a}, 0))");
        match &self.shape {
            Shape::Plain { from, until, allowance } => {
                let overage = larger(&|x| over(&self.pick(x), &format!("toUInt64({allowance})")));
                let servers: Vec<String> = units
                    .iter()
                    .flat_map(|(_, q)| &q.members)
                    .map(|asked| asked.server.0.to_string())
                    .collect();
                format!(
                    "SELECT server_id AS unit, count() AS samples, {p95} AS p95, {overage} AS overage \
                     FROM (SELECT server_id, in_bps AS i, out_bps AS o FROM samples FINAL WHERE server_id IN ({}) \
                     AND slot >= fromUnixTimestamp({from}) AND slot < fromUnixTimestamp({until}) \
                     AND state != 'withdrawn') GROUP BY server_id",
                    servers.join(", ")
                )
            }
            Shape::Stepped | Shape::Pooled => {
                let overage = larger(&|x| self.pick(&over(x, "a")));
                let parts: Vec<Part> = units.iter().flat_map(|(unit, q)| q.parts(*unit)).collect();
                let rows = samples_with_allowance(&parts);
                let rows = match self.shape {
                    Shape::Pooled => {
                        format!(
                            "SELECT unit, slot, sum(i) AS i, sum(o) AS o, any(a) AS a FROM ({rows}) GROUP BY unit, slot"
                        )
                    }
                    Shape::Plain { .. } | Shape::Stepped => rows,
                };
                format!(
                    "SELECT unit, count() AS samples, {p95} AS p95, {overage} AS overage FROM ({rows}) GROUP BY unit"
                )
            }
        }
    }

    /// The value of `x` at the billable place from the top; 0 past the last sample.
    fn pick(&self, x: &str) -> String {
        let highest = self.expected / 20 + 1;
        let place = if self.exclude { "intDiv(count(), 20) + 1".to_owned() } else { highest.to_string() };
        // Sorted ascending by the complement is sorted descending; nothing below the place is kept.
        let sorted = format!("groupArraySorted({highest})(bitNot(toUInt64({x})))");
        format!("if(length({sorted}) >= {place}, bitNot({sorted}[{place}]), toUInt64(0))")
    }
}

/// Rows of unit, slot, in, out and allowance for the slots that count.
fn samples_with_allowance(parts: &[Part]) -> String {
    let mut servers: Vec<u32> = parts.iter().map(|part| part.server).collect();
    servers.sort_unstable();
    servers.dedup();
    let servers: Vec<String> = servers.iter().map(u32::to_string).collect();
    let from = parts.iter().map(|part| part.from).min().unwrap_or(0);
    let until = parts.iter().map(|part| part.until).max().unwrap_or(0);
    let row = |p: &Part| format!("({}, {}, {}, {}, {})", p.unit, p.server, p.from, p.until, p.allowance);
    let terms: Vec<String> = parts.iter().map(row).collect();
    if terms.is_empty() {
        return "SELECT toUInt32(0) AS unit, toDateTime(0) AS slot, toUInt64(0) AS i, toUInt64(0) AS o, \
                toUInt64(0) AS a WHERE 0"
            .to_owned();
    }
    format!(
        "SELECT t.unit AS unit, s.slot AS slot, s.in_bps AS i, s.out_bps AS o, t.a AS a \
         FROM (SELECT server_id, slot, in_bps, out_bps FROM samples FINAL WHERE server_id IN ({}) \
         AND slot >= fromUnixTimestamp({from}) AND slot < fromUnixTimestamp({until}) AND state != 'withdrawn') AS s \
         INNER JOIN (SELECT * FROM VALUES('unit UInt32, server_id UInt32, from_s UInt32, until_s UInt32, a UInt64', {})) AS t \
         ON s.server_id = t.server_id \
         WHERE toUnixTimestamp(s.slot) >= t.from_s AND toUnixTimestamp(s.slot) < t.until_s",
        servers.join(", "),
        terms.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::units::Slot;

    #[test]
    fn what_is_excluded_is_taken_out() {
        let span = |from, until| SlotSpan { from: Slot(from), until: Slot(until) };
        for (of, excluded, left) in [
            (span(0, 10), vec![], vec![span(0, 10)]),
            (span(0, 10), vec![span(2, 3), span(5, 20)], vec![span(0, 2), span(3, 5)]),
            (span(0, 10), vec![span(0, 2)], vec![span(2, 10)]),
            (span(4, 6), vec![span(0, 9)], vec![]),
            (span(4, 6), vec![span(7, 9)], vec![span(4, 6)]),
        ] {
            assert_eq!(without(of, &excluded), left);
        }
    }
}
