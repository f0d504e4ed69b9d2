// Who does something and why: the fields that every act asks for.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { recall, remember } from "../language";
import { useSession } from "../session";
import { t } from "../words/act";

const KEY = "meter95-name";

export interface Word {
  /** Who, where nobody is logged in; otherwise the service knows. */
  by: string | undefined;
  why: string;
}

/** What was filled in so far, and the fields. `label` says what the reason is called. */
export function useWord(label: string): { word: () => Word; fields: JSX.Element } {
  const { session } = useSession();
  const nameless = !session || session.name === null;
  const [name, setName] = useState(recall(KEY) ?? "");
  const [why, setWhy] = useState("");
  const word = () => {
    if (nameless) remember(KEY, name.trim());
    return { by: nameless ? name.trim() : undefined, why: why.trim() };
  };
  const fields = (
    <>
      <label>
        {label}
        <textarea required maxLength={4000} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
        <span class="hint">{t.kept}</span>
      </label>
      {nameless && (
        <label>
          {t.yourName}
          <input required value={name} autocomplete="name" maxLength={128} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
      )}
    </>
  );
  return { word, fields };
}
