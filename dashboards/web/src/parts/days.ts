// The last day of the servers on the screen, for the sparklines beside them.

import { recent, RECENT_MAX } from "../api/recent";
import { forgetToo, usePolled } from "../polled";

/** The largest sample of each hour, null for an hour without one. */
export type Day = readonly (number | null)[];
/** By server. */
export type Days = ReadonlyMap<string, Day>;

/** Days kept for scrolling back. */
const DAYS_KEPT = 2_000;
const days = new Map<string, Day>();
forgetToo(() => days.clear());

/** Asks for the last day of these servers, at most 100; a day that was there before stands until its newer one comes. */
export function useDays(servers: readonly string[]): Days {
  const asked = servers.slice(0, RECENT_MAX);
  usePolled(`days ${asked.join(" ")}`, ["usage"], async (signal) => {
    if (asked.length === 0) return true;
    for (const { server, value_max_bps } of (await recent(asked, signal)).servers) {
      days.delete(server);
      days.set(server, value_max_bps);
    }
    for (const oldest of days.keys()) {
      if (days.size <= DAYS_KEPT) break;
      days.delete(oldest);
    }
    return true;
  });
  return days;
}
