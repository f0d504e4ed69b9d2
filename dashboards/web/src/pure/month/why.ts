// Why a month is billed or not, and what can still be done, as facts for a sentence. Pure; billed figures are the API's.

import type { Method } from "../../api/usage";
import { discarded, type Figures } from "./figures";
import type { Burst } from "./ranking";

const BPS_PER_MBPS = 1_000_000;

export interface Why {
  /** Without a sample there is nothing to tell. */
  kind: "no_data" | "billed" | "within";
  ranked: number;
  discarded: number;
  p95_bps: number;
  overage_bps: number;
  allowance_bps: number;
  /** The allowance changed within the month: then each slot is held against its own, and p95 - allowance is not the overage. */
  changed: boolean;
  method: Method;
  burst: Burst;
}

export function why(figures: Figures, steps: number, burst: Burst): Why {
  const { p95_bps, overage_bps } = figures;
  return {
    kind: p95_bps === null ? "no_data" : (overage_bps ?? 0) > 0 ? "billed" : "within",
    ranked: figures.ranked,
    discarded: discarded(figures),
    p95_bps: p95_bps ?? 0,
    overage_bps: overage_bps ?? 0,
    allowance_bps: figures.allowance_bps,
    changed: steps > 1,
    method: figures.method,
    burst,
  };
}

/** What can still be done in a month that runs. */
export type Remedy =
  | { kind: "burst_left"; slots: number }
  | { kind: "spent" }
  | {
      kind: "certain";
      overage_bps: number;
      amount: string | null;
      currency: string | null;
    };

export function remedy(figures: Figures): Remedy | undefined {
  if (figures.standing !== "so_far" || figures.p95_bps === null) return undefined;
  const locked = figures.locked_in_overage_bps ?? 0;
  if (locked > 0) return { kind: "certain", overage_bps: locked, amount: figures.locked_in_amount, currency: figures.currency };
  return figures.burst_left_slots > 0 ? { kind: "burst_left", slots: figures.burst_left_slots } : { kind: "spent" };
}

/**
 * The add-on, in whole Mbps, that from the period's first slot on would have left no overage: excess is less by it in
 * every slot, and so is the overage. 0 where there is none.
 */
export function addonMbps(overage_bps: number): number {
  return Math.ceil(overage_bps / BPS_PER_MBPS);
}
