import assert from "node:assert/strict";
import { test } from "node:test";
import { fromField, mbpsField, parseMbps, toField } from "../src/pure/zoned";

test("a time in a field is an instant in its time zone", () => {
  for (const [text, timezone, instant] of [
    ["2026-12-01T00:00", "Asia/Tokyo", "2026-11-30T15:00:00.000Z"],
    ["2026-07-01T12:30", "Europe/Berlin", "2026-07-01T10:30:00.000Z"],
    ["2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00:00.000Z"],
    ["2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00.000Z"],
    ["2026-01-01T00:00", "UTC", "2026-01-01T00:00:00.000Z"],
  ] as const) {
    const ms = fromField(text, timezone);
    assert.equal(ms === undefined ? undefined : new Date(ms).toISOString(), instant, `${text} ${timezone}`);
    assert.equal(toField(instant, timezone), text, `${instant} ${timezone}`);
  }
  // The clock goes from 02:00 to 03:00.
  assert.equal(fromField("2026-03-29T02:30", "Europe/Berlin"), undefined);
  for (const text of ["", "tomorrow", "2026-13-01T00:00"]) assert.equal(fromField(text, "UTC"), undefined, text);
});

test("a rate in a field is whole bit/s", () => {
  for (const [text, bps] of [
    ["1", 1_000_000],
    ["1.5", 1_500_000],
    ["0.000001", 1],
    ["1,000", 1_000_000_000],
    [" 44.159 ", 44_159_000],
  ] as const) {
    assert.equal(parseMbps(text), bps, text);
  }
  for (const text of ["", "0", "0.0", "-1", "1.0000001", "1e3", "ten", "1234567890"]) {
    assert.equal(parseMbps(text), undefined, text);
  }
  for (const [bps, text] of [
    [1_000_000, "1"],
    [44_159_000, "44.159"],
    [1, "0.000001"],
  ] as const) {
    assert.equal(mbpsField(bps), text);
  }
});
