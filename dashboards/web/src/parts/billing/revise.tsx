// Correcting what was issued: first what would change, then the new revisions.

import { useState } from "preact/hooks";
import * as api from "../../api/periods";
import type { Figures, Revised } from "../../api/periods";
import { count, periodName } from "../../format";
import { serviceWords } from "../../pure/service_words";
import { useSite } from "../../site";
import { t } from "../../words/billing";
import { Act } from "../act";
import { Money, Rate } from "../figures";
import { useWord } from "../said";
import { Scroll } from "../scroll";

interface Props {
  month: string;
  /** The only one to correct; undefined: to be chosen. */
  server: string | undefined;
  close: () => void;
  done: () => void;
}

export function Revise({ month, server, close, done }: Props) {
  const { word, fields } = useWord(t.reason);
  const [chosen, setChosen] = useState(server ?? "");
  // What was looked at is what is issued: another choice is looked at anew.
  const [looked, setLooked] = useState<{ of: string; told: Revised } | undefined>();
  const of = chosen.trim();
  const told = looked?.of === of ? looked.told : undefined;
  const nothing = told?.revisions.length === 0;
  const issue = told !== undefined && !nothing;

  const act = async (key: string) => {
    const { by, why } = word();
    const asked = { server: of === "" ? undefined : of, by, reason: why };
    if (!issue) {
      setLooked({ of, told: await api.revise(month, { ...asked, dry_run: true }) });
      return false;
    }
    await api.revise(month, { ...asked, dry_run: false }, key);
    done();
    return true;
  };
  return (
    <Act title={t.correctTitle(periodName(month))} verb={issue ? t.issueRevisions : t.preview} act={act} close={close}>
      <p class="muted">{t.correctHelp}</p>
      {server === undefined && (
        <label>
          {t.correctServer}
          <input value={chosen} onInput={(event) => setChosen(event.currentTarget.value)} />
        </label>
      )}
      {fields}
      {nothing && <p role="status">{t.nothingChanges}</p>}
      {issue && <WouldChange told={told} month={month} />}
    </Act>
  );
}

function WouldChange({ told, month }: { told: Revised; month: string }) {
  const { answer: site } = useSite(month);
  const timezone = site?.timezone ?? "UTC";
  const figures = (of: Figures) => (
    <>
      <td class="number">
        <Rate bps={of.billable_bps} />
      </td>
      <td class="number">
        <Money amount={of.amount} currency={of.currency} />
      </td>
    </>
  );
  return (
    <div role="status">
      <p>{t.wouldChange(count(told.revisions.length))}</p>
      <Scroll label={t.wouldChange(count(told.revisions.length))} class="would-change">
        <table class="plain wide">
          <thead>
            <tr>
              <th scope="col">{t.server}</th>
              <th scope="col" colSpan={2} class="number">
                {t.before}
              </th>
              <th scope="col" colSpan={2} class="number">
                {t.after}
              </th>
            </tr>
          </thead>
          <tbody>
            {told.revisions.map((one) => (
              <tr key={one.server}>
                <th scope="row">
                  {one.server}
                  <span class="under">{t.revisionShort(one.revision)}</span>
                  {one.reasons.map((reason) => (
                    <span key={reason} class="under warn">
                      {serviceWords(reason, timezone)}
                    </span>
                  ))}
                </th>
                {figures(one.before)}
                {figures(one.after)}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
}
