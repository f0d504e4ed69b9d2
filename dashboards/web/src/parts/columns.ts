// The names of the fleet's columns.

import { t } from "../words/common";
import type { Column } from "../router";

export function columnName(column: Column): string {
  switch (column) {
    case "locked_in":
      return t.lockedIn;
    case "burst_left":
      return t.burstLeft;
    default:
      return t[column];
  }
}

export function columnHint(column: Column): string | undefined {
  return column in t.hint ? t.hint[column as keyof typeof t.hint] : undefined;
}
