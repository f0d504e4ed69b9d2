// Which servers the fleet view shows and in which order. Pure.

import type { ServerUsage } from "./api";
import type { Column, FleetRoute, Part } from "./router";

/** The rows of a route: filtered, then sorted. What has no figure comes last in either order. */
export function rowsOf(servers: readonly ServerUsage[], route: FleetRoute): ServerUsage[] {
  const words = route.search.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const fits = (row: ServerUsage) =>
    (route.region === "" || row.region === route.region) &&
    (route.part === undefined || isPart(row, route.part)) &&
    words.every((word) => `${row.server} ${row.customer} ${row.plan}`.toLowerCase().includes(word));
  return servers.filter(fits).sort(order(route.sort, route.descending));
}

export function isPart(row: ServerUsage, part: Part): boolean {
  return part === "no_data" ? row.p95_bps === null : row.p95_bps !== null && row.overage_bps > 0;
}

const names = new Intl.Collator("en", { numeric: true });

/** By the column, then by p95 from the largest, then by name. */
function order(column: Column, descending: boolean): (a: ServerUsage, b: ServerUsage) => number {
  const sign = descending ? -1 : 1;
  return (a, b) =>
    compare(key(a, column), key(b, column), sign) ||
    compare(a.p95_bps, b.p95_bps, -1) ||
    names.compare(a.server, b.server);
}

type Key = string | number | null;

function key(row: ServerUsage, column: Column): Key {
  const figure = (value: number) => (row.p95_bps === null ? null : value);
  switch (column) {
    case "server":
    case "customer":
    case "region":
    case "plan":
      return row[column];
    case "in":
      return row.last && row.last.in_bps;
    case "out":
      return row.last && row.last.out_bps;
    case "p95":
      return row.p95_bps;
    case "allowance":
      return row.allowance_bps;
    case "overage":
      return figure(row.overage_bps);
    case "amount":
      return figure(Number(row.amount));
    case "locked_in":
      return row.p95_bps === null ? null : row.locked_in_overage_bps;
    case "burst_left":
      return figure(row.burst_left_slots);
    case "coverage":
      return row.coverage === null ? null : Number(row.coverage);
  }
}

function compare(a: Key, b: Key, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === "string" && typeof b === "string") return sign * names.compare(a, b);
  return sign * (Number(a) - Number(b));
}
