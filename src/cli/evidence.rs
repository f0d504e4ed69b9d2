//! `meter95 evidence`: what was measured of a server in some days, in one file for an investigation.

use std::path::PathBuf;

use clap::Args;

use super::files;
use super::show::{self, counted};
use super::site::SiteArgs;
use crate::clock;
use crate::closing::explain::text::Lang;
use crate::evidence::facts::Facts;
use crate::evidence::pack::{file_name, pack};
use crate::evidence::report::{Records, report};
use crate::evidence::window::Window;
use crate::inventory::instant::{Instant, rfc3339};
use crate::throttle::desk::Cases;

/// Options of `meter95 evidence`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  meter95 evidence --server web01\n  \
                  meter95 evidence --server web01 --from 2026-11-18T00:00:00+09:00 --until 2026-11-21T00:00:00+09:00 \
                  --lang ja --out web01.zip")]
pub struct EvidenceArgs {
    /// The server; also one that is no longer in the inventory
    #[arg(long, value_name = "ID")]
    server: String,
    /// From when [default: three days before the end]
    #[arg(long, value_name = "INSTANT")]
    from: Option<Instant>,
    /// Until before when, at most 93 days later [default: now]
    #[arg(long, value_name = "INSTANT")]
    until: Option<Instant>,
    /// In which language the page and the readme are
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// The file [default: one named after server and window, here]
    #[arg(long, value_name = "FILE.zip")]
    out: Option<PathBuf>,
}

/// Writes the pack.
///
/// # Errors
/// When there never was such a server, the span is none, the store can't be read, or the file can't be written.
pub async fn run(site: &SiteArgs, args: EvidenceArgs) -> anyhow::Result<()> {
    let EvidenceArgs { server, from, until, lang, out } = args;
    let now = clock::now();
    let window = Window::asked(from.map(|at| at.0), until.map(|at| at.0), now)?;
    let site = site.site()?;
    let store = site.store().await?;
    let facts = Facts::read(&store, &server, window, now, site.config.times().grace_ms).await?;
    let cases = Cases::new(store.clone(), &site.data_dir);
    let records = Records::read(&store, &cases, &server, window).await?;
    drop(cases);
    store.close().await?;
    let report = report(&facts, records);
    let path = out.unwrap_or_else(|| PathBuf::from(file_name(&report)));
    files::write(&path, &pack(&report, lang)?)?;
    let (slots, breaks) =
        (counted(report.summary.slots, "slot"), counted(report.breaks.len() as u64, "break"));
    show::line(format_args!("{}: {slots}, {breaks}", path.display()));
    for (direction, change) in report.changes() {
        let (direction, from) = (direction.name(), rfc3339(change.from.start()));
        show::line(format_args!("behaviour changed from {from} on: {direction}"));
    }
    Ok(())
}
