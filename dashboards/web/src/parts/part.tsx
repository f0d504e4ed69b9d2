// A part of a view that waits for its own answer, and fails by itself.

import type { ComponentChildren } from "preact";
import type { Polled } from "../polled";
import { t } from "../words/common";

interface Props<T> {
  polled: Polled<T>;
  children: (answer: T) => ComponentChildren;
}

/** What was there before stands, and says that it is old. */
export function Part<T>({ polled: { answer, failure, retry }, children }: Props<T>) {
  return (
    <>
      {failure && (
        <p class="part-failed" role="alert">
          {answer === undefined ? t.failed : t.failedOld} {failure.detail}{" "}
          <button type="button" class="text" onClick={retry}>
            {t.retry}
          </button>
        </p>
      )}
      {answer !== undefined ? children(answer) : !failure && <p class="loading">{t.loading}</p>}
    </>
  );
}
