// The burst budget: how long the server may be above its allowance, how long it was, and when that was used up.

import { dateTime, hours, shortDate } from "../../format";
import { runsOut } from "../../pure/month/ranking";
import { t } from "../../words/server";
import { Panel } from "../panel";
import type { Month } from "./month";

export function BurstPanel({ month }: { month: Month }) {
  const { figures, burst, slots, usage, timezone } = month;
  if (!figures || figures.p95_bps === null) return null;
  const all = figures.burst_slots;
  const left = figures.burst_left_slots;
  const used = all - left;
  const beyond = Math.max(0, burst.above - all);
  const part = (n: number) => `${((n / Math.max(1, all)) * 100).toFixed(1)}%`;
  const out = month.running ? runsOut(slots, left, Date.parse(usage.until)) : undefined;
  return (
    <Panel title={t.burst} class="burst-panel">
      <div class={left === 0 ? "burst-gauge spent" : "burst-gauge"} role="img" aria-label={t.burstSummary(hours(used), hours(left), hours(all))}>
        <span style={{ width: part(used) }} />
        {[0.25, 0.5, 0.75].map((at) => (
          <i key={at} style={{ left: `${at * 100}%` }} />
        ))}
      </div>
      <dl class="burst-figures">
        <div>
          <dt>{t.burstUsed}</dt>
          <dd>{hours(used)}</dd>
        </div>
        <div>
          <dt>{t.burstLeft}</dt>
          <dd class={left === 0 ? "over" : undefined}>{hours(left)}</dd>
        </div>
        <div>
          <dt>{t.burstFree}</dt>
          <dd>{hours(all)}</dd>
        </div>
      </dl>
      <p class="muted">{t.burstRule}</p>
      {beyond > 0 && <p class="over">{t.burstBeyond(hours(burst.above), hours(beyond))}</p>}
      {burst.usedUp_ms !== undefined && <p>{t.burstUsedUp(dateTime(burst.usedUp_ms, timezone))}</p>}
      {typeof out === "number" && <p>{t.burstRunsOut(shortDate(out, timezone))}</p>}
      {out === "lasts" && <p>{t.burstLasts}</p>}
    </Panel>
  );
}
