// The month's figures: p95, allowance, overage and its price, what is certain, and what was measured.

import type { ComponentChildren } from "preact";
import type { Server } from "../../api/servers";
import { bitPerSecond, count, hours, mbps, mbpsFine, money } from "../../format";
import { discarded, missingAs, type Figures } from "../../pure/month/figures";
import { t } from "../../words/server";
import { BurstLeft, Coverage, None } from "../figures";
import type { Month } from "./month";

export function FigureBoxes({ month }: { month: Month }) {
  const { figures, server, usage } = month;
  if (!figures) return null;
  const some = figures.p95_bps !== null;
  const over = some && (figures.overage_bps ?? 0) > 0;
  const running = figures.standing === "so_far";
  const addons_bps = running ? addonsInForce(server, usage.as_of) : 0;
  const locked = figures.locked_in_overage_bps ?? 0;
  return (
    <section class="figures" aria-label={t.figures}>
      <Figure name={running ? t.p95MonthToDate : t.p95Month} bps={figures.p95_bps}>
        {some ? (
          <>
            <p>
              {t.in} {figures.p95_in_bps === null ? "–" : mbpsFine(figures.p95_in_bps)} · {t.out}{" "}
              {figures.p95_out_bps === null ? "–" : mbpsFine(figures.p95_out_bps)}
            </p>
            <p>{rankSentence(figures)}</p>
          </>
        ) : (
          <p>{running ? t.noSampleYet : t.noSampleThen}</p>
        )}
      </Figure>
      <Figure name={t.allowance} bps={figures.allowance_bps}>
        <p>{addons_bps > 0 ? t.withAddons(mbps(addons_bps)) : running ? t.inForceNow : t.inForceAtEnd}</p>
      </Figure>
      <Figure name={t.overage} bps={some ? figures.overage_bps : null} over={over}>
        {over && (
          <p>
            {figures.billable_bps !== null && t.billable(mbps(figures.billable_bps))}
            {figures.amount !== null && figures.currency !== null && <> · {money(figures.amount, figures.currency)}</>}
          </p>
        )}
      </Figure>
      {running && (
        <Figure name={t.lockedIn} hint={t.hint.locked_in} bps={some ? figures.locked_in_overage_bps : null} over={locked > 0}>
          {some && locked > 0 && figures.locked_in_amount !== null && figures.currency !== null && (
            <p>{money(figures.locked_in_amount, figures.currency)}</p>
          )}
          {some && figures.locked_in_p95_bps !== null && <p>{t.lockedInP95(mbpsFine(figures.locked_in_p95_bps))}</p>}
        </Figure>
      )}
      <div class="figure-box" title={t.hint.burst_left}>
        <h2>{t.burstLeft}</h2>
        <div class="gauge">{some ? <BurstLeft left={figures.burst_left_slots} all={figures.burst_slots} /> : <None />}</div>
        <p>{t.burstOf(hours(figures.burst_slots))}</p>
      </div>
      <div class="figure-box" title={t.hint.coverage}>
        <h2>{t.coverage}</h2>
        <div class="big">
          <Coverage coverage={figures.coverage} />
        </div>
        <p>{t.ofSlots(count(figures.samples), count(figures.expected_so_far))}</p>
      </div>
    </section>
  );
}

interface FigureProps {
  name: string;
  /** null: no data. */
  bps: number | null;
  hint?: string;
  over?: boolean;
  children?: ComponentChildren;
}

function Figure({ name, bps, hint, over, children }: FigureProps) {
  return (
    <div class="figure-box" title={hint}>
      <h2>{name}</h2>
      {bps === null ? (
        <div class="big none">{t.noData}</div>
      ) : (
        <div class={over ? "big over" : "big"} title={bitPerSecond(bps)}>
          {mbpsFine(bps)} <span class="unit">{t.mbps}</span>
        </div>
      )}
      {children}
    </div>
  );
}

function rankSentence(figures: Figures): string {
  if (figures.rank === null) return "";
  const [rank, ranked, left] = [count(figures.rank), count(figures.ranked), count(discarded(figures))];
  const sentence = figures.standing === "so_far" ? t.rankSoFar(rank, ranked, left, count(figures.burst_slots)) : t.rank(rank, ranked, left);
  const missing = count(figures.expected_so_far - figures.samples);
  switch (missingAs(figures)) {
    case "zero":
      return `${sentence} ${t.missingZero(missing)}`;
    case "exclude":
      return `${sentence} ${t.missingExcluded(missing)}`;
    case undefined:
      return sentence;
  }
}

function addonsInForce(server: Server | undefined, at: string): number {
  const at_ms = Date.parse(at);
  return (server?.addons ?? [])
    .filter((addon) => (addon.from === null || Date.parse(addon.from) <= at_ms) && (addon.until === null || Date.parse(addon.until) > at_ms))
    .reduce((sum, addon) => sum + addon.bps, 0);
}
