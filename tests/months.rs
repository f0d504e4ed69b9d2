//! The worked months through the real command line: whichever way the same readings come, in pieces, twice, in disorder or
//! after a crash, `usage` tells the figures of `expect.json`, to the last bit per second.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::support::meter95;

/// No condition here takes longer on a machine that does other work too.
const PATIENCE: Duration = Duration::from_secs(60);

/// How far a shuffled line moves at most, in ms of readings' own time.
const SHUFFLED_MS_MAX: i64 = 60_000;

/// Lines that `meter95 import` takes at once.
const LOT_LINES: usize = 200_000;

/// A worked month.
struct Month {
    name: String,
    folder: PathBuf,
    /// Its readings, a line each, in the order in which they were made.
    lines: Vec<String>,
}

fn months() -> Vec<Month> {
    let entries = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/months")).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders.into_iter().map(Month::read).collect()
}

/// Does the same for every month, side by side: most of the time an import waits for the disk.
fn each_month(test: impl Fn(&Month) + Sync) {
    let months = months();
    std::thread::scope(|scope| {
        for month in &months {
            let test = &test;
            scope.spawn(move || test(month));
        }
    });
}

impl Month {
    fn read(folder: PathBuf) -> Month {
        let mut text = String::new();
        let file = File::open(folder.join("readings.ndjson.gz")).unwrap();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        Month {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            folder,
            lines: text.lines().map(str::to_owned).collect(),
        }
    }

    /// Its readings as they lie in the repository.
    fn packed(&self) -> PathBuf {
        self.folder.join("readings.ndjson.gz")
    }

    /// The readings of each device by itself.
    fn lines_by_device(&self) -> Vec<Vec<String>> {
        let mut devices: Vec<(String, Vec<String>)> = Vec::new();
        for line in &self.lines {
            let device = field(line, "device").as_str().unwrap().to_owned();
            match devices.iter_mut().find(|(name, _)| *name == device) {
                Some((_, lines)) => lines.push(line.clone()),
                None => devices.push((device, vec![line.clone()])),
            }
        }
        devices.into_iter().map(|(_, lines)| lines).collect()
    }
}

fn field(line: &str, name: &str) -> Value {
    serde_json::from_str::<Value>(line).unwrap()[name].clone()
}

/// The lines in an order in which each is at most a minute of its time from its place.
fn shuffled(lines: &[String], seed: u64) -> Vec<String> {
    let mut rng = StdRng::seed_from_u64(seed);
    // Of equal keys the order is any: what moved to the same instant is mixed as well.
    let mut keyed: Vec<(i64, &String)> = lines
        .iter()
        .map(|line| {
            let moved = rng.random_range(0..SHUFFLED_MS_MAX);
            (field(line, "time").as_i64().unwrap() + moved, line)
        })
        .collect();
    keyed.shuffle(&mut rng);
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, line)| line.clone()).collect()
}

/// Every line `times` times.
fn repeated(lines: &[String], times: usize) -> Vec<String> {
    lines.iter().flat_map(|line| vec![line.clone(); times]).collect()
}

/// A fresh data directory with a month's inventory, and a place for files.
struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    fn new(month: &Month) -> Site {
        let site = Site { dir: tempfile::tempdir().unwrap() };
        let inventory = month.folder.join("inventory.json");
        site.runs(site.command("inventory").arg("apply").arg(inventory));
        site
    }

    fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn command(&self, name: &str) -> Command {
        let mut command = meter95(&self.data_dir());
        command.arg(name);
        command
    }

    /// The file `name` with these lines.
    fn file(&self, name: &str, lines: &[String]) -> PathBuf {
        self.raw_file(name, text(lines).as_bytes())
    }

    fn raw_file(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    /// A named pipe: what reads it waits for what is written to it.
    fn pipe(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        path
    }

    /// How many parts the tables whose names start with `table` lie in on the disk, finished or not.
    fn parts(&self, table: &str) -> usize {
        let names = |path: PathBuf| {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| entry.path())
        };
        let of_table =
            |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(table));
        let tables = names(self.data_dir().join("engine/data/data/meter95")).filter(of_table);
        let is_part = |path: &PathBuf| path.to_string_lossy().ends_with(|c: char| c.is_ascii_digit());
        tables.flat_map(names).filter(is_part).count()
    }

    /// The process of the engine that was started last.
    fn engine(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.data_dir().join("engine/running")).ok()?;
        Pid::from_raw(text.lines().next()?.parse().ok()?)
    }

    /// Runs a command that must succeed; what it printed.
    fn runs(&self, command: &mut Command) -> String {
        let output = command.output().unwrap();
        let said = said(&output);
        assert!(
            output.status.success(),
            "{command:?}: {said}; is the engine installed (`meter95 engine install`)?"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn import(&self, files: &[PathBuf]) -> String {
        self.runs(self.command("import").args(files))
    }

    /// Imports what must be refused at least in part; all that was said.
    fn import_fails(&self, files: &[PathBuf]) -> String {
        let output = self.command("import").args(files).output().unwrap();
        let said = said(&output);
        assert!(!output.status.success(), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        said
    }

    /// Starts an import that someone else ends.
    fn start_import(&self, files: &[PathBuf]) -> Importer {
        let mut command = self.command("import");
        command.args(files).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Importer { child, stdout }
    }

    /// Asserts that `usage` tells what the month's `expect.json` does.
    fn expect(&self, month: &Month, variant: &str) {
        let text = std::fs::read_to_string(month.folder.join("expect.json")).unwrap();
        let expect: Value = serde_json::from_str(&text).unwrap();
        let period = expect["period"].as_str().unwrap();
        let mut command = self.command("usage");
        let printed = self.runs(command.args(["--period", period, "--format", "json"]));
        let usage: Vec<Value> = serde_json::from_str(&printed).unwrap();
        let statements = expect["statements"].as_array().unwrap();
        assert_eq!(usage.len(), statements.len(), "{}, {variant}", month.name);
        for statement in statements {
            let server = &statement["server"];
            let line = usage.iter().find(|line| line["server"] == *server).unwrap();
            for (key, value) in statement.as_object().unwrap() {
                assert_eq!(line.get(key), Some(value), "{}, {variant}: {key} of {server}", month.name);
            }
        }
    }
}

/// An import that runs.
struct Importer {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Importer {
    /// Waits until it says that a file was taken.
    fn has_taken_a_file(&mut self) {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert!(line.contains(" readings taken"), "{line:?}");
    }

    /// Whether it is over.
    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// `kill -9` of it and of the engine that it has started, with nothing put in order.
    fn kill(mut self, site: &Site) {
        // Killed only while it is a child of this very importer: the number may be another process's by now.
        if !self.has_ended()
            && let Some(engine) = site.engine()
            && parent(engine) == Some(Pid::from_child(&self.child))
        {
            let _ = rustix::process::kill_process(engine, Signal::KILL);
        }
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

/// The process whose child `process` is.
fn parent(process: Pid) -> Option<Pid> {
    let path = format!("/proc/{}/status", process.as_raw_nonzero());
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    Pid::from_raw(line.trim().parse().ok()?)
}

fn text(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|octets| String::from_utf8_lossy(octets).into_owned()).concat()
}

/// Asserts that every month comes out when its lines are changed like this and imported as one file.
fn check(variant: &str, change: impl Fn(&[String]) -> Vec<String> + Sync) {
    each_month(|month| {
        let site = Site::new(month);
        site.import(&[site.file("readings.ndjson", &change(&month.lines))]);
        site.expect(month, variant);
    });
}

#[test]
fn a_packed_file() {
    each_month(|month| {
        let site = Site::new(month);
        let printed = site.import(&[month.packed()]);
        let lines = month.lines.len();
        let want = format!("{lines} lines, {lines} readings taken, 0 stale, 0 refused");
        assert!(printed.contains(&want), "{printed}");
        site.expect(month, "gzip");
    });
}

#[test]
fn a_plain_file() {
    check("plain", <[String]>::to_vec);
}

#[test]
fn a_zstd_file() {
    each_month(|month| {
        let site = Site::new(month);
        let packed = zstd::encode_all(text(&month.lines).as_bytes(), 1).unwrap();
        site.import(&[site.raw_file("readings.ndjson.zst", &packed)]);
        site.expect(month, "zstd");
    });
}

#[test]
fn shuffled_lines() {
    for seed in 1..=3 {
        check(&format!("shuffled by {seed}"), |lines| shuffled(lines, seed));
    }
}

#[test]
fn doubled_lines() {
    check("doubled", |lines| repeated(lines, 2));
}

#[test]
fn shuffled_and_doubled_lines() {
    for seed in 11..=12 {
        check(&format!("doubled, shuffled by {seed}"), |lines| shuffled(&repeated(lines, 2), seed));
    }
}

#[test]
fn more_lines_than_are_taken_at_once() {
    check("shuffled, many lots", |lines| {
        let times = LOT_LINES / lines.len() + 2;
        let many = shuffled(&repeated(lines, times), 21);
        assert!(many.len() > LOT_LINES);
        many
    });
}

#[test]
fn one_device_after_the_other() {
    check("one file, device by device", |lines| {
        let month = Month { name: String::new(), folder: PathBuf::new(), lines: lines.to_vec() };
        month.lines_by_device().concat()
    });
}

#[test]
fn a_file_a_device() {
    each_month(|month| {
        let devices = month.lines_by_device();
        let files = |site: &Site| -> Vec<PathBuf> {
            let named = devices.iter().zip(0..);
            named.map(|(lines, i)| site.file(&format!("device{i}.ndjson"), lines)).collect()
        };
        let together = Site::new(month);
        together.import(&files(&together));
        together.expect(month, "a file a device, one command");

        let apart = Site::new(month);
        for file in files(&apart) {
            apart.import(&[file]);
        }
        apart.expect(month, "a file a device, a command each");
    });
}

#[test]
fn two_halves_in_two_commands() {
    each_month(|month| {
        let (first, second) = month.lines.split_at(month.lines.len() / 2);
        let site = Site::new(month);
        site.import(&[site.file("first.ndjson", first)]);
        site.import(&[site.file("second.ndjson", second)]);
        site.expect(month, "two halves");
    });
}

#[test]
fn the_same_file_again() {
    each_month(|month| {
        let site = Site::new(month);
        site.import(&[month.packed()]);
        let printed = site.import(&[month.packed()]);
        let lines = month.lines.len();
        let want = format!("{lines} lines, 0 readings taken, {lines} stale, 0 refused");
        assert!(printed.contains(&want), "{printed}");
        site.expect(month, "twice");
    });
}

#[test]
fn an_import_that_is_killed_between_two_files() {
    each_month(|month| {
        for share in [1, 50, 99] {
            let (first, second) = month.lines.split_at(month.lines.len() * share / 100);
            let site = Site::new(month);
            let pipe = site.pipe("rest.ndjson");
            let mut importer = site.start_import(&[site.file("first.ndjson", first), pipe.clone()]);
            importer.has_taken_a_file();
            // The importer is amid its second file for as long as this end is open.
            let mut feed = File::create(&pipe).unwrap();
            let part = &second[..second.len() / 2];
            feed.write_all(text(part).as_bytes()).unwrap();
            importer.kill(&site);
            drop(feed);
            site.import(&[month.packed()]);
            site.expect(month, &format!("killed after {share} %"));
        }
    });
}

#[test]
fn an_import_that_is_killed_amid_a_file() {
    each_month(|month| {
        // So often that the importer takes some of them before it has seen all.
        let many = repeated(&month.lines, LOT_LINES / month.lines.len() + 1);
        let site = Site::new(month);
        let pipe = site.pipe("readings.ndjson");
        let importer = site.start_import(std::slice::from_ref(&pipe));
        let mut feed = File::create(&pipe).unwrap();
        feed.write_all(text(&many).as_bytes()).unwrap();
        eventually("readings are stored", || (site.parts("readings") > 0).then_some(()));
        importer.kill(&site);
        drop(feed);
        site.import(&[month.packed()]);
        site.expect(month, "killed amid a file");
    });
}

/// An import is killed, its engine with it, as soon as it has laid down `parts` parts of tables; or at once, for 0.
fn killed_at(month: &Month, parts: usize) {
    let site = Site::new(month);
    let before = site.parts("");
    let mut importer = site.start_import(&[month.packed()]);
    eventually("parts are laid down, or all is done", || {
        let done = parts == 0 || site.parts("") >= before + parts || importer.has_ended();
        done.then_some(())
    });
    importer.kill(&site);
    site.import(&[month.packed()]);
    site.expect(month, &format!("killed at part {parts}"));
}

#[test]
fn an_import_that_is_killed_early() {
    each_month(|month| {
        for parts in 0..4 {
            killed_at(month, parts);
        }
    });
}

#[test]
fn an_import_that_is_killed_late() {
    each_month(|month| {
        for parts in 4..10 {
            killed_at(month, parts);
        }
    });
}

#[test]
fn an_import_that_is_killed_again_and_again() {
    each_month(|month| {
        let site = Site::new(month);
        for parts in 1..5 {
            let before = site.parts("");
            let mut importer = site.start_import(&[month.packed()]);
            eventually("parts are laid down, or all is done", || {
                (site.parts("") >= before + parts || importer.has_ended()).then_some(())
            });
            importer.kill(&site);
        }
        site.import(&[month.packed()]);
        site.expect(month, "killed again and again");
    });
}

#[test]
fn bad_lines_among_good_ones() {
    const BAD: [(&str, &str); 5] = [
        ("{", "EOF while parsing"),
        ("no reading", "expected"),
        (r#"{"device":"sw1","interface":"a","rx":1,"tx":2}"#, "missing field `time`"),
        (r#"{"device":"sw1","interface":"a","time":1,"rx":-1,"tx":2}"#, "integer `-1`"),
        (
            r#"{"device":"sw1","interface":"a","time":99999999999999,"rx":1,"tx":2}"#,
            "ahead of this machine's clock",
        ),
    ];
    each_month(|month| {
        let site = Site::new(month);
        let mut lines = month.lines.clone();
        for (i, (bad, _)) in BAD.iter().enumerate() {
            lines.insert(1_000 * i + 1, (*bad).to_owned());
        }
        let said = site.import_fails(&[site.file("readings.ndjson", &lines)]);
        let (all, good) = (lines.len(), month.lines.len());
        for want in [
            format!("{all} lines, {good} readings taken, 0 stale, 5 refused"),
            "error: 5 lines were refused; all others are stored".to_owned(),
        ] {
            assert!(said.contains(&want), "{want:?} in {said}");
        }
        for (i, (bad, why)) in BAD.iter().enumerate() {
            let start = format!("line {}: ", 1_000 * i + 2);
            let found = said.lines().find_map(|line| line.trim().strip_prefix(&start));
            assert!(found.is_some_and(|says| says.contains(why)), "{bad}: {said}");
        }
        site.expect(month, "bad lines among good ones");
    });
}

#[test]
fn a_file_that_breaks_off() {
    each_month(|month| {
        let site = Site::new(month);
        let mut octets = std::fs::read(month.packed()).unwrap();
        octets.truncate(octets.len() / 2);
        let said = site.import_fails(&[site.raw_file("broken.ndjson.gz", &octets)]);
        assert!(said.contains("broken.ndjson.gz was read only in part"), "{said}");
        site.import(&[month.packed()]);
        site.expect(month, "broken off, then whole");
    });
}

#[test]
fn a_file_that_is_not_there() {
    let month = &months()[0];
    let site = Site::new(month);
    let missing = site.dir.path().join("missing.ndjson");
    let said = site.import_fails(&[month.packed(), missing.clone()]);
    let want = format!("can't read {}: No such file", missing.display());
    assert!(said.contains(&want), "{said}");
    assert!(!said.contains("readings taken"), "{said}");
    site.import(&[month.packed()]);
    site.expect(month, "after a missing file");
}

#[test]
fn files_without_readings() {
    let month = &months()[0];
    let site = Site::new(month);
    let printed = site.import(&[
        site.file("empty.ndjson", &[]),
        site.file("blank.ndjson", &[String::new(), " ".to_owned()]),
    ]);
    assert!(printed.contains("empty.ndjson: 0 lines, 0 readings taken"), "{printed}");
    assert!(printed.contains("blank.ndjson: 2 lines, 0 readings taken"), "{printed}");
    site.import(&[month.packed()]);
    site.expect(month, "after empty files");
}

#[test]
fn a_second_importer() {
    let month = &months()[0];
    let site = Site::new(month);
    let (first, second) = month.lines.split_at(month.lines.len() / 2);
    let pipe = site.pipe("rest.ndjson");
    let mut importer = site.start_import(&[site.file("first.ndjson", first), pipe.clone()]);
    importer.has_taken_a_file();
    let mut feed = File::create(&pipe).unwrap();
    let said = site.import_fails(&[month.packed()]);
    let process = importer.child.id();
    let want = format!(
        "another meter95 (process {process}) is writing to {}; stop it first",
        site.data_dir().display()
    );
    assert!(said.contains(&want), "{said}");
    feed.write_all(text(second).as_bytes()).unwrap();
    drop(feed);
    assert!(importer.child.wait().unwrap().success());
    site.expect(month, "beside a second importer");
}

/// Asks until the answer is there.
fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
