// Incidents for which a server is not billed: those in force in the month, declaring one, and taking one back.

import { useState } from "preact/hooks";
import * as api from "../../api/periods";
import type { Exclusion, Period } from "../../api/periods";
import { usePolled } from "../../polled";
import { may } from "../../session";
import { fromField, toField } from "../../pure/zoned";
import { t } from "../../words/billing";
import { Act } from "../act";
import { Answered } from "../answered";
import { Revise } from "./revise";
import { When } from "../figures";
import { useWord } from "../said";
import { Scroll } from "../scroll";

export function Incidents({ month, look }: { month: Period; look: () => void }) {
  const polled = usePolled("exclusions", ["periods"], (signal) => api.exclusions(signal));
  const [dialog, setDialog] = useState<"declare" | "revise" | Exclusion | undefined>();
  const close = () => setDialog(undefined);
  return (
    <>
      <p class="muted intro">{t.incidentsHelp}</p>
      <div class="incident-acts">
        {may("incidents") && (
          <button type="button" onClick={() => setDialog("declare")}>
            {t.declare}
          </button>
        )}
        {may("billing") && month.issued > 0 && (
          <button type="button" onClick={() => setDialog("revise")}>
            {t.correct}
          </button>
        )}
        {month.issued > 0 && <span class="muted">{t.afterwards}</span>}
      </div>
      <Answered polled={polled}>
        {(all) => {
          const list = all.filter((one) => one.from < month.until && one.until > month.from);
          if (list.length === 0) return <p class="nothing">{t.noIncidents}</p>;
          return (
            <Scroll label={t.tabs.incidents}>
              <table class="plain wide">
                <caption class="sr">{t.tabs.incidents}</caption>
                <thead>
                  <tr>
                    <th scope="col">{t.server}</th>
                    <th scope="col">{t.from}</th>
                    <th scope="col">{t.until}</th>
                    <th scope="col">{t.reason}</th>
                    <th scope="col">{t.by}</th>
                    <td />
                  </tr>
                </thead>
                <tbody>
                  {list.map((one) => (
                    <tr key={one.id}>
                      <th scope="row">{one.server}</th>
                      <td>
                        <When at={one.from} timezone={month.timezone} />
                      </td>
                      <td>
                        <When at={one.until} timezone={month.timezone} />
                      </td>
                      <td class="wrap">{one.why}</td>
                      <td>
                        {one.by}
                        <span class="under">
                          <When at={one.at} timezone={month.timezone} />
                        </span>
                      </td>
                      <td>
                        {may("incidents") && (
                          <button type="button" class="text" onClick={() => setDialog(one)}>
                            {t.withdraw}
                          </button>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          );
        }}
      </Answered>
      {dialog === "declare" && <Declare month={month} close={close} done={polled.retry} />}
      {dialog === "revise" && <Revise month={month.period} server={undefined} close={close} done={look} />}
      {typeof dialog === "object" && <Withdraw of={dialog} close={close} done={polled.retry} />}
    </>
  );
}

function Declare({ month, close, done }: { month: Period; close: () => void; done: () => void }) {
  const { word, fields } = useWord(t.reason);
  const [server, setServer] = useState("");
  const [from, setFrom] = useState(toField(month.from, month.timezone));
  const [until, setUntil] = useState(toField(Math.min(Date.parse(month.from) + 3_600_000, Date.parse(month.until)), month.timezone));
  const [from_ms, until_ms] = [fromField(from, month.timezone), fromField(until, month.timezone)];
  const act = async (key: string) => {
    await api.exclude({ server: server.trim(), from: from_ms!, until: until_ms!, ...word() }, key);
    done();
  };
  const ends = until_ms !== undefined && from_ms !== undefined && until_ms > from_ms;
  return (
    <Act title={t.declareTitle} verb={t.declare} act={act} close={close}>
      <label>
        {t.server}
        <input required value={server} onInput={(event) => setServer(event.currentTarget.value)} />
      </label>
      <div class="pair">
        <label>
          {t.from} ({month.timezone})
          <input required type="datetime-local" value={from} step={300} onInput={(event) => setFrom(event.currentTarget.value)} />
        </label>
        <label>
          {t.until}
          <input
            required
            type="datetime-local"
            value={until}
            step={300}
            ref={(field) => field?.setCustomValidity(ends ? "" : t.notAnEnd)}
            onInput={(event) => setUntil(event.currentTarget.value)}
          />
        </label>
      </div>
      {fields}
    </Act>
  );
}

function Withdraw({ of, close, done }: { of: Exclusion; close: () => void; done: () => void }) {
  const { word, fields } = useWord(t.reason);
  const act = async (key: string) => {
    const { by, why } = word();
    await api.withdraw(of.id, by, why, key);
    done();
  };
  return (
    <Act title={t.withdrawTitle(of.server)} verb={t.withdraw} act={act} close={close}>
      <p class="muted">{t.withdrawHelp}</p>
      {fields}
    </Act>
  );
}
