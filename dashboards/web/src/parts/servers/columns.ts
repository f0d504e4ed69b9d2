// The columns of the table of servers: their names, how wide they are, and which are shown.

import { useEffect, useMemo, useState } from "preact/hooks";
import { recall, remember } from "../../language";
import { COLUMNS, type Column } from "../../router";
import { t } from "../../words/common";

/** What the API sorts by, and the last day, which has no order. */
export type Shown = Column | "day";
export const SHOWN = COLUMNS.flatMap((column): Shown[] => (column === "in" ? ["day", column] : [column]));

/** Narrower than this a figure would be cut off. */
const COLUMN_PX: Record<Shown, number> = {
  server: 128,
  customer: 78,
  region: 84,
  plan: 90,
  day: 114,
  in: 82,
  out: 82,
  p95: 82,
  allowance: 86,
  overage: 86,
  amount: 104,
  locked_in: 86,
  projected: 122,
  burst_left: 156,
  coverage: 86,
};

/** The same on a phone, where all of them fit. */
const PHONE_COLUMN_PX: Record<Shown, number> = { ...COLUMN_PX, server: 98, p95: 76, overage: 82, burst_left: 86 };

/** What has no meaning once the month is over. */
const RUNNING: readonly Shown[] = ["day", "in", "out", "projected"];

/** As many as fit, the most telling first to stay. The narrowest are a phone's, where rows have two lines. */
const BY_WIDTH: readonly (readonly [from_px: number, columns: readonly Shown[]])[] = [
  [1560, SHOWN],
  [1440, SHOWN.filter((column) => column !== "plan")],
  [1270, SHOWN.filter((column) => !["plan", "locked_in", "coverage"].includes(column))],
  [860, ["server", "customer", "day", "p95", "overage", "amount", "burst_left"]],
  [681, ["server", "p95", "overage", "amount", "burst_left"]],
  [0, ["server", "p95", "overage", "burst_left"]],
];

/** Up to this width rows are a phone's, with the columns that fit there whatever was chosen. */
const PHONE_PX = 680;

const KEY = "meter95-columns";

export interface Columns {
  shown: readonly Shown[];
  px: Record<Shown, number>;
  /** As the reader chose, rather than by the width. */
  chosen: boolean;
  toggle: (column: Shown) => void;
  /** Back to those that fit. */
  reset: () => void;
}

/** Which columns are shown: as the reader chose, otherwise as many as fit. */
export function useColumns(running: boolean): Columns {
  const [chosen, setChosen] = useState(recalled);
  const [width_px, setWidth] = useState(innerWidth);
  useEffect(() => {
    const resized = () => setWidth(innerWidth);
    addEventListener("resize", resized);
    return () => removeEventListener("resize", resized);
  }, []);
  const choose = (columns: readonly Shown[] | undefined) => {
    setChosen(columns);
    remember(KEY, columns?.join(" "));
  };
  const phone = width_px <= PHONE_PX;
  const fitting = columnsThatFit(width_px);
  const all = phone ? fitting : (chosen ?? fitting);
  // The same list while it is the same, so that rows need not be drawn anew.
  const shown = useMemo(() => all.filter((column) => running || !RUNNING.includes(column)), [all, running]);
  return {
    shown,
    px: phone ? PHONE_COLUMN_PX : COLUMN_PX,
    chosen: chosen !== undefined,
    toggle: (column) => choose(SHOWN.filter((other) => (other === column) !== all.includes(other))),
    reset: () => choose(undefined),
  };
}

export function columnsThatFit(width_px: number): readonly Shown[] {
  return BY_WIDTH.find(([from_px]) => width_px >= from_px)?.[1] ?? [];
}

function recalled(): readonly Shown[] | undefined {
  const names = recall(KEY)?.split(" ");
  return names && SHOWN.filter((column) => column === "server" || names.includes(column));
}

export function columnName(column: Shown): string {
  switch (column) {
    case "day":
      return t.lastDay;
    case "locked_in":
      return t.lockedIn;
    case "burst_left":
      return t.burstLeft;
    default:
      return t[column];
  }
}

export function columnHint(column: Shown): string | undefined {
  return column in t.hint ? t.hint[column as keyof typeof t.hint] : undefined;
}
