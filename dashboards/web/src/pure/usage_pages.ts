// The lines of a long answer, in pages: those near the screen are kept, and asked for anew when they may have changed.

import type { ServerUsage, Usage } from "../api/usage";

export const PAGE_ROWS = 100;
/** Pages of one question that are kept: some 4,000 lines. */
const PAGES_KEPT = 40;

/** Pages from one up to, and without, another. */
export interface Span {
  first: number;
  end: number;
}

/** The pages with the rows from `first` up to, and without, `end`. */
export function pagesOf(first: number, end: number): Span {
  return { first: Math.floor(first / PAGE_ROWS), end: Math.max(1, Math.ceil(end / PAGE_ROWS)) };
}

interface Page {
  rows: readonly ServerUsage[];
  at_ms: number;
}

export class UsagePages {
  /** The newest answer: what holds for all lines. */
  head: Usage | undefined;
  private readonly pages = new Map<number, Page>();

  /** Keeps a page, and lets go of the one that was looked at longest ago. */
  put(page: number, answer: Usage, at_ms: number): void {
    this.head = answer;
    this.pages.delete(page);
    this.pages.set(page, { rows: answer.servers, at_ms });
    for (const oldest of this.pages.keys()) {
      if (this.pages.size <= PAGES_KEPT) break;
      this.pages.delete(oldest);
    }
  }

  row(index: number): ServerUsage | undefined {
    return this.pages.get(Math.floor(index / PAGE_ROWS))?.rows[index % PAGE_ROWS];
  }

  /** The pages of a span that are not there, or are no newer than `since_ms`. */
  due({ first, end }: Span, since_ms: number): number[] {
    const last = this.head ? Math.ceil(this.head.count / PAGE_ROWS) : end;
    const due: number[] = [];
    for (let page = first; page < Math.max(1, Math.min(end, last)); page++) {
      const kept = this.pages.get(page);
      if (!kept || kept.at_ms <= since_ms) due.push(page);
      else {
        // Looked at again.
        this.pages.delete(page);
        this.pages.set(page, kept);
      }
    }
    return due;
  }
}
