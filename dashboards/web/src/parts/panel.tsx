// A part of a view: a heading with what belongs beside it, and its content.

import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  /** Beside the heading, at the right: a link to more, say. */
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

export function Panel({ title, aside, class: name, children }: Props) {
  return (
    <section class={name ? `panel ${name}` : "panel"} aria-label={title}>
      <div class="panel-head">
        <h2>{title}</h2>
        {aside && <div class="panel-aside">{aside}</div>}
      </div>
      {children}
    </section>
  );
}
