//! A plot's frame: where values stand, and the lines and figures at its edges.

use super::Page;
use crate::axis::{Scale, short};
use crate::metering::units::Bps;
use crate::report::drawing::{FAINT, GREY, Len, PT, Side, Stroke, Style};
use crate::report::fonts::Weight;

/// Figures at the edges.
pub(super) const TICK: Style = Style::new(6 * PT + 50, Weight::Regular, GREY);

/// A line through the plot where a value is named.
pub(super) const GRID: Stroke = Stroke::new(FAINT, 60);

/// A rectangle with values from `zero` up, and from it down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot {
    pub(super) left: Len,
    pub(super) right: Len,
    pub(super) top: Len,
    pub(super) bottom: Len,
    pub(super) up: Scale,
    pub(super) down: Option<Scale>,
}

impl Plot {
    /// Where 0 is.
    pub(super) fn zero(&self) -> Len {
        let Some(down) = self.down else { return self.bottom };
        let all = u128::from(self.up.top) + u128::from(down.top);
        self.top + part(self.bottom - self.top, u128::from(self.up.top), all)
    }

    /// Where a value above the line is.
    pub(super) fn above(&self, value: Bps) -> Len {
        let zero = self.zero();
        zero - part(zero - self.top, u128::from(value.0.min(self.up.top)), u128::from(self.up.top))
    }

    /// Where a value below the line is.
    pub(super) fn below(&self, value: Bps) -> Len {
        let zero = self.zero();
        let Some(down) = self.down else { return zero };
        zero + part(self.bottom - zero, u128::from(value.0.min(down.top)), u128::from(down.top))
    }

    /// Where `at` of `all` is from left to right.
    pub(super) fn along(&self, at: u64, all: u64) -> Len {
        self.left + part(self.right - self.left, u128::from(at.min(all)), u128::from(all))
    }
}

/// `of / all` of a length, which is not negative.
fn part(length: Len, of: u128, all: u128) -> Len {
    let length = u128::from(length.unsigned_abs());
    (length * of).checked_div(all).and_then(|part| Len::try_from(part).ok()).unwrap_or(0)
}

impl Page<'_> {
    /// The lines and names of values.
    pub(super) fn grid(&mut self, plot: &Plot) {
        let down = plot.down.into_iter().flat_map(Scale::ticks).skip(1);
        let up: Vec<(u64, Len)> = plot.up.ticks().map(|value| (value, plot.above(Bps(value)))).collect();
        let down: Vec<(u64, Len)> = down.map(|value| (value, plot.below(Bps(value)))).collect();
        for (value, y) in up.into_iter().chain(down) {
            self.drawing.line(&[(plot.left, y), (plot.right, y)], GRID);
            let place = (Side::Right, plot.left - 4 * PT, y + 230);
            self.drawing.text(self.fonts, place, TICK, 40 * PT, &short(value));
        }
    }

    /// A sample of a line or an area and what it means, which end at `x`. Returns where they begin.
    pub(super) fn key(
        &mut self,
        (x, y): (Len, Len),
        text: &str,
        sample: impl FnOnce(&mut crate::report::drawing::Drawing, Len, Len),
    ) -> Len {
        let width = self.put_right((x, y), TICK, 150 * PT, text);
        let from = x - width - 15 * PT;
        sample(&mut self.drawing, from, y - 230);
        from - 8 * PT
    }
}
