// The fleet: what network operations keep open all day. Every figure leads to its reason; each part asks for itself, so
// that the first are there at once however many servers there are.

import { uplinks } from "../api/uplinks";
import type { Usage } from "../api/usage";
import { Answered } from "../parts/answered";
import { Empty } from "../parts/empty";
import { FleetBurst } from "../parts/fleet/burst";
import { FleetCases } from "../parts/fleet/cases";
import { FleetHeadline } from "../parts/fleet/headline";
import { FleetHealth } from "../parts/fleet/health";
import { FleetRegions } from "../parts/fleet/regions";
import { FleetTop, useTop } from "../parts/fleet/top";
import { FleetUplinks } from "../parts/fleet/uplinks";
import { useTitle } from "../parts/shell";
import { usePolled } from "../polled";
import type { FleetRoute } from "../router";
import { may } from "../session";
import { runningPeriod, useSite } from "../site";
import { t } from "../words/fleet";

export function Fleet({ route: { period } }: { route: FleetRoute }) {
  useTitle(t.fleet);
  const site = useSite(period);
  return (
    <Answered polled={site}>
      {(answer) => {
        if (answer.count === 0) return <Empty site={answer} />;
        const OfMonth = answer.period === runningPeriod(answer) ? Running : Past;
        return (
          <>
            <h1 class="sr">{t.fleet}</h1>
            <OfMonth site={answer} period={period} />
          </>
        );
      }}
    </Answered>
  );
}

const SLOT_MS = 300_000;

interface Props {
  site: Usage;
  period: string | undefined;
}

function Running({ site, period }: Props) {
  // Of the site as a whole, and so of its lines, somebody who is limited to a part of it is told nothing.
  const whole = may("site");
  const lines = usePolled("uplinks", ["uplinks"], (signal) => (whole ? uplinks(signal) : Promise.resolve([])));
  const top = useTop(period, "overage");
  const slots = [...(top.answer?.servers ?? []).map(({ last }) => last?.slot), ...(lines.answer ?? []).map(({ slot }) => slot)];
  const newest_ms = Math.max(...slots.map((slot) => Date.parse(slot ?? "")).filter(Number.isFinite));
  const newest = Number.isFinite(newest_ms) ? new Date(newest_ms + SLOT_MS).toISOString() : undefined;
  return (
    <>
      <FleetHeadline site={site} running period={period} newest={newest} />
      <div class="fleet-columns">
        <div class="fleet-main">
          <FleetTop period={period} running />
          <div class="fleet-pair">
            <FleetCases timezone={site.timezone} />
            <FleetBurst servers={site.count} />
          </div>
        </div>
        <div class="fleet-side">
          {whole && <FleetUplinks polled={lines} />}
          <FleetRegions site={site} period={period} uplinks={whole ? (lines.answer ?? []) : undefined} />
          {whole && <FleetHealth />}
        </div>
      </div>
    </>
  );
}

/** A month that is over: its figures, and nothing that is only about now. */
function Past({ site, period }: Props) {
  return (
    <>
      <FleetHeadline site={site} running={false} period={period} newest={undefined} />
      <div class="fleet-columns">
        <div class="fleet-main">
          <FleetTop period={period} running={false} />
        </div>
        <div class="fleet-side">
          <FleetRegions site={site} period={period} uplinks={undefined} />
        </div>
      </div>
    </>
  );
}
