// The last day of the servers on the screen, for the sparklines beside them.

import { recent, RECENT_MAX } from "../api/recent";
import { staleBefore_ms } from "../live";
import { forgetToo, usePolled } from "../polled";

/** The largest sample of each hour, null for an hour without one. */
export type Day = readonly (number | null)[];

/** Days kept for scrolling back. */
const DAYS_KEPT = 2_000;
/** For how long rows must stay on the screen before their days are asked for. */
const SETTLE_MS = 100;
const OF = ["usage"] as const;

const days = new Map<string, { day: Day; asked_ms: number }>();
forgetToo(() => days.clear());

/** Asks for the last day of these servers, at most 100; a day that was there before stands until its newer one comes. */
export function useDays(servers: readonly string[]): (server: string) => Day | undefined {
  const wanted = servers.slice(0, RECENT_MAX);
  usePolled(`days ${wanted.join(" ")}`, OF, async (signal) => {
    await stays(signal);
    const old_ms = staleBefore_ms(OF);
    const due = wanted.filter((server) => (days.get(server)?.asked_ms ?? 0) <= old_ms);
    if (due.length > 0) await ask(due, signal);
    return true;
  });
  return (server) => days.get(server)?.day;
}

async function ask(servers: readonly string[], signal: AbortSignal): Promise<void> {
  const asked_ms = Date.now();
  for (const { server, value_max_bps } of (await recent(servers, signal)).servers) {
    days.delete(server);
    days.set(server, { day: value_max_bps, asked_ms });
  }
  for (const oldest of days.keys()) {
    if (days.size <= DAYS_KEPT) break;
    days.delete(oldest);
  }
}

/** Whoever flies past asks nothing. */
function stays(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, SETTLE_MS);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
