// A month's statements: searched, sorted, only the rows near the screen drawn.

import { useMemo, useRef } from "preact/hooks";
import type { StatedStatement } from "../../api/periods";
import { statements } from "../../api/periods";
import { count, periodName } from "../../format";
import { usePolled } from "../../polled";
import { go, replace, routeHash, STATEMENT_COLUMNS, statementsDescend, type BillingRoute, type StatementColumn } from "../../router";
import { choose } from "../../pure/statements";
import { t } from "../../words/billing";
import { Answered } from "../answered";
import { Badge, Coverage, Money, Rate } from "../figures";
import { useRowWindow, within } from "../row_window";

export function Statements({ month, version, route }: { month: string; version: string; route: BillingRoute }) {
  const polled = usePolled(`statements ${month} ${version}`, ["periods"], (signal) => statements(month, {}, signal));
  return (
    <Answered polled={polled}>
      {(list) => (list.length === 0 ? <p class="nothing">{t.notClosed(periodName(month))}</p> : <Chosen list={list} month={month} route={route} />)}
    </Answered>
  );
}

function Chosen({ list, month, route }: { list: StatedStatement[]; month: string; route: BillingRoute }) {
  const { search, over, sort, descending } = route;
  const chosen = useMemo(() => choose(list, { search, over, sort, descending }), [list, search, over, sort, descending]);
  return (
    <>
      <div class="statement-filters">
        <input
          type="search"
          aria-label={t.search}
          placeholder={t.searchHint}
          value={search}
          onInput={(event) => replace({ ...route, search: event.currentTarget.value })}
        />
        <label class="toggle">
          <input type="checkbox" checked={over} onChange={(event) => replace({ ...route, over: event.currentTarget.checked })} />
          {t.onlyOverage}
        </label>
        <p class="muted" role="status">
          {t.shown(count(chosen.length), count(list.length))}
        </p>
      </div>
      {chosen.length === 0 ? <p class="nothing">{t.noneFits}</p> : <Table rows={chosen} month={month} route={route} />}
    </>
  );
}

function Table({ rows, month, route }: { rows: StatedStatement[]; month: string; route: BillingRoute }) {
  const body = useRef<HTMLTableSectionElement>(null);
  const window = useRowWindow(body, routeHash(route));
  const { first, end } = within(window, rows.length);
  return (
    <table class="statements" aria-rowcount={rows.length + 1}>
      <caption class="sr">{t.tableOf(periodName(month))}</caption>
      <thead>
        <tr>
          {STATEMENT_COLUMNS.map((column) => (
            <Heading key={column} column={column} route={route} />
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        <Spacer px={first * window.row_px} />
        {rows.slice(first, end).map((row, index) => (
          <Row key={row.server} row={row} index={first + index} route={route} />
        ))}
        <Spacer px={(rows.length - end) * window.row_px} />
      </tbody>
    </table>
  );
}

function Spacer({ px }: { px: number }) {
  return px > 0 ? <tr class="spacer" aria-hidden="true" style={{ height: `${px}px` }} /> : null;
}

function Heading({ column, route }: { column: StatementColumn; route: BillingRoute }) {
  const sorted = route.sort === column;
  const sort = () => replace({ ...route, sort: column, descending: sorted ? !route.descending : statementsDescend(column) });
  return (
    <th
      scope="col"
      class={`s-${column}`}
      aria-sort={sorted ? (route.descending ? "descending" : "ascending") : undefined}
      title={column in t.columnHint ? t.columnHint[column as keyof typeof t.columnHint] : undefined}
    >
      <button type="button" onClick={sort}>
        {t[column]}
        <span class="arrow" aria-hidden="true">
          {sorted ? (route.descending ? "▼" : "▲") : ""}
        </span>
      </button>
    </th>
  );
}

function Row({ row, index, route }: { row: StatedStatement; index: number; route: BillingRoute }) {
  const target = { ...route, server: row.server, revision: undefined };
  const open = (event: MouseEvent) => {
    if ((event.target as Element).closest("a") || getSelection()?.toString()) return;
    go(target);
  };
  const over = (row.overage_bps ?? 0) > 0;
  return (
    <tr data-row aria-rowindex={index + 2} onClick={open}>
      <th scope="row" class="s-server">
        <a href={routeHash(target)}>{row.server}</a> {row.kind === "pool" && <Badge tone="plain">{t.pool}</Badge>}
        <span class="under">
          {row.customer} · {row.region}
        </span>
      </th>
      <td class="s-customer">{row.customer}</td>
      <td class="s-region">{row.region}</td>
      <td class="s-plan">{row.plan}</td>
      <td class="s-p95">{row.p95_bps === null ? <span class="none">{t.noData}</span> : <Rate bps={row.p95_bps} />}</td>
      <td class={over ? "s-overage strong" : "s-overage"}>
        <Rate bps={row.overage_bps} />
      </td>
      <td class="s-billable">
        <Rate bps={row.billable_bps} />
      </td>
      <td class="s-amount">
        <Money amount={row.amount} currency={row.currency} />
      </td>
      <td class="s-coverage">
        <Coverage coverage={row.coverage} />
      </td>
      <td class="s-state">
        {row.state === "issued" ? <span class="muted">{t.states.issued}</span> : <Badge tone={row.state === "held" ? "warn" : "plain"}>{t.states[row.state]}</Badge>}
        {row.revision > 1 && (
          <span title={row.reason ?? undefined}>
            {" "}
            <Badge tone="plain">{t.revisionShort(row.revision)}</Badge>
          </span>
        )}
      </td>
    </tr>
  );
}
