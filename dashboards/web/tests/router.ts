import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRoute, routeHash } from "../src/router";

test("an address and its route are each other's inverse", () => {
  for (const hash of [
    "#/",
    "#/?period=2026-10",
    "#/servers",
    "#/servers?sort=server",
    "#/servers?sort=p95&order=asc",
    "#/servers?order=asc&search=web+c101&region=tokyo&customer=c101&plan=jp6&only=no_data",
    "#/servers/web01",
    "#/servers/a%2Fb%20c?period=2026-10",
    "#/servers/web01?period=2026-10&from=2026-10-12T06%3A20Z&until=2026-10-12T09%3A05Z",
    "#/billing",
    "#/billing?period=2026-10&tab=review&server=web01&revision=2&search=web",
    "#/billing?only=overage&sort=amount&order=asc",
    "#/billing?tab=incidents&sort=server",
    "#/cases",
    "#/cases?all=yes",
    "#/cases/7",
    "#/collectors?search=sw",
    "#/collectors?alerts=yes",
    "#/devices/sw%2F1",
  ]) {
    assert.equal(routeHash(parseRoute(hash)), hash);
  }
});

test("what an address says wrongly is as by default", () => {
  for (const [hash, as] of [
    ["", "#/"],
    ["#", "#/"],
    ["#/nowhere", "#/"],
    ["#/?period=2026-13", "#/"],
    ["#/servers?sort=none", "#/servers"],
    ["#/servers?only=some", "#/servers"],
    ["#/servers/%E0%A4%A", "#/servers"],
    ["#/billing?tab=none&revision=0&sort=none&only=some", "#/billing"],
    ["#/servers/web01?from=2026-10-12T06%3A20Z", "#/servers/web01"],
    ["#/servers/web01?from=2026-10-12T06%3A20Z&until=2026-10-11T06%3A20Z", "#/servers/web01"],
    ["#/servers/web01?from=yesterday&until=2026-99-99T06%3A20Z", "#/servers/web01"],
    ["#/cases/seven", "#/cases"],
    ["#/devices/", "#/collectors"],
  ] as const) {
    assert.equal(routeHash(parseRoute(hash)), as, hash);
  }
});
