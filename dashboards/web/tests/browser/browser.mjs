// A browser that complains of everything: what a page logs, what it could not load, and whom it asked.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** Where the pictures of failures go. */
const PICTURES = process.env.METER95_PICTURES ?? "../../target/browser";

/** Nothing that Chromium asks of anybody by itself. */
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long anything may take that the service answers: a debug build on a busy machine. */
export const PATIENCE_MS = 60_000;

/** A taller page is pictured as far as the screen shows it. */
const TALL_PX = 20_000;

/** How soon what changes at the service is shown: a page that only asks from time to time would take longer. */
export const LIVE_MS = 20_000;

export const LANGUAGES = { en: "en-GB", ja: "ja-JP" };
export const THEMES = ["light", "dark"];
export const SIZES = { laptop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

export async function launch() {
  const executablePath = process.env.METER95_CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: ARGS });
}

/** A reader: a profile of their own, with a language, colours and a screen. */
export async function reader(browser, { language = "en", theme = "light", size = "laptop" } = {}) {
  const context = await browser.newContext({
    viewport: SIZES[size],
    locale: LANGUAGES[language],
    colorScheme: theme,
    timezoneId: "Asia/Tokyo",
    reducedMotion: "reduce",
    acceptDownloads: true,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

/** What went wrong on a page, and what it still asks for. */
class Watched {
  complaints = [];
  asked = new Set();
  listeners = new Set();

  constructor(page, url) {
    this.page = page;
    this.host = new URL(url).host;
    page.on("console", (message) => {
      // What could not be loaded is told by its answer.
      if (message.text().startsWith("Failed to load resource")) return;
      if (["error", "warning"].includes(message.type())) this.complaints.push(`console: ${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => this.complaints.push(`error: ${error.message}`));
    page.on("request", (request) => {
      const { protocol, host } = new URL(request.url());
      if (!["data:", "blob:"].includes(protocol) && host !== this.host) this.complaints.push(`asks another host: ${request.url()}`);
      // The stream of events stands for as long as the page does.
      if (request.resourceType() !== "eventsource") this.asked.add(request);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) this.complaints.push(`${response.status()}: ${response.url()}`);
    });
    page.on("requestfinished", (request) => this.done(request));
    page.on("requestfailed", (request) => {
      // What a page that is left no longer wants to know is no failure.
      const why = request.failure()?.errorText;
      if (why !== "net::ERR_ABORTED") this.complaints.push(`${why}: ${request.url()}`);
      this.done(request);
    });
  }

  done(request) {
    this.asked.delete(request);
    for (const listener of this.listeners) listener();
  }

  /** Waits until nothing is asked for. */
  async quiet() {
    while (this.asked.size > 0) {
      await new Promise((resolve, reject) => {
        const urls = () => [...this.asked].map((request) => request.url()).join(", ");
        const timer = setTimeout(() => reject(new Error(`still asked for after ${PATIENCE_MS} ms: ${urls()}`)), PATIENCE_MS);
        const listener = () => {
          clearTimeout(timer);
          this.listeners.delete(listener);
          resolve();
        };
        this.listeners.add(listener);
      });
    }
  }
}

/** A page of `url` that is watched; `path` is what comes after the host. */
export async function open(context, url, path = "/") {
  return visit(await context.newPage(), url, path);
}

/** The same with a page that there is already, and that nobody has watched. */
export async function visit(page, url, path) {
  const watched = new Watched(page, url);
  await page.goto(url + path);
  await settled(watched);
  return watched;
}

/** Waits until all that is shown has its answer: nothing is asked for, and nothing says that it is busy. */
export async function settled(watched) {
  const { page } = watched;
  await page.locator("main, h2").first().waitFor();
  for (;;) {
    await watched.quiet();
    await page.waitForFunction(() => document.querySelector('[aria-busy="true"]') === null);
    // What came last is drawn, and has asked for what it needs.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(drawn)))));
    if (watched.asked.size === 0 && (await page.locator('[aria-busy="true"]').count()) === 0) return;
  }
}

/** A picture of how a page stands, and where it is. */
export async function picture(page, name) {
  mkdirSync(PICTURES, { recursive: true });
  const path = join(PICTURES, `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.png`);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.screenshot({ path, fullPage: height < TALL_PX });
  return path;
}

/** Does something on a page; where that goes wrong, the failure says where its picture is. */
export async function pictured(page, name, act) {
  try {
    return await act();
  } catch (error) {
    const path = await picture(page, name).catch((cause) => `none: ${cause.message}`);
    error.message += `\npicture: ${path}`;
    throw error;
  }
}
