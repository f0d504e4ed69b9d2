// Closed months and what was issued of them: `/v1/periods`, and the incidents for which servers are not billed: `/v1/exclusions`.

import { address, ApiFailure, get, send } from "./ask";
import type { AllowanceStep } from "./servers";
import type { Method } from "./usage";

export type Phase = "to_come" | "running" | "grace" | "open" | "closed";

export interface Amount {
  currency: string;
  amount: string;
}

/** How far a month is. */
export interface Period {
  period: string;
  from: string;
  until: string;
  timezone: string;
  /** From when on it may be closed. */
  closes_at: string;
  state: Phase;
  closed_at: string | null;
  closed_by: string | null;
  issued: number;
  held: number;
  /** What the newest issued statements add up to. */
  amounts: Amount[];
  /** Collectors that may have readings of it which were not sent, each in a sentence. */
  held_back: string[];
  /** How far a close has come that is being carried out. */
  closing: { done: number; total: number } | null;
}

export type StatementState = "held" | "issued" | "withdrawn";
export type Rounding = "up" | "down" | "half_up";
export type Missing = "zero" | "exclude";

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

/** A span of slots without a sample. */
export interface Gap {
  from: string;
  until: string;
  slots: number;
  /** null where nothing tells; several are joined by `+`. */
  cause: string | null;
}

export interface Member {
  server: string;
  from: string;
  until: string;
  samples: number;
  p95_bps: number | null;
  share_in_bps: number | null;
  share_out_bps: number | null;
  gaps: Gap[];
}

/** A declared incident: its slots count as ones without a sample. */
export interface Exclusion {
  id: number;
  server: string;
  from: string;
  until: string;
  why: string;
  by: string;
  at: string;
}

export interface Statement {
  period: string;
  timezone: string;
  kind: "server" | "pool";
  server: string;
  customer: string;
  region: string;
  revision: number;
  /** Why there is a correction; null in the first. */
  reason: string | null;
  issued_at: string;
  issued_by: string;
  from: string;
  until: string;
  plan: string;
  plans: { from: string; plan: string }[];
  method: Method;
  missing: Missing;
  min_coverage: string;
  tariff: { currency: string; unit_bps: number; rounding: Rounding; amount_rounding: Rounding } | null;
  allowances: AllowanceStep[];
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
  overage_bps: number | null;
  billable_bps: number | null;
  amount: string | null;
  currency: string | null;
  burst_slots: number;
  burst_left_slots: number;
  /** What would be billed without exclusions. */
  measured: { samples: number; p95_bps: number | null; overage_bps: number | null; billable_bps: number | null; amount: string | null } | null;
  exclusions: Exclusion[];
  members: Member[];
  /** The first of them, and how many there are. */
  breaks: Break[];
  breaks_total: number;
  review: { reasons: string[]; approved_by: string | null; approved_at: string | null; note: string | null } | null;
  rules: string;
  inventory_version: number;
  samples_sha256: string;
}

export interface StatedStatement extends Statement {
  state: StatementState;
}

export interface RankNeighbour {
  from_top: number;
  decides: boolean;
  /** null: a slot without a sample. */
  slot: string | null;
  in_bps: number | null;
  out_bps: number | null;
  value_bps: number;
  allowance_bps: number | null;
  excess_bps: number;
}

export type ExplainedStep =
  | { step: "rank"; ranked: number; discarded: number; from_top: number }
  | { step: "overage"; value_bps: number; allowance_bps: number; overage_bps: number }
  | { step: "units"; overage_bps: number; unit_bps: number; rounding: Rounding; units: number; billable_bps: number }
  | { step: "price"; from_bps: number; until_bps: number | null; part_bps: number; price: string; cost: string; currency: string }
  | { step: "amount"; cost: string; decimals: number; rounding: Rounding; amount: string; currency: string };

export interface Explanation {
  statement: Statement;
  state: StatementState;
  /** Of two directions ranked each by itself, the one that counts. */
  direction: "in" | "out" | null;
  neighbours: RankNeighbour[];
  discarded: { day: string; slots: number; largest_bps: number }[];
  revisions: { revision: number; issued_at: string; reason: string | null; billable_bps: number | null; amount: string | null; currency: string | null }[];
  steps: ExplainedStep[];
}

/** A line for a billing system: what a revision charges, or gives back. */
export interface Line {
  revision: number;
  line: "charge" | "credit" | "debit" | "correction";
  reason: string | null;
  billable_bps: number | null;
  billable_delta_bps: number | null;
  amount_before: string | null;
  amount_after: string | null;
  /** What the revision changes. */
  amount: string | null;
  currency: string | null;
  issued_at: string;
}

export interface Closed {
  issued: number;
  issued_before: number;
  held: number;
  /** What was not issued because the two computations differ, in words. */
  differing: string[];
}

export interface Figures {
  p95_bps: number | null;
  overage_bps: number | null;
  billable_bps: number | null;
  amount: string | null;
  currency: string | null;
}

export interface Revised {
  dry_run: boolean;
  revisions: { server: string; customer: string; revision: number; before: Figures; after: Figures; reasons: string[] }[];
}

export interface Filter {
  server?: string | undefined;
  only_overage?: boolean | undefined;
  all_revisions?: boolean | undefined;
}

export function period(month: string, signal: AbortSignal): Promise<Period> {
  return get(`/v1/periods/${month}`, signal);
}

export async function statements(month: string, filter: Filter, signal: AbortSignal): Promise<StatedStatement[]> {
  const path = address(`/v1/periods/${month}/statements`, { ...filter });
  return (await get<{ statements: StatedStatement[] }>(path, signal)).statements;
}

/** The newest statement of a server or pool in a month; undefined while there is none. */
export async function statementOf(month: string, id: string, signal: AbortSignal): Promise<StatedStatement | undefined> {
  return (await statements(month, { server: id }, signal)).find((statement) => statement.server === id);
}

export async function reviews(month: string, signal: AbortSignal): Promise<StatedStatement[]> {
  return (await get<{ reviews: StatedStatement[] }>(`/v1/periods/${month}/reviews`, signal)).reviews;
}

export function explanation(month: string, server: string, revision: number | undefined, signal: AbortSignal): Promise<Explanation> {
  return get(address(`${statementPath(month, server)}/explanation`, { revision }), signal);
}

/** The lines of one server or pool; empty before anything is issued of it. */
export async function lines(month: string, server: string, signal: AbortSignal): Promise<Line[]> {
  try {
    return await get<Line[]>(address(`/v1/periods/${month}/export`, { format: "json", server }), signal);
  } catch (cause) {
    if (cause instanceof ApiFailure && cause.kind === "not_found") return [];
    throw cause;
  }
}

/** Addresses for the browser to fetch a file from. */
export const files = {
  bundle: (month: string, server: string, revision: number) => address(`${statementPath(month, server)}/bundle`, { revision }),
  text: (month: string, server: string, revision: number, lang: "en" | "ja") =>
    address(`${statementPath(month, server)}/explanation`, { format: "text", lang, revision }),
  /** A page for the customer, by the newest statement. */
  report: (month: string, server: string, lang: "en" | "ja", format: "html" | "pdf") =>
    address(`/v1/periods/${month}/reports/${encodeURIComponent(server)}`, { lang, format: format === "html" ? undefined : format }),
  lines: (month: string, of: Wanted) => address(`/v1/periods/${month}/export`, { ...of }),
  summary: (month: string, of: Wanted) => address(`/v1/periods/${month}/summary`, { ...of }),
};

/** Which lines of a month, and how they are written. */
export interface Wanted {
  format: "csv" | "json";
  headings?: "plain" | "en" | "ja" | undefined;
  customer?: string | undefined;
  region?: string | undefined;
  only_overage?: boolean | undefined;
  since_revision?: number | undefined;
}

/** Closes a month. It goes on when nobody waits for the answer. */
export async function close(month: string, by: string | undefined, override: string | undefined, key: string): Promise<Closed> {
  return (await send<Closed>("POST", `/v1/periods/${month}/close`, { by, override }, key))!;
}

export async function approve(month: string, server: string, by: string | undefined, note: string, key: string): Promise<void> {
  await send("POST", `/v1/periods/${month}/reviews/${encodeURIComponent(server)}`, { by, note }, key);
}

/** Corrects what was issued, or only tells what would change. Without a server it is all of them. */
export async function revise(
  month: string,
  of: { server: string | undefined; by: string | undefined; reason: string; dry_run: boolean },
  key?: string,
): Promise<Revised> {
  return (await send<Revised>("POST", `/v1/periods/${month}/revisions`, of, key))!;
}

export async function exclusions(signal: AbortSignal): Promise<Exclusion[]> {
  return (await get<{ exclusions: Exclusion[] }>("/v1/exclusions", signal)).exclusions;
}

/** The incidents in force of one server. */
export async function exclusionsOf(server: string, signal: AbortSignal): Promise<Exclusion[]> {
  return (await exclusions(signal)).filter((exclusion) => exclusion.server === server);
}

/** Declares an incident, between two instants in Unix milliseconds. */
export async function exclude(of: { server: string; from: number; until: number; by: string | undefined; why: string }, key: string): Promise<void> {
  await send("POST", "/v1/exclusions", of, key);
}

export async function withdraw(id: number, by: string | undefined, why: string, key: string): Promise<void> {
  await send("POST", `/v1/exclusions/${id}/withdraw`, { by, why }, key);
}

function statementPath(month: string, server: string): string {
  return `/v1/periods/${month}/statements/${encodeURIComponent(server)}`;
}
