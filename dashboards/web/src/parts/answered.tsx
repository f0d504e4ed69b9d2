// A view, or a part of one, that waits for an answer: what stands there until it comes, and where none comes.

import type { ComponentChildren } from "preact";
import { useWaiting } from "../busy";
import type { Polled } from "../polled";
import { t } from "../words/common";
import { Failure } from "./notice";

interface Props<T> {
  polled: Polled<T>;
  /** What is asked for, by name, in case there is no such thing. */
  what?: string;
  children: (answer: T) => ComponentChildren;
}

/** An answer that was there before stands until a newer one comes. The frame says when it is old. */
export function Answered<T>({ polled: { answer, failure, retry }, what, children }: Props<T>) {
  if (answer !== undefined) return <>{children(answer)}</>;
  if (failure) return <Failure failure={failure} retry={retry} {...(what === undefined ? {} : { what })} />;
  return <Loading />;
}

function Loading() {
  useWaiting();
  return <p class="loading">{t.loading}</p>;
}
