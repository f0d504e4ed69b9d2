// What may be wider than the screen: it scrolls by itself, also by keys.

import type { ComponentChildren } from "preact";

export function Scroll({ label, class: name, children }: { label: string; class?: string; children: ComponentChildren }) {
  return (
    <div class={name ? `scroll ${name}` : "scroll"} role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
