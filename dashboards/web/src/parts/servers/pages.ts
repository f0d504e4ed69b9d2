// The lines of the table of servers: asked for in pages as they come near the screen, and kept for coming back.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Query } from "../../api/ask";
import { address } from "../../api/ask";
import { usage } from "../../api/usage";
import { staleBefore_ms } from "../../live";
import { forgetToo, usePolled, type Polled } from "../../polled";
import { PAGE_ROWS, pagesOf, UsagePages, type Span } from "../../pure/usage_pages";

/** Rows asked for above and below those that are drawn, so that slow scrolling meets none that is missing. */
const SPARE_ROWS = 40;
/** For how long a reader who flies past must stay somewhere before what is there is asked for. */
const SETTLE_MS = 120;
/** Questions of which the lines are kept: for going back and forth between some orders and filters. */
const QUESTIONS_KEPT = 4;

const kept = new Map<string, UsagePages>();
forgetToo(() => kept.clear());
const OF = ["usage", "inventory"] as const;

export interface Lines extends Polled<UsagePages> {
  /** What is shown is still the answer to the question before. */
  behind: boolean;
}

/**
 * The lines that fit `query`, of which those from `first` up to `end` are on the screen. The answer stands while pages
 * are asked for; of another question the old answer stands until the new one's first page is there.
 */
export function useLines(query: Query, first: number, end: number): Lines {
  const question = address("", query);
  const pages = pagesOfQuestion(question);
  const span = useSettled(question, pagesOf(Math.max(0, first - SPARE_ROWS), end + SPARE_ROWS));
  const [, setArrived] = useState(0);
  const shown = useRef(pages);
  const polled = usePolled(`lines ${question} ${span.first}-${span.end}`, OF, async (signal) => {
    const ask = async (page: number) => {
      const asked_ms = Date.now();
      const answer = await usage({ ...query, limit: PAGE_ROWS, offset: page * PAGE_ROWS }, signal);
      pages.put(page, answer, asked_ms);
      setArrived((n) => n + 1);
    };
    await Promise.all(pages.due(span, staleBefore_ms(OF)).map(ask));
    return pages;
  });
  if (pages.head) shown.current = pages;
  const { failure, retry } = polled;
  const behind = shown.current !== pages;
  return { answer: shown.current.head && !(behind && failure) ? shown.current : undefined, failure, retry, behind };
}

function pagesOfQuestion(question: string): UsagePages {
  const pages = kept.get(question) ?? new UsagePages();
  kept.delete(question);
  kept.set(question, pages);
  for (const oldest of kept.keys()) {
    if (kept.size <= QUESTIONS_KEPT) break;
    kept.delete(oldest);
  }
  return pages;
}

/** A span as it changes little by little; one that jumps, or runs, only once it stays. */
function useSettled(question: string, span: Span): Span {
  const [settled, setSettled] = useState({ question, span });
  const settled_ms = useRef(0);
  const now = settled.question === question ? settled.span : span;
  const { first, end } = span;
  useEffect(() => {
    if (settled.question === question && first === now.first && end === now.end) return;
    const near = Math.abs(first - now.first) <= 1 && Math.abs(end - now.end) <= 1;
    const calm = settled.question !== question || (near && Date.now() - settled_ms.current > SETTLE_MS);
    const settle = () => {
      settled_ms.current = Date.now();
      setSettled({ question, span: { first, end } });
    };
    if (calm) return settle();
    const timer = setTimeout(settle, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [question, first, end, settled]);
  return now;
}
