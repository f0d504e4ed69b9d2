// Answers about a long list of the service's, found with a few small questions and without fetching the list.

import type { Query } from "../api/ask";
import type { ServerUsage, Usage } from "../api/usage";

/** Groups looked for at most: a site has some regions and plans, and a choice of more is no help. */
const GROUPS_MAX = 40;

/** What one region's, or one plan's, servers come to. */
export interface Group {
  name: string;
  usage: Usage;
}

/**
 * The regions or plans that there are, each with its counts and totals: the first line of each tells its name, and the
 * count of that name tells where the next one's lines begin.
 */
export async function groups(by: "region" | "plan", ask: (query: Query) => Promise<Usage>): Promise<Group[]> {
  const found: Group[] = [];
  for (let offset = 0; found.length < GROUPS_MAX; ) {
    const line = (await ask({ sort: by, order: "asc", offset, limit: 1 })).servers[0];
    // Servers may come and go between two questions; a name that was met already would go round in circles.
    if (!line || found.some(({ name }) => name === line[by])) break;
    const usage = await ask({ [by]: line[by], limit: 1 });
    found.push({ name: line[by], usage });
    offset += usage.count;
  }
  return found;
}

/** Questions asked at a time. */
const AT_A_TIME = 4;

/**
 * How many lines come before the first one of which `is` holds, where it holds of all after that: `count` if of none.
 * `near` is where it was before, as it seldom moves far.
 */
export async function firstWhere(
  count: number,
  is: (index: number) => Promise<boolean>,
  near?: number,
): Promise<number> {
  let low = 0;
  let high = count;
  let probes = near === undefined ? spread(low, high) : [near - 32, near - 1, near, near + 32];
  while (low < high) {
    const inside = probes.filter((index) => index >= low && index < high);
    const asked = inside.length > 0 ? inside : spread(low, high);
    const held = await Promise.all(asked.map(is));
    for (const [place, index] of asked.entries()) {
      if (held[place]) high = Math.min(high, index);
      else low = Math.max(low, index + 1);
    }
    probes = spread(low, high);
  }
  return low;
}

/**
 * The line with the largest amount of each currency that there is, where any costs something. `ask` gives the line at an offset, by
 * currency and then from the largest amount down; lines without an amount come last, of whichever currency they are.
 */
export async function largest(
  { count, totals }: Pick<Usage, "count" | "totals">,
  ask: (offset: number) => Promise<ServerUsage | undefined>,
): Promise<ServerUsage[]> {
  const found: ServerUsage[] = [];
  for (let offset = 0; offset < count && found.length < totals.length; ) {
    const line = await ask(offset);
    if (!line || line.amount === null || line.currency === null) break;
    const { currency } = line;
    // Amounts may change between two questions; a currency that was met already would go round in circles.
    if (found.some((other) => other.currency === currency)) break;
    found.push(line);
    if (found.length === totals.length) break;
    const isAnother = async (at: number) => {
      const other = await ask(at);
      return !other || other.amount === null || other.currency !== currency;
    };
    // Its lines without an amount are counted as well, and stand at the end.
    offset = await firstWhere(count, isAnother, offset + (totals.find((sum) => sum.currency === currency)?.count ?? 0));
  }
  return found.filter(({ amount }) => Number(amount) > 0);
}

/** Places that cut a span into even parts. */
function spread(low: number, high: number): number[] {
  const step = (high - low) / (AT_A_TIME + 1);
  const places = Array.from({ length: AT_A_TIME }, (_, i) => Math.floor(low + step * (i + 1)));
  return [...new Set(places)];
}
