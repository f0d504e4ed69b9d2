// A part of the fleet's view, that waits for its own answer and fails by itself.

import type { ComponentChildren } from "preact";
import type { Polled } from "../polled";
import { t } from "../words/fleet";
import { Panel } from "./panel";

interface Props<T> {
  title: string;
  aside?: ComponentChildren;
  class?: string;
  polled: Polled<T>;
  children: (answer: T) => ComponentChildren;
}

export function FleetPart<T>({ title, aside, class: name, polled, children }: Props<T>) {
  return (
    <Panel title={title} aside={aside} class={name ? `fleet-part ${name}` : "fleet-part"}>
      <Part polled={polled}>{children}</Part>
    </Panel>
  );
}

/** What was there before stands, and says that it is old. */
export function Part<T>({ polled: { answer, failure, retry }, children }: Pick<Props<T>, "polled" | "children">) {
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
