// The month as a calendar: an hour in a cell, coloured by its largest value against the allowance.

import { useMemo, useRef, useState } from "preact/hooks";
import { clock, mbpsFine, weekdayDate } from "../../format";
import { level, LEVELS, type Day, type Hour } from "../../pure/month/days";
import { startOf } from "../../pure/month/slots";
import type { View } from "../../pure/month/view";
import { t } from "../../words/server";
import { Panel } from "../panel";
import type { Month } from "./month";

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

interface At {
  day: number;
  hour: number;
}

export function HeatPanel({ month, show }: { month: Month; show: (view: View) => void }) {
  const { days, sampled } = month;
  const [at, setAt] = useState<At | undefined>();
  const body = useRef<HTMLTableSectionElement>(null);
  // One cell is reached by the tab key, the others from it.
  const reached = useRef<HTMLElement | null>(null);

  const place = (event: Event): At | undefined => {
    const cell = (event.target as Element).closest<HTMLElement>("td[data-day]");
    return cell ? { day: Number(cell.dataset["day"]), hour: Number(cell.dataset["hour"]) } : undefined;
  };
  const focused = (event: FocusEvent) => {
    const cell = event.target as HTMLElement;
    const before = reached.current ?? body.current?.querySelector<HTMLElement>('td[tabindex="0"]');
    if (before) before.tabIndex = -1;
    cell.tabIndex = 0;
    reached.current = cell;
    setAt(place(event));
  };
  const showDay = (index: number) => {
    const day = days[index];
    if (day) show({ from: day.from, until: day.until });
  };
  const key = (event: KeyboardEvent) => {
    const moves: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    const from = place(event);
    if (!from) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      showDay(from.day);
    } else if (move) {
      event.preventDefault();
      const day = Math.min(days.length - 1, Math.max(0, from.day + move[0]));
      const hour = Math.min(23, Math.max(0, from.hour + move[1]));
      body.current?.querySelector<HTMLElement>(`td[data-day="${day}"][data-hour="${hour}"]`)?.focus();
    }
  };
  // The cells change with the month alone; what is pointed at is said below.
  const rows = useMemo(
    () =>
      HOURS.map((hour) => (
        <tr key={hour}>
          <th scope="row">{hour % 6 === 0 ? hour : <span class="sr">{hour}</span>}</th>
          {days.map((day, index) => {
            const found = day.hours.find((one) => one.hour === hour);
            return (
              <td
                key={day.from}
                data-day={index}
                data-hour={hour}
                tabIndex={index === 0 && hour === 0 ? 0 : -1}
                class={found && cellClass(found)}
                aria-label={cellSentence(month, day, hour)}
              />
            );
          })}
        </tr>
      )),
    [month],
  );
  const pointed = at && days[at.day];
  if (sampled === 0) return null;
  return (
    <Panel title={t.heat} class="heat" aside={<HeatLegend />}>
      <div class="scroll">
        <table role="grid" aria-label={t.heatSummary}>
          <thead>
            <tr>
              <td />
              {days.map((day, index) => (
                <th key={day.from} scope="col" class={day.weekday === 0 || day.weekday === 6 ? "weekend" : undefined}>
                  <button
                    type="button"
                    class="text"
                    tabIndex={-1}
                    title={t.showDay(weekdayDate(startOf(month.slots, day.from), month.timezone))}
                    onClick={() => showDay(index)}
                  >
                    {day.day}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody
            ref={body}
            onPointerOver={(event) => setAt(place(event))}
            onPointerLeave={() => setAt(undefined)}
            onFocusIn={focused}
            onKeyDown={key}
            onClick={(event) => {
              const clicked = place(event);
              if (clicked) showDay(clicked.day);
            }}
          >
            {rows}
          </tbody>
        </table>
      </div>
      <p class="hint">{at && pointed ? cellSentence(month, pointed, at.hour) : t.heatHint}</p>
    </Panel>
  );
}

function cellClass({ expected, largest, ratio }: Hour): string | undefined {
  if (largest !== undefined) return `l${level(ratio)}`;
  return expected > 0 ? "hole" : undefined;
}

function cellSentence(month: Month, day: Day, hour: number): string {
  const { slots, timezone } = month;
  const found = day.hours.find((one) => one.hour === hour);
  const date = weekdayDate(startOf(slots, day.from), timezone);
  const clockHour = `${String(hour).padStart(2, "0")}:00`;
  if (!found) return `${date} ${clockHour}`;
  const when = `${date} ${clock(startOf(slots, found.from), timezone)}`;
  if (found.largest === undefined) return `${when}${t.colon}${found.expected > 0 ? t.noSample : t.nothingExpected}`;
  const largest = mbpsFine(slots.value_bps[found.largest]!);
  const said = t.heatCell(largest, clock(startOf(slots, found.largest), timezone), times(found.ratio));
  const missing = found.expected - found.samples;
  return `${when}${t.colon}${said}${missing > 0 ? ` ${t.heatMissing(missing)}` : ""}`;
}

function times(ratio: number): string {
  return ratio === Infinity ? "∞" : ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2);
}

function HeatLegend() {
  return (
    <ul class="heat-legend" aria-label={t.heatLegend}>
      {LEVELS.map((from, i) => (
        <li key={from} class={`l${i}`} title={i >= 4 ? t.moreThanTimes(from) : t.timesAndMore(from)}>
          <span class="sr">{i >= 4 ? t.moreThanTimes(from) : t.timesAndMore(from)}</span>
          <span aria-hidden="true">{i === 4 ? "1×" : i === 7 ? "10×" : i === 0 ? "0" : ""}</span>
        </li>
      ))}
      <li class="hole" title={t.noSample}>
        <span class="sr">{t.noSample}</span>
      </li>
    </ul>
  );
}
