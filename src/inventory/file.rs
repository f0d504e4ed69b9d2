//! From a file to a document, and from a place in the document back to the line of the file.

mod map;

#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;

use std::fmt;
use std::path::Path;

use serde_path_to_error::Segment;

use super::Inventory;
use super::check::Problem;
use super::document::Document;
use super::place::{Kind, Place, Step};
use map::Map;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// As TOML.
    Toml,
    /// As JSON.
    Json,
}

/// An inventory file that has the shape of one.
#[derive(Debug)]
pub struct File {
    /// What it says.
    pub document: Document,
    name: String,
    text: String,
    syntax: Syntax,
}

/// Why a file can't be applied.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It can't be read.
    #[error("can't read {name}")]
    Read {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It has another shape, or contradicts itself.
    #[error("{}", Wrong { name, problems })]
    Wrong {
        /// The file.
        name: String,
        /// All that is wrong, each with its line.
        problems: Vec<(Option<usize>, String)>,
    },
}

/// Problems as `inventory.toml:14: server "web01": ports[1]: speed_bps is 0`, a line each.
struct Wrong<'a> {
    name: &'a str,
    problems: &'a [(Option<usize>, String)],
}

impl fmt::Display for Wrong<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (line, says)) in self.problems.iter().enumerate() {
            let newline = if i > 0 { "\n" } else { "" };
            match line {
                Some(line) => write!(f, "{newline}{}:{line}: {says}", self.name)?,
                None => write!(f, "{newline}{}: {says}", self.name)?,
            }
        }
        Ok(())
    }
}

/// A text that is not a document: not of its syntax, or not of its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    /// The line, from 1.
    pub line: Option<usize>,
    /// What of the document; `None` where the syntax is broken.
    pub at: Option<Box<Place>>,
    /// What is wrong.
    pub says: String,
}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.as_ref().map(ToString::to_string).filter(|at| !at.is_empty());
        match at {
            Some(at) => write!(f, "{at}: {}", self.says),
            None => f.write_str(&self.says),
        }
    }
}

impl File {
    /// Reads a file: JSON where its name ends in `.json`, TOML otherwise.
    ///
    /// # Errors
    /// When it can't be read or has another shape; with line and field.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let name = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| FileError::Read { name: name.clone(), source })?;
        let json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let syntax = if json { Syntax::Json } else { Syntax::Toml };
        match parse(&text, syntax) {
            Ok(document) => Ok(Self { document, name, text, syntax }),
            Err(wrong) => Err(FileError::Wrong { name, problems: vec![(wrong.line, wrong.to_string())] }),
        }
    }

    /// The inventory that it describes.
    ///
    /// # Errors
    /// With everything that contradicts itself or something else in it, and the lines.
    pub fn inventory(&self) -> Result<Inventory, FileError> {
        Inventory::from_document(&self.document).map_err(|e| self.wrong(&e.problems))
    }

    /// These problems with the lines of this file.
    #[must_use]
    pub fn wrong(&self, problems: &[Problem]) -> FileError {
        FileError::Wrong { name: self.name.clone(), problems: self.located(problems) }
    }

    /// These warnings with the lines of this file, a line each.
    #[must_use]
    pub fn warning(&self, warnings: &[Problem]) -> String {
        let problems = self.located(warnings);
        let problems: Vec<_> =
            problems.into_iter().map(|(line, w)| (line, format!("warning: {w}"))).collect();
        Wrong { name: &self.name, problems: &problems }.to_string()
    }

    fn located(&self, problems: &[Problem]) -> Vec<(Option<usize>, String)> {
        let map = Map::of(&self.text, self.syntax);
        let line = |problem: &Problem| map.as_ref()?.line(&problem.at.steps()?);
        problems.iter().map(|problem| (line(problem), problem.to_string())).collect()
    }
}

/// The document that `text` is.
///
/// # Errors
/// With the first thing that has another shape, and where.
pub fn parse(text: &str, syntax: Syntax) -> Result<Document, Misshapen> {
    match syntax {
        Syntax::Toml => {
            let broken = |e: &toml::de::Error| {
                let line = e.span().map(|span| line_of(text, span.start));
                Misshapen { line, at: None, says: format!("not TOML: {}", e.message()) }
            };
            let toml = toml::Deserializer::parse(text).map_err(|e| broken(&e))?;
            serde_path_to_error::deserialize(toml).map_err(|e| {
                let spanned = e.inner().span().map(|span| line_of(text, span.start));
                misshapen(text, syntax, e.path(), spanned, e.inner().message())
            })
        }
        Syntax::Json => {
            let mut json = serde_json::Deserializer::from_str(text);
            let document = serde_path_to_error::deserialize(&mut json).map_err(|e| {
                let (line, says) = json_error(e.inner());
                if e.inner().is_data() {
                    misshapen(text, syntax, e.path(), line, &says)
                } else {
                    Misshapen { line, at: None, says: format!("not JSON: {says}") }
                }
            })?;
            json.end().map_err(|e| {
                let (line, says) = json_error(&e);
                Misshapen { line, at: None, says: format!("not JSON: {says}") }
            })?;
            Ok(document)
        }
    }
}

/// The line of an error, and what it says without that.
fn json_error(error: &serde_json::Error) -> (Option<usize>, String) {
    let says = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let says = says.strip_suffix(&place).map_or(says.clone(), str::to_owned);
    (Some(error.line()).filter(|line| *line > 0), says)
}

fn misshapen(
    text: &str,
    syntax: Syntax,
    path: &serde_path_to_error::Path,
    line: Option<usize>,
    says: &str,
) -> Misshapen {
    let steps: Vec<Step> = path
        .iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(Step::Item(*index)),
            Segment::Map { key } => Some(Step::Field(key.clone())),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect();
    let map = Map::of(text, syntax);
    let found = map.as_ref().and_then(|map| map.line(&steps));
    let id = map.as_ref().and_then(|map| map.id(&steps));
    // A field that is too many has no place in the path of what was expected; the error itself knows its line then.
    Misshapen {
        line: found.max(line.filter(|_| syntax == Syntax::Toml)),
        at: Some(Box::new(place(steps, id))),
        says: says.to_owned(),
    }
}

fn place(steps: Vec<Step>, id: Option<String>) -> Place {
    let list = |kind: &Kind, name: &str| kind.list() == Some(name);
    if let [Step::Field(name), Step::Item(index), path @ ..] = steps.as_slice()
        && let Some(kind) = Kind::ALL.iter().find(|kind| list(kind, name))
    {
        let place = Place::entry(*kind, *index, &id.unwrap_or_default());
        return Place { path: path.to_vec(), ..place };
    }
    Place { kind: Kind::Settings, index: None, id: String::new(), path: steps, field: None }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with `text`, with the line.
    fn wrong(text: &str, syntax: Syntax) -> String {
        let wrong = parse(text, syntax).unwrap_err();
        format!("{}: {wrong}", wrong.line.unwrap())
    }

    #[test]
    fn shapes_are_refused_by_line_and_field() {
        for (text, says) in [
            (
                "[[servers]]\nid = 'a'\nports = [\n  { device = 'd', interface = 'x', speed_bps = -1 },\n]",
                "4: server \"a\": ports[0].speed_bps: invalid value: integer `-1`, expected u64",
            ),
            ("[[plans]]\nid = 'p'\nallowance_bps = 99999999999999999999\n", "3: plan \"p\": allowance_bps: "),
            (
                "[[plans]]\nid = 'p'\ncurrency = 'YEN'\n",
                "3: plan \"p\": currency: \"YEN\" is not a currency code",
            ),
            (
                "[[plans]]\nid = 'p'\nprice_per_mbps = '-1'\n",
                "3: plan \"p\": price_per_mbps: a price of -1 is below 0",
            ),
            (
                "[[servers]]\nid = 'a'\n[[servers]]\nid = 'b'\nservice_end = '2026-10-01T00:00:00'\n",
                "5: server \"b\": service_end: \"2026-10-01T00:00:00\" is not an instant",
            ),
            ("[[servers]]\nid = 'b'\nservice_end = 2026-10-01T00:00:00\n", "3: server \"b\": service_end: "),
            ("[[servers]]\nid = 'a'\nadons = []\n", "3: server \"a\": adons: unknown field `adons`"),
            ("[[servers]]\nplan = 'a'\n", "1: servers[0]: missing field `id`"),
            (
                "[[policies]]\nid = 'p'\n\n[policies.sustained]\nfacter = 3\n",
                "5: policy \"p\": sustained.facter: unknown field `facter`",
            ),
            (
                "[[policies]]\nid = 'p'\noff = [\n  'flood',\n  'fire',\n]\n",
                "5: policy \"p\": off[1]: unknown variant `fire`",
            ),
            ("[[exemptions]]\nid = 'e'\nreason = 'r'\n", "1: exemption \"e\": missing field `until`"),
            ("tmezone = 'x'\n", "1: tmezone: unknown field `tmezone`"),
            ("a = \n", "1: not TOML: "),
        ] {
            let found = wrong(text, Syntax::Toml);
            assert!(found.starts_with(says), "{text}\n{found}");
        }
        for (text, says) in [
            (
                "{\"servers\": [\n {\"id\": \"a\"},\n {\"ports\": [\n  {\"device\": \"d\", \"interface\": \"x\",\n   \"speed_bps\": -1\n  }], \"id\": \"b\"}\n]}",
                "5: server \"b\": ports[0].speed_bps: invalid value: integer `-1`, expected u64",
            ),
            (
                "{\"plans\": [\n {\"id\": \"p\",\n\"currency\": \"YEN\"}]}",
                "3: plan \"p\": currency: \"YEN\" is not",
            ),
            ("{\"servers\": [\n {\"plan\": \"p\"}]}", "2: servers[0]: missing field `id`"),
            (
                "{\"servers\": [\n {\"id\": \"a\",\n \"adons\": 1}]}",
                "3: server \"a\": adons: unknown field `adons`",
            ),
            ("{\n\"servers\": [,]}", "2: not JSON: "),
            ("{}\n{}", "2: not JSON: trailing characters"),
        ] {
            let found = wrong(text, Syntax::Json);
            assert!(found.starts_with(says), "{text}\n{found}");
        }
    }

    #[test]
    fn places_lead_back_to_lines() {
        let toml = "# sold\n[[servers]]\nid = 'a'\n\n[[servers]]\nid = 'b'\nports = [\n  { device = 'd' },\n  { device = 'e', speed_bps = 1 },\n]\n[[servers.addons]]\nbps = 5\n[[servers.addons]]\nbps = 6\n";
        let json = "{\n \"servers\": [\n  {\"id\": \"a\"},\n  {\"id\": \"b\",\n   \"ports\": [{},\n    {\n \"speed_bps\": 1}\n]}]}";
        let server = |i| Place::entry(Kind::Server, i, "");
        for (text, syntax, at, line) in [
            (toml, Syntax::Toml, server(0), 2),
            (toml, Syntax::Toml, server(1), 5),
            (toml, Syntax::Toml, server(1).on("id"), 6),
            (toml, Syntax::Toml, server(1).on("plan"), 5),
            (toml, Syntax::Toml, server(1).item("ports", 1), 9),
            (toml, Syntax::Toml, server(1).item("addons", 1).on("bps"), 14),
            (json, Syntax::Json, server(0), 3),
            (json, Syntax::Json, server(1).on("plan"), 4),
            (json, Syntax::Json, server(1).item("ports", 0), 5),
            (json, Syntax::Json, server(1).item("ports", 1).on("speed_bps"), 7),
        ] {
            let map = Map::of(text, syntax).unwrap();
            assert_eq!(map.line(&at.steps().unwrap()), Some(line), "{at:?} in {text}");
        }
    }
}
