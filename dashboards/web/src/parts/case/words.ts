// A case's figures as sentences.

import type { CaseInfo, Finding, Recommendation, Rule, Step } from "../../api/cases";
import { nextStep } from "../../pure/case_acts";
import { count, dateTime, hours, mbps, mbpsFine, speed } from "../../format";
import { t } from "../../words/cases";
import type { Tone } from "../figures";

export function ruleNames(rules: readonly Rule[]): string {
  return rules.map((rule) => t.rule[rule]).join(" · ");
}

export function stateTone(of: Pick<CaseInfo, "state" | "urgent">): Tone {
  switch (of.state) {
    case "open":
      return of.urgent ? "over" : "warn";
    case "notified":
    case "approved":
      return "warn";
    case "applied":
      return "ok";
    default:
      return "plain";
  }
}

/** What is to be done next. */
export function nextWords(of: CaseInfo, timezone: string): string {
  const next = nextStep(of, Date.now());
  switch (next) {
    case "lift":
      return t.steps.lift(of.limit === null ? "" : dateTime(of.limit.until, timezone));
    case "wait":
      return t.steps.wait(of.snoozed_until === null ? "" : dateTime(of.snoozed_until, timezone));
    default:
      return t.steps[next];
  }
}

/** What one rule found. */
export function findingWords(found: Finding): string {
  switch (found.rule) {
    case "sustained": {
      const threshold = found.fired.at(-1)?.threshold_bps;
      return t.found.sustained(count(found.fired.length), count(found.of), factor(found), threshold === undefined ? "" : mbps(threshold));
    }
    case "locked_in": {
      const { slots_at_or_over: slots } = found;
      const n = "exactly" in slots ? t.found.exactly(count(slots.exactly)) : t.found.atLeast(count(slots.at_least));
      return `${t.found.locked_in(mbpsFine(found.locked_in_p95_bps), factor(found), mbps(found.threshold_bps))} ${t.found.lockedSlots(n, count(found.burst_slots))}`;
    }
    case "uplink":
      return t.found.uplink(
        found.uplink ?? found.group.join(" + "),
        count(found.load_percent),
        speed(found.speed_bps),
        t.direction[found.direction],
        count(found.share_percent),
      );
    case "flood": {
      const last = found.slots.at(-1);
      return t.found.flood(
        last ? count(last.packets_per_second) : "–",
        last ? count(last.mean_octets) : "–",
        t.direction[found.direction],
        count(found.packets_per_second_threshold),
        count(found.mean_octets_limit),
      );
    }
  }
}

/** How many times the allowance is the limit; a rule that is being let go asks for a share of it. */
function factor(found: { factor: number; at_percent: number }): string {
  return String(Number(((found.factor * found.at_percent) / 100).toFixed(2)));
}

/** How the recommended cap is found. */
export function capWords({ cap }: Recommendation): string {
  const { by } = cap;
  const floor = cap.cap_bps > cap.computed_bps ? ` ${t.capBy.floor(mbps(cap.floor_bps))}` : "";
  switch (by.by) {
    case "extreme":
      return t.capBy.extreme(mbps(by.threshold_bps), String(by.release_percent), String(by.factor)) + floor;
    case "allowance":
      return t.capBy.allowance(hours(by.burst_left_slots), hours(by.slots_to_come)) + floor;
    case "locked_in":
      return t.capBy.locked_in(mbpsFine(by.locked_in_p95_bps)) + floor;
    case "uplink":
      return t.capBy.uplink(mbps(by.rate_bps), mbps(by.reduction_bps), mbps(by.threshold_bps)) + floor;
    case "flood":
      return t.capBy.flood(count(by.packets_per_second), count(by.mean_octets)) + floor;
  }
}

export function stepWords(step: Step, timezone: string): string {
  const at = (instant: string) => dateTime(instant, timezone);
  switch (step.kind) {
    case "opened":
      return t.step.opened(ruleNames(step.recommendation.rules.map(({ rule }) => rule)));
    case "fired":
    case "released":
      return t.step[step.kind](t.rule[step.rule]);
    case "applied":
      return t.step.applied(mbps(step.cap_bps), at(step.until));
    case "snoozed":
      return t.step.snoozed(at(step.until));
    case "attempted":
      return t.step.attempted(step.name, t.channels[step.channel], t.outcomes[step.outcome]);
    default:
      return t.step[step.kind];
  }
}
