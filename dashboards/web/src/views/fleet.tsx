// To come.

import { useTitle } from "../parts/shell";
import type { FleetRoute } from "../router";
import { t } from "../words/common";

export function Fleet({ route }: { route: FleetRoute }) {
  useTitle(t.fleet);
  return <h1>{route.view}</h1>;
}
