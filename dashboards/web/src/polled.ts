// Answers of the API, kept fresh. A refresh replaces what is shown only once its answer is there,
// and a failed one leaves it standing with the failure beside it.

import { useCallback, useEffect, useState } from "preact/hooks";
import { ApiFailure } from "./api/ask";
import { onChange, refreshAfter_ms, type Resource } from "./live";

/** Answers kept for coming back to a view. */
const KEPT_ANSWERS = 40;
const answers = new Map<string, unknown>();

export interface Polled<T> {
  answer: T | undefined;
  /** The last attempt's failure; undefined after a success. */
  failure: ApiFailure | undefined;
  /** Asks again now. */
  retry: () => void;
}

/**
 * `key` names the question: with another key the old answer is gone at once. It is asked again when one of `of` has
 * changed, and by itself from time to time.
 */
export function usePolled<T>(key: string, of: readonly Resource[], ask: (signal: AbortSignal) => Promise<T>): Polled<T> {
  const [failed, setFailed] = useState<{ key: string; failure: ApiFailure } | undefined>();
  const [attempt, setAttempt] = useState(0);
  const [, setShown] = useState(0);

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false;
    let due = false;

    const run = async () => {
      due = false;
      asking = true;
      clearTimeout(timer);
      try {
        const answer = await ask(abort.signal);
        if (abort.signal.aborted) return;
        keep(key, answer);
        setFailed(undefined);
        setShown((n) => n + 1);
      } catch (cause) {
        if (abort.signal.aborted) return;
        setFailed({ key, failure: cause instanceof ApiFailure ? cause : new ApiFailure("unreadable", String(cause)) });
      }
      asking = false;
      if (due) visible();
      else timer = setTimeout(tick, refreshAfter_ms());
    };
    // A page that nobody looks at asks nothing; it catches up when it is looked at again.
    const tick = () => {
      due = true;
      visible();
    };
    const visible = () => {
      if (due && !asking && !document.hidden) void run();
    };

    void run();
    const deaf = onChange((changed) => {
      if (changed.length === 0 || changed.some((resource) => of.includes(resource))) tick();
    });
    document.addEventListener("visibilitychange", visible);
    return () => {
      abort.abort();
      clearTimeout(timer);
      deaf();
      document.removeEventListener("visibilitychange", visible);
    };
    // `ask` is a new function at every render; `key` says when it asks something else.
  }, [key, attempt]);

  const retry = useCallback(() => setAttempt((n) => n + 1), []);
  return {
    answer: answers.get(key) as T | undefined,
    failure: failed?.key === key ? failed.failure : undefined,
    retry,
  };
}

const others = new Set<() => void>();

/** For whoever comes next: what was answered was for somebody else. */
export function forgetAnswers(): void {
  answers.clear();
  for (const forget of others) forget();
}

/** Whoever keeps answers in another way forgets them at the same time. */
export function forgetToo(forget: () => void): void {
  others.add(forget);
}

function keep(key: string, answer: unknown): void {
  answers.delete(key);
  answers.set(key, answer);
  for (const oldest of answers.keys()) {
    if (answers.size <= KEPT_ANSWERS) break;
    answers.delete(oldest);
  }
}
