// The month at a glance: how many servers, how many of them cost something, and what it comes to.

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { ServerUsage, Usage } from "../../api/usage";
import { usage } from "../../api/usage";
import { count, money } from "../../format";
import { usePolled } from "../../polled";
import { COLLECTORS, routeHash, SERVERS, type Route, type ServersRoute } from "../../router";
import { may } from "../../session";
import { firstWhere, largest } from "../../pure/skip";
import { t } from "../../words/fleet";
import { Ago, None } from "../figures";

interface Props {
  site: Usage;
  running: boolean;
  period: string | undefined;
  /** When the newest slot that a sample was seen of has ended. */
  newest: string | undefined;
}

export function FleetHeadline({ site, running, period, newest }: Props) {
  const noData = usePolled(`without data ${period ?? ""}`, ["usage", "inventory"], async (signal) => {
    return (await usage({ period, no_data: true, limit: 1 }, signal)).count;
  });
  const bills = usePolled(`largest ${period ?? ""}`, ["usage", "inventory"], (signal) => largestBills(site, period, signal));
  const to = (route: Partial<ServersRoute>) => ({ ...SERVERS, period, ...route });
  return (
    <section class="headline" aria-label={t.headline}>
      <Box name={t.servers} to={to({ sort: "server", descending: false })} big={count(site.count)} />
      <Box name={t.aboveAllowance} to={to({ part: "above" })} big={count(site.over_count)} class={site.over_count > 0 ? "over" : ""}>
        {running && site.over_count > 0 && <LockedIn site={site} period={period} />}
      </Box>
      <Box
        name={t.withoutData}
        to={to({ part: "no_data" })}
        big={noData.answer === undefined ? "…" : count(noData.answer)}
        class={noData.answer ? "warn" : ""}
      >
        {noData.answer === 0 && <span>{t.noneWithoutData}</span>}
      </Box>
      <Box
        name={running ? t.billedNow : t.billed}
        to={to({ sort: "amount", descending: true })}
        big={
          site.totals.length === 0
            ? t.nothingBilled
            : site.totals.map(({ amount, currency }) => <span key={currency}>{money(amount, currency)}</span>)
        }
      />
      <div class="headline-box">
        <h2>{t.largestBill}</h2>
        {bills.answer?.length === 0 && <p class="big">{t.nothingBilled}</p>}
        {bills.answer?.map(({ server, customer, amount, currency }, place) => (
          <p key={server} class={place === 0 ? "largest" : ""}>
            <strong>{amount !== null && currency !== null ? money(amount, currency) : <None />}</strong>{" "}
            <a href={routeHash({ view: "server", server, period })}>{server}</a> <span>{customer}</span>
          </p>
        ))}
      </div>
      {running && (
        <Box name={t.newestSample} to={may("site") ? { ...COLLECTORS, period } : undefined} big={newest === undefined ? "–" : <Ago at={newest} timezone={site.timezone} />} />
      )}
    </section>
  );
}

interface BoxProps {
  name: string;
  to?: Route | undefined;
  big: ComponentChildren;
  class?: string;
  children?: ComponentChildren;
}

function Box({ name, to, big, class: tone, children }: BoxProps) {
  return (
    <div class="headline-box">
      <h2>{name}</h2>
      <p class={tone ? `big ${tone}` : "big"}>{to ? <a href={routeHash(to)}>{big}</a> : big}</p>
      {children && <p>{children}</p>}
    </div>
  );
}

/** How many servers end the month with overage whatever they do. */
function LockedIn({ site, period }: { site: Usage; period: string | undefined }) {
  const near = useRef<number | undefined>(undefined);
  const { answer } = usePolled(`locked in ${period ?? ""}`, ["usage"], async (signal) => {
    const isFree = async (offset: number) => {
      const page = await usage({ period, sort: "locked_in", order: "desc", offset, limit: 1 }, signal);
      return !page.servers.some((line) => (line.locked_in_overage_bps ?? 0) > 0);
    };
    near.current = await firstWhere(site.count, isFree, near.current);
    return near.current;
  });
  if (answer === undefined) return null;
  return <a href={routeHash({ ...SERVERS, period, part: "above", sort: "locked_in", descending: true })}>{t.lockedInFor(count(answer))}</a>;
}

/** The dearest line of each currency. */
function largestBills(site: Usage, period: string | undefined, signal: AbortSignal): Promise<ServerUsage[]> {
  return largest(site, async (offset) => (await usage({ period, sort: "amount", order: "desc", limit: 1, offset }, signal)).servers[0]);
}
