import assert from "node:assert/strict";
import { test } from "node:test";
import type { Query } from "../src/api/ask";
import type { ServerUsage, Usage } from "../src/api/usage";
import { firstWhere, groups, largest } from "../src/pure/skip";

test("the first line of which something holds is found with few questions", async () => {
  for (const [count, first, near, most] of [
    [0, 0, undefined, 0],
    [1, 0, undefined, 1],
    [1, 1, undefined, 1],
    [9, 4, undefined, 12],
    [100_000, 0, undefined, 40],
    [100_000, 17_234, undefined, 40],
    [100_000, 100_000, undefined, 40],
    [100_000, 17_234, 17_234, 4],
    [100_000, 17_240, 17_234, 16],
    [100_000, 90_000, 17_234, 44],
    // The list has become shorter than where it was before.
    [50, 20, 17_234, 16],
  ] as [number, number, number | undefined, number][]) {
    let asked = 0;
    const is = async (index: number) => {
      asked++;
      assert.ok(index >= 0 && index < count, `${index} of ${count}`);
      return index >= first;
    };
    assert.equal(await firstWhere(count, is, near), first, `${count} ${first}`);
    assert.ok(asked <= most, `${asked} questions for ${count} ${first} ${near}`);
  }
});

test("regions are found by skipping over the lines of each", async () => {
  const lines = ["nagoya", "nagoya", "nagoya", "osaka", "tokyo", "tokyo"];
  const asked: Query[] = [];
  const ask = async (query: Query) => {
    asked.push(query);
    const of = lines.filter((region) => query["region"] === undefined || region === query["region"]);
    const servers = of.slice(Number(query["offset"] ?? 0)).slice(0, 1);
    return { count: of.length, servers: servers.map((region) => ({ region })) } as unknown as Usage;
  };
  const found = await groups("region", ask);
  assert.deepEqual(
    found.map(({ name, usage }) => [name, usage.count]),
    [
      ["nagoya", 3],
      ["osaka", 1],
      ["tokyo", 2],
    ],
  );
  assert.equal(asked.length, 7);
});

test("a list that changes meanwhile is not gone round in circles", async () => {
  const ask = async () => ({ count: 0, servers: [{ region: "osaka" }] }) as unknown as Usage;
  assert.equal((await groups("region", ask)).length, 1);
});

test("the largest bill of each currency, whose lines without an amount stand at the end", async () => {
  const line = (server: string, currency: string | null, amount: string | null) => ({ server, currency, amount }) as ServerUsage;
  const usd = [line("d", "USD", "238.25"), line("e", "USD", "0")];
  const lines = [line("a", "JPY", "131295"), line("b", "JPY", "68999"), line("c", "JPY", "0"), ...usd];
  const none = [line("f", "JPY", null), line("g", "USD", null), line("h", null, null)];
  const of = (lines: ServerUsage[], ...totals: [currency: string, count: number][]) =>
    largest({ count: lines.length, totals: totals.map(([currency, count]) => ({ currency, count })) as Usage["totals"] }, async (at) => lines[at]);
  const names = async (found: Promise<ServerUsage[]>) => (await found).map(({ server }) => server).join("");
  assert.equal(await names(of([...lines, ...none], ["JPY", 4], ["USD", 3])), "ad");
  assert.equal(await names(of([...usd, ...none], ["JPY", 1], ["USD", 3])), "d");
  assert.equal(await names(of([line("c", "JPY", "0"), ...usd], ["JPY", 1], ["USD", 2])), "d");
  assert.equal(await names(of(none, ["JPY", 1], ["USD", 1])), "");
  assert.equal(await names(of([])), "");
});
