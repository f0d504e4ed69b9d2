// The servers: a line each, sorted and searched by the service, so that 100,000 are as quick as ten.

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ServerUsage } from "../api/usage";
import { useColumns } from "../parts/servers/columns";
import { useDays } from "../parts/days";
import { Empty } from "../parts/empty";
import { Part } from "../parts/part";
import { useRowWindow } from "../parts/row_window";
import { ServersFilters, ServersHead } from "../parts/servers/filters";
import { useLines } from "../parts/servers/pages";
import { useCounts, usageQuery } from "../parts/servers/query";
import { ServersTable } from "../parts/servers/table";
import { useTitle } from "../parts/shell";
import { replace, startsDescending, type Column, type ServersRoute } from "../router";
import { runningPeriod } from "../site";
import { t } from "../words/servers";

/** Where the reader was, for coming back from a server. */
let left = { list: "", scroll_px: 0 };

export function Servers({ route }: { route: ServersRoute }) {
  useTitle(t.servers);
  const query = usageQuery(route);
  const list = JSON.stringify(query);
  const body = useRef<HTMLTableSectionElement>(null);
  const window = useRowWindow(body, list);
  const lines = useLines(query, window.first, window.end);
  const counts = useCounts(route);
  const head = lines.answer?.head;
  const columns = useColumns(head === undefined || head.period === runningPeriod(head));
  const onScreen = Array.from({ length: window.end - window.first }, (_, i) => lines.answer?.row(window.first + i));
  const dayOf = useDays(columns.shown.includes("day") ? idsOf(onScreen) : []);
  useReadersPlace(list, body, head !== undefined);

  const { all } = counts.answer ?? {};
  if (all?.count === 0 && !isSearched(route)) return <Empty site={all} />;
  const { sort, descending } = route;
  const sortBy = (column: Column) =>
    replace({ ...route, sort: column, descending: column === sort ? !descending : startsDescending(column) });
  const enter = () => body.current?.querySelector<HTMLElement>("tr[data-row] a")?.focus();
  return (
    <>
      <ServersHead route={route} counts={counts.answer} />
      <ServersFilters route={route} columns={columns} fit={lines.behind ? undefined : head?.count} enter={enter} />
      <Part polled={lines}>
        {(pages) =>
          pages.head === undefined || pages.head.count === 0 ? (
            <p class="nothing">{t.noneFits}</p>
          ) : (
            <ServersTable
              pages={pages}
              head={pages.head}
              route={route}
              columns={columns}
              dayOf={dayOf}
              window={window}
              body={body}
              behind={lines.behind}
              sortBy={sortBy}
            />
          )
        }
      </Part>
    </>
  );
}

function isSearched({ search, region, customer, plan }: ServersRoute): boolean {
  return search !== "" || region !== "" || customer !== "" || plan !== "";
}

function idsOf(rows: readonly (ServerUsage | undefined)[]): string[] {
  return rows.flatMap((row) => (row ? [row.server] : []));
}

/** Another list begins at its beginning; coming back to one, the reader is where it was left. */
function useReadersPlace(list: string, body: RefObject<HTMLElement | null>, ready: boolean): void {
  const shown = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    if (!ready || shown.current === list) return;
    if (shown.current === undefined) scrollTo(0, left.list === list ? left.scroll_px : 0);
    else {
      const top = body.current?.closest("table")?.getBoundingClientRect().top ?? 0;
      if (top < 0) scrollBy(0, top);
    }
    shown.current = list;
  }, [list, ready]);
  useEffect(() => {
    const remember = () => {
      if (body.current?.isConnected) left = { list, scroll_px: scrollY };
    };
    // The latter comes before anything else is shown; the former may come too late for that.
    addEventListener("scroll", remember, { passive: true });
    addEventListener("popstate", remember);
    return () => {
      removeEventListener("scroll", remember);
      removeEventListener("popstate", remember);
    };
  }, [list]);
}
