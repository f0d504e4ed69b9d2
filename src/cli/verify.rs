//! `meter95 verify`: whether bundles say the truth, by nothing but themselves.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::show;
use crate::closing::bundle::{BUNDLE_OCTETS_MAX, Verified, verify};

/// Options of `meter95 verify`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  meter95 verify 2026-10_web01_r1.meter95")]
pub struct VerifyArgs {
    /// Bundles, as `meter95 statements --bundle` writes them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Verifies each file and says what was found.
///
/// # Errors
/// When one of them is not a bundle, was changed, or has a figure that does not follow from its samples.
pub fn run(args: VerifyArgs) -> anyhow::Result<()> {
    let mut bad = 0_usize;
    for path in &args.files {
        match checked(path) {
            Ok(says) => show::line(format_args!("  ok   {}: {says}", path.display())),
            Err(e) => {
                bad += 1;
                show::line(format_args!(" FAIL  {}: {}", path.display(), show::error(&e)));
            }
        }
    }
    match bad {
        0 => Ok(()),
        bad => bail!("{bad} of {} bundles can't be relied on", args.files.len()),
    }
}

fn checked(path: &Path) -> anyhow::Result<String> {
    let mut octets = Vec::new();
    // One octet more than there may be: a longer one is told from one that just fits.
    let limit = u64::try_from(BUNDLE_OCTETS_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let file = File::open(path).context("can't open it")?;
    file.take(limit).read_to_end(&mut octets).context("can't read it")?;
    let Verified { statement, samples, .. } = verify(&octets)?;
    let count: usize = samples.iter().map(Vec::len).sum();
    let p95 = statement.p95_bps.map_or_else(|| "no data".to_owned(), |p95| format!("p95 {p95} bit/s"));
    let amount = statement.amount.zip(statement.currency);
    let amount = amount.map_or_else(String::new, |(amount, currency)| format!(", {amount} {currency}"));
    let (server, period, revision) = (statement.server, statement.period, statement.revision);
    Ok(format!(
        "{server:?}, {period}, revision {revision}: unchanged; {count} samples make every figure again: {p95}{amount}"
    ))
}
