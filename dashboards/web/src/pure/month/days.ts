// A month's days and hours in the billing time zone, with the largest sample of each hour.

import { counts, isHole, startOf, EXPECTED, SAMPLE, type Slots } from "./slots";

/** Time zones change their offset at whole half-hours. */
const HALF_HOUR_MS = 1_800_000;

export interface Hour {
  /** 0 to 23, as the clock shows it. */
  hour: number;
  /** Its first slot, and the one after its last; an hour that the clock repeats is one. */
  from: number;
  until: number;
  /** Slots in which a sample is expected, and those with one. */
  expected: number;
  samples: number;
  /** The slot with the largest value; undefined without a sample. */
  largest: number | undefined;
  /** That value as a multiple of what is granted in its slot. */
  ratio: number;
}

export interface Day {
  /** 1 to 31. */
  day: number;
  /** 0 is Sunday. */
  weekday: number;
  from: number;
  until: number;
  hours: Hour[];
}

/** The days of the slots, in order. */
export function days(all: Slots, timezone: string): Day[] {
  const found: Day[] = [];
  let offset_ms = 0;
  for (let at = 0; at < all.count; at++) {
    const start = startOf(all, at);
    if (at === 0 || start % HALF_HOUR_MS === 0) offset_ms = offsetAt(start, timezone);
    const local = new Date(start + offset_ms);
    let day = found.at(-1);
    if (!day || day.day !== local.getUTCDate()) {
      day = { day: local.getUTCDate(), weekday: local.getUTCDay(), from: at, until: at, hours: [] };
      found.push(day);
    }
    day.until = at + 1;
    const clock = local.getUTCHours();
    let hour = day.hours.at(-1);
    if (!hour || hour.hour !== clock) {
      hour = { hour: clock, from: at, until: at, expected: 0, samples: 0, largest: undefined, ratio: 0 };
      day.hours.push(hour);
    }
    take(hour, all, at);
  }
  return found;
}

function take(hour: Hour, all: Slots, at: number): void {
  hour.until = at + 1;
  const flags = all.flags[at]!;
  if (isHole(flags) || counts(flags)) hour.expected += 1;
  if ((flags & SAMPLE) === 0 || (flags & EXPECTED) === 0) return;
  if (counts(flags)) hour.samples += 1;
  const ratio = multiple(all.value_bps[at]!, all.allowance_bps[at]!);
  // By how many times it is over what was granted, not by its size alone: what is granted may change within the hour.
  if (hour.largest === undefined || ratio > hour.ratio) {
    hour.largest = at;
    hour.ratio = ratio;
  }
}

function multiple(value: number, allowance: number): number {
  if (value === 0) return 0;
  return allowance === 0 ? Infinity : value / allowance;
}

/** From which multiple of the allowance on each level holds: four below it, four above. */
export const LEVELS = [0, 0.25, 0.5, 0.75, 1, 2, 5, 10] as const;

/** The level of an hour's largest value, 0 to 7; exactly the allowance is not above it. */
export function level(ratio: number): number {
  let found = 0;
  LEVELS.forEach((from, i) => {
    if (i >= 4 ? ratio > from : ratio >= from) found = i;
  });
  return found;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far a time zone's clock is ahead of UTC. */
function offsetAt(at_ms: number, timezone: string): number {
  let format = formats.get(timezone);
  if (!format) {
    const fields = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const;
    format = new Intl.DateTimeFormat("en-US", { timeZone: timezone, hourCycle: "h23", ...fields });
    formats.set(timezone, format);
  }
  const of: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at_ms)) of[type] = Number(value);
  const local = Date.UTC(of["year"]!, of["month"]! - 1, of["day"], of["hour"], of["minute"]);
  return local - Math.floor(at_ms / 60_000) * 60_000;
}

