import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatedStatement } from "../src/api/periods";
import { BILLING, type StatementColumn } from "../src/router";
import { choose } from "../src/pure/statements";

function statement(server: string, overage_bps: number | null, amount: string | null, currency = "JPY"): StatedStatement {
  const figures = { p95_bps: overage_bps, overage_bps, billable_bps: overage_bps, amount, currency, coverage: "1.0000" };
  return { server, customer: `c-${server}`, region: "tokyo", plan: "jp6", revision: 1, state: "issued", ...figures } as StatedStatement;
}

const LIST = [
  statement("a", 5, "900"),
  statement("b", null, null),
  statement("c", 50, "1500.5"),
  statement("d", 0, "0"),
  statement("e", 7, "12.50", "USD"),
];

test("statements are sorted as figures, those without one last", () => {
  for (const [sort, descending, order] of [
    ["overage", true, "c e a d b"],
    ["overage", false, "d a e c b"],
    ["amount", false, "d a c e b"],
    ["amount", true, "e c a d b"],
    ["server", false, "a b c d e"],
    ["server", true, "e d c b a"],
  ] as [StatementColumn, boolean, string][]) {
    const sorted = choose(LIST, { ...BILLING, sort, descending });
    assert.equal(sorted.map(({ server }) => server).join(" "), order, `${sort} ${descending}`);
  }
});

test("a search asks for all of its words", () => {
  for (const [search, over, found] of [
    ["", true, "c e a"],
    ["C-E", false, "e"],
    ["tokyo c-a", false, "a"],
    ["tokyo osaka", false, ""],
  ] as const) {
    const chosen = choose(LIST, { ...BILLING, search, over });
    assert.equal(chosen.map(({ server }) => server).join(" "), found, search);
  }
});
