// A part of the fleet's view, that waits for its own answer and fails by itself.

import type { ComponentChildren } from "preact";
import type { Polled } from "../polled";
import { Panel } from "./panel";
import { Part } from "./part";

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
