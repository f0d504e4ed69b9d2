// A month's figures as it runs: `/v1/usage`.

import { address, get, type Query } from "./ask";

/** Which quantity of a sample is ranked. */
export type Method = "max" | "in" | "out" | "sum" | "separate";

export interface LastSample {
  slot: string;
  in_bps: number;
  out_bps: number;
  value_bps: number;
  partial: boolean;
}

/** Between what the month will probably end, as far as the server's own last weeks tell. */
export interface Projected {
  low_p95_bps: number;
  high_p95_bps: number;
  low_overage_bps: number;
  high_overage_bps: number;
  /** Of how many whole weeks it is made. */
  weeks: number;
  rule: string;
}

/** One server's figures for a period, as far as it has run. */
export interface ServerUsage {
  server: string;
  customer: string;
  region: string;
  plan: string;
  /** The pool that is billed in this server's place. */
  pool: string | null;
  method: Method;
  /** null: the plan has no price. */
  currency: string | null;
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
  rank: number | null;
  /** null: no data. */
  p95_bps: number | null;
  p95_in_bps: number | null;
  p95_out_bps: number | null;
  /** In force at the newest slot. */
  allowance_bps: number;
  overage_bps: number | null;
  billable_bps: number | null;
  amount: string | null;
  /** What the period ends with even if the server falls silent now. */
  locked_in_p95_bps: number | null;
  locked_in_overage_bps: number | null;
  locked_in_amount: string | null;
  /** Slots that may be discarded over the whole period, and those still left. */
  burst_slots: number;
  burst_left_slots: number;
  /** null: nothing is known to go by yet. */
  projected: Projected | null;
  last: LastSample | null;
}

/** What all lines that fit come to, of one currency. */
export interface UsageSum {
  currency: string;
  count: number;
  billable_bps: number;
  amount: string;
}

export interface Usage {
  period: string;
  from: string;
  until: string;
  timezone: string;
  as_of: string;
  /** Lines that fit the question, and those of them with overage. */
  count: number;
  over_count: number;
  totals: UsageSum[];
  servers: ServerUsage[];
  next: string | null;
}

/** A page of a month's figures. */
export function usage(query: Query, signal: AbortSignal): Promise<Usage> {
  return get(address("/v1/usage", query), signal);
}

/** Where the same lines are as CSV, all of them. */
export function usageCsv(query: Query): string {
  return address("/v1/usage.csv", query);
}
