//! Drawings as PDF: text with its letters, in fonts that are cut down to those that occur and embedded; paragraphs are
//! tagged for screen readers, lines and areas as decoration.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{Path as PdfPath, PathBuilder, Point};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke as PdfStroke, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Tag, TagGroup, TagTree};
use krilla::text::{GlyphId, KrillaGlyph};
use meter95_reading::Timestamp;

use super::drawing::{Drawing, HEIGHT, Ink, Item, Len, PT, Path, Step, Stroke, Text, WIDTH};
use super::fonts::Fonts;
use crate::closing::explain::text::Lang;

/// What the document says of itself.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) title: String,
    pub(super) lang: Lang,
    /// When what it tells was issued: the document has no other time.
    pub(super) issued_at: Option<Timestamp>,
}

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
#[error("the PDF can't be made: {0}")]
pub struct PdfError(String);

/// The pages as a document.
///
/// # Errors
/// When a font can't be embedded, or the document is larger than a PDF may be.
pub(super) fn pdf(pages: &[Drawing], about: &About, fonts: &Fonts) -> Result<Vec<u8>, PdfError> {
    let size = PageSettings::from_wh(points(WIDTH), points(HEIGHT))
        .ok_or_else(|| PdfError("the page has no size".to_owned()))?;
    let mut document = Document::new();
    let mut tags = TagTree::new();
    for drawing in pages {
        let mut page = document.start_page_with(size.clone());
        let mut surface = page.surface();
        let mut part = TagGroup::new(Tag::Section);
        let runs = drawing.items.chunk_by(|a, b| {
            matches!((a, b), (Item::Text(_), Item::Text(_)) | (Item::Path(_), Item::Path(_)))
        });
        for run in runs {
            let is_text = matches!(run, [Item::Text(_), ..]);
            let decoration = ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout));
            let tagged = surface.start_tagged(if is_text { ContentTag::Other } else { decoration });
            for item in run {
                match item {
                    Item::Text(text) => write(&mut surface, fonts, text),
                    Item::Path(path) => draw(&mut surface, path),
                }
            }
            surface.end_tagged();
            if is_text {
                part.push(TagGroup::with_children(Tag::P, vec![tagged.into()]));
            }
        }
        surface.finish();
        page.finish();
        tags.push(part);
    }
    document.set_metadata(about.metadata());
    document.set_tag_tree(tags);
    document.finish().map_err(|e| PdfError(e.to_string()))
}

fn write(surface: &mut Surface<'_>, fonts: &Fonts, text: &Text) {
    let Text { x, y, style, text, .. } = text;
    let face = fonts.face(style.weight);
    let glyph = |(at, c): (usize, char)| {
        let glyph = face.glyph(c);
        let advance = face.advance(glyph);
        KrillaGlyph::new(GlyphId::new(glyph.id), advance, 0.0, 0.0, 0.0, at..at + c.len_utf8(), None)
    };
    let glyphs: Vec<KrillaGlyph> = text.char_indices().map(glyph).collect();
    surface.set_stroke(None);
    surface.set_fill(Some(filled(style.ink)));
    let start = Point::from_xy(points(*x), points(*y));
    surface.draw_glyphs(start, &glyphs, face.font.clone(), text, points(style.size), false);
}

fn draw(surface: &mut Surface<'_>, path: &Path) {
    let Some(outline) = outline(&path.steps) else { return };
    surface.set_fill(path.fill.map(filled));
    surface.set_stroke(path.stroke.map(stroked));
    surface.draw_path(&outline);
}

/// `None` of what is no line.
fn outline(steps: &[Step]) -> Option<PdfPath> {
    let mut builder = PathBuilder::new();
    for step in steps {
        match *step {
            Step::Move(x, y) => builder.move_to(points(x), points(y)),
            Step::Line(x, y) => builder.line_to(points(x), points(y)),
            Step::Close => builder.close(),
        }
    }
    builder.finish()
}

fn filled(ink: Ink) -> Fill {
    Fill { paint: colour(ink).into(), ..Fill::default() }
}

fn stroked(stroke: Stroke) -> PdfStroke {
    let Stroke { ink, width, dash } = stroke;
    let dash = dash.map(|(dash, gap)| StrokeDash { array: vec![points(dash), points(gap)], offset: 0.0 });
    PdfStroke {
        paint: colour(ink).into(),
        width: points(width),
        opacity: NormalizedF32::ONE,
        dash,
        ..PdfStroke::default()
    }
}

fn colour(Ink(red, green, blue): Ink) -> rgb::Color {
    rgb::Color::new(red, green, blue)
}

/// A length in points. A page has fewer hundredths of a point than a float has exact whole numbers.
fn points(length: Len) -> f32 {
    length as f32 / PT as f32
}

impl About {
    fn metadata(&self) -> Metadata {
        let language = self.lang.pick("en", "ja").to_owned();
        let metadata =
            Metadata::new().title(self.title.clone()).language(language).creator("meter95".to_owned());
        match self.issued_at.and_then(date_time) {
            Some(time) => metadata.creation_date(time),
            None => metadata,
        }
    }
}

/// The instant in UTC; `None` outside the years that a PDF can name.
fn date_time(time: Timestamp) -> Option<DateTime> {
    let at = jiff::Timestamp::from_millisecond(time.0).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    let part = |value: i8| u8::try_from(value).ok();
    let date = DateTime::new(u16::try_from(at.year()).ok()?).month(part(at.month())?).day(part(at.day())?);
    let date = date.hour(part(at.hour())?).minute(part(at.minute())?).second(part(at.second())?);
    Some(date.utc_offset_hour(0).utc_offset_minute(0))
}
