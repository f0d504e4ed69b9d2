// Only the rows near the screen are in the document, so that a table of 100,000 scrolls as one of fifty.

import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { RefObject } from "preact";

/** Rows kept ready above and below the screen, so that scrolling and tabbing find them drawn. */
const SPARE_ROWS = 20;
/** The window moves in steps of this many rows, not at every pixel. */
const STEP_ROWS = 10;

export interface RowWindow {
  first: number;
  /** One past the last row. */
  end: number;
  row_px: number;
  /** Scrolls as little as brings a row onto the screen, with the heading above it. */
  show: (index: number) => void;
}

/**
 * The rows of `body` to draw, however many there are; the page itself is what scrolls. All rows are of one height. With
 * another `list` the window is back at the beginning.
 */
export function useRowWindow(body: RefObject<HTMLElement | null>, list: string): RowWindow {
  const beginning = { list, first: 0, end: 60, row_px: 36 };
  const [kept, setSpan] = useState(beginning);
  const span = kept.list === list ? kept : { ...beginning, row_px: kept.row_px };

  const measure = () => {
    const element = body.current;
    if (!element) return;
    const row = element.querySelector<HTMLElement>("tr[data-row]");
    const row_px = row?.getBoundingClientRect().height || span.row_px;
    const above = Math.floor(-element.getBoundingClientRect().top / row_px);
    const screen = Math.ceil(innerHeight / row_px);
    const first = Math.max(0, Math.floor((above - SPARE_ROWS) / STEP_ROWS) * STEP_ROWS);
    const end = Math.max(0, Math.ceil((above + screen + SPARE_ROWS) / STEP_ROWS) * STEP_ROWS);
    setSpan((old) =>
      old.list === list && old.first === first && old.end === end && old.row_px === row_px
        ? old
        : { list, first, end, row_px },
    );
  };

  useLayoutEffect(measure);
  useEffect(() => {
    let frame = 0;
    const soon = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        measure();
      });
    };
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
    };
  }, [list]);

  const show = (index: number) => {
    const element = body.current;
    if (!element) return;
    const head_px = element.previousElementSibling?.clientHeight ?? 0;
    const top = element.getBoundingClientRect().top + index * span.row_px;
    if (top < head_px) scrollBy(0, top - head_px);
    else if (top + span.row_px > innerHeight) scrollBy(0, top + span.row_px - innerHeight);
    measure();
  };

  return { first: span.first, end: span.end, row_px: span.row_px, show };
}

/** The rows of a window that a list of `rows` has. */
export function within(window: RowWindow, rows: number): { first: number; end: number } {
  const first = Math.min(window.first, rows);
  return { first, end: Math.max(first, Math.min(window.end, rows)) };
}
