// The API as the dashboard reads it. Rates are whole bit/s, money is a decimal string, times are RFC 3339.
// Words are those of SPEC.md section 1.

/** Which quantity of a sample is ranked. */
export type Method = "max" | "in" | "out" | "sum" | "separate";

export interface LastSample {
  slot: string;
  in_bps: number;
  out_bps: number;
  value_bps: number;
  partial: boolean;
}

/** One server's figures for a period, as far as it has run. */
export interface ServerUsage {
  server: string;
  customer: string;
  region: string;
  plan: string;
  method: Method;
  currency: string;
  /** Slots with a sample so far. */
  samples: number;
  /** Slots of the whole period. */
  expected: number;
  /** Slots of the period that have closed. */
  expected_so_far: number;
  /** samples / expected_so_far; null when no slot is expected yet. */
  coverage: string | null;
  /** How many values were ranked, and the p95's place among them, ascending. */
  ranked: number;
  rank: number;
  /** null: no data. */
  p95_bps: number | null;
  p95_in_bps: number | null;
  p95_out_bps: number | null;
  /** In force at the newest slot. */
  allowance_bps: number;
  overage_bps: number;
  billable_bps: number;
  amount: string;
  /** What the period ends with even if the server falls silent now. */
  locked_in_p95_bps: number | null;
  locked_in_overage_bps: number | null;
  locked_in_amount: string | null;
  /** Slots that may be discarded over the whole period, and those still left. */
  burst_slots: number;
  burst_left_slots: number;
  last: LastSample | null;
}

export interface Usage {
  period: string;
  from: string;
  until: string;
  timezone: string;
  as_of: string;
  servers: ServerUsage[];
}

export interface Addon {
  bps: number;
  from: string | null;
  until: string | null;
}

export interface Port {
  device: string;
  interface: string;
  kind: "switch" | "nic";
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

/** Who is logged in. */
export interface Session {
  /** null: no token was ever made, and nobody need log in. */
  name: string | null;
  role: string;
  customer: string | null;
  region: string | null;
  open: boolean;
  expires_at: string | null;
}

/** Why a question to the API has no answer, by what the reader can do about it. */
export type FailureKind = "unreachable" | "not_found" | "nobody" | "too_often" | "refused" | "unreadable";

/** The event that says that an answer needs somebody to be logged in. */
export const NOBODY = "meter95-nobody";

export class ApiFailure extends Error {
  readonly kind: FailureKind;
  /** What the service said itself, empty when it said nothing. */
  readonly detail: string;
  /** After how many seconds to ask again, where the service says so. */
  readonly retryAfter_s: number;

  constructor(kind: FailureKind, detail: string, retryAfter_s = 0) {
    super(`${kind}: ${detail}`);
    this.kind = kind;
    this.detail = detail;
    this.retryAfter_s = retryAfter_s;
  }
}

/** A request that takes longer counts as unreachable. */
const DEADLINE_MS = 20_000;

/** The most lines that an answer has. */
const PAGE_LINES = 1000;

/** A month's figures of every server. */
export function usage(period: string | undefined, signal: AbortSignal): Promise<Usage> {
  const month = period === undefined ? "" : `&period=${encodeURIComponent(period)}`;
  return pages(`/v1/usage?limit=${PAGE_LINES}${month}`, signal);
}

/** A month's figures of one server. */
export function usageOf(server: string, period: string | undefined, signal: AbortSignal): Promise<Usage> {
  const month = period === undefined ? "" : `&period=${encodeURIComponent(period)}`;
  return get(`/v1/usage?server=${encodeURIComponent(server)}${month}`, signal);
}

export function server(id: string, signal: AbortSignal): Promise<Server> {
  return get(`/v1/servers/${encodeURIComponent(id)}`, signal);
}

/** The last page of a list with the lines of all pages. A line that moved between two pages is shown once. */
async function pages(path: string, signal: AbortSignal): Promise<Usage> {
  const lines = new Map<string, ServerUsage>();
  for (let next = path; ; ) {
    const page = await get<Usage & { next: string | null }>(next, signal);
    for (const line of page.servers) lines.set(line.server, line);
    if (page.next === null) return { ...page, servers: [...lines.values()] };
    next = page.next;
  }
}

export function samples(server: string, period: string | undefined, signal: AbortSignal): Promise<Samples> {
  return get(`/v1/servers/${encodeURIComponent(server)}/samples${periodQuery(period)}`, signal);
}

export function session(signal: AbortSignal): Promise<Session> {
  return get("/v1/session", signal);
}

export async function logIn(token: string): Promise<void> {
  await send("POST", "/v1/session", JSON.stringify({ token }));
}

export async function logOut(): Promise<void> {
  await send("DELETE", "/v1/session", undefined);
}

/** Asks for something to be done; the browser says by itself that this page asks. */
async function send(method: string, path: string, body: string | undefined): Promise<void> {
  let response: Response;
  let answer: string;
  try {
    const headers: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    response = await fetch(path, { method, headers, body: body ?? null, signal: AbortSignal.timeout(DEADLINE_MS) });
    answer = await response.text();
  } catch {
    throw new ApiFailure("unreachable", "");
  }
  if (!response.ok) throw failure(response, answer);
}

function periodQuery(period: string | undefined): string {
  return period === undefined ? "" : `?period=${encodeURIComponent(period)}`;
}

async function get<T>(path: string, signal: AbortSignal): Promise<T> {
  let response: Response;
  let body: string;
  try {
    response = await fetch(path, {
      headers: { accept: "application/json" },
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
    });
    body = await response.text();
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ApiFailure("unreachable", "");
  }
  if (response.status === 401) dispatchEvent(new Event(NOBODY));
  if (!response.ok) throw failure(response, body);
  try {
    return JSON.parse(body) as T;
  } catch {
    throw new ApiFailure("unreadable", path);
  }
}

function failure(response: Response, body: string): ApiFailure {
  const status = `${response.status} ${response.statusText}`.trim();
  if (response.status === 502 || response.status === 503 || response.status === 504) {
    return new ApiFailure("unreachable", problemDetail(body) ?? status);
  }
  if (response.status === 401) return new ApiFailure("nobody", problemDetail(body) ?? status);
  if (response.status === 429) {
    return new ApiFailure("too_often", problemDetail(body) ?? status, Number(response.headers.get("retry-after")) || 1);
  }
  return new ApiFailure(response.status === 404 ? "not_found" : "refused", problemDetail(body) ?? status);
}

/** The `detail` (or `title`) of an application/problem+json body. */
function problemDetail(body: string): string | undefined {
  try {
    const problem = JSON.parse(body) as { title?: string; detail?: string };
    return problem.detail ?? problem.title;
  } catch {
    return undefined;
  }
}
