// The uplinks, the tightest first: how full each is in either direction.

import { useState } from "preact/hooks";
import type { Uplink } from "../../api/uplinks";
import { count, mbps, percent, speed } from "../../format";
import { tightestFirst } from "../../pure/fleet";
import type { Polled } from "../../polled";
import { routeHash, SERVERS, type Route } from "../../router";
import { t } from "../../words/fleet";
import { Badge, None } from "../figures";
import { FleetPart } from "./part";

const LINES = 5;

export function FleetUplinks({ polled }: { polled: Polled<Uplink[]> }) {
  const [all, setAll] = useState(false);
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
          <ul class={all ? "uplink-list all" : "uplink-list"}>
            {uplinks.slice(0, all ? undefined : LINES).map((uplink) => (
              <Line key={uplink.id} uplink={uplink} />
            ))}
          </ul>
        )
      }
    </FleetPart>
  );
}

function Line({ uplink }: { uplink: Uplink }) {
  const { id, region, device, devices, state, share, speed_bps, in_bps, out_bps, servers } = uplink;
  const known = in_bps !== null && out_bps !== null;
  const says = known ? t.loadSays(mbps(in_bps), mbps(out_bps), speed(speed_bps)) : t.loadUnknown;
  // Where all of a region's servers share it, they are a list that can be looked at.
  const behind: Route = devices.length === 0 ? { ...SERVERS, region } : { view: "device", device, period: undefined };
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
          {region} · <a href={routeHash(behind)}>{t.serversBehind(count(servers))}</a>
        </span>
      </span>
    </li>
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
