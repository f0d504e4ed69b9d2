// What is shown, as the part of the address after `#`. All state that is worth a link stands there.

import { useEffect, useState } from "preact/hooks";

export const COLUMNS = [
  "server",
  "customer",
  "region",
  "plan",
  "in",
  "out",
  "p95",
  "allowance",
  "overage",
  "amount",
  "locked_in",
  "burst_left",
  "coverage",
] as const;
export type Column = (typeof COLUMNS)[number];

/** A part of the fleet: servers above their allowance, or without data. */
export type Part = "above" | "no_data";

export interface FleetRoute {
  view: "fleet";
  /** undefined: the period that is running. */
  period: string | undefined;
  sort: Column;
  descending: boolean;
  search: string;
  region: string;
  part: Part | undefined;
}

export interface ServerRoute {
  view: "server";
  server: string;
  period: string | undefined;
}

export type Route = FleetRoute | ServerRoute;

/** Names sort from A, figures from the largest. */
export function startsDescending(column: Column): boolean {
  return !["server", "customer", "region", "plan", "burst_left", "coverage"].includes(column);
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const params = new URLSearchParams(query);
  const period = validPeriod(params.get("period"));
  const server = /^\/servers\/([^/]+)$/.exec(path)?.[1];
  if (server !== undefined) {
    const id = decoded(server);
    if (id !== undefined) return { view: "server", server: id, period };
  }
  const sort = COLUMNS.find((column) => column === params.get("sort")) ?? "overage";
  const order = params.get("order");
  const part = params.get("part");
  return {
    view: "fleet",
    period,
    sort,
    descending: order === null ? startsDescending(sort) : order === "desc",
    search: params.get("search") ?? "",
    region: params.get("region") ?? "",
    part: part === "above" || part === "no_data" ? part : undefined,
  };
}

/** The address of a route; what is as by default is left out. */
export function routeHash(route: Route): string {
  const params = new URLSearchParams();
  if (route.period !== undefined) params.set("period", route.period);
  let path = "/";
  if (route.view === "server") {
    path = `/servers/${encodeURIComponent(route.server)}`;
  } else {
    if (route.sort !== "overage") params.set("sort", route.sort);
    if (route.descending !== startsDescending(route.sort)) params.set("order", route.descending ? "desc" : "asc");
    if (route.search !== "") params.set("search", route.search);
    if (route.region !== "") params.set("region", route.region);
    if (route.part !== undefined) params.set("part", route.part);
  }
  const query = params.toString();
  return `#${path}${query === "" ? "" : `?${query}`}`;
}

/** Goes somewhere that the back button should return from. */
export function go(route: Route): void {
  location.hash = routeHash(route);
}

/** Changes the address in place: a filter typed letter by letter is one step back, not seven. */
export function replace(route: Route): void {
  history.replaceState(null, "", routeHash(route));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  const route = parseRoute(hash);
  if (route.view === "fleet") lastFleet = route;
  return route;
}

let lastFleet: FleetRoute | undefined;

/** The fleet as it was last looked at, for the way back from a server. */
export function fleetRoute(period: string | undefined): FleetRoute {
  const route = lastFleet ?? (parseRoute("") as FleetRoute);
  return { ...route, period };
}

function validPeriod(text: string | null): string | undefined {
  return text !== null && /^\d{4}-(0[1-9]|1[0-2])$/.test(text) ? text : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
