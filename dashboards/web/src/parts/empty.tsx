// What stands where no server is metered yet: the first steps.

import type { Usage } from "../api/usage";
import { periodName } from "../format";
import { runningPeriod } from "../site";
import { t } from "../words/empty";

export function Empty({ site }: { site: Usage }) {
  if (site.period !== runningPeriod(site)) {
    return (
      <section class="notice">
        <h1>{t.emptyPeriod(periodName(site.period))}</h1>
      </section>
    );
  }
  return (
    <section class="notice">
      <h1>{t.emptyTitle}</h1>
      <p>{t.emptyIntro}</p>
      <ol>
        <li>
          {t.emptyInventory}
          <code>meter95 inventory apply FILE</code>
        </li>
        <li>
          {t.emptyCollectors}
          <code>meter95 collect</code>
        </li>
      </ol>
      <p>
        {t.emptyDemo}
        <code>meter95 demo</code>
      </p>
    </section>
  );
}
