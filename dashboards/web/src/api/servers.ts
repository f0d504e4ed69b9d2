// Servers as the inventory has them, and their samples: `/v1/servers`.

import { address, get } from "./ask";

export interface Addon {
  bps: number;
  from: string | null;
  until: string | null;
}

export interface Port {
  device: string;
  interface: string;
  kind: "switch" | "nic";
  /** Read to compare with, and not counted. */
  check_only: boolean;
  from: string | null;
  until: string | null;
  speed_bps: number | null;
  last_reading: string | null;
}

export interface Server {
  id: string;
  customer: string;
  region: string;
  plan: string;
  allowance_bps: number;
  service_start: string | null;
  service_end: string | null;
  addons: Addon[];
  ports: Port[];
}

export interface Sample {
  slot: string;
  in_bps: number;
  out_bps: number;
  value_bps: number;
  partial: boolean;
  revision: number;
}

/** An allowance that holds from an instant until the next step. */
export interface AllowanceStep {
  from: string;
  bps: number;
}

export interface Samples {
  server: string;
  from: string;
  until: string;
  slot_s: number;
  allowances: AllowanceStep[];
  /** Slots without a sample are absent. */
  samples: Sample[];
}

export function server(id: string, signal: AbortSignal): Promise<Server> {
  return get(`/v1/servers/${encodeURIComponent(id)}`, signal);
}

/** Every sample of a month; of the running one unless a period is given. */
export function samples(server: string, period: string | undefined, signal: AbortSignal): Promise<Samples> {
  return get(address(`/v1/servers/${encodeURIComponent(server)}/samples`, { period }), signal);
}

/** Where the evidence pack of a server is, between two instants. */
export function evidenceFile(id: string, from: string, until: string, lang: string): string {
  return address(`/v1/servers/${encodeURIComponent(id)}/evidence`, { from, until, lang });
}
