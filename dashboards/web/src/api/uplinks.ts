// The lines that servers share, and how full they are: `/v1/uplinks`.

import { address, get } from "./ask";

export type UplinkState = "ok" | "tight" | "unknown";

export interface Uplink {
  id: string;
  region: string;
  device: string;
  interface: string;
  speed_bps: number;
  /** The devices whose servers share it; empty where all of the region's do. */
  devices: string[];
  /** tight: at 80 % of its speed or more; unknown: its port has no figure for the last three slots. */
  state: UplinkState;
  /** The newest slot of which its port tells all. */
  slot: string | null;
  /** Towards the servers, and from them. */
  in_bps: number | null;
  out_bps: number | null;
  /** The larger of the two. */
  direction: "in" | "out" | null;
  /** How much of the speed that is, 0 to 1. */
  share: string | null;
  /** How many servers share it; those that back it up have the same. */
  servers: number;
}

interface Page {
  uplinks: Uplink[];
  next: string | null;
}

const PAGE = 1_000;

/** All uplinks, in the order of their ids. */
export async function uplinks(signal: AbortSignal): Promise<Uplink[]> {
  const all: Uplink[] = [];
  for (let next: string | null = address("/v1/uplinks", { limit: PAGE }); next !== null; ) {
    const page: Page = await get(next, signal);
    all.push(...page.uplinks);
    next = page.next;
  }
  return all;
}
