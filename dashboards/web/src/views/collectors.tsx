// Who reads what: collectors and devices, what is the matter with them first, and the alerts that are open.

import { alerts, deliveries, type Alert, type Delivery } from "../api/alerts";
import { collectors, type Collector } from "../api/collectors";
import { devices, type Device } from "../api/devices";
import { usage } from "../api/usage";
import { concerns } from "../pure/attention";
import { count } from "../format";
import { Answered } from "../parts/answered";
import { Alerts } from "../parts/collectors/alerts";
import { Attention } from "../parts/collectors/attention";
import { CollectorsTable } from "../parts/collectors/collectors_table";
import { DevicesTable } from "../parts/collectors/devices_table";
import { SiteOnly } from "../parts/collectors/site_only";
import { useTitle } from "../parts/shell";
import { usePolled } from "../polled";
import type { CollectorsRoute } from "../router";
import { may } from "../session";
import { t } from "../words/collectors";

interface Answer {
  collectors: Collector[];
  devices: Device[];
  alerts: Alert[];
  deliveries: Delivery[];
  timezone: string;
}

export function Collectors({ route }: { route: CollectorsRoute }) {
  useTitle(t.collectors);
  return may("site") ? <OfSite route={route} /> : <SiteOnly />;
}

function OfSite({ route }: { route: CollectorsRoute }) {
  const polled = usePolled<Answer>("collectors", ["collectors", "devices", "alerts", "inventory"], ask);
  return (
    <Answered polled={polled}>
      {({ collectors, devices, alerts, deliveries, timezone }) => (
        <div class="stack">
          <h1>{t.back}</h1>
          <Attention
            concerns={concerns(collectors, devices, alerts, deliveries)}
            well={<Well collectors={collectors.length} devices={devices.length} />}
          />
          <CollectorsTable collectors={collectors} timezone={timezone} />
          <DevicesTable devices={devices} route={route} timezone={timezone} />
          <Alerts alerts={alerts} timezone={timezone} wanted={route.alerts === true} />
        </div>
      )}
    </Answered>
  );
}

function Well({ collectors, devices }: { collectors: number; devices: number }) {
  const nothing = collectors === 0 && devices === 0;
  return (
    <>
      <b class={nothing ? undefined : "ok"}>{nothing ? t.nothingYet : t.allWell}</b>{" "}
      {nothing ? t.nothingYetHelp : t.allWellOf(count(devices), count(collectors))}
    </>
  );
}

async function ask(signal: AbortSignal): Promise<Answer> {
  const [ofCollectors, ofDevices, raised, attempts, head] = await Promise.all([
    collectors(signal),
    devices(signal),
    alerts(signal),
    deliveries(signal),
    usage({ limit: 1 }, signal),
  ]);
  return { collectors: ofCollectors, devices: ofDevices, alerts: raised, deliveries: attempts, timezone: head.timezone };
}
