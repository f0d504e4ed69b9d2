//! `meter95 import`: readings from files through the real pipeline.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use meter95_reading::{PortKey, Reading, Timestamp};
use serde_json::json;
use tokio::sync::mpsc;

use super::show;
use super::site::{SiteArgs, audited, user};
use crate::aggregator::pipeline::{Pipeline, Receipt};
use crate::aggregator::recovery::Clock;
use crate::audit::{Act, action};
use crate::clock;
use crate::ndjson::{self, Refused};

/// Readings that go through the pipeline at once.
const LOT_READINGS: usize = 200_000;

/// Lots that are read ahead.
const LOTS_AHEAD: usize = 2;

/// How far out of order the lines of one port may be, in ms of their own time: readings newer than this before the
/// newest wait for what may still belong between them.
const OUT_OF_ORDER_MS_MAX: i64 = 120_000;

/// Refused lines that are shown; the others are counted.
const SHOWN_MAX: usize = 10;

/// Options of `meter95 import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  meter95 import october.ndjson.gz november.ndjson.zst\n\nA line is a reading:\n  \
    {\"device\":\"sw1\",\"interface\":\"ge-0/0/1\",\"time\":1790780132298,\"rx\":496195623,\"tx\":423048774,\"uptime\":10000000}"
)]
pub struct ImportArgs {
    /// Readings as NDJSON: plain, .gz or .zst
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// What became of a file.
#[derive(Default)]
struct Outcome {
    receipt: Receipt,
    refused: Refused,
    lines: u64,
}

/// Imports the files, one after the other.
///
/// # Errors
/// When a file can't be read to its end, or the store can't be used. What was taken until then stays.
pub async fn run(site: &SiteArgs, args: ImportArgs) -> anyhow::Result<()> {
    let site = site.site()?;
    for path in &args.files {
        std::fs::metadata(path).with_context(|| format!("can't read {}", path.display()))?;
    }
    let _writer = site.writer("stop it first, or post the lines to its address: POST /v1/readings")?;
    let store = site.store().await?;
    let mut pipeline = Pipeline::open(store.clone(), site.config.times(), Clock::Readings).await?;
    let mut failed = None;
    let mut all = Outcome::default();
    for path in &args.files {
        let act = Act::new(action::IMPORT, path.display()).by(&user());
        let told = |(outcome, error): &(Outcome, Option<anyhow::Error>)| {
            let Outcome { receipt, refused, lines } = outcome;
            let broken_off = error.as_ref().map(ToString::to_string);
            json!({
                "lines": lines, "taken": receipt.taken, "stale": receipt.stale,
                "refused": refused.count + receipt.refused, "broken_off": broken_off,
            })
        };
        let (outcome, error) = audited(&store, act, import(&mut pipeline, path), told).await?;
        print(path, &outcome);
        all.receipt.taken += outcome.receipt.taken;
        all.refused.count += outcome.refused.count + outcome.receipt.refused;
        if let Some(error) = error {
            failed = Some(error.context(format!("{} was read only in part", path.display())));
            break;
        }
    }
    pipeline.tick(clock::now()).await?;
    pipeline.close().await?;
    store.close().await?;
    match failed {
        Some(error) => Err(error),
        None if all.refused.count > 0 => {
            bail!("{} lines were refused; all others are stored", all.refused.count)
        }
        None => Ok(()),
    }
}

/// Imports a file; with the error that ended it early, if one did.
async fn import(pipeline: &mut Pipeline, path: &Path) -> anyhow::Result<(Outcome, Option<anyhow::Error>)> {
    let file = File::open(path).with_context(|| format!("can't read {}", path.display()))?;
    let bar = bar(path, file.metadata().map_or(0, |meta| meta.len()));
    let (lots, mut queue) = mpsc::channel(LOTS_AHEAD);
    let reader = {
        let (file, bar) = (bar.wrap_read(file), bar.clone());
        tokio::task::spawn_blocking(move || {
            let read = read_lots(file, clock::now(), &lots);
            bar.finish_and_clear();
            read
        })
    };
    let mut outcome = Outcome::default();
    while let Some(readings) = queue.recv().await {
        let newest = newest(&readings);
        for receipt in pipeline.take(vec![readings]).await {
            outcome.receipt.taken += receipt.taken;
            outcome.receipt.stale += receipt.stale;
            outcome.receipt.refused += receipt.refused;
        }
        if let Some(newest) = newest {
            pipeline.tick(newest).await?;
        }
    }
    let (refused, lines, error) = reader.await.context("reading the file ended unexpectedly")?;
    outcome.refused = refused;
    outcome.lines = lines;
    Ok((outcome, error))
}

fn newest(readings: &[Reading]) -> Option<Timestamp> {
    readings.iter().map(|reading| reading.counters.time).max()
}

fn bar(path: &Path, octets: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    let bar = ProgressBar::new(octets).with_message(path.display().to_string());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Reads lines into lots until the file or whoever takes them ends. Returns what was refused, how many lines there
/// were, and why reading ended early, if it did.
fn read_lots(
    file: impl Read,
    now: Timestamp,
    lots: &mpsc::Sender<Vec<Reading>>,
) -> (Refused, u64, Option<anyhow::Error>) {
    let mut refused = Refused::default();
    let mut lines = 0;
    let mut lot = Vec::with_capacity(LOT_READINGS);
    let mut order = InOrder::default();
    let read = || -> anyhow::Result<()> {
        let mut input = decompressed(file)?;
        let mut line = Vec::new();
        while read_line(&mut input, &mut line)? {
            lines += 1;
            match ndjson::reading(&line, now) {
                Ok(Some(reading)) => lot.push(reading),
                Ok(None) => {}
                Err(why) => refused.add(lines, why.to_string()),
            }
            if lot.len() >= LOT_READINGS {
                let ready = order.hold_back(std::mem::take(&mut lot));
                if lots.blocking_send(ready).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    };
    let error = read().err();
    // What was good of a file that breaks off is kept.
    let rest = order.release(lot);
    if !rest.is_empty() {
        // Nobody takes it any more only when the import itself has ended.
        let _ = lots.blocking_send(rest);
    }
    (refused, lines, error)
}

/// Reads a line, up to a little over the longest that is one; the rest of a longer one is skipped. `false` at the end.
pub(super) fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    const ENOUGH: u64 = ndjson::LINE_OCTETS_MAX as u64 + 2;
    line.clear();
    let n = input.by_ref().take(ENOUGH).read_until(b'\n', line)?;
    if n > 0 && line.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
    }
    Ok(n > 0)
}

/// The file's text, whichever way it is packed: its first octets tell.
pub(super) fn decompressed<'a>(file: impl Read + 'a) -> std::io::Result<Box<dyn BufRead + 'a>> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
    let mut file = BufReader::new(file);
    let start = file.fill_buf()?;
    Ok(if start.starts_with(GZIP) {
        Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(file)))
    } else if start.starts_with(ZSTD) {
        Box::new(BufReader::new(zstd::Decoder::with_buffer(file)?))
    } else {
        Box::new(file)
    })
}

/// Holds back the newest readings of each port until none can come that belongs before them.
#[derive(Default)]
struct InOrder {
    held: Vec<Reading>,
}

impl InOrder {
    /// Of what was held and what comes, what can go on.
    fn hold_back(&mut self, lot: Vec<Reading>) -> Vec<Reading> {
        let all = self.release(lot);
        let mut newest: HashMap<PortKey, Timestamp> = HashMap::new();
        for reading in &all {
            let time = newest.entry(reading.port.clone()).or_insert(reading.counters.time);
            *time = reading.counters.time.max(*time);
        }
        let may_wait = |reading: &Reading| {
            newest.get(&reading.port).is_some_and(|t| t.ms_since(reading.counters.time) < OUT_OF_ORDER_MS_MAX)
        };
        let (held, ready) = all.into_iter().partition(may_wait);
        self.held = held;
        ready
    }

    /// All that was held and what comes.
    fn release(&mut self, lot: Vec<Reading>) -> Vec<Reading> {
        let mut all = std::mem::take(&mut self.held);
        all.extend(lot);
        all
    }
}

fn print(path: &Path, outcome: &Outcome) {
    let Outcome { receipt, refused, lines } = outcome;
    let refused_count = refused.count + receipt.refused;
    show::line(format_args!(
        "{}: {lines} lines, {} readings taken, {} stale, {refused_count} refused",
        path.display(),
        receipt.taken,
        receipt.stale
    ));
    for error in refused.errors.iter().take(SHOWN_MAX) {
        show::line(format_args!("  line {}: {}", error.line, error.says));
    }
    let shown = u64::try_from(refused.errors.len().min(SHOWN_MAX)).unwrap_or(u64::MAX);
    if refused.count > shown {
        show::line(format_args!("  and {} more", refused.count - shown));
    }
    if receipt.refused > 0 {
        show::line(format_args!("  {} of ports over the number that there may be", receipt.refused));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn reading(time: i64) -> Reading {
        let line = format!(r#"{{"device":"d","interface":"i","time":{time},"rx":1,"tx":2}}"#);
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn the_newest_of_each_port_wait() {
        let mut order = InOrder::default();
        let times = |readings: Vec<Reading>| readings.iter().map(|r| r.counters.time.0).collect::<Vec<_>>();
        assert_eq!(times(order.hold_back(vec![reading(0), reading(200_000), reading(100_000)])), [0]);
        assert_eq!(
            times(order.hold_back(vec![reading(150_000), reading(400_000)])),
            [200_000, 100_000, 150_000]
        );
        assert_eq!(times(order.release(vec![])), [400_000]);
    }

    #[test]
    fn a_line_without_end_does_not_fill_memory() {
        let mut text = vec![b'x'; 100_000];
        text.extend_from_slice(b"\nnext");
        let mut input = Cursor::new(text);
        let mut line = Vec::new();
        assert!(read_line(&mut input, &mut line).unwrap());
        assert!(line.len() < 10_000);
        assert!(read_line(&mut input, &mut line).unwrap());
        assert_eq!(line, b"next");
        assert!(!read_line(&mut input, &mut line).unwrap());
    }
}
