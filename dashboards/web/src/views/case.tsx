// To come.

import { useTitle } from "../parts/shell";
import type { CaseRoute } from "../router";
import { t } from "../words/common";

export function CaseView({ route }: { route: CaseRoute }) {
  useTitle(t.cases);
  return <h1>{route.view}</h1>;
}
