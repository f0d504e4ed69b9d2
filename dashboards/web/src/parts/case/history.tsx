// What was done about a case: who, when, why and what came of it, the newest last.

import type { Step } from "../../api/cases";
import { t } from "../../words/cases";
import { stepWords } from "./words";
import { When } from "../figures";

/** The name under which the service itself acts. */
const SERVICE = "meter95";

export function CaseHistory({ steps, timezone }: { steps: readonly Step[]; timezone: string }) {
  return (
    <ol class="history">
      {steps.map((step) => (
        <li key={step.number} class={tone(step)}>
          <p class="what">{stepWords(step, timezone)}</p>
          <p class="muted">
            <When at={step.at} timezone={timezone} /> · {step.by === SERVICE ? t.service : t.by(step.by)}
            {step.kind === "attempted" && ` · ${t.round(step.round)}`}
          </p>
          {/* What the service says to its own steps, the words above say as well. */}
          {step.by !== SERVICE && <p class="why">{step.why}</p>}
          {step.kind === "attempted" && step.detail !== "" && <p class="why">{step.detail}</p>}
        </li>
      ))}
    </ol>
  );
}

/** Its mark: what ended something, what failed, what was said only. */
function tone(step: Step): string | undefined {
  switch (step.kind) {
    case "opened":
    case "fired":
    case "reopened":
      return "warn";
    case "applied":
    case "approved":
      return "strong";
    case "notified":
    case "answered":
    case "lifted":
    case "resolved":
      return "ok";
    case "attempted":
      return step.outcome === "sent" ? "ok" : "faint";
    default:
      return "faint";
  }
}
