// The servers: one row each, sorted and searched by the service, so that 100,000 are as quick as ten.

import type { Usage } from "../api/usage";
import { usage } from "../api/usage";
import { Answered } from "../parts/answered";
import { Empty } from "../parts/empty";
import { ServersTable } from "../parts/servers_table";
import { useTitle } from "../parts/shell";
import { usePolled } from "../polled";
import { replace, startsDescending, type ServersRoute } from "../router";
import { runningPeriod } from "../site";
import { t } from "../words/servers";

export function Servers({ route }: { route: ServersRoute }) {
  useTitle(t.servers);
  const { period, sort, descending } = route;
  const polled = usePolled<Usage>(`servers ${period ?? ""}`, ["usage", "inventory"], (signal) =>
    usage({ period, limit: 1000 }, signal),
  );
  return (
    <Answered polled={polled}>
      {(answer) =>
        answer.count === 0 ? (
          <Empty site={answer} />
        ) : (
          <ServersTable
            rows={answer.servers}
            usage={answer}
            route={route}
            running={answer.period === runningPeriod(answer)}
            sortBy={(column) =>
              replace({ ...route, sort: column, descending: column === sort ? !descending : startsDescending(column) })
            }
          />
        )
      }
    </Answered>
  );
}
