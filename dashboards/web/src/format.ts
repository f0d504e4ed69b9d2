// Figures and times as people read them. Only display: no figure made here goes back into an account.

import { locale } from "./language";
import { t } from "./words/common";

const SLOT_MINUTES = 5;

const rate = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const fineRate = new Intl.NumberFormat(locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });

/** bit/s as Mbps with two decimals, so that a column lines up: 858,831 is 0.86. A trace is not shown as zero. */
export function mbps(bps: number): string {
  if (bps === 0) return "0";
  if (bps < 5_000) return "<0.01";
  return rate.format(bps / 1_000_000);
}

/** The same with three decimals below 10 Mbps, for a figure that stands alone. */
export function mbpsFine(bps: number): string {
  if (bps === 0) return "0";
  if (bps < 500) return "<0.001";
  return bps < 10_000_000 ? fineRate.format(bps / 1_000_000) : rate.format(bps / 1_000_000);
}

/** The exact figure behind a rounded one: 858,831 bit/s. */
export function bitPerSecond(bps: number): string {
  return `${whole.format(bps)} bit/s`;
}

export function count(n: number): string {
  return whole.format(n);
}

/** A port's speed: 1,000,000,000 is 1 Gbps. */
export function speed(bps: number): string {
  return bps >= 1_000_000_000 ? `${number(bps / 1_000_000_000)} Gbps` : `${number(bps / 1_000_000)} Mbps`;
}

function number(n: number): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(n);
}

/** Slots as hours and minutes, the way SPEC.md writes them: 446 is 37 h 10. */
export function hours(slots: number): string {
  const minutes = slots * SLOT_MINUTES;
  return t.hours(whole.format(Math.floor(minutes / 60)), String(minutes % 60).padStart(2, "0"));
}

/** A decimal string such as 0.9997 as 99.97 %, cut and not rounded: 100 % is said only of a whole. */
export function percent(decimal: string): string {
  const hundredths = Math.floor(Number(decimal) * 10_000 + 1e-6);
  return `${(hundredths / 100).toFixed(2)} %`;
}

/** A decimal string as money. The digits are the API's own. */
export function money(amount: string, currency: string): string {
  const decimals = amount.split(".")[1]?.length ?? 0;
  try {
    return new Intl.NumberFormat(locale, {
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    }).format(amount as Intl.StringNumericLiteral);
  } catch {
    return `${amount} ${currency}`;
  }
}

/** 2026-11 moved by whole months. */
export function shiftPeriod(period: string, months: number): string {
  const [year = 0, month = 1] = period.split("-").map(Number);
  const index = year * 12 + (month - 1) + months;
  return `${String(Math.floor(index / 12)).padStart(4, "0")}-${String((index % 12) + 1).padStart(2, "0")}`;
}

/** The calendar month of an instant in a time zone: 2026-11. */
export function periodOf(instant: Date, timezone: string): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: timezone, year: "numeric", month: "2-digit" });
  const part = (type: string) => parts.formatToParts(instant).find((p) => p.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}`;
}

/** November 2026. */
export function periodName(period: string): string {
  const [year = 0, month = 1] = period.split("-").map(Number);
  return dateFormat("UTC", { year: "numeric", month: "long" }).format(Date.UTC(year, month - 1, 1));
}

/** Nov, and in January the year: Jan 2027. */
export function monthName(period: string): string {
  const [year = 0, month = 1] = period.split("-").map(Number);
  const at = Date.UTC(year, month - 1, 1);
  return dateFormat("UTC", month === 1 ? { year: "numeric", month: "short" } : { month: "short" }).format(at);
}

export function dateTime(instant: string | number, timezone: string): string {
  return dateFormat(timezone, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(toMs(instant));
}

export function weekdayDate(instant: string | number, timezone: string): string {
  return dateFormat(timezone, { weekday: "short", month: "short", day: "numeric" }).format(toMs(instant));
}

export function shortDate(instant: string | number, timezone: string): string {
  return dateFormat(timezone, { month: "short", day: "numeric" }).format(toMs(instant));
}

export function clock(instant: string | number, timezone: string): string {
  return dateFormat(timezone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(toMs(instant));
}

/** The time alone if it is on the same day as `beside`, otherwise the date alone. */
export function clockOrDate(instant: string, beside: string, timezone: string): string {
  const sameDay = shortDate(instant, timezone) === shortDate(beside, timezone);
  return sameDay ? clock(instant, timezone) : shortDate(instant, timezone);
}

/** How long ago, in the largest unit that fits. */
export function ago(instant: string, now: string | number): string {
  const seconds = Math.max(0, Math.round((toMs(now) - toMs(instant)) / 1000));
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "always" });
  if (seconds < 60) return relative.format(-seconds, "second");
  if (seconds < 3_600) return relative.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 172_800) return relative.format(-Math.floor(seconds / 3_600), "hour");
  return relative.format(-Math.floor(seconds / 86_400), "day");
}

export function toMs(instant: string | number): number {
  return typeof instant === "number" ? instant : Date.parse(instant);
}

// Making a formatter costs far more than using one.
const dateFormats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(timezone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = timezone + JSON.stringify(options);
  let format = dateFormats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { ...options, timeZone: timezone });
    dateFormats.set(key, format);
  }
  return format;
}
