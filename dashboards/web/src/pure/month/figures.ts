// A month's figures wherever they come from: the usage so far, or the statement that froze them. Nothing is computed.

import type { StatedStatement } from "../../api/periods";
import type { AllowanceStep } from "../../api/servers";
import type { Method, Projected, ServerUsage } from "../../api/usage";

/** Of which kind the figures are: of a month that runs, of one that ended and is not closed, or of its statement. */
export type Standing = "so_far" | "preliminary" | StatedStatement["state"];

export interface Figures {
  standing: Standing;
  method: Method;
  samples: number;
  /** Slots of the whole period, and those of it that have closed. */
  expected: number;
  expected_so_far: number;
  coverage: string | null;
  ranked: number;
  rank: number | null;
  p95_bps: number | null;
  p95_in_bps: number | null;
  p95_out_bps: number | null;
  allowance_bps: number;
  overage_bps: number | null;
  billable_bps: number | null;
  amount: string | null;
  currency: string | null;
  burst_slots: number;
  burst_left_slots: number;
  /** Of a month that runs. */
  locked_in_p95_bps: number | null;
  locked_in_overage_bps: number | null;
  locked_in_amount: string | null;
  projected: Projected | null;
  /** The slot whose sample decides, where a statement tells it. */
  billable_slot: string | null;
}

/** How many of the largest values are left out. */
export function discarded(figures: Figures): number {
  return figures.rank === null ? 0 : figures.ranked - figures.rank;
}

/** How slots without a sample were ranked; undefined where there are none, so that it makes no difference. */
export function missingAs(figures: Figures): "zero" | "exclude" | undefined {
  if (figures.expected_so_far <= figures.samples) return undefined;
  return figures.ranked > figures.samples ? "zero" : "exclude";
}

export function fromUsage(row: ServerUsage, running: boolean): Figures {
  return {
    ...row,
    standing: running ? "so_far" : "preliminary",
    ...(running ? {} : NOTHING_TO_COME),
    billable_slot: null,
  };
}

export function fromStatement(statement: StatedStatement): Figures {
  return {
    standing: statement.state,
    method: statement.method,
    samples: statement.samples,
    expected: statement.expected,
    expected_so_far: statement.expected,
    coverage: statement.coverage,
    ranked: statement.ranked,
    rank: statement.rank,
    p95_bps: statement.p95_bps,
    p95_in_bps: statement.p95_in_bps,
    p95_out_bps: statement.p95_out_bps,
    allowance_bps: lastStep(statement.allowances),
    overage_bps: statement.overage_bps,
    billable_bps: statement.billable_bps,
    amount: statement.amount,
    currency: statement.currency,
    burst_slots: statement.burst_slots,
    burst_left_slots: statement.burst_left_slots,
    billable_slot: statement.billable_slot,
    ...NOTHING_TO_COME,
  };
}

/** What is said only of a month that runs. */
const NOTHING_TO_COME = {
  locked_in_p95_bps: null,
  locked_in_overage_bps: null,
  locked_in_amount: null,
  projected: null,
} as const;

function lastStep(steps: readonly AllowanceStep[]): number {
  return steps.at(-1)?.bps ?? 0;
}
