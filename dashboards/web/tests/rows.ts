import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerUsage } from "../src/api";
import { parseRoute, type FleetRoute } from "../src/router";
import { rowsOf } from "../src/rows";

function server(id: string, p95_bps: number | null, overage_bps = 0, region = "tokyo"): ServerUsage {
  return {
    server: id,
    customer: `c-${id}`,
    region,
    plan: "jp6",
    method: "max",
    currency: "JPY",
    samples: 1,
    expected: 8_640,
    expected_so_far: 1,
    coverage: "1.0000",
    ranked: 1,
    rank: 1,
    p95_bps,
    p95_in_bps: p95_bps,
    p95_out_bps: p95_bps,
    allowance_bps: 1_000_000,
    overage_bps,
    billable_bps: overage_bps,
    amount: "0",
    locked_in_p95_bps: 0,
    locked_in_overage_bps: 0,
    locked_in_amount: "0",
    burst_slots: 432,
    burst_left_slots: 432,
    last: null,
  };
}

const FLEET = [
  server("web10", 500),
  server("web2", 700, 0, "osaka"),
  server("db1", 2_000_000, 1_000_000),
  server("silent", null),
];

test("the rows of an address, in order", () => {
  for (const [hash, expected] of [
    ["#/", "db1 web2 web10 silent"],
    ["#/?order=asc", "web2 web10 db1 silent"],
    ["#/?sort=p95&order=asc", "web10 web2 db1 silent"],
    ["#/?sort=server", "db1 silent web2 web10"],
    ["#/?sort=server&order=desc", "web10 web2 silent db1"],
    ["#/?search=WEB", "web2 web10"],
    ["#/?search=web+c-web2", "web2"],
    ["#/?region=osaka", "web2"],
    ["#/?part=above", "db1"],
    ["#/?part=no_data", "silent"],
  ] as const) {
    const rows = rowsOf(FLEET, parseRoute(hash) as FleetRoute);
    assert.equal(rows.map((row) => row.server).join(" "), expected, hash);
  }
});
