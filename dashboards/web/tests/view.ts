import assert from "node:assert/strict";
import { test } from "node:test";
import { follow, isWhole, pan, roundTicks, SLOTS_MIN, timeTicks, whole, within, zoom } from "../src/pure/month/view";

const COUNT = 8_640;

test("a zoom keeps the slot at the pointer where it is", () => {
  const view = zoom({ from: 1_000, until: 2_000 }, 1_250, 0.5, COUNT);
  assert.deepEqual(view, { from: 1_125, until: 1_625 });
  assert.equal((1_250 - view.from) / (view.until - view.from), 0.25);
});

test("a view stays inside the month and within its limits", () => {
  assert.deepEqual(zoom(whole(COUNT), 10, 3, COUNT), whole(COUNT));
  const least = zoom({ from: 100, until: 110 }, 105, 0.001, COUNT);
  assert.equal(least.until - least.from, SLOTS_MIN);
  assert.deepEqual(pan({ from: 10, until: 20 }, -50, COUNT), { from: 0, until: 10 });
  assert.deepEqual(pan({ from: 10, until: 20 }, 1e9, COUNT), { from: COUNT - 10, until: COUNT });
  assert.deepEqual(within({ from: -5, until: COUNT + 5 }, COUNT), whole(COUNT));
  assert.deepEqual(within({ from: 3, until: 3 }, 4), whole(4));
  assert.ok(isWhole(whole(COUNT), COUNT));
  assert.ok(!isWhole({ from: 1, until: COUNT }, COUNT));
});

test("a view follows a cursor no further than it must", () => {
  const view = { from: 100, until: 200 };
  assert.deepEqual(follow(view, 150, COUNT), view);
  assert.deepEqual(follow(view, 90, COUNT), { from: 90, until: 190 });
  assert.deepEqual(follow(view, 200, COUNT), { from: 101, until: 201 });
});

test("rates have round marks", () => {
  for (const [low, high, most, ticks] of [
    [0, 10, 5, [0, 2, 4, 6, 8, 10]],
    [-3, 7, 2, [0, 5]],
    [0, 1, 4, [0, 0.5, 1]],
    [5, 5, 4, []],
  ] as [number, number, number, number[]][]) {
    assert.deepEqual(roundTicks(low, high, most), ticks);
  }
});

test("time has marks at midnights, and between them where there is room", () => {
  const midnights = Array.from({ length: 31 }, (_, day) => day * 288);
  assert.deepEqual(timeTicks(whole(COUNT), midnights, 5, 8).slice(0, 3), [0, 5 * 288, 10 * 288]);
  assert.deepEqual(timeTicks({ from: 288, until: 576 }, midnights, 5, 9), [288, 324, 360, 396, 432, 468, 504, 540, 576]);
  assert.deepEqual(timeTicks({ from: 300, until: 306 }, midnights, 5, 10), [300, 301, 302, 303, 304, 305, 306]);
  // On a day of 23 hours the marks begin anew at the next midnight.
  assert.deepEqual(timeTicks({ from: 240, until: 324 }, [0, 276, 564], 5, 3), [252, 276, 312]);
});
