// A device's ports: whose each is, when it was last read, and what goes through it.

import type { DeviceDetail, DevicePort } from "../../api/devices";
import { openRates, portState } from "../../pure/attention";
import { bitPerSecond, count, mbps, speed } from "../../format";
import { routeHash } from "../../router";
import { t } from "../../words/collectors";
import { Ago, None } from "../figures";
import { Panel } from "../panel";
import { PortBadge } from "./states";

const order = new Intl.Collator("en", { numeric: true });

export function PortsTable({ device, timezone }: { device: DeviceDetail; timezone: string }) {
  // A server that is read itself has NICs: its ports are not turned about.
  const turned = device.ports.some((port) => port.of?.kind === "nic") ? "nic" : "switch";
  const ports = [...device.ports].sort((a, b) => order.compare(a.interface, b.interface));
  return (
    <Panel title={t.ofPorts(count(ports.length))}>
      {turned === "switch" && <p class="muted">{t.turnedHelp}</p>}
      <div class="scroll" tabIndex={0} role="group" aria-label={t.ofPorts(count(ports.length))}>
        <table class="plain wide device-ports">
          <thead>
            <tr>
              <th scope="col">{t.port}</th>
              <th scope="col">{t.state}</th>
              <th scope="col">{t.whose}</th>
              <th scope="col">{t.kind}</th>
              <th scope="col" class="number">
                {t.speed}
              </th>
              <th scope="col">{t.lastReading}</th>
              <th scope="col" class="number" title={t.openSlotHint}>
                {t.rxOf[turned]}
              </th>
              <th scope="col" class="number" title={t.openSlotHint}>
                {t.txOf[turned]}
              </th>
            </tr>
          </thead>
          <tbody>
            {ports.map((port) => (
              <tr key={port.interface}>
                <th scope="row">{port.interface}</th>
                <td>
                  <PortBadge state={portState(port, device)} />
                </td>
                <td>
                  <Whose port={port} />
                </td>
                <td>{port.of?.kind ? t.kinds[port.of.kind] : port.of ? t.uplink : <None />}</td>
                <td class="number">{port.speed_bps === null ? <None /> : speed(port.speed_bps)}</td>
                <td>{port.last_reading === null ? <span class="none">{t.noReading}</span> : <Ago at={port.last_reading} timezone={timezone} />}</td>
                <Carried port={port} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function Whose({ port: { of } }: { port: DevicePort }) {
  if (of === null) return <None />;
  if (of.server === null) return <>{of.uplink}</>;
  return (
    <>
      <a href={routeHash({ view: "server", server: of.server, period: undefined })}>{of.server}</a>
      {of.check_only && <span class="muted"> {t.checkOnly}</span>}
    </>
  );
}

/** What flows now. */
function Carried({ port }: { port: DevicePort }) {
  const rates = openRates(port);
  return (
    <>
      {[rates?.rx_bps, rates?.tx_bps].map((bps, index) => (
        <td key={index} class="number" title={bps === undefined ? undefined : bitPerSecond(bps)}>
          {bps === undefined ? <None /> : <span class={bps === 0 ? "quiet" : undefined}>{mbps(bps)}</span>}
        </td>
      ))}
    </>
  );
}
