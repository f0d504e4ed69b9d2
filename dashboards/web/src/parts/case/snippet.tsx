// The configuration that a person pastes into a device.

import { useState } from "preact/hooks";
import { snippet, type WholeCase } from "../../api/cases";
import { usePolled } from "../../polled";
import { t } from "../../words/cases";
import { Copy } from "../copy";
import { Panel } from "../panel";

/** What comes with the product; a site may have templates of its own. */
const KINDS = { ios: "Cisco IOS", junos: "Junos", eos: "Arista EOS", tc: "Linux (tc)" };

export function CaseSnippet({ of }: { of: WholeCase }) {
  const lifted = of.state === "lifted";
  const [kind, setKind] = useState("ios");
  const [own, setOwn] = useState("");
  const [interfaces, setInterfaces] = useState("");
  const [off, setOff] = useState(of.state !== "approved");
  if (of.state !== "approved" && of.state !== "applied" && !lifted) {
    if (!of.open) return null;
    return (
      <Panel title={t.snippet}>
        <p class="muted">{t.snippetLater}</p>
      </Panel>
    );
  }
  const chosen = kind === "" ? own.trim() : kind;
  const takeOff = lifted || off;
  return (
    <Panel title={t.snippet}>
      <p class="muted">{t.snippetHelp}</p>
      <div class="case-snippet-choice">
        <label>
          {t.device}{" "}
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            {Object.entries(KINDS).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
            <option value="">{t.otherTemplate}</option>
          </select>
        </label>
        {kind === "" && <input aria-label={t.templateName} placeholder={t.templateName} value={own} onInput={(event) => setOwn(event.currentTarget.value)} />}
        <input aria-label={t.interfaces} title={t.interfaces} placeholder={t.interfaces} value={interfaces} onInput={(event) => setInterfaces(event.currentTarget.value)} />
        {!lifted && (
          <div class="choice" role="group" aria-label={t.snippet}>
            <button type="button" aria-pressed={!takeOff} onClick={() => setOff(false)}>
              {t.set}
            </button>
            <button type="button" aria-pressed={takeOff} onClick={() => setOff(true)}>
              {t.takeOff}
            </button>
          </div>
        )}
      </div>
      {chosen !== "" && <Snippet of={of} kind={chosen} lift={takeOff} interfaces={interfaces.replaceAll(" ", "")} />}
    </Panel>
  );
}

interface Wanted {
  of: WholeCase;
  kind: string;
  lift: boolean;
  interfaces: string;
}

function Snippet({ of, kind, lift, interfaces }: Wanted) {
  const limit = `${of.state} ${of.limit?.cap_bps} ${of.limit?.until}`;
  const { answer, failure } = usePolled(`snippet ${of.id} ${kind} ${lift} ${interfaces} ${limit}`, ["inventory"], (signal) =>
    snippet(of.id, kind, lift, interfaces, signal),
  );
  // What the service says is the reason: no port of that kind, say, or no such template.
  if (answer === undefined) return failure ? <p role="status">{failure.detail || t.unreachableTitle}</p> : <p class="loading">{t.loading}</p>;
  return (
    <div class="case-snippet">
      <Copy text={answer} />
      <pre tabIndex={0}>{answer}</pre>
    </div>
  );
}
