// A site of some servers that is metered: every view, and what a reader does with them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, LIVE_MS, open, pictured, reader, settled } from "./browser.mjs";
import { assertNothing } from "./checks.mjs";
import { allWays, lookAtAll } from "./every_view.mjs";
import { act, ask, facts } from "./facts.mjs";
import { viewsOf, VIEWS } from "./views.mjs";
import { foreignWords } from "./words.mjs";

const url = process.env.METER95_URL;
let browser;
let found;

before(async () => {
  browser = await launch();
  found = await facts(url);
});
after(() => browser.close());

/** Does something on a page of one's own that must have nothing to complain of. */
async function on(path, name, act, way = {}) {
  const context = await reader(browser, way);
  const watched = await open(context, url, path);
  await pictured(watched.page, name, async () => {
    await act(watched.page, watched);
    assert.deepEqual(watched.complaints, []);
  });
  await context.close();
}

test("every view", async () => {
  const views = viewsOf(found);
  assert.equal(views.length, VIEWS.length, `this site has something of everything: ${JSON.stringify(found)}`);
  assertNothing(await lookAtAll(browser, url, views, allWays(), { facts: found, foreign: await foreignWords() }));
});

test("the chosen language and colours are remembered", () =>
  on("/", "language and colours", async (page, watched) => {
    const says = () => page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme]);
    assert.deepEqual(await says(), ["en", "light"]);
    await page.getByRole("combobox", { name: "Language" }).selectOption({ label: "日本語" });
    await page.locator('html[lang="ja"]').waitFor();
    await settled(watched);
    await page.getByRole("combobox", { name: "配色" }).selectOption("dark");
    assert.deepEqual(await says(), ["ja", "dark"]);
    await page.reload();
    await settled(watched);
    assert.deepEqual(await says(), ["ja", "dark"]);
  }));

test("months are gone through back and forth", () =>
  on("/#/servers", "months", async (page, watched) => {
    const shown = page.getByRole("group", { name: "Period" }).locator("strong");
    const [running, back, forth] = [await shown.textContent(), page.getByRole("button", { name: "Previous month" }), page.getByRole("button", { name: "Next month" })];
    assert.ok(await forth.isDisabled(), "there is nothing after the running month");
    await back.click();
    await page.waitForURL(`**/#/servers?period=${found.closed}`);
    await settled(watched);
    assert.notEqual(await shown.textContent(), running);
    await forth.click();
    await page.waitForURL("**/#/servers");
    await settled(watched);
    assert.equal(await shown.textContent(), running);
    await page.goBack();
    await page.waitForURL(`**/#/servers?period=${found.closed}`);
  }));

test("servers are searched, sorted, shown by columns and taken along as CSV", () =>
  on("/#/servers", "servers", async (page, watched) => {
    const region = (await ask(url, "/v1/usage?limit=1")).servers[0].region;
    const expected = await ask(url, `/v1/usage?limit=1000&region=${region}&sort=server`);
    await page.getByRole("searchbox").fill(region);
    await page.waitForURL(`**search=${region}**`);
    await settled(watched);
    assert.equal(Number(await page.getByRole("table").getAttribute("aria-rowcount")), expected.count + 1);

    const head = page.getByRole("columnheader", { name: "Server" });
    const rows = () => page.locator("tr[data-row] a").filter({ hasNotText: /^$/ }).evaluateAll((links) => links.map((link) => link.textContent));
    await head.getByRole("button").click();
    await page.locator('th[aria-sort="ascending"]').filter({ hasText: "Server" }).waitFor();
    await settled(watched);
    const names = expected.servers.map(({ server }) => server).sort();
    assert.equal((await rows())[0], names[0]);
    await head.getByRole("button").click();
    await page.locator('th[aria-sort="descending"]').filter({ hasText: "Server" }).waitFor();
    await settled(watched);
    assert.equal((await rows())[0], names.at(-1));

    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
    const lines = await read(await download.createReadStream());
    const [heading, ...content] = lines.trim().split(/\r?\n/).map((line) => line.split(","));
    const column = (name) => heading.indexOf(name);
    const told = content.map((line) => `${line[column("server")]} ${line[column("p95_bps")]} ${line[column("amount")]}`);
    const known = new Map(expected.servers.map((row) => [row.server, `${row.server} ${row.p95_bps ?? ""} ${row.amount ?? ""}`]));
    assert.deepEqual(told, names.toReversed().map((name) => known.get(name)), "the lines are the API's, in the page's order");

    const [plan, customer] = ["Plan", "Customer"].map((name) => page.getByRole("columnheader", { name }));
    await page.getByText("Columns", { exact: true }).click();
    await page.getByRole("checkbox", { name: "Plan" }).check();
    await page.getByRole("checkbox", { name: "Customer" }).uncheck();
    await plan.waitFor();
    await customer.waitFor({ state: "detached" });
    await page.reload();
    await settled(watched);
    await plan.waitFor();
    assert.equal(await customer.count(), 0, "the choice is remembered");
  }));

async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Goes from one place to the next by the key alone, until `is` is true of where one is. */
async function tabTo(page, what, is, most = 80) {
  for (let presses = 0; presses < most; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(is)) return;
  }
  throw new Error(`${what} is not reached by ${most} tabs`);
}

test("from the fleet to a server's month by the keyboard alone", () =>
  on("/", "keyboard", async (page, watched) => {
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to the content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
    await page.keyboard.press("Shift+Tab");

    await page.reload();
    await settled(watched);
    await tabTo(page, "the servers", () => document.activeElement?.getAttribute("href")?.startsWith("#/servers") === true);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/#/servers**");
    await settled(watched);
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main", "whoever goes on by keyboard begins where the view begins");
    await tabTo(page, "a server", () => document.activeElement?.matches("tr[data-row] a") === true);
    const name = await page.evaluate(() => document.activeElement?.textContent);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
    await settled(watched);
    assert.equal(new URL(page.url()).hash, `#/servers/${encodeURIComponent(name)}`);
  }));

test("what others do to a case is seen without a reload", () =>
  on("/#/cases", "live", async (page, watched) => {
    const { cases } = await ask(url, "/v1/cases?open=true");
    const link = page.locator(`main a[href^="#/cases/${cases[0].id}"]`).first();
    await link.waitFor();
    await page.evaluate(() => (globalThis.isTheSamePage = true));
    await act(url, `/v1/cases/${cases[0].id}/dismiss`, { by: "tester", why: "a test of what is shown" });
    await link.waitFor({ state: "detached", timeout: LIVE_MS });
    assert.equal(await page.evaluate(() => globalThis.isTheSamePage), true);
    assert.equal(watched.complaints.length, 0);
  }));
