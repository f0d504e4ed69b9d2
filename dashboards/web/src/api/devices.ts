// Switches and servers that are read, and how reading them goes: `/v1/devices`.

import { address, get } from "./ask";

export type DeviceState = "ok" | "late" | "silent" | "never";

export interface Device {
  name: string;
  region: string | null;
  state: DeviceState;
  in_inventory: boolean;
  last_reading: string | null;
  lag_ms: number | null;
  ports_read: number;
  ports_used: number;
  unmapped_with_traffic: number;
}

interface Page {
  devices: Device[];
  next: string | null;
}

const PAGE = 1_000;

/** All devices, in the order of their names. */
export async function devices(signal: AbortSignal): Promise<Device[]> {
  const all: Device[] = [];
  for (let next: string | null = address("/v1/devices", { limit: PAGE }); next !== null; ) {
    const page: Page = await get(next, signal);
    all.push(...page.devices);
    next = page.next;
  }
  return all;
}
