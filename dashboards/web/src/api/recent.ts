// How servers did in the last day: `/v1/recent`.

import { get } from "./ask";

/** Servers that one question may name. */
export const RECENT_MAX = 100;

export interface RecentServer {
  server: string;
  /** The largest sample of each hour; null for an hour without one. The last is the running hour. */
  value_max_bps: (number | null)[];
}

export interface Recent {
  from: string;
  step_s: number;
  servers: RecentServer[];
}

export function recent(servers: readonly string[], signal: AbortSignal): Promise<Recent> {
  return get(`/v1/recent?servers=${servers.map(encodeURIComponent).join(",")}`, signal);
}
