// Answers of the API, kept fresh. A refresh replaces what is shown only once its answer is there,
// and a failed one leaves it standing with the failure beside it.

import { useCallback, useEffect, useState } from "preact/hooks";
import { ApiFailure } from "./api";

export const REFRESH_MS = 30_000;

/** Answers kept for coming back to a view; a fleet's answer is large, so few. */
const KEPT_ANSWERS = 6;
const answers = new Map<string, unknown>();

export interface Polled<T> {
  answer: T | undefined;
  /** The last attempt's failure; undefined after a success. */
  failure: ApiFailure | undefined;
  retry: () => void;
}

/** `key` names the question: with another key the old answer is gone at once. */
export function usePolled<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Polled<T> {
  const [failed, setFailed] = useState<{ key: string; failure: ApiFailure } | undefined>();
  const [attempt, setAttempt] = useState(0);
  const [, setShown] = useState(0);

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let due = false;

    const run = async () => {
      due = false;
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
      timer = setTimeout(tick, REFRESH_MS);
    };
    // A page that nobody looks at asks nothing; it catches up when it is looked at again.
    const tick = () => {
      due = true;
      visible();
    };
    const visible = () => {
      if (due && !document.hidden) void run();
    };

    void run();
    document.addEventListener("visibilitychange", visible);
    return () => {
      abort.abort();
      clearTimeout(timer);
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

/** For whoever comes next: what was answered was for somebody else. */
export function forgetAnswers(): void {
  answers.clear();
}

function keep(key: string, answer: unknown): void {
  answers.delete(key);
  answers.set(key, answer);
  for (const oldest of answers.keys()) {
    if (answers.size <= KEPT_ANSWERS) break;
    answers.delete(oldest);
  }
}
