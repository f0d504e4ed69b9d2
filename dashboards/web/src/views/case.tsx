// One case: what happened, what is recommended, what was done, and what may be done now.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import type { Outcome, Recommendation, Recommended, WholeCase } from "../api/cases";
import * as api from "../api/cases";
import { customer as askCustomer } from "../api/inventory";
import { usage, type ServerUsage } from "../api/usage";
import { dateTime, mbps, periodName, speed } from "../format";
import { language, LANGUAGE_NAMES, type Language } from "../language";
import { Answered } from "../parts/answered";
import { CaseActs } from "../parts/case/act";
import { CaseChart } from "../parts/case/chart";
import { CaseContacts } from "../parts/case/contacts";
import { CaseHistory } from "../parts/case/history";
import { CaseSnippet } from "../parts/case/snippet";
import { capWords, findingWords, nextWords, stateTone } from "../parts/case/words";
import { Copy } from "../parts/copy";
import { Badge, Money, Rate } from "../parts/figures";
import { Panel } from "../parts/panel";
import { useTitle } from "../parts/shell";
import { nextStep } from "../pure/case_acts";
import { pointless, sameOutcome } from "../pure/outlook";
import { usePolled } from "../polled";
import { CASES, routeHash, type CaseRoute } from "../router";
import { may } from "../session";
import { useSite } from "../site";
import { t } from "../words/cases";

/** Contacts come with the whole inventory. Of a site with more servers it is asked for only on demand. */
const SMALL_SITE_SERVERS = 5_000;

interface Answer {
  of: WholeCase;
  /** In words; only what has not ended is recommended. */
  recommended: Recommended | undefined;
}

export function CaseView({ route }: { route: CaseRoute }) {
  const polled = usePolled<Answer>(`case ${route.id}`, ["cases"], (signal) => ask(route.id, signal));
  const server = polled.answer?.of.server;
  useTitle(server === undefined ? t.caseNumber(route.id) : `${server}, ${t.caseNumber(route.id)}`);
  useLayoutEffect(() => scrollTo(0, 0), []);
  return (
    <>
      <p class="back">
        <a href={routeHash({ ...CASES, period: route.period })}>← {t.back}</a>
      </p>
      <Answered polled={polled} what={t.caseNumber(route.id)}>
        {(answer) => <CaseOf {...answer} route={route} done={polled.retry} />}
      </Answered>
    </>
  );
}

async function ask(id: number, signal: AbortSignal): Promise<Answer> {
  const [of, recommendations] = await Promise.all([api.whole(id, signal), api.recommendations(signal)]);
  return { of, recommended: recommendations.find((one) => one.case === id) };
}

function CaseOf({ of, recommended, route, done }: Answer & { route: CaseRoute; done: () => void }) {
  const { recommendation } = of;
  const { timezone } = recommendation;
  const at = (instant: string) => dateTime(instant, timezone);
  const { answer: site } = useSite(route.period);
  const [wanted, setWanted] = useState(false);
  const asksContacts = may("site") && (wanted || (site !== undefined && site.count <= SMALL_SITE_SERVERS));
  const { answer: customer } = usePolled(asksContacts ? `customer ${of.customer}` : "", ["inventory"], async (signal) =>
    asksContacts ? await askCustomer(of.customer, signal) : undefined,
  );
  return (
    <>
      <div class="title">
        <h1>
          {of.server} <span class="of-what">{t.caseNumber(of.id)}</span>
        </h1>
        <p>
          {of.customer} · {of.region} · {t.plan} {recommendation.plan}
          {of.reopenings > 0 && ` · ${t.reopened(of.reopenings)}`}
        </p>
      </div>
      <section class="next-step" aria-label={t.next}>
        <p>
          <Badge tone={stateTone(of)}>{t.states[of.state]}</Badge>{" "}
          {of.urgent && of.open && <Badge tone="over">{t.urgent}</Badge>} <strong>{nextWords(of, timezone)}</strong>
        </p>
        <p class="muted">
          {of.answered_at !== null && `${t.answered(at(of.answered_at))} `}
          {of.ready_at !== null && of.answered_at === null && `${t.allTried(at(of.ready_at))} `}
          {of.urgent && of.open && of.notified_at === null && t.urgentHint}
          {nextStep(of, Date.now()) === "contact" && t.contactFirst}
        </p>
        {may("cases") ? <CaseActs of={of} contacts={customer?.contacts ?? []} done={done} /> : <p class="muted">{t.mayNot}</p>}
      </section>
      <div class="case-columns">
        <div class="column">
          <Panel
            title={t.evidence}
            aside={
              <a href={routeHash({ view: "server", server: of.server, period: recommendation.outlook.period })}>{t.seeMonth}</a>
            }
          >
            {of.open && <p class="hint">{t.figuresStand(at(recommendation.at))}</p>}
            <ul class="findings">
              {recommendation.rules.map((found) => (
                <li key={found.rule}>
                  <strong>{t.rule[found.rule]}</strong>{" "}
                  <span class="muted">
                    {t.found.began(at(found.began))} · {t.figuresAt(at(recommendation.at))}
                  </span>
                  <p>{findingWords(found)}</p>
                </li>
              ))}
            </ul>
            <CaseChart of={of} />
            {recommendation.slots.length > 0 && <Slots recommendation={recommendation} />}
          </Panel>
          {recommended && <InWords text={recommended.text} />}
          <Panel title={t.history}>
            <CaseHistory steps={of.steps} timezone={timezone} />
          </Panel>
        </div>
        <div class="column">
          <LimitPanel of={of} />
          <OutlookPanel of={of} />
          <CaseSnippet key={of.state} of={of} />
          {may("site") && <CaseContacts of={of} customer={customer} show={asksContacts ? undefined : () => setWanted(true)} />}
          <ReliefPanel recommendation={recommendation} />
        </div>
      </div>
    </>
  );
}

/** The slots by which the rules hold, for whoever can't point at the chart. */
function Slots({ recommendation: { slots, timezone } }: { recommendation: Recommendation }) {
  return (
    <details class="slots">
      <summary>{t.slotsAsFigures}</summary>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">{t.slot}</th>
            <th scope="col" class="number">
              {t.in}
            </th>
            <th scope="col" class="number">
              {t.out}
            </th>
          </tr>
        </thead>
        <tbody>
          {slots.map((one) => (
            <tr key={one.slot}>
              <th scope="row">{dateTime(one.slot, timezone)}</th>
              <td class="number">
                <Rate bps={one.in_bps} />
              </td>
              <td class="number">
                <Rate bps={one.out_bps} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** The service's own paragraph, in either language: the customer may read another one than whoever acts. */
function InWords({ text }: { text: Recommended["text"] }) {
  const [chosen, setChosen] = useState<Language>(language);
  return (
    <Panel title={t.inWords} aside={<Copy text={text[chosen]} />}>
      <p class="hint">{t.inWordsHint}</p>
      <div class="choice" role="group" aria-label={t.languageOfText}>
        {(Object.keys(LANGUAGE_NAMES) as Language[]).map((name) => (
          <button key={name} type="button" lang={name} aria-pressed={chosen === name} onClick={() => setChosen(name)}>
            {LANGUAGE_NAMES[name]}
          </button>
        ))}
      </div>
      <p class="paragraph" lang={chosen}>
        {text[chosen]}
      </p>
    </Panel>
  );
}

function LimitPanel({ of }: { of: WholeCase }) {
  const { recommendation } = of;
  const { timezone, cap } = recommendation;
  const until = (instant: string) => dateTime(instant, timezone);
  const set = of.limit && (of.state === "applied" ? t.limitSet : t.limitWas)(mbps(of.limit.cap_bps), until(of.limit.until));
  return (
    <Panel title={t.cap} aside={t.figuresAt(until(recommendation.at))}>
      <p class="cap">
        <strong>
          <Rate bps={cap.cap_bps} /> <span class="unit">{t.mbps}</span>
        </strong>{" "}
        {t.limitTerms(until(recommendation.until))}
      </p>
      <p class="muted">{capWords(recommendation)}</p>
      {set && <p>{set}</p>}
    </Panel>
  );
}

/** What is certain, what it comes to by now, and what the limit was thought to change. */
function OutlookPanel({ of }: { of: WholeCase }) {
  const { recommendation } = of;
  const { outlook, timezone } = recommendation;
  // What has ended has no figures of today: its month may be over.
  const { answer: now } = usePolled(of.open ? `usage ${of.server} ${outlook.period}` : "", ["usage"], async (signal) =>
    of.open ? (await usage({ server: of.server, period: outlook.period }, signal)).servers[0] : undefined,
  );
  const row = (name: ComponentChildren, outcome: Pick<Outcome, "p95_bps" | "overage_bps" | "amount" | "currency">) => (
    <tr>
      <th scope="row">{name}</th>
      <td class="number">
        <Rate bps={outcome.p95_bps} />
      </td>
      <td class="number">
        <Rate bps={outcome.overage_bps} />
      </td>
      <td class="number">
        <Money amount={outcome.amount} currency={outcome.currency} />
      </td>
    </tr>
  );
  return (
    <Panel title={t.outlook} aside={t.outlookOf(periodName(outlook.period))}>
      <table class="plain wide">
        <thead>
          <tr>
            <td />
            <th scope="col" class="number">
              {t.p95}
            </th>
            <th scope="col" class="number">
              {t.overage}
            </th>
            <th scope="col" class="number">
              {t.amount}
            </th>
          </tr>
        </thead>
        <tbody>
          {now && row(t.atLeast, certain(now))}
          {now && row(t.soFar, now)}
          {row(t.without, outlook.without)}
          {row(t.with, outlook.with)}
        </tbody>
      </table>
      {now && now.amount !== now.locked_in_amount && <p class="hint">{t.canFall}</p>}
      <p class="hint">{t.outlookHelp(dateTime(recommendation.at, timezone))}</p>
      {pointless(recommendation) ? <p class="hint">{t.pointless}</p> : sameOutcome(recommendation) && <p class="hint">{t.same}</p>}
    </Panel>
  );
}

function certain({ locked_in_p95_bps, locked_in_overage_bps, locked_in_amount, currency }: ServerUsage) {
  return { p95_bps: locked_in_p95_bps, overage_bps: locked_in_overage_bps, amount: locked_in_amount, currency };
}

function ReliefPanel({ recommendation: { relief, others, at, timezone } }: { recommendation: Recommendation }) {
  return (
    <Panel title={t.relief} aside={t.figuresAt(dateTime(at, timezone))}>
      {relief.length === 0 ? (
        <p class="muted">{t.noRelief}</p>
      ) : (
        <table class="plain wide">
          <thead>
            <tr>
              <th scope="col">{t.uplinks}</th>
              <th scope="col" class="number">
                {t.load}
              </th>
              <th scope="col" class="number">
                {t.freed}
              </th>
            </tr>
          </thead>
          <tbody>
            {relief.map((one) => (
              <tr key={`${one.uplinks} ${one.direction}`}>
                <td class="wrap">
                  {one.uplinks.join(" + ")}
                  <span class="under">
                    {speed(one.speed_bps)}, {t.direction[one.direction]}
                  </span>
                </td>
                <td class="number">
                  <Rate bps={one.load_bps} />
                </td>
                <td class="number">
                  <Rate bps={one.freed_bps} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h3>{t.others}</h3>
      {others.servers.length === 0 ? (
        <p class="muted">{t.noOthers}</p>
      ) : (
        <p class="others">
          {others.servers.map((one) => (
            <span key={one.server}>
              <a href={routeHash({ view: "server", server: one.server, period: undefined })}>{one.server}</a>{" "}
              <span class="muted">{mbps(Math.max(one.in_bps, one.out_bps))}</span>
            </span>
          ))}
          {others.more > 0 && <span class="muted">{t.othersMore(String(others.more))}</span>}
        </p>
      )}
    </Panel>
  );
}
