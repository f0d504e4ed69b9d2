import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerUsage, Usage } from "../src/api/usage";
import { PAGE_ROWS, UsagePages, pagesOf } from "../src/pure/usage_pages";

function page(of: number, count: number): Usage {
  const rows = Math.max(0, Math.min(PAGE_ROWS, count - of * PAGE_ROWS));
  const servers = Array.from({ length: rows }, (_, i) => ({ server: `s${of * PAGE_ROWS + i}` }) as ServerUsage);
  return { count, servers } as Usage;
}

test("rows are on pages", () => {
  for (const [first, end, span] of [
    [0, 0, [0, 1]],
    [0, 100, [0, 1]],
    [99, 101, [0, 2]],
    [250, 320, [2, 4]],
  ] as const) {
    assert.deepEqual(Object.values(pagesOf(first, end)), span, `${first} ${end}`);
  }
});

test("what is asked for is what is not there, or is old", () => {
  const pages = new UsagePages();
  assert.deepEqual(pages.due({ first: 0, end: 2 }, 0), [0, 1], "nothing is known yet");
  pages.put(0, page(0, 250), 10);
  assert.deepEqual(pages.due({ first: 0, end: 2 }, 5), [1]);
  assert.deepEqual(pages.due({ first: 0, end: 2 }, 10), [0, 1], "something has changed since");
  assert.deepEqual(pages.due({ first: 1, end: 9 }, 5), [1, 2], "there are no more");
  pages.put(2, page(2, 250), 10);
  assert.equal(pages.row(249)?.server, "s249");
  assert.equal(pages.row(250), undefined);
  assert.equal(pages.row(120), undefined, "not there yet");
});

test("an empty answer is asked for again", () => {
  const pages = new UsagePages();
  pages.put(0, page(0, 0), 10);
  assert.deepEqual(pages.due({ first: 0, end: 1 }, 5), []);
  assert.deepEqual(pages.due({ first: 0, end: 1 }, 10), [0]);
});

test("pages that were looked at longest ago go first", () => {
  const pages = new UsagePages();
  for (let of = 0; of < 40; of++) pages.put(of, page(of, 100_000), 10);
  assert.deepEqual(pages.due({ first: 0, end: 1 }, 5), [], "looked at again");
  pages.put(40, page(40, 100_000), 10);
  assert.equal(pages.row(0)?.server, "s0");
  assert.equal(pages.row(PAGE_ROWS), undefined);
});
