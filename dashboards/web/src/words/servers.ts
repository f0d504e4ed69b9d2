// Words of the table of servers.

import { words } from "../language";
import { t as common } from "./common";

const own = words(
  {
    aboveAllowance: "Above allowance",
    withoutData: "No data",
    lockedInOverage: "Locked-in overage",
    showOnly: (what: string) => `Show only: ${what}`,
    search: "Search",
    searchHint: "Server, customer, plan",
    allRegions: "All regions",
    sortBy: "Sort by",
    ascending: "Ascending",
    descending: "Descending",
    fleetTable: (period: string) => `Servers and their figures in ${period}`,
    shown: (shown: string, all: string) => `${shown} of ${all} servers`,
    noneFits: "No server fits this search.",
    clearFilters: "Clear filters",
    lastSample: (time: string) => `last ${time}`,
    lastSampleAgo: (ago: string) => `Newest sample: ${ago}`,
  },
  {
    aboveAllowance: "契約帯域を超過",
    withoutData: "データなし",
    lockedInOverage: "確定超過の合計",
    showOnly: (what) => `絞り込み: ${what}`,
    search: "検索",
    searchHint: "サーバー、顧客、プラン",
    allRegions: "すべてのリージョン",
    sortBy: "並べ替え",
    ascending: "昇順",
    descending: "降順",
    fleetTable: (period) => `${period}のサーバー別の数値`,
    shown: (shown, all) => `${all} 台中 ${shown} 台`,
    noneFits: "条件に合うサーバーはありません。",
    clearFilters: "条件をクリア",
    lastSample: (time) => `最終 ${time}`,
    lastSampleAgo: (ago) => `最新サンプル: ${ago}`,
  },
);

export const t = { ...common, ...own };
