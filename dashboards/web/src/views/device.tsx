// To come.

import { useTitle } from "../parts/shell";
import type { DeviceRoute } from "../router";
import { t } from "../words/common";

export function DeviceView({ route }: { route: DeviceRoute }) {
  useTitle(t.collectors);
  return <h1>{route.view}</h1>;
}
