// How polling a device goes: passes, what went wrong by its cause, and how long answers take.

import type { Snmp } from "../../api/devices";
import { count } from "../../format";
import { duration, loss } from "../../pure/round_trip";
import { t } from "../../words/collectors";
import { failureName } from "../../words/failures";
import { Ago, None } from "../figures";
import { Panel } from "../panel";
import { RoundTripPicture } from "./round_trip";

export function Polling({ snmp, timezone }: { snmp: Snmp; timezone: string }) {
  const failures = Object.entries(snmp.failures).filter(([, n]) => n > 0);
  const { round_trip } = snmp;
  return (
    <div class="panels">
      <Panel title={t.polling} aside={t.pollingSince}>
        <dl class="polling">
          <dt>{t.pass}</dt>
          <dd>
            {snmp.outcome === null ? <None /> : t.outcome[snmp.outcome]} <Ago at={snmp.last_pass} timezone={timezone} />
          </dd>
          <dt>{t.lastSuccess}</dt>
          <dd>
            <Ago at={snmp.last_success} timezone={timezone} />
          </dd>
          <dt>{t.passes}</dt>
          <dd>
            {count(snmp.passes)} {snmp.passes_skipped > 0 && <span class="warn">{t.skipped(count(snmp.passes_skipped))}</span>}
          </dd>
          <dt>{t.expectedPorts}</dt>
          <dd>{count(snmp.expected)}</dd>
          <dt>{t.readings}</dt>
          <dd>{count(snmp.readings)}</dd>
          <dt>{t.requests}</dt>
          <dd>{count(snmp.requests)}</dd>
          <dt title={t.lossHint}>{t.loss}</dt>
          <dd>{loss(snmp.timeouts, snmp.requests) ?? <None />}</dd>
          <dt>{t.failures}</dt>
          <dd>
            {failures.length === 0 && t.noFailures}
            <ul>
              {failures.map(([failure, n]) => (
                <li key={failure}>
                  {failureName(failure)}: {count(n)}
                </li>
              ))}
            </ul>
          </dd>
        </dl>
      </Panel>
      <Panel title={t.roundTrip}>
        {round_trip === null ? (
          <p>
            <None />
          </p>
        ) : (
          <>
            <RoundTripPicture roundTrip={round_trip} scale />
            <dl class="polling across">
              <dt>{t.median}</dt>
              <dd>{duration(round_trip.p50_us)}</dd>
              <dt>{t.p95}</dt>
              <dd>{duration(round_trip.p95_us)}</dd>
              <dt>p99</dt>
              <dd>{duration(round_trip.p99_us)}</dd>
              <dt>{t.longest}</dt>
              <dd>{duration(round_trip.max_us)}</dd>
            </dl>
          </>
        )}
      </Panel>
    </div>
  );
}
