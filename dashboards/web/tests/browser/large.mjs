// A site of 100,000 servers: no view takes more of the browser for it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open, pictured, reader, settled } from "./browser.mjs";
import { assertNothing } from "./checks.mjs";
import { lookAtAll, TWO_WAYS } from "./every_view.mjs";
import { ask, facts } from "./facts.mjs";
import { viewsOf } from "./views.mjs";
import { foreignWords } from "./words.mjs";

const url = process.env.METER95_URL;
const servers = Number(process.env.METER95_SERVERS);

/** Elements that a view may have, however many servers there are. */
const ELEMENTS_MAX = 6_000;

let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("the last of all servers is one jump away", async () => {
  const context = await reader(browser);
  const watched = await open(context, url, "/#/servers?sort=server&order=asc");
  const { page } = watched;
  await pictured(page, "the last of all servers", async () => {
    const { count } = await ask(url, "/v1/usage?limit=1");
    assert.ok(count >= servers, `${count} servers`);
    const table = page.getByRole("table");
    assert.equal(Number(await table.getAttribute("aria-rowcount")), count + 1);
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    const last = page.locator(`tr[aria-rowindex="${count + 1}"] a`).first();
    await last.waitFor();
    const greatest = await ask(url, "/v1/usage?limit=1&sort=server&order=desc");
    assert.equal(await last.textContent(), greatest.servers[0].server);
    await settled(watched);
    assert.ok((await page.locator("*").count()) < ELEMENTS_MAX, "only the rows near the screen are there");

    await page.getByRole("searchbox").fill(greatest.servers[0].server);
    await page.waitForURL("**search=**");
    await settled(watched);
    assert.equal(await page.locator("tr[data-row] a").first().textContent(), greatest.servers[0].server);
    assert.deepEqual(watched.complaints, []);
  });
  await context.close();
});

test("views of all servers at once", async () => {
  const found = await facts(url);
  const views = viewsOf(found).filter(({ name }) => ["fleet", "servers", "server", "cases", "collectors", "billing"].includes(name));
  assertNothing(await lookAtAll(browser, url, views, TWO_WAYS, { facts: found, foreign: await foreignWords() }));
  const context = await reader(browser);
  for (const view of views) {
    const { page } = await open(context, url, view.at(found));
    const elements = await page.locator("*").count();
    assert.ok(elements < ELEMENTS_MAX, `${view.name} has ${elements} elements`);
    await page.close();
  }
  await context.close();
});
