// What each region carries now, and what its servers come to this month.

import { usage } from "../../api/usage";
import type { Uplink } from "../../api/uplinks";
import type { Usage } from "../../api/usage";
import { count, mbps } from "../../format";
import { traffic, type Traffic } from "../../pure/fleet";
import { usePolled } from "../../polled";
import { routeHash, SERVERS } from "../../router";
import { groups } from "../../pure/skip";
import { t } from "../../words/fleet";
import { Money, None } from "../figures";
import { FleetPart } from "./part";

/** From here on a region's traffic is shown in whole Mbps. */
const WHOLE_BPS = 100_000_000;

interface Props {
  site: Usage;
  period: string | undefined;
  /** undefined: what is carried now is not to be shown. */
  uplinks: readonly Uplink[] | undefined;
}

export function FleetRegions({ site, period, uplinks }: Props) {
  const polled = usePolled(`regions ${period ?? ""}`, ["usage", "inventory"], (signal) =>
    groups("region", (query) => usage({ period, ...query }, signal)),
  );
  const currencies = site.totals.map(({ currency }) => currency);
  return (
    <FleetPart title={t.regions} polled={polled}>
      {(regions) => (
        <div class="scroll">
          <table class="plain wide">
            <thead>
              <tr>
                <th scope="col">{t.region}</th>
                <th scope="col" class="number wide-only">{t.servers}</th>
                <th scope="col" class="number wide-only">{t.above}</th>
                {uplinks && <th scope="col" class="number">{t.inNow}</th>}
                {uplinks && <th scope="col" class="number">{t.outNow}</th>}
                {currencies.map((currency) => (
                  <th key={currency} scope="col" class="number" title={t.amount}>
                    {currencies.length === 1 ? t.amount : currency}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {regions.map(({ name, usage }) => (
                <Line key={name} name={name} usage={usage} period={period} uplinks={uplinks} currencies={currencies} />
              ))}
            </tbody>
            {regions.length > 1 && (
              <tfoot>
                <Line usage={site} period={period} uplinks={uplinks} currencies={currencies} />
              </tfoot>
            )}
          </table>
        </div>
      )}
    </FleetPart>
  );
}

interface LineProps {
  /** undefined: all of them. */
  name?: string;
  usage: Usage;
  period: string | undefined;
  uplinks: readonly Uplink[] | undefined;
  /** A column each. */
  currencies: readonly string[];
}

function Line({ name, usage, period, uplinks, currencies }: LineProps) {
  const to = { ...SERVERS, period, region: name ?? "" };
  const now = uplinks && traffic(uplinks, name);
  return (
    <tr>
      <th scope="row">
        <a href={routeHash(to)}>{name ?? t.all}</a>
      </th>
      <td class="number wide-only">{count(usage.count)}</td>
      <td class="number wide-only">
        {usage.over_count === 0 ? <span class="quiet">0</span> : <a href={routeHash({ ...to, part: "above" })}>{count(usage.over_count)}</a>}
      </td>
      {uplinks && <td class="number"><Now traffic={now} bps={now?.in_bps} /></td>}
      {uplinks && <td class="number"><Now traffic={now} bps={now?.out_bps} /></td>}
      {currencies.map((currency) => (
        <td key={currency} class="number">
          <Money amount={usage.totals.find((sum) => sum.currency === currency)?.amount ?? null} currency={currency} />
        </td>
      ))}
    </tr>
  );
}

function Now({ traffic, bps }: { traffic: Traffic | undefined; bps: number | undefined }) {
  if (traffic === undefined || bps === undefined) return <None />;
  const says = `${mbps(bps)} Mbps, ${t.ofUplinks(count(traffic.known), count(traffic.all))}`;
  return <span title={says}>{bps < WHOLE_BPS ? mbps(bps) : count(bps / 1_000_000)}</span>;
}
