// What of collectors and devices somebody has to see to, the worst first. Pure: the words stand in `words/collectors.ts`.

import type { Alert, AlertKind, Delivery } from "../api/alerts";
import type { Collector } from "../api/collectors";
import type { Device, DeviceDetail, DevicePort } from "../api/devices";

export type Concern =
  | { kind: "collectors_silent" | "collectors_behind"; collectors: Collector[] }
  | { kind: "devices_silent" | "devices_never" | "devices_late" | "devices_partial" | "unmapped"; devices: Device[] }
  | { kind: "alerts"; of: AlertKind; alerts: Alert[] }
  | { kind: "undelivered"; deliveries: Delivery[] };

/** How long a collector may hold a reading: after that, slots have closed without it. */
const BEHIND_MS = 600_000;
/** How long after its device a port may have been read: three passes. */
const PORT_LATE_MS = 180_000;

/** Alerts about metering itself that no device's or collector's own state tells already, the worst first. */
const OF_METERING: AlertKind[] = [
  "store_behind",
  "ports_unsampled",
  "port_silent",
  "meters_disagree",
  "readings_refused",
  "clock_skew",
];

export function concerns(
  collectors: readonly Collector[],
  devices: readonly Device[],
  alerts: readonly Alert[],
  deliveries: readonly Delivery[],
): Concern[] {
  const inState = (state: Device["state"]) => devices.filter((device) => device.state === state);
  const all: Concern[] = [
    { kind: "collectors_silent", collectors: collectors.filter((one) => one.health.state === "silent") },
    { kind: "devices_silent", devices: inState("silent") },
    { kind: "devices_never", devices: inState("never") },
    ...OF_METERING.map((of): Concern => ({ kind: "alerts", of, alerts: alerts.filter((alert) => alert.kind === of) })),
    { kind: "collectors_behind", collectors: collectors.filter(isFarBehind) },
    { kind: "devices_late", devices: inState("late") },
    {
      kind: "devices_partial",
      devices: devices.filter((device) => device.state === "ok" && device.snmp?.outcome === "partial"),
    },
    { kind: "unmapped", devices: devices.filter((device) => device.unmapped_with_traffic > 0) },
    { kind: "undelivered", deliveries: undelivered(deliveries) },
  ];
  return all.filter((concern) => size(concern) > 0);
}

/** Of how many things a concern is. */
export function size(concern: Concern): number {
  switch (concern.kind) {
    case "collectors_silent":
    case "collectors_behind":
      return concern.collectors.length;
    case "alerts":
      return concern.alerts.length;
    case "undelivered":
      return concern.deliveries.length;
    default:
      return concern.devices.length;
  }
}

/** Whether figures are missing, or will be: the others can wait until tomorrow. */
export function isGrave(concern: Concern): boolean {
  if (concern.kind === "alerts") return concern.alerts.some((alert) => alert.severity === "critical");
  return ["collectors_silent", "devices_silent", "devices_never"].includes(concern.kind);
}

function isFarBehind({ health }: Collector): boolean {
  return health.state === "behind" && (health.behind_ms ?? 0) > BEHIND_MS;
}

/** Of each event and destination the newest attempt, where that went wrong. `deliveries` has the newest first. */
export function undelivered(deliveries: readonly Delivery[]): Delivery[] {
  const seen = new Set<string>();
  return deliveries.filter(({ event, destination, outcome }) => {
    const key = JSON.stringify([event, destination]);
    if (seen.has(key)) return false;
    seen.add(key);
    return outcome === "failed" || outcome === "refused" || outcome === "given_up";
  });
}

/** What most often went wrong of what keeps a port from being read; a port that moved was read all the same. */
export function mainFailure(failures: Record<string, number>): string | undefined {
  const all = Object.entries(failures).filter(([failure, count]) => failure !== "moved" && count > 0);
  return all.sort(([, a], [, b]) => b - a)[0]?.[0];
}

const BADNESS: Record<Device["state"], number> = { silent: 0, never: 1, late: 2, ok: 3 };

/** Devices with those first that somebody has to see to; names in the order of their numbers. */
export function worstFirst(devices: readonly Device[]): Device[] {
  const order = new Intl.Collator("en", { numeric: true });
  const rank = (device: Device) =>
    device.state !== "ok" ? BADNESS[device.state] : device.snmp?.outcome === "partial" ? 3 : device.unmapped_with_traffic > 0 ? 4 : 5;
  return [...devices].sort((a, b) => rank(a) - rank(b) || order.compare(a.name, b.name));
}

/** The devices whose name or region has all words that were searched for. */
export function found(devices: readonly Device[], search: string): Device[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return devices.filter(({ name, region }) => {
    const text = `${name} ${region ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** How a port does. */
export type PortState = "ok" | "silent" | "never" | "unmapped" | "unused";

/** How a port does beside its device. */
export function portState(port: DevicePort, device: DeviceDetail): PortState {
  if (port.of === null) {
    const { rx_octets = 0, tx_octets = 0 } = port.open_slot ?? {};
    return rx_octets > 0 || tx_octets > 0 ? "unmapped" : "unused";
  }
  if (port.last_reading === null) return "never";
  const behind_ms = Date.parse(device.last_reading ?? port.last_reading) - Date.parse(port.last_reading);
  return behind_ms > PORT_LATE_MS ? "silent" : "ok";
}

/** The mean rates so far of the slot that is filling, as the interface itself counts: to see whether something flows, and never billed. */
export function openRates({ open_slot }: Pick<DevicePort, "open_slot">): { rx_bps: number; tx_bps: number } | undefined {
  if (open_slot === null || open_slot.covered_ms <= 0) return undefined;
  const bps = (octets: number) => Math.floor((octets * 8_000) / open_slot.covered_ms);
  return { rx_bps: bps(open_slot.rx_octets), tx_bps: bps(open_slot.tx_octets) };
}

/** The lines of an inventory for ports to which nothing maps yet, as `meter95 discover` writes them. */
export function inventoryLines(device: string, interfaces: readonly string[]): string {
  return interfaces
    .map((name) => {
      return `[[servers]]\nid = ${quoted(idOf(device, name))}\nports = [{ device = ${quoted(device)}, interface = ${quoted(name)} }]\n`;
    })
    .join("\n");
}

/** The same for ports that are uplinks of what is behind the device. */
export function uplinkLines({ name: device, region }: Pick<Device, "name" | "region">, ports: readonly Pick<DevicePort, "interface" | "speed_bps">[]): string {
  return ports
    .map((port) =>
      [
        "[[uplinks]]",
        `id = ${quoted(idOf(device, port.interface))}`,
        ...(region === null ? [] : [`region = ${quoted(region)}`]),
        `devices = [${quoted(device)}]`,
        `device = ${quoted(device)}`,
        `interface = ${quoted(port.interface)}`,
        ...(port.speed_bps === null ? [] : [`speed_bps = ${port.speed_bps}`]),
        "",
      ].join("\n"),
    )
    .join("\n");
}

function idOf(device: string, interface_: string): string {
  return `${device}-${interface_.replaceAll(/[/ :]/g, "-")}`;
}

function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
