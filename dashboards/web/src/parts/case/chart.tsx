// The evidence of a case, drawn: in upwards and out downwards by slot, with the allowance and the threshold as lines, and
// the slots marked by which a rule holds. Of a large locked-in overage it is the whole month by hours.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { hoursBetween, samplesBetween, type WholeCase } from "../../api/cases";
import { clock, dateTime, mbps, mbpsFine, shortDate } from "../../format";
import { usePolled } from "../../polled";
import { t } from "../../words/cases";
import { Answered } from "../answered";

const SLOT_MS = 300_000;
const HOUR_MS = 3_600_000;
/** What is shown before the first slot of the evidence, and of all at most. */
const BEFORE_MS = 3 * HOUR_MS;
const SPAN_MS_MAX = 48 * HOUR_MS;

const HEIGHT_PX = 200;
const LEFT_PX = 52;
const BOTTOM_PX = 22;
const TOP_PX = 6;

interface Bar {
  from_ms: number;
  until_ms: number;
  in_bps: number;
  out_bps: number;
  fired: boolean;
}

interface Drawn {
  bars: Bar[];
  from_ms: number;
  until_ms: number;
  byHour: boolean;
}

export function CaseChart({ of }: { of: WholeCase }) {
  const { recommendation } = of;
  const at = of.open ? recommendation.at : of.since;
  const polled = usePolled<Drawn>(`case chart ${of.id} ${at} ${of.open}`, ["usage"], (signal) => ask(of, signal));
  return <Answered polled={polled}>{(drawn) => <Plot of={of} drawn={drawn} />}</Answered>;
}

async function ask(of: WholeCase, signal: AbortSignal): Promise<Drawn> {
  const { recommendation, server } = of;
  const iso = (ms: number) => new Date(ms).toISOString();
  const at_ms = Date.parse(recommendation.at);
  const marked = new Set(recommendation.slots.map(({ slot }) => Date.parse(slot)));
  if (marked.size === 0) {
    const until_ms = at_ms;
    const from_ms = until_ms - 31 * 24 * HOUR_MS;
    const month = recommendation.outlook.period;
    const buckets = await hoursBetween(server, iso(from_ms), iso(until_ms), signal);
    const threshold = thresholdOf(of);
    const bars = buckets
      .filter(({ from }) => monthOf(from, recommendation.timezone) === month)
      .map((bucket) => ({
        from_ms: Date.parse(bucket.from),
        until_ms: Date.parse(bucket.until),
        in_bps: bucket.in_max_bps,
        out_bps: bucket.out_max_bps,
        fired: threshold !== undefined && bucket.value_max_bps >= threshold,
      }));
    return { bars, from_ms: bars[0]?.from_ms ?? from_ms, until_ms, byHour: true };
  }
  const from_ms = Math.min(...marked) - BEFORE_MS;
  const end_ms = of.open ? Date.now() : Date.parse(of.since);
  const until_ms = Math.min(Math.max(end_ms, at_ms), from_ms + SPAN_MS_MAX);
  const answer = await samplesBetween(server, iso(from_ms), iso(until_ms), signal);
  const bars = answer.samples.map((sample) => {
    const from_ms = Date.parse(sample.slot);
    return { from_ms, until_ms: from_ms + SLOT_MS, in_bps: sample.in_bps, out_bps: sample.out_bps, fired: marked.has(from_ms) };
  });
  return { bars, from_ms, until_ms, byHour: false };
}

function monthOf(instant: string, timezone: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: timezone, year: "numeric", month: "2-digit" }).formatToParts(Date.parse(instant));
  const part = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}`;
}

/** The rate at which the rule holds, where it is one of the server's own rates. */
function thresholdOf({ recommendation }: WholeCase): number | undefined {
  for (const found of recommendation.rules) {
    if (found.rule === "sustained") return found.fired.at(-1)?.threshold_bps;
    if (found.rule === "locked_in") return found.threshold_bps;
    if (found.rule === "uplink") return found.share_threshold_bps;
  }
  return undefined;
}

function Plot({ of, drawn }: { of: WholeCase; drawn: Drawn }) {
  const host = useRef<HTMLDivElement>(null);
  const [width_px, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(host.current?.clientWidth ?? 0);
    const seen = new ResizeObserver(measure);
    seen.observe(host.current!);
    measure();
    return () => seen.disconnect();
  }, []);
  const { timezone, allowance_bps } = of.recommendation;
  const { bars, byHour } = drawn;
  const threshold = thresholdOf(of);
  const largest = Math.max(0, ...bars.map((bar) => Math.max(bar.in_bps, bar.out_bps)));
  if (bars.length === 0) return <p class="muted">{t.noChart}</p>;
  return (
    <div class="case-chart">
      <div ref={host}>
        {width_px > 0 && (
          <svg
            width={width_px}
            height={HEIGHT_PX}
            role="img"
            aria-label={t.chartSummary(of.server, dateTime(drawn.from_ms, timezone), dateTime(drawn.until_ms, timezone), mbps(largest))}
          >
            <Drawing of={of} drawn={drawn} width_px={width_px} threshold={threshold} largest={largest} />
          </svg>
        )}
      </div>
      <ul class="keys">
        <li>
          <i class="key in" />
          {t.legendIn}
        </li>
        <li>
          <i class="key out" />
          {t.legendOut}
        </li>
        {bars.some((bar) => bar.fired) && (
          <li>
            <i class="key fired" />
            {t.legendFired}
          </li>
        )}
        {threshold !== undefined && (
          <li>
            <i class="key threshold" />
            {t.legendThreshold} <b>{mbps(threshold)}</b>
          </li>
        )}
        <li>
          <i class="key allowance" />
          {t.allowance} <b>{mbps(allowance_bps)}</b>
        </li>
        <li class="unit">
          {byHour ? t.chartByHour : t.chartBySlot} {t.mbps}
        </li>
      </ul>
    </div>
  );
}

interface DrawingProps {
  of: WholeCase;
  drawn: Drawn;
  width_px: number;
  threshold: number | undefined;
  largest: number;
}

function Drawing({ of, drawn, width_px, threshold, largest }: DrawingProps) {
  const { timezone, allowance_bps } = of.recommendation;
  const { bars, from_ms, until_ms, byHour } = drawn;
  const top_bps = Math.max(largest, threshold ?? 0, allowance_bps) * 1.06;
  const plotWidth = width_px - LEFT_PX;
  const middle = TOP_PX + (HEIGHT_PX - TOP_PX - BOTTOM_PX) / 2;
  const scale = (middle - TOP_PX) / top_bps;
  const x = (ms: number) => LEFT_PX + ((ms - from_ms) / (until_ms - from_ms)) * plotWidth;
  const step = niceStep(top_bps / 2);
  const levels = [];
  for (let level = step; level <= top_bps; level += step) levels.push(level);
  const line = (bps: number, name: string) =>
    [middle - bps * scale, middle + bps * scale].map((y) => (
      <line key={`${name}${y}`} class={`line ${name}`} x1={LEFT_PX} x2={width_px} y1={y} y2={y} />
    ));
  const path = (way: "in" | "out", fired: boolean) =>
    bars
      .filter((bar) => bar.fired === fired)
      .map((bar) => {
        const height = bar[`${way}_bps`] * scale;
        const [left, right] = [x(bar.from_ms), Math.min(x(bar.until_ms), width_px)];
        return `M${left.toFixed(1)} ${middle}V${(way === "in" ? middle - height : middle + height).toFixed(1)}H${right.toFixed(1)}V${middle}Z`;
      })
      .join("");
  return (
    <>
      {levels.flatMap((level) => [
        <line key={`u${level}`} class="grid" x1={LEFT_PX} x2={width_px} y1={middle - level * scale} y2={middle - level * scale} />,
        <line key={`d${level}`} class="grid" x1={LEFT_PX} x2={width_px} y1={middle + level * scale} y2={middle + level * scale} />,
        <text key={`ut${level}`} class="axis" x={LEFT_PX - 8} y={middle - level * scale + 4} text-anchor="end">
          {mbpsAxis(level)}
        </text>,
        <text key={`dt${level}`} class="axis" x={LEFT_PX - 8} y={middle + level * scale + 4} text-anchor="end">
          {mbpsAxis(level)}
        </text>,
      ])}
      {bars
        .filter((bar) => bar.fired)
        .map((bar) => (
          <rect key={bar.from_ms} class="fired" x={x(bar.from_ms)} width={Math.max(1, x(bar.until_ms) - x(bar.from_ms))} y={TOP_PX} height={HEIGHT_PX - BOTTOM_PX - TOP_PX} />
        ))}
      <path class="in" d={path("in", false)} />
      <path class="out" d={path("out", false)} />
      <path class="in by" d={path("in", true)} />
      <path class="out by" d={path("out", true)} />
      <line class="axis-line" x1={LEFT_PX} x2={width_px} y1={middle} y2={middle} />
      {line(allowance_bps, "allowance")}
      {threshold !== undefined && line(threshold, "threshold")}
      {ticks(from_ms, until_ms, timezone, byHour, plotWidth).map(({ at_ms, text }) => (
        <text key={at_ms} class="axis" x={x(at_ms)} y={HEIGHT_PX - 6} text-anchor="middle">
          {text}
        </text>
      ))}
      {bars.map((bar) => (
        <rect key={bar.from_ms} class="hit" x={x(bar.from_ms)} width={Math.max(1, x(bar.until_ms) - x(bar.from_ms))} y={TOP_PX} height={HEIGHT_PX - BOTTOM_PX - TOP_PX}>
          <title>
            {`${dateTime(bar.from_ms, timezone)}: ${t.in} ${mbpsFine(bar.in_bps)}, ${t.out} ${mbpsFine(bar.out_bps)} ${t.mbps}`}
          </title>
        </rect>
      ))}
    </>
  );
}

/** 1, 2 or 5 times a power of ten, at most `bps`. */
function niceStep(bps: number): number {
  const power = 10 ** Math.floor(Math.log10(bps));
  const factor = [5, 2, 1].find((factor) => factor * power <= bps) ?? 1;
  return factor * power;
}

function mbpsAxis(bps: number): string {
  return String(Number((bps / 1_000_000).toPrecision(3)));
}

/** Whole hours or midnights in the time zone, no nearer to each other than their texts are wide. */
function ticks(from_ms: number, until_ms: number, timezone: string, byHour: boolean, width_px: number): { at_ms: number; text: string }[] {
  const most = Math.max(2, Math.floor(width_px / 70));
  const steps = byHour ? [24, 48, 120, 240] : [1, 2, 3, 6, 12, 24];
  const step = (steps.find((hours) => (until_ms - from_ms) / (hours * HOUR_MS) <= most) ?? steps.at(-1)!) * HOUR_MS;
  const found: { at_ms: number; text: string }[] = [];
  // Zones lie whole quarters of an hour apart, so every tick is at one.
  for (let at_ms = Math.ceil(from_ms / (HOUR_MS / 4)) * (HOUR_MS / 4); at_ms < until_ms; at_ms += HOUR_MS / 4) {
    const time = clock(at_ms, timezone);
    const even = byHour ? time === "00:00" : time.endsWith(":00") && Number(time.slice(0, 2)) % (step / HOUR_MS) === 0;
    const last = found.at(-1);
    const inside = at_ms - from_ms > step * 0.1 && until_ms - at_ms > step * 0.1;
    if (even && inside && (!last || at_ms - last.at_ms >= step)) found.push({ at_ms, text: byHour ? shortDate(at_ms, timezone) : time });
  }
  return found;
}
