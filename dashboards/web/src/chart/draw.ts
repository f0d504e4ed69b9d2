// Draws a month's chart on a canvas. Nothing is averaged: slots that share a column are drawn from the smallest to the
// largest, and slots that have a column each as steps. A slot without a sample is hatched, and never 0.

import { clock, mbpsFine, shortDate } from "../format";
import { locale } from "../language";
import { DISCARDED, IN_SERVICE, INCIDENT, isHole, PARTIAL, SAMPLE, spans, type Slots } from "../pure/month/slots";
import { roundTicks, timeTicks } from "../pure/month/view";
import { t } from "../words/server";
import { bands, columns, levels, STEP_PX_MIN, type ChartData, type Layer, type Side } from "./data";
import { STRIP_PX, STRIPS, type Frame } from "./frame";

export type Colours = ReturnType<typeof readColours>;
type Canvas = CanvasRenderingContext2D;

/** A mark of one slot is no narrower, so that it is seen at any scale. */
const MARK_PX_MIN = 2;
const TICK_PX = 64;
const NAME_LINE_PX = 15;

export function readColours(host: HTMLElement) {
  const style = getComputedStyle(host);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    panel: of("--page"),
    raised: of("--raised"),
    text: of("--text"),
    muted: of("--muted"),
    line: of("--line"),
    strong: of("--strong-line"),
    in: of("--in"),
    inFill: of("--in-fill"),
    out: of("--out"),
    outFill: of("--out-fill"),
    p95: of("--p95"),
    p95Fill: of("--over-fill"),
    accent: of("--accent"),
    warn: of("--warn"),
    warnFill: of("--warn-fill"),
    font: `12px ${style.fontFamily}`,
  };
}

/** Stripes for what was not measured, in the colour given. */
export function hatch(colour: string): CanvasPattern | string {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const ctx = tile.getContext("2d")!;
  ctx.strokeStyle = colour;
  ctx.globalAlpha = 0.6;
  ctx.beginPath();
  for (const shift of [-6, 0, 6]) {
    ctx.moveTo(shift - 1, 7);
    ctx.lineTo(shift + 7, -1);
  }
  ctx.stroke();
  return ctx.createPattern(tile, "repeat") ?? colour;
}

export function draw(ctx: Canvas, f: Frame, data: ChartData, colours: Colours, hole: CanvasPattern | string): void {
  ctx.fillStyle = colours.panel;
  ctx.fillRect(0, 0, f.width, f.height);
  inside(ctx, f, f.top, f.plotHeight, () => {
    shades(ctx, f, data, colours, hole);
    grid(ctx, f, data, colours);
    samples(ctx, f, data, colours);
    lines(ctx, f, data, colours);
  });
  inside(ctx, f, 0, f.height, () => {
    strips(ctx, f, data, colours);
    breaks(ctx, f, data, colours);
  });
  axes(ctx, f, data, colours);
  if (f.named) names(ctx, f, data, colours);
}

/** Draws within the plot's width. */
function inside(ctx: Canvas, f: Frame, top: number, height: number, paint: () => void): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(f.left, top, f.plotWidth, height);
  ctx.clip();
  paint();
  ctx.restore();
}

/** Fills spans of slots over the whole height, each at least a mark wide. */
function shade(ctx: Canvas, f: Frame, all: Slots, is: (flags: number) => boolean, style: CanvasPattern | string): void {
  ctx.fillStyle = style;
  for (const { from, until } of spans(all, is)) {
    if (until < f.view.from || from > f.view.until) continue;
    const left = f.x(from);
    ctx.fillRect(left, f.top, Math.max(MARK_PX_MIN, f.x(until) - left), f.plotHeight);
  }
}

function shades(ctx: Canvas, f: Frame, { slots, hidden }: ChartData, colours: Colours, hole: CanvasPattern | string): void {
  shade(ctx, f, slots, (flags) => (flags & IN_SERVICE) === 0, colours.raised);
  if (!hidden.has("incidents")) shade(ctx, f, slots, (flags) => (flags & INCIDENT) !== 0, colours.warnFill);
  if (!hidden.has("holes")) shade(ctx, f, slots, isHole, hole);
}

function grid(ctx: Canvas, f: Frame, data: ChartData, colours: Colours): void {
  ctx.fillStyle = colours.line;
  for (const at of ticksOfTime(f, data)) ctx.fillRect(Math.round(f.x(at)), f.top, 1, f.plotHeight);
  for (const bps of ticksOfRate(f)) ctx.fillRect(f.left, Math.round(f.y(bps)), f.plotWidth, 1);
}

function ticksOfTime(f: Frame, data: ChartData): number[] {
  return timeTicks(f.view, data.midnights, data.slots.slot_ms / 60_000, f.plotWidth / TICK_PX);
}

function ticksOfRate(f: Frame): number[] {
  return roundTicks(f.rates.low, f.rates.high, f.plotHeight / 40);
}

function samples(ctx: Canvas, f: Frame, data: ChartData, colours: Colours): void {
  const { slots, hidden, method } = data;
  const stacked = method === "sum";
  const out = stacked ? sums(slots) : slots.out_bps;
  const series = (values: Float64Array, side: Side, line: string, fill: string) =>
    f.plotWidth / (f.view.until - f.view.from) >= STEP_PX_MIN
      ? steps(ctx, f, slots, values, side, line, fill)
      : peaks(ctx, f, slots, values, side, line, fill);
  if (!hidden.has("out")) series(out, stacked ? 1 : -1, colours.out, colours.outFill);
  if (!hidden.has("in")) series(slots.in_bps, 1, colours.in, colours.inFill);
  ctx.fillStyle = colours.muted;
  ctx.fillRect(f.left, Math.round(f.y(0)), f.plotWidth, 1);
}

const summed = new WeakMap<Slots, Float64Array>();

function sums(slots: Slots): Float64Array {
  let both = summed.get(slots);
  if (!both) summed.set(slots, (both = slots.in_bps.map((bps, at) => bps + slots.out_bps[at]!)));
  return both;
}

function peaks(ctx: Canvas, f: Frame, slots: Slots, values: Float64Array, side: Side, line: string, fill: string): void {
  const width = Math.floor(f.plotWidth);
  const { min, max, some } = columns(values, slots, f.view, width);
  // Whole pixels: nothing is smoothed, which is both sharp and quick.
  const y = (bps: number) => Math.round(f.y(bps));
  const zero = y(0);
  ctx.fillStyle = fill;
  for (let px = 0; px < width; px++) {
    if (some[px] === 1) ctx.fillRect(f.left + px, zero, 1, y(side * max[px]!) - zero);
  }
  ctx.fillStyle = line;
  for (let px = 0; px < width; px++) {
    if (some[px] !== 1) continue;
    let [low, high] = [min[px]!, max[px]!];
    // A column reaches to its neighbour, so that the outline has no holes.
    if (px > 0 && some[px - 1] === 1) {
      low = Math.min(low, max[px - 1]!);
      high = Math.max(high, min[px - 1]!);
    }
    const top = y(side * (side === 1 ? high : low));
    const bottom = y(side * (side === 1 ? low : high));
    ctx.fillRect(f.left + px, top, 1, Math.max(1, bottom - top));
  }
}

function steps(ctx: Canvas, f: Frame, slots: Slots, values: Float64Array, side: Side, line: string, fill: string): void {
  const zero = f.y(0);
  const first = Math.max(0, Math.floor(f.view.from));
  const end = Math.min(slots.count, Math.ceil(f.view.until));
  const outline = new Path2D();
  ctx.fillStyle = fill;
  let open = false;
  for (let at = first; at < end; at++) {
    if ((slots.flags[at]! & SAMPLE) === 0) {
      open = false;
      continue;
    }
    const left = Math.round(f.x(at));
    const right = Math.round(f.x(at + 1));
    const y = f.y(side * values[at]!);
    ctx.fillRect(left, zero, right - left, y - zero);
    if (open) outline.lineTo(left, y);
    else outline.moveTo(left, y);
    outline.lineTo(right, y);
    open = true;
  }
  ctx.strokeStyle = line;
  ctx.lineWidth = 1.5;
  ctx.setLineDash([]);
  ctx.stroke(outline);
}

/** Dash and width of each line. */
const STROKES: Partial<Record<Layer, { dash: number[]; width: number }>> = {
  allowance: { dash: [6, 4], width: 1.5 },
  p95: { dash: [], width: 2 },
  locked_in: { dash: [2, 3], width: 2 },
  what_if: { dash: [10, 4, 2, 4], width: 1.5 },
};

function lineColour(layer: Layer, colours: Colours): string {
  switch (layer) {
    case "p95":
    case "locked_in":
    case "projected":
      return colours.p95;
    case "what_if":
      return colours.warn;
    default:
      return colours.text;
  }
}

function lines(ctx: Canvas, f: Frame, data: ChartData, colours: Colours): void {
  for (const { side, from, until, low_bps, high_bps } of bands(data)) {
    const top = f.y(side * high_bps);
    const bottom = f.y(side * low_bps);
    ctx.fillStyle = colours.p95Fill;
    ctx.fillRect(f.x(from), top, f.x(until) - f.x(from), bottom - top);
    ctx.fillStyle = colours.p95;
    ctx.globalAlpha = 0.55;
    for (const y of [top, bottom]) ctx.fillRect(f.x(from), y - 0.5, f.x(until) - f.x(from), 1);
    ctx.globalAlpha = 1;
  }
  for (const { layer, side, steps } of levels(data)) {
    const stroke = STROKES[layer]!;
    ctx.strokeStyle = lineColour(layer, colours);
    ctx.lineWidth = stroke.width;
    ctx.setLineDash(stroke.dash);
    ctx.beginPath();
    for (const { from, until, bps } of steps) {
      const y = f.y(side * bps);
      // A dashed line far outside the view costs as much as one inside it.
      ctx.lineTo(Math.max(f.left - 20, f.x(from)), y);
      ctx.lineTo(Math.min(f.left + f.plotWidth + 20, Math.max(f.left - 20, f.x(until))), y);
    }
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

function strips(ctx: Canvas, f: Frame, { slots, hidden }: ChartData, colours: Colours): void {
  const of = { discarded: { flag: DISCARDED, colour: colours.accent }, partial: { flag: PARTIAL, colour: colours.warn } };
  STRIPS.forEach((strip, i) => {
    const top = f.strips + i * STRIP_PX;
    ctx.fillStyle = colours.line;
    ctx.fillRect(f.left, top + STRIP_PX - 3, f.plotWidth, 1);
    if (hidden.has(strip)) return;
    const { flag, colour } = of[strip];
    ctx.fillStyle = colour;
    const first = Math.max(0, Math.floor(f.view.from));
    const end = Math.min(slots.count, Math.ceil(f.view.until));
    for (let at = first; at < end; at++) {
      if ((slots.flags[at]! & flag) === 0) continue;
      const from = at;
      while (at + 1 < end && (slots.flags[at + 1]! & flag) !== 0) at += 1;
      const left = f.x(from);
      ctx.fillRect(left, top, Math.max(1, f.x(at + 1) - left), STRIP_PX - 2);
    }
  });
}

function breaks(ctx: Canvas, f: Frame, { slots, breaks, hidden }: ChartData, colours: Colours): void {
  if (hidden.has("breaks")) return;
  ctx.font = colours.font;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  let free = -Infinity;
  for (const { at, kind } of breaks) {
    const x = f.x((Date.parse(at) - slots.from_ms) / slots.slot_ms);
    if (x < f.left - 2 || x > f.left + f.plotWidth) continue;
    ctx.fillStyle = colours.text;
    ctx.fillRect(Math.round(x), f.top - 4, 1, f.plotHeight + 4);
    ctx.beginPath();
    ctx.moveTo(x - 4, f.top - 6);
    ctx.lineTo(x + 5, f.top - 6);
    ctx.lineTo(x + 0.5, f.top);
    ctx.fill();
    const name = t.breakKind(kind);
    const width = ctx.measureText(name).width;
    if (x > free && x + 8 + width < f.left + f.plotWidth) {
      ctx.fillText(name, x + 8, f.top - 3);
      free = x + 12 + width;
    }
  }
}

function axes(ctx: Canvas, f: Frame, data: ChartData, colours: Colours): void {
  const { slots, timezone } = data;
  ctx.font = colours.font;
  ctx.fillStyle = colours.muted;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  const ticks = ticksOfRate(f);
  const step = ticks.length > 1 ? ticks[1]! - ticks[0]! : 1;
  for (const bps of ticks) ctx.fillText(rateLabel(bps, step), f.left - 6, f.y(bps));
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  const midnights = new Set(data.midnights);
  for (const at of ticksOfTime(f, data)) {
    const at_ms = slots.from_ms + at * slots.slot_ms;
    const label = midnights.has(at) ? shortDate(at_ms, timezone) : clock(at_ms, timezone);
    const half = ctx.measureText(label).width / 2;
    ctx.fillText(label, Math.min(f.width - half - 2, Math.max(f.left, f.x(at))), f.height - 5);
  }
}

/** What each line is, at its end; those that are close to each other one below the other. */
function names(ctx: Canvas, f: Frame, data: ChartData, colours: Colours): void {
  const found: { y: number; text: string; colour: string }[] = [];
  const add = (layer: Layer, bps: number, text: string) => {
    const y = f.y(f.side * bps);
    if (y < f.top - 1 || y > f.top + f.plotHeight + 1) return;
    found.push({ y, text, colour: lineColour(layer, colours) });
  };
  for (const { layer, name, side, steps } of levels(data)) {
    const step = steps.find(({ from, until }) => from < f.view.until && until >= f.view.until) ?? steps.at(-1);
    if (side !== f.side || !step) continue;
    add(layer, step.bps, `${t.lineName[name]} ${mbpsFine(step.bps)}`);
  }
  for (const { side, from, low_bps, high_bps } of bands(data)) {
    if (side !== f.side || f.view.until <= from) continue;
    add("projected", (low_bps + high_bps) / 2, t.lineName.projected);
  }
  found.sort((a, b) => a.y - b.y);
  let bottom = f.top - NAME_LINE_PX / 2;
  for (const name of found) bottom = name.y = Math.max(name.y, bottom + NAME_LINE_PX);
  let limit = f.top + f.plotHeight;
  for (const name of found.toReversed()) limit = (name.y = Math.min(name.y, limit)) - NAME_LINE_PX;
  ctx.font = colours.font;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const { y, text, colour } of found) {
    ctx.fillStyle = colour;
    ctx.fillText(text, f.left + f.plotWidth + 8, y);
  }
}

/** By decimals: making a formatter costs far more than using one. */
const rateFormats: Intl.NumberFormat[] = [];

function rateLabel(bps: number, step: number): string {
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step / 1_000_000) + 1e-9)));
  rateFormats[decimals] ??= new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return rateFormats[decimals].format(Math.abs(bps) / 1_000_000);
}
