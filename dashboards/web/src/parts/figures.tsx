// Small pieces that all views show: a rate, an amount, an instant, a state.

import type { ComponentChildren } from "preact";
import { ago, bitPerSecond, dateTime, hours, mbps, money, percent } from "../format";
import { t } from "../words/common";

/** Below this a statement is held for a review (SPEC.md section 5, the default of `min_coverage`). */
const MIN_COVERAGE = 0.95;

/** Stands where there is no figure. Never a zero. */
export function None() {
  return (
    <span class="none" title={t.noData}>
      <span aria-hidden="true">–</span>
      <span class="sr">{t.noData}</span>
    </span>
  );
}

/** A bar of what is left of the burst, with the time beside it. */
export function BurstLeft({ left, all }: { left: number; all: number }) {
  const part = all === 0 ? 0 : Math.min(1, left / all);
  return (
    <span class={part === 0 ? "burst spent" : "burst"}>
      <span class="bar" aria-hidden="true">
        <span style={{ width: `${(part * 100).toFixed(1)}%` }} />
      </span>
      <span>{hours(left)}</span>
    </span>
  );
}

export function Coverage({ coverage }: { coverage: string | null }) {
  if (coverage === null) return <None />;
  return <span class={Number(coverage) < MIN_COVERAGE ? "low" : undefined}>{percent(coverage)}</span>;
}

/** A rate in Mbps; the exact figure stands in its tooltip. */
export function Rate({ bps, beside }: { bps: number | null; beside?: string | null | undefined }) {
  if (bps === null) return <None />;
  const exact = beside ? `${bitPerSecond(bps)}, ${beside}` : bitPerSecond(bps);
  return (
    <span class={bps === 0 ? "quiet" : undefined} title={exact}>
      {mbps(bps)}
    </span>
  );
}

/** An amount as the API has it; none where the plan has no price. */
export function Money({ amount, currency }: { amount: string | null; currency: string | null }) {
  if (amount === null || currency === null) return <None />;
  return <span class={Number(amount) === 0 ? "quiet" : undefined}>{money(amount, currency)}</span>;
}

/** How long ago something was, with the instant itself in its tooltip. */
export function Ago({ at, timezone }: { at: string | null; timezone: string }) {
  if (at === null) return <None />;
  return (
    <time dateTime={at} title={dateTime(at, timezone)}>
      {ago(at, Date.now())}
    </time>
  );
}

/** An instant, in the billing time zone. */
export function When({ at, timezone }: { at: string | null; timezone: string }) {
  if (at === null) return <None />;
  return <time dateTime={at}>{dateTime(at, timezone)}</time>;
}

export type Tone = "ok" | "warn" | "over" | "plain";

/** A state, as a word with a colour: the word alone says all. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={tone === "plain" ? "badge" : `badge ${tone}`}>{children}</span>;
}
