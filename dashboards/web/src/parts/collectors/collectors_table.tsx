// The collectors on other machines, as they last reported.

import type { Collector } from "../../api/collectors";
import { count } from "../../format";
import { t } from "../../words/collectors";
import { Ago, None } from "../figures";
import { Panel } from "../panel";
import { CollectorBadge } from "./states";

export function CollectorsTable({ collectors, timezone }: { collectors: Collector[]; timezone: string }) {
  return (
    <Panel title={t.collectorsElsewhere} aside={count(collectors.length)}>
      {collectors.length === 0 ? (
        <p class="muted">{t.noCollectors}</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-label={t.collectorsElsewhere}>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">{t.name}</th>
                <th scope="col">{t.state}</th>
                <th scope="col">{t.heard}</th>
                <th scope="col" class="number">
                  {t.unsent}
                </th>
                <th scope="col">{t.oldestUnsent}</th>
              </tr>
            </thead>
            <tbody>
              {collectors.map(({ name, health, at, unsent, oldest_unsent }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>
                    <CollectorBadge state={health.state} />
                  </td>
                  <td>
                    <Ago at={at} timezone={timezone} />
                  </td>
                  <td class="number">{count(unsent)}</td>
                  <td>{unsent === 0 ? <None /> : <Ago at={oldest_unsent} timezone={timezone} />}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
