//! `meter95 report`: a month's pages for customers, to be sent with the invoice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;

use anyhow::{Context, bail};
use clap::Args;
use futures::TryStreamExt;

use super::files;
use super::show::{self, counted};
use super::site::SiteArgs;
use crate::clock;
use crate::closing::explain::text::Lang;
use crate::metering::period::Month;
use crate::report::document::{Document, Format, Styles, file_name};
use crate::report::source::{Source, Subject};

/// Options of `meter95 report`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  meter95 report --period 2026-10 --output reports\n  \
                  meter95 report --period 2026-10 --customer c010 --lang ja --output c010.pdf\n  \
                  meter95 report --period 2026-10 --server web01 --server web02 --format html --output web.html")]
pub struct ReportArgs {
    /// The month, as in 2026-10; what of it is not issued yet is marked as preliminary
    #[arg(long, value_name = "MONTH")]
    period: Month,
    /// A server or pool; may be repeated [default: all]
    #[arg(long = "server", value_name = "ID")]
    servers: Vec<String>,
    /// One customer only
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
    /// One region only
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// In which language [default: that of the customer's first contact of whom it is known, or en]
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Pdf)]
    format: Format,
    /// The file, or where neither a server nor a customer is named a folder for a file a customer
    #[arg(long, value_name = "FILE|DIR")]
    output: PathBuf,
}

/// Writes the pages.
///
/// # Errors
/// When the store can't be read, a server is not billed in the month, nothing is such, or a file can't be written.
pub async fn run(site: &SiteArgs, args: ReportArgs) -> anyhow::Result<()> {
    let ReportArgs { period, servers, customer, region, lang, format, output } = args;
    let site = site.site()?;
    let store = site.store().await?;
    let source = Source::load(&store, period, &servers, (clock::now(), site.config.times())).await?;
    let chosen = source.subjects().iter().filter(|subject| {
        customer.as_ref().is_none_or(|customer| subject.customer() == customer)
            && region.as_ref().is_none_or(|region| subject.region() == region)
    });
    let mut of_customers: BTreeMap<&str, Vec<&Subject>> = BTreeMap::new();
    for subject in chosen {
        of_customers.entry(subject.customer()).or_default().push(subject);
    }
    if of_customers.is_empty() {
        bail!("no server or pool of {period} is such");
    }
    let is_one_file = customer.is_some() || !servers.is_empty();
    if is_one_file {
        let subjects: Vec<&Subject> = of_customers.values().flatten().copied().collect();
        let mut languages = of_customers.keys().map(|customer| source.language(customer));
        let first = languages.next().flatten();
        // Of several customers that which all of them read.
        let own = first.filter(|_| languages.all(|language| language == first));
        let path = in_folder(&output, || file_name(period, whose(&subjects, customer.as_deref()), format));
        write(&source, &subjects, lang.or(own).unwrap_or_default(), format, &path).await?;
    } else {
        std::fs::create_dir_all(&output).with_context(|| format!("can't use {}", output.display()))?;
        for (customer, subjects) in &of_customers {
            let lang = lang.or_else(|| source.language(customer)).unwrap_or_default();
            let path = output.join(file_name(period, customer, format));
            write(&source, subjects, lang, format, &path).await?;
        }
    }
    drop(source);
    store.close().await?;
    Ok(())
}

/// A path as it is, or where a folder is there a file in it.
fn in_folder(path: &Path, name: impl FnOnce() -> String) -> PathBuf {
    if path.is_dir() { path.join(name()) } else { path.to_owned() }
}

/// By whom a file is named: the customer, or the first server.
fn whose<'a>(subjects: &[&'a Subject], customer: Option<&'a str>) -> &'a str {
    customer.or_else(|| subjects.first().map(|subject| subject.server())).unwrap_or_default()
}

async fn write(
    source: &Source,
    subjects: &[&Subject],
    lang: Lang,
    format: Format,
    path: &Path,
) -> anyhow::Result<()> {
    let mut document = Document::new(lang, subjects.len())?;
    let mut sheets = pin!(source.sheets(subjects));
    while let Some(sheet) = sheets.try_next().await? {
        document.push(&sheet);
    }
    files::write(path, &document.write(format, Styles::Inside)?)?;
    show::line(format_args!("{}: {}", path.display(), counted(subjects.len() as u64, "page")));
    Ok(())
}
