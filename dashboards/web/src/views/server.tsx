// One server's month: what is billed, why, what can still be done, and every sample behind it.

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiFailure } from "../api/ask";
import { openCaseOf } from "../api/cases";
import * as periods from "../api/periods";
import * as servers from "../api/servers";
import * as usages from "../api/usage";
import type { Compared } from "../api/what_if";
import type { Layer } from "../chart/data";
import { count, periodName } from "../format";
import { startOf } from "../pure/month/slots";
import type { View } from "../pure/month/view";
import { Answered } from "../parts/answered";
import { ChartPanel } from "../parts/month/chart_panel";
import { BurstPanel } from "../parts/month/burst";
import { DurationPanel } from "../parts/month/duration";
import { Facts } from "../parts/month/facts";
import { FigureBoxes } from "../parts/month/figures";
import { HeatPanel } from "../parts/month/heat";
import { chartData, month as monthOf, type Answer, type Month } from "../parts/month/month";
import { WhyNoData } from "../parts/month/no_data";
import { MonthStrip, StandingLine } from "../parts/month/standing";
import { WhatIfPanel } from "../parts/month/what_if";
import { WhyPanel } from "../parts/month/why";
import { Banner } from "../parts/notice";
import { useTitle } from "../parts/shell";
import { usePolled } from "../polled";
import { replace, routeHash, serversRoute, type ServerRoute } from "../router";
import { may } from "../session";
import { runningPeriod } from "../site";
import { t } from "../words/server";

export function ServerView({ route }: { route: ServerRoute }) {
  const { server, period } = route;
  const polled = usePolled<Answer>(`server ${server} ${period ?? ""}`, ["usage", "inventory", "periods", "cases"], (signal) =>
    ask(server, period, signal),
  );
  useTitle(server);
  useLayoutEffect(() => scrollTo(0, 0), []);
  return (
    <Answered polled={polled} what={`${t.server} ${server}`}>
      {(answer) => <MonthOf route={route} answer={answer} />}
    </Answered>
  );
}

async function ask(id: string, period: string | undefined, signal: AbortSignal): Promise<Answer> {
  const [found, server, samples, exclusions, openCase] = await Promise.all([
    known(usages.usage({ server: id, period }, signal)),
    known(servers.server(id, signal)),
    known(servers.samples(id, period, signal)),
    may("site") ? periods.exclusionsOf(id, signal) : undefined,
    openCaseOf(id, signal),
  ]);
  // What has left the inventory has no line, but its statements stay.
  const usage = found ?? { ...(await usages.usage({ period, limit: 1 }, signal)), servers: [] };
  const row = usage.servers.find((row) => row.server === id);
  const ended = usage.period !== runningPeriod(usage);
  const [statement, month] = await Promise.all([
    ended ? periods.statementOf(usage.period, row?.pool ?? id, signal) : undefined,
    ended && may("site") ? periods.period(usage.period, signal) : undefined,
  ]);
  if (!server && !row && !statement) throw new ApiFailure("not_found", "");
  return { usage, row, server, samples, statement, exclusions, openCase, phase: month?.state };
}

/** What there is no longer of a server that has left the inventory; its statements stay. */
async function known<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof ApiFailure && cause.kind === "not_found") return undefined;
    throw cause;
  }
}

function MonthOf({ route, answer }: { route: ServerRoute; answer: Answer }) {
  const id = route.server;
  const month = useMemo(() => monthOf(id, answer), [id, answer]);
  const [hidden, setHidden] = useState<ReadonlySet<Layer>>(new Set());
  const [compared, setCompared] = useState<Compared | undefined>();
  const data = useMemo(() => chartData(month, hidden, compared), [month, hidden, compared]);
  const [wanted, setWanted] = useState<{ view: View | undefined } | undefined>();
  const { span } = route;
  // What the address says is shown, unless it says what the chart has just told it.
  const told = useRef("");
  const asked = `${month.period} ${span?.from} ${span?.until}`;
  useEffect(() => {
    if (asked !== told.current) setWanted({ view: span && viewOf(month, span) });
    told.current = asked;
  }, [asked]);
  const viewed = (view: View | undefined) => {
    const seen = view && spanOf(month, view);
    told.current = `${month.period} ${seen?.from} ${seen?.until}`;
    replace({ ...route, span: seen });
  };
  const show = useCallback((view: View) => {
    setWanted({ view });
    document.querySelector(".chart-panel")?.scrollIntoView({ block: "nearest" });
  }, []);
  const facts = month.own ?? month.row ?? month.server;
  const periodTitle = periodName(month.period);
  return (
    <>
      <div class="title">
        <p class="back">
          <a href={routeHash(serversRoute(route.period))}>← {t.back}</a>
        </p>
        <h1>{id}</h1>
        {facts && (
          <p>
            {facts.customer} · {facts.region} · {t.plan} {facts.plan}
            {month.figures && ` · ${t.method[month.figures.method]}`}
          </p>
        )}
        <MonthStrip route={route} month={month} />
      </div>
      {month.figures ? (
        <>
          <StandingLine month={month} zoomed={span} />
          <WhyNoData month={month} />
          <FigureBoxes month={month} />
          <WhyPanel month={month} />
        </>
      ) : (
        <Banner text={t.notInPeriod(periodTitle)} />
      )}
      <ChartPanel
        month={month}
        data={data}
        wanted={wanted}
        hide={setHidden}
        viewed={viewed}
        summary={t.chartSummary(id, periodTitle, count(month.sampled))}
      />
      <div class="month-parts">
        <DurationPanel month={month} />
        <HeatPanel month={month} show={show} />
        <BurstPanel month={month} />
      </div>
      {may("site") && month.figures && <WhatIfPanel month={month} compared={compared} setCompared={setCompared} />}
      {month.server && <Facts server={month.server} timezone={month.timezone} />}
    </>
  );
}

/** The instants between which a view lies, in whole minutes. */
function spanOf({ slots }: Month, view: View): NonNullable<ServerRoute["span"]> {
  const at = (slot: number) => `${new Date(startOf(slots, slot)).toISOString().slice(0, 16)}Z`;
  return { from: at(Math.floor(view.from)), until: at(Math.ceil(view.until)) };
}

/** The view of a span; undefined where it lies in another month. */
function viewOf({ slots }: Month, { from, until }: NonNullable<ServerRoute["span"]>): View | undefined {
  const at = (instant: string) => (Date.parse(instant) - slots.from_ms) / slots.slot_ms;
  const view = { from: at(from), until: at(until) };
  return view.until > 0 && view.from < slots.count ? view : undefined;
}
