// The servers whose burst is about to run out: those with the least left of those that have any.

import { useRef } from "preact/hooks";
import type { ServerUsage } from "../../api/usage";
import { usage } from "../../api/usage";
import { count } from "../../format";
import { usePolled } from "../../polled";
import { routeHash, SERVERS } from "../../router";
import { firstWhere } from "../../pure/skip";
import { t } from "../../words/fleet";
import { BurstLeft } from "../figures";
import { FleetPart } from "./part";

const LINES = 8;

interface Burst {
  /** Servers with none left. */
  spent: number;
  next: ServerUsage[];
}

export function FleetBurst({ servers }: { servers: number }) {
  const near = useRef<number | undefined>(undefined);
  const polled = usePolled<Burst>("burst", ["usage"], async (signal) => {
    const ask = (offset: number, limit: number) => usage({ sort: "burst_left", order: "asc", offset, limit }, signal);
    const hasSome = async (offset: number) => (await ask(offset, 1)).servers.every((line) => line.burst_left_slots > 0);
    const spent = await firstWhere(servers, hasSome, near.current);
    near.current = spent;
    const page = await ask(spent, LINES);
    const next = page.servers.filter((line) => line.burst_left_slots > 0 && line.burst_left_slots < line.burst_slots);
    return { spent, next };
  });
  const spent = polled.answer !== undefined && polled.answer.spent > 0 && (
    <a href={routeHash({ ...SERVERS, part: "above", sort: "burst_left", descending: false })}>{t.burstNone(count(polled.answer.spent))}</a>
  );
  return (
    <FleetPart title={t.burst} aside={spent} polled={polled}>
      {({ next }) =>
        next.length === 0 ? (
          <p class="well">{t.burstAll}</p>
        ) : (
          <table class="plain wide">
            <thead>
              <tr>
                <th scope="col">{t.server}</th>
                <th scope="col" class="roomy-only">{t.customer}</th>
                <th scope="col" class="number">{t.left}</th>
              </tr>
            </thead>
            <tbody>
              {next.map((row) => (
                <tr key={row.server}>
                  <th scope="row">
                    <a href={routeHash({ view: "server", server: row.server, period: undefined })}>{row.server}</a>
                  </th>
                  <td class="roomy-only">
                    <a class="quiet-link" href={routeHash({ ...SERVERS, customer: row.customer })}>
                      {row.customer}
                    </a>
                  </td>
                  <td class="number">
                    <BurstLeft left={row.burst_left_slots} all={row.burst_slots} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    </FleetPart>
  );
}
