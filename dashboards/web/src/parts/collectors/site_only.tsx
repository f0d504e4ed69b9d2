// In place of what only those may see whose token has no limit.

import { t } from "../../words/collectors";

export function SiteOnly() {
  return (
    <section class="notice">
      <h1>{t.siteOnly}</h1>
      <p>{t.siteOnlyHelp}</p>
    </section>
  );
}
