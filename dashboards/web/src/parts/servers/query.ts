// What the table of servers asks, by its address.

import type { Query } from "../../api/ask";
import type { Usage } from "../../api/usage";
import { usage } from "../../api/usage";
import { usePolled, type Polled } from "../../polled";
import type { ServersRoute } from "../../router";

/** Which lines, and in which order. */
export function usageQuery(route: ServersRoute): Query {
  const { part, sort, descending } = route;
  return {
    ...wordsQuery(route),
    over: part === "above",
    no_data: part === "no_data",
    sort,
    order: descending ? "desc" : "asc",
  };
}

/** Which servers, of whichever part. */
function wordsQuery({ period, search, region, customer, plan }: ServersRoute): Query {
  return { period, q: search.trim(), region, customer, plan };
}

/** How many there are of each part. */
export interface Counts {
  all: Usage;
  noData: number;
}

export function useCounts(route: ServersRoute): Polled<Counts> {
  const query = wordsQuery(route);
  return usePolled(`counts ${JSON.stringify(query)}`, ["usage", "inventory"], async (signal) => {
    const [all, none] = await Promise.all([
      usage({ ...query, limit: 1 }, signal),
      usage({ ...query, no_data: true, limit: 1 }, signal),
    ]);
    return { all, noData: none.count };
  });
}
