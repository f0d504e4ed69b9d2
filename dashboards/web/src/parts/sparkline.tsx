// A server's last day, small enough for a line of a table.

import { mbps } from "../format";
import { HOUR_PX, spark, SPARK_PX } from "../pure/spark";
import { t } from "../words/common";
import type { Day } from "./days";

interface Props {
  /** undefined: not known yet. */
  day: Day | undefined;
  allowance_bps: number;
}

export function Sparkline({ day, allowance_bps }: Props) {
  if (!day) return <span class="spark" />;
  const { within, above, allowance_px, max_bps } = spark(day, allowance_bps);
  const width = day.length * HOUR_PX;
  const says = max_bps === undefined ? t.dayNoData : t.dayMax(mbps(max_bps), mbps(allowance_bps));
  return (
    <svg class="spark" role="img" aria-label={says} width={width} height={SPARK_PX} viewBox={`0 0 ${width} ${SPARK_PX}`}>
      <title>{says}</title>
      <path class="within" d={within} />
      <path class="above" d={above} />
      <path class="allowance" d={`M0 ${allowance_px}H${width}`} />
    </svg>
  );
}
