// Which part of a month is in view, in slots from its start, and how it moves. Pure.

export interface View {
  from: number;
  until: number;
}

/** At least half an hour stays in view. */
export const SLOTS_MIN = 6;

export function whole(count: number): View {
  return { from: 0, until: count };
}

export function isWhole(view: View, count: number): boolean {
  return view.from <= 0 && view.until >= count;
}

/** The view with its bounds inside the month and its width within limits. */
export function within(view: View, count: number): View {
  const width = Math.min(count, Math.max(Math.min(SLOTS_MIN, count), view.until - view.from));
  const from = Math.min(count - width, Math.max(0, view.from));
  return { from, until: from + width };
}

/** `factor` times as much in view, with the slot `at` where it was. */
export function zoom(view: View, at: number, factor: number, count: number): View {
  const width = view.until - view.from;
  const wanted = Math.min(count, Math.max(Math.min(SLOTS_MIN, count), width * factor));
  const part = (at - view.from) / width;
  return within({ from: at - part * wanted, until: at + (1 - part) * wanted }, count);
}

/** Moved by so many slots. */
export function pan(view: View, slots: number, count: number): View {
  return within({ from: view.from + slots, until: view.until + slots }, count);
}

/** Moved as little as brings the slot `at` into it. */
export function follow(view: View, at: number, count: number): View {
  if (at < view.from) return pan(view, at - view.from, count);
  if (at + 1 > view.until) return pan(view, at + 1 - view.until, count);
  return view;
}

/** Round figures that are at most `most` and cover `low..high`. */
export function roundTicks(low: number, high: number, most: number): number[] {
  const range = high - low;
  if (!(range > 0) || most < 1) return [];
  const rough = range / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough * (1 - 1e-9)) ?? 10 * power;
  const ticks: number[] = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) ticks.push(n * step + 0);
  return ticks;
}

const STEPS_MIN = [5, 10, 15, 30, 60, 120, 180, 360, 720];
const STEPS_DAYS = [1, 2, 5, 7, 10];

/**
 * Slots at which the time axis has a mark, at most `most` in view: whole days from the first day on, or parts of a day
 * from its midnight on. `midnights` are the days' first slots, with the month's end as the last.
 */
export function timeTicks(view: View, midnights: readonly number[], slotMinutes: number, most: number): number[] {
  const width = view.until - view.from;
  const daySlots = 1440 / slotMinutes;
  const ticks: number[] = [];
  const take = (at: number) => {
    if (at >= view.from - 1e-9 && at <= view.until + 1e-9) ticks.push(at);
  };
  const minutes = STEPS_MIN.find((step) => step >= slotMinutes && (width * slotMinutes) / step <= most);
  if (minutes === undefined) {
    const step = STEPS_DAYS.find((days) => width / daySlots / days <= most) ?? 10;
    midnights.forEach((at, i) => i % step === 0 && take(at));
    return ticks;
  }
  const step = minutes / slotMinutes;
  midnights.forEach((at, i) => {
    const next = midnights[i + 1] ?? at;
    if (next < view.from || at > view.until) return;
    for (let tick = at; tick < next; tick += step) take(tick);
  });
  const end = midnights.at(-1);
  if (end !== undefined) take(end);
  return ticks;
}
