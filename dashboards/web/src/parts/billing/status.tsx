// How far a month is: what it comes to, and what can be done with it.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Closed, Period } from "../../api/periods";
import type { Usage } from "../../api/usage";
import { count, dateTime, money, periodName, shiftPeriod } from "../../format";
import { BILLING, routeHash } from "../../router";
import { serviceWords } from "../../pure/service_words";
import { may } from "../../session";
import { t } from "../../words/billing";
import { CloseMonth } from "./close";
import { Badge, type Tone } from "../figures";

interface Props {
  month: Period;
  /** The figures so far. */
  site: Usage;
  /** Asks anew how far the month is. */
  look: () => void;
}

export function BillingStatus({ month, site, look }: Props) {
  const [dialog, setDialog] = useState(false);
  const [closed, setClosed] = useState<Closed | { failure: string } | undefined>();
  const at = (instant: string) => dateTime(instant, month.timezone);
  const name = periodName(month.period);
  const ended = month.state === "open" || month.state === "closed";
  const canClose = may("billing") && month.closing === null && (month.state === "open" || (month.state === "closed" && month.held > 0));
  const says = {
    to_come: t.toCome(name),
    running: t.stillRunning(name, at(month.closes_at)),
    grace: t.inGrace(name, at(month.closes_at)),
    open: t.canClose(name),
    closed: t.wasClosed(month.closed_at === null ? "" : at(month.closed_at), month.closed_by ?? ""),
  }[month.state];
  const last = shiftPeriod(month.period, -1);
  return (
    <section class="month-status" aria-label={t.billingOf(name)}>
      <div class="month-says">
        <p>
          <Badge tone={month.closing ? "warn" : TONES[month.state]}>{month.closing ? t.closingNow : t.phases[month.state]}</Badge> {!month.closing && says}
        </p>
        {month.state === "running" && (
          <p>
            <a href={routeHash({ ...BILLING, period: last })}>{t.seeLast(periodName(last))}</a>
          </p>
        )}
        {ended && month.held_back.length > 0 && <HeldBack month={month} />}
        {month.closing && <Closing {...month.closing} />}
        {!month.closing && closed && <CameOf closed={closed} timezone={month.timezone} />}
        {canClose && (
          <button type="button" class={month.state === "open" ? "primary" : undefined} onClick={() => setDialog(true)}>
            {month.state === "open" ? t.close : t.closeAgain}
          </button>
        )}
      </div>
      <dl class="month-figures">
        {month.state === "closed" ? (
          <>
            <Figure name={t.issuedAmount}>{amounts(month.amounts)}</Figure>
            <Figure name={t.statementsIssued}>{count(month.issued)}</Figure>
            <Figure name={t.statementsHeld}>
              {month.held > 0 ? (
                <a href={routeHash({ ...BILLING, period: month.period, tab: "review" })}>{count(month.held)}</a>
              ) : (
                count(month.held)
              )}
            </Figure>
          </>
        ) : (
          <>
            <Figure {...(month.state === "running" ? { name: t.soFar, hint: t.soFarHint } : { name: t.beforeClose, hint: t.beforeCloseHint })}>
              {amounts(site.totals)}
            </Figure>
            <Figure name={t.overServers} beside={t.ofServers(count(site.count))}>
              {count(site.over_count)}
            </Figure>
          </>
        )}
      </dl>
      {dialog && <CloseMonth month={month} shut={() => setDialog(false)} look={look} cameOf={setClosed} />}
    </section>
  );
}

const TONES: Record<Period["state"], Tone> = { to_come: "plain", running: "plain", grace: "plain", open: "warn", closed: "ok" };

function amounts(sums: readonly { currency: string; amount: string }[]): ComponentChildren {
  if (sums.length === 0) return <span class="none">{t.noAmount}</span>;
  return sums.map(({ currency, amount }) => <span key={currency}>{money(amount, currency)}</span>);
}

function Figure({ name, hint, beside, children }: { name: string; hint?: string; beside?: string; children: ComponentChildren }) {
  return (
    <div title={hint}>
      <dt>{name}</dt>
      <dd>
        {children} {beside && <span class="unit">{beside}</span>}
      </dd>
    </div>
  );
}

export function HeldBack({ month: { held_back, timezone } }: { month: Period }) {
  return (
    <div class="held-back">
      <p class="warn">{t.heldBack}</p>
      <ul>
        {held_back.map((sentence) => (
          <li key={sentence}>{serviceWords(sentence, timezone)}</li>
        ))}
      </ul>
    </div>
  );
}

function Closing({ done, total }: { done: number; total: number }) {
  const text = total === 0 ? t.closingStart : t.closing(count(done), count(total));
  return (
    <div class="closing" role="status">
      <progress aria-label={t.closingNow} max={Math.max(1, total)} {...(total === 0 ? {} : { value: done })} />
      <p>{text}</p>
    </div>
  );
}

/** What came of closing. */
function CameOf({ closed, timezone }: { closed: Closed | { failure: string }; timezone: string }) {
  if ("failure" in closed) {
    return (
      <p role="alert" class="over">
        {t.closeFailed} {closed.failure}
      </p>
    );
  }
  return (
    <div role="status">
      <p class={closed.differing.length === 0 ? "ok" : undefined}>
        {t.closedNow(count(closed.issued), count(closed.held))} {closed.issued_before > 0 && t.issuedBefore(count(closed.issued_before))}
      </p>
      {closed.differing.length > 0 && (
        <>
          <p class="over">{t.differing(count(closed.differing.length))}</p>
          <ul>
            {closed.differing.map((one) => (
              <li key={one}>{serviceWords(one, timezone)}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
