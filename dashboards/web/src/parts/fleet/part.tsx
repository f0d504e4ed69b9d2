// A part of the fleet's view, that waits for its own answer and fails by itself.

import type { ComponentChildren } from "preact";
import type { Polled } from "../../polled";
import { Panel } from "../panel";
import { Part } from "../part";

interface Props<T> {
  title: string;
  aside?: ComponentChildren;
  polled: Polled<T>;
  children: (answer: T) => ComponentChildren;
}

export function FleetPart<T>({ title, aside, polled, children }: Props<T>) {
  return (
    <Panel title={title} aside={aside} class="fleet-part">
      <Part polled={polled}>{children}</Part>
    </Panel>
  );
}
