// Everything that a person may do about a case now: a button each, and the dialog behind it.

import { useState } from "preact/hooks";
import * as api from "../../api/cases";
import type { AttemptOutcome, Channel, WholeCase } from "../../api/cases";
import type { Contact } from "../../api/inventory";
import { allowedActs, type CaseAct } from "../../pure/case_acts";
import { fromField, mbpsField, parseMbps, toField } from "../../pure/zoned";
import { t } from "../../words/cases";
import { Act } from "../act";
import { useWord } from "../said";

const DAY_MS = 86_400_000;

interface Props {
  of: WholeCase;
  /** The customer's contacts, as far as they are known. */
  contacts: readonly Contact[];
  /** Asks for the case anew. */
  done: () => void;
}

export function CaseActs({ of, contacts, done }: Props) {
  const [open, setOpen] = useState<CaseAct | undefined>();
  const acts = allowedActs(of);
  return (
    <div class="case-acts">
      {acts.map((act, index) => (
        <button key={act} type="button" class={index === 0 ? "primary" : undefined} onClick={() => setOpen(act)}>
          {t.acts[act].verb}
        </button>
      ))}
      {open && <Dialog key={open} act={open} of={of} contacts={contacts} close={() => setOpen(undefined)} done={done} />}
    </div>
  );
}

function Dialog({ act, of, contacts, close, done }: Props & { act: CaseAct; close: () => void }) {
  const { recommendation } = of;
  const { timezone } = recommendation;
  const { word, fields } = useWord(t.whyOf[act]);
  const limit = of.limit ?? { cap_bps: recommendation.cap.cap_bps, until: recommendation.until };
  const [cap, setCap] = useState(mbpsField(limit.cap_bps));
  const first = act === "snooze" ? Date.now() + DAY_MS : Math.max(Date.parse(limit.until), Date.now() + DAY_MS);
  const [until, setUntil] = useState(toField(first, timezone));
  const [whom, setWhom] = useState(contacts.length > 0 ? 1 : 0);
  const [name, setName] = useState("");
  const [channel, setChannel] = useState<Channel>("phone");
  const [outcome, setOutcome] = useState<AttemptOutcome>("sent");
  const [detail, setDetail] = useState("");
  const outcomes: AttemptOutcome[] = channel === "phone" ? ["sent", "no_answer", "failed"] : ["sent", "failed"];
  const cap_bps = parseMbps(cap);
  const until_ms = fromField(until, timezone);

  const run = async (key: string) => {
    switch (act) {
      case "attempt": {
        const contact = whom === 0 ? undefined : whom;
        await api.attempt(of.id, { contact, name: whom === 0 ? name.trim() : undefined, channel, outcome, detail: detail.trim() }, word(), key);
        break;
      }
      case "apply":
        await api.apply(of.id, cap_bps!, until_ms!, word(), key);
        break;
      case "snooze":
        await api.snooze(of.id, until_ms!, word(), key);
        break;
      default:
        await api.act(of.id, act, word(), key);
    }
    done();
  };

  const { title, verb, help } = t.acts[act];
  return (
    <Act title={title} verb={verb} act={run} close={close}>
      {help !== "" && <p class="muted">{help}</p>}
      {act === "attempt" && (
        <>
          <label>
            {t.who}
            <select value={whom} onChange={(event) => setWhom(Number(event.currentTarget.value))}>
              {contacts.map((contact, index) => (
                <option key={contact.name} value={index + 1}>
                  {contact.name}
                </option>
              ))}
              <option value={0}>{t.someoneElse}</option>
            </select>
          </label>
          {whom === 0 && (
            <label>
              {t.name}
              <input required value={name} onInput={(event) => setName(event.currentTarget.value)} />
            </label>
          )}
          <div class="pair">
            <label>
              {t.channel}
              <select
                value={channel}
                onChange={(event) => {
                  const chosen = event.currentTarget.value as Channel;
                  setChannel(chosen);
                  if (chosen !== "phone" && outcome === "no_answer") setOutcome("failed");
                }}
              >
                {(Object.keys(t.channels) as Channel[]).map((way) => (
                  <option key={way} value={way}>
                    {t.channels[way]}
                  </option>
                ))}
              </select>
            </label>
            <label>
              {t.outcome}
              <select value={outcome} onChange={(event) => setOutcome(event.currentTarget.value as AttemptOutcome)}>
                {outcomes.map((came) => (
                  <option key={came} value={came}>
                    {t.outcomes[came]}
                  </option>
                ))}
              </select>
            </label>
          </div>
          <label>
            {t.detail}
            <input value={detail} maxLength={1000} onInput={(event) => setDetail(event.currentTarget.value)} />
          </label>
        </>
      )}
      {act === "apply" && (
        <label>
          {t.capField}
          <input
            required
            inputMode="decimal"
            value={cap}
            ref={(field) => field?.setCustomValidity(cap_bps === undefined ? t.notACap : "")}
            onInput={(event) => setCap(event.currentTarget.value)}
          />
        </label>
      )}
      {(act === "apply" || act === "snooze") && (
        <label>
          {t.untilField(timezone)}
          <input
            required
            type="datetime-local"
            value={until}
            ref={(field) => field?.setCustomValidity(until_ms === undefined ? t.notATime : "")}
            onInput={(event) => setUntil(event.currentTarget.value)}
          />
        </label>
      )}
      {fields}
    </Act>
  );
}
