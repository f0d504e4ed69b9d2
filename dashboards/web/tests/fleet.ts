import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaseInfo, Recommended, Rule } from "../src/api/cases";
import type { Device } from "../src/api/devices";
import type { Uplink } from "../src/api/uplinks";
import { deviceStates, fillers, mostPressing, nextStep, tightestFirst, traffic } from "../src/pure/fleet";

const NOW = Date.parse("2026-11-26T07:00:00Z");

function uplink(id: string, state: Uplink["state"], share: string | null, region = "tokyo", bps: number | null = 1): Uplink {
  return { id, state, share, region, in_bps: bps, out_bps: bps === null ? null : bps * 2 } as Uplink;
}

test("tight uplinks come first, then those that nothing is known of, then by load", () => {
  const sorted = tightestFirst([
    uplink("a", "ok", "0.1"),
    uplink("b", "ok", "0.79"),
    uplink("c", "unknown", null),
    uplink("d", "tight", "0.81"),
    uplink("e", "tight", "0.99"),
    uplink("f", "ok", "0.1"),
  ]);
  assert.deepEqual(sorted.map(({ id }) => id).join(""), "edcbaf");
});

test("traffic is the sum of the uplinks that have a figure, and none is not 0", () => {
  const uplinks = [
    uplink("a", "ok", "0.1", "tokyo", 5),
    uplink("b", "ok", "0.1", "tokyo", 7),
    uplink("c", "unknown", null, "tokyo", null),
    uplink("d", "unknown", null, "osaka", null),
  ];
  assert.deepEqual(traffic(uplinks, "tokyo"), { in_bps: 12, out_bps: 24, known: 2, all: 3 });
  assert.equal(traffic(uplinks, "osaka"), undefined);
  assert.equal(traffic(uplinks)?.in_bps, 12);
});

function case_(id: number, state: CaseInfo["state"], more: Partial<CaseInfo> = {}): CaseInfo {
  const none = { rules: [], urgent: false, answered_at: null, ready_at: null, snoozed_until: null };
  return { id, state, ...none, ...more } as CaseInfo;
}

test("what is done next about a case", () => {
  for (const [of, next] of [
    [case_(1, "open"), "notify"],
    [case_(1, "open", { urgent: true }), "approve_urgent"],
    [case_(1, "open", { urgent: true, snoozed_until: "2026-11-26T08:00:00Z" }), "wait"],
    [case_(1, "open", { snoozed_until: "2026-11-26T06:00:00Z" }), "notify"],
    [case_(1, "notified"), "await"],
    [case_(1, "notified", { ready_at: "2026-11-26T06:00:00Z" }), "approve"],
    [case_(1, "notified", { answered_at: "2026-11-26T06:00:00Z" }), "decide"],
    [case_(1, "approved"), "apply"],
    [case_(1, "applied"), "lift"],
  ] as const) {
    assert.equal(nextStep(of, NOW), next);
  }
});

function holds(rule: Rule): Partial<CaseInfo> {
  return { rules: [{ rule, since: "2026-11-26T06:00:00Z" }] };
}

function recommended(of: number, overage_bps: number | null, rules: object[] = []): Recommended {
  return { case: of, recommendation: { rules, outlook: { without: { overage_bps } } } } as unknown as Recommended;
}

test("the most pressing case comes first, and of the same the newest", () => {
  const cases = [case_(1, "open"), case_(2, "applied"), case_(3, "open", { urgent: true }), case_(4, "open"), case_(5, "approved")];
  assert.deepEqual(
    mostPressing(cases, [], NOW).map(({ id }) => id),
    [3, 5, 4, 1, 2],
  );
});

test("after what is urgent comes who fills an uplink, then the larger overage", () => {
  const cases = [
    case_(1, "open", holds("uplink")),
    case_(2, "open", { urgent: true, ...holds("flood") }),
    case_(3, "open", holds("locked_in")),
    case_(4, "open", holds("locked_in")),
    case_(5, "open", holds("locked_in")),
    case_(6, "notified", holds("uplink")),
    case_(7, "approved", holds("sustained")),
  ];
  const of = [recommended(3, 2_000_000), recommended(4, 1_000_000), recommended(5, null), recommended(1, 1)];
  assert.deepEqual(
    mostPressing(cases, of, NOW).map(({ id }) => id),
    [2, 1, 7, 3, 4, 5, 6],
  );
});

test("an uplink is filled by those whose rule names it, alone or in its group", () => {
  const of = [
    recommended(1, 0, [{ rule: "uplink", uplink: "a", group: ["a"] }]),
    recommended(2, 0, [{ rule: "sustained" }, { rule: "uplink", uplink: null, group: ["a", "b"] }]),
    recommended(3, 0, [{ rule: "locked_in" }]),
  ];
  const cases = (uplink: string) => fillers(uplink, of).map((found) => found.case);
  assert.deepEqual([cases("a"), cases("b"), cases("c")], [[1, 2], [2], []]);
});

test("devices that need somebody, the worst first", () => {
  const states = ["ok", "late", "never", "silent", "ok"] as const;
  const { counts, ill } = deviceStates(states.map((state, i) => ({ name: `sw${i}`, state }) as Device));
  assert.deepEqual(counts, { ok: 2, late: 1, silent: 1, never: 1 });
  assert.deepEqual(
    ill.map(({ name }) => name),
    ["sw3", "sw2", "sw1"],
  );
});
