// A service without anything: what it says to whoever has just installed it, and how the first figures appear.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, LIVE_MS, open, pictured, reader } from "./browser.mjs";
import { assertNothing } from "./checks.mjs";
import { lookAtAll, TWO_WAYS } from "./every_view.mjs";
import { act, facts, ship } from "./facts.mjs";
import { viewsOf } from "./views.mjs";
import { foreignWords } from "./words.mjs";

const url = process.env.METER95_URL;
const SLOT_MS = 300_000;
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("every view without anything to show", async () => {
  const found = await facts(url);
  assert.deepEqual([found.server, found.case, found.device, found.closed], [undefined, undefined, undefined, undefined]);
  const wrong = await lookAtAll(browser, url, viewsOf(found), TWO_WAYS, { facts: found, foreign: await foreignWords() });
  assertNothing(wrong);
});

test("the first steps are told, and the first figures appear by themselves", async () => {
  const context = await reader(browser);
  const watched = await open(context, url, "/#/servers");
  const { page } = watched;
  await pictured(page, "first figures", async () => {
    await page.getByText("meter95 inventory apply FILE").waitFor();
    await page.evaluate(() => (globalThis.isTheSamePage = true));

    await act(url, "/v1/inventory?by=tester", inventory(), { method: "PUT" });
    const row = page.getByRole("row").filter({ has: page.getByRole("link", { name: "web01", exact: true }) });
    await row.waitFor({ timeout: LIVE_MS });
    assert.match(await row.textContent(), /no data/);

    await ship(url, readings());
    // 1,000,000 octets in each slot of 300 s are 26,666 bit/s.
    await row.getByRole("cell", { name: "0.03", exact: true }).first().waitFor({ timeout: LIVE_MS });
    assert.equal(await page.evaluate(() => globalThis.isTheSamePage), true, "the page was not loaded again");
    assert.deepEqual(watched.complaints, []);
  });
  await context.close();
});

/** A server that has been there for half an hour, all of it in one month. */
function inventory() {
  const start = new Date(Date.now() - 6 * SLOT_MS);
  const port = { device: "sw1", interface: "ge-0/0/1", kind: "switch" };
  return {
    // Where no month has just begun.
    timezone: new Date().getUTCDate() === 1 ? "Pacific/Kiritimati" : "UTC",
    plans: [{ id: "jp6", allowance_bps: 1_000_000, price_per_mbps: "1500", currency: "JPY" }],
    servers: [{ id: "web01", customer: "c001", region: "tokyo", plan: "jp6", service_start: start.toISOString(), ports: [port] }],
  };
}

/** A reading a slot, the last of now, so that the slots between are closed. */
function readings() {
  const now = Date.now();
  return Array.from({ length: 8 }, (_, slot) => ({
    device: "sw1",
    interface: "ge-0/0/1",
    time: now - (7 - slot) * SLOT_MS,
    rx: slot * 1_000_000,
    tx: slot * 1_000_000,
  }));
}
