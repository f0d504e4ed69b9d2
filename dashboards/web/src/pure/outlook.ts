// What a recommended limit would change. Pure.

import type { Recommendation } from "../api/cases";

type Outlook = Pick<Recommendation, "outlook" | "relief">;

/** Freed bandwidth below this share of an uplink's speed is nothing. */
const RELIEF_MIN_PERCENT = 1;

/** Whether the month is billed the same with the limit as without. */
export function sameOutcome({ outlook }: Pick<Outlook, "outlook">): boolean {
  return outlook.with.amount === outlook.without.amount && outlook.with.overage_bps === outlook.without.overage_bps;
}

/** Whether the limit would change neither the bill nor any line. */
export function pointless({ outlook, relief }: Outlook): boolean {
  return sameOutcome({ outlook }) && relief.every(({ freed_bps, speed_bps }) => freed_bps * 100 < speed_bps * RELIEF_MIN_PERCENT);
}
