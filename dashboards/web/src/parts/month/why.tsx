// Why the month is billed or not, in a sentence, and what can still be done about it.

import { count, dateTime, hours, mbpsFine, money, shortDate } from "../../format";
import type { Figures } from "../../pure/month/figures";
import { addonMbps, remedy, why, type Remedy, type Why } from "../../pure/month/why";
import { routeHash } from "../../router";
import { t } from "../../words/server";
import type { Month } from "./month";

export function WhyPanel({ month }: { month: Month }) {
  const { figures, burst, openCase, timezone, own, samples } = month;
  if (!figures) return null;
  const reason = why(figures, (own?.allowances ?? samples?.allowances ?? []).length, burst);
  if (reason.kind === "no_data") return null;
  const left = remedy(figures);
  const decides = figures.billable_slot;
  const addon = count(addonMbps(reason.overage_bps));
  const pool = month.row?.pool;
  const sentences = [
    pool == null ? because(reason) : t.whyPool(pool),
    decides !== null && t.whyDecides(dateTime(decides, timezone)),
    burst.first_ms !== undefined && t.whyAbove(count(burst.above), hours(burst.above), dateTime(burst.first_ms, timezone)),
    burst.usedUp_ms !== undefined && t.whyUsedUp(hours(figures.burst_slots), shortDate(burst.usedUp_ms, timezone)),
  ];
  const remedies = [
    left && pool == null && stillToDo(left, figures),
    reason.kind === "billed" && pool == null && (month.running ? t.whyAddonNow(addon) : t.whyAddonThen(addon)),
  ];
  return (
    <section class="why" aria-label={t.whyTitle}>
      <p>{sentences.filter(Boolean).join(t.sentenceGap)}</p>
      <p>
        {remedies.filter(Boolean).join(t.sentenceGap)}{" "}
        {openCase && (
          <a href={routeHash({ view: "case", id: openCase.id, period: undefined })}>
            {t.openCase(openCase.id, t.caseState(openCase.state))}
          </a>
        )}
      </p>
    </section>
  );
}

function because(reason: Why): string {
  const of = {
    discarded: count(reason.discarded),
    ranked: count(reason.ranked),
    p95: mbpsFine(reason.p95_bps),
    overage: mbpsFine(reason.overage_bps),
    allowance: mbpsFine(reason.allowance_bps),
  };
  if (reason.changed) return reason.kind === "billed" ? t.whyBilledChanged(of) : t.whyWithinChanged(of);
  return reason.kind === "billed" ? t.whyBilled(of) : t.whyWithin(of);
}

function stillToDo(left: Remedy, { amount }: Figures): string {
  switch (left.kind) {
    case "burst_left":
      return t.whyBurstLeft(hours(left.slots));
    case "spent":
      return t.burstNone;
    case "certain":
      return left.amount === null || left.currency === null || amount === null
        ? t.whyCertain(mbpsFine(left.overage_bps))
        : t.whyCertainAmount(mbpsFine(left.overage_bps), money(left.amount, left.currency), money(amount, left.currency));
  }
}
