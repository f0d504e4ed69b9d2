// One server: what is billed, why, and every sample behind it.

import type { ComponentChildren } from "preact";
import { useLayoutEffect } from "preact/hooks";
import type { Samples, Server } from "../api/servers";
import * as servers from "../api/servers";
import type { ServerUsage, Usage } from "../api/usage";
import * as usages from "../api/usage";
import { ago, bitPerSecond, count, dateTime, hours, mbps, mbpsFine, money, periodName, speed } from "../format";
import { ChartPanel } from "../parts/chart_panel";
import { BurstLeft, Coverage, None } from "../parts/figures";
import { Answered } from "../parts/answered";
import { Banner } from "../parts/notice";
import { useTitle } from "../parts/shell";
import { usePolled } from "../polled";
import { routeHash, serversRoute, type ServerRoute } from "../router";
import { runningPeriod } from "../site";
import { t } from "../words/server";

interface Answer {
  usage: Usage;
  row: ServerUsage | undefined;
  server: Server | undefined;
  samples: Samples;
}

export function ServerView({ route }: { route: ServerRoute }) {
  const { server, period } = route;
  const polled = usePolled<Answer>(`server ${server} ${period ?? ""}`, ["usage", "inventory"], (signal) =>
    ask(server, period, signal),
  );
  useTitle(server);
  useLayoutEffect(() => scrollTo(0, 0), []);
  return (
    <>
      <p class="back">
        <a href={routeHash(serversRoute(period))}>← {t.back}</a>
      </p>
      <Answered polled={polled} what={`${t.server} ${server}`}>
        {(answer) => <ServerOf id={server} {...answer} />}
      </Answered>
    </>
  );
}

async function ask(id: string, period: string | undefined, signal: AbortSignal): Promise<Answer> {
  const [usage, server, samples] = await Promise.all([
    usages.usage({ server: id, period }, signal),
    servers.server(id, signal),
    servers.samples(id, period, signal),
  ]);
  return {
    usage,
    row: usage.servers.find((row) => row.server === id),
    server,
    samples,
  };
}

function ServerOf({ id, usage, row, server, samples }: Answer & { id: string }) {
  const facts = row ?? server;
  return (
    <>
      <div class="title">
        <h1>{id}</h1>
        {facts && (
          <p>
            {facts.customer} · {facts.region} · {t.plan} {facts.plan}
            {row && ` · ${t.method[row.method]}`}
          </p>
        )}
      </div>
      {row ? <Figures row={row} server={server} usage={usage} /> : <Banner text={t.notInPeriod(periodName(usage.period))} />}
      <ChartPanel samples={samples} usage={usage} row={row} />
      {server && <Facts server={server} usage={usage} />}
    </>
  );
}

function Figures({ row, server, usage }: { row: ServerUsage; server: Server | undefined; usage: Usage }) {
  const some = row.p95_bps !== null;
  const over = some && (row.overage_bps ?? 0) > 0;
  const running = usage.period === runningPeriod(usage);
  const addons_bps = addonsInForce(server, usage.as_of);
  return (
    <section class="figures">
      <Figure name={running ? t.p95MonthToDate : t.p95Month} bps={row.p95_bps}>
        {some ? (
          <>
            <p>
              {t.in} {row.p95_in_bps === null ? "–" : mbpsFine(row.p95_in_bps)} · {t.out}{" "}
              {row.p95_out_bps === null ? "–" : mbpsFine(row.p95_out_bps)}
            </p>
            <p>{rankSentence(row)}</p>
          </>
        ) : (
          <p>{t.noSampleYet}</p>
        )}
      </Figure>
      <Figure name={t.allowance} bps={row.allowance_bps}>
        <p>{running && addons_bps > 0 ? t.withAddons(mbps(addons_bps)) : t.inForceNow}</p>
      </Figure>
      <Figure name={t.overage} bps={some ? row.overage_bps : null} over={over}>
        {over && (
          <p>
            {row.billable_bps !== null && t.billable(mbps(row.billable_bps))}
            {row.amount !== null && row.currency !== null && <> · {money(row.amount, row.currency)}</>}
          </p>
        )}
      </Figure>
      {running && (
        <Figure name={t.lockedIn} hint={t.hint.locked_in} bps={some ? row.locked_in_overage_bps : null} over={(row.locked_in_overage_bps ?? 0) > 0}>
          {some && (row.locked_in_overage_bps ?? 0) > 0 && row.locked_in_amount !== null && row.currency !== null && (
            <p>{money(row.locked_in_amount, row.currency)}</p>
          )}
          {some && row.locked_in_p95_bps !== null && <p>{t.lockedInP95(mbpsFine(row.locked_in_p95_bps))}</p>}
        </Figure>
      )}
      <div class="figure-box" title={t.hint.burst_left}>
        <h2>{t.burstLeft}</h2>
        <div class="gauge">
          {some ? <BurstLeft left={row.burst_left_slots} all={row.burst_slots} /> : <None />}
        </div>
        <p>{t.burstOf(hours(row.burst_slots))}</p>
        {running && some && row.burst_left_slots === 0 && <p class="over">{t.burstNone}</p>}
      </div>
      <div class="figure-box" title={t.hint.coverage}>
        <h2>{t.coverage}</h2>
        <div class="big">
          <Coverage coverage={row.coverage} />
        </div>
        <p>{t.ofSlots(count(row.samples), count(row.expected_so_far))}</p>
      </div>
    </section>
  );
}

interface FigureProps {
  name: string;
  /** null: no data. */
  bps: number | null;
  hint?: string;
  over?: boolean;
  children?: ComponentChildren;
}

function Figure({ name, bps, hint, over, children }: FigureProps) {
  return (
    <div class="figure-box" title={hint}>
      <h2>{name}</h2>
      {bps === null ? (
        <div class="big none">{t.noData}</div>
      ) : (
        <div class={over ? "big over" : "big"} title={bitPerSecond(bps)}>
          {mbpsFine(bps)} <span class="unit">{t.mbps}</span>
        </div>
      )}
      {children}
    </div>
  );
}

function rankSentence(row: ServerUsage): string {
  if (row.rank === null) return "";
  const missing = row.expected_so_far - row.samples;
  const sentence = t.rank(count(row.rank), count(row.ranked), count(row.ranked - row.rank));
  if (missing <= 0) return sentence;
  const zero = row.ranked > row.samples;
  return `${sentence} ${zero ? t.missingZero(count(missing)) : t.missingExcluded(count(missing))}`;
}

function addonsInForce(server: Server | undefined, at: string): number {
  const at_ms = Date.parse(at);
  return (server?.addons ?? [])
    .filter((addon) => (addon.from === null || Date.parse(addon.from) <= at_ms) && (addon.until === null || Date.parse(addon.until) > at_ms))
    .reduce((sum, addon) => sum + addon.bps, 0);
}

function Facts({ server, usage }: { server: Server; usage: Usage }) {
  const at = (instant: string) => dateTime(instant, usage.timezone);
  return (
    <div class="facts">
      <section class="panel">
        <h2>{t.ports}</h2>
        {server.ports.length === 0 ? (
          <p>{t.noPorts}</p>
        ) : (
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">{t.device}</th>
                <th scope="col">{t.interface}</th>
                <th scope="col">{t.kind}</th>
                <th scope="col">{t.speed}</th>
                <th scope="col">{t.lastReading}</th>
              </tr>
            </thead>
            <tbody>
              {server.ports.map((port) => (
                <tr key={`${port.device} ${port.interface}`}>
                  <td>{port.device}</td>
                  <td>{port.interface}</td>
                  <td>{port.kind}</td>
                  <td>{port.speed_bps === null ? <None /> : speed(port.speed_bps)}</td>
                  <td>
                    {port.last_reading === null ? (
                      <span class="none">{t.noReading}</span>
                    ) : (
                      <time dateTime={port.last_reading} title={at(port.last_reading)}>
                        {ago(port.last_reading, Date.now())}
                      </time>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      {server.addons.length > 0 && (
        <section class="panel">
          <h2>{t.addons}</h2>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">{t.mbps}</th>
                <th scope="col">{t.from}</th>
                <th scope="col">{t.until}</th>
              </tr>
            </thead>
            <tbody>
              {server.addons.map((addon) => (
                <tr key={`${addon.from} ${addon.bps}`}>
                  <td>{mbps(addon.bps)}</td>
                  <td>{addon.from === null ? t.openEnd : at(addon.from)}</td>
                  <td>{addon.until === null ? t.openEnd : at(addon.until)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {(server.service_start !== null || server.service_end !== null) && (
        <section class="panel">
          <h2>{t.serviceSpan}</h2>
          <p>
            {server.service_start !== null && t.serviceFrom(at(server.service_start))}{" "}
            {server.service_end !== null && t.serviceUntil(at(server.service_end))}
          </p>
        </section>
      )}
    </div>
  );
}
