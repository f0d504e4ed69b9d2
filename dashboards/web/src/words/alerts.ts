// Alerts in words. The service says each in English; in Japanese a sentence is made of the same figures.

import type { Alert, AlertKind, Severity } from "../api/alerts";
import { mbps } from "../format";
import { words } from "../language";

export const severityName: Record<Severity, string> = words(
  { info: "info", warning: "warning", critical: "critical" },
  { info: "情報", warning: "警告", critical: "重大" },
);

const kinds: Record<AlertKind, string> = words(
  {
    case: "Servers that use far too much",
    burst_half: "Half of the burst is used",
    burst_used: "The burst is used up",
    locked_in_overage: "Overage is locked in",
    uplink_tight: "Tight uplinks",
    port_silent: "Silent ports",
    device_silent: "Silent devices",
    collector_silent: "Silent collectors",
    meters_disagree: "Switch and server disagree",
    statement_held: "Statements held for a review",
    ports_unsampled: "Ports without a figure",
    clock_skew: "A clock is ahead",
    poll_lag: "Devices read late",
    readings_refused: "Refused readings",
    store_behind: "The store is behind",
  },
  {
    case: "過大利用のサーバー",
    burst_half: "バーストを半分使用",
    burst_used: "バーストを使い切り",
    locked_in_overage: "超過が確定",
    uplink_tight: "アップリンクの逼迫",
    port_silent: "読み取れないポート",
    device_silent: "読み取れない機器",
    collector_silent: "報告のないコレクター",
    meters_disagree: "スイッチ側とサーバー側の不一致",
    statement_held: "確認待ちの明細書",
    ports_unsampled: "計測値のないポート",
    clock_skew: "時計の進み",
    poll_lag: "読み取りの遅れ",
    readings_refused: "拒否された読み取り",
    store_behind: "書き込みの遅れ",
  },
);

/** What is the matter; a kind that a newer service tells keeps its name. */
export function kindName(kind: AlertKind): string {
  return kinds[kind] ?? kind;
}

/** One alert as a sentence. */
export function alertSentence(alert: Alert): string {
  return words(said, inJapanese)(alert);
}

function said(alert: Alert): string {
  return alert.summary.charAt(0).toUpperCase() + alert.summary.slice(1);
}

function inJapanese({ kind, labels, details, summary }: Alert): string {
  const { server = "", device = "", period = "", uplink = "", collector = "" } = labels;
  const number = (name: string) => Number(details[name] ?? 0);
  const rate = (name: string) => `${mbps(number(name))} Mbps`;
  switch (kind) {
    case "case":
      return `ケース ${labels["case"] ?? ""}: サーバー ${server} の利用が過大です`;
    case "burst_half":
      return `サーバー ${server} は ${period} のバースト ${number("burst_slots")} スロットの半分以上を使いました(残り ${number("burst_left_slots")})`;
    case "burst_used":
      return `サーバー ${server} は ${period} のバースト ${number("burst_slots")} スロットを使い切りました。次に ${rate("allowance_bps")} を超えたスロットから請求されます`;
    case "locked_in_overage":
      return `サーバー ${server} の ${period} の超過は少なくとも ${rate("locked_in_overage_bps")} になります`;
    case "uplink_tight": {
      const percent = Math.floor((number("load_bps") * 100) / Math.max(1, number("speed_bps")));
      return `アップリンク ${uplink} は ${rate("speed_bps")} の ${percent} % に達しています(${details["direction"] === "in" ? "受信" : "送信"})`;
    }
    case "port_silent": {
      const whose = server !== "" ? `サーバー ${server}` : `アップリンク ${uplink}`;
      return `機器 ${device} のポート ${labels["interface"] ?? ""}(${whose})の読み取りがありません`;
    }
    case "device_silent":
      return `機器 ${device} の読み取りがありません`;
    case "collector_silent":
      return `コレクター ${collector} からの報告がありません`;
    case "meters_disagree":
      return `サーバー ${server} のスイッチのポートとサーバー側の NIC の計測が一致しません`;
    case "statement_held":
      return `${server} の ${period} の明細書が確認待ちです`;
    case "ports_unsampled":
      return `${number("ports")} ポートのうち計測値があるのは ${number("sampled")} ポートだけです`;
    case "clock_skew":
      return `${String(details["device"] ?? "")} を読み取るマシンの時計が ${Math.floor(number("ahead_ms") / 1_000)} 秒進んでいます`;
    case "poll_lag":
      return `${number("devices")} 台の機器の読み取りが遅れています(最も遅い機器: ${String(details["worst"] ?? "")}、${Math.floor(number("worst_ms") / 1_000)} 秒前)`;
    case "readings_refused":
      return `直近 10 分間に ${number("refused")} 件の読み取りを拒否しました`;
    case "store_behind":
      return `ClickHouse に ${number("rows")} 行を書き込めていません`;
    default:
      return summary;
  }
}
