// What is ranked, and against what. Pure; the figures themselves are the API's.

import type { AllowanceStep, Sample } from "../api/servers";
import type { Method } from "../api/usage";

/** The quantity of a sample that the method ranks. For `separate` the larger direction stands for both. */
export function rankedValue(method: Method, sample: Sample): number {
  switch (method) {
    case "in":
      return sample.in_bps;
    case "out":
      return sample.out_bps;
    case "sum":
      return sample.in_bps + sample.out_bps;
    case "max":
    case "separate":
      return sample.value_bps;
  }
}

/** The allowance in force at an instant; `steps` are in order. */
export function allowanceAt(steps: readonly AllowanceStep[], at_ms: number): number | undefined {
  let bps: number | undefined;
  for (const step of steps) {
    if (Date.parse(step.from) > at_ms) break;
    bps = step.bps;
  }
  return bps ?? steps[0]?.bps;
}
