import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, loss, place } from "../src/pure/round_trip";

test("round trips as people read them", () => {
  for (const [us, says] of [
    [319, "0.32 ms"],
    [300, "0.30 ms"],
    [7_423, "7.4 ms"],
    [999_000, "1,000 ms"],
    [1_234_000, "1.2 s"],
  ] as const) {
    assert.equal(duration(us), says);
  }
});

test("each power of ten is as wide as the next", () => {
  for (const [us, at] of [
    [0, 0],
    [100, 0],
    [1_000, 0.2],
    [10_000_000, 1],
    [99_000_000, 1],
  ] as const) {
    assert.ok(Math.abs(place(us) - at) < 1e-9, `${us}: ${place(us)}`);
  }
});

test("loss is rounded up, so that none is said only of none", () => {
  assert.equal(loss(0, 0), undefined);
  assert.equal(loss(0, 10), "0.00 %");
  assert.equal(loss(1, 1_000_000), "0.01 %");
  assert.equal(loss(1, 3), "33.34 %");
});
