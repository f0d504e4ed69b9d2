// What is the matter now, and whether others could be told: `/v1/alerts`.

import { address, get } from "./ask";

export type Severity = "info" | "warning" | "critical";

export const ALERT_KINDS = [
  "case",
  "burst_half",
  "burst_used",
  "locked_in_overage",
  "uplink_tight",
  "port_silent",
  "device_silent",
  "collector_silent",
  "meters_disagree",
  "statement_held",
  "ports_unsampled",
  "clock_skew",
  "poll_lag",
  "readings_refused",
  "store_behind",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export interface Alert {
  key: string;
  kind: AlertKind;
  severity: Severity;
  /** What it is about: server, device, case and the like. */
  labels: Record<string, string>;
  /** One line, in English. */
  summary: string;
  details: Record<string, unknown>;
  raised_at: string;
}

export interface Delivery {
  at: string;
  event: string;
  kind: string;
  destination: string;
  attempt: number;
  outcome: "waiting" | "failed" | "delivered" | "refused" | "given_up";
  /** What the other side said. */
  answer: string;
  summary: string;
}

const MOST = 10_000;
const NEWEST_DELIVERIES = 500;

/** Those that are raised. */
export async function alerts(signal: AbortSignal): Promise<Alert[]> {
  return (await get<{ alerts: Alert[] }>(address("/v1/alerts", { limit: MOST }), signal)).alerts;
}

/** The newest attempts to tell somebody, the newest first. */
export async function deliveries(signal: AbortSignal): Promise<Delivery[]> {
  const path = address("/v1/alerts/deliveries", { limit: NEWEST_DELIVERIES });
  return (await get<{ deliveries: Delivery[] }>(path, signal)).deliveries;
}
