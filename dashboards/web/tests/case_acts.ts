import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaseInfo, CaseState, Rule } from "../src/api/cases";
import { allowedActs, byUrgency, heldSince, nextStep } from "../src/pure/case_acts";

const NOW_MS = Date.parse("2026-11-26T07:00:00Z");

function aCase(part: Partial<CaseInfo>): CaseInfo {
  const state: CaseState = part.state ?? "open";
  return {
    id: 1,
    server: "web01",
    customer: "c001",
    region: "tokyo",
    state,
    since: "2026-11-26T06:00:00Z",
    open: !["lifted", "dismissed", "resolved"].includes(state),
    opened_at: "2026-11-26T06:00:00Z",
    reopenings: 0,
    rules: [],
    urgent: false,
    notified_at: null,
    answered_at: null,
    ready_at: null,
    snoozed_until: null,
    limit: null,
    ...part,
  };
}

const TOLD = { notified_at: "2026-11-26T06:10:00Z" };

test("what may be done about a case, and what it waits for", () => {
  for (const [part, next, acts] of [
    [{}, "contact", "attempt notify answer snooze dismiss note"],
    [{ urgent: true }, "approve_now", "approve attempt notify answer snooze dismiss note"],
    [{ state: "notified", ...TOLD }, "await", "approve attempt answer snooze dismiss note"],
    [{ state: "approved", ...TOLD }, "apply", "apply attempt answer snooze dismiss note"],
    [{ state: "approved", urgent: true }, "apply", "apply attempt notify answer snooze dismiss note"],
    [{ state: "applied", ...TOLD }, "lift", "lift attempt answer snooze note"],
    [{ snoozed_until: "2026-11-26T08:00:00Z" }, "wait", "attempt notify answer wake dismiss note"],
    [{ snoozed_until: "2026-11-26T06:30:00Z" }, "contact", "attempt notify answer wake dismiss note"],
    [{ ...TOLD, state: "notified", answered_at: "2026-11-26T06:20:00Z" }, "approve", "approve attempt snooze dismiss note"],
    [{ ...TOLD, state: "notified", ready_at: "2026-11-26T06:20:00Z" }, "approve", "approve attempt answer snooze dismiss note"],
    [{ state: "lifted" }, "over", "reopen note"],
    [{ state: "dismissed" }, "over", "reopen note"],
    [{ state: "resolved" }, "over", "reopen note"],
  ] as [Partial<CaseInfo>, string, string][]) {
    const of = aCase(part);
    assert.equal(nextStep(of, NOW_MS), next, JSON.stringify(part));
    assert.equal(allowedActs(of).join(" "), acts, JSON.stringify(part));
  }
});

test("the most urgent case stands first", () => {
  const holds = (...rules: Rule[]) => rules.map((rule) => ({ rule, since: "2026-11-26T06:00:00Z" }));
  const list = [
    aCase({ id: 1, rules: holds("locked_in") }),
    aCase({ id: 2, rules: holds("locked_in", "sustained"), opened_at: "2026-11-26T06:05:00Z" }),
    aCase({ id: 3, state: "resolved", since: "2026-11-20T00:00:00Z" }),
    aCase({ id: 4, rules: holds("flood"), snoozed_until: "2026-11-26T09:00:00Z" }),
    aCase({ id: 5, rules: holds("uplink") }),
    aCase({ id: 6, rules: holds("flood"), urgent: true }),
    aCase({ id: 7, rules: holds("sustained") }),
    aCase({ id: 8, state: "applied", rules: holds("flood"), ...TOLD }),
    aCase({ id: 9, state: "lifted", since: "2026-11-25T00:00:00Z" }),
    aCase({ id: 10 }),
  ];
  const sorted = list.sort(byUrgency(NOW_MS)).map(({ id }) => id);
  assert.deepEqual(sorted, [6, 5, 7, 2, 1, 10, 8, 4, 9, 3]);
});

test("a case stands since its first rule holds, or since its last step", () => {
  const rules: CaseInfo["rules"] = [
    { rule: "locked_in", since: "2026-11-26T05:55:00Z" },
    { rule: "sustained", since: "2026-11-26T05:30:00Z" },
  ];
  assert.equal(heldSince(aCase({ rules })), "2026-11-26T05:30:00Z");
  assert.equal(heldSince(aCase({})), "2026-11-26T06:00:00Z");
  assert.equal(heldSince(aCase({ rules, state: "dismissed" })), "2026-11-26T06:00:00Z");
});
