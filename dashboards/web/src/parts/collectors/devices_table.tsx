// The devices: how reading each goes, the worst first; only the rows near the screen are drawn.

import { useRef } from "preact/hooks";
import type { Device, Snmp } from "../../api/devices";
import { found, mainFailure, worstFirst } from "../../pure/attention";
import { count } from "../../format";
import { loss, milliseconds } from "../../pure/round_trip";
import { COLLECTORS, replace, type CollectorsRoute } from "../../router";
import { t } from "../../words/collectors";
import { failureName } from "../../words/failures";
import { Ago, None } from "../figures";
import { Panel } from "../panel";
import { useRowWindow, within } from "../row_window";
import { DeviceLink } from "./attention";
import { RoundTripPicture } from "./round_trip";
import { DeviceBadge } from "./states";

const COLUMNS = [
  { name: "device", title: t.device },
  { name: "state", title: t.state },
  { name: "last", title: t.lastReading },
  { name: "ports", title: t.portsReadUsed, number: true },
  { name: "unmapped", title: t.unmappedPorts, number: true },
  { name: "pass", title: t.pass },
  { name: "passes", title: t.passes, number: true },
  { name: "failures", title: t.failures },
  { name: "loss", title: t.loss, number: true, hint: t.lossHint },
  { name: "trips", title: `${t.roundTrip} ${t.tripColumns}` },
];

interface Props {
  devices: Device[];
  route: CollectorsRoute;
  timezone: string;
}

export function DevicesTable({ devices, route, timezone }: Props) {
  const rows = worstFirst(found(devices, route.search));
  const body = useRef<HTMLTableSectionElement>(null);
  const window = useRowWindow(body, route.search);
  const { first, end } = within(window, rows.length);
  return (
    <Panel title={t.devices} aside={t.shownDevices(count(rows.length), count(devices.length))}>
      <input
        type="search"
        class="device-search"
        aria-label={t.search}
        placeholder={t.searchHint}
        value={route.search}
        onInput={(event) => replace({ ...COLLECTORS, period: route.period, search: event.currentTarget.value })}
      />
      {rows.length === 0 && <p class="muted">{t.noneFits}</p>}
      {rows.length > 0 && (
        <table class="devices" aria-rowcount={rows.length + 1}>
          <caption class="sr">{t.devices}</caption>
          <thead>
            <tr>
              {COLUMNS.map(({ name, title, number, hint }) => (
                <th key={name} scope="col" class={number ? `d-${name} number` : `d-${name}`} title={hint}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody ref={body}>
            <Spacer px={first * window.row_px} />
            {rows.slice(first, end).map((device, index) => (
              <Row key={device.name} device={device} index={first + index} timezone={timezone} />
            ))}
            <Spacer px={(rows.length - end) * window.row_px} />
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function Spacer({ px }: { px: number }) {
  return px > 0 ? <tr class="spacer" aria-hidden="true" style={{ height: `${px}px` }} /> : null;
}

function Row({ device, index, timezone }: { device: Device; index: number; timezone: string }) {
  const { name, region, state, last_reading, ports_read, ports_used, unmapped_with_traffic, snmp } = device;
  return (
    <tr data-row aria-rowindex={index + 2}>
      <th scope="row" class="d-device">
        <DeviceLink name={name} /> <span class="muted">{device.in_inventory ? region : t.notInInventory}</span>
      </th>
      <td class="d-state">
        <DeviceBadge state={state} />
      </td>
      <td class="d-last">
        <Ago at={last_reading} timezone={timezone} />
      </td>
      <td class="d-ports number">
        {count(ports_read)} / {count(ports_used)}
      </td>
      <td class={unmapped_with_traffic > 0 ? "d-unmapped number warn" : "d-unmapped number quiet"}>{count(unmapped_with_traffic)}</td>
      {snmp === null ? (
        <td class="d-not-polled muted" colSpan={5}>
          {t.notPolled}
        </td>
      ) : (
        <Polling snmp={snmp} />
      )}
    </tr>
  );
}

function Polling({ snmp }: { snmp: Snmp }) {
  const { outcome, passes, passes_skipped, failures, requests, timeouts, round_trip } = snmp;
  const main = mainFailure(failures);
  const all = Object.values(failures).reduce((sum, count) => sum + count, 0);
  return (
    <>
      <td class={outcome === "complete" || outcome === null ? "d-pass" : "d-pass warn"}>{outcome === null ? <None /> : t.outcome[outcome]}</td>
      <td class="d-passes number" title={passes_skipped > 0 ? t.skipped(count(passes_skipped)) : undefined}>
        {count(passes)}
      </td>
      <td class={all === 0 ? "d-failures quiet" : "d-failures"} title={main && failureName(main)}>
        {count(all)} {main && failureName(main)}
      </td>
      <td class={timeouts === 0 ? "d-loss number quiet" : "d-loss number"}>{loss(timeouts, requests) ?? <None />}</td>
      <td class="d-trips">
        {round_trip === null ? (
          <None />
        ) : (
          <span class="trips">
            <RoundTripPicture roundTrip={round_trip} />
            <span>
              {[round_trip.p50_us, round_trip.p95_us, round_trip.p99_us, round_trip.max_us].map(milliseconds).join(" / ")}
            </span>
          </span>
        )}
      </td>
    </>
  );
}
