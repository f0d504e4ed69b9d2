// What a month's chart shows, and between which rates. Pure.

import type { Break } from "../api/periods";
import type { AllowanceStep } from "../api/servers";
import type { Method } from "../api/usage";
import type { Figures } from "../pure/month/figures";
import { SAMPLE, type Slots } from "../pure/month/slots";
import type { View } from "../pure/month/view";

/** What can be switched off, in the order of the legend. */
export const LAYERS = [
  "in",
  "out",
  "allowance",
  "p95",
  "locked_in",
  "projected",
  "what_if",
  "discarded",
  "partial",
  "holes",
  "breaks",
  "incidents",
] as const;
export type Layer = (typeof LAYERS)[number];

export interface ChartData {
  slots: Slots;
  /** The days' first slots, with the month's end as the last. */
  midnights: readonly number[];
  timezone: string;
  method: Method;
  figures: Figures | undefined;
  allowances: readonly AllowanceStep[];
  breaks: readonly Break[];
  /** Other terms, if some are tried. */
  whatIf: { allowance_bps: number; p95_bps: number | null } | undefined;
  /** The first slot that has not closed. */
  now: number;
  hidden: ReadonlySet<Layer>;
}

/** 1 is above the axis (in), -1 below it (out). */
export type Side = 1 | -1;

/** A rate that holds from a slot until another. */
export interface Level {
  layer: Layer;
  /** Which of the words at its end it has. */
  name: "allowance" | "p95" | "locked_in" | "then_allowance" | "then_p95";
  side: Side;
  steps: { from: number; until: number; bps: number }[];
}

/** A band of rates. */
export interface Band {
  side: Side;
  from: number;
  until: number;
  low_bps: number;
  high_bps: number;
}

/** On which sides of the axis the allowance holds. */
export function sides(method: Method): Side[] {
  if (method === "in" || method === "sum") return [1];
  return method === "out" ? [-1] : [1, -1];
}

/** The lines that are to be seen. */
export function levels(data: ChartData): Level[] {
  const { slots, figures, method, hidden, whatIf } = data;
  const all: Level[] = [];
  const both = sides(method);
  const steps = allowanceSteps(data);
  for (const side of both) all.push({ layer: "allowance", name: "allowance", side, steps });
  const flat = (bps: number, from = 0) => [{ from, until: slots.count, bps }];
  if (figures) {
    if (figures.p95_bps !== null) {
      const { p95_bps, p95_in_bps, p95_out_bps } = figures;
      for (const side of both) {
        const own = side === 1 ? p95_in_bps : p95_out_bps;
        all.push({ layer: "p95", name: "p95", side, steps: flat(method === "separate" && own !== null ? own : p95_bps) });
      }
    }
    const locked = figures.locked_in_p95_bps;
    if (locked !== null) for (const side of both) all.push({ layer: "locked_in", name: "locked_in", side, steps: flat(locked) });
  }
  if (whatIf) {
    // Known is what would be granted at the end; before the last change it would have been something else.
    const from = steps.at(-1)?.from ?? 0;
    for (const side of both) {
      all.push({ layer: "what_if", name: "then_allowance", side, steps: flat(whatIf.allowance_bps, from) });
      if (whatIf.p95_bps !== null) all.push({ layer: "what_if", name: "then_p95", side, steps: flat(whatIf.p95_bps) });
    }
  }
  return all.filter(({ layer }) => !hidden.has(layer));
}

/** Where the p95 will probably end, over the slots to come. */
export function bands({ figures, hidden, method, now, slots }: ChartData): Band[] {
  const projected = figures?.projected;
  if (!projected || hidden.has("projected") || now >= slots.count) return [];
  const { low_p95_bps: low_bps, high_p95_bps: high_bps } = projected;
  return sides(method).map((side) => ({ side, from: now, until: slots.count, low_bps, high_bps }));
}

function allowanceSteps({ slots, allowances }: ChartData): Level["steps"] {
  const at = (instant: string) => Math.min(slots.count, Math.max(0, Math.ceil((Date.parse(instant) - slots.from_ms) / slots.slot_ms)));
  return allowances.map((step, i) => {
    const next = allowances[i + 1];
    return { from: i === 0 ? 0 : at(step.from), until: next ? at(next.from) : slots.count, bps: step.bps };
  });
}

export interface Rates {
  /** At most 0: how far down it goes. */
  low: number;
  high: number;
}

/** The largest rates of the slots in view, out as a negative one unless stacked on in. */
export function extremes({ slots, method, hidden }: ChartData, view: View): Rates {
  let low = 0;
  let high = 0;
  const until = Math.min(slots.count, Math.ceil(view.until));
  const showIn = !hidden.has("in");
  const showOut = !hidden.has("out");
  for (let at = Math.max(0, Math.floor(view.from)); at < until; at++) {
    if ((slots.flags[at]! & SAMPLE) === 0) continue;
    const towards = slots.in_bps[at]!;
    const from = slots.out_bps[at]!;
    if (method === "sum") {
      const top = showOut ? towards + from : showIn ? towards : 0;
      if (top > high) high = top;
    } else {
      if (showIn && towards > high) high = towards;
      if (showOut && -from < low) low = -from;
    }
  }
  return { low, high };
}

/**
 * The samples in view, the lines, and some air. The lines are sure to be seen on the side of the larger direction; the
 * other side keeps the scale of its samples, and shows a line where one comes near them.
 */
export function rates(data: ChartData, view: View): Rates {
  let { low, high } = extremes(data, view);
  const larger = largerSide(data, { low, high });
  const see = (side: Side, bps: number) => {
    if (side !== larger && data.method !== "separate") return;
    if (side === 1) high = Math.max(high, bps);
    else low = Math.min(low, -bps);
  };
  for (const { layer, side, steps } of levels(data)) {
    for (const step of steps) {
      if (layer === "allowance" && (step.until <= view.from || step.from >= view.until)) continue;
      see(side, step.bps);
    }
  }
  for (const band of bands(data)) if (view.until > band.from) see(band.side, band.high_bps);
  const air = (high - low || 1) * 0.06;
  return { low: low < 0 ? low - air : 0, high: high > 0 || low === 0 ? high + air : air };
}

/** The side on which lines are named. */
export function largerSide({ method }: Pick<ChartData, "method">, { low, high }: Rates): Side {
  const both = sides(method);
  return both.length === 1 ? both[0]! : high >= -low ? 1 : -1;
}

/** How many slots of the view share a pixel at most before each is drawn as a step of its own. */
export const STEP_PX_MIN = 2;

/** The smallest and largest of a series' samples in a pixel column, and whether there is any. */
export interface Columns {
  min: Float64Array;
  max: Float64Array;
  some: Uint8Array;
}

/**
 * For each of `width` columns the extremes of all slots that it touches, so that a peak of one slot reaches its true
 * height however many share a column.
 */
export function columns(values: Float64Array, all: Slots, view: View, width: number): Columns {
  const out: Columns = { min: new Float64Array(width), max: new Float64Array(width), some: new Uint8Array(width) };
  const perPx = (view.until - view.from) / width;
  for (let px = 0; px < width; px++) {
    const left = view.from + px * perPx;
    const from = Math.max(0, Math.floor(left));
    const until = Math.min(all.count, Math.max(from + 1, Math.ceil(left + perPx)));
    let min = Infinity;
    let max = -Infinity;
    for (let at = from; at < until; at++) {
      if ((all.flags[at]! & SAMPLE) === 0) continue;
      const value = values[at]!;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    if (max === -Infinity) continue;
    out.min[px] = min;
    out.max[px] = max;
    out.some[px] = 1;
  }
  return out;
}

/** Of some slots the one with the largest ranked value; the first where none has a sample. */
export function rankedMax(all: Slots, from: number, until: number): number {
  let found = Math.min(all.count - 1, Math.max(0, from));
  let largest = -1;
  for (let at = found; at < Math.min(all.count, until); at++) {
    if ((all.flags[at]! & SAMPLE) === 0 || all.value_bps[at]! <= largest) continue;
    largest = all.value_bps[at]!;
    found = at;
  }
  return found;
}
