// One server's month on a canvas: every sample at its true height at any zoom. Wheel and pinch zoom at the pointer,
// dragging zooms to what it spans, shift or two fingers move; the keyboard does all of that as well.

import { RECOLOURED } from "./theme";
import { rankedMax, type ChartData, type Rates } from "./chart/data";
import { draw, hatch, readColours } from "./chart/draw";
import { frame, type Frame } from "./chart/frame";
import { gestures } from "./chart/gestures";
import { follow, isWhole, pan, whole, within, zoom, type View } from "./pure/month/view";

/** A slot that the pointer or the keyboard is on. */
export interface Pointed {
  slot: number;
  /** How many slots share its place; it is then the one with the largest value. */
  sharing: number;
  /** From the left edge of the chart, and the chart's width. */
  left_px: number;
  width_px: number;
  /** The keyboard's cursor, to be read aloud. */
  keyboard: boolean;
}

export interface Chart {
  update: (data: ChartData) => void;
  /** Shows these slots, or the whole month. */
  show: (view: View | undefined) => void;
  /** So many times as much in view; at the middle, or at the slot that is pointed at. */
  zoom: (factor: number) => void;
  /** Moved by a part of what is in view. */
  pan: (part: number) => void;
  /** A key that the chart knows; false if it is none. */
  key: (key: string, shift: boolean) => boolean;
  destroy: () => void;
}

/** A view that has not moved for so long rests; the turns of a wheel up to then are one gesture. */
const REST_MS = 150;

export function createChart(
  host: HTMLElement,
  first: ChartData,
  on: { point: (pointed: Pointed | undefined) => void; viewed: (view: View, whole: boolean) => void },
): Chart {
  performance.mark("meter95 chart begins");
  const canvas = document.createElement("canvas");
  const cursor = document.createElement("div");
  const selection = document.createElement("div");
  cursor.className = "chart-cursor";
  selection.className = "chart-selection";
  cursor.hidden = selection.hidden = true;
  host.append(canvas, cursor, selection);
  const ctx = canvas.getContext("2d", { alpha: false })!;

  let data = first;
  let view = whole(data.slots.count);
  let colours = readColours(host);
  let hole = hatch(colours.muted);
  let width = 0;
  let height = 0;
  let held: Rates | undefined;
  let wheelRest: ReturnType<typeof setTimeout> | undefined;
  let viewRest: ReturnType<typeof setTimeout> | undefined;
  let due = 0;
  let keyboardSlot: number | undefined;
  let shown: Frame;

  function fit(): void {
    const ratio = devicePixelRatio || 1;
    width = Math.max(200, host.clientWidth);
    height = Math.max(160, host.clientHeight);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  function paint(): void {
    due = 0;
    shown = frame(data, view, width, height, held);
    if (held) held = shown.rates;
    draw(ctx, shown, data, colours, hole);
  }

  function repaint(): void {
    due ||= requestAnimationFrame(paint);
  }

  function look(next: View): void {
    if (next.from === view.from && next.until === view.until) return;
    view = next;
    repaint();
    // Once it rests: whoever shows what is in view need not do so at every frame.
    clearTimeout(viewRest);
    viewRest = setTimeout(() => on.viewed(view, isWhole(view, data.slots.count)), REST_MS);
  }

  // Between two paintings the view may have moved on; the margins stay.
  const slotAt = (x: number) => view.from + ((x - shown.left) / shown.plotWidth) * (view.until - view.from);
  const xOf = (slot: number) => shown.left + ((slot - view.from) / (view.until - view.from)) * shown.plotWidth;

  /** What is drawn at a place: the largest of the slots that share it. */
  function pointAt(x: number): void {
    keyboardSlot = undefined;
    const inside = x >= shown.left && x < shown.left + shown.plotWidth;
    if (!inside) return unpoint();
    const from = Math.floor(slotAt(x));
    const until = Math.max(from + 1, Math.ceil(slotAt(x + 1)));
    tell(rankedMax(data.slots, from, until), until - from > 1 ? until - from : 1, x, false);
  }

  function tell(slot: number, sharing: number, x: number, keyboard: boolean): void {
    cursor.hidden = false;
    cursor.style.transform = `translateX(${Math.round(x)}px)`;
    on.point({ slot, sharing, left_px: x, width_px: width, keyboard });
  }

  function unpoint(): void {
    keyboardSlot = undefined;
    cursor.hidden = true;
    on.point(undefined);
  }

  /** Moves the keyboard's cursor, and the view with it. */
  function putCursor(slot: number): void {
    const at = Math.min(data.slots.count - 1, Math.max(0, slot));
    look(follow(view, at, data.slots.count));
    keyboardSlot = at;
    tell(at, 1, xOf(at + 0.5), true);
  }

  /** The keyboard's cursor, or where it begins: the middle of the view, or the newest slot where that is before it. */
  function cursorSlot(): number {
    const middle = Math.floor((view.from + view.until) / 2);
    return keyboardSlot ?? Math.min(middle, Math.max(Math.ceil(view.from), data.now - 1));
  }

  function key(name: string, shift: boolean): boolean {
    const count = data.slots.count;
    const slotsOfDay = Math.round(86_400_000 / data.slots.slot_ms);
    const direction = name === "ArrowLeft" || name === "PageUp" ? -1 : 1;
    switch (name) {
      case "ArrowLeft":
      case "ArrowRight": {
        const at = cursorSlot();
        if (shift) {
          putCursor(at + (keyboardSlot === undefined ? 0 : direction));
          return true;
        }
        // A tenth of the view; where that can't move, the cursor does.
        const by = Math.max(1, Math.round((view.until - view.from) / 10)) * direction;
        const moved = pan(view, by, count);
        look(moved);
        putCursor(keyboardSlot === undefined ? Math.min(Math.max(at, Math.ceil(view.from)), Math.ceil(view.until) - 1) : at + by);
        return true;
      }
      case "PageUp":
      case "PageDown":
        putCursor(cursorSlot() + direction * slotsOfDay);
        return true;
      case "Home":
        putCursor(0);
        return true;
      case "End":
        putCursor(data.now - 1);
        return true;
      case "+":
      case "=":
      case "-": {
        const at = cursorSlot();
        look(zoom(view, at + 0.5, name === "-" ? 2 : 0.5, count));
        putCursor(at);
        return true;
      }
      case "0":
        look(whole(count));
        if (keyboardSlot !== undefined) putCursor(keyboardSlot);
        return true;
      case "Escape":
        unpoint();
        return true;
      default:
        return false;
    }
  }

  const still = gestures(host, {
    frame: () => shown,
    point: pointAt,
    unpoint,
    begin() {
      held = shown.rates;
    },
    end() {
      held = undefined;
      repaint();
    },
    pan(px) {
      const perPx = (view.until - view.from) / shown.plotWidth;
      look(pan(view, -px * perPx, data.slots.count));
    },
    zoom(factor, x) {
      look(zoom(view, slotAt(x), factor, data.slots.count));
    },
    wheel() {
      held ??= shown.rates;
      clearTimeout(wheelRest);
      wheelRest = setTimeout(() => {
        held = undefined;
        repaint();
      }, REST_MS);
    },
    isWhole: () => isWhole(view, data.slots.count),
    select(from, until) {
      selection.hidden = from === until;
      selection.style.transform = `translateX(${Math.min(from, until)}px)`;
      selection.style.width = `${Math.abs(until - from)}px`;
    },
    selected(from, until) {
      const ends = [slotAt(from), slotAt(until)].sort((a, b) => a - b);
      look(within({ from: Math.floor(ends[0]!), until: Math.ceil(ends[1]!) }, data.slots.count));
    },
    showWhole: () => look(whole(data.slots.count)),
  });

  const resize = new ResizeObserver(() => {
    if (host.clientWidth === width && host.clientHeight === height) return;
    fit();
    paint();
  });
  resize.observe(host);
  const recolour = () => {
    colours = readColours(host);
    hole = hatch(colours.muted);
    repaint();
  };
  addEventListener(RECOLOURED, recolour);

  fit();
  paint();
  performance.measure("meter95 chart", "meter95 chart begins");

  return {
    update(next) {
      const stays = !isWhole(view, data.slots.count);
      data = next;
      view = stays ? within(view, data.slots.count) : whole(data.slots.count);
      repaint();
    },
    show: (wanted) => look(wanted ? within(wanted, data.slots.count) : whole(data.slots.count)),
    zoom: (factor) => look(zoom(view, keyboardSlot ?? (view.from + view.until) / 2, factor, data.slots.count)),
    pan: (part) => look(pan(view, (view.until - view.from) * part, data.slots.count)),
    key,
    destroy() {
      cancelAnimationFrame(due);
      clearTimeout(wheelRest);
      clearTimeout(viewRest);
      resize.disconnect();
      removeEventListener(RECOLOURED, recolour);
      still();
      host.replaceChildren();
    },
  };
}
