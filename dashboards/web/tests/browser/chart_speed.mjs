// How fast the chart of a server's month is, in a browser: the first draw, and frames a second while it is moved and
// zoomed. node chart_speed.mjs URL, where URL is a server's month, as http://127.0.0.1:9595/#/servers/tky-0003
//
// The draw is the time from the chart's creation to its first picture, as the page measures it itself. The frames are
// counted with requestAnimationFrame while the wheel turns every frame, and the longest gap between two is told. Whatever
// else runs on the machine takes frames away, so the best of three turns counts.
// Fails when a draw takes 200 ms or more, or when fewer than 55 frames a second are drawn.

import { chromium } from "playwright-core";

const DRAW_MS_MAX = 200;
const FPS_MIN = 55;
const MOVES = 180;
const TURNS = 3;

const url = process.argv[2];
if (!url) throw new Error("node chart_speed.mjs URL");
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(url);
await page.waitForFunction(() => performance.getEntriesByName("meter95 chart").length > 0);
const [draw_ms] = await page.evaluate(() => performance.getEntriesByName("meter95 chart").map((entry) => entry.duration));

/** The best of some turns. */
async function frames(step) {
  let best;
  for (let turn = 0; turn < TURNS && !(best?.fps >= FPS_MIN); turn++) {
    const found = await turnOf(step);
    if (!best || found.fps > best.fps) best = found;
  }
  return best;
}

/** Frames a second while `step` is done once a frame, and how many pictures the chart drew. */
async function turnOf(step) {
  return page.evaluate(
    async ([moves, body]) => {
      const host = document.querySelector(".plot-host");
      const box = host.getBoundingClientRect();
      const act = new Function("host", "box", "n", body);
      const pictures = { n: 0 };
      const fillRect = CanvasRenderingContext2D.prototype.fillRect;
      // Every picture begins by filling the whole canvas.
      CanvasRenderingContext2D.prototype.fillRect = function (x, y, width, height) {
        if (x === 0 && y === 0 && width >= box.width - 1) pictures.n += 1;
        fillRect.call(this, x, y, width, height);
      };
      const times = [];
      await new Promise((done) => {
        const frame = (at) => {
          times.push(at);
          if (times.length > moves) return done();
          act(host, box, times.length);
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      });
      CanvasRenderingContext2D.prototype.fillRect = fillRect;
      const gaps = times.slice(1).map((at, i) => at - times[i]);
      return { fps: (moves * 1000) / (times.at(-1) - times[0]), longest_ms: Math.max(...gaps), pictures: pictures.n };
    },
    [MOVES, step],
  );
}

const wheel = (delta, mode) =>
  `host.dispatchEvent(new WheelEvent("wheel", { ${delta}, clientX: box.left + box.width / 2, clientY: box.top + 50, bubbles: true, cancelable: true, ${mode ?? ""} }));`;
// There and back again, so that it never stands at an end.
const pan = wheel("deltaX: (n + 30) % 120 < 60 ? 9 : -9");
const results = [];
// A third of the month: several slots share a pixel.
await page.evaluate(new Function(`const host = document.querySelector(".plot-host"); const box = host.getBoundingClientRect(); ${wheel("deltaY: -600")}`));
await page.waitForTimeout(300);
results.push(["pan", await frames(pan)]);
results.push(["zoom", await frames(wheel("deltaY: n % 90 < 45 ? -40 : 40"))]);
// Each slot a step of its own.
await page.evaluate(new Function(`const host = document.querySelector(".plot-host"); const box = host.getBoundingClientRect(); ${wheel("deltaY: -1200")}`));
await page.waitForTimeout(300);
results.push(["pan of single slots", await frames(pan)]);
await browser.close();

const told = results.map(([name, { fps, longest_ms, pictures }]) => `${name} ${fps.toFixed(1)} fps (${pictures} pictures, longest ${longest_ms.toFixed(0)} ms)`);
console.log(`draw ${draw_ms.toFixed(0)} ms, ${told.join(", ")}`);
if (!(draw_ms < DRAW_MS_MAX) || results.some(([, { fps, pictures }]) => fps < FPS_MIN || pictures < MOVES * 0.9)) process.exitCode = 1;
