//! Texts that a site may word its own way: mails to contacts, and configuration for devices. Its own templates take the
//! place of those that come with meter95, and add kinds of devices. They are read once; what is wrong with one is found
//! then, and the one that came with meter95 stays in force: a broken template stops nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::letter::{self, Letter, Message};
use super::snippet;
use crate::inventory::Language;

/// What comes with meter95: for a contact in each language, and for kinds of devices.
const BUILT_IN: [(&str, &str); 6] = [
    ("contact.en.txt", include_str!("templates/contact.en.txt")),
    ("contact.ja.txt", include_str!("templates/contact.ja.txt")),
    ("eos.txt", include_str!("templates/eos.txt")),
    ("ios.txt", include_str!("templates/ios.txt")),
    ("junos.txt", include_str!("templates/junos.txt")),
    ("tc.txt", include_str!("templates/tc.txt")),
];

/// The longest template, in octets: the longest that come with meter95 have two thousand.
const TEMPLATE_OCTETS_MAX: u64 = 64 << 10;

/// Templates in a site's folder at most.
const TEMPLATES_MAX: usize = 100;

/// Steps of rendering: a template for a hundred ports takes some thousands, one that never ends takes all.
const FUEL: u64 = 200_000;

/// Names that a template may use besides what it is given: those of minijinja.
const FUNCTIONS: [&str; 5] = ["range", "dict", "debug", "namespace", "loop"];

/// How the name of a template for contacts begins.
const CONTACT: &str = "contact.";

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {template}{}: {says}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct TemplateError {
    /// Its file's name, or the folder's path.
    pub template: String,
    /// The line, where it is in one.
    pub line: Option<usize>,
    /// What is wrong.
    pub says: String,
}

/// The templates in force. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Templates(Arc<Environment<'static>>);

impl Templates {
    /// Those that come with meter95, and those of the folder `own`. What is wrong is told beside it; each wrong one is
    /// left out.
    #[must_use]
    pub fn read(own: Option<&Path>) -> (Self, Vec<TemplateError>) {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        // It tells which expression is wrong.
        environment.set_debug(true);
        let mut problems = Vec::new();
        match syntax() {
            Ok(syntax) => environment.set_syntax(syntax),
            Err(e) => problems.push(problem("", &e)),
        }
        let own = own.map(|folder| texts(folder, &mut problems)).unwrap_or_default();
        let built_in = BUILT_IN.map(|(name, text)| (name.to_owned(), text.to_owned()));
        for (name, text) in built_in.into_iter().chain(own) {
            let before = environment.get_template(&name).ok().map(|template| template.source().to_owned());
            if let Err(problem) = take(&mut environment, &name, text) {
                problems.push(problem);
                environment.remove_template(&name);
                if let Some(before) = before {
                    // It was taken before.
                    let _ = environment.add_template_owned(name, before);
                }
            }
        }
        (Self(Arc::new(environment)), problems)
    }

    /// A mail to a contact.
    ///
    /// # Errors
    /// With the place in the template where it can't be made.
    pub fn letter(&self, lang: Language, letter: &Letter) -> Result<Message, TemplateError> {
        let name = match lang {
            Language::En => "contact.en.txt",
            Language::Ja => "contact.ja.txt",
        };
        message(name, &render(&self.0, name, letter)?)
    }

    /// The kinds of devices for which there is a template, in the order of their names.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        let names = self.0.templates().filter_map(|(name, _)| name.strip_suffix(".txt"));
        let mut kinds: Vec<String> =
            names.filter(|name| !name.starts_with(CONTACT)).map(str::to_owned).collect();
        kinds.sort_unstable();
        kinds
    }

    /// The configuration for a kind of device; `None` where there is no template for it.
    ///
    /// # Errors
    /// With the place in the template where it can't be made.
    pub fn snippet(&self, kind: &str, values: &snippet::Values) -> Option<Result<String, TemplateError>> {
        let name = self.kinds().into_iter().find(|known| known == kind).map(|kind| format!("{kind}.txt"))?;
        Some(render(&self.0, &name, values))
    }
}

/// Lines that are only `{% ... %}` leave nothing behind.
fn syntax() -> Result<SyntaxConfig, minijinja::Error> {
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()
}

/// The templates of a folder.
fn texts(folder: &Path, problems: &mut Vec<TemplateError>) -> BTreeMap<String, String> {
    let wrong = |template: String, says: String| TemplateError { template, line: None, says };
    let mut found = BTreeMap::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => {
            problems.push(wrong(folder.display().to_string(), e.to_string()));
            return found;
        }
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".txt")).collect();
    names.sort_unstable();
    if names.len() > TEMPLATES_MAX {
        let says = format!("{} templates; the first {TEMPLATES_MAX} count", names.len());
        problems.push(wrong(folder.display().to_string(), says));
        names.truncate(TEMPLATES_MAX);
    }
    for name in names {
        if let Err(says) = check_name(&name) {
            problems.push(wrong(name, says));
            continue;
        }
        let path = folder.join(&name);
        let len = std::fs::metadata(&path).map_or(0, |about| about.len());
        if len > TEMPLATE_OCTETS_MAX {
            problems.push(wrong(name, format!("{len} octets; at most {TEMPLATE_OCTETS_MAX}")));
            continue;
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                found.insert(name, text);
            }
            Err(e) => problems.push(wrong(name, e.to_string())),
        }
    }
    found
}

fn check_name(name: &str) -> Result<(), String> {
    let kind = name.trim_end_matches(".txt");
    if kind.starts_with(CONTACT) {
        let known = BUILT_IN.iter().any(|(built_in, _)| *built_in == name);
        return if known { Ok(()) } else { Err("there is no such language; en and ja are known".to_owned()) };
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if kind.is_empty() || kind.len() > 32 || !kind.chars().all(plain) {
        return Err("a kind of device is 1 to 32 of a to z, 0 to 9, - and _".to_owned());
    }
    Ok(())
}

/// Takes a template, and tries it out.
fn take(environment: &mut Environment<'static>, name: &str, text: String) -> Result<(), TemplateError> {
    environment.add_template_owned(name.to_owned(), text.clone()).map_err(|e| problem(name, &e))?;
    let contact = name.starts_with(CONTACT);
    let given = if contact { fields(&letter::example(1)) } else { fields(&snippet::example(1, false)) };
    let template = environment.get_template(name).map_err(|e| problem(name, &e))?;
    let mut unknown: Vec<String> = template.undeclared_variables(false).into_iter().collect();
    unknown.retain(|name| !given.contains(name) && !FUNCTIONS.contains(&name.as_str()));
    unknown.sort_unstable();
    if let Some(unknown) = unknown.first() {
        let line = text.lines().zip(1..).find(|(line, _)| line.contains(unknown.as_str())).map(|(_, n)| n);
        let says = format!("there is no {unknown}; it can use {}", given.join(", "));
        return Err(TemplateError { template: name.to_owned(), line, says });
    }
    if contact {
        for round in [1, 2] {
            message(name, &render(environment, name, &letter::example(round))?)?;
        }
    } else {
        for (ports, lift) in [(1, false), (1, true), (2, false), (2, true)] {
            render(environment, name, &snippet::example(ports, lift))?;
        }
    }
    Ok(())
}

/// The names of a context's fields.
fn fields(context: &impl Serialize) -> Vec<String> {
    let value = serde_json::to_value(context).unwrap_or_default();
    value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
}

fn render(
    environment: &Environment<'_>,
    name: &str,
    context: &impl Serialize,
) -> Result<String, TemplateError> {
    let template = environment.get_template(name).map_err(|e| problem(name, &e))?;
    template.render(Serde(context)).map_err(|e| problem(name, &e))
}

/// A mail of a text whose first line is the subject, and whose second one is empty.
fn message(name: &str, text: &str) -> Result<Message, TemplateError> {
    let wrong = |line, says: &str| {
        Err(TemplateError { template: name.to_owned(), line: Some(line), says: says.to_owned() })
    };
    let Some((first, rest)) = text.split_once('\n') else {
        return wrong(1, "a subject, an empty line and a text are needed");
    };
    let Some(subject) = first.trim_end().strip_prefix("Subject: ").map(str::trim).filter(|s| !s.is_empty())
    else {
        return wrong(1, "the first line is not `Subject: ...`");
    };
    if subject.chars().any(char::is_control) {
        return wrong(1, "the subject has a control character");
    }
    let Some(text) = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')) else {
        return wrong(2, "the second line is not empty");
    };
    if text.trim().is_empty() {
        return wrong(3, "there is no text");
    }
    Ok(Message { subject: subject.to_owned(), text: text.to_owned() })
}

fn problem(name: &str, error: &minijinja::Error) -> TemplateError {
    let kind = error.kind();
    let excerpt = error.range().zip(error.template_source()).and_then(|(range, source)| source.get(range));
    let mut says = kind.to_string();
    if let Some(detail) = error.detail() {
        says = format!("{says}: {detail}");
    }
    if let Some(excerpt) = excerpt.filter(|excerpt| !excerpt.is_empty() && excerpt.len() <= 80) {
        says = format!("{says} at {excerpt:?}");
    }
    TemplateError { template: name.to_owned(), line: error.line(), says }
}

#[cfg(test)]
mod tests;
