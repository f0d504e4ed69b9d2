// What is ranked. Pure; the figures themselves are the API's.

import type { Sample } from "../api/servers";
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
