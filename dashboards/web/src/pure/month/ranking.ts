// Which samples are left out, which one decides, and how long the server was above its allowance (SPEC.md sections 5 to 7).
// Only to mark them: the figures are the API's.

import type { Method } from "../../api/usage";
import { ABOVE, counts, DISCARDED, EXPECTED, startOf, type Slots } from "./slots";

export interface Ranking {
  /** Slots in the order in which they are ranked, the largest first; ones without a sample come after and are not here. */
  order: Int32Array;
  /** A slot's place in it, 1 for the largest; 0 where it is not ranked. */
  place: Int32Array;
  /** For `separate` the direction that decides. */
  direction: "in" | "out" | undefined;
  /** What was ranked of each slot. */
  value_bps: Float64Array;
  /** The slot with `discarded` before it; undefined where one without a sample decides, which counts as 0. */
  decides: number | undefined;
}

/**
 * Ranks by how far a slot is over its allowance, then by how large it is; of equal ones the earlier is the larger. For
 * `separate` the direction with the larger result is ranked, in unless out is larger. The first `discarded` are marked.
 */
export function rank(all: Slots, method: Method, discarded: number): Ranking {
  const counted: number[] = [];
  for (let at = 0; at < all.count; at++) {
    all.flags[at]! &= ~DISCARDED;
    if (counts(all.flags[at]!)) counted.push(at);
  }
  let value_bps = all.value_bps;
  let direction: Ranking["direction"];
  let order: Int32Array;
  if (method === "separate") {
    const ins = ordered(all, all.in_bps, counted);
    const outs = ordered(all, all.out_bps, counted);
    const outIsLarger = compare(all, all.out_bps, outs[discarded], all.in_bps, ins[discarded]) > 0;
    direction = outIsLarger ? "out" : "in";
    order = outIsLarger ? outs : ins;
    value_bps = outIsLarger ? all.out_bps : all.in_bps;
  } else {
    order = ordered(all, value_bps, counted);
  }
  const place = new Int32Array(all.count);
  order.forEach((at, i) => {
    place[at] = i + 1;
    if (i < discarded) all.flags[at]! |= DISCARDED;
  });
  return { order, place, direction, value_bps, decides: order[discarded] };
}

function excess(all: Slots, values: Float64Array, at: number): number {
  return Math.max(0, values[at]! - all.allowance_bps[at]!);
}

function ordered(all: Slots, values: Float64Array, counted: readonly number[]): Int32Array {
  return Int32Array.from(counted).sort(
    (a, b) => excess(all, values, b) - excess(all, values, a) || values[b]! - values[a]! || a - b,
  );
}

/** Whether the one result is larger; a slot that is not there counts as 0. */
function compare(all: Slots, values: Float64Array, at: number | undefined, others: Float64Array, other: number | undefined): number {
  const result = (of: Float64Array, i: number | undefined) => (i === undefined ? [0, 0] : [excess(all, of, i), of[i]!]);
  const [excessA = 0, valueA = 0] = result(values, at);
  const [excessB = 0, valueB = 0] = result(others, other);
  return excessA - excessB || valueA - valueB;
}

/** All ranked values, the largest first: slots without a sample are the zeros at its end, as many as make up `ranked`. */
export function duration(ranking: Ranking, ranked: number): Float64Array {
  const values = new Float64Array(Math.max(0, ranked));
  const sorted = Float64Array.from(ranking.order, (at) => ranking.value_bps[at]!).sort().reverse();
  values.set(sorted.subarray(0, values.length));
  return values;
}

/** How a server spent its burst. */
export interface Burst {
  /** Slots above the allowance. */
  above: number;
  /** The first of them. */
  first_ms: number | undefined;
  /** The end of the one that used up the last of the free slots. */
  usedUp_ms: number | undefined;
}

export function burst(all: Slots, free: number): Burst {
  let above = 0;
  let first_ms: number | undefined;
  let usedUp_ms: number | undefined;
  for (let at = 0; at < all.count; at++) {
    const flags = all.flags[at]!;
    if (!counts(flags) || (flags & ABOVE) === 0) continue;
    above += 1;
    first_ms ??= startOf(all, at);
    if (above === free) usedUp_ms = startOf(all, at + 1);
  }
  return { above, first_ms, usedUp_ms };
}

const WEEK_MS = 7 * 86_400_000;

/**
 * When the free slots are used up if the server goes on as in the last seven days: an instant, "lasts" when not before
 * the period's end, undefined when the month has not run for seven days or nothing is left.
 */
export function runsOut(all: Slots, left: number, until_ms: number): number | "lasts" | undefined {
  let end = all.count;
  while (end > 0 && (all.flags[end - 1]! & EXPECTED) === 0) end -= 1;
  const week = WEEK_MS / all.slot_ms;
  const from = end - week;
  if (left <= 0 || from < 0 || (all.flags[from]! & EXPECTED) === 0) return undefined;
  let above = 0;
  for (let at = from; at < end; at++) if (counts(all.flags[at]!) && (all.flags[at]! & ABOVE) !== 0) above += 1;
  if (above === 0) return "lasts";
  const at_ms = startOf(all, end) + Math.ceil((left * week) / above) * all.slot_ms;
  return at_ms >= until_ms ? "lasts" : at_ms;
}
