import assert from "node:assert/strict";
import { test } from "node:test";
import { spark, SPARK_PX } from "../src/pure/spark";

test("a bar an hour, none where there is no data, and a trace of 0", () => {
  const { within, above, allowance_px, max_bps } = spark([0, null, 5, 10, 20], 10);
  assert.equal(within.match(/M/g)?.length, 4);
  assert.ok(!within.includes("M4 "), "the hour without a sample");
  assert.ok(within.startsWith(`M0 ${SPARK_PX}V21h3`), within);
  assert.equal(above, "M16 11V1h3V11z", "what is above the allowance stands on it");
  assert.equal(allowance_px, 11);
  assert.equal(max_bps, 20);
});

test("a day far below the allowance stays low, and one without data says so", () => {
  const low = spark([1, 1], 1_000);
  assert.equal(low.above, "");
  assert.equal(low.allowance_px, 1);
  assert.equal(spark([null, null], 10).max_bps, undefined);
  assert.equal(spark([null], 10).within, "");
});
