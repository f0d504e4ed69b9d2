import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alert, AlertKind, Delivery } from "../src/api/alerts";
import type { Collector } from "../src/api/collectors";
import type { Device, DeviceDetail, DevicePort, Snmp } from "../src/api/devices";
import { concerns, found, inventoryLines, isGrave, mainFailure, openRates, portState, undelivered, uplinkLines, worstFirst } from "../src/pure/attention";

function device(name: string, more: Partial<Device> = {}): Device {
  return {
    name,
    region: "tokyo",
    state: "ok",
    in_inventory: true,
    last_reading: "2026-11-20T00:10:00Z",
    lag_ms: 1_000,
    ports_read: 2,
    ports_used: 2,
    unmapped_with_traffic: 0,
    snmp: null,
    ...more,
  };
}

function collector(name: string, state: Collector["health"]["state"], behind_ms: number | null): Collector {
  return { name, at: "2026-11-20T00:10:00Z", unsent: 1, oldest_unsent: null, stopped: false, health: { state, silent_ms: 1, behind_ms } };
}

function alert(kind: AlertKind, severity: Alert["severity"] = "warning"): Alert {
  return { key: kind, kind, severity, labels: {}, summary: kind, details: {}, raised_at: "2026-11-20T00:10:00Z" };
}

const partial = { outcome: "partial", failures: {} } as unknown as Snmp;

test("what somebody has to see to, the worst first", () => {
  const all = concerns(
    [collector("a", "silent", null), collector("b", "behind", 600_001), collector("c", "behind", 600_000), collector("d", "stopped", null)],
    [
      device("late", { state: "late" }),
      device("never", { state: "never" }),
      device("silent", { state: "silent" }),
      device("partial", { snmp: partial }),
      device("unmapped", { unmapped_with_traffic: 1 }),
    ],
    [alert("burst_used"), alert("device_silent", "critical"), alert("meters_disagree"), alert("store_behind", "critical")],
    [],
  );
  const names = all.map((concern) => {
    const items = concern.kind === "alerts" || concern.kind === "undelivered" ? [] : "devices" in concern ? concern.devices : concern.collectors;
    return `${concern.kind === "alerts" ? concern.of : concern.kind}${isGrave(concern) ? "!" : ""} ${items.map((item) => item.name).join(" ")}`.trim();
  });
  assert.deepEqual(names, [
    "collectors_silent! a",
    "devices_silent! silent",
    "devices_never! never",
    "store_behind!",
    "meters_disagree",
    "collectors_behind b",
    "devices_late late",
    "devices_partial partial",
    "unmapped unmapped",
  ]);
  assert.deepEqual(concerns([collector("a", "ok", null)], [device("sw")], [alert("case", "critical")], []), []);
});

test("a message counts as lost by its newest attempt", () => {
  const attempt = (event: string, destination: string, outcome: Delivery["outcome"]): Delivery => ({
    at: "",
    event,
    kind: "",
    destination,
    attempt: 1,
    outcome,
    answer: "",
    summary: "",
  });
  const lost = undelivered([
    attempt("1", "mail", "delivered"),
    attempt("1", "mail", "failed"),
    attempt("1", "hook", "refused"),
    attempt("2", "hook", "waiting"),
    attempt("2", "hook", "failed"),
    attempt("3", "hook", "given_up"),
  ]);
  assert.deepEqual(
    lost.map(({ event, destination }) => `${event} ${destination}`),
    ["1 hook", "3 hook"],
  );
});

test("the failure that counts most is not a port that moved", () => {
  assert.equal(mainFailure({ moved: 9, timeout: 2, denied: 3 }), "denied");
  assert.equal(mainFailure({ moved: 9, timeout: 0 }), undefined);
  assert.equal(mainFailure({}), undefined);
});

test("devices stand the worst first, and by the numbers in their names", () => {
  const all = [
    device("sw10"),
    device("sw2"),
    device("unmapped", { unmapped_with_traffic: 1 }),
    device("late", { state: "late" }),
    device("never", { state: "never" }),
    device("partial", { snmp: partial }),
    device("silent", { state: "silent" }),
  ];
  const names = worstFirst(all).map(({ name }) => name);
  assert.deepEqual(names, ["silent", "never", "late", "partial", "unmapped", "sw2", "sw10"]);
  assert.deepEqual(
    found(all, " TOKYO sw ").map(({ name }) => name),
    ["sw10", "sw2"],
  );
  assert.equal(found(all, "osaka").length, 0);
});

test("how a port does beside its device", () => {
  const of = { server: "web01", uplink: null, kind: "switch" as const, check_only: false };
  const detail: DeviceDetail = { ...device("sw"), ports: [] };
  const port = (more: Partial<DevicePort>): DevicePort => ({
    interface: "ge-0/0/1",
    last_reading: "2026-11-20T00:10:00Z",
    speed_bps: null,
    open_slot: null,
    of,
    disagreement: null,
    ...more,
  });
  const slot = (rx_octets: number, tx_octets: number) => ({ slot: "", rx_octets, tx_octets, covered_ms: 1 });
  for (const [more, state] of [
    [{}, "ok"],
    [{ last_reading: "2026-11-20T00:07:00Z" }, "ok"],
    [{ last_reading: "2026-11-20T00:06:59Z" }, "silent"],
    [{ last_reading: null }, "never"],
    [{ of: null }, "unused"],
    [{ of: null, open_slot: slot(0, 0) }, "unused"],
    [{ of: null, open_slot: slot(0, 1) }, "unmapped"],
  ] as const) {
    assert.equal(portState(port(more), detail), state, JSON.stringify(more));
  }
});

test("lines for an inventory", () => {
  assert.equal(
    inventoryLines("sw1", ["xe-0/1/1", 'a "b"']),
    '[[servers]]\nid = "sw1-xe-0-1-1"\nports = [{ device = "sw1", interface = "xe-0/1/1" }]\n' +
      '\n[[servers]]\nid = "sw1-a-\\"b\\""\nports = [{ device = "sw1", interface = "a \\"b\\"" }]\n',
  );
});

test("the same ports are written as uplinks, with what is known of them", () => {
  assert.equal(
    uplinkLines(device("sw1"), [
      { interface: "xe-0/1/1", speed_bps: 10_000_000_000 },
      { interface: "ae0", speed_bps: null },
    ]),
    '[[uplinks]]\nid = "sw1-xe-0-1-1"\nregion = "tokyo"\ndevices = ["sw1"]\ndevice = "sw1"\ninterface = "xe-0/1/1"\nspeed_bps = 10000000000\n' +
      '\n[[uplinks]]\nid = "sw1-ae0"\nregion = "tokyo"\ndevices = ["sw1"]\ndevice = "sw1"\ninterface = "ae0"\n',
  );
  assert.ok(!uplinkLines(device("sw1", { region: null }), [{ interface: "ae0", speed_bps: null }]).includes("region"));
});

test("a port's rate so far is of the time that is covered", () => {
  const open_slot = { slot: "2026-11-20T00:10:00Z", rx_octets: 1_500_000, tx_octets: 750_001, covered_ms: 60_000 };
  assert.deepEqual(openRates({ open_slot }), { rx_bps: 200_000, tx_bps: 100_000 });
  assert.equal(openRates({ open_slot: null }), undefined);
  assert.equal(openRates({ open_slot: { ...open_slot, covered_ms: 0 } }), undefined);
});
