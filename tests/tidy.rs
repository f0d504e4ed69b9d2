//! The lines that DESIGN.md and STYLE.md draw, held by reading the sources as text: what may name what, where things
//! stand, and what may not be in the tree at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::{Table, Value};

/// Lines of a source file, its tests apart.
const LINES_MAX: usize = 500;

/// What stands at the top, besides files whose name starts with a dot.
const TOP: &[&str] = &[
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.ja.md",
    "README.md",
    "benches",
    "build.rs",
    "clippy.toml",
    "collectors",
    "dashboards",
    "docs",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "src",
    "tests",
];

/// What must be there.
const PLACES: &[&str] = &[
    "README.ja.md",
    "README.md",
    "benches",
    "collectors/nic/src/lib.rs",
    "collectors/reading/src/lib.rs",
    "collectors/snmp/src/lib.rs",
    "dashboards/grafana",
    "dashboards/prometheus",
    "dashboards/web/package.json",
    "docs/ARCHITECTURE.md",
    "docs/BILLING.ja.md",
    "docs/BILLING.md",
    "docs/OPERATING.md",
    "docs/decisions",
    "src/aggregator",
    "src/alerts",
    "src/api",
    "src/cli",
    "src/closing",
    "src/collectors",
    "src/demo",
    "src/evidence",
    "src/inventory",
    "src/main.rs",
    "src/metering",
    "src/rebuild",
    "src/report",
    "src/store",
    "src/throttle",
    "tests/fuzz",
    "tests/main.rs",
    "tests/vectors",
];

/// The fuzzer's package, a workspace of its own: it needs a nightly compiler.
const FUZZ: &str = "tests/fuzz";

/// The flow of `src/metering`, a file (or folder) a step.
const METERING: &[&str] = &[
    "units",
    "delta",
    "slot",
    "sample",
    "period",
    "percentile",
    "allowance",
    "overage",
    "money",
    "statement",
    "throttle",
    "agreement",
    "habit",
];

/// Crates that `src/metering` may use: values, arithmetic and what describes them, no input and no output.
const METERING_CRATES: &[&str] = &["jiff", "meter95_reading", "rust_decimal", "serde", "thiserror", "utoipa"];

/// Words that `src/metering` may not use: all that looks outside, or waits.
const OUTSIDE: &[&str] = &[
    "Instant",
    "SystemTime",
    "async",
    "await",
    "eprintln",
    "println",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
];

/// Ways to ask the wall clock.
const CLOCKS: &[&str] = &[
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "clock_gettime",
    "gettimeofday",
    "clippy::disallowed_methods",
];

/// A file of the tree.
struct Source {
    /// Its path from the top.
    path: String,
    text: String,
}

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that is in git or about to be, as its path from the top.
fn files() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(top())
        .output()
        .expect("git is needed to tell which files are the project's");
    assert!(output.status.success(), "not a git work tree: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    let mut files: Vec<String> =
        names.split_terminator('\0').filter(|path| top().join(path).is_file()).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    assert!(!files.is_empty());
    files
}

/// Every text file, lossy where it is not UTF-8 throughout.
fn texts() -> Vec<Source> {
    let read = |path: String| {
        let octets = std::fs::read(top().join(&path)).unwrap();
        let text = (!octets.contains(&0)).then(|| String::from_utf8_lossy(&octets).into_owned())?;
        Some(Source { path, text })
    };
    files().into_iter().filter_map(read).collect()
}

/// Every Rust file.
fn rust() -> Vec<Source> {
    let mut sources = texts();
    sources.retain(|source| has_extension(&source.path, &["rs"]));
    sources
}

/// The Rust files of the product, tests apart.
fn product() -> Vec<Source> {
    let mut sources = rust();
    sources.retain(|source| !source.is_test() && source.is_under(&["src", "collectors"]));
    sources
}

fn has_extension(path: &str, extensions: &[&str]) -> bool {
    let extension = Path::new(path).extension().and_then(|e| e.to_str());
    extension.is_some_and(|e| extensions.contains(&e))
}

impl Source {
    /// Whether the whole file is tests.
    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs"))
    }

    /// Whether it stands in one of the folders, or is a folder's own file.
    fn is_under(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| {
            let rest = self.path.strip_prefix(folder);
            rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
        })
    }

    /// The text without the tests at its end.
    fn product_text(&self) -> &str {
        let start = self.text.find("#[cfg(test)]\nmod tests {");
        start.map_or(&self.text, |at| &self.text[..at])
    }

    /// The product's code: comments and literals are blanks.
    fn code(&self) -> String {
        code(self.product_text())
    }
}

/// The code with blanks for comments, strings and characters; lines stay where they are.
fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let len = blank_len(bytes, at);
        let end = (at + len.max(1)).min(bytes.len());
        for &byte in &bytes[at..end] {
            let keep = byte == b'\n' || (len == 0 && byte.is_ascii());
            out.push(if keep { char::from(byte) } else { ' ' });
        }
        at = end;
    }
    out
}

/// How long the comment or literal is that starts at `at`; 0 where none does.
fn blank_len(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_word = at > 0 && is_word(bytes[at - 1]);
    let until = |end: &[u8], from: usize| {
        let found = rest[from..].windows(end.len()).position(|window| window == end);
        found.map_or(rest.len(), |i| from + i + end.len())
    };
    let quoted = |quote: u8, from: usize| {
        let mut i = from;
        while i < rest.len() && rest[i] != quote {
            i += if rest[i] == b'\\' { 2 } else { 1 };
        }
        i + 1
    };
    match rest {
        [b'/', b'/', ..] => until(b"\n", 0) - 1,
        [b'/', b'*', ..] => until(b"*/", 2),
        [b'"', ..] => quoted(b'"', 1),
        [b'r', b'"' | b'#', ..] | [b'b', b'r', b'"' | b'#', ..] if !in_word => {
            let start = if rest[0] == b'b' { 2 } else { 1 };
            let hashes = rest[start..].iter().take_while(|b| **b == b'#').count();
            if rest.get(start + hashes) != Some(&b'"') {
                return 0;
            }
            let end = [b"\"", "#".repeat(hashes).as_bytes()].concat();
            until(&end, start + hashes + 1)
        }
        [b'\'', b'\\', ..] => quoted(b'\'', 1),
        // A character, not a lifetime: at most four octets, then the other quote.
        [b'\'', first, ..] if *first != b'\'' => {
            let width = rest[1..].iter().take(6).position(|b| *b == b'\'').unwrap_or(0);
            let one = std::str::from_utf8(&rest[1..=width]).is_ok_and(|s| s.chars().count() == 1);
            if one { width + 2 } else { 0 }
        }
        _ => 0,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where `what` stands as whole words, as offsets.
fn places<'a>(text: &'a str, what: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = text.as_bytes();
    text.match_indices(what).map(|(at, _)| at).filter(move |at| {
        let before = at.checked_sub(1).and_then(|i| bytes.get(i));
        let after = bytes.get(at + what.len());
        [before, after].into_iter().flatten().all(|byte| !is_word(*byte))
    })
}

fn has_word(text: &str, word: &str) -> bool {
    places(text, word).next().is_some()
}

/// Whether code names a crate: at the start of a path, or whole in a `use`.
fn names_crate(code: &str, name: &str) -> bool {
    places(code, name).any(|at| {
        let before = &code[..at];
        let root = before.strip_suffix("::").unwrap_or(before);
        if before.ends_with('.') || (root.len() < before.len() && root.bytes().last().is_some_and(is_word)) {
            // A field, or a module further down a path.
            return false;
        }
        let after = code[at + name.len()..].trim_start();
        let whole = after.starts_with(';') || after.starts_with("as ");
        after.starts_with("::") || (whole && root.trim_end().ends_with("use"))
    })
}

/// Fails with every offender, and what to do about them.
fn none(offenders: &[String], advice: &str) {
    assert!(offenders.is_empty(), "{advice}:\n  {}", offenders.to_vec().join("\n  "));
}

/// Sources of which `found` tells something, as offenders.
fn offenders(sources: &[Source], found: impl Fn(&Source) -> Option<String>) -> Vec<String> {
    let offender = |source: &Source| Some(format!("{}: {}", source.path, found(source)?));
    sources.iter().filter_map(offender).collect()
}

#[test]
fn collectors_do_not_depend_on_the_service() {
    let mut found = offenders(&rust(), |source| {
        let foreign = source.is_under(&["collectors"]) && names_crate(&code(&source.text), "meter95");
        foreign.then(|| "uses the service `meter95`".to_owned())
    });
    for manifest in manifests().into_iter().filter(|m| m.folder.starts_with("collectors/")) {
        let may: &[&str] = if manifest.folder == "collectors/reading" { &[] } else { &["meter95-reading"] };
        for name in manifest.dependencies() {
            if name.starts_with("meter95") && !may.contains(&name.as_str()) {
                found.push(format!("{}/Cargo.toml: depends on {name}", manifest.folder));
            }
        }
    }
    none(
        &found,
        "a collector knows its source and collectors/reading, nothing else of ours: move what both need to \
         collectors/reading, or hand it over in src/sources",
    );
}

#[test]
fn metering_is_pure() {
    let crates: BTreeSet<String> = root().dependencies().iter().map(|name| name.replace('-', "_")).collect();
    let found: Vec<String> = product()
        .iter()
        .filter(|source| source.is_under(&["src/metering"]))
        .flat_map(|source| {
            let code = source.code();
            let mut found = Vec::new();
            for at in places(&code, "crate") {
                let path = code[at..].split([';', ',', '(', '{', ' ', '\n']).next().unwrap_or_default();
                if path.starts_with("crate::") && !path.starts_with("crate::metering") {
                    found.push(path.to_owned());
                }
            }
            let depth = source.path.matches('/').count() - 1;
            let ups = |n: usize| "super::".repeat(n);
            if code.contains(&ups(depth + 1)) {
                found.push(format!("{}: out of src/metering", ups(depth + 1)));
            }
            let barred = crates.iter().filter(|name| !METERING_CRATES.contains(&name.as_str()));
            found.extend(barred.filter(|name| names_crate(&code, name)).cloned());
            found.extend(OUTSIDE.iter().filter(|path| has_word(&code, path)).map(|p| (*p).to_owned()));
            found.into_iter().map(|what| format!("{}: {what}", source.path)).collect::<Vec<_>>()
        })
        .collect();
    none(
        &found,
        "src/metering is SPEC.md as code, without input, output, clock or log: hand in what it needs as an argument and \
         return what happened",
    );
}

#[test]
fn metering_has_no_floats() {
    let found = offenders(&product(), |source| {
        if !source.is_under(&["src/metering"]) {
            return None;
        }
        let code = source.code();
        let word = ["f32", "f64"].into_iter().find(|word| has_word(&code, word));
        word.map(str::to_owned).or_else(|| float(&code))
    });
    none(
        &found,
        "figures that reach an invoice are whole numbers and decimals (SPEC.md): widen to u128 before multiplying, or use \
         rust_decimal",
    );
}

/// The first number with a fraction or an exponent.
fn float(code: &str) -> Option<String> {
    code.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.')))
        .flat_map(|run| run.split(".."))
        .find(|number| {
            let digits = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
            let starts = number.starts_with(|c: char| c.is_ascii_digit());
            let fraction = digits
                .strip_prefix('.')
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()));
            let exponent = digits
                .strip_prefix(['e', 'E'])
                .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()));
            starts && (fraction || exponent)
        })
        .map(str::to_owned)
}

#[test]
fn only_the_store_names_clickhouse() {
    let found = offenders(&product(), |source| {
        let foreign = !source.is_under(&["src/store"]) && names_crate(&source.code(), "clickhouse");
        foreign.then(|| "uses `clickhouse`".to_owned())
    });
    none(&found, "only src/store talks to ClickHouse: put the query there and return rows of ours");
}

#[test]
fn only_the_api_names_axum() {
    let found = offenders(&product(), |source| {
        let foreign = !source.is_under(&["src/api"]) && names_crate(&source.code(), "axum");
        foreign.then(|| "uses `axum`".to_owned())
    });
    none(&found, "only src/api knows HTTP: return a value or an error of ours and make it a response there");
}

#[test]
fn one_file_asks_the_wall_clock() {
    let found = offenders(&product(), |source| {
        if source.path == "src/clock.rs" {
            return None;
        }
        let code = source.code();
        CLOCKS.iter().find(|way| has_word(&code, way)).map(|way| (*way).to_owned())
    });
    none(
        &found,
        "time is an argument; where it comes in, ask crate::clock::now, in a collector the `now` handed to it",
    );
}

/// In the API's document one schema would silently stand for both.
#[test]
fn no_two_schemas_have_one_name() {
    let mut seen = std::collections::BTreeMap::<String, String>::new();
    let mut twice = Vec::new();
    for source in product() {
        for part in source
            .text
            .split("#[derive(")
            .skip(1)
            .filter(|part| part.split_once(")]").is_some_and(|(derived, _)| derived.contains("ToSchema")))
        {
            let name = schema_name(part);
            if let Some(other) = seen.insert(name.clone(), source.path.clone()) {
                twice.push(format!("{}: {name} is in {other} too", source.path));
            }
        }
    }
    assert!(seen.contains_key("ServerUsage"), "they are not found any more");
    none(&twice, "say #[schema(as = AnotherName)]");
}

/// The name of a schema, from after the `derive` of its type on.
fn schema_name(text: &str) -> String {
    let kinds = ["struct ", "enum "];
    let at = kinds.iter().filter_map(|kind| Some(text.find(kind)? + kind.len())).min().unwrap();
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric()).collect();
    let renamed = text[..at].split_once("#[schema(").and_then(|(_, rest)| rest.split_once("as = "));
    renamed.map_or_else(|| word(&text[at..]), |(_, name)| word(name))
}

#[test]
fn modules_are_not_called_mod() {
    let found: Vec<String> = files().into_iter().filter(|path| path.ends_with("/mod.rs")).collect();
    none(&found, "a module `foo` is foo.rs beside its folder foo/, never foo/mod.rs: rename it");
}

#[test]
fn files_are_small() {
    let found = offenders(&texts(), |source| {
        let code = has_extension(&source.path, &["rs", "ts", "tsx", "sql", "sh"]);
        let lines = source.product_text().lines().count();
        (code && !source.is_test() && lines > LINES_MAX).then(|| format!("{lines} lines"))
    });
    none(
        &found,
        &format!(
            "over {LINES_MAX} lines a file is more than one idea: make the second one a file of its own"
        ),
    );
}

#[test]
fn tests_stand_last() {
    let found = offenders(&product(), |source| {
        let tests = &source.text[source.product_text().len()..];
        let (_, after) = tests.split_once("\n}")?;
        (!after.trim().is_empty()).then(|| "something follows `mod tests`".to_owned())
    });
    none(
        &found,
        "`mod tests` is the last item of its file: move what follows it up, or the other rules do not see it",
    );
}

#[test]
fn the_tree_is_the_one_that_is_written_down() {
    let files = files();
    let mut found: Vec<String> = Vec::new();
    for place in PLACES {
        let folder = format!("{place}/");
        let inside = |path: &String| path == place || path.starts_with(&folder);
        if !files.iter().any(inside) {
            found.push(format!("{place}: missing"));
        }
    }
    for step in METERING {
        let path = format!("src/metering/{step}.rs");
        if !files.contains(&path) {
            found.push(format!("{path}: missing"));
        }
    }
    let tops: BTreeSet<&str> = files.iter().filter_map(|path| path.split('/').next()).collect();
    let strange = tops.iter().filter(|name| !name.starts_with('.') && !TOP.contains(name));
    found.extend(strange.map(|name| format!("{name}: not a place of the layout")));
    none(
        &found,
        "the layout is fixed: put each thing where it belongs, or change the design and this list together",
    );
}

#[test]
fn every_crate_and_every_test_file_is_built() {
    let files = files();
    let mut found = Vec::new();
    let members: Vec<String> = root().table["workspace"]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member.as_str().unwrap().to_owned())
        .collect();
    for path in &files {
        if let Some(folder) = path.strip_suffix("/Cargo.toml")
            && folder != FUZZ
            && !members.iter().any(|member| member == folder)
        {
            found.push(format!("{path}: not a member of the workspace"));
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let module = path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs"));
        let in_tests = folder == "tests" || (folder.starts_with("collectors/") && folder.ends_with("/tests"));
        if let Some(module) = module.filter(|module| in_tests && *module != "main") {
            let main = std::fs::read_to_string(top().join(folder).join("main.rs")).unwrap();
            if !main.contains(&format!("mod {module};")) {
                found.push(format!("{path}: not a module of {folder}/main.rs"));
            }
        }
    }
    none(
        &found,
        "what nothing names is not compiled and tests nothing: name it in the file that is the table of contents",
    );
}

#[test]
fn every_module_says_what_it_is() {
    let found = offenders(&rust(), |source| {
        (!source.text.starts_with("//!")).then(|| "does not begin with `//!`".to_owned())
    });
    none(&found, "a file begins with what it is in one line, then its contract");
}

#[test]
fn nothing_is_left_to_do() {
    let found = offenders(&rust(), |source| {
        let code = code(&source.text);
        let left = ["todo", "unimplemented", "dbg"];
        let word = left
            .iter()
            .find(|word| places(&code, word).any(|at| code[at + word.len()..].starts_with('!')))?;
        Some(format!("`{word}!`"))
    });
    none(&found, "finish it, or return an error that says what can't be done");
}

/// A package of the workspace.
struct Manifest {
    /// Its folder from the top, empty for the service.
    folder: String,
    table: Table,
}

/// The service and every collector.
fn manifests() -> Vec<Manifest> {
    let paths = files().into_iter().filter(|path| path.ends_with("Cargo.toml"));
    let manifest = |path: String| Manifest {
        folder: path.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned(),
        table: std::fs::read_to_string(top().join(path)).unwrap().parse().unwrap(),
    };
    paths.map(manifest).collect()
}

/// The service's own manifest.
fn root() -> Manifest {
    manifests().into_iter().find(|manifest| manifest.folder.is_empty()).unwrap()
}

impl Manifest {
    /// Every dependency, of whichever kind, by the name under which code uses it.
    fn dependencies(&self) -> Vec<String> {
        ["dependencies", "dev-dependencies", "build-dependencies"]
            .into_iter()
            .filter_map(|kind| self.table.get(kind).and_then(Value::as_table))
            .flat_map(|table| table.keys().cloned())
            .collect()
    }

    /// Whether a file is one of the package's.
    fn owns(&self, source: &Source) -> bool {
        let inside = ["src", "tests", "benches"].map(|folder| {
            if self.folder.is_empty() { folder.to_owned() } else { format!("{}/{folder}", self.folder) }
        });
        source.is_under(&inside.each_ref().map(String::as_str))
    }
}

#[test]
fn every_dependency_is_used() {
    let sources = rust();
    let mut found = Vec::new();
    for manifest in manifests() {
        let codes: Vec<String> = sources.iter().filter(|s| manifest.owns(s)).map(|s| code(&s.text)).collect();
        for name in manifest.dependencies() {
            let module = name.replace('-', "_");
            if !codes.iter().any(|code| names_crate(code, &module)) {
                found.push(format!(
                    "{}: {name}",
                    if manifest.folder.is_empty() { "Cargo.toml" } else { &manifest.folder }
                ));
            }
        }
    }
    none(&found, "nothing uses these dependencies: take them out of Cargo.toml");
}

#[test]
fn every_workspace_dependency_is_taken_up() {
    let root = root();
    let shared = root.table["workspace"]["dependencies"].as_table().unwrap();
    let taken: BTreeSet<String> = manifests().iter().flat_map(Manifest::dependencies).collect();
    let found: Vec<String> = shared.keys().filter(|name| !taken.contains(*name)).cloned().collect();
    none(&found, "no package takes these workspace dependencies up: take them out of Cargo.toml");
}

#[test]
fn nothing_names_a_machine() {
    // In parts, so that this list is not its own offender.
    let folders =
        [["/ro", "ot/"], ["/ho", "me/"], ["/wo", "rk/"], ["/Us", "ers/"]].map(|parts| parts.concat());
    let hosts = [
        ["://regis", "try."],
        ["://mir", "ror"],
        ["arti", "factory"],
        ["://ne", "xus"],
        ["://pro", "xy"],
        [".inter", "nal/"],
        [".co", "rp/"],
        ["\"resol", "ved\": \"http"],
    ]
    .map(|parts| parts.concat());
    let found: Vec<String> = texts()
        .iter()
        .flat_map(|source| {
            let at_start = |line: &str, folder: &str| {
                line.match_indices(folder).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-~}".contains(c))
                })
            };
            let named = |line: &str| {
                folders.iter().any(|folder| at_start(line, folder))
                    || hosts.iter().any(|host| line.contains(host))
            };
            let lines = source.text.lines().zip(1..).filter(|(line, _)| named(line));
            lines
                .map(|(line, number)| {
                    let line: String = line.trim().chars().take(100).collect();
                    format!("{}:{number}: {line}", source.path)
                })
                .collect::<Vec<_>>()
        })
        .collect();
    none(
        &found,
        "a folder of one machine or a package registry's host means nothing elsewhere: use a path from the project's top, an \
         environment variable, or the tool's own default",
    );
}

#[test]
fn the_rules_see_what_they_should() {
    let text = "use a::b; // c::d\n/* e */ let s = \"f::g\"; let r = r#\"h::\"i\"#; let c = '\"'; fn j<'k>() {} '\\'' l";
    let code = code(text);
    for word in ["a", "b", "s", "r", "c", "j", "k", "l"] {
        assert!(has_word(&code, word), "{word}: {code}");
    }
    for word in ["d", "e", "f", "g", "h", "i"] {
        assert!(!has_word(&code, word), "{word}: {code}");
    }
    for (code, names) in [
        ("use axum::Router;", true),
        ("use {axum::Router};", true),
        ("use axum;", true),
        ("use ::axum::Router;", true),
        ("::axum::serve()", true),
        ("axum ::serve()", true),
        ("config.axum.address", false),
        ("crate::axum::x()", false),
        ("axum_extra::x()", false),
        ("let axum = 1;", false),
    ] {
        assert_eq!(names_crate(code, "axum"), names, "{code}");
    }
    for (code, floats) in [
        ("1.5", true),
        ("2.", true),
        ("1e6", true),
        ("x = 1_000.0;", true),
        ("self.0.1", false),
        ("0..8", false),
        ("1.max(2)", false),
        ("0xe5", false),
        ("3u64", false),
    ] {
        assert_eq!(float(code).is_some(), floats, "{code}");
    }
}
