import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clockOrDate,
  dateTime,
  hours,
  mbps,
  mbpsFine,
  money,
  percent,
  periodOf,
  shiftPeriod,
  speed,
} from "../src/format";
import { chooseLanguage } from "../src/language";

function check<A extends unknown[]>(name: string, f: (...input: A) => string, rows: [...A, string][]): void {
  test(name, () => {
    for (const row of rows) {
      const input = row.slice(0, -1) as unknown as A;
      assert.equal(f(...input), row.at(-1), `${name}(${input.join(", ")})`);
    }
  });
}

check("mbps", mbps, [
  [0, "0"],
  [1, "<0.01"],
  [858_831, "0.86"],
  [1_000_000, "1.00"],
  [1_234_567_890, "1,234.57"],
]);
check("mbpsFine", mbpsFine, [
  [0, "0"],
  [499, "<0.001"],
  [858_831, "0.859"],
  [20_000_000, "20.00"],
]);
check("speed", speed, [
  [1_000_000_000, "1 Gbps"],
  [2_500_000_000, "2.5 Gbps"],
  [100_000_000, "100 Mbps"],
]);
check("hours", hours, [
  [432, "36 h 00"],
  [446, "37 h 10"],
  [0, "0 h 00"],
]);
check("percent", percent, [
  ["1.0000", "100.00 %"],
  ["0.9997", "99.97 %"],
  ["0.99999", "99.99 %"],
  ["0", "0.00 %"],
]);
check("money", money, [
  ["128592", "JPY", "¥128,592"],
  ["119.03", "USD", "$119.03"],
  ["9007199254740993.25", "USD", "$9,007,199,254,740,993.25"],
]);
check("shiftPeriod", shiftPeriod, [
  ["2026-11", 1, "2026-12"],
  ["2026-12", 1, "2027-01"],
  ["2026-01", -1, "2025-12"],
]);
check("periodOf", (at: string, timezone: string) => periodOf(new Date(at), timezone), [
  ["2026-10-31T14:59:59Z", "Asia/Tokyo", "2026-10"],
  ["2026-10-31T15:00:00Z", "Asia/Tokyo", "2026-11"],
]);
check("dateTime", dateTime, [["2026-10-31T15:00:00Z", "Asia/Tokyo", "1 Nov 2026, 00:00"]]);
check("clockOrDate", clockOrDate, [
  ["2026-11-20T15:05:00Z", "2026-11-21T01:00:00Z", "Asia/Tokyo", "00:05"],
  ["2026-11-20T14:55:00Z", "2026-11-21T01:00:00Z", "Asia/Tokyo", "20 Nov"],
]);
check("chooseLanguage", (...tags: string[]) => chooseLanguage(tags), [
  ["ja-JP", "en", "ja"],
  ["de", "en-US", "ja", "en"],
  ["de", "en"],
]);
