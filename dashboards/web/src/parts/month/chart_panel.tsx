// The chart with what surrounds it: the legend that switches its parts, zoom for those who do not drag, and what the
// pointer or the keyboard is on.

import { useEffect, useRef, useState } from "preact/hooks";
import { createChart, type Chart, type Pointed } from "../../chart";
import { LAYERS, type ChartData, type Layer } from "../../chart/data";
import { count, dateTime, mbpsFine } from "../../format";
import { discarded } from "../../pure/month/figures";
import type { View } from "../../pure/month/view";
import { t } from "../../words/server";
import { ChartTooltip, slotSentence } from "./tooltip";
import type { Month } from "./month";

const RANGES = [
  { name: t.day, hours: 24 },
  { name: t.week, hours: 168 },
];

interface Props {
  month: Month;
  data: ChartData;
  /** What others ask to be shown, anew whenever it is another object. */
  wanted: { view: View | undefined } | undefined;
  hide: (hidden: ReadonlySet<Layer>) => void;
  viewed: (view: View | undefined) => void;
  summary: string;
}

export function ChartPanel({ month, data, wanted, hide, viewed, summary }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | undefined>(undefined);
  const [pointed, setPointed] = useState<Pointed | undefined>();
  const [zoomed, setZoomed] = useState(false);
  const tellView = useRef(viewed);
  tellView.current = viewed;
  // Another month or another method is another chart; newer figures are not.
  const kind = `${month.period} ${data.method}`;
  useEffect(() => {
    const made = createChart(host.current!, data, {
      point: setPointed,
      viewed: (view, whole) => {
        setZoomed(!whole);
        tellView.current(whole ? undefined : view);
      },
    });
    chart.current = made;
    setZoomed(false);
    setPointed(undefined);
    return () => {
      made.destroy();
      chart.current = undefined;
    };
  }, [kind]);
  const drawn = useRef(data);
  useEffect(() => {
    if (drawn.current !== data) chart.current?.update(data);
    drawn.current = data;
  }, [data]);
  useEffect(() => {
    if (wanted) chart.current?.show(wanted.view);
  }, [wanted, kind]);

  const show = (hours: number) => {
    const slots = (hours * 3_600_000) / data.slots.slot_ms;
    chart.current?.show({ from: data.now - slots, until: data.now });
  };
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (chart.current?.key(event.key, event.shiftKey)) event.preventDefault();
  };
  return (
    <section class="panel chart-panel" aria-label={t.chart}>
      <div class="panel-head">
        <h2>{t.chart}</h2>
        <div class="ranges" role="group" aria-label={t.range}>
          <button type="button" disabled={!zoomed} title={t.earlier} aria-label={t.earlier} onClick={() => chart.current?.pan(-0.5)}>
            ‹
          </button>
          <button type="button" disabled={!zoomed} title={t.later} aria-label={t.later} onClick={() => chart.current?.pan(0.5)}>
            ›
          </button>
          <button type="button" disabled={!zoomed} title={t.zoomOut} aria-label={t.zoomOut} onClick={() => chart.current?.zoom(2)}>
            −
          </button>
          <button type="button" title={t.zoomIn} aria-label={t.zoomIn} onClick={() => chart.current?.zoom(0.5)}>
            +
          </button>
          {RANGES.map(({ name, hours }) => (
            <button key={hours} type="button" onClick={() => show(hours)}>
              {name}
            </button>
          ))}
          <button type="button" disabled={!zoomed} onClick={() => chart.current?.show(undefined)}>
            {t.month}
          </button>
        </div>
      </div>
      <Legend counts={month.counts} data={data} hide={hide} />
      <div class="plot">
        <div
          class="plot-keys"
          role="application"
          tabIndex={0}
          aria-label={t.chartKeys}
          aria-describedby="chart-hint"
          onKeyDown={key}
          onBlur={() => pointed?.keyboard && chart.current?.key("Escape", false)}
        >
          <div ref={host} class="plot-host" role="img" aria-label={summary} />
        </div>
        {month.sampled === 0 && <p class="plot-empty">{month.running ? t.noSampleYet : t.noSampleThen}</p>}
        {pointed && <ChartTooltip pointed={pointed} month={month} data={data} />}
        <p class="sr" aria-live="polite">
          {pointed?.keyboard ? slotSentence(pointed.slot, month, data) : ""}
        </p>
      </div>
      <p class="hint" id="chart-hint">
        {t.zoomHint}
      </p>
    </section>
  );
}

/** What the chart has; a click takes a part away, and another brings it back. */
function Legend({ counts, data, hide }: { counts: Month["counts"]; data: ChartData; hide: Props["hide"] }) {
  const { hidden } = data;
  const toggle = (layer: Layer) => {
    const next = new Set(hidden);
    if (!next.delete(layer)) next.add(layer);
    hide(next);
  };
  return (
    <ul class="legend" aria-label={t.legend}>
      {LAYERS.map((layer) => {
        const entry = legendEntry(layer, data, counts);
        return (
          entry && (
            <li key={layer}>
              <button type="button" class="text" aria-pressed={!hidden.has(layer)} title={entry.title} onClick={() => toggle(layer)}>
                <span class={`mark ${layer}`} aria-hidden="true" />
                {entry.name} {entry.value !== undefined && <b>{entry.value}</b>}
              </button>
            </li>
          )
        );
      })}
      <li class="unit">{t.mbps}</li>
    </ul>
  );
}

interface Entry {
  name: string;
  value?: string | undefined;
  title?: string;
}

/** undefined: the chart has nothing of it. */
function legendEntry(layer: Layer, data: ChartData, counts: Month["counts"]): Entry | undefined {
  const { figures, method, timezone } = data;
  const rate = (bps: number | null | undefined) => (bps === null || bps === undefined ? undefined : mbpsFine(bps));
  const counted = (n: number, name: string, title?: string): Entry | undefined =>
    n > 0 ? { name, value: count(n), ...(title !== undefined && { title }) } : undefined;
  switch (layer) {
    case "in":
      return { name: method === "sum" ? t.in : t.upwards };
    case "out":
      return { name: method === "sum" ? t.inAndOut : t.downwards };
    case "allowance": {
      const newest = data.allowances.at(-1)?.bps;
      const changes = data.allowances.map(({ from, bps }) => `${dateTime(from, timezone)}: ${mbpsFine(bps)}`).join("\n");
      return newest === undefined ? undefined : { name: t.allowance, value: mbpsFine(newest), title: changes };
    }
    case "p95":
      return figures?.p95_bps === null || !figures ? undefined : { name: t.p95, value: rate(figures.p95_bps) };
    case "locked_in":
      return figures?.locked_in_p95_bps == null ? undefined : { name: t.lockedInLine, value: rate(figures.locked_in_p95_bps), title: t.hint.locked_in };
    case "projected":
      return figures?.projected
        ? {
            name: t.projectedLine,
            value: `${mbpsFine(figures.projected.low_p95_bps)}–${mbpsFine(figures.projected.high_p95_bps)}`,
            title: t.projectedRule(figures.projected.weeks),
          }
        : undefined;
    case "what_if":
      return data.whatIf ? { name: t.whatIfLine } : undefined;
    case "discarded":
      return counted(figures ? discarded(figures) : 0, t.discarded, t.discardedHint);
    case "partial":
      return counted(counts.partial, t.partialLegend, t.partial);
    case "holes":
      return counted(counts.holes, t.noSample, t.holesHint);
    case "breaks":
      return counted(data.breaks.length, t.breaks, t.breaksHint);
    case "incidents":
      return counted(counts.incidents, t.incidents);
  }
}
