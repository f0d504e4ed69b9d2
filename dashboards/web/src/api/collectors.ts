// The collectors elsewhere: `/v1/collectors`.

import { get } from "./ask";

export type CollectorState = "ok" | "behind" | "silent" | "stopped";

export interface Collector {
  name: string;
  /** When it was last heard of. */
  at: string;
  /** Readings that it still held then. */
  unsent: number;
  oldest_unsent: string | null;
  stopped: boolean;
  health: { state: CollectorState; behind_ms: number | null; silent_ms: number };
}

export async function collectors(signal: AbortSignal): Promise<Collector[]> {
  return (await get<{ collectors: Collector[] }>("/v1/collectors", signal)).collectors;
}
