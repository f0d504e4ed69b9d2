// The same samples under other terms, beside what they come to now.

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "../../api/ask";
import type { Missing, Rounding } from "../../api/periods";
import { whatIf, type Compared, type TermFigures, type Terms } from "../../api/what_if";
import type { Method } from "../../api/usage";
import { mbpsFine, money } from "../../format";
import { t } from "../../words/server";
import { None } from "../figures";
import { Panel } from "../panel";
import type { Month } from "./month";

const METHODS: Method[] = ["max", "in", "out", "sum", "separate"];
const MISSING: Missing[] = ["zero", "exclude"];
const ROUNDINGS: Rounding[] = ["up", "down", "half_up"];
const BPS_PER_MBPS = 1_000_000;

interface Props {
  month: Month;
  compared: Compared | undefined;
  setCompared: (compared: Compared | undefined) => void;
}

export function WhatIfPanel({ month, compared, setCompared }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const asking = useRef<AbortController | undefined>(undefined);
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => () => asking.current?.abort(), []);
  // Another month's other terms would be drawn over this one.
  useEffect(() => clear(), [month.period]);

  function clear(): void {
    asking.current?.abort();
    form.current?.reset();
    setCompared(undefined);
    setFailure("");
    setBusy(false);
  }

  const submit = async (event: Event) => {
    event.preventDefault();
    const terms = read(new FormData(form.current!));
    if (typeof terms === "string") return setFailure(terms);
    asking.current?.abort();
    const abort = (asking.current = new AbortController());
    setBusy(true);
    setFailure("");
    try {
      const answer = await whatIf(month.period, month.row?.pool ?? month.id, terms, abort.signal);
      setCompared(answer);
      if (!answer) setFailure(t.whatIfNothing);
    } catch (cause) {
      if (abort.signal.aborted) return;
      setFailure(cause instanceof ApiFailure && cause.detail !== "" ? cause.detail : t.unreachableTitle);
    }
    setBusy(false);
  };
  return (
    <Panel title={t.whatIf} class="what-if">
      <p class="hint">{month.running ? t.whatIfRunning : t.whatIfEnded}</p>
      <form ref={form} onSubmit={submit}>
        <label>
          {t.whatIfAllowance}
          <input name="allowance" inputMode="decimal" autocomplete="off" placeholder={t.asItIs} />
        </label>
        <label>
          {t.whatIfMethod}
          <Choice name="method" of={METHODS} says={(method) => t.method[method]} />
        </label>
        <label>
          {t.whatIfMissing}
          <Choice name="missing" of={MISSING} says={(missing) => t.missing[missing]} />
        </label>
        <label>
          {t.whatIfUnit}
          <input name="unit" inputMode="decimal" autocomplete="off" placeholder={t.asItIs} />
        </label>
        <label>
          {t.whatIfRounding}
          <Choice name="rounding" of={ROUNDINGS} says={(rounding) => t.rounding[rounding]} />
        </label>
        <label>
          {t.whatIfPrice}
          <input name="price" inputMode="decimal" autocomplete="off" placeholder={t.asItIs} />
        </label>
        <div class="what-if-buttons">
          <button type="submit" class="primary" disabled={busy}>
            {t.whatIfAsk}
          </button>
          <button type="button" disabled={!compared && failure === ""} onClick={clear}>
            {t.whatIfClear}
          </button>
        </div>
      </form>
      <p class="over" role="alert">
        {failure}
      </p>
      {compared && <Outcome compared={compared} running={month.running} />}
    </Panel>
  );
}

function Choice<T extends string>({ name, of, says }: { name: string; of: readonly T[]; says: (one: T) => string }) {
  return (
    <select name={name}>
      <option value="">{t.asItIs}</option>
      {of.map((one) => (
        <option key={one} value={one}>
          {says(one)}
        </option>
      ))}
    </select>
  );
}

/** The terms of the form, or what is wrong with it. */
function read(form: FormData): Terms | string {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const one = <T extends string>(name: string, of: readonly T[]) => of.find((known) => known === text(name));
  const wrong: string[] = [];
  const bps = (name: string) => {
    const written = text(name);
    if (written === "") return undefined;
    const rate = Math.round(Number(written) * BPS_PER_MBPS);
    if (!Number.isSafeInteger(rate) || rate < 0) wrong.push(t.notARate(written));
    return rate;
  };
  const terms: Terms = {
    allowance_bps: bps("allowance"),
    method: one("method", METHODS),
    missing: one("missing", MISSING),
    unit_bps: bps("unit"),
    rounding: one("rounding", ROUNDINGS),
    price: text("price") || undefined,
  };
  if (wrong.length > 0) return wrong.join(" ");
  return Object.values(terms).some((term) => term !== undefined) ? terms : t.whatIfEmpty;
}

function Outcome({ compared, running }: { compared: Compared; running: boolean }) {
  const { now, then, amount_change } = compared;
  const rate = (bps: number | null) => (bps === null ? <None /> : mbpsFine(bps));
  const amount = ({ amount, currency }: TermFigures) => (amount === null || currency === null ? <None /> : money(amount, currency));
  const rows = [
    { name: t.allowance, of: (figures: TermFigures) => rate(figures.allowance_bps) },
    { name: t.p95, of: (figures: TermFigures) => rate(figures.p95_bps) },
    { name: t.overage, of: (figures: TermFigures) => rate(figures.overage_bps) },
    { name: t.billableBandwidth, of: (figures: TermFigures) => rate(figures.billable_bps) },
    { name: t.amount, of: amount },
  ];
  return (
    <table class="plain what-if-outcome">
      <thead>
        <tr>
          <td />
          <th scope="col" class="number">
            {t.whatIfNow(running)}
          </th>
          <th scope="col" class="number">
            {t.whatIfThen(running)}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, of }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="number">{of(now)}</td>
            <td class="number">{of(then)}</td>
          </tr>
        ))}
        {amount_change !== null && now.currency !== null && (
          <tr>
            <th scope="row">{t.whatIfChange(running)}</th>
            <td />
            <td class="number">
              {Number(amount_change) > 0 && "+"}
              {money(amount_change, now.currency)}
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
