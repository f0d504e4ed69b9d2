// What holds on every view, in both languages, light and dark, on a laptop and on a phone.

import assert from "node:assert/strict";
import axe from "axe-core";
import { picture, visit } from "./browser.mjs";
import { untranslated } from "./words.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
const MATTERS = ["serious", "critical"];

/** Opens a view and tells everything that is wrong with it, a line each. `deeply`: axe looks as well. */
export async function check(context, url, view, path, way) {
  const { language, theme, size } = way;
  const name = `${view.name}, ${language}, ${theme}, ${size}`;
  const page = await context.newPage();
  const wrong = await faults(page, url, view, path, way).catch((cause) => [cause.message]);
  if (wrong.length > 0) wrong.push(`picture: ${await picture(page, name).catch((cause) => cause.message)}`);
  await page.close();
  return wrong.length === 0 ? [] : [`${name} (${path})`, ...wrong.map((what) => `  ${what}`)];
}

async function faults(page, url, view, path, { language, theme, deeply, foreign }) {
  const watched = await visit(page, url, path);
  const wrong = [];
  const seen = await page.evaluate(look);
  if (seen.language !== language) wrong.push(`<html lang> is ${seen.language}`);
  if (seen.title === "" || seen.title === "meter95") wrong.push(`the title is ${JSON.stringify(seen.title)}`);
  if (view.apart === undefined) {
    if (seen.headings.length !== 1) wrong.push(`h1: ${JSON.stringify(seen.headings)}`);
    if (seen.failures.length > 0) wrong.push(`says: ${seen.failures.join("; ")}`);
    if (seen.theme !== theme) wrong.push(`the colours are ${seen.theme}`);
    for (const text of untranslated(seen.texts, language, foreign)) wrong.push(`not translated: ${JSON.stringify(text)}`);
  }
  if (seen.wide > 0) wrong.push(`${seen.wide} px wider than the screen: ${seen.widest}`);
  if (deeply) wrong.push(...(await violations(page, view.apart)));
  return [...watched.complaints, ...wrong];
}

/** What a page shows, read in the page. */
function look() {
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
  const own = document.documentElement.lang;
  const texts = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (element.closest(`[lang]:not([lang="${own}"]), code, pre, script, style, textarea`) || !isShown(element)) continue;
    texts.add(node.data);
  }
  for (const element of document.body.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
    if (element.closest(`[lang]:not([lang="${own}"])`) || !isShown(element)) continue;
    for (const name of ["aria-label", "title", "placeholder", "alt"]) texts.add(element.getAttribute(name) ?? "");
  }
  const root = document.documentElement;
  const wide = root.scrollWidth - innerWidth;
  // What reaches beyond the screen, and is in no part of the page that scrolls by itself.
  const isCut = (element) => {
    const { position } = getComputedStyle(element);
    for (let around = element.parentElement; around && around !== document.body; around = around.parentElement) {
      const style = getComputedStyle(around);
      if (style.overflowX !== "visible" && (position !== "absolute" || style.position !== "static")) return true;
    }
    return false;
  };
  const reaching = wide > 0 ? [...document.body.querySelectorAll("*")].filter((element) => element.getBoundingClientRect().right > innerWidth && !isCut(element)) : [];
  const widest = reaching.slice(0, 3).map((element) => `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""} ${element.textContent.slice(0, 40)}`);
  return {
    language: own,
    title: document.title,
    theme: root.dataset.theme,
    headings: [...document.querySelectorAll("h1")].filter(isShown).map((heading) => heading.textContent),
    failures: [...document.querySelectorAll('.notice[role="alert"], .banner')].filter(isShown).map((notice) => notice.textContent),
    texts: [...texts].filter((text) => text.trim() !== ""),
    wide,
    widest: widest.join(" | "),
  };
}

async function violations(page, apart) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(
    async ({ rules, apart }) => {
      const context = apart === undefined ? document : { exclude: [[apart]] };
      const { violations } = await globalThis.axe.run(context, { resultTypes: ["violations"], runOnly: { type: "tag", values: rules } });
      return violations.map(({ id, impact, help, nodes }) => ({
        id,
        impact,
        help,
        nodes: nodes.slice(0, 3).map(({ target, failureSummary }) => `${target.join(" ")} (${failureSummary?.split("\n")[1]?.trim()})`),
        all: nodes.length,
      }));
    },
    { rules: RULES, apart },
  );
  return found
    .filter(({ impact }) => MATTERS.includes(impact))
    .map(({ id, impact, help, nodes, all }) => `axe ${id}, ${impact}, ${all} times: ${help}: ${nodes.join(" | ")}`);
}

/** Nothing is wrong. */
export function assertNothing(wrong) {
  assert.equal(wrong.length, 0, `\n${wrong.join("\n")}\n`);
}
