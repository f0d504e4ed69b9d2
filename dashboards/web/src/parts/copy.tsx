// A button that copies a text.

import { useEffect, useState } from "preact/hooks";
import { t } from "../words/act";

/** For how long it says so. */
const SAID_MS = 2_000;

export function Copy({ text }: { text: string }) {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state !== "copied") return undefined;
    const timer = setTimeout(() => setState("idle"), SAID_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    try {
      // There is no clipboard on a page that came over plain HTTP from another machine.
      await navigator.clipboard.writeText(text);
      setState("copied");
    } catch {
      setState("failed");
    }
  };
  return (
    <span class="copy">
      <button type="button" onClick={copy}>
        {state === "copied" ? t.copied : t.copy}
      </button>
      <span role="status" class={state === "failed" ? "hint" : "sr"}>
        {state === "failed" ? t.copyFailed : state === "copied" ? t.copied : ""}
      </span>
    </span>
  );
}
