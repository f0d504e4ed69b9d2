// Words of a month's chart, and of what its slots are.

import { words } from "../language";

export const chart = words(
  {
    chart: "Every 5-minute sample of the month",
    chartKeys: "Chart of the month. Arrow keys move it, shift and arrow keys go slot by slot, plus and minus zoom, 0 shows the whole month.",
    chartSummary: (server: string, period: string, samples: string) =>
      `${server}, ${period}: in and out of ${samples} samples, with the p95 and the allowance as lines.`,
    legend: "Parts of the chart; each can be switched off",
    upwards: "In, upwards",
    downwards: "Out, downwards",
    range: "Range",
    day: "24 hours",
    week: "7 days",
    month: "Month",
    earlier: "Earlier",
    later: "Later",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    zoomHint: "Drag or wheel to zoom, shift-drag or two fingers to move, double-click for the whole month. Keys: ← → + − 0, with shift slot by slot.",
    lockedInLine: "Locked in",
    projectedLine: "Projected",
    projectedRule: (weeks: number) => `Between the lowest and the highest p95 of the server's last ${weeks} weeks, in the days to come`,
    whatIfLine: "What if",
    discarded: "Discarded",
    discardedHint: "The largest values, which are left out before the p95: marked below the chart",
    partialLegend: "Partial",
    holesHint: "Hatched: slots in which a sample was expected and there is none. They are not 0.",
    breaks: "Breaks",
    breaksHint: "Where a port's counters give no figure for the time before",
    incidents: "Incident",
    lineName: {
      allowance: "Allowance",
      p95: "p95",
      locked_in: "Locked in",
      projected: "Projected",
      then_allowance: "If: allowance",
      then_p95: "If: p95",
    },

    comma: ", ",
    colon: ": ",
    slotTime: (date: string, from: string, until: string) => `${date}, ${from}–${until}`,
    value: "Value",
    aboveBy: "Above the allowance by",
    place: "From the top",
    placeOf: (place: string, ranked: string) => `${place} of ${ranked}`,
    isDiscarded: "Discarded: one of the largest twentieth.",
    decides: "This one decides.",
    partial: "Partial: not all ports counted.",
    largestOf: (slots: number) => `The largest of the ${slots} slots here; zoom in for each.`,
    noSample: "No sample",
    noSampleBecause: (cause: string | undefined) => (cause === undefined ? "No sample." : `No sample: ${causesEn(cause)}.`),
    notInService: "Not in service.",
    toCome: "Not over yet.",
    incidentLeftOut: (id: number, why: string) => `Left out, incident ${id}: ${why}`,
    incidentWillBeLeftOut: (id: number, why: string) => `Incident ${id}, left out when the month is closed: ${why}`,
    breakKind: (kind: string) => kind,
    breakSays: (kind: string) => causesEn(kind),
  },
  {
    chart: "5 分ごとの全計測値",
    chartKeys: "月のグラフ。矢印キーで移動、Shift + 矢印キーで 1 スロットずつ移動、+ と − で拡大・縮小、0 で月全体を表示します。",
    chartSummary: (server, period, samples) => `${server}、${period}: 計測値 ${samples} 個の受信と送信、p95 と契約帯域の線。`,
    legend: "グラフの要素(クリックで表示を切り替え)",
    upwards: "受信(上向き)",
    downwards: "送信(下向き)",
    range: "表示範囲",
    day: "24 時間",
    week: "7 日",
    month: "月全体",
    earlier: "前へ",
    later: "後へ",
    zoomIn: "拡大",
    zoomOut: "縮小",
    zoomHint: "ドラッグかホイールで拡大、Shift + ドラッグか 2 本指で移動、ダブルクリックで月全体。キー操作: ← → + − 0、Shift 併用で 1 スロットずつ。",
    lockedInLine: "確定",
    projectedLine: "予測",
    projectedRule: (weeks) => `残りの日数が、サーバー自身の直近 ${weeks} 週間の p95 の最小と最大の間で推移するとした場合`,
    whatIfLine: "試算",
    discarded: "除外",
    discardedHint: "p95 の前に除外される上位の値。グラフの下に印を付けています",
    partialLegend: "一部のみ",
    holesHint: "斜線: 計測値があるはずのスロットに計測値がありません。0 ではありません。",
    breaks: "カウンター異常",
    breaksHint: "ポートのカウンターから、それ以前の値を求められない箇所",
    incidents: "障害",
    lineName: { allowance: "契約帯域", p95: "p95", locked_in: "確定", projected: "予測", then_allowance: "試算の契約帯域", then_p95: "試算の p95" },

    comma: "、",
    colon: ": ",
    slotTime: (date, from, until) => `${date} ${from}～${until}`,
    value: "値",
    aboveBy: "契約帯域の超過分",
    place: "上から",
    placeOf: (place, ranked) => `${place} / ${ranked}`,
    isDiscarded: "上位 20 分の 1 として除外されます。",
    decides: "この値が基準です。",
    partial: "一部のポートのみ計測。",
    largestOf: (slots) => `この位置の ${slots} スロット中の最大値です。拡大すると個別に見られます。`,
    noSample: "計測値なし",
    noSampleBecause: (cause) => (cause === undefined ? "計測値なし。" : `計測値なし: ${causesJa(cause)}。`),
    notInService: "提供期間外です。",
    toCome: "まだ終わっていません。",
    incidentLeftOut: (id, why) => `障害 ${id} のため除外: ${why}`,
    incidentWillBeLeftOut: (id, why) => `障害 ${id}、月を締めるときに除外: ${why}`,
    breakKind: (kind) => ({ reset: "リセット", gap: "欠測", implausible: "異常値" })[kind] ?? kind,
    breakSays: (kind) => causesJa(kind),
  },
);

/** Why there is no figure, by the names that the API has for it, joined by `+`. */
function causesEn(cause: string): string {
  const known: Record<string, string> = {
    reset: "the port's counters started again",
    gap: "no readings arrived",
    implausible: "more was counted than the port can carry",
    no_port: "no port was assigned",
  };
  return cause
    .split("+")
    .map((one) => known[one] ?? one)
    .join("; ");
}

function causesJa(cause: string): string {
  const known: Record<string, string> = {
    reset: "ポートのカウンターがリセットされた",
    gap: "計測データが届かなかった",
    implausible: "ポートの速度を超える値が計数された",
    no_port: "ポートの割り当てがなかった",
  };
  return cause
    .split("+")
    .map((one) => known[one] ?? one)
    .join("、");
}
