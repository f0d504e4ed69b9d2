// Who does something and why: the fields that every act asks for.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { recall, remember } from "../language";
import { useSession } from "../session";
import { t } from "../words/act";

const KEY = "meter95-name";

/** What the service takes, in characters. */
const NAME_MAX = 128;
const WHY_MAX = 4_000;

/** Who acts: undefined where somebody is logged in, whom the service knows; otherwise who the field says, once. */
export function useName(): { name: () => string | undefined; field: JSX.Element | null } {
  const { session } = useSession();
  const nameless = !session || session.name === null;
  const [name, setName] = useState(recall(KEY) ?? "");
  if (!nameless) return { name: () => undefined, field: null };
  return {
    name: () => {
      remember(KEY, name.trim());
      return name.trim();
    },
    field: (
      <label>
        {t.yourName}
        <input required value={name} autocomplete="name" maxLength={NAME_MAX} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
    ),
  };
}

/** The same with a reason. `label` says what it is called. */
export function useWord(label: string): { word: () => { by: string | undefined; why: string }; fields: JSX.Element } {
  const { name, field } = useName();
  const [why, setWhy] = useState("");
  return {
    word: () => ({ by: name(), why: why.trim() }),
    fields: (
      <>
        <label>
          {label}
          <textarea required maxLength={WHY_MAX} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
          <span class="hint">{t.kept}</span>
        </label>
        {field}
      </>
    ),
  };
}
