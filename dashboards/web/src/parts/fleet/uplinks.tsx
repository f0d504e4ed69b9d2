// The uplinks, the tightest first: how full each is in either direction.

import { useState } from "preact/hooks";
import { recommendations, type Recommended } from "../../api/cases";
import type { Uplink } from "../../api/uplinks";
import { count, mbps, percent, speed } from "../../format";
import { fillers, tightestFirst } from "../../pure/fleet";
import { usePolled, type Polled } from "../../polled";
import { routeHash, SERVERS } from "../../router";
import { t } from "../../words/fleet";
import { Badge, None } from "../figures";
import { FleetPart } from "./part";

const LINES = 5;
/** Switches that are named. */
const NAMED = 3;

export function FleetUplinks({ polled }: { polled: Polled<Uplink[]> }) {
  const [all, setAll] = useState(false);
  const { answer: recommended = [] } = usePolled("recommended", ["cases"], recommendations);
  const uplinks = tightestFirst(polled.answer ?? []);
  const more = uplinks.length > LINES && (
    <button type="button" class="text" aria-expanded={all} onClick={() => setAll(!all)}>
      {all ? t.showFewer : t.showAll(count(uplinks.length))}
    </button>
  );
  return (
    <FleetPart title={t.uplinks} aside={more} polled={polled}>
      {() =>
        uplinks.length === 0 ? (
          <p class="quiet">{t.noUplinks}</p>
        ) : (
          <ul class="uplink-list">
            {uplinks.slice(0, all ? undefined : LINES).map((uplink) => (
              <Line key={uplink.id} uplink={uplink} by={fillers(uplink.id, recommended)} />
            ))}
          </ul>
        )
      }
    </FleetPart>
  );
}

/** `by` are the cases of those who fill it. */
function Line({ uplink, by }: { uplink: Uplink; by: readonly Recommended[] }) {
  const { id, region, device, devices, state, share, speed_bps, in_bps, out_bps, servers } = uplink;
  const known = in_bps !== null && out_bps !== null;
  const says = known ? t.loadSays(mbps(in_bps), mbps(out_bps), speed(speed_bps)) : t.loadUnknown;
  return (
    <li>
      <span class="uplink-name">
        <a href={routeHash({ view: "device", device, period: undefined })}>{id}</a>
        {state !== "ok" && <Badge tone={state === "tight" ? "over" : "warn"}>{t.uplinkState[state]}</Badge>}
      </span>
      <span class="load" role="img" aria-label={says} title={says}>
        <Bar name="in" bps={in_bps} of_bps={speed_bps} />
        <Bar name="out" bps={out_bps} of_bps={speed_bps} />
      </span>
      <span class="uplink-share">{share === null ? <None /> : percent(share)}</span>
      <span class="uplink-says">
        <span>{known ? `${t.in} ${mbps(in_bps)} · ${t.out} ${mbps(out_bps)} / ${speed(speed_bps)}` : t.loadUnknown}</span>
        <span>
          {devices.length === 0 ? (
            <>
              {region} · <a href={routeHash({ ...SERVERS, region })}>{t.serversBehind(count(servers))}</a>
            </>
          ) : (
            <>
              {region} · {t.serversBehind(count(servers))}
              {t.portsOn} <Switches names={devices} />
            </>
          )}
        </span>
      </span>
      {by.length > 0 && (
        <span class="uplink-says">
          <span>
            {t.filledBy}{" "}
            {by.map((of, place) => (
              <span key={of.case}>
                {place > 0 && t.listComma}
                <a href={routeHash({ view: "server", server: of.recommendation.server, period: undefined })}>{of.recommendation.server}</a> (
                <a href={routeHash({ view: "case", id: of.case, period: undefined })}>{t.caseNumber(of.case)}</a>)
              </span>
            ))}
          </span>
        </span>
      )}
    </li>
  );
}

function Switches({ names }: { names: readonly string[] }) {
  return (
    <>
      {names.slice(0, NAMED).map((device, place) => (
        <span key={device}>
          {place > 0 && t.listComma}
          <a href={routeHash({ view: "device", device, period: undefined })}>{device}</a>
        </span>
      ))}
      {names.length > NAMED && ` ${t.andMore(count(names.length - NAMED))}`}
    </>
  );
}

function Bar({ name, bps, of_bps }: { name: "in" | "out"; bps: number | null; of_bps: number }) {
  const part = bps === null || of_bps === 0 ? 0 : Math.min(1, bps / of_bps);
  return (
    <span class={`load-bar ${name}`}>
      <span style={{ width: `${(part * 100).toFixed(1)}%` }} />
    </span>
  );
}
