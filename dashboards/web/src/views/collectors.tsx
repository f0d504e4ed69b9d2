// To come.

import { useTitle } from "../parts/shell";
import type { CollectorsRoute } from "../router";
import { t } from "../words/common";

export function Collectors({ route }: { route: CollectorsRoute }) {
  useTitle(t.collectors);
  return <h1>{route.view}</h1>;
}
