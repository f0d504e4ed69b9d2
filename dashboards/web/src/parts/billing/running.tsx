// The largest bills of a month that is not closed, as far as it has run: what they would be if it ended now, and at least.

import type { ServerUsage, Usage } from "../../api/usage";
import { usage } from "../../api/usage";
import { usePolled } from "../../polled";
import { routeHash, SERVERS } from "../../router";
import { t } from "../../words/billing";
import { Answered } from "../answered";
import { Money, Rate } from "../figures";
import { Panel } from "../panel";
import { Scroll } from "../scroll";

/** Of each currency so many. */
const LINES = 10;

interface Props {
  site: Usage;
  /** undefined: the one that is running. */
  period: string | undefined;
}

export function RunningBills({ site, period }: Props) {
  const polled = usePolled(`largest bills ${period ?? ""}`, ["usage", "inventory"], (signal) => largest(period, signal));
  const all = <a href={routeHash({ ...SERVERS, period, sort: "amount", descending: true, part: "above" })}>{t.seeServers}</a>;
  return (
    <Panel title={t.largest10} aside={all}>
      {site.over_count === 0 ? (
        <p>{t.noBills}</p>
      ) : (
        <Answered polled={polled}>{(rows) => (rows.length === 0 ? <p>{t.noBills}</p> : <Bills rows={rows} period={period} />)}</Answered>
      )}
    </Panel>
  );
}

function Bills({ rows, period }: { rows: ServerUsage[]; period: string | undefined }) {
  return (
    <Scroll label={t.largest10}>
      <table class="plain wide">
        <caption class="sr">{t.largest10}</caption>
        <thead>
          <tr>
            <th scope="col">{t.server}</th>
            <th scope="col" class="number">
              {t.soFarAmount}
            </th>
            <th scope="col" class="number" title={t.atLeastHint}>
              {t.atLeast}
            </th>
            <th scope="col" class="number">
              {t.billable}
            </th>
            <th scope="col" class="number">
              {t.p95}
            </th>
            <th scope="col" class="number">
              {t.allowance}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.server}>
              <th scope="row">
                <a href={routeHash({ view: "server", server: row.server, period })}>{row.server}</a>
                <span class="under">
                  {row.customer} · {row.region}
                </span>
              </th>
              <td class="number">
                <Money amount={row.amount} currency={row.currency} />
              </td>
              <td class="number">
                <Money amount={row.locked_in_amount} currency={row.currency} />
              </td>
              <td class="number">
                <Rate bps={row.billable_bps} />
              </td>
              <td class="number">
                <Rate bps={row.p95_bps} />
              </td>
              <td class="number">
                <Rate bps={row.allowance_bps} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** The dearest lines of each currency: the service orders amounts by currency first. */
async function largest(period: string | undefined, signal: AbortSignal): Promise<ServerUsage[]> {
  const ask = (offset: number) => usage({ period, sort: "amount", order: "desc", over: true, limit: LINES, offset }, signal);
  const first = await ask(0);
  const pages = [first];
  let offset = 0;
  for (const { count } of first.totals.toSorted((a, b) => (a.currency < b.currency ? -1 : 1))) {
    if (offset > 0) pages.push(await ask(offset));
    offset += count;
  }
  const rows = new Map(pages.flatMap(({ servers }) => servers).map((row) => [row.server, row]));
  return first.totals
    .flatMap(({ currency }) => [...rows.values()].filter((row) => row.currency === currency && Number(row.amount ?? 0) > 0).slice(0, LINES));
}
