//! The ranked values, the largest first: what is discarded, and the one that decides.

use super::plot::{Plot, TICK};
use super::{LEFT, LOWER, Page};
use crate::axis::Scale;
use crate::closing::explain::layout::{grouped, mbps_cut};
use crate::closing::statement::Statement;
use crate::metering::units::Bps;
use crate::report::drawing::{ACCENT, BLACK, FAINT, GREY, Ink, Len, PT, Stroke, Style, WHITE, steps};
use crate::report::fonts::Weight;

/// How much room the plot has.
const TALL: Len = 96 * PT;
const END: Len = LEFT + 290 * PT;

/// Below the curve.
const FILL: Ink = Ink(0xdf, 0xe9, 0xf3);

const CUT: Stroke = Stroke::new(BLACK, 80);
const ALLOWANCE: Stroke = Stroke { dash: Some((350, 220)), ..Stroke::new(BLACK, 80) };

/// What tells of the cut and of the value that decides.
const NOTE: Style = Style::new(7 * PT, Weight::Bold, BLACK);

impl Page<'_> {
    pub(super) fn curve(&mut self) {
        let (sheet, y) = (self.sheet, LOWER + self.lower);
        let width = if sheet.by_excess {
            self.heading(
                (LEFT, y),
                "All slots by how far they are above the allowance",
                "契約帯域の超過分(大きい順)",
            )
        } else {
            self.heading((LEFT, y), "All slots by value, the largest first", "全スロットの値(大きい順)")
        };
        self.put((LEFT + width + 6 * PT, y), TICK, 40 * PT, "bit/s");
        let (Some((_, largest)), Some(p95)) = (sheet.curve.first(), self.statement().p95_bps) else {
            let says = self
                .lang
                .pick("No data: there is nothing to rank.", "計測データがないため、順位はありません。");
            self.put((LEFT, y + 34 * PT), super::BODY, END - LEFT, says);
            return;
        };
        let Statement { ranked, discarded, allowances, overage_bps, billable_slot, .. } = self.statement();
        let near = self.levels_within(largest.0);
        let allowance =
            allowances.first().filter(|step| !sheet.by_excess && step.bps.0 <= near).map(|step| step.bps);
        let plot = Plot {
            left: LEFT + 30 * PT,
            right: END,
            top: y + 14 * PT,
            bottom: y + 14 * PT + TALL,
            up: Scale::up_to(largest.0.max(allowance.map_or(0, |bps| bps.0))),
            down: None,
        };
        let cut = plot.along(*discarded, *ranked);
        let tall = plot.bottom - plot.top;
        self.drawing.rectangle((plot.left, plot.top), (cut - plot.left, tall), Some(FAINT), None);
        self.grid(&plot);
        // A place is as wide as any other; the last one ends at the right.
        let points: Vec<(Len, Len)> =
            sheet.curve.iter().map(|(at, bps)| (plot.along(*at, *ranked), plot.above(*bps))).collect();
        let last = points.last().map_or(plot.bottom, |(_, y)| *y);
        let line: Vec<(Len, Len)> = points.into_iter().chain([(plot.right, last)]).collect();
        let below = [(plot.right, plot.bottom), (plot.left, plot.bottom)];
        let area: Vec<(Len, Len)> = line.iter().copied().chain(below).collect();
        self.drawing.path(steps(&area, true), Some(FILL), None);
        self.drawing.line(&line, Stroke::new(ACCENT, 100));
        if let Some(allowance) = allowance {
            let y = plot.above(allowance);
            self.drawing.line(&[(plot.left, y), (plot.right, y)], ALLOWANCE);
        }
        self.drawing.line(&[(plot.left, plot.bottom), (plot.right, plot.bottom)], Stroke::new(GREY, 60));
        self.drawing.line(&[(cut, plot.top), (cut, plot.bottom + 3 * PT)], CUT);

        let decides = if sheet.by_excess { overage_bps.unwrap_or_default() } else { p95 };
        self.told(&plot, cut, decides, *billable_slot);
        self.places(&plot, cut, *discarded, *ranked);
    }

    /// The value that decides, beside its place.
    fn told(
        &mut self,
        plot: &Plot,
        cut: Len,
        decides: Bps,
        slot: Option<crate::inventory::instant::Instant>,
    ) {
        let at = (cut, plot.above(decides));
        self.drawing.mark(at);
        let value = mbps_cut(decides);
        let slot = match slot {
            Some(slot) => self.clock.time(slot.0),
            None => self.lang.pick("a slot without a sample", "計測値のないスロット").to_owned(),
        };
        let text = format!("{value} Mbps, {slot}");
        // Above the curve, which falls to the right.
        let (x, y) = (at.0 + 7 * PT, (at.1 - 5 * PT).clamp(plot.top + 8 * PT, plot.bottom - 6 * PT));
        let wide = self.fonts.width(&text, NOTE.weight, NOTE.size).min(plot.right - x);
        self.drawing.rectangle((x - PT, y - 7 * PT), (wide + 2 * PT, 9 * PT), Some(WHITE), None);
        self.put((x, y), NOTE, plot.right - x, &text);
    }

    /// Which places are which, below the plot.
    fn places(&mut self, plot: &Plot, cut: Len, discarded: u64, ranked: u64) {
        let y = plot.bottom + 9 * PT;
        let free = self.pick(
            format!("{} discarded (5 %)", grouped(discarded)),
            format!("除外 {}(5 %)", grouped(discarded)),
        );
        let all = self.pick(format!("{} ranked", grouped(ranked)), format!("全 {}", grouped(ranked)));
        let style = Style { ink: BLACK, ..TICK };
        self.put((cut + 2 * PT, y), style, 120 * PT, &format!("← {free}"));
        self.put_right((plot.right, y), TICK, 100 * PT, &all);
    }
}
