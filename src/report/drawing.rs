//! A page as it is drawn: texts and paths at their places, whatever they are written as.

use super::fonts::{Fonts, Weight};

/// A length in hundredths of a point (1/7200 inch), from the page's upper left corner to the right and down.
pub(super) type Len = i64;

/// A point, by which type is measured.
pub(super) const PT: Len = 100;

/// A4, 210 x 297 mm.
pub(super) const WIDTH: Len = 59_528;
pub(super) const HEIGHT: Len = 84_189;

/// A colour: red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ink(pub(super) u8, pub(super) u8, pub(super) u8);

/// The page's colours: grey, and one that stands out. They differ in brightness, so that a print in black tells them apart.
pub(super) const BLACK: Ink = Ink(0x1b, 0x1f, 0x24);
pub(super) const GREY: Ink = Ink(0x59, 0x63, 0x6e);
pub(super) const PALE: Ink = Ink(0xc9, 0xcf, 0xd6);
pub(super) const FAINT: Ink = Ink(0xec, 0xef, 0xf2);
pub(super) const WHITE: Ink = Ink(0xff, 0xff, 0xff);
pub(super) const ACCENT: Ink = Ink(0x1c, 0x5d, 0x99);

/// What is on a page, in the order in which it is drawn and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drawing {
    /// What the page is, in a line.
    pub(super) title: String,
    /// What it says, for those who can't see it.
    pub(super) says: String,
    pub(super) items: Vec<Item>,
}

/// A thing on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Text(Text),
    Path(Path),
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    /// Its left end.
    pub(super) x: Len,
    /// Its baseline.
    pub(super) y: Len,
    pub(super) style: Style,
    /// How wide it is in the fonts of reports.
    pub(super) width: Len,
    pub(super) text: String,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) size: Len,
    pub(super) weight: Weight,
    pub(super) ink: Ink,
}

/// A line, or what it encloses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) steps: Vec<Step>,
    pub(super) fill: Option<Ink>,
    pub(super) stroke: Option<Stroke>,
}

/// A step of a path, to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Move(Len, Len),
    Line(Len, Len),
    Close,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stroke {
    pub(super) ink: Ink,
    pub(super) width: Len,
    /// How long dashes and the gaps between them are.
    pub(super) dash: Option<(Len, Len)>,
}

/// From where a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// It begins there.
    Left,
    /// Its middle is there.
    Middle,
    /// It ends there.
    Right,
}

impl Style {
    pub(super) const fn new(size: Len, weight: Weight, ink: Ink) -> Self {
        Self { size, weight, ink }
    }
}

impl Stroke {
    pub(super) const fn new(ink: Ink, width: Len) -> Self {
        Self { ink, width, dash: None }
    }
}

impl Drawing {
    /// A text on one line, cut with an ellipsis where it is wider than `width_max`. Returns how wide it is then.
    pub(super) fn text(
        &mut self,
        fonts: &Fonts,
        (side, x, y): (Side, Len, Len),
        style: Style,
        width_max: Len,
        text: &str,
    ) -> Len {
        let text = fonts.fitted(text, style.weight, style.size, width_max);
        let width = fonts.width(&text, style.weight, style.size);
        let x = match side {
            Side::Left => x,
            Side::Middle => x - width / 2,
            Side::Right => x - width,
        };
        if !text.trim().is_empty() {
            self.items.push(Item::Text(Text { x, y, style, width, text }));
        }
        width
    }

    pub(super) fn path(&mut self, steps: Vec<Step>, fill: Option<Ink>, stroke: Option<Stroke>) {
        if steps.len() > 1 {
            self.items.push(Item::Path(Path { steps, fill, stroke }));
        }
    }

    /// A line through points.
    pub(super) fn line(&mut self, points: &[(Len, Len)], stroke: Stroke) {
        self.path(steps(points, false), None, Some(stroke));
    }

    pub(super) fn rectangle(
        &mut self,
        (x, y): (Len, Len),
        (width, height): (Len, Len),
        fill: Option<Ink>,
        stroke: Option<Stroke>,
    ) {
        let corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)];
        self.path(steps(&corners, true), fill, stroke);
    }

    /// A mark around a place: a square on its corner.
    pub(super) fn mark(&mut self, (x, y): (Len, Len)) {
        let half = 3 * PT;
        let corners = [(x, y - half), (x + half, y), (x, y + half), (x - half, y)];
        self.path(steps(&corners, true), Some(BLACK), Some(Stroke::new(WHITE, 80)));
    }
}

/// The steps through points, and back to the first where it is `closed`.
pub(super) fn steps(points: &[(Len, Len)], closed: bool) -> Vec<Step> {
    let mut steps = Vec::with_capacity(points.len() + 1);
    for (i, (x, y)) in points.iter().enumerate() {
        steps.push(if i == 0 { Step::Move(*x, *y) } else { Step::Line(*x, *y) });
    }
    if closed {
        steps.push(Step::Close);
    }
    steps
}
