// How long devices take to answer, as people read it and as a picture has it.

import { locale } from "../language";

/** The picture's scale: each power of ten is as wide as the next. */
export const SCALE = [
  { us: 100, says: "0.1 ms" },
  { us: 1_000, says: "1 ms" },
  { us: 10_000, says: "10 ms" },
  { us: 100_000, says: "0.1 s" },
  { us: 1_000_000, says: "1 s" },
  { us: 10_000_000, says: "10 s" },
] as const;

const FIRST = Math.log10(SCALE[0].us);
const DECADES = SCALE.length - 1;

/** Where on the scale a time lies, from 0 to 1. */
export function place(us: number): number {
  return Math.min(1, Math.max(0, (Math.log10(Math.max(us, 1)) - FIRST) / DECADES));
}

// Right to 6 %, so that two digits say all.
const two = new Intl.NumberFormat(locale, { minimumSignificantDigits: 2, maximumSignificantDigits: 2 });

/** 319 is 0.32: in ms, so that figures beside each other are compared at sight. */
export function milliseconds(us: number): string {
  return two.format(us / 1_000);
}

/** 319 is 0.32 ms, 1,200,000 is 1.2 s. */
export function duration(us: number): string {
  return us < 1_000_000 ? `${milliseconds(us)} ms` : `${two.format(us / 1_000_000)} s`;
}

/** Requests without an answer out of all, as the service's other parts of a whole are written; undefined without any. */
export function loss(timeouts: number, requests: number): string | undefined {
  if (requests === 0) return undefined;
  // Rounded up: none lost is said only of none.
  return `${(Math.ceil((timeouts * 10_000) / requests) / 100).toFixed(2)} %`;
}
