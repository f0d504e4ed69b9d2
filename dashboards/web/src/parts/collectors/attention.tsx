// What somebody has to see to, in words and with what to do; or that there is nothing.

import type { ComponentChildren } from "preact";
import type { Alert, AlertKind } from "../../api/alerts";
import { device as askDevice, type Device } from "../../api/devices";
import { isGrave, mainFailure, openRates, portState, size, type Concern } from "../../pure/attention";
import { ago, count, mbps } from "../../format";
import { usePolled } from "../../polled";
import { FLEET, routeHash } from "../../router";
import { alertSentence, kindName } from "../../words/alerts";
import { t } from "../../words/collectors";
import { failureName } from "../../words/failures";
import { Panel } from "../panel";

/** Of a kind, how many are named: the table below has them all, the worst first. */
const NAMED = 6;

interface Props {
  concerns: Concern[];
  /** What there is where there is no concern. */
  well: ComponentChildren;
}

export function Attention({ concerns, well }: Props) {
  return (
    <Panel title={t.attention} class="attention">
      {concerns.length === 0 && <p class="all-well">{well}</p>}
      <ul class="concerns">
        {concerns.map((concern) => (
          <li key={concern.kind === "alerts" ? concern.of : concern.kind} class={isGrave(concern) ? "grave" : undefined}>
            <h3>{heading(concern)}</h3>
            <p>{whatToDo(concern)}</p>
            <ul>
              {named(concern)
                .slice(0, NAMED)
                .map((item, index) => (
                  <li key={index}>{item}</li>
                ))}
              {size(concern) > NAMED && <li class="muted">{t.andMore(count(size(concern) - NAMED))}</li>}
            </ul>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function DeviceLink({ name }: { name: string }) {
  return <a href={routeHash({ view: "device", device: name, period: undefined })}>{name}</a>;
}

function heading(concern: Concern): string {
  const n = count(size(concern));
  switch (concern.kind) {
    case "collectors_silent":
      return t.collectorsSilent(n);
    case "collectors_behind":
      return t.collectorsBehind(n);
    case "devices_silent":
      return t.devicesSilent(n);
    case "devices_never":
      return t.devicesNever(n);
    case "devices_late":
      return t.devicesLate(n);
    case "devices_partial":
      return t.devicesPartial(n);
    case "unmapped":
      return t.unmapped(n);
    case "undelivered":
      return t.undelivered(n);
    case "alerts":
      return `${kindName(concern.of)}: ${n}`;
  }
}

const ALERTS_DO: Partial<Record<AlertKind, string>> = {
  port_silent: t.portSilentDo,
  meters_disagree: t.disagreeDo,
  ports_unsampled: t.unsampledDo,
  clock_skew: t.skewDo,
  readings_refused: t.refusedDo,
  store_behind: t.storeDo,
};

function whatToDo(concern: Concern): string | undefined {
  switch (concern.kind) {
    case "collectors_silent":
      return t.collectorsSilentDo;
    case "collectors_behind":
      return t.collectorsBehindDo;
    case "devices_silent":
      return t.devicesSilentDo;
    case "devices_never":
      return t.devicesNeverDo;
    case "devices_late":
      return t.devicesLateDo;
    case "devices_partial":
      return t.devicesPartialDo;
    case "unmapped":
      return t.unmappedDo;
    case "undelivered":
      return t.undeliveredDo;
    case "alerts":
      return ALERTS_DO[concern.of];
  }
}

function named(concern: Concern): ComponentChildren[] {
  switch (concern.kind) {
    case "collectors_silent":
    case "collectors_behind":
      return concern.collectors.map(({ name, at, unsent }) => (
        <>
          <b>{name}</b> <Beside>{[t.lastHeard(ago(at, Date.now())), t.unsentReadings(count(unsent))]}</Beside>
        </>
      ));
    case "undelivered":
      return concern.deliveries.map(({ destination, summary, outcome, attempt, answer }) => (
        <>
          <b>{destination}</b>{" "}
          <Beside>{[outcome in t.deliveryFailed ? t.deliveryFailed[outcome as "failed"] : outcome, t.attempt(count(attempt))]}</Beside>{" "}
          <span lang="en">
            {summary}
            {answer !== "" && ` (${answer})`}
          </span>
        </>
      ));
    case "alerts":
      return concern.alerts.map((alert) => <AlertLine alert={alert} />);
    case "unmapped":
      return concern.devices.map((device) => (
        <>
          <DeviceLink name={device.name} /> <UnmappedPorts device={device} />
        </>
      ));
    default:
      return concern.devices.map((device) => (
        <>
          <DeviceLink name={device.name} /> <Beside>{[...lastRead(device), ...whyNot(device)]}</Beside>
        </>
      ));
  }
}

/** Of a device, how many unmapped ports are named. */
const NAMED_PORTS = 4;

/** Which ports have no owner, and what flows through them: a trunk shows by its rate. */
function UnmappedPorts({ device: { name, unmapped_with_traffic } }: { device: Device }) {
  const { answer } = usePolled(`unmapped ports of ${name}`, ["devices", "inventory"], async (signal) => {
    const detail = await askDevice(name, signal);
    return detail.ports.filter((port) => portState(port, detail) === "unmapped");
  });
  if (!answer) return <Beside>{[t.ports(count(unmapped_with_traffic))]}</Beside>;
  const named = answer.slice(0, NAMED_PORTS).map((port) => {
    const rates = openRates(port);
    return rates ? t.openRates(port.interface, mbps(rates.rx_bps), mbps(rates.tx_bps)) : port.interface;
  });
  return <Beside>{answer.length > NAMED_PORTS ? [...named, t.andMore(count(answer.length - NAMED_PORTS))] : named}</Beside>;
}

function lastRead({ last_reading }: Device): string[] {
  return last_reading === null ? [] : [t.lastRead(ago(last_reading, Date.now()))];
}

function whyNot({ snmp }: Device): string[] {
  const failure = snmp && mainFailure(snmp.failures);
  return failure ? [failureName(failure)] : [];
}

function Beside({ children }: { children: string[] }) {
  return <span class="muted">{children.join(" · ")}</span>;
}

/** An alert's sentence, with links to what it is about. */
export function AlertLine({ alert }: { alert: Alert }) {
  const { server, device, uplink, period } = alert.labels;
  const number = alert.labels["case"];
  return (
    <>
      {alertSentence(alert)}
      {server !== undefined && (
        <>
          {" "}
          <a href={routeHash({ view: "server", server, period })}>{server}</a>
        </>
      )}
      {device !== undefined && (
        <>
          {" "}
          <DeviceLink name={device} />
        </>
      )}
      {uplink !== undefined && device === undefined && (
        <>
          {" "}
          <a href={routeHash(FLEET)}>{t.fleet}</a>
        </>
      )}
      {number !== undefined && (
        <>
          {" "}
          <a href={routeHash({ view: "case", id: Number(number), period: undefined })}>{t.caseOf(number)}</a>
        </>
      )}
    </>
  );
}
