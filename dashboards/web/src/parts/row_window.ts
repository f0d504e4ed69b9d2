// Only the rows near the screen are in the document, so that a table of thousands scrolls as one of fifty.

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
}

/** The rows of `body` to draw out of `rows`; the page itself is what scrolls. All rows are of one height. */
export function useRowWindow(body: RefObject<HTMLElement | null>, rows: number): RowWindow {
  const [span, setSpan] = useState<RowWindow>({ first: 0, end: 60, row_px: 36 });

  const measure = () => {
    const element = body.current;
    if (!element) return;
    const row = element.querySelector<HTMLElement>("tr[data-row]");
    const row_px = row?.getBoundingClientRect().height || span.row_px;
    const above = Math.floor(-element.getBoundingClientRect().top / row_px);
    const screen = Math.ceil(innerHeight / row_px);
    const first = Math.max(0, Math.floor((above - SPARE_ROWS) / STEP_ROWS) * STEP_ROWS);
    const end = Math.max(0, Math.ceil((above + screen + SPARE_ROWS) / STEP_ROWS) * STEP_ROWS);
    setSpan((old) => (old.first === first && old.end === end && old.row_px === row_px ? old : { first, end, row_px }));
  };

  useLayoutEffect(measure, [rows]);
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
  }, []);

  const first = Math.min(span.first, rows);
  return { first, end: Math.min(Math.max(span.end, first), rows), row_px: span.row_px };
}
