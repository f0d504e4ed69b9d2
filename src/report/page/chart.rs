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
use crate::report::drawing::{BLACK, Drawing, FAINT, GREY, Ink, Len, PALE, PT, Side, Step, Stroke};
use crate::report::sheet::{Bar, Reach, drawn, sides};

/// How much room the plot has.
const TALL: Len = 158 * PT;
const TOP: Len = CHART + 14 * PT;

/// From the smallest to the largest value of a bar, towards the server and from it.
const IN: Ink = Ink(0x9d, 0xbc, 0xdb);
const OUT: Ink = Ink(0xd3, 0xd9, 0xdf);
/// From 0 to the smallest.
const IN_DARK: Ink = Ink(0x4f, 0x86, 0xb9);
const OUT_DARK: Ink = Ink(0x9a, 0xa5, 0xb0);

const P95: Stroke = Stroke::new(BLACK, 110);
const ALLOWANCE: Stroke = Stroke { dash: Some((350, 220)), ..Stroke::new(BLACK, 80) };
const EXCLUDED: Stroke = Stroke { dash: Some((120, 120)), ..Stroke::new(GREY, 50) };

impl Page<'_> {
    pub(super) fn chart(&mut self) {
        let unit =
            self.heading((LEFT, CHART), "The period in slots of five minutes", "期間中の通信量(5分単位)");
        self.put((LEFT + unit + 6 * PT, CHART), TICK, 60 * PT, "bit/s");
        let bars = &self.sheet.bars;
        if bars.is_empty() {
            let says = self.lang.pick(
                "No slot is billed in this statement any more.",
                "この明細で課金対象となるスロットはありません。",
            );
            self.put((LEFT, TOP + 20 * PT), super::BODY, RIGHT - LEFT, says);
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
        self.keys(method);
    }

    /// The plot with room for all that is drawn in it.
    fn course(&self) -> Plot {
        let statement = self.statement();
        let bars = || self.sheet.bars.iter();
        let high = |reach: Option<Reach>| reach.map(|reach| reach.high.0);
        let levels =
            statement.allowances.iter().map(|step| step.bps.0).chain(statement.p95_bps.map(|bps| bps.0));
        let up = bars().filter_map(|bar| high(bar.up)).chain(levels.clone()).max().unwrap_or(0);
        let has_down = statement.method != Method::Sum;
        let shown_below = drawn(statement.method).contains(&Direction::Out);
        let below = levels.filter(|_| shown_below);
        let down = bars().filter_map(|bar| high(bar.down)).chain(below).max().unwrap_or(0);
        let scale = Scale::up_to(up.max(down));
        Plot {
            left: LEFT + 30 * PT,
            right: RIGHT,
            top: TOP,
            bottom: TOP + TALL,
            up: scale.reaching(up),
            down: has_down.then(|| scale.reaching(down)),
        }
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
            self.drawing.rectangle((left, plot.top), ((right - left).max(50), tall), Some(FAINT), None);
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
                Direction::In => plot.above(bps),
                Direction::Out => plot.below(bps),
            };
            let line: Vec<(Len, Len)> =
                steps.iter().flat_map(|(from, until, bps)| [(*from, y(*bps)), (*until, y(*bps))]).collect();
            self.drawing.line(&line, ALLOWANCE);
            if let Some(p95) = self.p95_towards(*direction).or(*p95_bps) {
                self.drawing.line(&[(plot.left, y(p95)), (plot.right, y(p95))], P95);
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
        let x = LEFT;
        for (name, y) in names.into_iter().zip([plot.top + 250, plot.bottom]) {
            let place = (Side::Left, x, y);
            let style = super::Style::new(TICK.size, super::Weight::Bold, BLACK);
            self.drawing.text(self.fonts, place, style, 24 * PT, name);
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
    fn keys(&mut self, method: Method) {
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
        let texts = [
            pick("decides", "基準のスロット"),
            pick("95th percentile", "95パーセンタイル値"),
            pick("allowance", "契約帯域"),
            pick("excluded", "対象外"),
            pick("no sample", "計測値なし"),
            pick("out", "送信"),
            if method == Method::Sum { pick("in + out", "受信+送信") } else { pick("in", "受信") },
        ];
        let mut x = RIGHT;
        if self.sheet.explanation.neighbours.iter().any(|n| n.decides && n.slot.is_some()) {
            x = self.key((x, CHART), texts[0], |drawing, x, y| drawing.mark((x + 7 * PT, y)));
        }
        if statement.p95_bps.is_some() {
            x = self.key((x, CHART), texts[1], stroke(P95));
        }
        x = self.key((x, CHART), texts[2], stroke(ALLOWANCE));
        if !statement.exclusions.is_empty() {
            x = self.key((x, CHART), texts[3], |drawing, x, y| {
                drawing.rectangle((x, y - 2 * PT), (11 * PT, 4 * PT), None, Some(EXCLUDED));
            });
        }
        if has_holes {
            x = self.key((x, CHART), texts[4], |drawing, x, y| {
                drawing.rectangle(
                    (x, y - 2 * PT),
                    (11 * PT, 4 * PT),
                    Some(FAINT),
                    Some(Stroke::new(PALE, 40)),
                );
            });
        }
        if method != Method::Sum {
            x = self.key((x, CHART), texts[5], swatch(OUT_DARK));
        }
        self.key((x, CHART), texts[6], swatch(IN_DARK));
    }
}
