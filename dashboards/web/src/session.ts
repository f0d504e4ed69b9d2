// Who looks at the dashboard. Without a token that was ever made there is nobody to be told apart, and nobody logs in.

import { useEffect, useState } from "preact/hooks";
import * as api from "./api/session";
import { NOBODY, ApiFailure } from "./api/ask";
import { startLive, stopLive } from "./live";
import { forgetAnswers } from "./polled";

/** undefined: not known yet, or the service does not say; null: nobody is logged in. */
export type Known = api.Session | null | undefined;

let known: Known;
let asked = false;
const listeners = new Set<() => void>();

function tell(session: Known): void {
  known = session;
  asked = true;
  if (session === null) stopLive();
  else startLive();
  for (const listener of listeners) listener();
}

/** Asks who is logged in, and hears of every answer that says nobody is. */
export function watchSession(): () => void {
  const abort = new AbortController();
  const over = () => {
    forgetAnswers();
    tell(null);
  };
  addEventListener(NOBODY, over);
  api.session(abort.signal).then(tell, (cause: unknown) => {
    // Whatever is shown asks as well, and says what is the matter.
    if (!abort.signal.aborted && !(cause instanceof ApiFailure && cause.kind === "nobody")) tell(undefined);
  });
  return () => {
    abort.abort();
    removeEventListener(NOBODY, over);
  };
}

/** Who looks, and whether that was asked yet. */
export function useSession(): { session: Known; asked: boolean } {
  const [, setTold] = useState(0);
  useEffect(() => {
    const listener = () => setTold((n) => n + 1);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return { session: known, asked };
}

/** What somebody may do, beyond looking at servers and their figures. */
export type Right = "site" | "cases" | "billing" | "incidents";

/**
 * Whether the reader may, so that nothing is offered that would be refused; the service decides all the same. Somebody
 * whose token is limited to a customer or region sees that and nothing of the site as a whole.
 */
export function may(right: Right): boolean {
  if (!known) return true;
  const limited = known.customer !== null || known.region !== null;
  const role = (...roles: api.Role[]) => known?.role === "admin" || (known ? roles.includes(known.role) : true);
  switch (right) {
    case "site":
      return !limited;
    case "cases":
      return role("operator");
    case "billing":
      return !limited && role("billing");
    case "incidents":
      return !limited && role("operator", "billing");
  }
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
