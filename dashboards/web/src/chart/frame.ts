// Where things are on the chart: its margins, and which pixel is which slot and rate. All in CSS pixels.

import { extremes, largerSide, rates, type ChartData, type Rates, type Side } from "./data";
import type { View } from "../pure/month/view";

/** The strips below the plot, each for one kind of mark. */
export const STRIPS = ["discarded", "partial"] as const;
export const STRIP_PX = 7;

const AXIS_PX = 22;
const TOP_PX = 16;
/** Room for the names of lines; on a narrow screen the legend alone has them. */
const NAMES_PX = 150;
const NAMES_FROM_PX = 760;

export interface Frame {
  width: number;
  height: number;
  left: number;
  top: number;
  /** Of the plot itself. */
  plotWidth: number;
  plotHeight: number;
  /** Where the first strip begins. */
  strips: number;
  named: boolean;
  view: View;
  rates: Rates;
  /** On which side lines are named. */
  side: Side;
  x: (slot: number) => number;
  y: (bps: number) => number;
}

/** `held` keeps the rates of a gesture that has begun: they grow where they must, and find their scale anew after it. */
export function frame(data: ChartData, view: View, width: number, height: number, held?: Rates): Frame {
  let span = rates(data, view);
  if (held) span = { low: Math.min(span.low, held.low), high: Math.max(span.high, held.high) };
  const named = width >= NAMES_FROM_PX;
  const left = width < 500 ? 40 : 52;
  const strips = STRIPS.length * STRIP_PX;
  const plotWidth = Math.max(50, width - left - (named ? NAMES_PX : 10));
  const plotHeight = Math.max(50, height - TOP_PX - AXIS_PX - strips - 4);
  const perSlot = plotWidth / (view.until - view.from);
  const perBps = plotHeight / (span.high - span.low);
  return {
    width,
    height,
    left,
    top: TOP_PX,
    plotWidth,
    plotHeight,
    strips: TOP_PX + plotHeight + 3,
    named,
    view,
    rates: span,
    side: largerSide(data, extremes(data, view)),
    x: (slot) => left + (slot - view.from) * perSlot,
    y: (bps) => TOP_PX + (span.high - bps) * perBps,
  };
}
