// What is shown, as the part of the address after `#`. All state that is worth a link stands there.

import { useEffect, useState } from "preact/hooks";

/** Columns of the table of servers, by the names that the API sorts by. */
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
  "projected",
  "burst_left",
  "coverage",
] as const;
export type Column = (typeof COLUMNS)[number];

/** A part of the servers: those above their allowance, or without data. */
export type Part = "above" | "no_data";

/** Every view may be of a period; undefined is the one that is running. */
interface OfPeriod {
  period: string | undefined;
}

export interface FleetRoute extends OfPeriod {
  view: "fleet";
}

export interface ServersRoute extends OfPeriod {
  view: "servers";
  sort: Column;
  descending: boolean;
  search: string;
  region: string;
  customer: string;
  plan: string;
  part: Part | undefined;
}

export interface ServerRoute extends OfPeriod {
  view: "server";
  server: string;
  /** What the chart shows of the month, as instants in whole minutes; the whole of it unless given. */
  span?: { from: string; until: string } | undefined;
}

export const BILLING_TABS = ["statements", "review", "incidents", "exports"] as const;
export type BillingTab = (typeof BILLING_TABS)[number];

/** Columns of a month's statements. */
export const STATEMENT_COLUMNS = ["server", "customer", "region", "plan", "p95", "overage", "billable", "amount", "coverage", "state"] as const;
export type StatementColumn = (typeof STATEMENT_COLUMNS)[number];

export interface BillingRoute extends OfPeriod {
  view: "billing";
  tab: BillingTab;
  /** Whose statement is explained. */
  server: string | undefined;
  /** Of that, the newest revision unless it is given. */
  revision: number | undefined;
  search: string;
  /** Statements with overage only. */
  over: boolean;
  sort: StatementColumn;
  descending: boolean;
}

export interface CasesRoute extends OfPeriod {
  view: "cases";
  /** Ended cases as well. */
  all: boolean;
}

export interface CaseRoute extends OfPeriod {
  view: "case";
  id: number;
}

export interface CollectorsRoute extends OfPeriod {
  view: "collectors";
  search: string;
  /** Goes to the alerts at once. */
  alerts?: boolean;
}

export interface DeviceRoute extends OfPeriod {
  view: "device";
  device: string;
}

export type Route =
  | FleetRoute
  | ServersRoute
  | ServerRoute
  | BillingRoute
  | CasesRoute
  | CaseRoute
  | CollectorsRoute
  | DeviceRoute;

export const FLEET: FleetRoute = { view: "fleet", period: undefined };
export const SERVERS: ServersRoute = {
  view: "servers",
  period: undefined,
  sort: "overage",
  descending: true,
  search: "",
  region: "",
  customer: "",
  plan: "",
  part: undefined,
};
export const BILLING: BillingRoute = {
  view: "billing",
  period: undefined,
  tab: "statements",
  server: undefined,
  revision: undefined,
  search: "",
  over: false,
  sort: "overage",
  descending: true,
};
export const CASES: CasesRoute = { view: "cases", period: undefined, all: false };
export const COLLECTORS: CollectorsRoute = { view: "collectors", period: undefined, search: "" };

/** Names sort from A, figures from the largest. */
export function startsDescending(column: Column): boolean {
  return !["server", "customer", "region", "plan", "burst_left", "coverage"].includes(column);
}

/** The same of statements. */
export function statementsDescend(column: StatementColumn): boolean {
  return ["p95", "overage", "billable", "amount"].includes(column);
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const params = new URLSearchParams(query);
  const period = validPeriod(params.get("period"));
  const text = (name: string) => params.get(name) ?? "";
  const [view = "", part] = path.replace(/^\//, "").split("/", 2);
  const id = part === undefined || part === "" ? undefined : decoded(part);
  switch (view) {
    case "servers": {
      if (id !== undefined) return { view: "server", server: id, period, span: validSpan(text("from"), text("until")) };
      const sort = COLUMNS.find((column) => column === params.get("sort")) ?? SERVERS.sort;
      const order = params.get("order");
      const only = params.get("only");
      return {
        view: "servers",
        period,
        sort,
        descending: order === null ? startsDescending(sort) : order === "desc",
        search: text("search"),
        region: text("region"),
        customer: text("customer"),
        plan: text("plan"),
        part: only === "above" || only === "no_data" ? only : undefined,
      };
    }
    case "billing": {
      const tab = BILLING_TABS.find((tab) => tab === params.get("tab")) ?? BILLING.tab;
      const sort = STATEMENT_COLUMNS.find((column) => column === params.get("sort")) ?? BILLING.sort;
      const order = params.get("order");
      const revision = text("revision");
      return {
        view: "billing",
        period,
        tab,
        server: params.get("server") ?? undefined,
        revision: /^[1-9]\d{0,8}$/.test(revision) ? Number(revision) : undefined,
        search: text("search"),
        over: params.get("only") === "overage",
        sort,
        descending: order === null ? statementsDescend(sort) : order === "desc",
      };
    }
    case "cases":
      if (id !== undefined && /^\d+$/.test(id)) return { view: "case", id: Number(id), period };
      return { view: "cases", period, all: params.has("all") };
    case "collectors":
      return { view: "collectors", period, search: text("search"), ...(params.has("alerts") && { alerts: true }) };
    case "devices":
      if (id !== undefined) return { view: "device", device: id, period };
      return { view: "collectors", period, search: text("search") };
    default:
      return { view: "fleet", period };
  }
}

/** The address of a route; what is as by default is left out. */
export function routeHash(route: Route): string {
  const params = new URLSearchParams();
  const set = (name: string, value: string | undefined, usual = "") => {
    if (value !== undefined && value !== usual) params.set(name, value);
  };
  set("period", route.period);
  let path = "/";
  switch (route.view) {
    case "fleet":
      break;
    case "servers":
      path = "/servers";
      set("sort", route.sort, SERVERS.sort);
      if (route.descending !== startsDescending(route.sort)) set("order", route.descending ? "desc" : "asc");
      set("search", route.search);
      set("region", route.region);
      set("customer", route.customer);
      set("plan", route.plan);
      set("only", route.part);
      break;
    case "server":
      path = `/servers/${encodeURIComponent(route.server)}`;
      set("from", route.span?.from);
      set("until", route.span?.until);
      break;
    case "billing":
      path = "/billing";
      set("tab", route.tab, BILLING.tab);
      set("server", route.server);
      set("revision", route.revision?.toString());
      set("search", route.search);
      if (route.over) set("only", "overage");
      set("sort", route.sort, BILLING.sort);
      if (route.descending !== statementsDescend(route.sort)) set("order", route.descending ? "desc" : "asc");
      break;
    case "cases":
      path = "/cases";
      if (route.all) set("all", "yes");
      break;
    case "case":
      path = `/cases/${route.id}`;
      break;
    case "collectors":
      path = "/collectors";
      set("search", route.search);
      if (route.alerts) set("alerts", "yes");
      break;
    case "device":
      path = `/devices/${encodeURIComponent(route.device)}`;
      break;
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
  if (route.view === "servers") lastServers = route;
  return route;
}

let lastServers: ServersRoute = SERVERS;

/** The table of servers as it was last looked at, for the way back from a server. */
export function serversRoute(period: string | undefined): ServersRoute {
  return { ...lastServers, period };
}

function validPeriod(text: string | null): string | undefined {
  return text !== null && /^\d{4}-(0[1-9]|1[0-2])$/.test(text) ? text : undefined;
}

function validSpan(from: string, until: string): ServerRoute["span"] {
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/;
  return instant.test(from) && instant.test(until) && Date.parse(from) < Date.parse(until) ? { from, until } : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
