// The chart with what surrounds it: the keys to its lines, ranges for those who do not drag, and what the pointer is on.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Samples } from "../api/servers";
import type { ServerUsage, Usage } from "../api/usage";
import { createChart, legend, type Chart, type ChartData, type Pointed } from "../chart";
import { clock, count, mbps, mbpsFine, periodName, toMs, weekdayDate } from "../format";
import { t } from "../words/server";
import { allowanceAt, rankedValue } from "../ranked";

const RANGES = [
  { name: t.day, hours: 24 },
  { name: t.week, hours: 168 },
];

const TOOLTIP_AWAY_PX = 14;

interface Props {
  samples: Samples;
  usage: Usage;
  row: ServerUsage | undefined;
}

export function ChartPanel({ samples, usage, row }: Props) {
  const data = useMemo<ChartData>(
    () => ({
      from_ms: toMs(usage.from),
      until_ms: toMs(usage.until),
      slot_s: samples.slot_s,
      timezone: usage.timezone,
      method: row?.method ?? "max",
      samples: samples.samples,
      allowances: samples.allowances,
      usage: row,
    }),
    [samples, usage, row],
  );
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | undefined>(undefined);
  const [pointed, setPointed] = useState<Pointed | undefined>();
  const [zoomed, setZoomed] = useState(false);
  // Another month or another method is another chart; newer figures are not.
  const kind = `${usage.period} ${data.method}`;
  useEffect(() => {
    chart.current = createChart(host.current!, data, { point: setPointed, zoomed: setZoomed });
    setZoomed(false);
    return () => {
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [kind]);
  const drawn = useRef(data);
  useEffect(() => {
    if (drawn.current !== data) chart.current?.update(data);
    drawn.current = data;
  }, [data]);

  const newestAllowance = data.allowances.at(-1)?.bps;
  return (
    <section class="panel chart-panel" aria-label={t.chart}>
      <div class="panel-head">
        <h2>{t.chart}</h2>
        <div class="ranges" role="group" aria-label={t.range}>
          {RANGES.map(({ name, hours }) => (
            <button key={hours} type="button" onClick={() => chart.current?.show(hours)}>
              {name}
            </button>
          ))}
          <button type="button" disabled={!zoomed} onClick={() => chart.current?.show(undefined)}>
            {t.month}
          </button>
        </div>
      </div>
      <ul class="legend">
        {legend(data.method).map(({ mark, text }) => (
          <li key={mark}>
            <span class={`mark ${mark}`} aria-hidden="true" />
            {text}
          </li>
        ))}
        {row && row.p95_bps !== null && (
          <li>
            <span class="mark p95" aria-hidden="true" />
            {t.p95} <b>{mbpsFine(row.p95_bps)}</b>
          </li>
        )}
        {newestAllowance !== undefined && (
          <li>
            <span class="mark allowance" aria-hidden="true" />
            {t.allowance} <b>{mbpsFine(newestAllowance)}</b>
          </li>
        )}
        <li class="unit">{t.mbps}</li>
      </ul>
      <div class="plot" onMouseLeave={() => setPointed(undefined)}>
        <div
          ref={host}
          class="plot-host"
          role="img"
          aria-label={t.chartSummary(samples.server, periodName(usage.period), count(samples.samples.length))}
        />
        {samples.samples.length === 0 && <p class="plot-empty">{t.noSampleYet}</p>}
        {pointed && <Tooltip pointed={pointed} data={data} />}
      </div>
      <p class="hint">{t.zoomHint}</p>
    </section>
  );
}

function Tooltip({ pointed, data }: { pointed: Pointed; data: ChartData }) {
  const { slot_ms, sample, left_px, width_px } = pointed;
  const until_ms = slot_ms + data.slot_s * 1_000;
  const allowance = allowanceAt(data.allowances, slot_ms);
  const value = sample && rankedValue(data.method, sample);
  const above = value !== undefined && allowance !== undefined ? value - allowance : 0;
  // Beside the pointer, on the side with more room.
  const place =
    left_px > width_px / 2 ? { right: `${width_px - left_px + TOOLTIP_AWAY_PX}px` } : { left: `${left_px + TOOLTIP_AWAY_PX}px` };
  return (
    <div class="tooltip" style={place}>
      <strong>
        {weekdayDate(slot_ms, data.timezone)}, {clock(slot_ms, data.timezone)}–{clock(until_ms, data.timezone)}
      </strong>
      {sample && value !== undefined ? (
        <dl>
          <Line name={t.in} value={mbpsFine(sample.in_bps)} />
          <Line name={t.out} value={mbpsFine(sample.out_bps)} />
          <Line name={t.value} value={mbpsFine(value)} strong />
          {above > 0 && <Line name={t.aboveBy} value={mbps(above)} over />}
        </dl>
      ) : (
        <p class="none">{t.noSample}</p>
      )}
      {sample?.partial && <p class="none">{t.partial}</p>}
    </div>
  );
}

function Line({ name, value, strong, over }: { name: string; value: string; strong?: boolean; over?: boolean }) {
  return (
    <div class={over ? "over" : strong ? "strong" : undefined}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
