import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome, Relief } from "../src/api/cases";
import { pointless, sameOutcome } from "../src/pure/outlook";

function outcome(overage_bps: number, amount: string): Outcome {
  return { p95_bps: overage_bps + 1_000_000, overage_bps, billable_bps: overage_bps, amount, currency: "JPY" };
}

function relief(freed_bps: number): Relief {
  return { uplinks: ["up1"], direction: "out", freed_bps, load_bps: 900_000_000, speed_bps: 10_000_000_000 };
}

test("a limit is pointless that changes neither the bill nor a line", () => {
  const same = { period: "2026-11", without: outcome(87_110_000, "130665"), with: outcome(87_110_000, "130665") };
  const less = { ...same, with: outcome(40_000_000, "60000") };
  assert.ok(sameOutcome({ outlook: same }));
  assert.ok(!sameOutcome({ outlook: less }));
  for (const [outlook, freed, expected] of [
    [same, [], true],
    [same, [76_694_000], true],
    [same, [99_999_999], true],
    [same, [100_000_000], false],
    [same, [76_694_000, 500_000_000], false],
    [less, [], false],
    [less, [76_694_000], false],
  ] as const) {
    assert.equal(pointless({ outlook, relief: freed.map(relief) }), expected, JSON.stringify([outlook.with.amount, freed]));
  }
});
