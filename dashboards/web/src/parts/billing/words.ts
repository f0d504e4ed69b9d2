// A statement's figures as sentences.

import { count } from "../../format";
import { locale } from "../../language";
import { t } from "../../words/billing";

/** Why slots have no sample, of several causes where several are named. */
export function gapCause(cause: string | null): string {
  if (cause === null) return t.unknownCause;
  return cause
    .split("+")
    .map((one) => t.causes[one] ?? one)
    .join(" · ");
}

/** A whole number of bit/s, exact. */
export function exact(bps: number | null): string {
  return bps === null ? "–" : count(bps);
}

/** A decimal string with its digits in groups, all of them kept. */
export function decimal(text: string): string {
  const decimals = text.split(".")[1]?.length ?? 0;
  const format = new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return format.format(text as Intl.StringNumericLiteral);
}

/** Whole bit/s as Mbps with all decimals that it has: 5,800,000 is 5.8. */
export function exactMbps(bps: number): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }).format(bps / 1_000_000);
}
