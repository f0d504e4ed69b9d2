// Servers that use far more than they should, what is recommended, and what each waits for.

import type { CaseInfo, Recommendation } from "../api/cases";
import * as api from "../api/cases";
import { byUrgency, heldSince, nextStep } from "../pure/case_acts";
import { bitPerSecond, clockOrDate, count, mbps } from "../format";
import { Answered } from "../parts/answered";
import { nextWords, ruleNames, stateTone } from "../parts/case/words";
import { Ago, Badge, None, Rate } from "../parts/figures";
import { useTitle } from "../parts/shell";
import { usePolled } from "../polled";
import { go, replace, routeHash, type CasesRoute } from "../router";
import { useSite } from "../site";
import { t } from "../words/cases";

interface Answer {
  cases: CaseInfo[];
  recommended: Map<number, Recommendation>;
}

export function Cases({ route }: { route: CasesRoute }) {
  useTitle(t.cases);
  const { answer: site } = useSite(route.period);
  const polled = usePolled<Answer>(`cases ${route.all}`, ["cases"], (signal) => ask(route.all, signal));
  const timezone = site?.timezone ?? "UTC";
  return (
    <>
      <div class="title">
        <h1>{t.cases}</h1>
        <p>{polled.answer && counted(polled.answer.cases)}</p>
        <label class="toggle">
          <input type="checkbox" checked={route.all} onChange={(event) => replace({ ...route, all: event.currentTarget.checked })} />
          {t.showEnded}
        </label>
      </div>
      <p class="intro muted">{t.intro}</p>
      <Answered polled={polled}>
        {({ cases, recommended }) =>
          cases.length === 0 ? (
            <p class="nothing">
              {route.all ? t.noneAtAll : t.none} <span class="muted">{t.noneHelp}</span>
            </p>
          ) : (
            <Table cases={[...cases].sort(byUrgency(Date.now()))} recommended={recommended} route={route} timezone={timezone} />
          )
        }
      </Answered>
    </>
  );
}

async function ask(all: boolean, signal: AbortSignal): Promise<Answer> {
  const [cases, recommendations] = await Promise.all([all ? api.recentCases(signal) : api.openCases(signal), api.recommendations(signal)]);
  return { cases, recommended: new Map(recommendations.map((one) => [one.case, one.recommendation])) };
}

function counted(cases: readonly CaseInfo[]): string {
  const open = cases.filter((of) => of.open);
  const urgent = open.filter((of) => nextStep(of, Date.now()) === "approve_now");
  return urgent.length > 0 ? t.counted(count(open.length), count(urgent.length)) : t.countedOpen(count(open.length));
}

interface TableProps {
  cases: CaseInfo[];
  recommended: Map<number, Recommendation>;
  route: CasesRoute;
  timezone: string;
}

function Table({ cases, recommended, route, timezone }: TableProps) {
  return (
    <table class="plain wide cases">
      <caption class="sr">{t.listOf}</caption>
      <thead>
        <tr>
          <th scope="col">{t.server}</th>
          <th scope="col">{t.why}</th>
          <th scope="col">{t.state}</th>
          <th scope="col" class="c-since">
            {t.since}
          </th>
          <th scope="col" class="number c-rates" title={t.ratesHint}>
            {t.rates}
          </th>
          <th scope="col" class="number c-cap">
            {t.cap}
          </th>
          <th scope="col" class="number c-effect">
            {t.effect}
          </th>
        </tr>
      </thead>
      <tbody>
        {cases.map((of) => (
          <Row key={of.id} of={of} recommendation={recommended.get(of.id)} route={route} timezone={timezone} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ of, recommendation, route, timezone }: { of: CaseInfo; recommendation: Recommendation | undefined; route: CasesRoute; timezone: string }) {
  const target = { view: "case", id: of.id, period: route.period } as const;
  const open = (event: MouseEvent) => {
    if ((event.target as Element).closest("a") || getSelection()?.toString()) return;
    go(target);
  };
  const freed = Math.max(0, ...(recommendation?.relief ?? []).map((relief) => relief.freed_bps));
  const rules = of.rules.map(({ rule }) => rule);
  return (
    <tr class={of.open ? undefined : "ended"} onClick={open}>
      <th scope="row">
        <a href={routeHash(target)}>{of.server}</a>
        <span class="under">
          {of.customer} · {of.region}
        </span>
      </th>
      <td class="wrap">
        {rules.length > 0 ? <span title={rules.map((rule) => t.ruleHint[rule]).join(" · ")}>{ruleNames(rules)}</span> : <span class="muted">{of.open ? t.noRule : "–"}</span>}{" "}
        {of.urgent && of.open && (
          <span title={t.urgentHint}>
            <Badge tone="over">{t.urgent}</Badge>
          </span>
        )}
      </td>
      <td class="wrap">
        <Badge tone={stateTone(of)}>{t.states[of.state]}</Badge>
        {of.open && <span class="under next">{nextWords(of, timezone)}</span>}
      </td>
      <td class="c-since">
        <Ago at={heldSince(of)} timezone={timezone} />
      </td>
      <td class="number c-rates">
        {recommendation ? (
          <>
            <Rate bps={recommendation.in_bps} /> / <Rate bps={recommendation.out_bps} />
            <span class="under">{t.figuresAt(clockOrDate(recommendation.at, new Date().toISOString(), timezone))}</span>
          </>
        ) : (
          <None />
        )}
      </td>
      <td class="number c-cap">
        <Rate bps={of.limit?.cap_bps ?? recommendation?.cap.cap_bps ?? null} />
      </td>
      <td class="number c-effect">
        {freed === 0 ? <None /> : <span title={bitPerSecond(freed)}>{mbps(freed)}</span>}
      </td>
    </tr>
  );
}
