// One server's month as its view shows it: the answers of the API, with what marks them.

import type { CaseInfo } from "../../api/cases";
import type { Break, Exclusion, Gap, Phase, StatedStatement } from "../../api/periods";
import type { Samples, Server } from "../../api/servers";
import type { ServerUsage, Usage } from "../../api/usage";
import type { Compared } from "../../api/what_if";
import type { ChartData, Layer } from "../../chart/data";
import { days, type Day } from "../../pure/month/days";
import { discarded, fromStatement, fromUsage, type Figures } from "../../pure/month/figures";
import { burst, rank, type Burst, type Ranking } from "../../pure/month/ranking";
import { EXPECTED, INCIDENT, isHole, PARTIAL, slots, type Slots } from "../../pure/month/slots";
import { runningPeriod } from "../../site";

export interface Answer {
  usage: Usage;
  row: ServerUsage | undefined;
  server: Server | undefined;
  samples: Samples | undefined;
  /** Its own, or that of the pool that is billed in its place. */
  statement: StatedStatement | undefined;
  /** How far the month is, where the reader may know. */
  phase: Phase | undefined;
  /** Those in force now; undefined where the reader may not know. */
  exclusions: Exclusion[] | undefined;
  openCase: CaseInfo | undefined;
}

export interface Month extends Answer {
  id: string;
  period: string;
  timezone: string;
  running: boolean;
  /** Of this server: its statement's where it has one of its own. */
  figures: Figures | undefined;
  /** This server's own statement. */
  own: StatedStatement | undefined;
  slots: Slots;
  ranking: Ranking;
  burst: Burst;
  days: Day[];
  /** Slots with a sample, wherever they lie. */
  sampled: number;
  /** Slots of each kind that the legend counts. */
  counts: { partial: number; holes: number; incidents: number };
  gaps: Gap[];
  breaks: Break[];
  /** Incidents that take slots out of the figures shown, and those that will when the month is closed. */
  incidents: Exclusion[];
}

export function month(id: string, answer: Answer): Month {
  const { usage, row, server, samples, statement } = answer;
  const running = usage.period === runningPeriod(usage);
  const own = statement?.server === id && statement.kind === "server" ? statement : undefined;
  const figures = own ? fromStatement(own) : row ? fromUsage(row, running) : undefined;
  const toMs = (instant: string | null | undefined) => (instant ? Date.parse(instant) : undefined);
  // A statement says itself which incidents it left out; figures so far leave out none.
  const incidents = own?.exclusions ?? within(answer.exclusions ?? [], usage);
  const all = slots({
    from_ms: Date.parse(usage.from),
    until_ms: Date.parse(usage.until),
    slot_s: samples?.slot_s ?? 300,
    method: figures?.method ?? "max",
    samples: samples?.samples ?? [],
    allowances: own?.allowances ?? samples?.allowances ?? [],
    service: own
      ? { from_ms: toMs(own.from), until_ms: toMs(own.until) }
      : { from_ms: toMs(server?.service_start), until_ms: toMs(server?.service_end) },
    closed: figures?.expected_so_far,
    incidents,
    leftOut: own !== undefined,
  });
  const ranking = rank(all, figures?.method ?? "max", figures ? discarded(figures) : 0);
  return {
    ...answer,
    id,
    period: usage.period,
    timezone: usage.timezone,
    running,
    figures,
    own,
    slots: all,
    ranking,
    burst: burst(all, figures?.burst_slots ?? 0),
    days: days(all, usage.timezone),
    sampled: samples?.samples.length ?? 0,
    counts: {
      partial: count(all, (flags) => (flags & PARTIAL) !== 0),
      holes: count(all, isHole),
      incidents: count(all, (flags) => (flags & INCIDENT) !== 0),
    },
    gaps: statement?.members.find((member) => member.server === id)?.gaps ?? [],
    breaks: own?.breaks ?? [],
    incidents,
  };
}

export function chartData(of: Month, hidden: ReadonlySet<Layer>, compared: Compared | undefined): ChartData {
  const { slots, days, figures, own, samples } = of;
  return {
    slots,
    midnights: [...days.map((day) => day.from), slots.count],
    timezone: of.timezone,
    method: figures?.method ?? "max",
    figures,
    allowances: own?.allowances ?? samples?.allowances ?? [],
    breaks: of.breaks,
    // Of a pool it is more than this server's.
    whatIf: compared && of.row?.pool == null ? { allowance_bps: compared.then.allowance_bps, p95_bps: compared.then.p95_bps } : undefined,
    now: closedUntil(slots),
    hidden,
  };
}

function count({ flags }: Slots, is: (flags: number) => boolean): number {
  return flags.reduce((n, each) => (is(each) ? n + 1 : n), 0);
}

function closedUntil({ flags, count }: Slots): number {
  let end = count;
  while (end > 0 && (flags[end - 1]! & EXPECTED) === 0) end -= 1;
  return end;
}

function within(exclusions: readonly Exclusion[], { from, until }: Pick<Usage, "from" | "until">): Exclusion[] {
  return exclusions.filter((e) => Date.parse(e.from) < Date.parse(until) && Date.parse(e.until) > Date.parse(from));
}
