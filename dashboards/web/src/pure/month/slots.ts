// A month slot by slot, in arrays: what was measured, what was granted, and what each slot is.

import type { Exclusion } from "../../api/periods";
import type { AllowanceStep, Sample } from "../../api/servers";
import type { Method } from "../../api/usage";
import { rankedValue } from "../ranked";

/** It has a sample. */
export const SAMPLE = 1;
/** Not all ports counted in it. */
export const PARTIAL = 2;
/** It lies in the service span and has closed: a sample is expected. */
export const EXPECTED = 4;
/** A declared incident takes it out of the figures. */
export const EXCLUDED = 8;
/** Its value is larger than the allowance. */
export const ABOVE = 16;
/** It is one of the largest that are left out. */
export const DISCARDED = 32;
/** It lies in the service span, closed or not. */
export const IN_SERVICE = 64;
/** It lies in a declared incident, left out of the figures yet or not. */
export const INCIDENT = 128;

export interface Slots {
  /** The first slot's start, and how long each is. */
  from_ms: number;
  slot_ms: number;
  count: number;
  in_bps: Float64Array;
  out_bps: Float64Array;
  /** What the method ranks; for `separate` the larger direction. */
  value_bps: Float64Array;
  allowance_bps: Float64Array;
  flags: Uint8Array;
}

export interface Asked {
  from_ms: number;
  until_ms: number;
  slot_s: number;
  method: Method;
  samples: readonly Sample[];
  allowances: readonly AllowanceStep[];
  /** Half-open; undefined where it has no end. */
  service: { from_ms: number | undefined; until_ms: number | undefined };
  /** How many slots of the service span have closed; undefined: as far as there are samples. */
  closed: number | undefined;
  incidents: readonly Pick<Exclusion, "from" | "until">[];
  /** Whether the figures are without the incidents' slots. */
  leftOut: boolean;
}

/** The month's slots. Samples outside it, or at an odd time, are none of its business. */
export function slots(asked: Asked): Slots {
  const slot_ms = asked.slot_s * 1_000;
  const from_ms = Math.ceil(asked.from_ms / slot_ms) * slot_ms;
  const count = Math.max(0, Math.ceil((asked.until_ms - from_ms) / slot_ms));
  const all: Slots = {
    from_ms,
    slot_ms,
    count,
    in_bps: new Float64Array(count),
    out_bps: new Float64Array(count),
    value_bps: new Float64Array(count),
    allowance_bps: new Float64Array(count),
    flags: new Uint8Array(count),
  };
  grant(all, asked.allowances);
  let newest = -1;
  for (const sample of asked.samples) {
    const at = (Date.parse(sample.slot) - from_ms) / slot_ms;
    if (!Number.isInteger(at) || at < 0 || at >= count) continue;
    const value = rankedValue(asked.method, sample);
    all.in_bps[at] = sample.in_bps;
    all.out_bps[at] = sample.out_bps;
    all.value_bps[at] = value;
    all.flags[at] = SAMPLE | (sample.partial ? PARTIAL : 0) | (value > all.allowance_bps[at]! ? ABOVE : 0);
    newest = at;
  }
  const first = asked.service.from_ms === undefined ? 0 : slotAtOrAfter(all, asked.service.from_ms);
  const end = asked.service.until_ms === undefined ? count : slotAtOrAfter(all, asked.service.until_ms);
  const closed = asked.closed === undefined ? newest + 1 : Math.min(end, first + asked.closed);
  for (let at = first; at < end; at++) all.flags[at]! |= at < closed ? IN_SERVICE | EXPECTED : IN_SERVICE;
  const incident = asked.leftOut ? INCIDENT | EXCLUDED : INCIDENT;
  for (const { from, until } of asked.incidents) {
    const end = slotAtOrAfter(all, Date.parse(until));
    for (let at = slotAtOrAfter(all, Date.parse(from)); at < end; at++) all.flags[at]! |= incident;
  }
  return all;
}

/** The start of a slot. */
export function startOf(all: Slots, at: number): number {
  return all.from_ms + at * all.slot_ms;
}

/** Whether a slot's sample is ranked. */
export function counts(flags: number): boolean {
  return (flags & (SAMPLE | EXPECTED | EXCLUDED)) === (SAMPLE | EXPECTED);
}

/** Whether a sample is expected in a slot, and there is none. */
export function isHole(flags: number): boolean {
  return (flags & (SAMPLE | EXPECTED | EXCLUDED)) === EXPECTED;
}

export interface Span {
  /** The first slot, and the one after the last. */
  from: number;
  until: number;
}

/** The unbroken spans of slots that `is` is true of. */
export function spans(all: Slots, is: (flags: number) => boolean): Span[] {
  const found: Span[] = [];
  let from = -1;
  for (let at = 0; at <= all.count; at++) {
    const inside = at < all.count && is(all.flags[at]!);
    if (inside && from < 0) from = at;
    if (!inside && from >= 0) {
      found.push({ from, until: at });
      from = -1;
    }
  }
  return found;
}

function slotAtOrAfter(all: Slots, at_ms: number): number {
  return Math.min(all.count, Math.max(0, Math.ceil((at_ms - all.from_ms) / all.slot_ms)));
}

/** What is granted at each slot's start; before the first step as in it. */
function grant(all: Slots, steps: readonly AllowanceStep[]): void {
  let from = 0;
  steps.forEach((step, i) => {
    const next = steps[i + 1];
    const until = next ? slotAtOrAfter(all, Date.parse(next.from)) : all.count;
    all.allowance_bps.fill(step.bps, from, Math.max(from, until));
    from = Math.max(from, until);
  });
}
