// What every view needs to know of the site: its time zone, the period asked for, how fresh the figures are.

import type { Usage } from "./api/usage";
import { usage } from "./api/usage";
import { periodOf } from "./format";
import { usePolled, type Polled } from "./polled";

/** A period's head: everything but its lines. */
export function useSite(period: string | undefined): Polled<Usage> {
  return usePolled(`site ${period ?? ""}`, ["usage", "inventory"], (signal) => usage({ period, limit: 1 }, signal));
}

/** The calendar month that it is now in the billing time zone. */
export function runningPeriod(site: Pick<Usage, "timezone">): string {
  return periodOf(new Date(), site.timezone);
}
