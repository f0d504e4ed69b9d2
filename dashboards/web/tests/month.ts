import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatedStatement } from "../src/api/periods";
import type { Sample } from "../src/api/servers";
import type { Method, ServerUsage, Usage } from "../src/api/usage";
import { columns, rankedMax, rates, sides, type ChartData } from "../src/chart/data";
import { days, level } from "../src/pure/month/days";
import { discarded, fromStatement, fromUsage, missingAs, type Figures } from "../src/pure/month/figures";
import { burst, duration, rank, runsOut } from "../src/pure/month/ranking";
import { counts, DISCARDED, INCIDENT, isHole, slots, spans, type Asked } from "../src/pure/month/slots";
import { addonMbps, remedy, why } from "../src/pure/month/why";
import { month as monthOf, type Answer } from "../src/parts/month/month";

const SLOT_MS = 300_000;
const FROM_MS = Date.parse("2026-10-31T15:00:00Z");

const at = (slot: number) => new Date(FROM_MS + slot * SLOT_MS).toISOString();

/** Samples by slot: what comes in, and what goes out. */
function sampled(of: Record<number, [number, number]>, partial: number[] = []): Sample[] {
  return Object.entries(of).map(([slot, [in_bps, out_bps]]) => ({
    slot: at(Number(slot)),
    in_bps,
    out_bps,
    value_bps: Math.max(in_bps, out_bps),
    partial: partial.includes(Number(slot)),
    revision: 1,
  }));
}

function month(samples: Sample[], changed: Partial<Asked> = {}, count = 20) {
  return slots({
    from_ms: FROM_MS,
    until_ms: FROM_MS + count * SLOT_MS,
    slot_s: 300,
    method: "max",
    samples,
    allowances: [{ from: at(0), bps: 10 }],
    service: { from_ms: undefined, until_ms: undefined },
    closed: count,
    incidents: [],
    leftOut: false,
    ...changed,
  });
}

/** One bit/s both ways in each slot, but for those given. */
function flat(count: number, others: Record<number, [number, number]> = {}): Record<number, [number, number]> {
  return { ...Object.fromEntries(Array.from({ length: count }, (_, slot) => [slot, [1, 1]])), ...others };
}

const marked = (flags: Uint8Array, flag: number) => [...flags].flatMap((each, slot) => ((each & flag) !== 0 ? [slot] : []));

test("a slot without a sample is a hole only where one is expected", () => {
  const all = month(sampled({ 3: [1, 1], 6: [1, 1] }), { service: { from_ms: FROM_MS + 2 * SLOT_MS - 1, until_ms: undefined }, closed: 6 });
  assert.deepEqual(spans(all, isHole), [
    { from: 2, until: 3 },
    { from: 4, until: 6 },
    { from: 7, until: 8 },
  ]);
  assert.deepEqual(spans(all, counts), [
    { from: 3, until: 4 },
    { from: 6, until: 7 },
  ]);
  const incident = [{ from: at(2), until: at(5) }];
  const left = month(sampled({ 3: [1, 1], 6: [1, 1] }), { closed: 8, incidents: incident, leftOut: true });
  assert.deepEqual(spans(left, counts), [{ from: 6, until: 7 }]);
  const declared = month(sampled({ 3: [1, 1], 6: [1, 1] }), { closed: 8, incidents: incident });
  assert.equal(spans(declared, counts).length, 2);
});

test("samples of another month, and at no slot's start, are left alone", () => {
  const strange = [...sampled({ 20: [9, 9], 3: [1, 1] }), { ...sampled({ 0: [9, 9] })[0]!, slot: "2026-10-31T14:55:00Z" }];
  strange.push({ ...strange[0]!, slot: "2026-10-31T15:01:00Z" });
  assert.deepEqual(spans(month(strange), counts), [{ from: 3, until: 4 }]);
});

test("exactly so many are discarded, and of equal ones the earlier", () => {
  const all = month(sampled(flat(20, { 4: [7, 2], 9: [2, 7], 15: [7, 7] })));
  const ranking = rank(all, "max", 2);
  assert.deepEqual(marked(all.flags, DISCARDED), [4, 9]);
  assert.equal(ranking.decides, 15);
  assert.equal(ranking.place[15], 3);
  rank(all, "max", 1);
  assert.deepEqual(marked(all.flags, DISCARDED), [4]);
});

test("where the allowance changes, what is furthest above it comes first", () => {
  const all = month(sampled(flat(20, { 4: [12, 2], 15: [31, 1], 16: [33, 1] })), {
    allowances: [
      { from: at(0), bps: 10 },
      { from: at(10), bps: 30 },
    ],
  });
  const ranking = rank(all, "max", 1);
  assert.deepEqual(marked(all.flags, DISCARDED), [16]);
  assert.equal(ranking.decides, 4);
});

test("of two directions the one with the larger result is ranked, in unless out is larger", () => {
  for (const [samples, direction, decides] of [
    [{ 0: [9, 1], 1: [8, 7], 2: [1, 7] }, "in", 1],
    [{ 0: [9, 9], 1: [1, 8], 2: [1, 1] }, "out", 1],
    [{ 0: [9, 9], 1: [8, 8] }, "in", 1],
  ] as [Record<number, [number, number]>, string, number][]) {
    const ranking = rank(month(sampled(samples), { method: "separate" }), "separate", 1);
    assert.equal(ranking.direction, direction);
    assert.equal(ranking.decides, decides);
  }
});

test("a missing slot is a zero of the duration curve where it is ranked", () => {
  const ranking = rank(month(sampled({ 2: [5, 1], 7: [1, 9] })), "max", 1);
  assert.deepEqual([...duration(ranking, 4)], [9, 5, 0, 0]);
  assert.deepEqual([...duration(ranking, 2)], [9, 5]);
  assert.deepEqual([...duration(ranking, 1)], [9]);
  assert.deepEqual([...duration(ranking, 0)], []);
});

test("a slot without a sample decides nothing that is above 0", () => {
  const ranking = rank(month(sampled({ 2: [50, 1] })), "max", 1);
  assert.equal(ranking.decides, undefined);
});

test("the burst begins at the first slot above and is used up at the end of the last free one", () => {
  const all = month(sampled(flat(20, { 4: [11, 1], 5: [10, 1], 9: [1, 12], 15: [20, 1] })));
  assert.deepEqual(burst(all, 2), { above: 3, first_ms: FROM_MS + 4 * SLOT_MS, usedUp_ms: FROM_MS + 10 * SLOT_MS });
  assert.deepEqual(burst(all, 4), { above: 3, first_ms: FROM_MS + 4 * SLOT_MS, usedUp_ms: undefined });
  assert.deepEqual(burst(month([]), 2), { above: 0, first_ms: undefined, usedUp_ms: undefined });
});

test("the pace is told of the last seven days and of no less", () => {
  const DAY = 288;
  const count = 30 * DAY;
  const until_ms = FROM_MS + count * SLOT_MS;
  const busy = (closed: number, every: number) => {
    const samples: Record<number, [number, number]> = flat(closed);
    for (let slot = 0; slot < closed; slot += every) samples[slot] = [11, 1];
    return month(sampled(samples), { closed }, count);
  };
  // 7 days of 288 slots, every eighth above: 36 a day.
  assert.equal(runsOut(busy(10 * DAY, 8), 72, until_ms), FROM_MS + 12 * DAY * SLOT_MS);
  assert.equal(runsOut(busy(10 * DAY, 8), 36 * 25, until_ms), "lasts");
  assert.equal(runsOut(busy(10 * DAY, 8), 0, until_ms), undefined);
  assert.equal(runsOut(busy(6 * DAY, 8), 72, until_ms), undefined);
  assert.equal(runsOut(month(sampled(flat(10 * DAY)), { closed: 10 * DAY }, count), 72, until_ms), "lasts");
});

test("days and hours are those of the billing time zone", () => {
  const all = month(sampled({ 0: [5, 1], 1: [1, 30], 12: [2, 2] }), {}, 600);
  const [first, second, third] = days(all, "Asia/Tokyo");
  assert.deepEqual([first?.day, first?.weekday, first?.from, first?.until], [1, 0, 0, 288]);
  assert.deepEqual([second?.from, third?.from, third?.until], [288, 576, 600]);
  assert.deepEqual(first?.hours[0], { hour: 0, from: 0, until: 12, expected: 12, samples: 2, largest: 1, ratio: 3 });
  assert.equal(first?.hours[2]?.largest, undefined);
  assert.equal(first?.hours.length, 24);
});

test("a day on which the clock is changed has the hours that it has", () => {
  const of = (from: string, hours: number) => {
    const from_ms = Date.parse(from);
    return days(month([], { from_ms, until_ms: from_ms + hours * 3_600_000 }), "Europe/Berlin");
  };
  const [spring] = of("2026-03-28T23:00:00Z", 23);
  assert.deepEqual(spring?.hours.map(({ hour }) => hour).slice(0, 4), [0, 1, 3, 4]);
  const [autumn] = of("2026-10-24T22:00:00Z", 25);
  assert.equal(autumn?.until, 300);
  assert.equal(autumn?.hours[2]?.until, 48);
});

test("an hour's level: exactly the allowance is not above it", () => {
  for (const [ratio, is] of [
    [0, 0],
    [0.25, 1],
    [0.99, 3],
    [1, 3],
    [1.01, 4],
    [2, 4],
    [10, 6],
    [10.1, 7],
    [Infinity, 7],
  ] as const) {
    assert.equal(level(ratio), is, String(ratio));
  }
});

test("every peak reaches its height, however many slots share a column", () => {
  const all = month(sampled(flat(1_000, { 503: [70, 1], 999: [90, 1] })), {}, 1_000);
  const { max, min, some } = columns(all.in_bps, all, { from: 0, until: 1_000 }, 100);
  assert.equal(max[50], 70);
  assert.equal(min[50], 1);
  assert.equal(max[99], 90);
  assert.equal(max[49], 1);
  for (const width of [7, 99, 640, 1_277]) {
    const of = columns(all.in_bps, all, { from: 0.3, until: 999.7 }, width);
    assert.equal(Math.max(...of.max), 90, String(width));
  }
  const holes = columns(all.in_bps, month([], {}, 1_000), { from: 0, until: 1_000 }, 10);
  assert.deepEqual([...holes.some], Array(10).fill(0));
  assert.equal(some[0], 1);
});

test("the slot that stands for its neighbours is the largest of them", () => {
  const all = month(sampled(flat(20, { 7: [1, 30] })));
  assert.equal(rankedMax(all, 4, 10), 7);
  assert.equal(rankedMax(all, 8, 10), 8);
  assert.equal(rankedMax(all, -3, 1), 0);
  assert.equal(rankedMax(month([]), 5, 9), 5);
});

const FIGURES: Figures = {
  standing: "so_far",
  method: "max",
  samples: 20,
  expected: 20,
  expected_so_far: 20,
  coverage: "1.0000",
  ranked: 20,
  rank: 19,
  p95_bps: 12,
  p95_in_bps: 12,
  p95_out_bps: 1,
  allowance_bps: 10,
  overage_bps: 2,
  billable_bps: 2,
  amount: "3",
  currency: "JPY",
  burst_slots: 1,
  burst_left_slots: 0,
  locked_in_p95_bps: 11,
  locked_in_overage_bps: 1,
  locked_in_amount: "2",
  projected: null,
  billable_slot: null,
};

test("the rates in view reach to the samples and to the lines of the larger direction", () => {
  const all = month(sampled(flat(20, { 3: [40, 2] })));
  const data = (method: Method, hidden: ChartData["hidden"] = new Set()): ChartData => ({
    slots: all,
    midnights: [0, 20],
    timezone: "Asia/Tokyo",
    method,
    figures: { ...FIGURES, p95_bps: 100 },
    allowances: [{ from: at(0), bps: 10 }],
    breaks: [],
    whatIf: undefined,
    now: 20,
    hidden,
  });
  const view = { from: 0, until: 20 };
  const { low, high } = rates(data("max"), view);
  assert.ok(high > 100 && high < 110, String(high));
  assert.ok(low < -2 && low > -10, String(low));
  assert.ok(rates(data("max", new Set(["p95"])), view).high < 50);
  assert.equal(rates(data("sum"), view).low, 0);
  for (const [method, of] of [
    ["max", [1, -1]],
    ["separate", [1, -1]],
    ["in", [1]],
    ["out", [-1]],
    ["sum", [1]],
  ] as [Method, number[]][]) {
    assert.deepEqual(sides(method), of, method);
  }
});

const STATEMENT = {
  kind: "server",
  server: "web01",
  state: "issued",
  revision: 2,
  method: "max",
  from: at(0),
  until: at(20),
  samples: 18,
  expected: 20,
  ranked: 20,
  rank: 19,
  discarded: 1,
  p95_bps: 7,
  allowances: [
    { from: at(0), bps: 10 },
    { from: at(5), bps: 30 },
  ],
  overage_bps: 0,
  burst_slots: 1,
  burst_left_slots: 1,
  breaks: [],
  exclusions: [{ id: 1, server: "web01", from: at(2), until: at(4), why: "an attack" }],
  members: [{ server: "web01", gaps: [] }],
} as unknown as StatedStatement;

const ROW = { ...FIGURES, server: "web01", pool: null, projected: { low_p95_bps: 1 } } as unknown as ServerUsage;

test("a statement's figures are its own, and nothing of it is to come", () => {
  const figures = fromStatement(STATEMENT);
  assert.equal(figures.standing, "issued");
  assert.equal(discarded(figures), STATEMENT.discarded);
  assert.equal(figures.allowance_bps, 30);
  assert.equal(figures.locked_in_overage_bps, null);
  assert.equal(fromUsage(ROW, true).locked_in_overage_bps, 1);
  const ended = fromUsage(ROW, false);
  assert.deepEqual([ended.standing, ended.locked_in_overage_bps, ended.projected], ["preliminary", null, null]);
});

test("a month shows what its statement says; a pool's statement is not the server's", () => {
  const usage = { period: "2026-11", from: at(0), until: at(20), timezone: "Asia/Tokyo" } as unknown as Usage;
  const answer = (more: Partial<Answer>): Answer => ({
    usage,
    row: ROW,
    server: undefined,
    samples: {
      server: "web01",
      from: at(0),
      until: at(20),
      slot_s: 300,
      allowances: [{ from: at(0), bps: 10 }],
      samples: sampled(flat(20, { 3: [90, 1], 8: [50, 1] })),
    },
    statement: undefined,
    phase: undefined,
    exclusions: [
      { id: 2, server: "web01", from: at(8), until: at(9), why: "an attack", by: "noc", at: at(9) },
      { id: 3, server: "web01", from: at(30), until: at(40), why: "in another month", by: "noc", at: at(40) },
    ],
    openCase: undefined,
    ...more,
  });
  const issued = monthOf("web01", answer({ statement: STATEMENT }));
  assert.equal(issued.figures?.standing, "issued");
  assert.deepEqual(marked(issued.slots.flags, INCIDENT), [2, 3]);
  assert.deepEqual(marked(issued.slots.flags, DISCARDED), [8], "what is left out is not discarded");
  const soFar = monthOf("web01", answer({}));
  assert.deepEqual(marked(soFar.slots.flags, INCIDENT), [8]);
  assert.deepEqual(marked(soFar.slots.flags, DISCARDED), [3], "figures so far are with the incident");
  const pooled = monthOf("web01", answer({ statement: { ...STATEMENT, kind: "pool", server: "pool1" } }));
  assert.equal(pooled.own, undefined);
  assert.notEqual(pooled.figures?.standing, "issued");
});

test("how missing slots were ranked shows in how many were", () => {
  assert.equal(missingAs(FIGURES), undefined);
  assert.equal(missingAs({ ...FIGURES, samples: 18 }), "zero");
  assert.equal(missingAs({ ...FIGURES, samples: 18, ranked: 18 }), "exclude");
  assert.equal(discarded(FIGURES), 1);
  assert.equal(discarded({ ...FIGURES, rank: null, ranked: 0 }), 0);
});

test("why, and what can still be done", () => {
  const spent = { above: 2, first_ms: 0, usedUp_ms: 1 };
  assert.equal(why(FIGURES, 1, spent).kind, "billed");
  assert.equal(why({ ...FIGURES, overage_bps: 0 }, 1, spent).kind, "within");
  assert.equal(why({ ...FIGURES, p95_bps: null, overage_bps: null }, 1, spent).kind, "no_data");
  assert.equal(why(FIGURES, 2, spent).changed, true);
  assert.deepEqual(remedy(FIGURES), { kind: "certain", overage_bps: 1, amount: "2", currency: "JPY" });
  assert.deepEqual(remedy({ ...FIGURES, locked_in_overage_bps: 0 }), { kind: "spent" });
  assert.deepEqual(remedy({ ...FIGURES, locked_in_overage_bps: 0, burst_left_slots: 7 }), { kind: "burst_left", slots: 7 });
  assert.equal(remedy({ ...FIGURES, standing: "issued" }), undefined);
  for (const [overage, addon] of [
    [0, 0],
    [1, 1],
    [1_000_000, 1],
    [1_000_001, 2],
  ] as const) {
    assert.equal(addonMbps(overage), addon);
  }
});
