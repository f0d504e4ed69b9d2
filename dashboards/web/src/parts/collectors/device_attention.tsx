// What is the matter with one device and its ports, and what to do about it.

import type { ComponentChildren } from "preact";
import type { DeviceDetail, DevicePort } from "../../api/devices";
import { inventoryLines, mainFailure, openRates, portState, uplinkLines, type PortState } from "../../pure/attention";
import { count, mbps } from "../../format";
import { language } from "../../language";
import { routeHash } from "../../router";
import { t } from "../../words/collectors";
import { failureName } from "../../words/failures";
import { Copy } from "../copy";
import { Panel } from "../panel";

/** Of a kind, how many ports are named. */
const NAMED = 24;

export function DeviceAttention({ device }: { device: DeviceDetail }) {
  const inState = (state: PortState) => device.ports.filter((port) => portState(port, device) === state);
  const [unmapped, never, silent] = [inState("unmapped"), inState("never"), inState("silent")];
  const apart = device.ports.filter((port) => port.disagreement !== null);
  const unread = device.state !== "ok";
  const partial = device.state === "ok" && device.snmp?.outcome === "partial";
  const failure = device.snmp && mainFailure(device.snmp.failures);
  const well = !unread && !partial && [unmapped, never, silent, apart].every((ports) => ports.length === 0);
  return (
    <Panel title={t.attention} class="attention">
      {well && (
        <p class="all-well">
          <b class="ok">{t.allWell}</b> {t.deviceWell}
        </p>
      )}
      <ul class="concerns">
        {(unread || partial) && (
          <li class={device.state === "silent" || device.state === "never" ? "grave" : undefined}>
            <h3>{unread ? t.deviceState[device.state] : t.outcome.partial}</h3>
            <p>
              {stateDo(device)} {failure && t.whyFailed(failureName(failure))}
            </p>
          </li>
        )}
        <OfPorts ports={device.state === "never" ? [] : never} title={t.neverTitle} help={t.neverHelp} grave />
        <OfPorts ports={silent} title={t.silentTitle} help={t.silentHelp} grave />
        <OfPorts ports={apart} title={t.apartTitle} help={t.disagreeDo}>
          {(port) => (
            <>
              {" "}
              <a href={routeHash({ view: "server", server: port.of?.server ?? "", period: undefined })}>{port.of?.server}</a>{" "}
              {language === "en" && port.disagreement?.summary}
            </>
          )}
        </OfPorts>
        <OfPorts ports={unmapped} title={t.unmappedTitle} help={t.unmappedHelp}>
          {(port) => {
            const rates = openRates(port);
            return rates && ` rx ${mbps(rates.rx_bps)}, tx ${mbps(rates.tx_bps)} ${t.mbps}`;
          }}
        </OfPorts>
      </ul>
      {unmapped.length > 0 && (
        <>
          <Lines
            label={t.asServers}
            text={inventoryLines(
              device.name,
              unmapped.map((port) => port.interface),
            )}
          />
          <Lines label={t.asUplinks} text={uplinkLines(device, unmapped)} />
        </>
      )}
    </Panel>
  );
}

/** Lines to take elsewhere. */
function Lines({ text, label }: { text: string; label: string }) {
  return (
    <div class="lines">
      <p>{label}</p>
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <Copy text={text} />
    </div>
  );
}

function stateDo({ state }: DeviceDetail): string {
  switch (state) {
    case "silent":
      return t.devicesSilentDo;
    case "never":
      return t.devicesNeverDo;
    case "late":
      return t.devicesLateDo;
    case "ok":
      return t.devicesPartialDo;
  }
}

interface OfPortsProps {
  ports: DevicePort[];
  title: (n: string) => string;
  help: string;
  grave?: boolean;
  /** What stands beside a port's name. */
  children?: (port: DevicePort) => ComponentChildren;
}

function OfPorts({ ports, title, help, grave, children }: OfPortsProps) {
  if (ports.length === 0) return null;
  return (
    <li class={grave ? "grave" : undefined}>
      <h3>{title(count(ports.length))}</h3>
      <p>{help}</p>
      <ul>
        {ports.slice(0, NAMED).map((port) => (
          <li key={port.interface}>
            <b>{port.interface}</b>
            {children?.(port)}
          </li>
        ))}
        {ports.length > NAMED && <li class="muted">{t.andMore(count(ports.length - NAMED))}</li>}
      </ul>
    </li>
  );
}
