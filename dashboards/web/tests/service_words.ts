import assert from "node:assert/strict";
import { test } from "node:test";
import { serviceWords } from "../src/pure/service_words";

test("why a statement is held is said in Japanese, and with local times", () => {
  for (const [reason, en, ja] of [
    ["coverage 0.8644 is below 0.95", "coverage 86.44 % is below 95.00 %", "計測率 86.44 % が下限 95.00 % を下回っています"],
    [
      "server web02: coverage 0.9031 is below 0.95",
      "server web02: coverage 90.31 % is below 95.00 %",
      "サーバー web02: 計測率 90.31 % が下限 95.00 % を下回っています",
    ],
    [
      "8928 slots in which it had no port: 2026-09-30T15:00:00Z to 2026-10-01T15:00:00Z",
      "8,928 slots in which it had no port: 1 Oct 2026, 00:00 to 2 Oct 2026, 00:00",
      "ポートの割り当てがない 8,928 スロット: 1 Oct 2026, 00:00 ～ 2 Oct 2026, 00:00",
    ],
    [
      "288 slots in which it had no port: 2026-09-30T15:00:00Z to 2026-10-01T15:00:00Z",
      "288 slots in which it had no port: 1 Oct 2026, 00:00 to 2 Oct 2026, 00:00",
      "ポートの割り当てがない 288 スロット: 1 Oct 2026, 00:00 ～ 2 Oct 2026, 00:00",
    ],
    [
      "server web02: 3 slots without a sample of unknown cause: 2026-10-01T00:00:00Z to 2026-10-01T00:15:00Z and 4 more spans",
      "server web02: 3 slots without a sample of unknown cause: 1 Oct 2026, 09:00 to 1 Oct 2026, 09:15 and 4 more spans",
      "サーバー web02: 原因不明の欠測 3 スロット: 1 Oct 2026, 09:00 ～ 1 Oct 2026, 09:15、ほか 4 区間",
    ],
    [
      "port sw3 ge-0/0/2 became the server's at 2026-10-01T15:00:00Z",
      "port sw3 ge-0/0/2 became the server's at 2 Oct 2026, 00:00",
      "月の途中でポート sw3 ge-0/0/2 が割り当てられました(2 Oct 2026, 00:00)",
    ],
    [
      'changed in the inventory since the period began, without a date: the plan, which was "jp6"',
      undefined,
      '月の開始後に日付なしで台帳が変更されました: プラン(変更前 "jp6")',
    ],
    ["web01 was billed with the statement of c004-all", undefined, "web01 は c004-all の明細書でも請求されています"],
    [
      'collector "osaka-1" was last heard of at 2026-10-31T14:00:00Z and may hold readings from before 2026-10-31T15:00:00Z: start it, or let it reach the service; if it is gone for good, say: meter95 collectors forget "osaka-1" --by WHO',
      'collector "osaka-1" was last heard of at 31 Oct 2026, 23:00 and may hold readings from before 1 Nov 2026, 00:00: start it, or let it reach the service; if it is gone for good, say: meter95 collectors forget "osaka-1" --by WHO',
      'コレクター "osaka-1" は 31 Oct 2026, 23:00 を最後に連絡がなく、1 Nov 2026, 00:00 より前の読み取りを持っている可能性があります。起動するか、サービスに接続させてください。もう使わない場合は次を実行します: meter95 collectors forget "osaka-1" --by WHO',
    ],
    [
      '"web01": 8928 samples, p95 5, overage 4 by meter95; 8928 samples, p95 6, overage 5 by SQL',
      '"web01": 8,928 samples, p95 5, overage 4 by meter95; 8,928 samples, p95 6, overage 5 by SQL',
      '"web01": meter95 では計測値 8,928、p95 5、超過 4。SQL では計測値 8,928、p95 6、超過 5',
    ],
    ["something that later versions say", undefined, "something that later versions say"],
  ] as const) {
    assert.equal(serviceWords(reason, "Asia/Tokyo", "en"), en ?? reason);
    assert.equal(serviceWords(reason, "Asia/Tokyo", "ja"), ja);
  }
});
