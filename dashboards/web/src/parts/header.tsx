// The bar above every view: where we are, which period, how fresh.

import { useEffect } from "preact/hooks";
import type { Usage } from "../api";
import { dateTime, periodName, periodOf, shiftPeriod } from "../format";
import { t } from "../messages";
import { fleetRoute, go, routeHash, type Route } from "../router";
import { logOut, useSession } from "../session";

interface Props {
  route: Route;
  title: string;
  usage: Usage | undefined;
}

export function Header({ route, title, usage }: Props) {
  useEffect(() => {
    document.title = `${title} · meter95`;
  }, [title]);
  return (
    <header class="top">
      <a class="brand" href={routeHash(fleetRoute(route.period))}>
        meter95
      </a>
      <PeriodPicker route={route} usage={usage} />
      <p class="as-of">
        {usage && <time dateTime={usage.as_of}>{t.asOf(dateTime(usage.as_of, usage.timezone))}</time>}
      </p>
      <LogOut />
    </header>
  );
}

/** Who is logged in, and the way out; nothing where nobody need log in. */
function LogOut() {
  const session = useSession();
  if (!session || session.open || session.expires_at === null) return null;
  return (
    <p class="session">
      {session.name}{" "}
      <button
        type="button"
        class="text"
        onClick={() => {
          // A log-out that did not reach the service leaves everything as it was.
          logOut().catch(() => {});
        }}
      >
        {t.logOut}
      </button>
    </p>
  );
}

function PeriodPicker({ route, usage }: { route: Route; usage: Usage | undefined }) {
  const shown = route.period ?? usage?.period;
  const running = usage && runningPeriod(usage);
  const move = (months: number) => {
    if (shown === undefined) return;
    const period = shiftPeriod(shown, months);
    go({ ...route, period: period === running ? undefined : period });
  };
  const atEnd = running === undefined || (shown !== undefined && shown >= running);
  return (
    <div class="period" role="group" aria-label={t.period}>
      <button type="button" aria-label={t.previousPeriod} title={t.previousPeriod} disabled={!shown} onClick={() => move(-1)}>
        ‹
      </button>
      <strong aria-live="polite">{shown ? periodName(shown) : ""}</strong>
      <button type="button" aria-label={t.nextPeriod} title={t.nextPeriod} disabled={atEnd} onClick={() => move(1)}>
        ›
      </button>
      {route.period !== undefined && shown !== running && (
        <button type="button" class="text" onClick={() => go({ ...route, period: undefined })}>
          {t.runningPeriod}
        </button>
      )}
    </div>
  );
}

/** The calendar month that it is now in the billing time zone. */
export function runningPeriod(usage: Usage): string {
  return periodOf(new Date(), usage.timezone);
}
