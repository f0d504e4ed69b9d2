// All views, one after the other by several readers at once.

import { reader } from "./browser.mjs";
import { check } from "./checks.mjs";

/** Pages that are looked at at a time: as many as a small machine has cores. */
const AT_ONCE = 2;

/** Everything that is wrong with the views of `views`, for each way of looking at them. */
export async function lookAtAll(browser, url, views, ways, { facts = {}, foreign, logIn }) {
  const wrong = [];
  const ahead = [...ways];
  const look = async () => {
    for (let way = ahead.shift(); way; way = ahead.shift()) {
      const context = await reader(browser, way);
      if (logIn) await logIn(context);
      for (const view of views) {
        if (view.languages && !view.languages.includes(way.language)) continue;
        wrong.push(...(await check(context, url, view, view.at(facts), { ...way, foreign })));
      }
      await context.close();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  return wrong;
}

/** Each language with each choice of colours on each screen; axe sees each pair of them once. */
export function allWays() {
  const ways = [];
  for (const [i, size] of ["laptop", "phone"].entries()) {
    for (const [j, theme] of ["light", "dark"].entries()) {
      for (const [k, language] of ["en", "ja"].entries()) ways.push({ language, theme, size, deeply: (i + j + k) % 2 === 0 });
    }
  }
  return ways;
}

/** Both languages, colours and screens, though not each with each. */
export const TWO_WAYS = [
  { language: "en", theme: "dark", size: "phone", deeply: true },
  { language: "ja", theme: "light", size: "laptop", deeply: true },
];
