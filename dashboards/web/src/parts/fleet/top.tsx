// The servers that are most above their allowance, or that cost most, with what the month will probably make of it.

import { useState } from "preact/hooks";
import type { ServerUsage, Usage } from "../../api/usage";
import { mbps } from "../../format";
import { usePolled, type Polled } from "../../polled";
import { usage } from "../../api/usage";
import { routeHash, SERVERS } from "../../router";
import { t } from "../../words/fleet";
import { useDays } from "../days";
import { Money, None, Rate } from "../figures";
import { FleetPart } from "./part";
import { Sparkline } from "../sparkline";

const LINES = 8;
const ORDERS = ["overage", "amount"] as const;
type Order = (typeof ORDERS)[number];

export function useTop(period: string | undefined, order: Order): Polled<Usage> {
  return usePolled(`top ${order} ${period ?? ""}`, ["usage", "inventory"], (signal) =>
    usage({ period, sort: order, order: "desc", over: true, limit: LINES }, signal),
  );
}

export function FleetTop({ period, running }: { period: string | undefined; running: boolean }) {
  const [order, setOrder] = useState<Order>("overage");
  const polled = useTop(period, order);
  const dayOf = useDays(running ? (polled.answer?.servers.map(({ server }) => server) ?? []) : []);
  const aside = (
    <>
      <span class="orders" role="group" aria-label={t.order}>
        {ORDERS.map((name) => (
          <button key={name} type="button" aria-pressed={order === name} onClick={() => setOrder(name)}>
            {name === "overage" ? t.byOverage : t.byAmount}
          </button>
        ))}
      </span>
      <a href={routeHash({ ...SERVERS, period, sort: order, descending: true })}>{t.allServers}</a>
    </>
  );
  return (
    <FleetPart title={order === "overage" ? t.mostAbove : t.mostBilled} aside={aside} polled={polled}>
      {({ servers }) =>
        servers.length === 0 ? (
          <p class="well">{t.nobodyAbove}</p>
        ) : (
          <div class="scroll">
            <table class="plain wide">
              <thead>
                <tr>
                  <th scope="col">{t.server}</th>
                  <th scope="col">{t.customer}</th>
                  {running && <th scope="col" class="wide-only">{t.lastDay}</th>}
                  <th scope="col" class="number wide-only">{t.p95}</th>
                  <th scope="col" class="number wide-only roomy-only">{t.allowance}</th>
                  <th scope="col" class="number">{t.overage}</th>
                  {running ? (
                    <>
                      <th scope="col" class="number" title={t.amountSoFarHint}>{t.amountSoFar}</th>
                      <th scope="col" class="number wide-only" title={t.atLeastHint}>{t.atLeast}</th>
                    </>
                  ) : (
                    <th scope="col" class="number">{t.amount}</th>
                  )}
                  {running && (
                    <th scope="col" class="number wide-only" title={t.projectedHint}>
                      {t.projectedOverage}
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {servers.map((row) => (
                  <tr key={row.server}>
                    <th scope="row">
                      <a href={routeHash({ view: "server", server: row.server, period })}>{row.server}</a>
                    </th>
                    <td>
                      <a class="quiet-link" href={routeHash({ ...SERVERS, period, customer: row.customer })}>
                        {row.customer}
                      </a>
                    </td>
                    {running && (
                      <td class="wide-only">
                        <Sparkline day={dayOf(row.server)} allowance_bps={row.allowance_bps} />
                      </td>
                    )}
                    <td class="number wide-only"><Rate bps={row.p95_bps} /></td>
                    <td class="number wide-only roomy-only"><Rate bps={row.allowance_bps} /></td>
                    <td class="number over"><Rate bps={row.overage_bps} /></td>
                    <td class="number"><Money amount={row.amount} currency={row.currency} /></td>
                    {running && (
                      <>
                        <td class="number wide-only"><Money amount={row.locked_in_amount} currency={row.currency} /></td>
                        <td class="number wide-only"><Band row={row} /></td>
                      </>
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </FleetPart>
  );
}

function Band({ row: { projected } }: { row: ServerUsage }) {
  if (projected === null) return <None />;
  return <>{`${mbps(projected.low_overage_bps)} – ${mbps(projected.high_overage_bps)}`}</>;
}
