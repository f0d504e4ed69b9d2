// Words where no server is metered yet.

import { words } from "../language";
import { t as common } from "./common";

const own = words(
  {
    emptyTitle: "No servers yet",
    emptyIntro: "Two steps, and the first figures appear here within ten minutes:",
    emptyInventory: "Say what is metered: plans, servers and their ports.",
    emptyCollectors: "Let collectors read the ports. The service runs its own; on another machine, start them alone:",
    emptyDemo: "To look around first, with a simulated site:",
    emptyPeriod: (period: string) => `No server was in service in ${period}.`,
  },
  {
    emptyTitle: "サーバーはまだありません",
    emptyIntro: "次の 2 つの手順のあと、10 分以内に最初の数値が表示されます。",
    emptyInventory: "計測対象(プラン、サーバー、ポート)を登録します。",
    emptyCollectors: "コレクターがポートを読み取ります。サービスにも内蔵されています。別のマシンでは単独で起動します。",
    emptyDemo: "先に試すには、シミュレーションを起動します。",
    emptyPeriod: (period) => `${period}に提供中のサーバーはありません。`,
  },
);

export const t = { ...common, ...own };
