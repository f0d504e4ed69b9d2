// What a slot is: its rates, its place in the ranking, and why there is no sample.

import type { Pointed } from "../../chart";
import type { ChartData } from "../../chart/data";
import { clock, count, mbps, mbpsFine, weekdayDate } from "../../format";
import { discarded } from "../../pure/month/figures";
import { EXPECTED, IN_SERVICE, PARTIAL, SAMPLE, startOf } from "../../pure/month/slots";
import { t } from "../../words/server";
import type { Month } from "./month";

const AWAY_PX = 14;

interface Fact {
  name: string;
  value: string;
  tone?: "over" | "strong";
}

interface Told {
  when: string;
  /** Empty without a sample. */
  facts: Fact[];
  notes: string[];
}

export function ChartTooltip({ pointed, month, data }: { pointed: Pointed; month: Month; data: ChartData }) {
  const { slot, sharing, left_px, width_px } = pointed;
  const { when, facts, notes } = tell(slot, month, data);
  // Beside the pointer, on the side with more room.
  const place = left_px > width_px / 2 ? { right: `${width_px - left_px + AWAY_PX}px` } : { left: `${left_px + AWAY_PX}px` };
  return (
    <div class="tooltip" style={place} aria-hidden="true">
      <strong>{when}</strong>
      {facts.length > 0 && (
        <dl>
          {facts.map(({ name, value, tone }) => (
            <div key={name} class={tone}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {notes.map((note) => (
        <p key={note} class="none">
          {note}
        </p>
      ))}
      {sharing > 1 && facts.length > 0 && <p class="none">{t.largestOf(sharing)}</p>}
    </div>
  );
}

/** The same to be read aloud. */
export function slotSentence(slot: number, month: Month, data: ChartData): string {
  const { when, facts, notes } = tell(slot, month, data);
  return [when, ...facts.map(({ name, value }) => `${name} ${value}`), ...notes].join(t.comma);
}

function tell(slot: number, month: Month, { slots }: ChartData): Told {
  const { timezone, ranking, figures } = month;
  const at_ms = startOf(slots, slot);
  const when = t.slotTime(weekdayDate(at_ms, timezone), clock(at_ms, timezone), clock(at_ms + slots.slot_ms, timezone));
  const flags = slots.flags[slot] ?? 0;
  const notes = incidentNotes(at_ms, month);
  if ((flags & SAMPLE) === 0) {
    if ((flags & IN_SERVICE) === 0) notes.push(t.notInService);
    else if ((flags & EXPECTED) === 0) notes.push(t.toCome);
    else notes.push(t.noSampleBecause(gapCause(at_ms, month)));
    return { when, facts: [], notes };
  }
  const value = slots.value_bps[slot]!;
  const allowance = slots.allowance_bps[slot]!;
  const place = ranking.place[slot]!;
  const facts: Fact[] = [
    { name: t.in, value: mbpsFine(slots.in_bps[slot]!) },
    { name: t.out, value: mbpsFine(slots.out_bps[slot]!) },
    { name: t.value, value: mbpsFine(value), tone: "strong" },
  ];
  if (value > allowance) facts.push({ name: t.aboveBy, value: mbps(value - allowance), tone: "over" });
  if (place > 0 && figures) {
    facts.push({ name: t.place, value: t.placeOf(count(place), count(figures.ranked)) });
    if (place <= discarded(figures)) notes.push(t.isDiscarded);
    else if (place === discarded(figures) + 1) notes.push(t.decides);
  }
  if ((flags & PARTIAL) !== 0) notes.push(t.partial);
  return { when, facts, notes };
}

function incidentNotes(at_ms: number, { incidents, own, breaks, slots }: Month): string[] {
  const notes = incidents
    .filter(({ from, until }) => Date.parse(from) <= at_ms && at_ms < Date.parse(until))
    .map(({ id, why }) => (own ? t.incidentLeftOut(id, why) : t.incidentWillBeLeftOut(id, why)));
  for (const { after, at, kind, device, interface: name } of breaks) {
    if (Date.parse(after) < at_ms + slots.slot_ms && at_ms < Date.parse(at)) notes.push(`${device} ${name}${t.colon}${t.breakSays(kind)}`);
  }
  return notes;
}

function gapCause(at_ms: number, { gaps }: Month): string | undefined {
  return gaps.find(({ from, until }) => Date.parse(from) <= at_ms && at_ms < Date.parse(until))?.cause ?? undefined;
}
