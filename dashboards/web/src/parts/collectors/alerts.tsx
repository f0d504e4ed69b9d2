// The alerts that are open: by kind, the worst first.

import { useLayoutEffect } from "preact/hooks";
import type { Alert, AlertKind, Severity } from "../../api/alerts";
import { count } from "../../format";
import { kindName, severityName } from "../../words/alerts";
import { t } from "../../words/collectors";
import { Ago, Badge, type Tone } from "../figures";
import { Panel } from "../panel";
import { AlertLine } from "./attention";

/** Of a kind, how many are named: a large site may have thousands. */
const NAMED = 50;

const TONES: Record<Severity, Tone> = { critical: "over", warning: "warn", info: "plain" };
const SEVERITIES: Severity[] = ["critical", "warning", "info"];

interface Group {
  severity: Severity;
  kind: AlertKind;
  alerts: Alert[];
}

interface Props {
  alerts: Alert[];
  timezone: string;
  /** They are what the reader came for. */
  wanted: boolean;
}

export function Alerts({ alerts, timezone, wanted }: Props) {
  useLayoutEffect(() => {
    if (wanted) document.querySelector(".alerts")?.scrollIntoView();
  }, [wanted]);
  return (
    <Panel title={t.alerts} aside={count(alerts.length)} class="alerts">
      {alerts.length === 0 && <p>{t.noAlerts}</p>}
      {grouped(alerts).map(({ severity, kind, alerts }) => (
        <details key={`${severity} ${kind}`} open={severity === "critical"}>
          <summary>
            <Badge tone={TONES[severity]}>{severityName[severity]}</Badge> {kindName(kind)}{" "}
            <span class="muted">{count(alerts.length)}</span>
          </summary>
          <ul>
            {alerts.slice(0, NAMED).map((alert) => (
              <li key={alert.key}>
                <AlertLine alert={alert} /> <Ago at={alert.raised_at} timezone={timezone} />
              </li>
            ))}
            {alerts.length > NAMED && <li class="muted">{t.andMore(count(alerts.length - NAMED))}</li>}
          </ul>
        </details>
      ))}
    </Panel>
  );
}

function grouped(alerts: Alert[]): Group[] {
  const groups = new Map<string, Group>();
  for (const alert of [...alerts].sort((a, b) => b.raised_at.localeCompare(a.raised_at))) {
    const { severity, kind } = alert;
    const key = `${severity} ${kind}`;
    const group = groups.get(key) ?? { severity, kind, alerts: [] };
    group.alerts.push(alert);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}
