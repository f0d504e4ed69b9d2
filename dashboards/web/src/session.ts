// Who looks at the dashboard. Without a token that was ever made there is nobody to be told apart, and nobody logs in.

import { useEffect, useState } from "preact/hooks";
import * as api from "./api";
import { forgetAnswers } from "./polled";

/** undefined: not known yet, or the service does not say; null: nobody is logged in. */
export type Known = api.Session | null | undefined;

let known: Known;
const listeners = new Set<() => void>();

function tell(session: Known): void {
  known = session;
  for (const listener of listeners) listener();
}

/** Asks who is logged in, and hears of every answer that says nobody is. */
export function watchSession(): () => void {
  const abort = new AbortController();
  const over = () => {
    forgetAnswers();
    tell(null);
  };
  addEventListener(api.NOBODY, over);
  api.session(abort.signal).then(tell, () => {
    // Whatever is shown asks as well, and says what is the matter.
  });
  return () => {
    abort.abort();
    removeEventListener(api.NOBODY, over);
  };
}

export function useSession(): Known {
  const [, setTold] = useState(0);
  useEffect(() => {
    const listener = () => setTold((n) => n + 1);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return known;
}

export async function logIn(token: string): Promise<void> {
  await api.logIn(token);
  forgetAnswers();
  tell(await api.session(new AbortController().signal));
}

export async function logOut(): Promise<void> {
  await api.logOut();
  forgetAnswers();
  tell(null);
}
