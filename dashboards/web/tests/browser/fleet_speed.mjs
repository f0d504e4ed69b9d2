// How soon the fleet is seen, in a browser: the first paint, and when everything on it has its answer.
// node fleet_speed.mjs URL, where URL is a service, as http://127.0.0.1:9595
//
// The middle of five visits counts, each with an empty cache. Fails when the first paint takes a second or more.

import { chromium } from "playwright-core";

const PAINT_MS_MAX = 1_000;
const VISITS = 5;

const url = process.argv[2];
if (!url) throw new Error("node fleet_speed.mjs URL");
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});

const paints = [];
const wholes = [];
for (let visit = 0; visit < VISITS; visit++) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${url}/#/`);
  await page.waitForFunction(() => document.querySelector("main[aria-busy=false] table") !== null);
  const { paint_ms, whole_ms } = await page.evaluate(() => ({
    paint_ms: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    whole_ms: performance.now(),
  }));
  paints.push(paint_ms);
  wholes.push(whole_ms);
  await context.close();
}
await browser.close();

const middle = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
console.log(`first paint ${middle(paints).toFixed(0)} ms, everything ${middle(wholes).toFixed(0)} ms`);
if (!(middle(paints) < PAINT_MS_MAX)) process.exitCode = 1;
