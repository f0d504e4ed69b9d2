import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sample } from "../src/api/servers";
import type { Method } from "../src/api/usage";
import { rankedValue } from "../src/pure/ranked";

test("what a method ranks of a sample", () => {
  const sample: Sample = { slot: "2026-11-01T00:00:00Z", in_bps: 3, out_bps: 5, value_bps: 5, partial: false, revision: 1 };
  for (const [method, value] of [
    ["max", 5],
    ["in", 3],
    ["out", 5],
    ["sum", 8],
    ["separate", 5],
  ] as [Method, number][]) {
    assert.equal(rankedValue(method, sample), value, method);
  }
});
