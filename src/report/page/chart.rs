//! The month's course: in above the line and out below it, what is granted, and where the p95 is. No bar is a mean: each
//! reaches to the largest value of its slots, and its dark part to the smallest.

use meter95_reading::Timestamp;

use super::plot::{GRID, Plot, TICK};
use super::{CHART, LEFT, Page, RIGHT};
use crate::axis::{Scale, ticks_of_time};
use crate::closing::settle::excluded_slots;
use crate::closing::statement::{Kind, Statement};
use crate::metering::overage::Method;
use crate::metering::period::SlotSpan;
use crate::metering::sample::Direction;
use crate::metering::units::{Bps, Slot};
use crate::report::drawing::{BLACK, Drawing, GREY, Ink, Len, PALE, PT, Step, Stroke, WHITE};
use crate::report::sheet::{Bar, Reach, drawn, sides};

/// How much room the plot has.
const TALL: Len = 146 * PT;

/// A level this many times above all that was measured would leave no room for that.
const FAR: u64 = 3;

/// From the smallest to the largest value of a bar, towards the server and from it.
const IN: Ink = Ink(0x9d, 0xbc, 0xdb);
const OUT: Ink = Ink(0xd3, 0xd9, 0xdf);
/// From 0 to the smallest.
const IN_DARK: Ink = Ink(0x4f, 0x86, 0xb9);
const OUT_DARK: Ink = Ink(0x9a, 0xa5, 0xb0);

/// Where there is no sample.
const HOLE: Ink = Ink(0xdf, 0xe4, 0xe9);

const P95: Stroke = Stroke::new(BLACK, 110);
const ALLOWANCE: Stroke = Stroke { dash: Some((350, 220)), ..Stroke::new(BLACK, 80) };
const EXCLUDED: Stroke = Stroke { dash: Some((120, 120)), ..Stroke::new(GREY, 50) };

impl Page<'_> {
    pub(super) fn chart(&mut self) {
        let top = CHART + self.lower;
        let unit =
            self.heading((LEFT, top), "The period in slots of five minutes", "期間中の通信量(5分単位)");
        self.put((LEFT + unit + 6 * PT, top), TICK, 60 * PT, "bit/s");
        let bars = &self.sheet.bars;
        if bars.is_empty() {
            let says = self.lang.pick(
                "No slot is billed in this statement any more.",
                "この明細で課金対象となるスロットはありません。",
            );
            self.put((LEFT, top + 34 * PT), super::BODY, RIGHT - LEFT, says);
            return;
        }
        let plot = self.course();
        self.holes(&plot);
        self.grid(&plot);
        self.days(&plot);
        let (zero, method) = (plot.zero(), self.statement().method);
        let up = |reach: fn(Reach) -> Bps| move |bar: &Bar| Some(plot.above(reach(bar.up?)));
        let down = |reach: fn(Reach) -> Bps| move |bar: &Bar| Some(plot.below(reach(bar.down?)));
        for (light, dark) in [(true, false), (false, true)] {
            let reach: fn(Reach) -> Bps = if light { |reach| reach.high } else { |reach| reach.low };
            let (in_ink, out_ink) = if dark { (IN_DARK, OUT_DARK) } else { (IN, OUT) };
            self.area(&plot, zero, in_ink, up(reach));
            self.area(&plot, zero, out_ink, down(reach));
        }
        self.drawing.line(&[(plot.left, zero), (plot.right, zero)], Stroke::new(GREY, 60));
        self.levels(&plot);
        self.directions(&plot, method);
        self.decisive(&plot);
        self.keys(&plot);
    }

    /// The plot with room for all that is drawn in it.
    fn course(&self) -> Plot {
        let statement = self.statement();
        let high = |reach: fn(&Bar) -> Option<Reach>| {
            let bars = self.sheet.bars.iter();
            bars.filter_map(|bar| Some(reach(bar)?.high.0)).max().unwrap_or(0)
        };
        let (mut up, mut down) = (high(|bar| bar.up), high(|bar| bar.down));
        // Room for the levels is on the side that carries more; on the other one they are drawn where they fit.
        let levels = self.levels_within(up.max(down));
        if statement.method == Method::Out || (down > up && statement.method != Method::In) {
            down = down.max(levels);
        } else {
            up = up.max(levels);
        }
        let top = CHART + self.lower + 14 * PT;
        let scale = Scale::up_to(up.max(down));
        Plot {
            left: LEFT + 30 * PT,
            right: RIGHT,
            top,
            bottom: top + TALL,
            up: scale.reaching(up),
            down: (statement.method != Method::Sum).then(|| scale.reaching(down)),
        }
    }

    /// The highest of the levels that are not far above what was measured.
    pub(super) fn levels_within(&self, largest: u64) -> u64 {
        let Statement { allowances, p95_bps, .. } = self.statement();
        let levels = allowances.iter().map(|step| step.bps.0).chain(p95_bps.map(|bps| bps.0));
        levels.filter(|level| *level <= largest.max(1_000_000).saturating_mul(FAR)).max().unwrap_or(0)
    }

    /// Where a slot begins.
    fn at_slot(&self, plot: &Plot, slot: Slot) -> Len {
        let span = self.statement().span();
        let passed = slot.0.saturating_sub(span.from.0);
        plot.along(u64::try_from(passed).unwrap_or(0), span.len())
    }

    /// Bars from 0 to where `reach` says, those that follow each other as one area.
    fn area(&mut self, plot: &Plot, zero: Len, ink: Ink, reach: impl Fn(&Bar) -> Option<Len>) {
        let bars = &self.sheet.bars;
        for run in bars.chunk_by(|a, b| reach(a).is_some() == reach(b).is_some()) {
            let Some((first, last)) = run.first().zip(run.last()).filter(|(first, _)| reach(first).is_some())
            else {
                continue;
            };
            let mut steps = vec![Step::Move(self.at_slot(plot, first.span.from), zero)];
            for bar in run {
                let y = reach(bar).unwrap_or(zero);
                steps.push(Step::Line(self.at_slot(plot, bar.span.from), y));
                steps.push(Step::Line(self.at_slot(plot, bar.span.until), y));
            }
            steps.push(Step::Line(self.at_slot(plot, last.span.until), zero));
            steps.push(Step::Close);
            self.drawing.path(steps, Some(ink), None);
        }
    }

    /// Where nothing was measured, and what does not count.
    fn holes(&mut self, plot: &Plot) {
        let statement = self.statement();
        let holes: Vec<SlotSpan> = match statement.kind {
            Kind::Server => {
                let gaps = statement.members.iter().flat_map(|member| &member.gaps);
                gaps.map(|gap| SlotSpan::starting_in(gap.from.0, gap.until.0)).collect()
            }
            // A pool has a sample where any member has one.
            Kind::Pool => {
                let empty = self.sheet.bars.iter().filter(|bar| bar.up.is_none());
                empty.map(|bar| bar.span).collect()
            }
        };
        let tall = plot.bottom - plot.top;
        for hole in holes {
            let (left, right) = (self.at_slot(plot, hole.from), self.at_slot(plot, hole.until));
            self.drawing.rectangle((left, plot.top), ((right - left).max(50), tall), Some(HOLE), None);
        }
        for span in excluded_slots(&statement.exclusions) {
            let span = span.intersect(statement.span());
            let (left, right) = (self.at_slot(plot, span.from), self.at_slot(plot, span.until));
            self.drawing.rectangle((left, plot.top), ((right - left).max(100), tall), None, Some(EXCLUDED));
        }
    }

    /// The days below the plot.
    fn days(&mut self, plot: &Plot) {
        let span = self.statement().span();
        let times: (Timestamp, Timestamp) = (span.from.start(), span.until.start());
        for (time, name) in ticks_of_time(&self.zone, times) {
            let x = self.at_slot(plot, Slot::of(time));
            self.drawing.line(&[(x, plot.top), (x, plot.bottom)], GRID);
            self.put_middle((x, plot.bottom + 9 * PT), TICK, 60 * PT, &name);
        }
    }

    /// What is granted, as steps, and the p95, wherever the ranked quantity is drawn.
    fn levels(&mut self, plot: &Plot) {
        let Statement { allowances, p95_bps, method, .. } = self.statement();
        let ends = allowances.iter().skip(1).map(|step| step.from).chain([self.statement().until]);
        let steps: Vec<(Len, Len, Bps)> = allowances
            .iter()
            .zip(ends)
            .map(|(step, until)| {
                let x = |at: Timestamp| self.at_slot(plot, Slot::of(at));
                (x(step.from.0), x(until.0), step.bps)
            })
            .collect();
        for direction in drawn(*method) {
            let y = |bps: Bps| match direction {
                Direction::In => (bps.0 <= plot.up.top).then(|| plot.above(bps)),
                Direction::Out => plot.down.filter(|down| bps.0 <= down.top).map(|_| plot.below(bps)),
            };
            for run in steps.chunk_by(|(.., a), (.., b)| y(*a).is_some() == y(*b).is_some()) {
                let line: Vec<(Len, Len)> = run
                    .iter()
                    .filter_map(|(from, until, bps)| Some([(*from, y(*bps)?), (*until, y(*bps)?)]))
                    .flatten()
                    .collect();
                self.drawing.line(&line, ALLOWANCE);
            }
            let p95 = self.p95_towards(*direction).or(*p95_bps);
            if let Some(y) = p95.and_then(y) {
                self.drawing.line(&[(plot.left, y), (plot.right, y)], P95);
            }
        }
    }

    /// For a method that ranks each direction by itself, the p95 of one.
    fn p95_towards(&self, direction: Direction) -> Option<Bps> {
        let Statement { method, p95_in_bps, p95_out_bps, .. } = self.statement();
        match (method, direction) {
            (Method::Separate, Direction::In) => *p95_in_bps,
            (Method::Separate, Direction::Out) => *p95_out_bps,
            (Method::Max | Method::In | Method::Out | Method::Sum, _) => None,
        }
    }

    /// Which way is which.
    fn directions(&mut self, plot: &Plot, method: Method) {
        let names = match method {
            Method::Sum => [self.lang.pick("in + out", "受信+送信"), ""],
            Method::Max | Method::In | Method::Out | Method::Separate => {
                [Direction::In, Direction::Out].map(|direction| self.lang.direction(direction))
            }
        };
        let style = super::Style::new(TICK.size, super::Weight::Bold, BLACK);
        for (name, y) in names.into_iter().zip([plot.top + 8 * PT, plot.bottom - 3 * PT]) {
            if name.is_empty() {
                continue;
            }
            let x = plot.left + 4 * PT;
            let wide = self.fonts.width(name, style.weight, style.size);
            let (corner, size) = ((x - PT, y - 6 * PT), (wide + 2 * PT, 8 * PT));
            self.drawing.rectangle(corner, size, Some(WHITE), None);
            self.put((x, y), style, wide, name);
        }
    }

    /// The slot that decides.
    fn decisive(&mut self, plot: &Plot) {
        let decides = self.sheet.explanation.neighbours.iter().find(|neighbour| neighbour.decides);
        let Some((slot, in_bps, out_bps)) = decides.and_then(|n| Some((n.slot?, n.in_bps?, n.out_bps?)))
        else {
            return;
        };
        let rates = crate::metering::sample::Rates { in_bps, out_bps };
        let (up, down) = sides(self.statement().method, rates);
        let is_below = match self.statement().method {
            Method::Max => out_bps > in_bps,
            Method::Out => true,
            Method::In | Method::Sum => false,
            Method::Separate => self.sheet.explanation.direction == Some(Direction::Out),
        };
        let y = match down.filter(|_| is_below) {
            Some(down) => plot.below(down),
            None => plot.above(up),
        };
        let x = self.at_slot(plot, Slot::of(slot.0));
        self.drawing.mark((x, y));
    }

    /// What is what, beside the heading, from right to left.
    fn keys(&mut self, plot: &Plot) {
        let (y, method) = (CHART + self.lower, self.statement().method);
        let pick = |en: &'static str, ja: &'static str| self.lang.pick(en, ja);
        let swatch = |ink: Ink| {
            move |drawing: &mut Drawing, x: Len, y: Len| {
                drawing.rectangle((x, y - 2 * PT), (11 * PT, 4 * PT), Some(ink), None);
            }
        };
        let stroke = |stroke: Stroke| {
            move |drawing: &mut Drawing, x: Len, y: Len| drawing.line(&[(x, y), (x + 11 * PT, y)], stroke)
        };
        let statement = self.statement();
        let has_holes =
            statement.samples < statement.expected && statement.members.iter().any(|m| !m.gaps.is_empty());
        let largest = plot.up.top.max(plot.down.map_or(0, |down| down.top));
        let is_beyond = statement.allowances.iter().all(|step| step.bps.0 > largest);
        let texts = [
            pick("decides", "基準のスロット"),
            pick("95th percentile", "95パーセンタイル値"),
            if is_beyond {
                pick("allowance, above the plot", "契約帯域(図の上限超)")
            } else {
                pick("allowance", "契約帯域")
            },
            pick("excluded", "対象外"),
            pick("no sample", "計測値なし"),
            pick("out", "送信"),
            if method == Method::Sum { pick("in + out", "受信+送信") } else { pick("in", "受信") },
        ];
        let mut x = RIGHT;
        if self.sheet.explanation.neighbours.iter().any(|n| n.decides && n.slot.is_some()) {
            x = self.key((x, y), texts[0], |drawing, x, y| drawing.mark((x + 7 * PT, y)));
        }
        if statement.p95_bps.is_some() {
            x = self.key((x, y), texts[1], stroke(P95));
        }
        x = self.key((x, y), texts[2], stroke(ALLOWANCE));
        if !statement.exclusions.is_empty() {
            x = self.key((x, y), texts[3], |drawing, x, y| {
                drawing.rectangle((x, y - 2 * PT), (11 * PT, 4 * PT), None, Some(EXCLUDED));
            });
        }
        if has_holes {
            x = self.key((x, y), texts[4], |drawing, x, y| {
                drawing.rectangle(
                    (x, y - 2 * PT),
                    (11 * PT, 4 * PT),
                    Some(HOLE),
                    Some(Stroke::new(PALE, 40)),
                );
            });
        }
        if method != Method::Sum {
            x = self.key((x, y), texts[5], swatch(OUT_DARK));
        }
        self.key((x, y), texts[6], swatch(IN_DARK));
    }
}
