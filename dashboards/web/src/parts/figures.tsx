// Small pieces that both views show.

import { hours, percent } from "../format";
import { t } from "../messages";

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
