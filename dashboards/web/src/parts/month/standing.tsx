// Which month it is, one click from the eleven before it, and whether its figures still move or were issued.

import { files, type StatedStatement } from "../../api/periods";
import { evidenceFile } from "../../api/servers";
import { dateTime, monthName, periodName, shiftPeriod } from "../../format";
import { language } from "../../language";
import type { Standing } from "../../pure/month/figures";
import { BILLING, routeHash, type ServerRoute } from "../../router";
import { may } from "../../session";
import { runningPeriod } from "../../site";
import { t } from "../../words/server";
import { Badge, type Tone } from "../figures";
import type { Month } from "./month";

const MONTHS = 12;
/** Enough of a digest to tell two apart by eye; the whole stands in the title. */
const DIGEST_SHOWN = 12;

export function MonthStrip({ route, month }: { route: ServerRoute; month: Month }) {
  const running = runningPeriod(month);
  const since = month.server?.service_start;
  return (
    <nav class="months" aria-label={t.months}>
      <ol>
        {Array.from({ length: MONTHS }, (_, i) => shiftPeriod(running, i - MONTHS + 1)).map((period) => {
          const shown = period === month.period;
          // It was over, in any time zone, before the service began: there can be nothing.
          const before = since != null && Date.parse(`${shiftPeriod(period, 1)}-02T00:00:00Z`) <= Date.parse(since);
          return (
            <li key={period}>
              {before ? (
                <span title={t.notInService}>{monthName(period)}</span>
              ) : (
                <a
                  href={routeHash({ ...route, span: undefined, period: period === running ? undefined : period })}
                  aria-current={shown ? "page" : undefined}
                  title={periodName(period)}
                >
                  {monthName(period)}
                </a>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

const TONES: Record<Standing, Tone> = { so_far: "plain", preliminary: "warn", held: "warn", issued: "ok", withdrawn: "over" };

/** What the figures are worth, and where the files that prove them are. */
export function StandingLine({ month, zoomed }: { month: Month; zoomed: { from: string; until: string } | undefined }) {
  const { id, period, statement, own, figures, phase } = month;
  const standing = own ? own.state : figures?.standing;
  if (!standing) return null;
  return (
    <div class="standing">
      <Badge tone={TONES[standing]}>{own ? t.standing[standing](own.revision) : t.standing[standing](0)}</Badge>
      {own ? <StatementFacts statement={own} month={month} /> : <p class="muted">{t.standingHelp(standing, phase)}</p>}
      {month.row?.pool != null && (
        <p>
          {t.inPool}{" "}
          <a href={routeHash({ ...BILLING, period, server: month.row.pool })}>{month.row.pool}</a>
          {statement && !own && <> ({t.standing[statement.state](statement.revision)})</>}
        </p>
      )}
      <p class="standing-links">
        {statement && <a href={routeHash({ ...BILLING, period, server: statement.server })}>{t.explain}</a>}
        {statement?.state === "issued" && (
          <a href={files.bundle(period, statement.server, statement.revision)} download>
            {t.bundle}
          </a>
        )}
        <a href={files.report(period, id, language, "html")} target="_blank" rel="noopener">
          {t.report}
        </a>
        {may("site") && zoomed && Date.parse(zoomed.from) < Date.now() && (
          <a href={evidenceFile(id, upToNow(zoomed.from), upToNow(zoomed.until), language)} title={t.evidenceHelp} download>
            {t.evidence}
          </a>
        )}
      </p>
    </div>
  );
}

/** Evidence is of what was. */
function upToNow(instant: string): string {
  return new Date(Math.min(Date.now(), Date.parse(instant))).toISOString();
}

function StatementFacts({ statement, month }: { statement: StatedStatement; month: Month }) {
  const { issued_at, issued_by, samples_sha256, reason, review, state } = statement;
  return (
    <p class="muted">
      {state === "held" ? t.heldSince(dateTime(issued_at, month.timezone)) : t.issuedAt(dateTime(issued_at, month.timezone), issued_by)}
      {t.comma}
      <span title={samples_sha256}>
        {t.digest} <code>{samples_sha256.slice(0, DIGEST_SHOWN)}…</code>
      </span>
      {reason !== null && (
        <>
          {t.comma}
          {t.corrected(reason)}
        </>
      )}
      {review && review.reasons.length > 0 && (
        <>
          {t.comma}
          {t.reviewed(review.reasons.join(" / "), review.approved_by)}
        </>
      )}
    </p>
  );
}
