// How fast the chart of a server's month is, in a browser: the first draw, and frames a second while it is moved and
// zoomed. node chart_speed.mjs URL, where URL is a server's month, as http://127.0.0.1:9595/#/servers/tky-0003
//
// The draw is the time from the chart's creation to its first picture, as the page measures it itself; the quickest of
// three visits counts. Frames are counted with requestAnimationFrame while the wheel turns every frame. What else runs on
// the machine takes frames away, so beside them stands what a picture costs: the time that the page's main thread was
// on a processor, divided by the pictures drawn. It includes all that the page does in between.
// Fails when a draw takes 200 ms or more, or a picture costs more than the sixtieth of a second that it has.

import { chromium } from "playwright-core";

const DRAW_MS_MAX = 200;
const PICTURE_MS_MAX = 1000 / 60;
const VISITS = 3;
const MOVES = 180;

const url = process.argv[2];
if (!url) throw new Error("node chart_speed.mjs URL");
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
const devtools = await page.context().newCDPSession(page);
await devtools.send("Performance.enable", { timeDomain: "threadTicks" });

let draw_ms = Infinity;
for (let visit = 0; visit < VISITS; visit++) {
  await page.goto("about:blank");
  await page.goto(url);
  await page.waitForFunction(() => performance.getEntriesByName("meter95 chart").length > 0);
  const took = await page.evaluate(() => performance.getEntriesByName("meter95 chart")[0].duration);
  draw_ms = Math.min(draw_ms, took);
}
await page.waitForTimeout(500);

/** How long the page's main thread has been on a processor, in ms. */
async function busy_ms() {
  const { metrics } = await devtools.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration").value * 1000;
}

/** Turns the wheel by what `delta` makes of each frame's number. */
async function frames(name, delta) {
  const before = await busy_ms();
  const { fps, pictures } = await page.evaluate(
    async ([moves, delta]) => {
      const host = document.querySelector(".plot-host");
      const box = host.getBoundingClientRect();
      const deltaOf = new Function("n", `return ${delta}`);
      let pictures = 0;
      const fillRect = CanvasRenderingContext2D.prototype.fillRect;
      // Every picture begins by filling the whole canvas.
      CanvasRenderingContext2D.prototype.fillRect = function (x, y, width, height) {
        if (x === 0 && y === 0 && width >= box.width - 1) pictures += 1;
        fillRect.call(this, x, y, width, height);
      };
      const times = [];
      await new Promise((done) => {
        const frame = (at) => {
          times.push(at);
          if (times.length > moves) return done();
          const at_px = { clientX: box.left + box.width / 2, clientY: box.top + 50 };
          host.dispatchEvent(new WheelEvent("wheel", { ...at_px, ...deltaOf(times.length), bubbles: true, cancelable: true }));
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      });
      CanvasRenderingContext2D.prototype.fillRect = fillRect;
      return { fps: (moves * 1000) / (times.at(-1) - times[0]), pictures };
    },
    [MOVES, delta],
  );
  const picture_ms = ((await busy_ms()) - before) / pictures;
  return { name, fps, picture_ms, pictures };
}

/** Zooms in by so much, at once. */
async function zoomIn(px) {
  await page.evaluate((px) => {
    const host = document.querySelector(".plot-host");
    const box = host.getBoundingClientRect();
    const at = { clientX: box.left + box.width / 2, clientY: box.top + 50 };
    host.dispatchEvent(new WheelEvent("wheel", { ...at, deltaY: -px, bubbles: true, cancelable: true }));
  }, px);
  await page.waitForTimeout(500);
}

// There and back again, so that it never stands at an end.
const pan = "{ deltaX: (n + 30) % 120 < 60 ? 9 : -9 }";
const results = [];
// A third of the month: several slots share a pixel.
await zoomIn(600);
results.push(await frames("pan", pan));
results.push(await frames("zoom", "{ deltaY: n % 90 < 45 ? -40 : 40 }"));
// Each slot a step of its own.
await zoomIn(1200);
results.push(await frames("pan of single slots", pan));
await browser.close();

const told = results.map(({ name, fps, picture_ms }) => `${name} ${fps.toFixed(1)} fps (${picture_ms.toFixed(1)} ms a picture)`);
console.log(`draw ${draw_ms.toFixed(0)} ms, ${told.join(", ")}`);
const slow = results.filter(({ picture_ms, pictures }) => !(picture_ms < PICTURE_MS_MAX) || pictures < MOVES * 0.9);
if (!(draw_ms < DRAW_MS_MAX) || slow.length > 0) process.exitCode = 1;
