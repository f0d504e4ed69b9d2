// The fleet: totals, and one row a server.

import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { ServerUsage, Usage } from "../api";
import * as api from "../api";
import { ago, count, dateTime, mbps, money, periodName, sumDecimals, toMs } from "../format";
import { t } from "../messages";
import { FleetTable } from "../parts/fleet_table";
import { Header, runningPeriod } from "../parts/header";
import { Banner, Failure } from "../parts/notice";
import { usePolled } from "../polled";
import { COLUMNS, replace, startsDescending, type Column, type FleetRoute, type Part } from "../router";
import { isPart, rowsOf } from "../rows";
import { columnName } from "../parts/columns";

/** A running period's figures older than this say that nothing arrives any more. */
const LATE_MS = 15 * 60_000;

let leftAt_px = 0;

export function Fleet({ route }: { route: FleetRoute }) {
  const { answer, failure, retry } = usePolled<Usage>(`usage ${route.period ?? ""}`, (signal) =>
    api.usage(route.period, signal),
  );

  // Coming back from a server finds the table where it was left.
  useLayoutEffect(() => {
    scrollTo(0, leftAt_px);
    return () => {
      leftAt_px = scrollY;
    };
  }, []);

  return (
    <>
      <Header route={route} title={t.fleet} usage={answer} />
      <main>
        {answer && failure && <Banner text={t.stale(dateTime(answer.as_of, answer.timezone))} retry={retry} />}
        {answer && !failure && <Late usage={answer} />}
        {answer ? (
          <FleetOf usage={answer} route={route} />
        ) : failure ? (
          <Failure failure={failure} retry={retry} />
        ) : (
          <p class="loading">{t.loading}</p>
        )}
      </main>
    </>
  );
}

export function Late({ usage }: { usage: Usage }) {
  const late = usage.period === runningPeriod(usage) && Date.now() - toMs(usage.as_of) > LATE_MS;
  return late ? <Banner text={t.late(ago(usage.as_of, Date.now()))} /> : null;
}

function FleetOf({ usage, route }: { usage: Usage; route: FleetRoute }) {
  const { period, sort, descending, search, region, part } = route;
  const rows = useMemo(
    () => rowsOf(usage.servers, route),
    [usage, sort, descending, search, region, part],
  );
  const regions = useMemo(() => [...new Set(usage.servers.map((row) => row.region))].sort(), [usage]);

  if (usage.servers.length === 0) return <Empty usage={usage} />;
  const set = (change: Partial<FleetRoute>) => replace({ ...route, ...change });
  return (
    <>
      <h1 class="sr">{t.fleet}</h1>
      <Totals servers={usage.servers} part={part} choose={(chosen) => set({ part: chosen })} />
      <Filters route={route} regions={regions} set={set} />
      <p class="shown" role="status">
        {t.shown(count(rows.length), count(usage.servers.length))}
      </p>
      {rows.length === 0 ? (
        <p class="nothing">
          {t.noneFits}{" "}
          <button type="button" class="text" onClick={() => set({ search: "", region: "", part: undefined })}>
            {t.clearFilters}
          </button>
        </p>
      ) : (
        <FleetTable
          rows={rows}
          usage={usage}
          route={route}
          running={period === undefined || period === runningPeriod(usage)}
          sortBy={(column) => set({ sort: column, descending: column === sort ? !descending : startsDescending(column) })}
        />
      )}
      <p class="foot">
        {t.figuresIn} {t.timezone(usage.timezone)}
      </p>
    </>
  );
}

interface TotalsProps {
  servers: ServerUsage[];
  part: Part | undefined;
  choose: (part: Part | undefined) => void;
}

function Totals({ servers, part, choose }: TotalsProps) {
  const totals = useMemo(() => {
    const locked = servers.filter((row) => (row.locked_in_overage_bps ?? 0) > 0);
    return {
      above: servers.filter((row) => isPart(row, "above")).length,
      noData: servers.filter((row) => isPart(row, "no_data")).length,
      locked_bps: locked.reduce((sum, row) => sum + (row.locked_in_overage_bps ?? 0), 0),
      amounts: amounts(locked),
    };
  }, [servers]);
  const filter = (of: Part, name: string, figure: number) => (
    <button
      type="button"
      class="total"
      aria-pressed={part === of}
      title={t.showOnly(name)}
      onClick={() => choose(part === of ? undefined : of)}
    >
      <span class="name">{name}</span>
      <span class={figure > 0 && of === "above" ? "figure over" : "figure"}>{count(figure)}</span>
    </button>
  );
  return (
    <section class="totals">
      <div class="total">
        <span class="name">{t.servers}</span>
        <span class="figure">{count(servers.length)}</span>
      </div>
      {filter("above", t.aboveAllowance, totals.above)}
      {filter("no_data", t.withoutData, totals.noData)}
      <div class="total">
        <span class="name">{t.lockedInOverage}</span>
        <span class="figure">
          {mbps(totals.locked_bps)} <span class="unit">{t.mbps}</span>
        </span>
        {totals.amounts !== "" && <span class="beside">{totals.amounts}</span>}
      </div>
    </section>
  );
}

/** What the locked-in overage costs, a sum for each currency. */
function amounts(rows: ServerUsage[]): string {
  const byCurrency = new Map<string, string[]>();
  for (const row of rows) {
    if (row.locked_in_amount === null) continue;
    const list = byCurrency.get(row.currency) ?? [];
    list.push(row.locked_in_amount);
    byCurrency.set(row.currency, list);
  }
  return [...byCurrency]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([currency, list]) => money(sumDecimals(list), currency))
    .join(" + ");
}

interface FiltersProps {
  route: FleetRoute;
  regions: string[];
  set: (change: Partial<FleetRoute>) => void;
}

function Filters({ route, regions, set }: FiltersProps) {
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <input
        ref={search}
        type="search"
        aria-label={t.search}
        placeholder={t.searchHint}
        value={route.search}
        onInput={(event) => set({ search: event.currentTarget.value })}
      />
      <select aria-label={t.region} value={route.region} onChange={(event) => set({ region: event.currentTarget.value })}>
        <option value="">{t.allRegions}</option>
        {regions.map((region) => (
          <option key={region} value={region}>
            {region}
          </option>
        ))}
      </select>
      <span class="narrow-sort">
        <select
          aria-label={t.sortBy}
          value={route.sort}
          onChange={(event) => {
            const sort = event.currentTarget.value as Column;
            set({ sort, descending: startsDescending(sort) });
          }}
        >
          {COLUMNS.map((column) => (
            <option key={column} value={column}>
              {columnName(column)}
            </option>
          ))}
        </select>
        <button
          type="button"
          aria-label={route.descending ? t.descending : t.ascending}
          onClick={() => set({ descending: !route.descending })}
        >
          {route.descending ? "▼" : "▲"}
        </button>
      </span>
    </form>
  );
}

function Empty({ usage }: { usage: Usage }) {
  if (usage.period !== runningPeriod(usage)) {
    return (
      <section class="notice">
        <h1>{t.emptyPeriod(periodName(usage.period))}</h1>
      </section>
    );
  }
  return (
    <section class="notice">
      <h1>{t.emptyTitle}</h1>
      <p>{t.emptyIntro}</p>
      <ol>
        <li>
          {t.emptyInventory}
          <code>meter95 inventory apply FILE</code>
        </li>
        <li>
          {t.emptyCollectors}
          <code>meter95 collect</code>
        </li>
      </ol>
      <p>
        {t.emptyDemo}
        <code>meter95 demo</code>
      </p>
    </section>
  );
}
