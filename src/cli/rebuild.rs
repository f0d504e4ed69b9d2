//! `meter95 rebuild`: a month's slots and samples made again from the readings that are stored.

use std::io::IsTerminal;

use anyhow::bail;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::show::{self, mbps};
use super::site::{self, SiteArgs, audited};
use crate::audit::{Act, action};
use crate::clock;
use crate::inventory::instant::rfc3339;
use crate::metering::period::Month;
use crate::metering::sample::Sample;
use crate::metering::slot::PortSlot;
use crate::rebuild::month::{Chunk, Comparison, Count, DIFFERENCES_MAX, Difference, Rebuild, RebuildError};
use crate::store::connection::Store;

/// Options of `meter95 rebuild`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meter95 rebuild --period 2026-10 --dry-run\n  meter95 rebuild --period 2026-10 --server web01\n\n\
                        What differs gets a new revision; the samples before it stay readable. Without --dry-run no service may run."
)]
pub struct RebuildArgs {
    /// The month, as in 2026-10 [default: the running one]
    #[arg(long, value_name = "MONTH")]
    period: Option<Month>,
    /// One server and its ports only
    #[arg(long, value_name = "ID")]
    server: Option<String>,
    /// Only compare; may run beside a service
    #[arg(long)]
    dry_run: bool,
}

/// Makes the month again, compares, and puts right what differs.
///
/// # Errors
/// When the store can't be used, the month has readings of which not everything has followed yet, or something differs
/// and stays so.
pub async fn run(site: &SiteArgs, args: RebuildArgs) -> anyhow::Result<()> {
    let site = site.site()?;
    let _writer = match args.dry_run {
        true => None,
        false => Some(site.writer("stop it first, or only compare: --dry-run")?),
    };
    let store = site.store().await?;
    let (_, _, inventory) = site::inventory(&store).await?;
    let now = clock::now();
    let Some(period) = args.period.or_else(|| Month::of(now, &inventory.timezone)) else {
        bail!("this machine's clock is outside the years of a calendar");
    };
    let only = args.server.as_deref();
    if let Some(id) = only.filter(|id| !inventory.servers.contains_key(*id)) {
        bail!("there is no server {id:?} in the inventory");
    }
    let rebuild = Rebuild::open(&store, &inventory, period, site.config.times(), now).await?;
    let span = rebuild.span();
    if span.is_empty() {
        bail!("no slot of {period} has closed for good yet");
    }
    let [from, until] = [span.from.start(), span.until.start()].map(rfc3339);
    let chunks = rebuild.chunks(only);
    let found = if args.dry_run {
        compare(&rebuild, &store, &chunks, false).await?
    } else {
        let act =
            Act::new(action::REBUILD, only.map_or_else(|| period.to_string(), |id| format!("{period} {id}")));
        let comparing = async { Ok(compare(&rebuild, &store, &chunks, true).await?) };
        let told = |found: &Comparison| json!({ "port_slots": found.port_slots.differ(), "samples": found.samples.differ() });
        audited(&store, act.by(&site::user()), comparing, told).await?
    };
    show::line(format_args!("{period} ({}), from {from} to {until}", inventory.timezone_name));
    print(&found);
    if found.differ() > 0 && args.dry_run {
        // Beside a service readings may have come in between the two that were compared.
        rebuild.check_followed(&store).await?;
        store.close().await?;
        bail!(
            "{} slots and {} samples differ; nothing was written (--dry-run)",
            found.port_slots.differ(),
            found.samples.differ()
        );
    }
    if found.differ() > 0 {
        let after = compare(&rebuild, &store, &chunks, false).await?;
        if after.differ() > 0 {
            print(&after);
            bail!("what was written was not read back; the store is not to be trusted");
        }
        show::line(format_args!(
            "{} slots and {} samples were written. Compared again: all {} slots and {} samples are as the readings give \
             them{}.",
            found.port_slots.differ(),
            found.samples.differ(),
            after.port_slots.equal,
            after.samples.equal,
            if after.left.is_empty() { "" } else { ", but for those left" }
        ));
    }
    store.close().await?;
    Ok(())
}

async fn compare(
    rebuild: &Rebuild<'_>,
    store: &Store,
    chunks: &[Chunk<'_>],
    write: bool,
) -> Result<Comparison, RebuildError> {
    let bar = bar(u64::try_from(chunks.len()).unwrap_or(u64::MAX));
    let mut found = Comparison::default();
    for chunk in chunks {
        rebuild.compare(store, chunk, write, &mut found).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(found)
}

fn bar(chunks: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(chunks);
    match ProgressStyle::with_template("reading {wide_bar} {percent} % {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn print(found: &Comparison) {
    for (what, count) in [("slots of ports", found.port_slots), ("samples of servers", found.samples)] {
        let Count { compared, equal, left } = count;
        let left = if left > 0 { format!(", {left} left as they are") } else { String::new() };
        show::line(format_args!("{compared} {what}: {equal} equal, {} differ{left}", count.differ()));
    }
    for difference in &found.first {
        show::line(format_args!("  {}", line(difference)));
    }
    let more = found.differ().saturating_sub(u64::try_from(found.first.len()).unwrap_or(u64::MAX));
    if more > 0 {
        show::line(format_args!("  and {more} more"));
    }
    if !found.left.is_empty() {
        show::line("Left as they are, for the readings that they were made of are no longer stored:");
        for (name, slots) in found.left.iter().take(DIFFERENCES_MAX) {
            show::line(format_args!("  {name}: {slots} slots"));
        }
        let more = found.left.len().saturating_sub(DIFFERENCES_MAX);
        if more > 0 {
            show::line(format_args!("  and {more} more"));
        }
    }
}

fn line(difference: &Difference) -> String {
    match difference {
        Difference::Port { port, slot, stored, made } => {
            let [stored, made] = [stored, made].map(carried);
            format!("port {port}, {}: stored {stored}, readings give {made}", rfc3339(slot.start()))
        }
        Difference::Server { server, slot, stored, made } => {
            let [stored, made] = [stored, made].map(sample);
            format!("server {server}, {}: stored {stored}, readings give {made}", rfc3339(slot.start()))
        }
    }
}

fn carried(carried: &Option<PortSlot>) -> String {
    carried.map_or_else(
        || "nothing".to_owned(),
        |c| format!("rx {} tx {} octets in {} ms", c.rx_octets, c.tx_octets, c.covered_ms),
    )
}

fn sample(sample: &Option<Sample>) -> String {
    sample.map_or_else(
        || "none".to_owned(),
        |s| {
            let partial = if s.partial { ", partial" } else { "" };
            format!("in {} out {} Mbps{partial}", mbps(s.rates.in_bps), mbps(s.rates.out_bps))
        },
    )
}
