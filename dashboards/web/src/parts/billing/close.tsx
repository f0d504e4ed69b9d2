// The dialog in which a month is closed.

import { useState } from "preact/hooks";
import { ApiFailure } from "../../api/ask";
import * as api from "../../api/periods";
import type { Closed, Period } from "../../api/periods";
import { periodName } from "../../format";
import { t } from "../../words/billing";
import { Act } from "../act";
import { HeldBack } from "./status";
import { useName } from "../said";

/** What is refused is refused at once; after this the dialog makes way for the progress. */
const AT_ONCE_MS = 1_000;

interface Props {
  month: Period;
  shut: () => void;
  look: () => void;
  cameOf: (closed: Closed | { failure: string } | undefined) => void;
}

export function CloseMonth({ month, shut, look, cameOf }: Props) {
  const { name, field } = useName();
  const [override, setOverride] = useState("");
  const heldBack = month.held_back.length > 0;
  const again = month.state === "closed";

  const act = async (key: string) => {
    cameOf(undefined);
    const closing = api.close(month.period, name(), override.trim() === "" ? undefined : override.trim(), key);
    const told = closing.then(
      (closed) => {
        cameOf(closed);
        look();
      },
      (cause: unknown) => {
        // It goes on though nobody waits any longer; how far it is, the month itself says.
        const failure = cause instanceof ApiFailure ? cause : undefined;
        if (failure?.kind !== "unreachable") cameOf({ failure: failure?.detail ?? String(cause) });
        look();
        throw cause;
      },
    );
    told.catch(() => {});
    await Promise.race([told, new Promise((later) => setTimeout(later, AT_ONCE_MS))]);
    look();
  };

  return (
    <Act title={t.closeTitle(periodName(month.period))} verb={again ? t.closeAgain : t.close} act={act} close={shut}>
      <p>{again ? t.closeAgainHelp : t.closeHelp}</p>
      {heldBack && (
        <>
          <HeldBack month={month} />
          <p class="muted">{t.overrideHelp}</p>
          <label>
            {t.override}
            <textarea required maxLength={4000} value={override} onInput={(event) => setOverride(event.currentTarget.value)} />
          </label>
        </>
      )}
      {field}
    </Act>
  );
}
