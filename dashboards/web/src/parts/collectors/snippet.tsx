// Lines to take elsewhere, with a button that copies them.

import { useRef, useState } from "preact/hooks";
import { t } from "../../words/collectors";

export function Snippet({ text, label }: { text: string; label: string }) {
  const lines = useRef<HTMLPreElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    // Marked as well: a browser that lets no page copy, as over plain HTTP, leaves it to a key.
    getSelection()?.selectAllChildren(lines.current!);
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      lines.current?.focus();
    }
  };
  return (
    <div class="snippet">
      <pre ref={lines} tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <button type="button" onClick={copy}>
        {t.copy}
      </button>
      <span class="ok" role="status">
        {copied ? t.copied : ""}
      </span>
    </div>
  );
}
