// From the ranking to the amount, a line a step, with the figures as the service has computed them.

import type { ComponentChildren } from "preact";
import type { ExplainedStep } from "../../api/periods";
import { count, money } from "../../format";
import { t } from "../../words/billing";
import { decimal, exact, exactMbps } from "./words";

export function Steps({ steps }: { steps: readonly ExplainedStep[] }) {
  const tiers = steps.filter((step) => step.step === "price").length > 1;
  return (
    <ol class="sums">
      {steps.map((step, index) => (
        <li key={index} class={step.step}>
          <p class="says">{says(step, tiers)}</p>
          <p class="sum">{sum(step)}</p>
        </li>
      ))}
    </ol>
  );
}

function says(step: ExplainedStep, tiers: boolean): string {
  switch (step.step) {
    case "rank":
      return t.stepRank(count(step.ranked), count(step.discarded), count(step.from_top));
    case "overage":
      return t.stepOverage;
    case "units":
      return t.stepUnits(count(step.unit_bps), t.rounded[step.rounding]);
    case "price":
      return tiers ? t.stepTier(exactMbps(step.from_bps), step.until_bps === null ? undefined : exactMbps(step.until_bps)) : t.stepPrice;
    case "amount":
      return t.stepAmount(t.rounded[step.rounding]);
  }
}

function sum(step: ExplainedStep): ComponentChildren {
  switch (step.step) {
    case "rank":
      return null;
    case "overage":
      return (
        <>
          {exact(step.value_bps)} − {exact(step.allowance_bps)} = <b>{exact(step.overage_bps)}</b> {t.bps}
        </>
      );
    case "units":
      return (
        <>
          {count(step.units)} × {exact(step.unit_bps)} = <b>{exact(step.billable_bps)}</b> {t.bps} = <b>{exactMbps(step.billable_bps)}</b> {t.mbps}
        </>
      );
    case "price":
      return (
        <>
          {exactMbps(step.part_bps)} {t.mbps} × {decimal(step.price)} {step.currency} = <b>{decimal(step.cost)}</b> {step.currency}
        </>
      );
    case "amount":
      return (
        <>
          {decimal(step.cost)} → <b class="final">{money(step.amount, step.currency)}</b>
        </>
      );
  }
}
