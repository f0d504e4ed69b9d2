// One statement, explained: what was measured, which value decides, how it becomes an amount, and how anybody can check it.

import { useLayoutEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import * as api from "../../api/periods";
import type { Explanation, Line, Statement } from "../../api/periods";
import { count, dateTime, mbps, money, percent, periodName } from "../../format";
import { language, LANGUAGE_NAMES, type Language } from "../../language";
import { usePolled } from "../../polled";
import { serviceWords } from "../../pure/service_words";
import { BILLING, routeHash, type BillingRoute } from "../../router";
import { may } from "../../session";
import { t } from "../../words/billing";
import { Answered } from "../answered";
import { Approve } from "./review";
import { Revise } from "./revise";
import { Steps } from "./steps";
import { exact, gapCause } from "./words";
import { Copy } from "../copy";
import { Badge, Coverage, Money, Rate, When } from "../figures";
import { Panel } from "../panel";
import { Scroll } from "../scroll";

interface Answer {
  explained: Explanation;
  lines: Line[];
}

export function Explain({ month, server, route }: { month: string; server: string; route: BillingRoute }) {
  const { revision } = route;
  const polled = usePolled<Answer>(`explain ${month} ${server} ${revision ?? ""}`, ["periods"], (signal) => ask(month, server, revision, signal));
  useLayoutEffect(() => scrollTo(0, 0), []);
  return (
    <>
      <p class="back">
        <a href={routeHash({ ...route, server: undefined, revision: undefined })}>← {t.back}</a>
      </p>
      <Answered polled={polled} what={`${t.statementOf(server)} (${periodName(month)})`}>
        {(answer) => <Explained {...answer} route={route} done={polled.retry} />}
      </Answered>
    </>
  );
}

async function ask(month: string, server: string, revision: number | undefined, signal: AbortSignal): Promise<Answer> {
  const explained = await api.explanation(month, server, revision, signal);
  // Of what was never issued there are no lines.
  const lines = explained.revisions.length === 0 ? [] : await api.lines(month, server, signal);
  return { explained, lines };
}

function Explained({ explained, lines, route, done }: Answer & { route: BillingRoute; done: () => void }) {
  const { statement } = explained;
  const [dialog, setDialog] = useState<"approve" | "revise" | undefined>();
  const close = () => setDialog(undefined);
  const held = explained.state === "held";
  const at = (instant: string) => dateTime(instant, statement.timezone);
  return (
    <>
      <div class="title">
        <h1>
          {statement.server} <span class="of-what">{periodName(statement.period)}</span>
        </h1>
        <p>
          {statement.kind === "pool" && `${t.pool} · `}
          {statement.customer}
          {statement.region !== "" && ` · ${statement.region}`} · {t.plan} {statement.plan}
        </p>
      </div>
      <p class="explain-state">
        <Badge tone={held ? "warn" : "ok"}>{t.states[explained.state]}</Badge> <Badge tone="plain">{t.revisionOf(statement.revision)}</Badge>{" "}
        <span>
          {held ? t.notIssued : t.issuedAt(at(statement.issued_at), statement.issued_by)}
          {statement.reason !== null && ` · ${t.correction(statement.reason)}`}
        </span>
        {statement.kind === "server" && (
          <a href={routeHash({ view: "server", server: statement.server, period: statement.period })}>{t.theMonth}</a>
        )}
      </p>
      {statement.review && (
        <div class={held ? "held" : "held over-with"}>
          <ul>
            {statement.review.reasons.map((reason) => (
              <li key={reason}>{serviceWords(reason, statement.timezone)}</li>
            ))}
          </ul>
          {statement.review.approved_by !== null && <p>{t.fromHeld(statement.review.approved_by, statement.review.note ?? "")}</p>}
          {held && may("billing") && (
            <button type="button" class="primary" onClick={() => setDialog("approve")}>
              {t.approve}
            </button>
          )}
        </div>
      )}
      <Headline statement={statement} />
      <div class="case-columns">
        <div class="column">
          {statement.rank !== null && <Ranking explained={explained} />}
          {explained.steps.length > 0 && (
            <Panel title={t.calculation}>
              <Steps steps={explained.steps} />
              {statement.tariff === null && <p class="muted">{t.noPrice}</p>}
            </Panel>
          )}
          <Discarded explained={explained} />
        </div>
        <div class="column">
          <Measured statement={statement} />
          {statement.kind === "pool" && <Members statement={statement} />}
          <Proof statement={statement} held={held} newest={route.revision === undefined} />
          <Revisions lines={lines} of={statement} route={route}>
            {!held && may("billing") && (
              <button type="button" onClick={() => setDialog("revise")}>
                {t.correct}
              </button>
            )}
          </Revisions>
        </div>
      </div>
      {dialog === "approve" && <Approve of={statement} close={close} done={done} />}
      {dialog === "revise" && <Revise month={statement.period} server={statement.server} close={close} done={done} />}
    </>
  );
}

function Headline({ statement: of }: { statement: Statement }) {
  if (of.p95_bps === null) return <p class="explain-none">{t.noDataAtAll}</p>;
  const figure = (name: string, bps: number | null, over = false) => (
    <div>
      <dt>{name}</dt>
      <dd class={over ? "over" : undefined}>
        <Rate bps={bps} /> <span class="unit">{t.mbps}</span>
      </dd>
    </div>
  );
  const last = of.allowances.at(-1)?.bps ?? null;
  return (
    <dl class="headline">
      {figure(t.p95, of.p95_bps)}
      {figure(t.allowance, last)}
      {figure(t.overage, of.overage_bps)}
      {figure(t.billable, of.billable_bps)}
      <div>
        <dt>{t.toPay}</dt>
        <dd class={Number(of.amount ?? 0) > 0 ? "over" : undefined}>
          <Money amount={of.amount} currency={of.currency} />
        </dd>
      </div>
    </dl>
  );
}

function Ranking({ explained }: { explained: Explanation }) {
  const { statement, neighbours, direction } = explained;
  const { timezone } = statement;
  const byExcess = statement.allowances.length > 1;
  const decides = neighbours.find((one) => one.decides);
  return (
    <Panel title={t.rankTitle} aside={t.bps}>
      <p>
        {t.method[statement.method]} {t.rankHelp(count(statement.ranked), count(statement.discarded), count(decides?.from_top ?? statement.discarded + 1))}{" "}
        {byExcess && t.rankedByExcess} {direction !== null && t.directionCounts[direction]}
      </p>
      <Scroll label={t.rankTitle}>
        <table class="plain wide ranking">
          <caption class="sr">{t.rankTitle}</caption>
          <thead>
            <tr>
              <th scope="col" class="number">
                {t.place}
              </th>
              <td />
              <th scope="col">{t.slot}</th>
              <th scope="col" class="number">
                {t.in}
              </th>
              <th scope="col" class="number">
                {t.out}
              </th>
              <th scope="col" class="number">
                {t.value}
              </th>
              <th scope="col" class="number">
                {t.allowance}
              </th>
              <th scope="col" class="number">
                {t.above}
              </th>
            </tr>
          </thead>
          <tbody>
            {neighbours.map((one) => {
              const discarded = !one.decides && decides !== undefined && one.from_top < decides.from_top;
              return (
                <tr key={one.from_top} class={one.decides ? "decides" : discarded ? "discarded" : undefined}>
                  <th scope="row" class="number">
                    {count(one.from_top)}
                  </th>
                  <td>{one.decides ? <Badge tone="over">{t.decides}</Badge> : discarded ? t.isDiscarded : ""}</td>
                  <td>{one.slot === null ? <span class="none">{t.noSample}</span> : dateTime(one.slot, timezone)}</td>
                  <td class="number">{exact(one.in_bps)}</td>
                  <td class="number">{exact(one.out_bps)}</td>
                  <td class="number">{exact(one.value_bps)}</td>
                  <td class="number">{exact(one.allowance_bps)}</td>
                  <td class="number">{exact(one.excess_bps)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </Panel>
  );
}

/** The discarded samples by day, each a bar as long as the day has many. */
function Discarded({ explained: { statement, discarded } }: { explained: Explanation }) {
  if (statement.discarded === 0) return null;
  const most = Math.max(1, ...discarded.map(({ slots }) => slots));
  const shown = discarded.reduce((sum, { slots }) => sum + slots, 0);
  return (
    <Panel title={t.discardedTitle} aside={`${t.largest}: ${t.bps}`}>
      <table class="plain wide discarded-days">
        <caption class="sr">{t.discardedTitle}</caption>
        <thead>
          <tr>
            <th scope="col">{t.day}</th>
            <th scope="col" class="number">
              {t.slots}
            </th>
            <td />
            <th scope="col" class="number">
              {t.largest}
            </th>
          </tr>
        </thead>
        <tbody>
          {discarded.map(({ day, slots, largest_bps }) => (
            <tr key={day}>
              <th scope="row">{day}</th>
              <td class="number">{count(slots)}</td>
              <td class="bar-cell">
                <span class="day-bar" aria-hidden="true" style={{ width: `${((slots / most) * 100).toFixed(1)}%` }} />
              </td>
              <td class="number">{exact(largest_bps)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown < statement.discarded && <p class="muted">{t.discardedRest(count(statement.discarded - shown))}</p>}
    </Panel>
  );
}

function Measured({ statement: of }: { statement: Statement }) {
  const at = (instant: string) => dateTime(instant, of.timezone);
  const gaps = of.members.flatMap((member) => member.gaps.map((gap) => ({ ...gap, server: member.server })));
  return (
    <Panel title={t.measuredTitle}>
      <dl class="facts-list">
        <Fact name={t.period}>
          {at(of.from)} – {at(of.until)} <span class="muted">({of.timezone})</span>
        </Fact>
        <Fact name={t.slots}>{t.slotsOf(count(of.samples), count(of.expected))}</Fact>
        <Fact name={t.coverage}>
          <Coverage coverage={of.coverage} /> <span class="muted">({t.coverageLeast(percent(of.min_coverage))})</span>
        </Fact>
        <Fact name={t.gaps}>
          {gaps.length === 0 ? (
            t.noGaps
          ) : (
            <ul class="gap-list">
              {gaps.map((gap) => (
                <li key={`${gap.server} ${gap.from}`}>
                  {of.members.length > 1 && `${gap.server}: `}
                  {t.gap(at(gap.from), at(gap.until), count(gap.slots))} <span class="muted">({gapCause(gap.cause)})</span>
                </li>
              ))}
            </ul>
          )}
          <p class="muted">{t.missing[of.missing]}</p>
          {of.breaks_total > 0 && <p class="muted">{t.breaks(count(of.breaks_total))}</p>}
        </Fact>
        {of.exclusions.length > 0 && (
          <Fact name={t.excluded}>
            <ul class="gap-list">
              {of.exclusions.map((one) => (
                <li key={one.id}>
                  {at(one.from)} – {at(one.until)}: {one.why} <span class="muted">({one.by})</span>
                </li>
              ))}
            </ul>
            {of.measured !== null && of.measured.amount !== null && of.currency !== null && (
              <p>{t.withoutExclusions(money(of.measured.amount, of.currency))}</p>
            )}
          </Fact>
        )}
        <Fact name={t.allowances}>
          {of.allowances.map((step, index) => (
            <p key={step.from}>
              {mbps(step.bps)} {t.mbps} {index > 0 && <span class="muted">{t.fromOn(at(step.from))}</span>}
            </p>
          ))}
          {of.allowances.length > 1 && <p class="muted">{t.allowanceChanged}</p>}
        </Fact>
        {of.plans.length > 1 && (
          <Fact name={t.plans}>
            {of.plans.map((step, index) => (
              <p key={step.from}>
                {step.plan} {index > 0 && <span class="muted">{t.fromOn(at(step.from))}</span>}
              </p>
            ))}
          </Fact>
        )}
      </dl>
    </Panel>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Members({ statement: of }: { statement: Statement }) {
  return (
    <Panel title={t.membersTitle} aside={t.bps}>
      <p class="muted">{t.membersHelp}</p>
      <Scroll label={t.membersTitle}>
        <table class="plain wide">
          <thead>
            <tr>
              <th scope="col">{t.server}</th>
              <th scope="col" class="number">
                {t.samples}
              </th>
              <th scope="col" class="number">
                {t.ownP95}
              </th>
              <th scope="col" class="number">
                {t.partIn}
              </th>
              <th scope="col" class="number">
                {t.partOut}
              </th>
            </tr>
          </thead>
          <tbody>
            {of.members.map((member) => (
              <tr key={member.server}>
                <th scope="row">
                  <a href={routeHash({ view: "server", server: member.server, period: of.period })}>{member.server}</a>
                </th>
                <td class="number">{count(member.samples)}</td>
                <td class="number">{exact(member.p95_bps)}</td>
                <td class="number">{exact(member.share_in_bps)}</td>
                <td class="number">{exact(member.share_out_bps)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Panel>
  );
}

function Proof({ statement: of, held, newest }: { statement: Statement; held: boolean; newest: boolean }) {
  const name = `${of.period}_${of.server}_r${of.revision}.meter95`;
  const [verify, hash] = [`meter95 verify ${name}`, `tail -n +2 ${name} | sha256sum`];
  // The reader's own language first.
  const languages = (Object.keys(LANGUAGE_NAMES) as Language[]).sort((one) => (one === language ? -1 : 1));
  return (
    <Panel title={t.proof}>
      {!held && (
        <>
          <p class="downloads">
            <a href={api.files.bundle(of.period, of.server, of.revision)} download>
              {t.bundle}
            </a>
          </p>
          <p class="muted">{t.proofHelp}</p>
          <p>{t.verifyHelp}</p>
          <p class="command">
            <code>{verify}</code> <Copy text={verify} />
          </p>
          <p>{t.hashHelp}</p>
          <p class="command">
            <code>{hash}</code> <Copy text={hash} />
          </p>
        </>
      )}
      <dl class="facts-list">
        <Fact name={t.sampleHash}>
          <code class="hash">{of.samples_sha256}</code>
        </Fact>
        <Fact name={t.rulesVersion}>
          {of.rules} <span class="muted">· {t.inventoryVersion} {of.inventory_version}</span>
        </Fact>
        <Fact name={t.asText}>
          {languages.map((lang) => (
            <a key={lang} class="in-row" lang={lang} href={api.files.text(of.period, of.server, of.revision, lang)}>
              {LANGUAGE_NAMES[lang]}
            </a>
          ))}
        </Fact>
        {newest && (
          <Fact name={t.asPage}>
            {languages.map((lang) => (
              <span key={lang} class="in-row" lang={lang}>
                <a href={api.files.report(of.period, of.server, lang, "html")}>{LANGUAGE_NAMES[lang]}</a>{" "}
                <a href={api.files.report(of.period, of.server, lang, "pdf")} aria-label={`${LANGUAGE_NAMES[lang]}, PDF`}>
                  PDF
                </a>
              </span>
            ))}
          </Fact>
        )}
      </dl>
    </Panel>
  );
}

/** What each revision changed, as it was exported. */
function Revisions({ lines, of, route, children }: { lines: Line[]; of: Statement; route: BillingRoute; children: ComponentChildren }) {
  if (lines.length === 0) return null;
  return (
    <Panel title={t.revisionsTitle} aside={children}>
      <Scroll label={t.revisionsTitle}>
        <table class="plain wide">
          <caption class="sr">{t.revisionsTitle}</caption>
          <thead>
            <tr>
              <th scope="col">{t.revision}</th>
              <th scope="col" class="number">
                {t.billable}
              </th>
              <th scope="col" class="number">
                {t.amount}
              </th>
              <th scope="col" class="number">
                {t.change}
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={`${line.revision} ${line.line} ${line.currency}`}>
                <th scope="row" class="wrap">
                  {line.revision === of.revision ? (
                    t.revisionOf(line.revision)
                  ) : (
                    <a href={routeHash({ ...BILLING, period: route.period ?? of.period, server: of.server, revision: line.revision })}>{t.revisionOf(line.revision)}</a>
                  )}
                  <span class="under">
                    <When at={line.issued_at} timezone={of.timezone} />
                    {line.reason !== null && `: ${line.reason}`}
                  </span>
                </th>
                <td class="number">
                  <Rate bps={line.billable_bps} />
                </td>
                <td class="number">
                  <Money amount={line.amount_after} currency={line.currency} />
                </td>
                <td class="number">
                  {line.revision === 1 ? <span class="muted">{t.first}</span> : <Money amount={line.amount} currency={line.currency} />}
                  {line.revision > 1 && <span class="under">{t.line[line.line]}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Panel>
  );
}
