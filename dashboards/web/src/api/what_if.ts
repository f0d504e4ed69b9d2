// A closed or running month under other terms: `/v1/periods/{period}/what-if`.

import { address, get, type Query } from "./ask";
import type { Missing, Rounding } from "./periods";
import type { Method } from "./usage";

/** Figures under one set of terms. */
export interface TermFigures {
  method: Method;
  /** In the last slot. */
  allowance_bps: number;
  p95_bps: number | null;
  overage_bps: number | null;
  billable_bps: number | null;
  amount: string | null;
  currency: string | null;
}

export interface Compared {
  now: TermFigures;
  then: TermFigures;
  /** null where the currencies differ or there is no amount. */
  amount_change: string | null;
}

/** Other terms; those not given are as they are. The allowance is the plan's, add-ons come on top. */
export interface Terms {
  allowance_bps?: number | undefined;
  method?: Method | undefined;
  missing?: Missing | undefined;
  unit_bps?: number | undefined;
  rounding?: Rounding | undefined;
  price?: string | undefined;
  currency?: string | undefined;
}

/** A month's samples under other terms; a month that runs as if nothing more flowed. */
export async function whatIf(period: string, server: string, terms: Terms, signal: AbortSignal): Promise<Compared | undefined> {
  const query: Query = { ...terms, server, all: true };
  const path = `/v1/periods/${encodeURIComponent(period)}/what-if`;
  const { servers } = await get<{ servers: Compared[] }>(address(path, query), signal);
  return servers[0];
}
