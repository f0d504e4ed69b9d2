// What a server is made of: its ports, its add-ons, and since when it is in service.

import type { Server } from "../../api/servers";
import { dateTime, mbps, speed } from "../../format";
import { routeHash } from "../../router";
import { may } from "../../session";
import { t } from "../../words/server";
import { Ago, None } from "../figures";

export function Facts({ server, timezone }: { server: Server; timezone: string }) {
  const at = (instant: string) => dateTime(instant, timezone);
  return (
    <div class="facts">
      <section class="panel">
        <h2>{t.ports}</h2>
        {server.ports.length === 0 ? (
          <p>{t.noPorts}</p>
        ) : (
          <div class="scroll">
            <table class="plain">
              <thead>
                <tr>
                  <th scope="col">{t.device}</th>
                  <th scope="col">{t.interface}</th>
                  <th scope="col">{t.kind}</th>
                  <th scope="col">{t.speed}</th>
                  <th scope="col">{t.lastReading}</th>
                </tr>
              </thead>
              <tbody>
                {server.ports.map((port) => (
                  <tr key={`${port.device} ${port.interface} ${port.from}`}>
                    <td>
                      {may("site") ? (
                        <a href={routeHash({ view: "device", device: port.device, period: undefined })}>{port.device}</a>
                      ) : (
                        port.device
                      )}
                    </td>
                    <td>{port.interface}</td>
                    <td>
                      {t.portKind(port.kind)}
                      {port.check_only && ` ${t.checkOnly}`}
                    </td>
                    <td>{port.speed_bps === null ? <None /> : speed(port.speed_bps)}</td>
                    <td>
                      {port.last_reading === null ? <span class="none">{t.noReading}</span> : <Ago at={port.last_reading} timezone={timezone} />}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      {server.addons.length > 0 && (
        <section class="panel">
          <h2>{t.addons}</h2>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col" class="number">
                  {t.mbps}
                </th>
                <th scope="col">{t.from}</th>
                <th scope="col">{t.until}</th>
              </tr>
            </thead>
            <tbody>
              {server.addons.map((addon) => (
                <tr key={`${addon.from} ${addon.bps}`}>
                  <td class="number">{mbps(addon.bps)}</td>
                  <td>{addon.from === null ? t.openEnd : at(addon.from)}</td>
                  <td>{addon.until === null ? t.openEnd : at(addon.until)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {(server.service_start !== null || server.service_end !== null) && (
        <section class="panel">
          <h2>{t.serviceSpan}</h2>
          <p>
            {server.service_start !== null && t.serviceFrom(at(server.service_start))}{" "}
            {server.service_end !== null && t.serviceUntil(at(server.service_end))}
          </p>
        </section>
      )}
    </div>
  );
}
