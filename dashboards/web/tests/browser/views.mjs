// Every view of the dashboard, for the tests that hold for all of them. A new view gets a line here.

/** `at` makes the address of what there is (`facts.mjs`); a view that `needs` something is left out where there is none. */
export const VIEWS = [
  { name: "fleet", at: () => "/#/" },
  { name: "fleet of a closed month", needs: ["closed"], at: ({ closed }) => `/#/?period=${closed}` },
  { name: "servers", at: () => "/#/servers" },
  { name: "servers that are searched", needs: ["server"], at: ({ server }) => `/#/servers?search=${server}&sort=p95&order=asc` },
  { name: "server", needs: ["server"], at: ({ server }) => `/#/servers/${server}` },
  { name: "server of a closed month", needs: ["closed"], at: ({ billed, closed }) => `/#/servers/${billed}?period=${closed}` },
  { name: "billing", at: () => "/#/billing" },
  { name: "billing of a closed month", needs: ["closed"], at: ({ closed }) => `/#/billing?period=${closed}` },
  { name: "review", needs: ["closed"], at: ({ closed }) => `/#/billing?period=${closed}&tab=review` },
  { name: "incidents", needs: ["closed"], at: ({ closed }) => `/#/billing?period=${closed}&tab=incidents` },
  { name: "exports", needs: ["closed"], at: ({ closed }) => `/#/billing?period=${closed}&tab=exports` },
  { name: "a statement explained", needs: ["closed"], at: ({ billed, closed }) => `/#/billing?period=${closed}&server=${billed}` },
  { name: "cases", at: () => "/#/cases" },
  { name: "cases that have ended", at: () => "/#/cases?all=yes" },
  { name: "case", needs: ["case"], at: ({ case: id }) => `/#/cases/${id}` },
  { name: "collectors", at: () => "/#/collectors" },
  { name: "device", needs: ["device"], at: ({ device }) => `/#/devices/${device}` },
  // Swagger UI draws it, in English; what that does is its own.
  { name: "docs", at: () => "/docs", languages: ["en"], apart: "#docs" },
];

/** The views that there is something to show of. */
export function viewsOf(facts) {
  return VIEWS.filter(({ needs = [] }) => needs.every((name) => facts[name] !== undefined));
}
