// Statements that are held until a person has looked at them: why, by which figures, and letting them go.

import { useState } from "preact/hooks";
import * as api from "../../api/periods";
import type { StatedStatement } from "../../api/periods";
import { count, dateTime, money, percent, periodName } from "../../format";
import { usePolled } from "../../polled";
import { serviceWords } from "../../pure/service_words";
import { BILLING, routeHash } from "../../router";
import { may } from "../../session";
import { t } from "../../words/billing";
import { Act } from "../act";
import { Answered } from "../answered";
import { gapCause } from "./words";
import { Coverage, Rate } from "../figures";
import { useWord } from "../said";

/** Gaps named in the list; the explanation has them all. */
const GAPS_MAX = 4;

export function Reviews({ month, version, look }: { month: string; version: string; look: () => void }) {
  const polled = usePolled(`reviews ${month} ${version}`, ["periods"], (signal) => api.reviews(month, signal));
  const done = () => {
    polled.retry();
    look();
  };
  return (
    <Answered polled={polled}>
      {(held) =>
        held.length === 0 ? (
          <p class="nothing">{t.nothingToReview}</p>
        ) : (
          <>
            <p class="muted intro">{t.reviewHelp}</p>
            <ul class="reviews">
              {held.map((one) => (
                <Held key={one.server} of={one} done={done} />
              ))}
            </ul>
          </>
        )
      }
    </Answered>
  );
}

function Held({ of, done }: { of: StatedStatement; done: () => void }) {
  const [open, setOpen] = useState(false);
  const at = (instant: string) => dateTime(instant, of.timezone);
  // The reasons name those of unknown cause and those without a port.
  const gaps = of.members.flatMap((member) => member.gaps.filter(({ cause }) => cause !== null && cause !== "no_port"));
  return (
    <li class="review">
      <div>
        <h2>
          <a href={routeHash({ ...BILLING, period: of.period, server: of.server })}>{of.server}</a>
          <span class="of-what">
            {of.customer} · {of.region} · {of.plan}
          </span>
        </h2>
        <ul class="reasons">
          {of.review?.reasons.map((reason) => (
            <li key={reason}>{serviceWords(reason, of.timezone)}</li>
          ))}
        </ul>
        {gaps.length > 0 && (
          <p class="muted">
            {gaps.slice(0, GAPS_MAX).map((gap) => (
              <span key={gap.from} class="gap">
                {t.gap(at(gap.from), at(gap.until), count(gap.slots))} ({gapCause(gap.cause)})
              </span>
            ))}
            {gaps.length > GAPS_MAX && <span class="gap">{t.moreGaps(count(gaps.length - GAPS_MAX))}</span>}
          </p>
        )}
      </div>
      <dl class="review-figures">
        <div>
          <dt>{t.coverage}</dt>
          <dd>
            <Coverage coverage={of.coverage} />
          </dd>
          <dd class="muted">{t.ofSlots(count(of.samples), count(of.expected))}</dd>
          <dd class="muted">{t.coverageLeast(percent(of.min_coverage))}</dd>
        </div>
        <div>
          <dt>{t.p95}</dt>
          <dd>{of.p95_bps === null ? <span class="none">{t.noData}</span> : <Rate bps={of.p95_bps} />}</dd>
        </div>
        <div>
          <dt>{t.overage}</dt>
          <dd>
            <Rate bps={of.overage_bps} />
          </dd>
        </div>
        <div>
          <dt>{t.amount}</dt>
          <dd>{of.amount === null || of.currency === null ? <span class="none">{t.noAmount}</span> : money(of.amount, of.currency)}</dd>
        </div>
      </dl>
      <div class="review-acts">
        {may("billing") && (
          <button type="button" onClick={() => setOpen(true)}>
            {t.approve}
          </button>
        )}
        <a href={routeHash({ ...BILLING, period: of.period, server: of.server })}>{t.explain}</a>
      </div>
      {open && <Approve of={of} close={() => setOpen(false)} done={done} />}
    </li>
  );
}

export function Approve({ of, close, done }: { of: Pick<StatedStatement, "server" | "period">; close: () => void; done: () => void }) {
  const { word, fields } = useWord(t.note);
  const act = async (key: string) => {
    const { by, why } = word();
    await api.approve(of.period, of.server, by, why, key);
    done();
  };
  return (
    <Act title={t.approveTitle(of.server, periodName(of.period))} verb={t.approve} act={act} close={close}>
      <p class="muted">{t.approveHelp}</p>
      {fields}
    </Act>
  );
}
