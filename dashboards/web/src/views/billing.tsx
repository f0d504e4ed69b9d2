// To come.

import { useTitle } from "../parts/shell";
import type { BillingRoute } from "../router";
import { t } from "../words/common";

export function Billing({ route }: { route: BillingRoute }) {
  useTitle(t.billing);
  return <h1>{route.view}</h1>;
}
