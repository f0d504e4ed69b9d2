// To come.

import { useTitle } from "../parts/shell";
import type { CasesRoute } from "../router";
import { t } from "../words/common";

export function Cases({ route }: { route: CasesRoute }) {
  useTitle(t.cases);
  return <h1>{route.view}</h1>;
}
