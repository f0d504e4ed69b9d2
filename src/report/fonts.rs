//! The fonts in which reports are set, Noto Sans JP: how wide texts are, and where their lines break.

use std::sync::OnceLock;

use krilla::Data;
use krilla::text::Font;
use skrifa::MetadataProvider;
use skrifa::charmap::Charmap;
use skrifa::raw::tables::hmtx::Hmtx;
use skrifa::raw::{FontRef, TableProvider};

use super::drawing::Len;
use crate::closing::explain::layout::is_wide;
use crate::embedded;

/// What stands for the rest of a text that is too long.
const ELLIPSIS: char = '…';

/// What may not begin a line.
const NOT_FIRST: &str =
    "、。，．・：；？！）」』】〉》〕］｝…ー々％ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.:;?!)]}%";

/// What may not end a line.
const NOT_LAST: &str = "（「『【〈《〔［｛([{";

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// For what is read.
    Regular,
    /// For what stands out.
    Bold,
}

/// A font in one weight.
pub(super) struct Face {
    /// The font as PDFs take it, which takes its time to read.
    pub(super) font: Font,
    charmap: Charmap<'static>,
    advances: Hmtx<'static>,
    units_per_em: u16,
}

/// Both weights.
pub struct Fonts {
    regular: Face,
    bold: Face,
}

/// Why there is nothing to set a report in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this build of meter95 has no fonts for reports: build the dashboard (`make web`), and meter95 after it"
)]
pub struct NoFonts;

impl Fonts {
    /// The fonts that were compiled in, read once.
    ///
    /// # Errors
    /// When there are none, since the dashboard was not built before meter95.
    pub fn embedded() -> Result<&'static Self, NoFonts> {
        static FONTS: OnceLock<Option<Fonts>> = OnceLock::new();
        let read = || {
            let regular = Face::read("fonts/NotoSansJP-Regular.ttf")?;
            Some(Fonts { regular, bold: Face::read("fonts/NotoSansJP-Bold.ttf")? })
        };
        FONTS.get_or_init(read).as_ref().ok_or(NoFonts)
    }

    pub(super) fn face(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// How wide a text is, rounded up.
    pub(super) fn width(&self, text: &str, weight: Weight, size: Len) -> Len {
        let face = self.face(weight);
        let units: Len = text.chars().map(|c| Len::from(face.glyph(c).advance)).sum();
        let em = Len::from(face.units_per_em.max(1));
        (units * size + em - 1) / em
    }

    /// The text as one line of letters that can be shown, cut with an ellipsis where it is wider than `width_max`.
    pub(super) fn fitted(&self, text: &str, weight: Weight, size: Len, width_max: Len) -> String {
        let mut text = shown(text);
        if self.width(&text, weight, size) <= width_max {
            return text;
        }
        while let Some(last) = text.pop() {
            if last.is_whitespace() {
                continue;
            }
            let cut = format!("{}{ELLIPSIS}", text.trim_end());
            if self.width(&cut, weight, size) <= width_max {
                return cut;
            }
        }
        String::new()
    }

    /// The text in lines that are at most `width` wide.
    pub(super) fn lines(&self, text: &str, weight: Weight, size: Len, width: Len) -> Vec<String> {
        let text = shown(text);
        let mut lines = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let end = self.line_end(rest, weight, size, width);
            let (line, after) = rest.split_at(end);
            lines.push(line.trim_end().to_owned());
            rest = after.trim_start();
        }
        lines
    }

    /// Where the first line of a text ends, which is after one letter at least.
    fn line_end(&self, text: &str, weight: Weight, size: Len, width: Len) -> usize {
        let (mut last_break, mut before) = (None, None);
        for (at, c) in text.char_indices() {
            if before.is_some_and(|before| may_break(before, c)) {
                last_break = Some(at);
            }
            let end = at + c.len_utf8();
            if at > 0 && !c.is_whitespace() && self.width(&text[..end], weight, size) > width {
                return last_break.unwrap_or(at);
            }
            before = Some(c);
        }
        text.len()
    }
}

/// Whether a line may end between two letters.
fn may_break(before: char, after: char) -> bool {
    if after.is_whitespace() || NOT_FIRST.contains(after) || NOT_LAST.contains(before) {
        return false;
    }
    before.is_whitespace() || is_wide(before) || is_wide(after)
}

/// The text without what can't be seen or turns the writing's direction; what breaks lines is a blank.
fn shown(text: &str) -> String {
    let hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let visible = text.chars().filter(|c| !hidden(*c));
    visible.map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c }).collect()
}

/// A letter of a font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    /// Its number; 0, a frame, where the font has none.
    pub(super) id: u32,
    /// How far it reaches, in the font's units.
    pub(super) advance: u16,
}

impl Face {
    fn read(path: &str) -> Option<Self> {
        let data: &'static [u8] = match embedded::file(path)?.content {
            std::borrow::Cow::Borrowed(data) => data,
            // Read once, and needed until the program ends.
            std::borrow::Cow::Owned(data) => Vec::leak(data),
        };
        let tables = FontRef::new(data).ok()?;
        Some(Self {
            font: Font::new(Data::from(data), 0)?,
            charmap: tables.charmap(),
            advances: tables.hmtx().ok()?,
            units_per_em: tables.head().ok()?.units_per_em(),
        })
    }

    pub(super) fn glyph(&self, c: char) -> Glyph {
        let id = self.charmap.map(c).unwrap_or_default();
        Glyph { id: id.to_u32(), advance: self.advances.advance(id).unwrap_or(self.units_per_em) }
    }

    /// A letter's advance as a part of the font's size.
    pub(super) fn advance(&self, glyph: Glyph) -> f32 {
        f32::from(glyph.advance) / f32::from(self.units_per_em.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fonts() -> &'static Fonts {
        Fonts::embedded().unwrap()
    }

    #[test]
    fn widths_are_those_of_the_font() {
        let wide = |text: &str, weight| fonts().width(text, weight, 1_000);
        // A Japanese letter is as wide as it is high, and all digits are alike.
        assert_eq!(wide("請求", Weight::Regular), 2_000);
        for digit in '1'..='9' {
            for weight in [Weight::Regular, Weight::Bold] {
                assert_eq!(wide(&digit.to_string(), weight), wide("0", weight));
            }
        }
        assert!(wide("Overage", Weight::Bold) > wide("Overage", Weight::Regular));
        // What no font has is a frame.
        assert_eq!(fonts().face(Weight::Regular).glyph('\u{10fffd}').id, 0);
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        for (text, width_max, fitted) in [
            ("web01", 100_000, "web01"),
            ("web01\nweb02\u{202e}", 100_000, "web01 web02"),
            ("請求請求請求", 4_000, "請求請…"),
            ("請求", 500, ""),
            ("a bcdefgh", 2_000, "a…"),
        ] {
            assert_eq!(fonts().fitted(text, Weight::Regular, 1_000, width_max), fitted, "{text}");
        }
        for text in ["W".repeat(255), "髙".repeat(255), "👩‍💻x".repeat(50)] {
            let fitted = fonts().fitted(&text, Weight::Bold, 900, 12_345);
            assert!(fonts().width(&fitted, Weight::Bold, 900) <= 12_345 && fitted.ends_with('…'));
        }
    }

    #[test]
    fn lines_break_where_a_reader_expects_it() {
        let rows: [(&str, Len, &[&str]); 6] = [
            ("one two three", 4, &["one two", "three"]),
            ("上位20分の1を除外し、その次", 5, &["上位20分", "の1を除外", "し、その次"]),
            ("除外した、値です。", 4, &["除外し", "た、値で", "す。"]),
            ("あ（いう）え", 2, &["あ", "（い", "う）", "え"]),
            ("WWWWWWWWWW", 3, &["WWW", "WWW", "WWW", "W"]),
            ("", 4, &[]),
        ];
        for (text, ems, expected) in rows {
            let lines = fonts().lines(text, Weight::Regular, 1_000, ems * 1_000);
            assert_eq!(lines, expected, "{text}");
        }
    }
}
