// The collectors elsewhere, as the service hears of them: `/v1/collectors`.

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
  health: {
    state: CollectorState;
    silent_ms: number;
    /** How old the oldest reading is that it still holds; null where it holds none. */
    behind_ms: number | null;
  };
}

export async function collectors(signal: AbortSignal): Promise<Collector[]> {
  return (await get<{ collectors: Collector[] }>("/v1/collectors", signal)).collectors;
}
