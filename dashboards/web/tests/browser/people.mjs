// A service that wants to know who asks: logging in, what each sees, and what happens when a session is over.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open, pictured, reader, settled } from "./browser.mjs";
import { assertNothing } from "./checks.mjs";
import { allWays, lookAtAll, TWO_WAYS } from "./every_view.mjs";
import { facts } from "./facts.mjs";
import { viewsOf } from "./views.mjs";
import { foreignWords } from "./words.mjs";

const url = process.env.METER95_URL;
/** Sees the site as a whole, and servers of one customer. */
const viewer = process.env.METER95_VIEWER;
const customer = process.env.METER95_CUSTOMER;

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

test("a viewer sees the site, stays logged in over a reload, and logs out", async () => {
  const found = await facts(url, viewer);
  const wrong = await lookAtAll(browser, url, viewsOf(found), TWO_WAYS, { facts: found, foreign: await foreignWords(), logIn: as(viewer) });
  assertNothing(wrong);
  const context = await reader(browser);
  await as(viewer)(context);
  const watched = await open(context, url);
  await pictured(watched.page, "a viewer", async () => {
    await watched.page.getByRole("link", { name: "Collectors" }).waitFor();
    await watched.page.getByRole("button", { name: "Log out" }).click();
    await watched.page.getByLabel("Token").waitFor();
    await watched.page.reload();
    await watched.page.getByLabel("Token").waitFor();
    assert.deepEqual(watched.complaints, []);
  });
  await context.close();
});

test("whoever sees one customer is offered nothing of the whole site", async () => {
  const found = await facts(url, customer);
  const all = await facts(url, viewer);
  assert.ok(found.servers > 0 && found.servers < all.servers, `${found.servers} of ${all.servers} servers`);
  const views = viewsOf({ ...found, device: "sw1" });
  const wrong = await lookAtAll(browser, url, views, TWO_WAYS, { facts: { ...found, device: "sw1" }, foreign: await foreignWords(), logIn: as(customer) });
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
