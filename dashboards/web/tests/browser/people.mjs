// A service that wants to know who asks: logging in, what each sees, and what happens when a session is over.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, LIVE_MS, open, pictured, reader, settled } from "./browser.mjs";
import { assertNothing } from "./checks.mjs";
import { allWays, lookAtAll } from "./every_view.mjs";
import { ask, facts } from "./facts.mjs";
import { viewsOf } from "./views.mjs";
import { foreignWords } from "./words.mjs";

const url = process.env.METER95_URL;
/** Tokens: who sees the site, who sees servers of one customer, and who closes months. */
const viewer = process.env.METER95_VIEWER;
const customer = process.env.METER95_CUSTOMER;
const billing = process.env.METER95_BILLING;
/** A month that has ended, and waits to be closed. */
const period = process.env.METER95_PERIOD;

/** How a view looks is held elsewhere; here, that it asks for nothing that is not theirs. */
const ONE_WAY = [{ language: "ja", theme: "light", size: "laptop" }];

const LOGIN = { name: "login", at: () => "/" };

let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

async function logIn(page, token) {
  await page.getByLabel(/^(Token|トークン)$/).fill(token);
  await page.getByRole("button", { name: /^(Log in|ログイン)$/ }).click();
}

/** Logs a whole profile in. */
function as(token) {
  return async (context) => {
    const watched = await open(context, url);
    await logIn(watched.page, token);
    await watched.page.getByRole("navigation").waitFor();
    await watched.page.close();
  };
}

test("the login", async () => {
  assertNothing(await lookAtAll(browser, url, [LOGIN], allWays(), { foreign: await foreignWords() }));
});

test("an unknown token is refused in words", async () => {
  const context = await reader(browser);
  const watched = await open(context, url);
  await pictured(watched.page, "an unknown token", async () => {
    assert.deepEqual(watched.complaints, []);
    await logIn(watched.page, "m95_unknown_token");
    await watched.page.getByRole("alert").filter({ hasText: "This token is not known here" }).waitFor();
    assert.ok(watched.complaints.length > 0 && watched.complaints.every((what) => what.includes("401") && what.includes("/v1/session")));
  });
  await context.close();
});

test("a month is closed by whoever may, and everybody sees it", async () => {
  const context = await reader(browser);
  await as(billing)(context);
  const others = await reader(browser);
  await as(viewer)(others);
  const seen = await open(others, url, `/#/billing?period=${period}`);
  const watched = await open(context, url, `/#/billing?period=${period}`);
  const { page } = watched;
  await pictured(page, "closing a month", async () => {
    assert.equal(await seen.page.getByRole("button", { name: "Close the month" }).count(), 0, "a viewer closes nothing");
    await page.getByRole("button", { name: "Close the month" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Close the month" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.locator(".badge").getByText("closed", { exact: true }).waitFor();
    await seen.page.locator(".badge").getByText("closed", { exact: true }).waitFor({ timeout: LIVE_MS });
    const state = await ask(url, `/v1/periods/${period}`, { token: viewer });
    assert.deepEqual([state.state, state.closed_by], ["closed", "desk"]);
    await settled(watched);
    const { statements } = await ask(url, `/v1/periods/${period}/statements`, { token: viewer });
    for (const { server } of statements) await page.getByRole("link", { name: server, exact: true }).first().waitFor();
    assert.deepEqual([watched.complaints, seen.complaints], [[], []]);
  });
  await context.close();
  await others.close();
});

/** What there is, the closed month with it. */
async function everything(token) {
  const found = await facts(url, token);
  const { statements } = await ask(url, `/v1/periods/${period}/statements`, { token });
  return { ...found, closed: period, billed: statements[0].server };
}

test("a viewer sees the site, stays logged in over a reload, and logs out", async () => {
  const found = { ...(await everything(viewer)), device: "sw1" };
  const wrong = await lookAtAll(browser, url, viewsOf(found), ONE_WAY, { facts: found, foreign: await foreignWords(), logIn: as(viewer) });
  assertNothing(wrong);
  const context = await reader(browser);
  await as(viewer)(context);
  const watched = await open(context, url);
  await pictured(watched.page, "a viewer", async () => {
    await watched.page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Collectors" }).waitFor();
    await watched.page.getByRole("button", { name: "Log out" }).click();
    await watched.page.getByLabel("Token").waitFor();
    await watched.page.reload();
    await watched.page.getByLabel("Token").waitFor();
    assert.deepEqual(watched.complaints, []);
  });
  await context.close();
});

test("whoever sees one customer is offered nothing of the whole site", async () => {
  const found = { ...(await everything(customer)), device: "sw1" };
  const all = await facts(url, viewer);
  assert.ok(found.servers > 0 && found.servers < all.servers, `${found.servers} of ${all.servers} servers`);
  const wrong = await lookAtAll(browser, url, viewsOf(found), ONE_WAY, { facts: found, foreign: await foreignWords(), logIn: as(customer) });
  assertNothing(wrong);
  const context = await reader(browser);
  await as(customer)(context);
  const watched = await open(context, url, "/#/collectors");
  await pictured(watched.page, "one customer", async () => {
    assert.equal(await watched.page.getByRole("link", { name: "Collectors" }).count(), 0);
    await watched.page.getByText("Your token is limited to a customer or a region.").waitFor();
  });
  await context.close();
});

test("a session that is over brings the login, and with it the way back", async () => {
  const context = await reader(browser);
  await as(viewer)(context);
  const watched = await open(context, url, "/#/servers");
  const { page } = watched;
  await pictured(page, "a session that is over", async () => {
    // It ends elsewhere: in another tab of the same browser.
    const elsewhere = await open(context, url);
    await elsewhere.page.getByRole("button", { name: "Log out" }).click();
    await elsewhere.page.getByLabel("Token").waitFor();
    await page.getByRole("button", { name: "Previous month" }).click();
    await page.getByLabel("Token").waitFor();
    assert.ok(watched.complaints.every((what) => what.includes("401")), watched.complaints.join("\n"));
    await logIn(page, viewer);
    await page.getByRole("navigation").first().waitFor();
    await settled(watched);
    assert.ok(new URL(page.url()).hash.startsWith("#/servers?period="), "they are where they were");
  });
  await context.close();
});
