// What is the matter now: `/v1/alerts`.

import { address, get } from "./ask";

export type Severity = "info" | "warning" | "critical";

export interface Alert {
  key: string;
  severity: Severity;
}

const MOST = 10_000;

/** Those that are raised. */
export async function alerts(signal: AbortSignal): Promise<Alert[]> {
  return (await get<{ alerts: Alert[] }>(address("/v1/alerts", { limit: MOST }), signal)).alerts;
}
