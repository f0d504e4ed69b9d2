// A dialog in which somebody does something: what it does, why it is done, and what the service said to it.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "../api/ask";
import { t } from "../words/common";

interface Props {
  title: string;
  /** What the button that does it says. */
  verb: string;
  /**
   * Does it. `key` is the same until the service answers, so that trying again after a lost answer does nothing twice.
   * With `false` as its answer the dialog stays: there is more to do in it.
   */
  act: (key: string) => Promise<boolean | void>;
  close: () => void;
  /** What it means, and the fields that it needs. */
  children: ComponentChildren;
}

export function Act({ title, verb, act, close, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const key = useRef(newKey());
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  useEffect(() => dialog.current?.showModal(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFailure("");
    try {
      const stays = (await act(key.current)) === false;
      setBusy(false);
      if (!stays) close();
    } catch (cause) {
      // The service answers alike to what it has refused under a key; what was lost may have been done.
      if (cause instanceof ApiFailure && cause.kind !== "unreachable") key.current = newKey();
      setBusy(false);
      setFailure(words(cause));
    }
  };

  return (
    <dialog ref={dialog} class="act" aria-label={title} onClose={close}>
      <form onSubmit={submit}>
        <h2>{title}</h2>
        {children}
        <p class="over" role="alert">
          {failure}
        </p>
        <div class="buttons">
          <button type="button" onClick={close}>
            {t.cancel}
          </button>
          <button type="submit" class="primary" disabled={busy}>
            {verb}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** On a page over plain HTTP there is no `randomUUID`. */
function newKey(): string {
  return crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
}

function words(cause: unknown): string {
  if (!(cause instanceof ApiFailure)) return t.unreadableTitle;
  if (cause.kind === "too_often") return t.tooOften(cause.retryAfter_s);
  return cause.detail === "" ? t.unreachableTitle : cause.detail;
}
