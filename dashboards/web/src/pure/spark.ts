// A day in small: a bar an hour, with what is above the allowance told apart. Pure; drawn by `parts/sparkline.tsx`.

export const HOUR_PX = 4;
export const SPARK_PX = 22;
const BAR_PX = 3;

export interface Spark {
  /** Bars up to the allowance, and what stands above it, as SVG paths. */
  within: string;
  above: string;
  /** Where the allowance's line is, from the top. */
  allowance_px: number;
  max_bps: number | undefined;
}

/** The top is the largest of all, or the allowance. An hour without a sample has no bar, one of 0 a trace of one. */
export function spark(values: readonly (number | null)[], allowance_bps: number): Spark {
  const known = values.filter((value) => value !== null);
  const max_bps = known.length === 0 ? undefined : Math.max(...known);
  const top_bps = Math.max(max_bps ?? 0, allowance_bps, 1);
  const y = (bps: number) => round(SPARK_PX - 1 - (bps / top_bps) * (SPARK_PX - 2));
  let within = "";
  let above = "";
  for (const [hour, value] of values.entries()) {
    if (value === null) continue;
    const x = hour * HOUR_PX;
    within += bar(x, y(Math.min(value, allowance_bps)), SPARK_PX);
    if (value > allowance_bps) above += bar(x, y(value), y(allowance_bps));
  }
  return { within, above, allowance_px: y(allowance_bps), max_bps };
}

function bar(x: number, top: number, bottom: number): string {
  return `M${x} ${bottom}V${top}h${BAR_PX}V${bottom}z`;
}

function round(px: number): number {
  return Math.round(px * 10) / 10;
}
