// Words of a server's month.

import { words } from "../language";
import { t as common } from "./common";
import { chart } from "./server_chart";

interface Reason {
  discarded: string;
  ranked: string;
  p95: string;
  overage: string;
  allowance: string;
}

const own = words(
  {
    back: "All servers",
    method: {
      max: "p95 of the larger direction",
      in: "p95 of in",
      out: "p95 of out",
      sum: "p95 of in + out",
      separate: "each direction ranked by itself, the larger result counts",
    },
    figures: "Figures of the month",
    months: "The last twelve months",
    rank: (rank: string, ranked: string, discarded: string) =>
      `Rank ${rank} of ${ranked}: ${discarded} discarded, the next is the p95.`,
    rankSoFar: (rank: string, ranked: string, discarded: string, burst: string) =>
      `Rank ${rank} of ${ranked} so far: ${discarded} discarded so far (${burst} by the month's end), the next is the p95.`,
    missingZero: (slots: string) => `Slots without a sample, counted as 0: ${slots}.`,
    missingExcluded: (slots: string) => `Slots without a sample, left out: ${slots}.`,
    noSampleYet: "No sample in this period yet.",
    noSampleThen: "No sample in this period.",
    inForceNow: "in force at the newest slot",
    inForceAtEnd: "in force at the month's end",
    withAddons: (bps: string) => `with ${bps} Mbps of add-ons`,
    billable: (bps: string) => `billable ${bps}`,
    lockedInP95: (bps: string) => `p95 at least ${bps} Mbps`,
    burstOf: (all: string) => `of ${all}`,
    burstNone: "The next slot above the allowance is billed.",
    ports: "Ports",
    device: "Device",
    interface: "Interface",
    kind: "Kind",
    portKind: (kind: string) => kind,
    checkOnly: "(compared only)",
    speed: "Speed",
    lastReading: "Last reading",
    noReading: "none yet",
    noPorts: "No port belongs to this server: nothing can be metered.",
    noPortsHelp: "Add its ports to the inventory.",
    neverRead: (ports: string) => `Its ports have never been read (${ports}): nothing could be metered.`,
    addons: "Add-ons",
    from: "From",
    until: "Until",
    openEnd: "open",
    serviceSpan: "In service",
    serviceFrom: (from: string) => `from ${from}`,
    serviceUntil: (until: string) => `until ${until}`,
    notInPeriod: (period: string) => `This server has no figures in ${period}.`,

    standing: {
      so_far: (_: number) => "So far",
      preliminary: (_: number) => "Preliminary",
      held: (revision: number) => `Held for review, revision ${revision}`,
      issued: (revision: number) => `Issued, revision ${revision}`,
      withdrawn: (revision: number) => `Withdrawn, revision ${revision}`,
    },
    standingHelp: (standing: string, state: string | undefined): string =>
      standing === "so_far"
        ? "The month runs: every figure may still move, except what is locked in."
        : state === "grace"
          ? "The month has ended; late readings may still arrive before it is closed."
          : state === "closed"
            ? "The month was closed without a statement for this server. These are the figures as stored."
            : "The month has ended and is not closed for this server: these are not yet the figures that are billed.",
    issuedAt: (at: string, by: string) => `frozen ${at} by ${by}`,
    heldSince: (at: string) => `made ${at}, not issued yet`,
    digest: "samples",
    corrected: (reason: string) => `corrected: ${reason}`,
    reviewed: (reasons: string, by: string | null) => (by === null ? `to be reviewed: ${reasons}` : `reviewed by ${by}: ${reasons}`),
    inPool: "Billed together with others as pool",
    explain: "Explain",
    bundle: "Proof bundle",
    report: "Report",
    evidence: "Evidence of this span",
    evidenceHelp: "What was measured in the span that the chart shows, in one file for an investigation",

    sentenceGap: " ",
    whyTitle: "Why",
    whyBilled: (of: Reason) =>
      `Billed, because the ${of.discarded} largest of ${of.ranked} values are discarded and the next, ${of.p95} Mbps, is ${of.overage} Mbps above the allowance of ${of.allowance} Mbps.`,
    whyWithin: (of: Reason) =>
      `No overage: the ${of.discarded} largest of ${of.ranked} values are discarded and the next, ${of.p95} Mbps, is not above the allowance of ${of.allowance} Mbps.`,
    whyBilledChanged: (of: Reason) =>
      `Billed, because each slot is held against the allowance of its time, and when the ${of.discarded} largest of ${of.ranked} excesses are discarded the next is ${of.overage} Mbps.`,
    whyWithinChanged: (of: Reason) =>
      `No overage: each slot is held against the allowance of its time, and when the ${of.discarded} largest of ${of.ranked} excesses are discarded nothing is left.`,
    whyPool: (pool: string) => `Billed as part of pool ${pool}: the figures here are this server's own.`,
    whyDecides: (slot: string) => `The slot of ${slot} decides.`,
    whyAbove: (slots: string, hours: string, first: string) => `Above the allowance in ${slots} slots (${hours}), first on ${first}.`,
    whyUsedUp: (free: string, day: string) => `The ${free} that are free were used up on ${day}.`,
    whyBurstLeft: (left: string) => `${left} above the allowance are still free this month; what goes beyond is billed.`,
    whyCertain: (overage: string) => `Even if all traffic stops now, overage of ${overage} Mbps is certain.`,
    whyCertainAmount: (overage: string, atLeast: string, soFar: string) =>
      `So far it costs ${soFar}. At least ${atLeast} is certain: overage of ${overage} Mbps stays even if all traffic stops now.`,
    whyAddonNow: (mbps: string) =>
      `An add-on of ${mbps} Mbps from the month's start would have left nothing to bill so far; bought now it counts from now on, and lowers nothing that is locked in.`,
    whyAddonThen: (mbps: string) => `An add-on of ${mbps} Mbps from the month's start would have left nothing to bill.`,
    openCase: (id: number, state: string) => `Case ${id} (${state})`,
    caseState: (state: string) => state,

    burst: "Burst budget",
    burstUsed: "Used",
    burstFree: "Free in the month",
    burstSummary: (used: string, left: string, all: string) => `${used} used of ${all}, ${left} left.`,
    burstRule: "A twentieth of the month may lie above the allowance without overage.",
    burstBeyond: (above: string, beyond: string) => `Above the allowance for ${above}: ${beyond} more than is free.`,
    burstUsedUp: (at: string) => `Used up ${at}.`,
    burstRunsOut: (day: string) => `Projection: at the pace of the last 7 days it is used up about ${day}.`,
    burstLasts: "Projection: at the pace of the last 7 days it lasts to the month's end.",

    duration: "Duration curve",
    durationKeys: "Duration curve. Arrow keys move along it.",
    durationSummary: (ranked: string, discarded: string, p95: string, allowance: string) =>
      `${ranked} values, the largest first: ${discarded} are discarded, the next is ${p95} Mbps; the allowance is ${allowance} Mbps.`,
    durationCut: (p95: string, discarded: string, ranked: string) =>
      `Share of time in %, values in Mbps. ${discarded} of ${ranked} lie before the cut; the next, ${p95}, counts.`,
    durationAt: (bps: string, percent: string, time: string, rank: string) => `${bps} Mbps or more in ${percent} of the time (${time}); number ${rank} from the top.`,

    durationRevised: (p95: string) => `Samples were revised since the statement was made: its p95 of ${p95} Mbps stands.`,

    heat: "Hours of the month",
    heatSummary: "Days across, hours down: the largest value of each hour against the allowance. Enter shows a day in the chart.",
    heatHint: "Each cell is an hour's largest value. Click a day to see it in the chart.",
    heatLegend: "Largest value as a multiple of the allowance",
    timesAndMore: (times: number) => `${times} times the allowance and more`,
    moreThanTimes: (times: number) => `more than ${times} times the allowance`,
    heatCell: (largest: string, at: string, times: string) => `largest ${largest} Mbps at ${at}, ${times} times the allowance.`,
    heatMissing: (slots: number) => `Slots without a sample: ${slots}.`,
    nothingExpected: "nothing expected",
    showDay: (day: string) => `${day}: show in the chart`,

    whatIf: "What if",
    whatIfRunning:
      "The same samples under other terms, as if they had held from the 1st and nothing more flowed: now is what is locked in. A change made now lowers nothing of that. Add-ons come on top of the allowance.",
    whatIfEnded: "The same samples under other terms, for the whole month. Add-ons come on top of the allowance.",
    whatIfAllowance: "Allowance of the plan, Mbps",
    whatIfMethod: "Ranked",
    whatIfMissing: "Slots without a sample",
    whatIfUnit: "Unit, Mbps",
    whatIfRounding: "Rounded",
    whatIfPrice: "Price of 1 Mbps",
    whatIfAsk: "Compare",
    whatIfClear: "Clear",
    whatIfEmpty: "Say what is to be otherwise: at least one field.",
    whatIfNothing: "Nothing is billed for this server in this month.",
    whatIfNow: (running: boolean): string => (running ? "Now (locked in)" : "Now"),
    whatIfThen: (running: boolean): string => (running ? "Had it held from the 1st" : "Then"),
    whatIfChange: (running: boolean): string => (running ? "Change, only if it had held from the 1st" : "Change"),
    billableBandwidth: "Billable",
    asItIs: "as it is",
    missing: { zero: "count as 0", exclude: "left out" },
    rounding: { up: "up", down: "down", half_up: "half up" },
    notARate: (written: string) => `"${written}" is not a rate in Mbps.`,
  },
  {
    back: "サーバー一覧",
    method: {
      max: "受信と送信の大きい方の p95",
      in: "受信の p95",
      out: "送信の p95",
      sum: "受信 + 送信の p95",
      separate: "受信と送信を別々に順位付けし、大きい結果を採用",
    },
    figures: "今月の数値",
    months: "直近 12 か月",
    rank: (rank, ranked, discarded) => `${ranked} 個中 ${rank} 番目: 上位 ${discarded} 個を除いた次の値が p95 です。`,
    rankSoFar: (rank, ranked, discarded, burst) =>
      `ここまでの ${ranked} 個中 ${rank} 番目: 上位 ${discarded} 個(月末には ${burst} 個)を除いた次の値が p95 です。`,
    missingZero: (slots) => `計測値のない ${slots} スロットは 0 とします。`,
    missingExcluded: (slots) => `計測値のない ${slots} スロットは除外します。`,
    noSampleYet: "この期間の計測値はまだありません。",
    noSampleThen: "この期間の計測値はありません。",
    inForceNow: "最新スロット時点",
    inForceAtEnd: "月末時点",
    withAddons: (bps) => `うち追加帯域 ${bps} Mbps`,
    billable: (bps) => `課金対象 ${bps}`,
    lockedInP95: (bps) => `p95 は ${bps} Mbps 以上`,
    burstOf: (all) => `/ ${all}`,
    burstNone: "次に契約帯域を超えたスロットから請求されます。",
    ports: "ポート",
    device: "機器",
    interface: "インターフェース",
    kind: "種類",
    portKind: (kind) => (kind === "switch" ? "スイッチ" : kind === "nic" ? "NIC" : kind),
    checkOnly: "(照合用)",
    speed: "速度",
    lastReading: "最終読み取り",
    noReading: "未取得",
    noPorts: "ポートが登録されていないため、計測できません。",
    noPortsHelp: "台帳にこのサーバーのポートを追加してください。",
    neverRead: (ports) => `ポート(${ports})が一度も読み取られていないため、計測できていません。`,
    addons: "追加帯域",
    from: "開始",
    until: "終了",
    openEnd: "期限なし",
    serviceSpan: "提供期間",
    serviceFrom: (from) => `${from} から`,
    serviceUntil: (until) => `${until} まで`,
    notInPeriod: (period) => `${period}の数値はありません。`,

    standing: {
      so_far: () => "今月ここまで",
      preliminary: () => "暫定",
      held: (revision) => `確認待ち(第 ${revision} 版)`,
      issued: (revision) => `確定済み(第 ${revision} 版)`,
      withdrawn: (revision) => `取り下げ(第 ${revision} 版)`,
    },
    standingHelp: (standing, state) =>
      standing === "so_far"
        ? "月の途中です。確定超過を除き、数値はこれから変わることがあります。"
        : state === "grace"
          ? "月は終わりましたが、締めるまでは遅れて届く計測値で変わることがあります。"
          : state === "closed"
            ? "この月は締められましたが、このサーバーの明細書はありません。保存されている計測値による数値です。"
            : "月は終わりましたが、このサーバーはまだ締められていません。請求額はまだ確定していません。",
    issuedAt: (at, by) => `${at} に ${by} が確定`,
    heldSince: (at) => `${at} に作成、未確定`,
    digest: "計測値",
    corrected: (reason) => `訂正の理由: ${reason}`,
    reviewed: (reasons, by) => (by === null ? `要確認: ${reasons}` : `${by} が確認: ${reasons}`),
    inPool: "次のプールとしてまとめて請求されます:",
    explain: "計算の説明",
    bundle: "バンドルファイル",
    report: "レポート",
    evidence: "表示範囲の調査資料",
    evidenceHelp: "グラフに表示している期間の計測内容を、調査用に 1 つのファイルにまとめます",

    sentenceGap: "",
    whyTitle: "請求の理由",
    whyBilled: (of) =>
      `${of.ranked} 個の値のうち上位 ${of.discarded} 個を除いた次の値 ${of.p95} Mbps が、契約帯域 ${of.allowance} Mbps を ${of.overage} Mbps 超えているため、請求の対象です。`,
    whyWithin: (of) =>
      `超過はありません。${of.ranked} 個の値のうち上位 ${of.discarded} 個を除いた次の値 ${of.p95} Mbps は、契約帯域 ${of.allowance} Mbps を超えていません。`,
    whyBilledChanged: (of) =>
      `各スロットをその時点の契約帯域と比べ、${of.ranked} 個の超過のうち上位 ${of.discarded} 個を除いた次の値が ${of.overage} Mbps のため、請求の対象です。`,
    whyWithinChanged: (of) =>
      `超過はありません。各スロットをその時点の契約帯域と比べ、${of.ranked} 個の超過のうち上位 ${of.discarded} 個を除くと何も残りません。`,
    whyPool: (pool) => `プール ${pool} の一部として請求されます。ここの数値は、このサーバー自身の計測値によるものです。`,
    whyDecides: (slot) => `基準は ${slot} のスロットです。`,
    whyAbove: (slots, hours, first) => `契約帯域を超えたのは ${slots} スロット(${hours})、最初は ${first} です。`,
    whyUsedUp: (free, day) => `無料の ${free}は ${day}に使い切りました。`,
    whyBurstLeft: (left) => `今月はあと ${left}まで契約帯域を超えても無料です。それ以上は請求の対象になります。`,
    whyCertain: (overage) => `今すべての通信が止まっても、${overage} Mbps の超過は確定しています。`,
    whyCertainAmount: (overage, atLeast, soFar) =>
      `ここまでの金額は ${soFar} です。このうち少なくとも ${atLeast} は確定しており、今すべての通信が止まっても ${overage} Mbps の超過が残ります。`,
    whyAddonNow: (mbps) =>
      `月初から追加帯域 ${mbps} Mbps があれば、ここまでの請求はありませんでした。今から追加すると今後の分にだけ有効で、確定超過は減りません。`,
    whyAddonThen: (mbps) => `月初から追加帯域 ${mbps} Mbps があれば、請求はありませんでした。`,
    openCase: (id, state) => `ケース ${id}(${state})`,
    caseState: (state) =>
      ({ open: "未対応", notified: "連絡済み", approved: "承認済み", applied: "制限中", lifted: "解除済み", dismissed: "却下", resolved: "解消" })[
        state
      ] ?? state,

    burst: "バーストの残り時間",
    burstUsed: "使用済み",
    burstFree: "今月の無料分",
    burstSummary: (used, left, all) => `${all}のうち ${used}を使用、残り ${left}。`,
    burstRule: "月の 20 分の 1 までは、契約帯域を超えても超過になりません。",
    burstBeyond: (above, beyond) => `契約帯域を超えた時間は ${above}、無料分を ${beyond}上回っています。`,
    burstUsedUp: (at) => `${at} に使い切りました。`,
    burstRunsOut: (day) => `予測: 直近 7 日間のペースでは ${day}ごろに使い切ります。`,
    burstLasts: "予測: 直近 7 日間のペースでは月末まで残ります。",

    duration: "持続曲線",
    durationKeys: "持続曲線。矢印キーで曲線に沿って移動します。",
    durationSummary: (ranked, discarded, p95, allowance) =>
      `${ranked} 個の値を大きい順に並べた曲線。上位 ${discarded} 個を除き、次の値は ${p95} Mbps、契約帯域は ${allowance} Mbps。`,
    durationCut: (p95, discarded, ranked) => `横軸は時間の割合(%)、縦軸は Mbps。${ranked} 個中、上位 ${discarded} 個を除いた次の ${p95} が p95 です。`,
    durationAt: (bps, percent, time, rank) => `${bps} Mbps 以上の時間は ${percent}(${time})、上から ${rank} 番目。`,

    durationRevised: (p95) => `明細書の作成後に計測値が改訂されています。明細書の p95 は ${p95} Mbps のままです。`,

    heat: "時間帯別の最大値",
    heatSummary: "横に日、縦に時刻。1 時間ごとの最大値を契約帯域と比べた色。Enter でその日をグラフに表示します。",
    heatHint: "1 マスは 1 時間の最大値です。日をクリックするとグラフに表示します。",
    heatLegend: "契約帯域に対する最大値の倍率",
    timesAndMore: (times) => `契約帯域の ${times} 倍以上`,
    moreThanTimes: (times) => `契約帯域の ${times} 倍超`,
    heatCell: (largest, at, times) => `最大 ${largest} Mbps(${at})、契約帯域の ${times} 倍。`,
    heatMissing: (slots) => `計測値のないスロット: ${slots}。`,
    nothingExpected: "計測対象外",
    showDay: (day) => `${day}をグラフに表示`,

    whatIf: "条件を変えた試算",
    whatIfRunning:
      "月初から別の条件だったとして、同じ計測値を今後の通信がないものとして計算し直します(「現在」は確定超過です)。今から条件を変えても、確定超過は減りません。追加帯域は契約帯域に上乗せされます。",
    whatIfEnded: "同じ計測値に別の条件を月全体で当てはめて計算します。追加帯域は契約帯域に上乗せされます。",
    whatIfAllowance: "プランの契約帯域(Mbps)",
    whatIfMethod: "順位付けの対象",
    whatIfMissing: "計測値のないスロット",
    whatIfUnit: "課金単位(Mbps)",
    whatIfRounding: "端数",
    whatIfPrice: "1 Mbps の単価",
    whatIfAsk: "試算する",
    whatIfClear: "取り消す",
    whatIfEmpty: "変更する条件を 1 つ以上入力してください。",
    whatIfNothing: "この月、このサーバーに請求の対象はありません。",
    whatIfNow: (running) => (running ? "現在(確定分)" : "現在"),
    whatIfThen: (running) => (running ? "月初からの場合" : "試算"),
    whatIfChange: (running) => (running ? "差額(月初からその条件だった場合のみ)" : "差額"),
    billableBandwidth: "課金対象帯域",
    asItIs: "変更なし",
    missing: { zero: "0 とする", exclude: "除外する" },
    rounding: { up: "切り上げ", down: "切り捨て", half_up: "四捨五入" },
    notARate: (written) => `「${written}」は帯域(Mbps)として読み取れません。`,
  },
);

export const t = { ...common, ...chart, ...own };
