// What is around every view: where we are, which period, how fresh, who looks, in which language and colours.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Usage } from "../api/usage";
import { useBusy } from "../busy";
import { ago, dateTime, periodName, shiftPeriod } from "../format";
import { language, LANGUAGE_NAMES, setLanguage, type Language } from "../language";
import { isLive, onLive } from "../live";
import { BILLING, CASES, COLLECTORS, FLEET, go, routeHash, serversRoute, type Route } from "../router";
import { logOut, may, useSession } from "../session";
import { runningPeriod, useSite } from "../site";
import { chosenTheme, setTheme, THEMES, type Theme } from "../theme";
import { t } from "../words/common";
import { Banner } from "./notice";

/** A running period's figures older than this say that nothing arrives any more. */
const LATE_MS = 15 * 60_000;

/** Views by which the reader goes around, and those that lie below each. */
function places(period: string | undefined): { route: Route; name: string; views: Route["view"][] }[] {
  const all = [
    { route: { ...FLEET, period }, name: t.fleet, views: ["fleet"] },
    { route: serversRoute(period), name: t.servers, views: ["servers", "server"] },
    { route: { ...BILLING, period }, name: t.billing, views: ["billing"] },
    { route: { ...CASES, period }, name: t.cases, views: ["cases", "case"] },
    { route: { ...COLLECTORS, period }, name: t.collectors, views: ["collectors", "device"] },
  ] satisfies { route: Route; name: string; views: Route["view"][] }[];
  return may("site") ? all : all.filter(({ route }) => route.view !== "collectors");
}

export function Shell({ route, children }: { route: Route; children: ComponentChildren }) {
  const { answer: site, failure, retry } = useSite(route.period);
  const busy = useBusy();
  const main = useRef<HTMLElement>(null);
  const place = `${route.view} ${"server" in route ? route.server : ""}${"id" in route ? route.id : ""}${"device" in route ? route.device : ""}`;
  const first = useRef(true);
  // Whoever reads by ear or keyboard goes on where the new view begins.
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [place]);
  const stale = site && failure;
  const late = site && !failure && site.count > 0 && site.period === runningPeriod(site) && Date.now() - Date.parse(site.as_of) > LATE_MS;
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t.skip}
      </a>
      <header class="top">
        <a class="brand" href={routeHash(FLEET)}>
          meter95
        </a>
        <nav class="places" aria-label={t.views}>
          {places(route.period).map(({ route: to, name, views }) => (
            <a key={name} href={routeHash(to)} aria-current={views.includes(route.view) ? "page" : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <PeriodPicker route={route} site={site} />
        <Freshness site={site} />
        <Settings />
      </header>
      <main ref={main} id="main" tabIndex={-1} aria-busy={busy || (!site && !failure)}>
        {stale && <Banner text={t.stale(dateTime(site.as_of, site.timezone))} retry={retry} />}
        {late && <Banner text={t.late(ago(site.as_of, Date.now()))} />}
        {children}
        {site && (
          <p class="foot">
            {t.figuresIn} {t.timezone(site.timezone)} <a href="/docs">{t.apiDocs}</a>
          </p>
        )}
      </main>
    </>
  );
}

/** The title of the window; every view says its own. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · meter95`;
  }, [title]);
}

function Freshness({ site }: { site: Usage | undefined }) {
  const [, setTold] = useState(0);
  useEffect(() => onLive(() => setTold((n) => n + 1)), []);
  const live = isLive();
  return (
    <p class="as-of">
      {site && (
        <>
          <span class={live ? "pulse on" : "pulse"} title={live ? t.live : t.notLive}>
            <span class="sr">{live ? t.live : t.notLive}</span>
          </span>
          <time dateTime={site.as_of}>{t.asOf(dateTime(site.as_of, site.timezone))}</time>
        </>
      )}
    </p>
  );
}

/** Language, colours, and the way out. */
function Settings() {
  const { session } = useSession();
  const [theme, setChosen] = useState(chosenTheme());
  return (
    <div class="settings">
      <select aria-label={t.language} value={language} onChange={(event) => setLanguage(event.currentTarget.value as Language)}>
        {(Object.keys(LANGUAGE_NAMES) as Language[]).map((name) => (
          <option key={name} value={name} lang={name}>
            {LANGUAGE_NAMES[name]}
          </option>
        ))}
      </select>
      <select
        aria-label={t.theme}
        value={theme}
        onChange={(event) => {
          const chosen = event.currentTarget.value as Theme;
          setChosen(chosen);
          setTheme(chosen);
        }}
      >
        {THEMES.map((name) => (
          <option key={name} value={name}>
            {t.themes[name]}
          </option>
        ))}
      </select>
      {session && !session.open && session.expires_at !== null && (
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
      )}
    </div>
  );
}

function PeriodPicker({ route, site }: { route: Route; site: Usage | undefined }) {
  const shown = route.period ?? site?.period;
  const running = site && runningPeriod(site);
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
