// What mouse, wheel and fingers mean on a chart: zoom at the pointer, zoom to what a drag spans, move.

import type { Frame } from "./frame";

interface On {
  frame: () => Frame;
  /** The pointer is at, or away. */
  point: (x: number) => void;
  unpoint: () => void;
  /** A gesture that moves begins and ends. */
  begin: () => void;
  end: () => void;
  pan: (px: number) => void;
  zoom: (factor: number, x: number) => void;
  wheel: () => void;
  isWhole: () => boolean;
  /** What a drag spans so far; of no width when it is over. */
  select: (from: number, until: number) => void;
  selected: (from: number, until: number) => void;
  showWhole: () => void;
}

/** A shorter drag is a click. */
const MIN_DRAG_PX = 6;
/** A page that has been scrolling goes on doing so when the chart comes under the pointer. */
const SCROLL_REST_MS = 400;
/** By how much one notch of a wheel zooms. */
const WHEEL_PER_PX = 0.0018;
const LINE_PX = 16;

/** Listens to `host` until what it gives back is called. */
export function gestures(host: HTMLElement, on: On): () => void {
  const fingers = new Map<number, number>();
  let drag: { from: number; at: number; kind: "select" | "pan" | "scrub" } | undefined;
  let pinch: { distance: number; middle: number } | undefined;
  let scrolled_ms = -Infinity;

  const x = (event: MouseEvent) => event.clientX - host.getBoundingClientRect().left;
  const inPlot = (at: number) => {
    const { left, plotWidth } = on.frame();
    return Math.min(left + plotWidth, Math.max(left, at));
  };
  const pinched = () => {
    const [a = 0, b = 0] = [...fingers.values()];
    return { distance: Math.max(20, Math.abs(a - b)), middle: (a + b) / 2 };
  };

  const down = (event: PointerEvent) => {
    if (event.pointerType === "mouse" && event.button > 1) return;
    const at = x(event);
    fingers.set(event.pointerId, at);
    host.setPointerCapture(event.pointerId);
    if (fingers.size === 2) {
      drag = undefined;
      pinch = pinched();
      on.begin();
      return;
    }
    if (event.pointerType === "mouse") {
      const moves = event.shiftKey || event.button === 1;
      if (moves) event.preventDefault();
      drag = { from: at, at, kind: moves ? "pan" : "select" };
    } else {
      // One finger moves a part of the month, and reads along the whole.
      drag = { from: at, at, kind: on.isWhole() ? "scrub" : "pan" };
    }
    if (drag.kind === "pan") on.begin();
  };

  const move = (event: PointerEvent) => {
    const at = x(event);
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, at);
    if (pinch && fingers.size >= 2) {
      const now = pinched();
      on.pan(now.middle - pinch.middle);
      on.zoom(pinch.distance / now.distance, now.middle);
      pinch = now;
      return;
    }
    if (!drag) return on.point(at);
    if (drag.kind === "pan") {
      on.pan(at - drag.at);
      on.unpoint();
    } else if (drag.kind === "select") {
      if (Math.abs(at - drag.from) >= MIN_DRAG_PX) on.select(inPlot(drag.from), inPlot(at));
    } else {
      on.point(at);
    }
    drag.at = at;
  };

  const up = (event: PointerEvent) => {
    fingers.delete(event.pointerId);
    if (pinch) {
      if (fingers.size < 2) {
        pinch = undefined;
        on.end();
      }
      return;
    }
    if (!drag) return;
    const { from, kind } = drag;
    const at = x(event);
    drag = undefined;
    if (kind === "pan") on.end();
    if (kind === "select") on.select(0, 0);
    if (event.type === "pointercancel") return;
    if (kind === "select" && Math.abs(at - from) >= MIN_DRAG_PX) on.selected(inPlot(from), inPlot(at));
    else if (event.pointerType !== "mouse" && Math.abs(at - from) < MIN_DRAG_PX) on.point(at);
  };

  const leave = (event: PointerEvent) => {
    if (event.pointerType === "mouse" && !drag) on.unpoint();
  };

  const wheel = (event: WheelEvent) => {
    const pinching = event.ctrlKey || event.metaKey;
    if (!pinching && event.timeStamp - scrolled_ms < SCROLL_REST_MS) return;
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      if (on.isWhole()) return;
      event.preventDefault();
      on.wheel();
      on.pan(-sideways * unit);
      return;
    }
    // There is no more than the whole month: the page scrolls on.
    if (event.deltaY > 0 && on.isWhole() && !pinching) return;
    event.preventDefault();
    on.wheel();
    on.zoom(Math.exp(event.deltaY * unit * WHEEL_PER_PX * (pinching ? 4 : 1)), inPlot(x(event)));
  };

  const scrolled = (event: Event) => {
    scrolled_ms = event.timeStamp;
  };

  host.addEventListener("pointerdown", down);
  host.addEventListener("pointermove", move);
  host.addEventListener("pointerup", up);
  host.addEventListener("pointercancel", up);
  host.addEventListener("pointerleave", leave);
  host.addEventListener("dblclick", on.showWhole);
  host.addEventListener("wheel", wheel, { passive: false });
  addEventListener("scroll", scrolled, { passive: true });
  return () => {
    host.removeEventListener("pointerdown", down);
    host.removeEventListener("pointermove", move);
    host.removeEventListener("pointerup", up);
    host.removeEventListener("pointercancel", up);
    host.removeEventListener("pointerleave", leave);
    host.removeEventListener("dblclick", on.showWhole);
    host.removeEventListener("wheel", wheel);
    removeEventListener("scroll", scrolled);
  };
}
