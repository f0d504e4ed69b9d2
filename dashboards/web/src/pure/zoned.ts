// What people type into fields, as the API takes it: a time in the billing time zone, a rate in Mbps.

/** For an `<input type="datetime-local">`: 2026-11-30T23:55, as the clock in `timezone` shows it. */
export function toField(instant: string | number, timezone: string): string {
  const ms = typeof instant === "number" ? instant : Date.parse(instant);
  return new Date(ms + offset_ms(ms, timezone)).toISOString().slice(0, 16);
}

/** The instant at which the clock in `timezone` shows what was typed, in Unix ms. Of one that it shows twice, the first. */
export function fromField(text: string, timezone: string): number | undefined {
  const shown = Date.parse(`${text}Z`);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) || Number.isNaN(shown)) return undefined;
  // The offset at the instant itself is not known yet; those a day before and after are all that it can be.
  for (const offset of [offset_ms(shown - 86_400_000, timezone), offset_ms(shown + 86_400_000, timezone)]) {
    if (shown - offset + offset_ms(shown - offset, timezone) === shown) return shown - offset;
  }
  return undefined;
}

function offset_ms(at_ms: number, timezone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(at_ms);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const shown = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return shown - Math.floor(at_ms / 1_000) * 1_000;
}

/** Mbps with at most six decimals as whole bit/s; undefined where it is none above 0. */
export function parseMbps(text: string): number | undefined {
  const match = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text.trim().replaceAll(",", ""));
  if (!match) return undefined;
  const bps = Number(match[1]) * 1_000_000 + Number((match[2] ?? "").padEnd(6, "0"));
  return bps > 0 ? bps : undefined;
}

/** Whole bit/s as Mbps with all its decimals, for a field: 44159000 is 44.159. */
export function mbpsField(bps: number): string {
  const decimals = String(bps % 1_000_000).padStart(6, "0").replace(/0+$/, "");
  const whole = String(Math.floor(bps / 1_000_000));
  return decimals === "" ? whole : `${whole}.${decimals}`;
}
