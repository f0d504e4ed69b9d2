// What goes wrong when a device is asked over SNMP, by the names that the API counts it by.

import { words } from "../language";

const known: Record<string, string> = words(
  {
    timeout: "no answer in time",
    malformed: "an answer that is not SNMP",
    deadline: "too slow for one pass",
    wrong_shape: "an answer to something else",
    wrong_type: "a value of another type",
    missing_row: "the interface is gone",
    missing_column: "no octet counters",
    moved: "the interface's number changed (read all the same)",
    duplicate_name: "two interfaces of one name",
    unnamed: "an interface without a name",
    too_big: "one row does not fit into an answer",
    end_of_mib: "the table ends too early",
    loop: "the table runs in a circle",
    table_too_long: "the table has no end",
    empty_table: "no interface has a name",
    denied: "reading is not allowed",
    unknown_user: "unknown SNMPv3 user",
    wrong_auth: "wrong authentication password",
    wrong_privacy: "wrong privacy password",
    security_level: "the user's protection differs",
    not_in_time: "the device's clock went back",
    unknown_engine: "the engine ID changed",
    agent_error: "the device reports an error",
    unreachable: "the request could not be sent",
  },
  {
    timeout: "時間内に応答なし",
    malformed: "SNMP ではない応答",
    deadline: "1 回の巡回に間に合わない",
    wrong_shape: "別の要求への応答",
    wrong_type: "値の型が違う",
    missing_row: "インターフェースが消えた",
    missing_column: "オクテットカウンターがない",
    moved: "インターフェース番号が変わった(読み取りは成功)",
    duplicate_name: "同名のインターフェースが複数ある",
    unnamed: "名前のないインターフェース",
    too_big: "1 行が応答に収まらない",
    end_of_mib: "テーブルが途中で終わる",
    loop: "テーブルが循環している",
    table_too_long: "テーブルが終わらない",
    empty_table: "名前のあるインターフェースがない",
    denied: "読み取りが許可されていない",
    unknown_user: "SNMPv3 ユーザーが不明",
    wrong_auth: "認証パスワードが違う",
    wrong_privacy: "暗号化パスワードが違う",
    security_level: "ユーザーの保護レベルが違う",
    not_in_time: "機器の時計が戻った",
    unknown_engine: "エンジン ID が変わった",
    agent_error: "機器がエラーを返した",
    unreachable: "要求を送信できない",
  },
);

/** A failure in words; one that a newer service counts keeps its name. */
export function failureName(failure: string): string {
  return known[failure] ?? failure;
}
