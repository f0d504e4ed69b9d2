// Why a statement is held, in the reader's language. The service says it in English, with times in UTC; what is not known
// here is shown as the service says it.

import { dateTime } from "./format";
import { language, type Language } from "./language";

type Known = [pattern: RegExp, ja: (parts: string[]) => string];

const COUNT = "(\\d+)";

const KNOWN: Known[] = [
  [/^coverage (\S+) is below (\S+)$/, ([have, least]) => `計測率 ${have} が下限 ${least} を下回っています`],
  [new RegExp(`^${COUNT} slots without a sample of unknown cause: (.*)$`), ([n, spans]) => `原因不明の欠測 ${n} スロット: ${spansJa(spans)}`],
  [new RegExp(`^${COUNT} slots in which it had no port: (.*)$`), ([n, spans]) => `ポートの割り当てがない ${n} スロット: ${spansJa(spans)}`],
  [/^port (\S+) (.+) became the server's at (.+)$/, ([device, name, at]) => `月の途中でポート ${device} ${name} が割り当てられました(${at})`],
  [/^port (\S+) (.+) ceased to be the server's at (.+)$/, ([device, name, at]) => `月の途中でポート ${device} ${name} が外されました(${at})`],
  [/^the server was removed from the inventory at (.+)$/, ([at]) => `サーバーが台帳から削除されました(${at})`],
  [/^it was in pool (.+) when the period began$/, ([pool]) => `期首にはプール ${pool} に属していました`],
  [/^no server of the pool was in service for a part of the period$/, () => "期間の一部で、プールに提供中のサーバーがありません"],
  [/^(.+) was billed with the statement of (.+)$/, ([servers, other]) => `${servers} は ${other} の明細書でも請求されています`],
  [/^changed in the inventory since the period began, without a date: (.+)$/, ([what]) => `月の開始後に日付なしで台帳が変更されました: ${changedJa(what)}`],
];

const CHANGED: Known[] = [
  [/^the time zone, which was (.+)$/, ([was]) => `タイムゾーン(変更前 ${was})`],
  [/^the server, which was not there, and has no service_start$/, () => "サーバーの追加(service_start なし)"],
  [/^the customer, who was (.+)$/, ([was]) => `顧客(変更前 ${was})`],
  [/^the plan, which was (.+)$/, ([was]) => `プラン(変更前 ${was})`],
  [/^the terms of plan (.+)$/, ([plan]) => `プラン ${plan} の条件`],
  [/^what was granted when it began$/, () => "期首の契約帯域"],
  [/^its ports$/, () => "ポート"],
];

export function reasonWords(reason: string, timezone: string, into: Language = language): string {
  const text = into === "ja" ? ja(reason) : reason;
  return text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (instant) => dateTime(instant, timezone));
}

function ja(reason: string): string {
  const of = /^server (\S+): (.*)$/.exec(reason);
  if (of) return `サーバー ${of[1]}: ${ja(of[2]!)}`;
  return translated(KNOWN, reason);
}

function changedJa(what: string | undefined): string {
  return translated(CHANGED, what ?? "");
}

function spansJa(spans: string | undefined): string {
  return (spans ?? "")
    .replace(/ and (\d+) more spans$/, "、ほか $1 区間")
    .replaceAll(" to ", " ～ ")
    .replaceAll(", ", "、");
}

function translated(known: readonly Known[], text: string): string {
  for (const [pattern, words] of known) {
    const match = pattern.exec(text);
    if (match) return words(match.slice(1));
  }
  return text;
}
