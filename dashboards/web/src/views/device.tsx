// One device: what is the matter with it, how polling it goes, and its ports.

import { useLayoutEffect } from "preact/hooks";
import { device, type DeviceDetail } from "../api/devices";
import { usage } from "../api/usage";
import { Answered } from "../parts/answered";
import { DeviceAttention } from "../parts/collectors/device_attention";
import { Polling } from "../parts/collectors/polling";
import { PortsTable } from "../parts/collectors/ports_table";
import { SiteOnly } from "../parts/collectors/site_only";
import { DeviceBadge } from "../parts/collectors/states";
import { Ago } from "../parts/figures";
import { useTitle } from "../parts/shell";
import { usePolled } from "../polled";
import { COLLECTORS, routeHash, type DeviceRoute } from "../router";
import { may } from "../session";
import { t } from "../words/collectors";

interface Answer {
  device: DeviceDetail;
  timezone: string;
}

export function DeviceView({ route }: { route: DeviceRoute }) {
  useTitle(route.device);
  useLayoutEffect(() => scrollTo(0, 0), []);
  if (!may("site")) return <SiteOnly />;
  return (
    <>
      <p class="back">
        <a href={routeHash({ ...COLLECTORS, period: route.period })}>← {t.back}</a>
      </p>
      <OfSite name={route.device} />
    </>
  );
}

function OfSite({ name }: { name: string }) {
  const polled = usePolled<Answer>(`device ${name}`, ["devices", "alerts", "inventory"], async (signal) => {
    const [answer, head] = await Promise.all([device(name, signal), usage({ limit: 1 }, signal)]);
    return { device: answer, timezone: head.timezone };
  });
  return (
    <Answered polled={polled} what={`${t.device} ${name}`}>
      {({ device, timezone }) => (
        <div class="stack">
          <div class="title">
            <h1>{device.name}</h1>
            <p>
              <DeviceBadge state={device.state} /> {device.in_inventory ? device.region : t.notInInventory} · {t.lastReading}{" "}
              <Ago at={device.last_reading} timezone={timezone} />
            </p>
          </div>
          <DeviceAttention device={device} />
          {device.snmp && <Polling snmp={device.snmp} timezone={timezone} />}
          <PortsTable device={device} timezone={timezone} />
        </div>
      )}
    </Answered>
  );
}
