// Who is logged in: `/v1/session`.

import { getIfAny, send } from "./ask";

export type Role = "viewer" | "operator" | "billing" | "collector" | "admin";

export interface Session {
  /** null: no token was ever made, and nobody need log in. */
  name: string | null;
  role: Role;
  /** Where the token is limited to a customer or a region. */
  customer: string | null;
  region: string | null;
  /** Whether the service is open to everybody who reaches it. */
  open: boolean;
  expires_at: string | null;
}

/** null: nobody is logged in. */
export function session(signal: AbortSignal): Promise<Session | null> {
  return getIfAny("/v1/session", signal);
}

export async function logIn(token: string): Promise<void> {
  await send("POST", "/v1/session", { token });
}

export async function logOut(): Promise<void> {
  await send("DELETE", "/v1/session");
}
