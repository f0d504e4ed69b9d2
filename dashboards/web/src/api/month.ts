// What is known of one server's month besides its usage: its statement, incidents, cases, and what other terms would make of it.

import { address, get, type Query } from "./ask";
import type { AllowanceStep } from "./servers";
import type { Method } from "./usage";

export type Missing = "zero" | "exclude";
export type Rounding = "up" | "down" | "half_up";

/** A break in a port's counters (SPEC.md section 2). */
export interface Break {
  /** When the reading before it was made, and the one after which nothing could be told of the time between. */
  after: string;
  at: string;
  device: string;
  interface: string;
  kind: string;
  /** What showed it, for a reset. */
  cause: string;
}

/** A declared incident: its slots count as ones without a sample. */
export interface Exclusion {
  id: number;
  server: string;
  from: string;
  until: string;
  why: string;
}

/** A span of slots without a sample. */
export interface Gap {
  from: string;
  until: string;
  slots: number;
  /** null where nothing tells. */
  cause: string | null;
}

export interface Statement {
  kind: "server" | "pool";
  server: string;
  state: "held" | "issued" | "withdrawn";
  revision: number;
  /** Why there is a correction; null in the first. */
  reason: string | null;
  issued_at: string;
  issued_by: string;
  customer: string;
  region: string;
  plan: string;
  method: Method;
  missing: Missing;
  from: string;
  until: string;
  samples: number;
  expected: number;
  coverage: string | null;
  ranked: number;
  rank: number | null;
  discarded: number;
  billable_slot: string | null;
  p95_bps: number | null;
  p95_in_bps: number | null;
  p95_out_bps: number | null;
  allowances: AllowanceStep[];
  overage_bps: number | null;
  billable_bps: number | null;
  amount: string | null;
  currency: string | null;
  burst_slots: number;
  burst_left_slots: number;
  breaks: Break[];
  breaks_total: number;
  exclusions: Exclusion[];
  members: { server: string; gaps: Gap[] }[];
  review: { reasons: string[]; approved_by: string | null; note: string | null } | null;
  samples_sha256: string;
}

/** The newest statement of a server or pool in a month; undefined while there is none. */
export async function statementOf(period: string, id: string, signal: AbortSignal): Promise<Statement | undefined> {
  const path = `/v1/periods/${encodeURIComponent(period)}/statements`;
  const { statements } = await get<{ statements: Statement[] }>(address(path, { server: id }), signal);
  return statements.find((statement) => statement.server === id);
}

/** How far a month is. */
export type PeriodState = "to_come" | "running" | "grace" | "open" | "closed";

export async function periodState(period: string, signal: AbortSignal): Promise<PeriodState> {
  return (await get<{ state: PeriodState }>(`/v1/periods/${encodeURIComponent(period)}`, signal)).state;
}

/** The incidents in force of one server. */
export async function exclusionsOf(server: string, signal: AbortSignal): Promise<Exclusion[]> {
  const { exclusions } = await get<{ exclusions: Exclusion[] }>("/v1/exclusions", signal);
  return exclusions.filter((exclusion) => exclusion.server === server);
}

export interface OpenCase {
  id: number;
  state: string;
  since: string;
}

/** The case of a server that has not ended. */
export async function openCaseOf(server: string, signal: AbortSignal): Promise<OpenCase | undefined> {
  const { cases } = await get<{ cases: OpenCase[] }>(address("/v1/cases", { server, open: true }), signal);
  return cases[0];
}

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

/** Where the files of a month and server are. */
export const files = {
  bundle: (period: string, id: string, revision: number) =>
    address(`/v1/periods/${encodeURIComponent(period)}/statements/${encodeURIComponent(id)}/bundle`, { revision }),
  report: (period: string, id: string, lang: string) =>
    address(`/v1/periods/${encodeURIComponent(period)}/reports/${encodeURIComponent(id)}`, { lang }),
  evidence: (id: string, from: string, until: string, lang: string) =>
    address(`/v1/servers/${encodeURIComponent(id)}/evidence`, { from, until, lang }),
};
