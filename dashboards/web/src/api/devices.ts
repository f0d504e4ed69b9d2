// Switches and servers that are read, and how reading them goes: `/v1/devices`.

import { address, get } from "./ask";

export type DeviceState = "ok" | "late" | "silent" | "never";

export interface RoundTrip {
  p50_us: number;
  p95_us: number;
  p99_us: number;
  max_us: number;
}

/** How polling has gone since the service started. */
export interface Snmp {
  outcome: "complete" | "partial" | "failed" | "silent" | null;
  last_pass: string | null;
  last_success: string | null;
  consecutive_failures: number;
  passes: number;
  passes_skipped: number;
  /** Ports that ought to have been read by the last pass. */
  expected: number;
  readings: number;
  requests: number;
  timeouts: number;
  /** How often what went wrong, by the names of `words/failures.ts`. */
  failures: Record<string, number>;
  round_trip: RoundTrip | null;
}

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
  /** null: this service does not poll it by itself. */
  snmp: Snmp | null;
}

/** Whose a port is. */
export interface Owner {
  server: string | null;
  uplink: string | null;
  kind: "switch" | "nic" | null;
  check_only: boolean;
}

export interface DevicePort {
  interface: string;
  last_reading: string | null;
  speed_bps: number | null;
  /** What it has carried in the slot that is filling, as the interface itself counts. */
  open_slot: { slot: string; rx_octets: number; tx_octets: number; covered_ms: number } | null;
  /** null: nothing maps to it. */
  of: Owner | null;
  disagreement: { summary: string; details: Record<string, unknown> } | null;
}

export interface DeviceDetail extends Device {
  ports: DevicePort[];
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

export function device(name: string, signal: AbortSignal): Promise<DeviceDetail> {
  return get(`/v1/devices/${encodeURIComponent(name)}`, signal);
}
