// The table of servers: sortable by every figure, only the rows near the screen drawn, walked through with the arrow keys.

import { Component, type ComponentChildren, type RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Projected, ServerUsage, Usage } from "../../api/usage";
import { ago, clockOrDate, count, mbps, money, periodName, toMs } from "../../format";
import { go, routeHash, type Column, type ServerRoute, type ServersRoute } from "../../router";
import type { UsagePages } from "../../pure/usage_pages";
import { t } from "../../words/servers";
import { columnHint, columnName, type Columns, type Shown } from "./columns";
import type { Day } from "../days";
import { BurstLeft, Coverage, Money, None, Rate } from "../figures";
import { within, type RowWindow } from "../row_window";
import { Sparkline } from "../sparkline";

/** A newest sample older than this is no reading of what goes on now. */
const CURRENT_MS = 20 * 60_000;

interface Props {
  pages: UsagePages;
  head: Usage;
  route: ServersRoute;
  columns: Columns;
  dayOf: (server: string) => Day | undefined;
  window: RowWindow;
  body: RefObject<HTMLTableSectionElement | null>;
  /** The rows are those of the question before. */
  behind: boolean;
  sortBy: (column: Column) => void;
}

export function ServersTable({ pages, head, route, columns: { shown: columns, px }, dayOf, window, body, behind, sortBy }: Props) {
  const { row_px, show } = window;
  const { first, end } = within(window, head.count);
  const keys = useArrowKeys(body, head.count, show);
  const width_px = columns.reduce((sum, column) => sum + px[column], 0);
  const indices = Array.from({ length: end - first }, (_, i) => first + i);
  return (
    <table
      class={behind ? "servers behind" : "servers"}
      aria-rowcount={head.count + 1}
      aria-busy={behind}
      style={{ minWidth: `${width_px}px` }}
    >
      <caption class="sr">{t.serversTable(periodName(head.period))}</caption>
      <thead>
        <tr aria-rowindex={1}>
          {columns.map((column) => (
            <Heading key={column} column={column} px={px[column]} route={route} sortBy={sortBy} />
          ))}
        </tr>
      </thead>
      <tbody ref={body} onKeyDown={keys}>
        <Spacer px={first * row_px} columns={columns.length} />
        {indices.map((index) => {
          const row = pages.row(index);
          return row ? (
            <Row key={index} row={row} index={index} head={head} route={route} columns={columns} day={dayOf(row.server)} />
          ) : (
            <ToCome key={index} index={index} columns={columns.length} />
          );
        })}
        <Spacer px={(head.count - end) * row_px} columns={columns.length} />
      </tbody>
    </table>
  );
}

/** Arrow keys go from row to row; Home and End to the first and the last, as soon as it is there. */
function useArrowKeys(body: Props["body"], rows: number, show: (index: number) => void): (event: KeyboardEvent) => void {
  const wanted = useRef<number | undefined>(undefined);
  const reach = () => {
    if (wanted.current === undefined) return;
    const row = body.current?.querySelector(`tr[data-row="${wanted.current}"]`);
    const link = row?.querySelector("a");
    if (!link) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  };
  useLayoutEffect(reach);
  return (event) => {
    const row = (event.target as Element).closest<HTMLElement>("tr[data-row]");
    if (!row || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = Number(row.dataset["row"]);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0 || to >= rows) return;
    wanted.current = to;
    show(to);
    reach();
  };
}

function Spacer({ px, columns }: { px: number; columns: number }) {
  return px > 0 ? (
    <tr class="spacer" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${px}px` }} />
    </tr>
  ) : null;
}

/** A row that is asked for. */
function ToCome({ index, columns }: { index: number; columns: number }) {
  return (
    <tr data-row={index} class="to-come" aria-rowindex={index + 2} aria-busy="true">
      <td colSpan={columns}>
        <span class="sr">{t.loading}</span>
      </td>
    </tr>
  );
}

interface HeadingProps extends Pick<Props, "route" | "sortBy"> {
  column: Shown;
  px: number;
}

function Heading({ column, px, route, sortBy }: HeadingProps) {
  const width = { width: `${px}px` };
  if (column === "day") {
    return (
      <th scope="col" class="c-day" style={width}>
        {columnName(column)}
      </th>
    );
  }
  const sorted = route.sort === column;
  return (
    <th
      scope="col"
      class={`c-${column}`}
      style={width}
      aria-sort={sorted ? (route.descending ? "descending" : "ascending") : undefined}
      title={columnHint(column)}
    >
      <button type="button" onClick={() => sortBy(column)}>
        {columnName(column)}
        <span class="arrow" aria-hidden="true">
          {sorted ? (route.descending ? "▼" : "▲") : ""}
        </span>
      </button>
    </th>
  );
}

interface RowProps {
  row: ServerUsage;
  index: number;
  head: Usage;
  route: ServersRoute;
  columns: readonly Shown[];
  day: Day | undefined;
}

/** Drawn anew only when something in it changes: scrolling draws the rows that come, not those that are there. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return (Object.keys(next) as (keyof RowProps)[]).some((name) => next[name] !== this.props[name]);
  }

  override render({ row, index, head, route, columns, day }: RowProps) {
    const target: ServerRoute = { view: "server", server: row.server, period: route.period };
    const open = (event: MouseEvent) => {
      // A link answers for itself, and marking text to copy it is not a click.
      if ((event.target as Element).closest("a") || getSelection()?.toString()) return;
      go(target);
    };
    return (
      <tr data-row={index} aria-rowindex={index + 2} onClick={open}>
        <th scope="row" class="c-server">
          <a href={routeHash(target)} title={row.server}>
            {row.server}
          </a>
          <span class="under">
            {row.customer} · {row.region}
          </span>
        </th>
        {columns.slice(1).map((column) => (
          <td key={column} class={cellClass(column, row)} title={cellTitle(column, row, head)}>
            {cell(column, row, head, route, day)}
          </td>
        ))}
      </tr>
    );
  }
}

function cellClass(column: Shown, row: ServerUsage): string {
  return column === "overage" && (row.overage_bps ?? 0) > 0 ? "c-overage strong" : `c-${column}`;
}

function cellTitle(column: Shown, row: ServerUsage, head: Usage): string | undefined {
  switch (column) {
    case "customer":
    case "region":
    case "plan":
      return row[column];
    case "coverage":
      return t.ofSlots(count(row.samples), count(row.expected_so_far));
    case "in":
      return row.last && isOld(row, head) ? t.lastSampleAgo(ago(row.last.slot, head.as_of)) : undefined;
    default:
      return undefined;
  }
}

function cell(column: Shown, row: ServerUsage, head: Usage, route: ServersRoute, day: Day | undefined): ComponentChildren {
  const some = row.p95_bps !== null;
  switch (column) {
    case "server":
      return row.server;
    case "customer":
      return row.customer === route.customer ? (
        row.customer
      ) : (
        <a class="quiet-link" href={routeHash({ ...route, customer: row.customer })} aria-label={t.showCustomer(row.customer)}>
          {row.customer}
        </a>
      );
    case "region":
    case "plan":
      return row[column];
    case "day":
      return <Sparkline day={day} allowance_bps={row.allowance_bps} />;
    case "in":
      if (row.last && isOld(row, head)) {
        return <span class="none">{t.lastSample(clockOrDate(row.last.slot, head.as_of, head.timezone))}</span>;
      }
      return <Rate bps={row.last?.in_bps ?? null} />;
    case "out":
      return <Rate bps={isOld(row, head) ? null : (row.last?.out_bps ?? null)} />;
    case "p95":
      return (
        <>
          {row.p95_bps === null ? <span class="none">{t.noData}</span> : <Rate bps={row.p95_bps} />}
          <span class="under">{t.ofAllowance(mbps(row.allowance_bps))}</span>
        </>
      );
    case "allowance":
      return <Rate bps={row.allowance_bps} />;
    case "overage":
      return (
        <>
          <Rate bps={row.overage_bps} />
          <span class="under">
            <Money amount={row.amount} currency={row.currency} />
          </span>
        </>
      );
    case "amount":
      return <Money amount={row.amount} currency={row.currency} />;
    case "locked_in":
      if (!some) return <None />;
      return (
        <Rate
          bps={row.locked_in_overage_bps}
          beside={row.locked_in_amount && row.currency && money(row.locked_in_amount, row.currency)}
        />
      );
    case "projected":
      return <Rate bps={row.projected?.high_overage_bps ?? null} beside={row.projected && projectedSays(row.projected)} />;
    case "burst_left":
      return some ? <BurstLeft left={row.burst_left_slots} all={row.burst_slots} /> : <None />;
    case "coverage":
      return <Coverage coverage={row.coverage} />;
  }
}

function projectedSays({ low_overage_bps, high_overage_bps, high_p95_bps }: Projected): string {
  return t.projectedSays(mbps(low_overage_bps), mbps(high_overage_bps), mbps(high_p95_bps));
}

/** The newest sample is no reading of what goes on now. */
function isOld(row: ServerUsage, head: Usage): boolean {
  return row.last !== null && toMs(head.as_of) - toMs(row.last.slot) > CURRENT_MS;
}
