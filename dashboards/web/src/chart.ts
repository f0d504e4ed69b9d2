// One server's month: every sample as it is, with the p95 and the allowance as lines.
//
// In stands above the axis and out below it, so that neither hides the other, and a line that holds for both
// directions is drawn on both sides. Where in + out is ranked, out is stacked on in and there is one side.
// Nothing is averaged: each sample is drawn as a step of its slot's width, however many share a pixel.

import uPlot from "uplot";
import type { AllowanceStep, Sample } from "./api/servers";
import type { Method, ServerUsage } from "./api/usage";
import { clock, shortDate } from "./format";
import { locale } from "./language";
import { RECOLOURED } from "./theme";
import { t } from "./words/server";

const BPS_PER_MBPS = 1_000_000;
/** A shorter drag is a click. */
const MIN_DRAG_PX = 6;

export interface ChartData {
  from_ms: number;
  until_ms: number;
  slot_s: number;
  timezone: string;
  method: Method;
  samples: readonly Sample[];
  allowances: readonly AllowanceStep[];
  usage: ServerUsage | undefined;
}

/** What the pointer is on: a slot, with its sample if there is one. */
export interface Pointed {
  slot_ms: number;
  sample: Sample | undefined;
  /** The pointer from the left edge of the whole chart, and the chart's width. */
  left_px: number;
  width_px: number;
}

export interface Chart {
  update: (data: ChartData) => void;
  /** The last so many hours with samples, or the whole period. */
  show: (hours: number | undefined) => void;
  destroy: () => void;
}

export function createChart(
  host: HTMLElement,
  first: ChartData,
  on: { point: (pointed: Pointed | undefined) => void; zoomed: (zoomed: boolean) => void },
): Chart {
  let data = first;
  let bySlot = index(data);
  let zoomed = false;
  let colours = readColours(host);

  const plot = new uPlot(options(), grid(data, bySlot), host);

  function options(): uPlot.Options {
    const { width, height } = size(host);
    return {
      width,
      height,
      legend: { show: false },
      padding: [12, 22, 0, 0],
      tzDate: (s) => uPlot.tzDate(new Date(s * 1_000), data.timezone),
      cursor: {
        drag: { x: true, y: false, dist: MIN_DRAG_PX },
        points: { show: false },
        y: false,
      },
      scales: { x: { time: true }, y: { range: (_, min, max) => rateRange(data, min, max) } },
      axes: [
        {
          stroke: () => colours.muted,
          font: colours.font,
          grid: { stroke: () => colours.line, width: 1 },
          ticks: { show: false },
          space: 64,
          size: 32,
          values: (_, splits, __, ___, incr_s) => splits.map((s) => timeLabel(s, incr_s, data.timezone)),
        },
        {
          stroke: () => colours.muted,
          font: colours.font,
          grid: { stroke: () => colours.line, width: 1 },
          ticks: { show: false },
          size: (_, labels) => 16 + 7 * Math.max(3, ...(labels ?? []).map((label) => label.length)),
          values: (_, splits, __, ___, incr) => splits.map((mbps) => rateLabel(mbps, incr)),
        },
      ],
      series: [
        {},
        { stroke: () => colours.out, fill: () => colours.outFill, width: 1, paths: steps, points: { show: false } },
        { stroke: () => colours.in, fill: () => colours.inFill, width: 1, paths: steps, points: { show: false } },
      ],
      hooks: {
        draw: [drawLines],
        setCursor: [point],
        setSelect: [(u) => u.select.width > 0 && setZoomed(true)],
        ready: [(u) => u.over.addEventListener("dblclick", () => setZoomed(false))],
      },
    };
  }

  /** Each sample from its slot's start to its end, down to the axis; a slot without one is left open. */
  function steps(u: uPlot, series: number, from: number, to: number): uPlot.Series.Paths {
    const xs = u.data[0];
    const ys = u.data[series]!;
    const stroke = new Path2D();
    const fill = new Path2D();
    const x = (s: number) => u.valToPos(s, "x", true);
    const y = (mbps: number) => u.valToPos(mbps, "y", true);
    const zero = y(0);
    let open = false;
    for (let i = Math.max(0, from - 1); i <= Math.min(to + 1, xs.length - 1); i++) {
      const value = ys[i];
      const left = x(xs[i]!);
      if (value == null) {
        if (open) fill.lineTo(left, zero);
        open = false;
        continue;
      }
      const right = x(xs[i]! + data.slot_s);
      const top = y(value);
      if (open) {
        stroke.lineTo(left, top);
      } else {
        stroke.moveTo(left, top);
        fill.moveTo(left, zero);
      }
      fill.lineTo(left, top);
      fill.lineTo(right, top);
      stroke.lineTo(right, top);
      open = true;
      if (i === Math.min(to + 1, xs.length - 1)) fill.lineTo(right, zero);
    }
    return { stroke, fill, flags: 0 };
  }

  function drawLines(u: uPlot): void {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();

    const line = (colour: string, dash: number[], width: number, draw: () => void) => {
      ctx.strokeStyle = colour;
      ctx.lineWidth = width * ratio;
      ctx.setLineDash(dash.map((px) => px * ratio));
      ctx.beginPath();
      draw();
      ctx.stroke();
    };
    const right = bbox.left + bbox.width;
    line(colours.muted, [], 1, () => {
      const zero = u.valToPos(0, "y", true);
      ctx.moveTo(bbox.left, zero);
      ctx.lineTo(right, zero);
    });
    for (const side of sides(data.method)) {
      line(colours.text, [6, 4], 1.5, () => {
        data.allowances.forEach((step, i) => {
          const next = data.allowances[i + 1];
          const at = u.valToPos((side * step.bps) / BPS_PER_MBPS, "y", true);
          ctx.lineTo(u.valToPos(Date.parse(step.from) / 1_000, "x", true), at);
          ctx.lineTo(u.valToPos((next ? Date.parse(next.from) : data.until_ms) / 1_000, "x", true), at);
        });
      });
    }
    for (const { side, bps } of p95Lines(data)) {
      line(colours.p95, [], 2, () => {
        const at = u.valToPos((side * bps) / BPS_PER_MBPS, "y", true);
        ctx.moveTo(bbox.left, at);
        ctx.lineTo(right, at);
      });
    }
    ctx.restore();
  }

  function point(u: uPlot): void {
    const { left, idx } = u.cursor;
    if (left == null || left < 0 || idx == null) return on.point(undefined);
    const at_s = u.posToVal(left, "x");
    const slot_ms = Math.floor(at_s / data.slot_s) * data.slot_s * 1_000;
    on.point({ slot_ms, sample: bySlot.get(slot_ms), left_px: u.over.offsetLeft + left, width_px: host.clientWidth });
  }

  function setZoomed(now: boolean): void {
    zoomed = now;
    on.zoomed(now);
  }

  const resize = new ResizeObserver(() => plot.setSize(size(host)));
  resize.observe(host);
  const recolour = () => {
    colours = readColours(host);
    plot.redraw(true);
  };
  addEventListener(RECOLOURED, recolour);

  return {
    update(next) {
      data = next;
      bySlot = index(next);
      // What was zoomed to stays in view; its rates find their scale anew.
      const { min, max } = plot.scales["x"]!;
      plot.setData(grid(next, bySlot), !zoomed);
      if (zoomed && min != null && max != null) plot.setScale("x", { min, max });
    },
    show(hours) {
      const newest = data.samples.at(-1);
      if (hours === undefined || !newest) {
        plot.setData(plot.data, true);
        setZoomed(false);
        return;
      }
      const end_s = Date.parse(newest.slot) / 1_000 + data.slot_s;
      plot.setScale("x", { min: Math.max(data.from_ms / 1_000, end_s - hours * 3_600), max: end_s });
      setZoomed(true);
    },
    destroy() {
      resize.disconnect();
      removeEventListener(RECOLOURED, recolour);
      plot.destroy();
    },
  };
}

function index(data: ChartData): Map<number, Sample> {
  return new Map(data.samples.map((sample) => [Date.parse(sample.slot), sample]));
}

/** Every slot of the period on the time axis, so that the month keeps its width and a hole stays one. */
function grid(data: ChartData, bySlot: Map<number, Sample>): uPlot.AlignedData {
  const slot_ms = data.slot_s * 1_000;
  const times: number[] = [];
  const outs: (number | null)[] = [];
  const ins: (number | null)[] = [];
  const stacked = data.method === "sum";
  for (let at = data.from_ms; at <= data.until_ms; at += slot_ms) {
    const sample = bySlot.get(at);
    times.push(at / 1_000);
    ins.push(sample ? sample.in_bps / BPS_PER_MBPS : null);
    if (!sample) outs.push(null);
    else outs.push((stacked ? sample.in_bps + sample.out_bps : -sample.out_bps) / BPS_PER_MBPS);
  }
  return [times, outs, ins];
}

/** On which sides of the axis the allowance holds: 1 above (in), -1 below (out). */
function sides(method: Method): (1 | -1)[] {
  if (method === "in" || method === "sum") return [1];
  return method === "out" ? [-1] : [1, -1];
}

function p95Lines({ method, usage }: ChartData): { side: 1 | -1; bps: number }[] {
  if (!usage || usage.p95_bps === null) return [];
  if (method === "separate" && usage.p95_in_bps !== null && usage.p95_out_bps !== null) {
    return [
      { side: 1, bps: usage.p95_in_bps },
      { side: -1, bps: usage.p95_out_bps },
    ];
  }
  const bps = usage.p95_bps;
  return sides(method).map((side) => ({ side, bps }));
}

/**
 * The samples in view, the lines, and some air. The lines are sure to be seen on the side of the larger direction;
 * the other side keeps the scale of its samples, and shows a line where one comes near them.
 */
function rateRange(data: ChartData, min: number | null, max: number | null): uPlot.Range.MinMax {
  let low = Math.min(0, min ?? 0);
  let high = Math.max(0, max ?? 0);
  const both = sides(data.method);
  const larger = both.length === 1 ? both[0] : high >= -low ? 1 : -1;
  const lines = p95Lines(data).filter(({ side }) => side === larger || data.method === "separate");
  for (const { bps } of data.allowances) lines.push({ side: larger ?? 1, bps });
  for (const { side, bps } of lines) {
    low = Math.min(low, (side * bps) / BPS_PER_MBPS);
    high = Math.max(high, (side * bps) / BPS_PER_MBPS);
  }
  const air = (high - low || 1) * 0.06;
  return [low < 0 ? low - air : 0, high + air];
}

function rateLabel(mbps: number, incr: number): string {
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(incr) + 1e-9)));
  return Math.abs(mbps).toLocaleString(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function timeLabel(s: number, incr_s: number, timezone: string): string {
  const time = clock(s * 1_000, timezone);
  return incr_s >= 86_400 || time === "00:00" ? shortDate(s * 1_000, timezone) : time;
}

function size(host: HTMLElement): { width: number; height: number } {
  return { width: Math.max(200, host.clientWidth), height: Math.max(160, host.clientHeight) };
}

function readColours(host: HTMLElement) {
  const style = getComputedStyle(host);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: of("--text"),
    muted: of("--muted"),
    line: of("--line"),
    in: of("--in"),
    inFill: of("--in-fill"),
    out: of("--out"),
    outFill: of("--out-fill"),
    p95: of("--p95"),
    font: `12px ${style.fontFamily}`,
  };
}

export const legend = (method: Method) =>
  method === "sum"
    ? [
        { mark: "in", text: t.in },
        { mark: "out", text: t.inAndOut },
      ]
    : [
        { mark: "in", text: t.upwards },
        { mark: "out", text: t.downwards },
      ];
