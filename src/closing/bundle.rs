//! A statement with its samples in one text file, by which anybody can make every figure again.
//!
//! The first line is `meter95-bundle 1 sha256:` and the SHA-256 of all that follows it, in 64 lower-case hexadecimal
//! digits. The second is the statement's JSON, octet for octet as it was issued. Then [`HEADING`] and a line a sample,
//! in the order of members and slots. Every line ends with a line feed, and nothing comes after the last one.

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::gaps::gaps;
use super::settle::digest;
use super::statement::{Gap, Member, Statement};
use super::table::quoted;
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::period::SlotSpan;
use crate::metering::sample::{Rates, Sample};
use crate::metering::statement::{RULES_VERSION, Samples};
use crate::metering::units::{Bps, Slot};
use crate::store::engine::hash::hex;

/// Octets of a bundle at most: a pool of 500 servers has about 250 MB, and memory is a few times that.
pub const BUNDLE_OCTETS_MAX: usize = 256 << 20;

/// Members of a statement at most, and as many exclusions, plans and allowances: against files that only take time.
const LIST_MAX: usize = 10_000;

/// What a bundle begins with.
const MAGIC: &str = "meter95-bundle 1 sha256:";

/// The line above the samples.
pub const HEADING: &str = "server,slot,in_bps,out_bps,partial";

/// A bundle that says the truth about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The SHA-256 of what it says, as in its first line.
    pub sha256: String,
    /// The statement.
    pub statement: Statement,
    /// The samples of each member, in their order.
    pub samples: Vec<Vec<(Slot, Sample)>>,
}

/// Why a bundle proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Longer than any bundle.
    #[error("it has {0} octets, more than {BUNDLE_OCTETS_MAX}")]
    TooLarge(usize),
    /// Not a bundle of this form.
    #[error("its first line is not {MAGIC:?} and 64 hexadecimal digits")]
    NotABundle,
    /// What follows the first line was changed.
    #[error("the SHA-256 of its contents is {found}, but its first line says {said}")]
    Changed {
        /// In the first line.
        said: String,
        /// Of the contents.
        found: String,
    },
    /// A line, by its number from 1, that can't be understood.
    #[error("line {0}: {1}")]
    Line(usize, String),
    /// Made by rules that this program does not have.
    #[error("it was made by the rules {0:?}; this program has {RULES_VERSION:?}")]
    Rules(String),
    /// Samples that the statement was not made of.
    #[error("the SHA-256 of its samples is {found}, but the statement says {said}")]
    Samples {
        /// In the statement.
        said: String,
        /// Of the samples.
        found: String,
    },
    /// A figure that does not follow from the samples.
    #[error("{field} is {said} in the statement, but {found} by its samples")]
    Figure {
        /// The field.
        field: String,
        /// In the statement.
        said: String,
        /// By the samples.
        found: String,
    },
}

/// The bundle of a statement: `body` is its JSON as it was issued, `samples` those of each member, in their order.
#[must_use]
pub fn write(body: &str, members: &[Member], samples: &[&Samples]) -> String {
    let mut contents =
        String::with_capacity(body.len() + samples.iter().map(|s| s.len() * 64).sum::<usize>());
    contents.push_str(body);
    contents.push('\n');
    contents.push_str(HEADING);
    contents.push('\n');
    for (member, samples) in members.iter().zip(samples) {
        let server = quoted(&member.server);
        for (slot, sample) in *samples {
            line(&mut contents, &server, *slot, *sample);
        }
    }
    let hash = hex(&Sha256::digest(contents.as_bytes()));
    format!("{MAGIC}{hash}\n{contents}")
}

fn line(text: &mut String, server: &str, slot: Slot, sample: Sample) {
    let Sample { rates: Rates { in_bps, out_bps }, partial } = sample;
    let (slot, partial) = (rfc3339(slot.start()), u8::from(partial));
    // Writing into a `String` cannot fail.
    let _ = writeln!(text, "{server},{slot},{in_bps},{out_bps},{partial}");
}

/// Checks that a bundle is unchanged, that its samples are those of which the statement was made, and that every
/// figure of the statement follows from them.
///
/// # Errors
/// When anything is otherwise; it names the first thing that is.
pub fn verify(octets: &[u8]) -> Result<Verified, BundleError> {
    if octets.len() > BUNDLE_OCTETS_MAX {
        return Err(BundleError::TooLarge(octets.len()));
    }
    let (sha256, contents) = opened(octets)?;
    let text = std::str::from_utf8(contents).map_err(|e| BundleError::Line(2, e.to_string()))?;
    let Some((body, rest)) = text.split_once('\n') else {
        return Err(BundleError::Line(2, "it is not a whole line".to_owned()));
    };
    let statement: Statement =
        serde_json::from_str(body).map_err(|e| BundleError::Line(2, format!("not a statement: {e}")))?;
    if statement.rules != RULES_VERSION {
        return Err(BundleError::Rules(statement.rules));
    }
    sound(&statement).map_err(|what| BundleError::Line(2, what))?;
    let samples = parsed(&statement, rest)?;
    check(&statement, &samples)?;
    Ok(Verified { sha256, statement, samples })
}

/// The hash in the first line and what follows that line, where the two agree.
fn opened(octets: &[u8]) -> Result<(String, &[u8]), BundleError> {
    let rest = octets.strip_prefix(MAGIC.as_bytes()).ok_or(BundleError::NotABundle)?;
    let (said, rest) = rest.split_at_checked(64).ok_or(BundleError::NotABundle)?;
    let contents = rest.strip_prefix(b"\n").ok_or(BundleError::NotABundle)?;
    let digits = |octet: &u8| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
    if !said.iter().all(digits) {
        return Err(BundleError::NotABundle);
    }
    let said = String::from_utf8_lossy(said).into_owned();
    let found = hex(&Sha256::digest(contents));
    if said == found { Ok((said, contents)) } else { Err(BundleError::Changed { said, found }) }
}

/// Whether a statement's lists are such as closing makes them.
fn sound(statement: &Statement) -> Result<(), String> {
    let Statement { members, exclusions, allowances, plans, .. } = statement;
    let lists = [
        ("members", members.len()),
        ("exclusions", exclusions.len()),
        ("allowances", allowances.len()),
        ("plans", plans.len()),
    ];
    for (name, len) in lists {
        if len > LIST_MAX {
            return Err(format!("the statement has {len} {name}, more than {LIST_MAX}"));
        }
    }
    match members.windows(2).find(|pair| pair[0].server >= pair[1].server) {
        Some(pair) => Err(format!("member {:?} follows {:?}", pair[1].server, pair[0].server)),
        None => Ok(()),
    }
}

/// The samples of each member. A line is taken only in the one form in which [`write`] writes it.
fn parsed(statement: &Statement, text: &str) -> Result<Vec<Vec<(Slot, Sample)>>, BundleError> {
    let mut samples: Vec<Vec<(Slot, Sample)>> = statement.members.iter().map(|_| Vec::new()).collect();
    let servers: Vec<String> = statement.members.iter().map(|member| quoted(&member.server)).collect();
    let Some(rest) = text.strip_prefix(HEADING).and_then(|rest| rest.strip_prefix('\n')) else {
        return Err(BundleError::Line(3, format!("it is not the heading {HEADING:?}")));
    };
    if !rest.is_empty() && !rest.ends_with('\n') {
        return Err(BundleError::Line(3 + rest.lines().count(), "it is not a whole line".to_owned()));
    }
    let mut at = 0;
    let mut again = String::new();
    for (text, number) in rest.split_terminator('\n').zip(4..) {
        let error = |what: String| BundleError::Line(number, what);
        let is_of = |server: &String| text.strip_prefix(server.as_str()).is_some_and(|t| t.starts_with(','));
        while servers.get(at).is_some_and(|server| !is_of(server)) {
            at += 1;
        }
        let (Some(server), Some(member)) = (servers.get(at), statement.members.get(at)) else {
            return Err(error(format!("{text:?} is of no member that comes here")));
        };
        let (slot, sample) =
            fields(&text[server.len() + 1..]).ok_or_else(|| error(format!("{text:?} is not a sample")))?;
        again.clear();
        line(&mut again, server, slot, sample);
        if again.strip_suffix('\n') != Some(text) {
            return Err(error(format!("{text:?} is not how a sample is written")));
        }
        if !member.span().contains(slot) {
            return Err(error(format!("{text:?} is not in the member's time")));
        }
        let of_member = &mut samples[at];
        if of_member.last().is_some_and(|(last, _)| *last >= slot) {
            return Err(error(format!("{text:?} does not come after the line before it")));
        }
        of_member.push((slot, sample));
    }
    Ok(samples)
}

/// The fields of a sample after the server's.
fn fields(text: &str) -> Option<(Slot, Sample)> {
    let mut fields = text.split(',');
    let time: Instant = fields.next()?.parse().ok()?;
    let (in_bps, out_bps) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let partial = match fields.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let sample = Sample { rates: Rates { in_bps: Bps(in_bps), out_bps: Bps(out_bps) }, partial };
    fields.next().is_none().then_some((Slot::of(time.0), sample))
}

/// Makes everything that follows from the samples again, and compares.
///
/// # Errors
/// When the samples are not those of the statement, or a figure is not what they make.
pub fn check(statement: &Statement, samples: &[Vec<(Slot, Sample)>]) -> Result<(), BundleError> {
    let servers = statement.members.iter().map(|member| member.server.as_str());
    let found = digest(servers.zip(samples.iter().map(Vec::as_slice)));
    if found != statement.samples_sha256 {
        return Err(BundleError::Samples { said: statement.samples_sha256.clone(), found });
    }
    let slices: Vec<&Samples> = samples.iter().map(Vec::as_slice).collect();
    let mut again = statement.clone();
    again.settle(&slices);
    for (member, samples) in again.members.iter_mut().zip(slices) {
        member.gaps = gaps_again(member, samples);
    }
    let json = |statement: &Statement| {
        serde_json::to_value(statement).map_err(|e| BundleError::Line(2, format!("not a statement: {e}")))
    };
    match difference(String::new(), &json(statement)?, &json(&again)?) {
        Some((field, said, found)) => Err(BundleError::Figure { field, said, found }),
        None => Ok(()),
    }
}

/// A member's gaps as its samples leave them. Why there is one does not follow from samples: that is as it was said.
fn gaps_again(member: &Member, samples: &Samples) -> Vec<Gap> {
    let spans = gaps(member.span(), samples).into_iter().enumerate();
    let gap = |(i, span): (usize, SlotSpan)| Gap {
        from: Instant(span.from.start()),
        until: Instant(span.until.start()),
        slots: span.len(),
        cause: member.gaps.get(i).and_then(|gap| gap.cause.clone()),
    };
    spans.map(gap).collect()
}

/// The first field in which two values differ, and both.
fn difference(path: String, said: &Value, found: &Value) -> Option<(String, String, String)> {
    let field = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (said, found) {
        (Value::Object(said), Value::Object(found)) => {
            let names = said.keys().chain(found.keys().filter(|name| !said.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let of =
                    |object: &serde_json::Map<String, Value>| object.get(name).cloned().unwrap_or_default();
                difference(field(name), &of(said), &of(found))
            })
        }
        (Value::Array(said), Value::Array(found)) => (0..said.len().max(found.len())).find_map(|i| {
            let of = |list: &[Value]| list.get(i).cloned().unwrap_or_default();
            difference(format!("{path}[{i}]"), &of(said), &of(found))
        }),
        (said, found) if said == found => None,
        (said, found) => Some((path, said.to_string(), found.to_string())),
    }
}

/// A bundle's file name: the month, the server or pool made safe for any file system, and the revision.
#[must_use]
pub fn file_name(statement: &Statement) -> String {
    let Statement { period, server, revision, .. } = statement;
    format!("{period}_{}_r{revision}.meter95", safe(server))
}

/// Octets of a server's id in a file name, at most: names end at 255 on most file systems.
const SAFE_OCTETS_MAX: usize = 180;

/// An id with everything but letters, digits, `.`, `-` and `_` of ASCII as `%` and two hexadecimal digits, and where
/// that is too long its beginning and a hash of it.
pub(crate) fn safe(id: &str) -> String {
    let mut safe = String::new();
    for octet in id.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_') {
            safe.push(char::from(octet));
        } else {
            let _ = write!(safe, "%{octet:02X}");
        }
    }
    if safe.len() <= SAFE_OCTETS_MAX {
        return safe;
    }
    let hash = hex(&Sha256::digest(id.as_bytes()));
    format!("{}~{}", &safe[..SAFE_OCTETS_MAX - 33], &hash[..32])
}

#[cfg(test)]
mod tests;
