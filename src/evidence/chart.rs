//! The page's chart: in and out by slot, packets per second below, and what happened meanwhile, as SVG without script.

use std::fmt::Write;

use meter95_reading::Timestamp;

use super::report::Report;
use super::tables::Zone;
use super::traffic::{Line, State};
use super::words;
use crate::axis::{self, Scale, ticks_of_time};
use crate::closing::explain::layout::Clock;
use crate::closing::explain::text::Lang;
use crate::html::Html;
use crate::metering::units::Slot;

/// Points of a line at most: about one a pixel.
const POINTS_MAX: usize = 1_000;

/// Breaks that are drawn at most; all are in the table.
const MARKS_MAX: usize = 200;

/// How wide a mark is at least, so that it is seen.
const NARROW: i64 = 4;

/// The picture, in its own units.
const WIDTH: i64 = 1_120;
const LEFT: i64 = 72;
const RIGHT: i64 = WIDTH - 12;
const RATES_TOP: i64 = 44;
const RATES_BOTTOM: i64 = 300;
const PACKETS_TOP: i64 = 344;
const PACKETS_BOTTOM: i64 = 480;
const HEIGHT: i64 = 510;

/// Below this distance, letters over marks would cover each other.
const LETTERS_APART: i64 = 14;

/// A panel of the chart: where it is, and what stands in it.
struct Panel {
    top: i64,
    bottom: i64,
    scale: Scale,
}

/// Slots that are drawn as one point, of which the largest value counts.
struct Point<'a> {
    first: Slot,
    lines: &'a [Line],
}

/// The chart of a report; nothing for a window without a slot.
pub(super) fn chart(report: &Report, clock: &Clock, lang: Lang) -> Html {
    let Some((first, last)) = report.slots.first().zip(report.slots.last()) else {
        return Html::default();
    };
    let span = (first.slot.start(), last.slot.end());
    let mut chart = Chart { report, clock, lang, span, svg: String::new() };
    chart.draw();
    Html::made(chart.svg)
}

/// How many slots one point stands for, where there are `slots` of them.
pub(super) fn slots_a_point(slots: usize) -> usize {
    slots.div_ceil(POINTS_MAX).max(1)
}

struct Chart<'a> {
    report: &'a Report,
    clock: &'a Clock,
    lang: Lang,
    span: (Timestamp, Timestamp),
    svg: String,
}

impl Chart<'_> {
    fn draw(&mut self) {
        let lines = &self.report.slots;
        let a_point = slots_a_point(lines.len());
        let points: Vec<Point<'_>> = lines
            .chunks(a_point)
            .filter_map(|lines| Some(Point { first: lines.first()?.slot, lines }))
            .collect();
        let bps = |line: &Line| [line.r#in.bps, line.out.bps].map(|bps| bps.map(|bps| bps.0));
        let packets = |line: &Line| [line.r#in.packets_per_second, line.out.packets_per_second];
        let largest = |of: fn(&Line) -> [Option<u64>; 2]| lines.iter().flat_map(of).flatten().max();
        let rates =
            Panel { top: RATES_TOP, bottom: RATES_BOTTOM, scale: Scale::up_to(largest(bps).unwrap_or(0)) };
        let counts = Panel {
            top: PACKETS_TOP,
            bottom: PACKETS_BOTTOM,
            scale: Scale::up_to(largest(packets).unwrap_or(0)),
        };
        let title = Html::text(self.lang.pick("Traffic by slot", "スロットごとの通信量")).into_string();
        let _ = writeln!(
            self.svg,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\" xmlns=\"http://www.w3.org/2000/svg\">"
        );
        self.holes();
        for (panel, unit) in [
            (&rates, self.lang.pick("bit/s", "bit/s")),
            (&counts, self.lang.pick("packets per second", "パケット/秒")),
        ] {
            self.frame(panel, unit);
            self.times(panel);
        }
        self.breaks();
        self.allowance(&rates);
        self.area("in", &rates, &points, |line| line.r#in.bps.map(|bps| bps.0));
        self.line("out", &rates, &points, |line| line.out.bps.map(|bps| bps.0));
        self.area("in", &counts, &points, |line| line.r#in.packets_per_second);
        self.line("out", &counts, &points, |line| line.out.packets_per_second);
        self.changes();
        self.legend();
        self.svg.push_str("</svg>\n");
    }

    /// Where an instant stands, in tenths.
    fn x(&self, time: Timestamp) -> i64 {
        let (from, until) = self.span;
        let passed = time.0.clamp(from.0, until.0) - from.0;
        LEFT * 10 + (RIGHT - LEFT) * 10 * passed / (until.0 - from.0).max(1)
    }

    /// A part of the lower panel and the upper one, from an instant to another.
    fn band(&mut self, class: &str, from: Timestamp, until: Timestamp, title: &str) {
        let (left, right) = (self.x(from), self.x(until));
        let wide = (right - left).max(NARROW * 10);
        let title = Html::text(title).into_string();
        let _ = write!(self.svg, "<g class=\"{class}\"><title>{title}</title>");
        for (top, bottom) in [(RATES_TOP, RATES_BOTTOM), (PACKETS_TOP, PACKETS_BOTTOM)] {
            let (x, width) = (tenths(left), tenths(wide));
            let _ = write!(
                self.svg,
                "<rect x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{}\"/>",
                bottom - top
            );
        }
        self.svg.push_str("</g>\n");
    }

    /// Slots without a sample.
    fn holes(&mut self) {
        let runs = self.report.slots.chunk_by(|a, b| a.state == b.state);
        let missing: Vec<(Timestamp, Timestamp)> = runs
            .filter_map(|run| run.first().zip(run.last()))
            .filter(|(first, _)| first.state == State::Missing)
            .map(|(first, last)| (first.slot.start(), last.slot.end()))
            .collect();
        for (from, until) in missing {
            let span = format!("{} – {}", self.clock.time(from), self.clock.time(until));
            let title = self.lang.pick(format!("no sample, {span}"), format!("欠測 {span}"));
            self.band("hole", from, until, &title);
        }
    }

    fn breaks(&mut self) {
        let mut last = i64::MIN / 2;
        for found in self.report.breaks.iter().take(MARKS_MAX) {
            let (before, after) = (found.before.at.0, found.after.at.0);
            let kind = words::break_kind(self.lang, &found.kind);
            let (from, until) = (self.clock.time(before), self.clock.time(after));
            let title = format!("{kind}: {} {}, {from} – {until}", found.device, found.interface);
            self.band(class_of(&found.kind), before, after, &title);
            let x = (self.x(before) + self.x(after)) / 2;
            if x - last >= LETTERS_APART * 10 {
                last = x;
                let letter = letter_of(&found.kind);
                let _ = writeln!(
                    self.svg,
                    "<text class=\"letter\" x=\"{}\" y=\"{}\">{letter}</text>",
                    tenths(x),
                    RATES_TOP - 4
                );
            }
        }
    }

    /// The lines and figures of the values' axis.
    fn frame(&mut self, panel: &Panel, unit: &str) {
        for value in panel.scale.ticks() {
            let y = panel.y(value);
            let label = axis::short(value);
            let _ = writeln!(
                self.svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y}\" y2=\"{y}\"/>\
                 <text class=\"value\" x=\"{}\" y=\"{y}\" dy=\"4\">{label}</text>",
                LEFT - 6,
                y = tenths(y)
            );
        }
        let unit = Html::text(unit).into_string();
        let _ = writeln!(
            self.svg,
            "<text class=\"unit\" x=\"{LEFT}\" y=\"{}\">{unit}</text>",
            panel.top - if panel.top == RATES_TOP { 18 } else { 8 }
        );
    }

    /// The times below a panel.
    fn times(&mut self, panel: &Panel) {
        let zone = Zone::of(self.report).timezone();
        for (time, label) in ticks_of_time(&zone, self.span) {
            let x = tenths(self.x(time));
            let _ = writeln!(
                self.svg,
                "<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\"/>\
                 <text class=\"time\" x=\"{x}\" y=\"{}\">{label}</text>",
                panel.top,
                panel.bottom,
                panel.bottom + 16
            );
        }
    }

    /// What is granted, as steps; not where it is far above everything that was measured.
    fn allowance(&mut self, panel: &Panel) {
        let runs: Vec<(Timestamp, Timestamp, u64)> = self
            .report
            .slots
            .chunk_by(|a, b| a.allowance_bps == b.allowance_bps)
            .filter_map(|run| run.first().zip(run.last()))
            .map(|(first, last)| (first.slot.start(), last.slot.end(), first.allowance_bps.0))
            .filter(|(_, _, bps)| *bps <= panel.scale.top)
            .collect();
        for (from, until, bps) in runs {
            let (left, right, y) = (tenths(self.x(from)), tenths(self.x(until)), tenths(panel.y(bps)));
            let _ = writeln!(self.svg, "<path class=\"allowance\" d=\"M{left} {y}H{right}\"/>");
        }
    }

    /// The runs of points that have a value: each as (x, y) in tenths.
    fn runs(
        &self,
        panel: &Panel,
        points: &[Point<'_>],
        of: impl Fn(&Line) -> Option<u64>,
    ) -> Vec<Vec<(i64, i64)>> {
        let mut runs: Vec<Vec<(i64, i64)>> = vec![Vec::new()];
        for point in points {
            let value = point.lines.iter().filter_map(&of).max();
            match value {
                Some(value) => {
                    let until = point.lines.last().map_or(point.first, |line| line.slot).end();
                    let x = (self.x(point.first.start()) + self.x(until)) / 2;
                    if let Some(run) = runs.last_mut() {
                        run.push((x, panel.y(value)));
                    }
                }
                None => runs.push(Vec::new()),
            }
        }
        runs.retain(|run| !run.is_empty());
        runs
    }

    fn line(&mut self, class: &str, panel: &Panel, points: &[Point<'_>], of: impl Fn(&Line) -> Option<u64>) {
        for run in self.runs(panel, points, of) {
            let _ = writeln!(self.svg, "<path class=\"{class} line\" d=\"{}\"/>", path(&run));
        }
    }

    /// A line, and what is below it.
    fn area(&mut self, class: &str, panel: &Panel, points: &[Point<'_>], of: impl Fn(&Line) -> Option<u64>) {
        for run in self.runs(panel, points, of) {
            if let Some(((first, _), (last, _))) = run.first().zip(run.last()) {
                let (first, last, line) = (tenths(*first), tenths(*last), path(&run));
                let bottom = panel.bottom;
                let _ = writeln!(
                    self.svg,
                    "<path class=\"{class} area\" d=\"{line}L{last} {bottom}L{first} {bottom}Z\"/>\
                     <path class=\"{class} line\" d=\"{line}\"/>"
                );
            }
        }
    }

    /// The instants from which on the behaviour was another one.
    fn changes(&mut self) {
        let mut instants: Vec<Timestamp> =
            self.report.changes().map(|(_, change)| change.from.start()).collect();
        instants.sort_unstable();
        instants.dedup();
        for (at, row) in instants.into_iter().zip([0, 1].into_iter().cycle()) {
            let x = self.x(at);
            let label = Html::text(self.clock.time(at)).into_string();
            let (side, anchor) = if x > (LEFT + RIGHT) * 5 { (x - 50, "end") } else { (x + 50, "start") };
            let _ = writeln!(
                self.svg,
                "<path class=\"change\" d=\"M{x} {RATES_TOP}V{PACKETS_BOTTOM}\"/>\
                 <text class=\"change\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{label}</text>",
                tenths(side),
                RATES_TOP + 14 + row * 16,
                x = tenths(x),
            );
        }
    }

    /// What is what, above the chart.
    fn legend(&mut self) {
        let pick = |en, ja| self.lang.pick(en, ja);
        let mut entries = vec![
            ("in area", "in line", pick("in (towards the server)", "受信")),
            ("", "out line", pick("out (from the server)", "送信")),
            ("", "allowance", pick("allowance", "契約帯域")),
        ];
        if self.report.changes().next().is_some() {
            entries.push(("", "change", pick("change of behaviour", "挙動の変化")));
        }
        if self.report.slots.iter().any(|line| line.state == State::Missing) {
            entries.push(("hole", "", pick("no sample", "欠測")));
        }
        let has = |kind: &str| self.report.breaks.iter().any(|found| found.kind == kind);
        for (kind, says) in [
            ("reset", pick("R reset", "R リセット")),
            ("gap", pick("G gap", "G 欠落")),
            ("implausible", pick("I implausible", "I 異常値")),
        ] {
            if has(kind) {
                entries.push((class_of(kind), "", says));
            }
        }
        let mut x = LEFT + 100;
        for (fill, line, says) in entries {
            if !fill.is_empty() {
                let _ = write!(
                    self.svg,
                    "<g class=\"{fill}\"><rect class=\"{fill}\" x=\"{x}\" y=\"6\" width=\"18\" height=\"10\"/></g>"
                );
            }
            if !line.is_empty() {
                let _ = write!(self.svg, "<path class=\"{line}\" d=\"M{x} 11h18\"/>");
            }
            let says = Html::text(says).into_string();
            let _ = writeln!(self.svg, "<text class=\"key\" x=\"{}\" y=\"15\">{says}</text>", x + 23);
            let wide: i64 = says.chars().map(|c| if c.is_ascii() { 7 } else { 12 }).sum();
            x += 23 + wide + 18;
        }
    }
}

impl Panel {
    /// Where a value stands, in tenths.
    fn y(&self, value: u64) -> i64 {
        let tall = u64::try_from((self.bottom - self.top) * 10).unwrap_or(0);
        let value = value.min(self.scale.top);
        let up = u128::from(tall) * u128::from(value) / u128::from(self.scale.top.max(1));
        self.bottom * 10 - i64::try_from(up).unwrap_or(0)
    }
}

/// A path through points in tenths.
fn path(points: &[(i64, i64)]) -> String {
    let mut path = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(path, "{}{} {}", if i == 0 { "M" } else { "L" }, tenths(*x), tenths(*y));
    }
    if points.len() == 1 {
        // A point by itself would not be seen.
        path.push_str("h1");
    }
    path
}

/// A length in tenths, as SVG has it.
fn tenths(tenths: i64) -> String {
    if tenths % 10 == 0 { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

fn class_of(kind: &str) -> &'static str {
    match kind {
        "reset" => "reset",
        "gap" => "gap",
        _ => "implausible",
    }
}

fn letter_of(kind: &str) -> char {
    match kind {
        "reset" => 'R',
        "gap" => 'G',
        _ => 'I',
    }
}
