// The table of servers: sortable by every column, only the rows near the screen drawn.

import { useRef } from "preact/hooks";
import type { ServerUsage, Usage } from "../api/usage";
import { ago, clockOrDate, count, money, periodName, toMs } from "../format";
import { COLUMNS, go, routeHash, type Column, type ServerRoute, type ServersRoute } from "../router";
import { t } from "../words/servers";
import { columnHint, columnName } from "./columns";
import { BurstLeft, Coverage, Money, None, Rate } from "./figures";
import { useRowWindow } from "./row_window";

/** A newest sample older than this is no reading of what goes on now. */
const CURRENT_MS = 20 * 60_000;

interface Props {
  rows: ServerUsage[];
  usage: Usage;
  route: ServersRoute;
  /** The period is running: there is a current in and out to show. */
  running: boolean;
  sortBy: (column: Column) => void;
}

export function ServersTable({ rows, usage, route, running, sortBy }: Props) {
  const body = useRef<HTMLTableSectionElement>(null);
  const { first, end, row_px } = useRowWindow(body, rows.length);
  const columns = running ? COLUMNS : COLUMNS.filter((column) => column !== "in" && column !== "out");
  return (
    <table class="fleet" aria-rowcount={rows.length + 1}>
      <caption class="sr">{t.fleetTable(periodName(usage.period))}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <Heading key={column} column={column} route={route} sortBy={sortBy} />
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        <Spacer px={first * row_px} />
        {rows.slice(first, end).map((row, index) => (
          <Row key={row.server} row={row} index={first + index} usage={usage} period={route.period} running={running} />
        ))}
        <Spacer px={(rows.length - end) * row_px} />
      </tbody>
    </table>
  );
}

function Spacer({ px }: { px: number }) {
  return px > 0 ? <tr class="spacer" aria-hidden="true" style={{ height: `${px}px` }} /> : null;
}

function Heading({ column, route, sortBy }: { column: Column; route: ServersRoute; sortBy: Props["sortBy"] }) {
  const sorted = route.sort === column;
  return (
    <th
      scope="col"
      class={`c-${column}`}
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
  usage: Usage;
  period: string | undefined;
  running: boolean;
}

function Row({ row, index, usage, period, running }: RowProps) {
  const target: ServerRoute = { view: "server", server: row.server, period };
  const open = (event: MouseEvent) => {
    // The link answers for itself, and marking text to copy it is not a click.
    if ((event.target as Element).closest("a") || getSelection()?.toString()) return;
    go(target);
  };
  const some = row.p95_bps !== null;
  const over = (row.overage_bps ?? 0) > 0;
  return (
    <tr data-row aria-rowindex={index + 2} onClick={open}>
      <th scope="row" class="c-server">
        <a href={routeHash(target)}>{row.server}</a>
        <span class="under">
          {row.customer} · {row.region}
        </span>
      </th>
      <td class="c-customer">{row.customer}</td>
      <td class="c-region">{row.region}</td>
      <td class="c-plan">{row.plan}</td>
      {running && <Current row={row} usage={usage} />}
      <td class="c-p95">{row.p95_bps === null ? <span class="none">{t.noData}</span> : <Rate bps={row.p95_bps} />}</td>
      <td class="c-allowance">
        <Rate bps={row.allowance_bps} />
      </td>
      <td class={over ? "c-overage strong" : "c-overage"}><Rate bps={row.overage_bps} /></td>
      <td class="c-amount"><Money amount={row.amount} currency={row.currency} /></td>
      <td class="c-locked_in">
        {some && row.locked_in_overage_bps !== null ? (
          <Rate bps={row.locked_in_overage_bps} beside={row.locked_in_amount && row.currency && money(row.locked_in_amount, row.currency)} />
        ) : (
          <None />
        )}
      </td>
      <td class="c-projected">
        <Rate bps={row.projected?.high_p95_bps ?? null} />
      </td>
      <td class="c-burst_left">{some ? <BurstLeft left={row.burst_left_slots} all={row.burst_slots} /> : <None />}</td>
      <td class="c-coverage" title={t.ofSlots(count(row.samples), count(row.expected_so_far))}>
        <Coverage coverage={row.coverage} />
      </td>
    </tr>
  );
}

/** In and out of the newest slot; when that is long ago, when it was. */
function Current({ row, usage }: { row: ServerUsage; usage: Usage }) {
  const { last } = row;
  if (last === null) {
    return (
      <td class="c-current none" colSpan={2}>
        {t.noData}
      </td>
    );
  }
  if (toMs(usage.as_of) - toMs(last.slot) > CURRENT_MS) {
    return (
      <td class="c-current none" colSpan={2} title={t.lastSampleAgo(ago(last.slot, usage.as_of))}>
        {t.lastSample(clockOrDate(last.slot, usage.as_of, usage.timezone))}
      </td>
    );
  }
  return (
    <>
      <td class="c-in">
        <Rate bps={last.in_bps} />
      </td>
      <td class="c-out">
        <Rate bps={last.out_bps} />
      </td>
    </>
  );
}
