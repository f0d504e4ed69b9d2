//! The pack itself: one zip file, octet for octet the same for the same report.

use std::io::{Cursor, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::hours::Hour;
use super::page::page;
use super::readme::readme;
use super::report::Report;
use super::tables::{breaks, ports, traffic};
use crate::closing::bundle::safe;
use crate::closing::explain::text::Lang;
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::habit::Compared;
use crate::store::engine::hash::hex;

/// How the files are packed. Fixed: another level would be other octets.
const LEVEL: i64 = 6;

/// Why a pack can't be made.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file of it can't be written as JSON.
    #[error("can't write the evidence as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It can't be packed.
    #[error("can't pack the evidence: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// It can't be packed, for want of memory.
    #[error("can't pack the evidence: {0}")]
    Write(#[from] std::io::Error),
}

/// What `change.json` says.
#[derive(Serialize)]
struct Changed<'a> {
    server: &'a str,
    from: Instant,
    until: Instant,
    /// When the behaviour changed for good, by direction.
    habit: &'a [Compared],
    /// The hours that stand out most.
    hours: &'a [Hour],
}

/// The files of a pack, each with its name, in their order.
///
/// # Errors
/// When something can't be written as JSON.
pub fn files(report: &Report, lang: Lang) -> Result<Vec<(&'static str, String)>, PackError> {
    let Report { server, from, until, habit, hours, .. } = report;
    let changed = Changed { server, from: *from, until: *until, habit, hours };
    let mut files = vec![
        ("README.txt", readme(report, lang)),
        ("index.html", page(report, lang)),
        ("traffic.csv", traffic(report)),
        ("ports.csv", ports(report)),
        ("breaks.csv", breaks(report)),
        ("change.json", json(&changed)?),
        ("inventory.json", json(&report.inventory)?),
        ("cases.json", json(&report.cases)?),
        ("alerts.json", json(&report.alerts)?),
        ("evidence.json", json(report)?),
    ];
    let sum = |(name, text): &(&str, String)| format!("{}  {name}\n", hex(&Sha256::digest(text)));
    let sums = files.iter().map(sum).collect();
    files.push(("SHA256SUMS", sums));
    Ok(files)
}

/// The pack of a report, with its words in a language.
///
/// # Errors
/// When it can't be written.
pub fn pack(report: &Report, lang: Lang) -> Result<Vec<u8>, PackError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // The same instant for every file and every pack: the earliest that a zip file knows.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, text) in files(report, lang)? {
        zip.start_file(name, options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

fn json(value: &impl Serialize) -> Result<String, PackError> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}

/// The name of a pack's file, safe on any file system: server and window.
#[must_use]
pub fn file_name(report: &Report) -> String {
    let Report { server, from, until, .. } = report;
    let compact = |at: &Instant| rfc3339(at.0).replace(['-', ':'], "");
    format!("evidence_{}_{}_{}.zip", safe(server), compact(from), compact(until))
}
