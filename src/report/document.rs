//! All pages in one document: HTML that prints a page a sheet, or PDF.

use clap::ValueEnum;
use meter95_reading::Timestamp;
use serde::Deserialize;

use super::drawing::Drawing;
use super::fonts::{Fonts, NoFonts};
use super::page::page;
use super::pdf::{About, PdfError, pdf};
use super::sheet::{Sheet, Standing};
use super::svg::svg;
use crate::closing::bundle::safe;
use crate::closing::explain::text::Lang;
use crate::embedded;
use crate::html::Html;
use crate::metering::period::Month;

/// The looks of a page on the screen and on paper, by which the pages' files are named.
const STYLE: &str = "report.css";

/// What a document is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ReportFormat)]
pub enum Format {
    /// For mail and for archives
    Pdf,
    /// For a browser, from which it prints
    Html,
}

/// Where a page finds what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Styles<'a> {
    /// In itself: it is a file that is whole.
    Inside,
    /// Beside the dashboard, at this path from the page.
    At(&'a str),
}

/// Pages of a document, in their order.
pub struct Document {
    lang: Lang,
    fonts: &'static Fonts,
    pages: Vec<Drawing>,
    /// How many there will be.
    count: usize,
    /// When the newest of its statements was issued.
    issued_at: Option<Timestamp>,
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// There is nothing to set it in.
    #[error(transparent)]
    NoFonts(#[from] NoFonts),
    /// The PDF can't be made.
    #[error(transparent)]
    Pdf(#[from] PdfError),
}

impl Format {
    /// The ending of files.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Html => "html",
        }
    }
}

impl Document {
    /// A document that will have `count` pages.
    ///
    /// # Errors
    /// When this build of meter95 has no fonts.
    pub fn new(lang: Lang, count: usize) -> Result<Self, NoFonts> {
        Ok(Self { lang, fonts: Fonts::embedded()?, pages: Vec::with_capacity(count), count, issued_at: None })
    }

    /// Adds a page.
    pub fn push(&mut self, sheet: &Sheet) {
        let place = (self.pages.len() + 1, self.count);
        self.pages.push(page(sheet, self.lang, self.fonts, place));
        match sheet.standing {
            Standing::Issued => self.issued_at = self.issued_at.max(Some(sheet.statement().issued_at.0)),
            Standing::UnderReview | Standing::Preliminary { .. } => {}
        }
    }

    /// The document as its octets.
    ///
    /// # Errors
    /// When the PDF can't be made.
    pub fn write(&self, format: Format, styles: Styles<'_>) -> Result<Vec<u8>, PdfError> {
        match format {
            Format::Html => Ok(self.html(styles).into_bytes()),
            Format::Pdf => {
                let about = About { title: self.title(), lang: self.lang, issued_at: self.issued_at };
                pdf(&self.pages, &about, self.fonts)
            }
        }
    }

    /// The one page's title, or that of all of them.
    fn title(&self) -> String {
        match self.pages.as_slice() {
            [page] => page.title.clone(),
            _ => self.lang.pick("Bandwidth report", "帯域利用レポート").to_owned(),
        }
    }

    fn html(&self, styles: Styles<'_>) -> String {
        let (code, title) = (self.lang.pick("en", "ja"), Html::text(self.title()).into_string());
        let style = match styles {
            Styles::Inside => {
                let style =
                    embedded::file(STYLE).map(|file| String::from_utf8_lossy(&file.content).into_owned());
                format!(
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
                     <style>\n{}</style>\n",
                    style.unwrap_or_default()
                )
            }
            Styles::At(path) => ["fonts.css", STYLE]
                .map(|file| format!("<link rel=\"stylesheet\" href=\"{path}{file}\">\n"))
                .concat(),
        };
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n{style}</head>\n<body>\n"
        );
        for (page, number) in self.pages.iter().zip(1..) {
            html.push_str(&svg(page, number).into_string());
        }
        html.push_str("</body>\n</html>\n");
        html
    }
}

/// The name of a file with the pages of a server, a pool or a customer: the month, and whose it is made safe for any
/// file system.
#[must_use]
pub fn file_name(period: Month, whose: &str, format: Format) -> String {
    format!("{period}_{}.{}", safe(whose), format.ending())
}
