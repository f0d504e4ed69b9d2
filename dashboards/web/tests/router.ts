import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRoute, routeHash } from "../src/router";

test("an address and its route are each other's inverse", () => {
  for (const hash of [
    "#/",
    "#/?period=2026-10",
    "#/?sort=server",
    "#/?sort=p95&order=asc",
    "#/?order=asc&search=web+c101&region=tokyo&part=no_data",
    "#/servers/web01",
    "#/servers/a%2Fb%20c?period=2026-10",
  ]) {
    assert.equal(routeHash(parseRoute(hash)), hash);
  }
});

test("what an address says wrongly is as by default", () => {
  for (const hash of ["", "#", "#/nowhere", "#/?sort=none", "#/?period=2026-13", "#/?part=some", "#/servers/%E0%A4%A"]) {
    assert.equal(routeHash(parseRoute(hash)), "#/", hash);
  }
});
