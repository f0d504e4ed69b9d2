// The duration curve: every ranked value, the largest first, over the share of time in which it is reached.

import { useMemo, useState } from "preact/hooks";
import { count, hours, mbpsFine } from "../../format";
import { discarded } from "../../pure/month/figures";
import { duration } from "../../pure/month/ranking";
import { roundTicks } from "../../pure/month/view";
import { t } from "../../words/server";
import { Panel } from "../panel";
import type { Month } from "./month";

const WIDTH = 420;
const HEIGHT = 260;
const LEFT = 46;
const RIGHT = 12;
const TOP = 14;
const BOTTOM = 26;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;
const BPS_PER_MBPS = 1_000_000;

export function DurationPanel({ month }: { month: Month }) {
  const { figures, ranking } = month;
  const values = useMemo(() => duration(ranking, figures?.ranked ?? 0), [ranking, figures?.ranked]);
  const [at, setAt] = useState<number | undefined>();
  if (!figures || figures.p95_bps === null || values.length === 0) return null;

  const out = discarded(figures);
  const allowance = figures.allowance_bps;
  const top = Math.max(values[0]!, allowance) * 1.05 || 1;
  const x = (rank: number) => LEFT + (rank / values.length) * PLOT_WIDTH;
  const y = (bps: number) => TOP + (1 - bps / top) * PLOT_HEIGHT;
  const cut = x(out);
  const decides = values[out] ?? 0;
  // A statement's figures stay as they were issued, whatever is revised after.
  const revised = month.own !== undefined && decides !== figures.p95_bps;
  const move = (event: PointerEvent) => {
    const box = (event.currentTarget as SVGElement).getBoundingClientRect();
    const px = ((event.clientX - box.left) / box.width) * WIDTH - LEFT;
    setAt(Math.min(values.length - 1, Math.max(0, Math.floor((px / PLOT_WIDTH) * values.length))));
  };
  const key = (event: KeyboardEvent) => {
    const by = Math.ceil(values.length / 100);
    const last = values.length - 1;
    const from = at ?? out;
    const to = { ArrowRight: from + by, ArrowLeft: from - by, Home: 0, End: last, Enter: out }[event.key];
    if (event.key === "Escape") setAt(undefined);
    if (to === undefined) return;
    event.preventDefault();
    setAt(Math.min(last, Math.max(0, to)));
  };
  const told = at === undefined ? t.durationCut(mbpsFine(decides), count(out), count(values.length)) : said(values, at);
  return (
    <Panel title={t.duration} class="duration">
      <div
        class="duration-keys"
        role="application"
        tabIndex={0}
        aria-label={t.durationKeys}
        onKeyDown={key}
        onBlur={() => setAt(undefined)}
      >
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          role="img"
          aria-label={t.durationSummary(count(values.length), count(out), mbpsFine(decides), mbpsFine(allowance))}
          onPointerMove={move}
          onPointerDown={move}
          onPointerLeave={() => setAt(undefined)}
        >
          <rect class="cut" x={LEFT} y={TOP} width={cut - LEFT} height={PLOT_HEIGHT} />
          {roundTicks(0, top, 5).map((bps) => (
            <g key={bps}>
              <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(bps)} y2={y(bps)} />
              <text class="tick" x={LEFT - 6} y={y(bps) + 4} text-anchor="end">
                {Number((bps / BPS_PER_MBPS).toPrecision(6))}
              </text>
            </g>
          ))}
          {[0, 5, 25, 50, 75, 100].map((part) => (
            <text key={part} class="tick" x={LEFT + (part / 100) * PLOT_WIDTH} y={HEIGHT - 8} text-anchor={part === 100 ? "end" : "middle"}>
              {part}
              {part === 100 ? " %" : ""}
            </text>
          ))}
          <path class="area" d={`${curve(values, x, y)}L${x(values.length)} ${y(0)}L${LEFT} ${y(0)}Z`} />
          <path class="curve" d={curve(values, x, y)} />
          <line class="cut-line" x1={cut} x2={cut} y1={TOP} y2={TOP + PLOT_HEIGHT} />
          <line class="allowance" x1={LEFT} x2={WIDTH - RIGHT} y1={y(allowance)} y2={y(allowance)} />
          <text class="name" x={WIDTH - RIGHT} y={y(allowance) > TOP + 20 ? y(allowance) - 5 : y(allowance) + 14} text-anchor="end">
            {t.allowance} {mbpsFine(allowance)}
          </text>
          <circle class="decides" cx={cut} cy={y(decides)} r={4.5} />
          <text class="decides-name" x={cut + 9} y={Math.max(TOP + 10, y(decides) - 6)}>
            p95 {mbpsFine(decides)}
          </text>
          {at !== undefined && (
            <>
              <line class="at" x1={x(at + 0.5)} x2={x(at + 0.5)} y1={TOP} y2={TOP + PLOT_HEIGHT} />
              <circle class="at-point" cx={x(at + 0.5)} cy={y(values[at]!)} r={3.5} />
            </>
          )}
        </svg>
      </div>
      <p class="hint" aria-live="polite">
        {told}
      </p>
      {revised && <p class="warn">{t.durationRevised(mbpsFine(figures.p95_bps))}</p>}
    </Panel>
  );
}

/** What is reached in how much of the time. */
function said(values: Float64Array, at: number): string {
  const value = values[at]!;
  // Of equal ones the last: so much of the time it is reached.
  let until = at + 1;
  while (until < values.length && values[until] === value) until += 1;
  const percent = ((until / values.length) * 100).toFixed(2);
  return t.durationAt(mbpsFine(value), `${percent} %`, hours(until), count(at + 1));
}

/** A step for each value; those that share half a pixel are one, since the curve only falls. */
function curve(values: Float64Array, x: (rank: number) => number, y: (bps: number) => number): string {
  let path = `M${LEFT} ${y(values[0]!).toFixed(1)}`;
  let drawn = -1;
  for (let i = 0; i < values.length; i++) {
    const px = x(i);
    if (px - drawn < 0.5 && i < values.length - 1) continue;
    drawn = px;
    path += `L${px.toFixed(1)} ${y(values[i]!).toFixed(1)}`;
  }
  return `${path}L${x(values.length).toFixed(1)} ${y(values.at(-1)!).toFixed(1)}`;
}
