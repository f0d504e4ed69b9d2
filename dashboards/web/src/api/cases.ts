// Servers that use far more than they should, and what is done about them: `/v1/cases`, `/v1/recommendations`.

import { address, get, getText, send } from "./ask";
import type { Samples } from "./servers";

export type Rule = "sustained" | "locked_in" | "uplink" | "flood";
export type CaseState = "open" | "notified" | "approved" | "applied" | "lifted" | "dismissed" | "resolved";
export type Direction = "in" | "out";

/** A rule that holds, since the slot that starts so. */
export interface Holding {
  rule: Rule;
  since: string;
}

/** A limit that was put on ports. */
export interface Limit {
  cap_bps: number;
  until: string;
}

/** A case as it stands in a list. */
export interface CaseInfo {
  id: number;
  server: string;
  customer: string;
  region: string;
  state: CaseState;
  /** Since when it stands so. */
  since: string;
  /** Whether it has not ended. */
  open: boolean;
  opened_at: string;
  reopenings: number;
  /** The rules that hold. */
  rules: Holding[];
  /** Whether the customer need not be told first. */
  urgent: boolean;
  notified_at: string | null;
  answered_at: string | null;
  /** When every contact had been tried in every round. */
  ready_at: string | null;
  snoozed_until: string | null;
  limit: Limit | null;
}

/** Everything about a case. */
export interface WholeCase extends CaseInfo {
  recommendation: Recommendation;
  steps: Step[];
}

export interface FiredSlot {
  slot: string;
  value_bps: number;
  allowance_bps: number;
  threshold_bps: number;
}

/** A rule that holds, with the figures by which it does. `at_percent` is the share of the limits that was asked for. */
export type Finding = { began: string; at_percent: number } & (
  | { rule: "sustained"; factor: number; slots: number; of: number; sampled: number; fired: FiredSlot[] }
  | {
      rule: "locked_in";
      factor: number;
      locked_in_p95_bps: number;
      allowance_bps: number;
      threshold_bps: number;
      expected: number;
      burst_slots: number;
      slots_at_or_over: { exactly: number } | { at_least: number };
      since: string | null;
    }
  | {
      rule: "uplink";
      slot: string;
      direction: Direction;
      /** null: all of the group together. */
      uplink: string | null;
      group: string[];
      speed_bps: number;
      load_bps: number;
      load_percent: number;
      load_threshold_bps: number;
      rate_bps: number;
      share_percent: number;
      share_threshold_bps: number;
    }
  | {
      rule: "flood";
      direction: Direction;
      packets_per_second_threshold: number;
      mean_octets_limit: number;
      slots: { slot: string; packets_per_second: number; mean_octets: number }[];
    }
);

export interface SlotRates {
  slot: string;
  in_bps: number;
  out_bps: number;
}

/** How a cap is found. */
export type CapBy =
  | { by: "extreme"; slots_to_come: number; burst_left_slots: number; factor: number; release_percent: number; allowance_bps: number; threshold_bps: number }
  | { by: "allowance"; slots_to_come: number; burst_left_slots: number; allowance_bps: number }
  | { by: "locked_in"; slots_to_come: number; allowance_bps: number; locked_in_p95_bps: number; locked_in_overage_bps: number }
  | { by: "uplink"; rate_bps: number; load_bps: number; total_bps: number; threshold_bps: number; reduction_bps: number }
  | { by: "flood"; packets_per_second: number; mean_octets: number };

export interface Outcome {
  p95_bps: number | null;
  overage_bps: number | null;
  billable_bps: number | null;
  amount: string | null;
  currency: string | null;
}

/** What gets better on a shared line. */
export interface Relief {
  uplinks: string[];
  direction: Direction;
  freed_bps: number;
  load_bps: number;
  speed_bps: number;
}

export interface Neighbour {
  server: string;
  in_bps: number;
  out_bps: number;
}

export interface Recommendation {
  server: string;
  customer: string;
  region: string;
  plan: string;
  /** The end of the newest slot that was looked at. */
  at: string;
  timezone: string;
  allowance_bps: number;
  /** Means of the last hour. */
  in_bps: number;
  out_bps: number;
  rules: Finding[];
  /** The slots by which they hold. */
  slots: SlotRates[];
  cap: { cap_bps: number; computed_bps: number; floor_bps: number; by: CapBy };
  until: string;
  outlook: { period: string; without: Outcome; with: Outcome };
  relief: Relief[];
  others: { servers: Neighbour[]; more: number };
}

export type Channel = "mail" | "webhook" | "phone";
export type AttemptOutcome = "sent" | "failed" | "no_answer";

/** What was done, by whom, when and why. */
export type Step = { number: number; at: string; by: string; why: string } & (
  | { kind: "opened"; slot: string; recommendation: Recommendation }
  | { kind: "fired"; rule: Rule; slot: string; recommendation: Recommendation }
  | { kind: "released"; rule: Rule; slot: string }
  | { kind: "applied"; cap_bps: number; until: string }
  | { kind: "resolved"; slot: string }
  | { kind: "snoozed"; until: string }
  | { kind: "attempted"; round: number; contact: number; name: string; channel: Channel; outcome: AttemptOutcome; detail: string }
  | { kind: "notified" | "approved" | "lifted" | "dismissed" | "reopened" | "woken" | "noted" | "answered" | "ready" }
);

/** What is recommended for the server of a case that has not ended. */
export interface Recommended {
  case: number;
  state: CaseState;
  opened_at: string;
  recommendation: Recommendation;
  text: { en: string; ja: string };
}

/** Who does something, and why. Without a name it is the one who is logged in. */
export interface Said {
  by: string | undefined;
  why: string;
}

/** What is done by saying no more than why. */
export type PlainAct = "notify" | "approve" | "lift" | "dismiss" | "reopen" | "wake" | "note" | "answer";

export interface Attempt {
  /** Which of the customer's contacts, from 1; undefined: somebody else, by name. */
  contact: number | undefined;
  name: string | undefined;
  channel: Channel;
  outcome: AttemptOutcome;
  detail: string;
}

/** Those that have not ended, the newest first. */
export async function openCases(signal: AbortSignal): Promise<CaseInfo[]> {
  return (await get<{ cases: CaseInfo[] }>(address("/v1/cases", { open: true }), signal)).cases;
}

/** The case of a server that has not ended. */
export async function openCaseOf(server: string, signal: AbortSignal): Promise<CaseInfo | undefined> {
  return (await get<{ cases: CaseInfo[] }>(address("/v1/cases", { server, open: true }), signal)).cases[0];
}

/** Those that have not ended or had a step in the last 90 days. */
export async function recentCases(signal: AbortSignal): Promise<CaseInfo[]> {
  return (await get<{ cases: CaseInfo[] }>("/v1/cases", signal)).cases;
}

export function whole(id: number, signal: AbortSignal): Promise<WholeCase> {
  return get(`/v1/cases/${id}`, signal);
}

/** The largest samples of an hour. */
export interface Bucket {
  from: string;
  until: string;
  in_max_bps: number;
  out_max_bps: number;
  value_max_bps: number;
}

/** A server's samples of a span of at most 93 days. */
export function samplesBetween(server: string, from: string, until: string, signal: AbortSignal): Promise<Samples> {
  return get(address(`/v1/servers/${encodeURIComponent(server)}/samples`, { from, until }), signal);
}

export async function hoursBetween(server: string, from: string, until: string, signal: AbortSignal): Promise<Bucket[]> {
  const path = address(`/v1/servers/${encodeURIComponent(server)}/samples`, { from, until, step: "hour" });
  return (await get<{ buckets: Bucket[] }>(path, signal)).buckets;
}

export async function recommendations(signal: AbortSignal): Promise<Recommended[]> {
  const answer = await get<{ recommendations: Recommended[] }>("/v1/recommendations", signal);
  return answer.recommendations;
}

/** The configuration that limits the server, or takes the limit off. `interfaces` are names other than the inventory's, with commas between. */
export function snippet(id: number, kind: string, lift: boolean, interfaces: string, signal: AbortSignal): Promise<string> {
  return getText(address(`/v1/cases/${id}/snippet`, { for: kind, lift, interface: interfaces }), signal);
}

export async function act(id: number, action: PlainAct, said: Said, key: string): Promise<void> {
  await send("POST", `/v1/cases/${id}/${action}`, said, key);
}

/** Notes that the limit was set, until an instant in Unix milliseconds. */
export async function apply(id: number, cap_bps: number, until: number, said: Said, key: string): Promise<void> {
  await send("POST", `/v1/cases/${id}/apply`, { ...said, cap_bps, until }, key);
}

/** Lets it wait until an instant in Unix milliseconds. */
export async function snooze(id: number, until: number, said: Said, key: string): Promise<void> {
  await send("POST", `/v1/cases/${id}/snooze`, { ...said, until }, key);
}

export async function attempt(id: number, attempt: Attempt, said: Said, key: string): Promise<void> {
  await send("POST", `/v1/cases/${id}/attempt`, { ...said, ...attempt }, key);
}
