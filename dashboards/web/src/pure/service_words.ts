// Sentences of the service in the reader's language: why a statement is held, or a month is not closed. It says them in
// English, with times in UTC and plain numbers; what is not known here is shown as the service says it.

import { count, dateTime, percent } from "../format";
import { language, type Language } from "../language";

type Known = [pattern: RegExp, ja: (parts: string[]) => string];

const COUNT = "([\\d,]+)";

const KNOWN: Known[] = [
  [/^coverage (.+ %) is below (.+ %)$/, ([have, least]) => `計測率 ${have} が下限 ${least} を下回っています`],
  [new RegExp(`^${COUNT} slots without a sample of unknown cause: (.*)$`), ([n, spans]) => `原因不明の欠測 ${n} スロット: ${spansJa(spans)}`],
  [new RegExp(`^${COUNT} slots in which it had no port: (.*)$`), ([n, spans]) => `ポートの割り当てがない ${n} スロット: ${spansJa(spans)}`],
  [/^port (\S+) (.+) became the server's at (.+)$/, ([device, name, at]) => `月の途中でポート ${device} ${name} が割り当てられました(${at})`],
  [/^port (\S+) (.+) ceased to be the server's at (.+)$/, ([device, name, at]) => `月の途中でポート ${device} ${name} が外されました(${at})`],
  [/^the server was removed from the inventory at (.+)$/, ([at]) => `サーバーが台帳から削除されました(${at})`],
  [/^it was in pool (.+) when the period began$/, ([pool]) => `期首にはプール ${pool} に属していました`],
  [/^no server of the pool was in service for a part of the period$/, () => "期間の一部で、プールに提供中のサーバーがありません"],
  [/^(.+) was billed with the statement of (.+)$/, ([servers, other]) => `${servers} は ${other} の明細書でも請求されています`],
  [/^changed in the inventory since the period began, without a date: (.+)$/, ([what]) => `月の開始後に日付なしで台帳が変更されました: ${changedJa(what)}`],
  [
    /^collector (".*?") said at (\S+) that it holds ([\d,]+) readings, the oldest of (\S+), and so some from before (\S+): let it reach the service(.*)$/,
    ([name, at, n, oldest, until, gone]) =>
      `コレクター ${name} は ${at} の時点で ${n} 件の未送信の読み取り(最古 ${oldest})を持ち、${until} より前のものを含みます。サービスに接続させてください${goneJa(gone)}`,
  ],
  [
    /^collector (".*?") was last heard of at (\S+) and may hold readings from before (\S+): start it, or let it reach the service(.*)$/,
    ([name, at, until, gone]) =>
      `コレクター ${name} は ${at} を最後に連絡がなく、${until} より前の読み取りを持っている可能性があります。起動するか、サービスに接続させてください${goneJa(gone)}`,
  ],
  [
    /^(".*?"): ([\d,]+) samples, p95 (\S+), overage (\S+) by meter95; ([\d,]+) samples, p95 (\S+), overage (\S+) by SQL$/,
    ([server, n, p95, overage, sqlN, sqlP95, sqlOverage]) =>
      `${server}: meter95 では計測値 ${n}、p95 ${p95}、超過 ${overage}。SQL では計測値 ${sqlN}、p95 ${sqlP95}、超過 ${sqlOverage}`,
  ],
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

export function serviceWords(said: string, timezone: string, into: Language = language): string {
  const figures = said
    .replace(/(?<=\bcoverage )(\d\.\d+) is below (\d(?:\.\d+)?)$/, (_, have: string, least: string) => `${percent(have)} is below ${percent(least)}`)
    .replaceAll(/\b\d{4,}(?= (?:slots|samples|readings|more spans)\b)/g, (n) => count(Number(n)));
  const text = into === "ja" ? ja(figures) : figures;
  return text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (instant) => dateTime(instant, timezone));
}

function ja(said: string): string {
  const of = /^server (\S+): (.*)$/.exec(said);
  if (of) return `サーバー ${of[1]}: ${ja(of[2]!)}`;
  return translated(KNOWN, said);
}

function changedJa(what: string | undefined): string {
  return translated(CHANGED, what ?? "");
}

function spansJa(spans: string | undefined): string {
  return (spans ?? "")
    .replace(/ and ([\d,]+) more spans$/, "、ほか $1 区間")
    .replaceAll(" to ", " ～ ")
    .replaceAll(", ", "、");
}

function goneJa(gone: string | undefined): string {
  const command = /^; if it is gone for good, say: (.*)$/.exec(gone ?? "")?.[1];
  return command === undefined ? (gone ?? "") : `。もう使わない場合は次を実行します: ${command}`;
}

function translated(known: readonly Known[], text: string): string {
  for (const [pattern, words] of known) {
    const match = pattern.exec(text);
    if (match) return words(match.slice(1));
  }
  return text;
}
