// Whether metering itself is well: what is read, by whom, what is the matter, and what nobody is billed for.

import type { ComponentChildren } from "preact";
import { alerts } from "../../api/alerts";
import { collectors, type CollectorState } from "../../api/collectors";
import { devices, type Device, type DeviceState } from "../../api/devices";
import { usage } from "../../api/usage";
import { count, percent } from "../../format";
import { bySeverity, deviceStates } from "../../pure/fleet";
import { usePolled } from "../../polled";
import { COLLECTORS, routeHash, SERVERS, type Route } from "../../router";
import { t } from "../../words/fleet";
import { Badge, type Tone } from "../figures";
import { Panel } from "../panel";
import { Part } from "../part";

/** Devices that are named; the others are counted. */
const NAMED = 3;
const MIN_COVERAGE = 0.95;
const ALERTS: Route = { ...COLLECTORS, alerts: true };

export function FleetHealth() {
  const read = usePolled("fleet devices", ["devices"], devices);
  const ship = usePolled("fleet collectors", ["collectors"], collectors);
  const raised = usePolled("fleet alerts", ["alerts"], async (signal) => bySeverity(await alerts(signal)));
  const coverage = usePolled("fleet coverage", ["usage"], async (signal) => {
    return (await usage({ sort: "coverage", order: "asc", limit: 1 }, signal)).servers[0] ?? null;
  });
  const well =
    read.answer?.every(({ state, unmapped_with_traffic }) => state === "ok" && unmapped_with_traffic === 0) &&
    ship.answer?.every(({ health }) => health.state === "ok" || health.state === "stopped") &&
    raised.answer?.critical === 0;
  return (
    <Panel title={t.health} class="fleet-part health" aside={<a href={routeHash(COLLECTORS)}>{t.collectors}</a>}>
      {well && (
        <p class="all-well">
          <Badge tone="ok">{t.allWell}</Badge> {t.allWellSays}
        </p>
      )}
      <dl>
        <Line name={t.devices}>
          <Part polled={read}>{(answer) => <DeviceStates devices={answer} />}</Part>
        </Line>
        <Line name={t.collectors}>
          <Part polled={ship}>
            {(answer) =>
              answer.length === 0 ? (
                <span class="quiet">{t.noCollectors}</span>
              ) : (
                COLLECTOR_STATES.map(([state, tone]) => (
                  <Some key={state} tone={tone} of={answer.filter(({ health }) => health.state === state).length} name={t.collectorState[state]} />
                ))
              )
            }
          </Part>
        </Line>
        <Line name={t.alerts}>
          <Part polled={raised}>
            {({ critical, warning, info }) =>
              critical + warning + info === 0 ? (
                <span class="quiet">{t.noAlerts}</span>
              ) : (
                <>
                  <Some tone="over" of={critical} name={t.severity.critical} to={ALERTS} />
                  <Some tone="warn" of={warning} name={t.severity.warning} to={ALERTS} />
                  <Some tone="plain" of={info} name={t.severity.info} to={ALERTS} />
                </>
              )
            }
          </Part>
        </Line>
        <Line name={t.unmapped} hint={t.unmappedHint}>
          <Part polled={read}>{(answer) => <Unmapped devices={answer} />}</Part>
        </Line>
        <Line name={t.lowestCoverage} hint={t.hint.coverage}>
          <Part polled={coverage}>
            {(line) =>
              line === null || line.coverage === null ? (
                <span class="quiet">–</span>
              ) : (
                <>
                  <a class={Number(line.coverage) < MIN_COVERAGE ? "low" : ""} href={routeHash({ ...SERVERS, sort: "coverage", descending: false })}>
                    {percent(line.coverage)}
                  </a>{" "}
                  <a href={routeHash({ view: "server", server: line.server, period: undefined })}>{line.server}</a>
                </>
              )
            }
          </Part>
        </Line>
      </dl>
    </Panel>
  );
}

function Line({ name, hint, children }: { name: string; hint?: string; children: ComponentChildren }) {
  return (
    <div>
      <dt title={hint}>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** So many of a state; nothing where there are none. */
function Some({ tone, of, name, to = COLLECTORS }: { tone: Tone; of: number; name: string; to?: Route }) {
  if (of === 0) return null;
  return (
    <a class="some" href={routeHash(to)}>
      <Badge tone={tone}>
        {count(of)} {name}
      </Badge>
    </a>
  );
}

const DEVICE_STATES: readonly (readonly [DeviceState, Tone])[] = [
  ["silent", "over"],
  ["never", "over"],
  ["late", "warn"],
  ["ok", "ok"],
];
const COLLECTOR_STATES: readonly (readonly [CollectorState, Tone])[] = [
  ["silent", "over"],
  ["behind", "warn"],
  ["stopped", "plain"],
  ["ok", "ok"],
];

function DeviceStates({ devices }: { devices: readonly Device[] }) {
  if (devices.length === 0) return <span class="warn">{t.noDevices}</span>;
  const { counts, ill } = deviceStates(devices);
  return (
    <>
      {DEVICE_STATES.map(([state, tone]) => (
        <Some key={state} tone={tone} of={counts[state]} name={t.deviceState[state]} />
      ))}
      <Names devices={ill} />
    </>
  );
}

function Unmapped({ devices }: { devices: readonly Device[] }) {
  const of = devices.filter((device) => device.unmapped_with_traffic > 0);
  if (of.length === 0) return <span class="quiet">{t.noUnmapped}</span>;
  const ports = of.reduce((sum, device) => sum + device.unmapped_with_traffic, 0);
  return (
    <>
      <Badge tone="warn">{t.unmappedOn(count(ports), count(of.length))}</Badge>
      <Names devices={of.toSorted((a, b) => b.unmapped_with_traffic - a.unmapped_with_traffic)} />
    </>
  );
}

function Names({ devices }: { devices: readonly Device[] }) {
  if (devices.length === 0) return null;
  return (
    <span class="names">
      {devices.slice(0, NAMED).map(({ name }) => (
        <a key={name} href={routeHash({ view: "device", device: name, period: undefined })}>
          {name}
        </a>
      ))}
      {devices.length > NAMED && <a href={routeHash(COLLECTORS)}>{t.andMore(count(devices.length - NAMED))}</a>}
    </span>
  );
}
