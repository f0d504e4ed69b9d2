// What stands above the table of servers: which servers, found by which words, with which columns, and as CSV.

import { useEffect, useRef, useState } from "preact/hooks";
import { usageCsv } from "../../api/usage";
import * as api from "../../api/usage";
import { count, money } from "../../format";
import { usePolled } from "../../polled";
import { COLUMNS, replace, SERVERS, startsDescending, type Column, type Part, type ServersRoute } from "../../router";
import { runningPeriod } from "../../site";
import { groups, type Group } from "../../pure/skip";
import { t } from "../../words/servers";
import { columnName, SHOWN, type Columns, type Shown } from "./columns";
import { usageQuery, type Counts } from "./query";

/** After how long without another letter the search is made. */
const SEARCH_MS = 150;

export function ServersHead({ route, counts }: { route: ServersRoute; counts: Counts | undefined }) {
  const running = counts && counts.all.period === runningPeriod(counts.all);
  return (
    <div class="servers-head">
      <h1>{t.servers}</h1>
      <div class="parts" role="group" aria-label={t.part}>
        <PartButton route={route} part={undefined} name={t.everyServer} of={counts?.all.count} />
        <PartButton route={route} part="above" name={t.aboveAllowance} of={counts?.all.over_count} />
        <PartButton route={route} part="no_data" name={t.withoutData} of={counts?.noData} />
      </div>
      {counts && counts.all.totals.length > 0 && (
        <p class="sum">
          {running ? t.endsNow : t.ended}{" "}
          {counts.all.totals.map(({ amount, currency }) => (
            <strong key={currency}>{money(amount, currency)}</strong>
          ))}
        </p>
      )}
    </div>
  );
}

interface PartProps {
  route: ServersRoute;
  part: Part | undefined;
  name: string;
  of: number | undefined;
}

function PartButton({ route, part, name, of }: PartProps) {
  return (
    <button type="button" aria-pressed={route.part === part} onClick={() => replace({ ...route, part })}>
      {name} <span class="of">{of === undefined ? "" : count(of)}</span>
    </button>
  );
}

interface FilterProps {
  route: ServersRoute;
  columns: Columns;
  /** How many lines fit. */
  fit: number | undefined;
  /** Goes into the table from the search. */
  enter: () => void;
}

export function ServersFilters({ route, columns, fit, enter }: FilterProps) {
  return (
    <div class="filters" role="search">
      <Search route={route} enter={enter} />
      <Choice route={route} of="region" all={t.allRegions} />
      <Choice route={route} of="plan" all={t.allPlans} />
      {route.customer !== "" && (
        <button
          type="button"
          class="taken"
          aria-label={t.takeAway(t.onlyCustomer(route.customer))}
          onClick={() => replace({ ...route, customer: "" })}
        >
          {t.onlyCustomer(route.customer)} <span aria-hidden="true">×</span>
        </button>
      )}
      {isFiltered(route) && (
        <button type="button" class="text" onClick={() => replace({ ...SERVERS, ...orderOf(route) })}>
          {t.clearFilters}
        </button>
      )}
      <p class="fit" role="status">
        {fit === undefined ? "" : t.fit(count(fit))}
      </p>
      <NarrowSort route={route} />
      <ColumnMenu columns={columns} />
      <a class="button" href={usageCsv(usageQuery(route))} download title={fit === undefined ? undefined : t.csvHint(count(fit))}>
        {t.csv}
      </a>
    </div>
  );
}

function isFiltered({ search, region, plan, customer, part }: ServersRoute): boolean {
  return search !== "" || region !== "" || plan !== "" || customer !== "" || part !== undefined;
}

function orderOf({ period, sort, descending }: ServersRoute) {
  return { period, sort, descending };
}

/** The text is the reader's at once, and the search's once the reader pauses. */
function Search({ route, enter }: { route: ServersRoute; enter: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(route.search);
  const asked = useRef(route.search);
  // Changed by somebody else: a link, or clearing all filters.
  if (route.search !== asked.current) {
    asked.current = route.search;
    setText(route.search);
  }
  useEffect(() => {
    if (text === asked.current) return;
    const timer = setTimeout(() => {
      asked.current = text;
      replace({ ...route, search: text });
    }, SEARCH_MS);
    return () => clearTimeout(timer);
  }, [text, route]);
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    document.addEventListener("keydown", slash);
    return () => document.removeEventListener("keydown", slash);
  }, []);
  const keys = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") {
      event.preventDefault();
      enter();
    }
    if (event.key === "Escape") setText("");
  };
  return (
    <input
      ref={field}
      type="search"
      maxLength={255}
      aria-label={t.search}
      aria-keyshortcuts="/"
      title={t.searchKey}
      placeholder={t.searchHint}
      spellcheck={false}
      autocomplete="off"
      value={text}
      onInput={(event) => setText(event.currentTarget.value)}
      onKeyDown={keys}
    />
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, select, textarea, dialog") !== null;
}

/** A region or a plan out of those that there are. With one alone there is nothing to choose. */
function Choice({ route, of, all }: { route: ServersRoute; of: "region" | "plan"; all: string }) {
  const { period } = route;
  const { answer } = usePolled<Group[]>(`choices ${of} ${period ?? ""}`, ["inventory"], (signal) =>
    groups(of, (query) => api.usage({ period, ...query }, signal)),
  );
  const chosen = route[of];
  const names = answer ?? [];
  if (names.length < 2 && chosen === "") return null;
  const known = names.some(({ name }) => name === chosen);
  return (
    <select
      aria-label={of === "region" ? t.region : t.plan}
      value={chosen}
      onChange={(event) => replace({ ...route, [of]: event.currentTarget.value })}
    >
      <option value="">{all}</option>
      {chosen !== "" && !known && <option value={chosen}>{chosen}</option>}
      {names.map(({ name, usage }) => (
        <option key={name} value={name}>
          {t.choice(name, count(usage.count))}
        </option>
      ))}
    </select>
  );
}

/** Where there is no room for the headings of all columns. */
function NarrowSort({ route }: { route: ServersRoute }) {
  return (
    <div class="narrow-sort">
      <select
        aria-label={t.sortBy}
        value={route.sort}
        onChange={(event) => {
          const sort = event.currentTarget.value as Column;
          replace({ ...route, sort, descending: startsDescending(sort) });
        }}
      >
        {COLUMNS.map((column) => (
          <option key={column} value={column}>
            {columnName(column)}
          </option>
        ))}
      </select>
      <button type="button" onClick={() => replace({ ...route, descending: !route.descending })}>
        {route.descending ? t.descending : t.ascending}
      </button>
    </div>
  );
}

function ColumnMenu({ columns }: { columns: Columns }) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const open = menu.current;
      if (open?.open && !open.contains(event.target as Node)) open.open = false;
    };
    document.addEventListener("click", close);
    return () => document.removeEventListener("click", close);
  }, []);
  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !menu.current) return;
    menu.current.open = false;
    menu.current.querySelector("summary")?.focus();
  };
  return (
    <details ref={menu} class="menu" onKeyDown={keys}>
      <summary class="button">{t.columns}</summary>
      <div class="menu-items">
        {SHOWN.filter((column) => column !== "server").map((column: Shown) => (
          <label key={column}>
            <input type="checkbox" checked={columns.shown.includes(column)} onChange={() => columns.toggle(column)} />
            {columnName(column)}
          </label>
        ))}
        {columns.chosen && (
          <button type="button" class="text" onClick={columns.reset}>
            {t.columnsReset}
          </button>
        )}
      </div>
    </details>
  );
}
