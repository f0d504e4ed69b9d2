// A month for those who invoice it: how far it is, its statements, what waits for a review, incidents, and what to take out.

import { useEffect, useState } from "preact/hooks";
import type { Period } from "../api/periods";
import * as api from "../api/periods";
import type { Usage } from "../api/usage";
import { count, periodName } from "../format";
import { Answered } from "../parts/answered";
import { Explain } from "../parts/billing/explain";
import { Exports } from "../parts/billing/exports";
import { Incidents } from "../parts/billing/incidents";
import { RunningBills } from "../parts/billing/running";
import { Reviews } from "../parts/billing/review";
import { Statements } from "../parts/billing/statements";
import { BillingStatus } from "../parts/billing/status";
import { useTitle } from "../parts/shell";
import { usePolled } from "../polled";
import { BILLING_TABS, routeHash, type BillingRoute, type BillingTab } from "../router";
import { may } from "../session";
import { useSite } from "../site";
import { t } from "../words/billing";

/** How often is looked how far a close is. */
const LOOK_MS = 700;
/** After an act it is looked more often for so long: a close has begun by then. */
const LOOKING_MS = 3_000;

export function Billing({ route }: { route: BillingRoute }) {
  const site = useSite(route.period);
  return (
    <Answered polled={site}>
      {(usage) => {
        const month = route.period ?? usage.period;
        if (route.server !== undefined) {
          return <Explaining key={`${month} ${route.server} ${route.revision ?? ""}`} month={month} server={route.server} route={route} />;
        }
        return may("site") ? <Month key={month} month={month} site={usage} route={route} /> : <Own key={month} month={month} route={route} />;
      }}
    </Answered>
  );
}

function Explaining({ month, server, route }: { month: string; server: string; route: BillingRoute }) {
  useTitle(`${t.statementOf(server)}, ${periodName(month)}`);
  return <Explain month={month} server={server} route={route} />;
}

/** What somebody sees whose token is limited: their statements. How far the month is, is the site's. */
function Own({ month, route }: { month: string; route: BillingRoute }) {
  useTitle(t.billingOf(periodName(month)));
  return (
    <>
      <Title month={month} />
      <Statements month={month} version="" route={{ ...route, tab: "statements" }} />
    </>
  );
}

function Title({ month }: { month: string }) {
  return (
    <div class="title">
      <h1>
        {t.billing} <span class="of-what">{periodName(month)}</span>
      </h1>
    </div>
  );
}

function Month({ month, site, route }: { month: string; site: Usage; route: BillingRoute }) {
  useTitle(t.billingOf(periodName(month)));
  const polled = usePolled<Period>(`period ${month}`, ["periods", "collectors"], (signal) => api.period(month, signal));
  const [lookUntil, setLookUntil] = useState(0);
  const look = () => {
    setLookUntil(Date.now() + LOOKING_MS);
    polled.retry();
  };
  const closing = polled.answer?.closing ?? null;
  // Its progress is told by nobody; the next look is due once this one is answered.
  useEffect(() => {
    if (closing === null && Date.now() > lookUntil) return undefined;
    const timer = setTimeout(polled.retry, LOOK_MS);
    return () => clearTimeout(timer);
  }, [polled.answer, lookUntil]);
  return (
    <Answered polled={polled}>
      {(period) => (
        <>
          <Title month={month} />
          <BillingStatus month={period} site={site} look={look} />
          <nav class="tabs" aria-label={t.billing}>
            {BILLING_TABS.map((tab) => (
              <a key={tab} href={routeHash({ ...route, tab })} aria-current={route.tab === tab ? "page" : undefined}>
                {t.tabs[tab]}
                {tab === "review" && period.held > 0 && <span class="tab-count">{count(period.held)}</span>}
              </a>
            ))}
          </nav>
          <Tab tab={route.tab} period={period} site={site} route={route} look={look} />
        </>
      )}
    </Answered>
  );
}

interface TabProps {
  tab: BillingTab;
  period: Period;
  site: Usage;
  route: BillingRoute;
  look: () => void;
}

function Tab({ tab, period, site, route, look }: TabProps) {
  // Another list is asked for as soon as the month says that it has changed.
  const version = `${period.issued} ${period.held} ${period.amounts.map(({ amount }) => amount).join(" ")}`;
  switch (tab) {
    case "statements":
      if (period.issued + period.held === 0) {
        return (
          <div class="stack">
            <p class="muted">{t.notClosed(periodName(period.period))}</p>
            {period.state !== "to_come" && <RunningBills site={site} period={route.period} />}
          </div>
        );
      }
      return <Statements month={period.period} version={version} route={route} />;
    case "review":
      return <Reviews month={period.period} version={version} look={look} />;
    case "incidents":
      return <Incidents month={period} look={look} />;
    case "exports":
      return <Exports month={period} />;
  }
}
