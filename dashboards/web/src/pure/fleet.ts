// What the fleet's view makes of lists: what comes first, and what they come to. Pure.

import type { Alert, Severity } from "../api/alerts";
import type { CaseInfo, Recommended } from "../api/cases";
import type { Device, DeviceState } from "../api/devices";
import type { Uplink } from "../api/uplinks";

const UPLINK_ORDER = { tight: 0, unknown: 1, ok: 2 } as const;

/** The tight ones first, then those of which nothing is known, then by how full they are. */
export function tightestFirst(uplinks: readonly Uplink[]): Uplink[] {
  return uplinks.toSorted(
    (a, b) =>
      UPLINK_ORDER[a.state] - UPLINK_ORDER[b.state] ||
      Number(b.share ?? 0) - Number(a.share ?? 0) ||
      a.id.localeCompare(b.id),
  );
}

export interface Traffic {
  in_bps: number;
  out_bps: number;
  /** Uplinks with a figure, out of all. */
  known: number;
  all: number;
}

/** What goes over a region's uplinks now, or over all of them; undefined where none has a figure. */
export function traffic(uplinks: readonly Uplink[], region?: string): Traffic | undefined {
  const of = uplinks.filter((uplink) => region === undefined || uplink.region === region);
  const sum: Traffic = { in_bps: 0, out_bps: 0, known: 0, all: of.length };
  for (const { in_bps, out_bps } of of) {
    if (in_bps === null || out_bps === null) continue;
    sum.in_bps += in_bps;
    sum.out_bps += out_bps;
    sum.known++;
  }
  return sum.known === 0 ? undefined : sum;
}

/** Who does what next about a case. */
export type NextStep = "approve_urgent" | "notify" | "await" | "decide" | "approve" | "apply" | "lift" | "wait";

export function nextStep(of: CaseInfo, now_ms: number): NextStep {
  if (of.snoozed_until !== null && Date.parse(of.snoozed_until) > now_ms) return "wait";
  switch (of.state) {
    case "open":
      return of.urgent ? "approve_urgent" : "notify";
    case "notified":
      if (of.answered_at !== null) return "decide";
      return of.ready_at !== null ? "approve" : "await";
    case "approved":
      return "apply";
    case "applied":
      return "lift";
    case "lifted":
    case "dismissed":
    case "resolved":
      return "wait";
  }
}

const STEP_ORDER: readonly NextStep[] = ["approve_urgent", "apply", "decide", "approve", "notify", "await", "lift", "wait"];

/** Somebody else's turn, or nobody's. */
const NOT_OURS: readonly NextStep[] = ["await", "lift", "wait"];

/**
 * What is urgent comes first, then whoever fills a line that others share, then what somebody should do first; of the
 * same the largest overage that is to be expected, where a recommendation tells it, and then the newest.
 */
export function mostPressing(cases: readonly CaseInfo[], recommended: readonly Recommended[], now_ms: number): CaseInfo[] {
  const overage_bps = new Map(recommended.map((of) => [of.case, of.recommendation.outlook.without.overage_bps ?? 0]));
  const place = (of: CaseInfo) => {
    const step = nextStep(of, now_ms);
    const fills = !NOT_OURS.includes(step) && of.rules.some(({ rule }) => rule === "uplink");
    return STEP_ORDER.indexOf(step) + (step === "approve_urgent" ? 0 : fills ? 1 : 1 + STEP_ORDER.length);
  };
  const overage = (of: CaseInfo) => overage_bps.get(of.id) ?? 0;
  return cases.toSorted((a, b) => place(a) - place(b) || overage(b) - overage(a) || b.id - a.id);
}

/** Who fills an uplink, by the open cases that name it. */
export function fillers(uplink: string, recommended: readonly Recommended[]): Recommended[] {
  return recommended.filter(({ recommendation: { rules } }) =>
    rules.some((found) => found.rule === "uplink" && (found.uplink === uplink || found.group.includes(uplink))),
  );
}

/** How many devices do how, and those that need somebody, the worst first. */
export function deviceStates(devices: readonly Device[]): { counts: Record<DeviceState, number>; ill: Device[] } {
  const counts = { ok: 0, late: 0, silent: 0, never: 0 };
  for (const { state } of devices) counts[state]++;
  const worst: readonly DeviceState[] = ["silent", "never", "late"];
  const ill = worst.flatMap((state) => devices.filter((device) => device.state === state));
  return { counts, ill };
}

export function bySeverity(alerts: readonly Alert[]): Record<Severity, number> {
  const counts = { critical: 0, warning: 0, info: 0 };
  for (const { severity } of alerts) counts[severity]++;
  return counts;
}
