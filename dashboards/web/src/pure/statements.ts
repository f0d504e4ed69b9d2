// A month's statements in the order and the choice that the reader asks for.

import type { StatedStatement } from "../api/periods";
import type { BillingRoute, StatementColumn } from "../router";

type Chosen = Pick<BillingRoute, "search" | "over" | "sort" | "descending">;

/** Those that fit, sorted; those without a figure stand last in either order. */
export function choose(statements: readonly StatedStatement[], { search, over, sort, descending }: Chosen): StatedStatement[] {
  const words = search.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const fits = (one: StatedStatement) => {
    if (over && (one.overage_bps ?? 0) === 0) return false;
    const text = `${one.server} ${one.customer} ${one.region} ${one.plan}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const sign = descending ? -1 : 1;
  const keyed = statements.filter(fits).map((one) => ({ one, key: keyOf(one, sort) }));
  keyed.sort(({ one: a, key: left }, { one: b, key: right }) => {
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined) || byName(a, b);
    return sign * (left < right ? -1 : left > right ? 1 : 0) || byName(a, b);
  });
  return keyed.map(({ one }) => one);
}

/** What a column is sorted by. Amounts of several currencies stand apart, each currency by itself. */
function keyOf(one: StatedStatement, column: StatementColumn): string | number | undefined {
  switch (column) {
    case "server":
    case "customer":
    case "region":
    case "plan":
    case "state":
      return one[column];
    case "p95":
    case "overage":
    case "billable":
      return one[`${column}_bps`] ?? undefined;
    case "coverage":
      return one.coverage === null ? undefined : Number(one.coverage);
    case "amount":
      return one.amount === null || one.currency === null ? undefined : `${one.currency} ${sortable(one.amount)}`;
  }
}

/** A decimal string that sorts as its value does: as many digits before the point as the largest has. */
function sortable(amount: string): string {
  const [whole = "0", fraction = ""] = amount.split(".");
  return `${whole.padStart(30, "0")}.${fraction}`;
}

function byName(a: StatedStatement, b: StatedStatement): number {
  return a.server < b.server ? -1 : a.server > b.server ? 1 : a.revision - b.revision;
}
