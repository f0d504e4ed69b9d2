// What may be done about a case as it stands, and which case waits for it most. The service decides all the same.

import type { CaseInfo, Rule } from "../api/cases";

/** Something that a person may do about a case. */
export type CaseAct =
  | "attempt"
  | "notify"
  | "approve"
  | "apply"
  | "lift"
  | "answer"
  | "snooze"
  | "wake"
  | "dismiss"
  | "reopen"
  | "note";

type Standing = Pick<CaseInfo, "state" | "open" | "urgent" | "notified_at" | "answered_at" | "ready_at" | "snoozed_until">;

/** Everything that the service takes now, the next step first. The customer is contacted first, but for a flood. */
export function allowedActs(of: Standing): CaseAct[] {
  if (!of.open) return ["reopen", "note"];
  const told = of.notified_at !== null || of.urgent;
  const acts: CaseAct[] = [];
  if (of.state === "applied") acts.push("lift");
  if (of.state === "approved" && told) acts.push("apply");
  if ((of.state === "open" || of.state === "notified") && told) acts.push("approve");
  acts.push("attempt");
  if (of.notified_at === null) acts.push("notify");
  if (of.answered_at === null) acts.push("answer");
  acts.push(of.snoozed_until === null ? "snooze" : "wake");
  if (of.state !== "applied") acts.push("dismiss");
  acts.push("note");
  return acts;
}

/** What a case waits for. */
export type NextStep = "contact" | "await" | "approve" | "approve_now" | "apply" | "lift" | "wait" | "over";

export function nextStep(of: Standing, now_ms: number): NextStep {
  if (!of.open) return "over";
  if (of.state === "applied") return "lift";
  if (of.snoozed_until !== null && Date.parse(of.snoozed_until) > now_ms) return "wait";
  if (of.state === "approved") return "apply";
  if (of.notified_at !== null) return of.answered_at === null && of.ready_at === null ? "await" : "approve";
  return of.urgent ? "approve_now" : "contact";
}

/** Since when a rule has held; a case of which none holds any more, or that has ended, stands since its last step. */
export function heldSince(of: Pick<CaseInfo, "open" | "rules" | "since">): string {
  return (of.open ? of.rules.map(({ since }) => since).toSorted()[0] : undefined) ?? of.since;
}

/** What hurts others comes before what costs only its own customer. */
const GRAVITY: readonly Rule[] = ["flood", "uplink", "sustained", "locked_in"];

/** Open cases first; of these what somebody must do something about; then by the gravest rule, the oldest first. */
export function byUrgency(now_ms: number): (a: CaseInfo, b: CaseInfo) => number {
  const waits = (of: CaseInfo) => {
    const next = nextStep(of, now_ms);
    return next === "over" ? 3 : next === "wait" ? 2 : next === "lift" ? 1 : 0;
  };
  const gravity = (of: CaseInfo) => {
    const found = GRAVITY.findIndex((rule) => of.rules.some((holding) => holding.rule === rule));
    return found === -1 ? GRAVITY.length : found;
  };
  return (a, b) => {
    if (!a.open && !b.open) return Date.parse(b.since) - Date.parse(a.since);
    return waits(a) - waits(b) || gravity(a) - gravity(b) || Date.parse(a.opened_at) - Date.parse(b.opened_at) || a.id - b.id;
  };
}
