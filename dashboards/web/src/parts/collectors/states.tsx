// How collectors, devices and ports do, as a word with its colour.

import type { CollectorState } from "../../api/collectors";
import type { DeviceState } from "../../api/devices";
import type { PortState } from "../../pure/attention";
import { t } from "../../words/collectors";
import { Badge, type Tone } from "../figures";

const OF_COLLECTOR: Record<CollectorState, Tone> = { ok: "ok", behind: "warn", silent: "over", stopped: "plain" };
const OF_DEVICE: Record<DeviceState, Tone> = { ok: "ok", late: "warn", silent: "over", never: "over" };
const OF_PORT: Record<PortState, Tone> = { ok: "ok", silent: "over", never: "over", unmapped: "warn", unused: "plain" };

export function CollectorBadge({ state }: { state: CollectorState }) {
  return <Badge tone={OF_COLLECTOR[state]}>{t.collectorState[state]}</Badge>;
}

export function DeviceBadge({ state }: { state: DeviceState }) {
  return <Badge tone={OF_DEVICE[state]}>{t.deviceState[state]}</Badge>;
}

export function PortBadge({ state }: { state: PortState }) {
  return <Badge tone={OF_PORT[state]}>{t.portState[state]}</Badge>;
}
